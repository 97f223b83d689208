"""MixedModels.jl: fit() in Julia, written only."""
