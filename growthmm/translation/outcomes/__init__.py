"""Several outcomes: series, stacked rows, and outcomes that persons have once."""
