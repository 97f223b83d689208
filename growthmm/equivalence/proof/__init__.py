"""The proof that two forms imply the same moments, with symbols in place of numbers."""
