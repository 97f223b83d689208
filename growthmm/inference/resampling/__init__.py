"""Data drawn anew: simulated from a model, or persons drawn again."""
