"""Tests of hypotheses about parameters."""
