"""Mplus: inputs, read and written."""
