"""Residual structures: read from rows, recognised, named and written as rows."""
