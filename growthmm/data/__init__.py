"""Data frames of any kind: checks, long and wide, patterns of missing values, moments."""
