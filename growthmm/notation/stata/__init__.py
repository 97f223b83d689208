"""Stata: mixed and sem, read and written."""
