"""What can be wrong with a fit: checks of the optimum, the design, the variances, the persons."""
