"""Loadings as functions of time, with parameters and without, either way."""
