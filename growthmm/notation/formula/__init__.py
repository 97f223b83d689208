"""Formulas: the grammar that the mixed-model programs of R, Python and Julia share."""
