"""Orthogonal and standardised functions of time, recognised in loadings by the data's constants."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from growthmm.data.design import bind_columns
from growthmm.data.frames import numeric_column
from growthmm.errors import DataError
from growthmm.model.expression import canonical, quote
from growthmm.model.schema import Constants, Schema
from growthmm.model.terms import Term
from growthmm.translation.affine import same
from growthmm.translation.tabulate import tabulate

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["time_bases"]

BASES = ("scale({0})", "scale({0}, scale=FALSE)", "poly({0}, 2)", "poly({0}, 3)")


def time_bases(
    loadings: Sequence[tuple[float, ...]], schema: Schema, frame: pd.DataFrame
) -> tuple[Constants, ...]:
    """Constants of those bases of time whose columns are all loadings of the model.

    Parameters
    ----------
    loadings : sequence of tuple of float
        Of each growth factor, one for each occasion.
    schema : Schema
        With time and occasions.
    frame : DataFrame
        Long data, from all of whose rows the constants come.

    Returns
    -------
    tuple of Constants
        Of the largest basis that the loadings hold; none where no loadings sum to zero over the
        rows, as the columns of all these bases do.
    """
    if schema.time is None:
        return ()
    times = numeric_column(frame, schema.time)
    place = {t: j for j, t in enumerate(schema.occasions)}
    values, counts = np.unique(times[np.isfinite(times)], return_counts=True)
    if set(values.tolist()) != set(place):
        return ()
    centred = [
        row
        for row in loadings
        if any(row) and abs(float(counts @ np.asarray(row))) <= 1e-9 * float(counts @ np.abs(row))
    ]
    found: tuple[Constants, ...] = ()
    for template in BASES if centred else ():
        expression = canonical(template.format(quote(schema.time)))
        try:
            bound = bind_columns([Term((expression,))], frame, known=schema)
        except DataError:
            # Fewer occasions than the basis needs.
            continue
        with_constants = Schema(
            schema.person,
            schema.time,
            schema.outcome,
            schema.occasions,
            constants=bound.constants,
        )
        tables = [tabulate(column, with_constants) for column in bound.columns]
        if all(any(same(table, row) for row in centred) for table in tables):
            found = bound.constants
    return found
