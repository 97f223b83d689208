"""Engines: one room a fitter, a registry that reaches them, and what they exchange."""
