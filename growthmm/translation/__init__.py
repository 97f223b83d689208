"""Translation: models bound to data, and carried between families by the growth model."""
