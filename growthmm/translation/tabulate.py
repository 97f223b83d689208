"""Columns of time, as numbers at the shared occasions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from growthmm.data.design.evaluation import evaluate
from growthmm.data.frames import numeric_column
from growthmm.data.levels import level_codes
from growthmm.model.expression import variables
from growthmm.model.schema import Column, ColumnPart, Constants, Schema, Variable

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "TABULATED",
    "at_occasions",
    "part_variables",
    "tabulate",
    "tabulated",
    "time_table",
]

TABULATED = "tabulated"
"""Name of the constants that hold a time function's values at the occasions: numbers, or the
positions of its levels where it is categorical."""


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
    if not column.parts:
        return (1.0,) * len(schema.numbers)
    design = evaluate((column,), time_table(schema), schema)
    return tuple(float(v) for v in np.asarray(design)[:, 0])


def time_table(schema: Schema) -> dict[str, NDArray[Any]]:
    """Time, and every function of time that the schema tabulates, at the shared occasions."""
    table: dict[str, NDArray[Any]] = {}
    if schema.time is not None:
        table[schema.time] = np.asarray(schema.occasions, dtype=float)
    for variable in schema.variables:
        constants = schema.constants_of(variable.name)
        if variable.role != "time_function" or constants is None:
            continue
        values = np.asarray(dict(constants.values)[TABULATED], dtype=float)
        if variable.levels is None:
            table[variable.name] = values
        else:
            levels = np.asarray(variable.levels, dtype=object)
            table[variable.name] = levels[values.astype(np.intp)]
    return table


def tabulated(
    frame: pd.DataFrame, time: str, variables: Sequence[Variable], occasions: Sequence[float]
) -> tuple[Constants, ...]:
    """The values of time functions at the occasions, taken from long data.

    Parameters
    ----------
    frame : DataFrame
        Long data.
    time : str
        The time column.
    variables : sequence of Variable
        Of which the time functions are tabulated.
    occasions : sequence of float
        Where.

    Returns
    -------
    tuple of Constants
        One for each time function that has a value at every occasion.
    """
    made = []
    times = numeric_column(frame, time)
    for variable in variables:
        if variable.role != "time_function":
            continue
        if variable.levels is None:
            values = numeric_column(frame, variable.name)
        else:
            values = level_codes(frame, variable.name, variable.levels).astype(float)
            values = np.where(values < 0, np.nan, values)
        good = np.isfinite(values) & np.isfinite(times)
        known = dict(zip(times[good].tolist(), values[good].tolist(), strict=True))
        if all(t in known for t in occasions):
            table = tuple(known[t] for t in occasions)
            made.append(Constants(variable.name, ((TABULATED, table),)))
    return tuple(made)


def at_occasions(known: Schema, occasions: tuple[float, ...]) -> tuple[Constants, ...]:
    """The schema's constants, tables of time functions cut to some of its occasions."""
    at = [known.occasions.index(t) for t in occasions]
    made = []
    for constants in known.constants:
        table = dict(constants.values).get(TABULATED)
        if table is None:
            made.append(constants)
        else:
            cut = tuple(table[j] for j in at)
            made.append(Constants(constants.expression, ((TABULATED, cut),)))
    return tuple(made)
