"""Variance accounted for: by fixed effects, by random effects, by a model's equations."""
