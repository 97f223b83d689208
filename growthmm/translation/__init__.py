"""Translation: binding models to data, and the way between the families through the growth model."""
