"""Structural equation models of two levels: persons, and the clusters that hold them."""
