"""Columns of time, as numbers at the shared occasions."""

from __future__ import annotations

import numpy as np

from growthmm.data.design import evaluate
from growthmm.model.expression import variables
from growthmm.model.schema import Column, ColumnPart, Schema

__all__ = ["TABULATED", "part_variables", "tabulate"]

TABULATED = "tabulated"
"""Name of the constants that hold a time function's values at the occasions."""


def part_variables(part: ColumnPart) -> tuple[str, ...]:
    """The data columns that one part of a design column uses."""
    return variables(part.expression)


def tabulate(column: Column, schema: Schema) -> tuple[float, ...]:
    """Values of a product of functions of time at the shared occasions.

    Parameters
    ----------
    column : Column
        A product whose parts use only the time column and time functions.
    schema : Schema
        With the occasions and the tabulated time functions.

    Returns
    -------
    tuple of float
        One value for each occasion.
    """
    table: dict[str, np.ndarray] = {}
    if schema.time is not None:
        table[schema.time] = np.asarray(schema.occasions, dtype=float)
    for variable in schema.variables:
        constants = schema.constants_of(variable.name)
        if variable.role == "time_function" and constants is not None:
            table[variable.name] = np.asarray(dict(constants.values)[TABULATED], dtype=float)
    if not column.parts:
        return (1.0,) * len(schema.occasions)
    values = evaluate((column,), table, schema)
    return tuple(float(v) for v in np.asarray(values)[:, 0])
