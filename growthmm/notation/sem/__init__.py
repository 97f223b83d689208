"""What the notations of structural equation models share."""
