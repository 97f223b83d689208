"""SPSS: MIXED, read and written."""
