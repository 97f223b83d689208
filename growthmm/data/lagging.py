"""A covariate's value of an earlier occasion, in long data."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from growthmm.data.frames import codes, numeric_column
from growthmm.data.stacked import row_cells
from growthmm.model.schema import Schema

if TYPE_CHECKING:
    import pandas

__all__ = ["lagged_values", "with_lagged"]


def lagged_values(frame: pandas.DataFrame, schema: Schema, of: str, by: int) -> NDArray[np.float64]:
    """A covariate's value `by` occasions earlier in each row.

    Parameters
    ----------
    frame : pandas.DataFrame
        Long data.
    schema : Schema
        With person, time and shared occasions.
    of : str
        The covariate, a numeric column.
    by : int
        How many occasions earlier, whatever time lies between.

    Returns
    -------
    (n_rows,) ndarray
        Zero at the first `by` occasions; NaN where the earlier value is missing, or the person has
        no row then.

    Examples
    --------
    >>> import pandas
    >>> frame = pandas.DataFrame({"id": [1, 1, 1, 2], "t": [0, 1, 3, 1], "x": [5.0, 6.0, 7.0, 8.0]})
    >>> lagged_values(frame, Schema("id", "t", "y", (0.0, 1.0, 3.0)), "x", 1)
    array([ 0.,  5.,  6., nan])
    """
    person, labels = codes(frame, schema.person)
    cell = row_cells(frame, schema)
    values = numeric_column(frame, of)
    table = np.full((len(labels), len(schema.occasions)), np.nan)
    known = (person >= 0) & (cell >= 0) & np.isfinite(values)
    table[person[known], cell[known]] = values[known]
    found = np.full(len(frame), np.nan)
    later = (person >= 0) & (cell >= by)
    found[later] = table[person[later], cell[later] - by]
    found[(cell >= 0) & (cell < by)] = 0.0
    return found


def with_lagged(frame: pandas.DataFrame, schema: Schema) -> pandas.DataFrame:
    """Long data with the schema's lagged columns, computed where their covariates are there.

    One whose covariate is not there is zero at the occasions that have no earlier one.

    Parameters
    ----------
    frame : pandas.DataFrame
        Long data.
    schema : Schema
        With the lagged columns.
    """
    made = {}
    for lagged in schema.lagged:
        if lagged.of in frame.columns:
            made[lagged.name] = lagged_values(frame, schema, lagged.of, lagged.by)
        elif lagged.name in frame.columns:
            first = row_cells(frame, schema) < lagged.by
            made[lagged.name] = np.where(first, 0.0, numeric_column(frame, lagged.name))
    return frame.assign(**made) if made else frame
