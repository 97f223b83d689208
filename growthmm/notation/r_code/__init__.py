"""Code in R: calls taken apart, data read, columns computed, fits printed."""
