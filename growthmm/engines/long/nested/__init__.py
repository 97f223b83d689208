"""Random effects of two nested levels: persons, and the clusters that hold them."""
