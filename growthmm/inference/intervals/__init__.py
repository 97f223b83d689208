"""Confidence intervals: Wald, profile likelihood, bootstrap."""
