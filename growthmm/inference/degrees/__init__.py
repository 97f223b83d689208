"""Denominator degrees of freedom of tests of fixed effects."""
