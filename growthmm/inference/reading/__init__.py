"""Reading a fitted model: contrasts, simple slopes, standardised solutions, predictions."""
