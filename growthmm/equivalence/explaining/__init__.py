"""Why two analyses of the same data give different numbers."""
