"""Equivalence: evidence gathered level by level, and the verdicts that rest on it."""
