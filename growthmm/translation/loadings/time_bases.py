"""Orthogonal and standardised functions of time, recognised in loadings by the data's constants."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from growthmm.data.design.binding import bind_columns
from growthmm.data.frames import numeric_column
from growthmm.errors import DataError
from growthmm.model.expression import canonical, quote
from growthmm.model.schema import Constants, Schema
from growthmm.model.terms import Term
from growthmm.translation.loadings.affine import same
from growthmm.translation.naming import polynomial_degree
from growthmm.translation.tabulate import tabulate

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["time_bases"]

SPLINES = ("ns({0}, df={1})", "bs({0}, df={1})")
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
    if schema.time is None or schema.series:
        return ()
    times = numeric_column(frame, schema.time)
    place = {t: j for j, t in enumerate(schema.occasions)}
    values, counts = np.unique(times[np.isfinite(times)], return_counts=True)
    if set(values.tolist()) != set(place):
        return ()
    splines = _splines(loadings, schema, frame)
    centred = [
        row
        for row in loadings
        if any(row) and abs(float(counts @ np.asarray(row))) <= 1e-9 * float(counts @ np.abs(row))
    ]
    found: tuple[Constants, ...] = splines
    for template in BASES if centred else ():
        expression = canonical(template.format(quote(schema.time)))
        found = _held(expression, centred, schema, frame) or found
    return found


def _held(
    expression: str, loadings: Sequence[tuple[float, ...]], schema: Schema, frame: pd.DataFrame
) -> tuple[Constants, ...]:
    """Constants of a basis where all its columns are loadings of the model."""
    try:
        bound = bind_columns([Term((expression,))], frame, known=schema)
    except DataError:
        # Fewer occasions than the basis needs.
        return ()
    known = Schema(
        schema.person, schema.time, schema.outcome, schema.occasions, constants=bound.constants
    )
    tables = [tabulate(column, known) for column in bound.columns]
    whole = all(any(same(table, row) for row in loadings) for table in tables)
    return bound.constants if whole else ()


def _splines(
    loadings: Sequence[tuple[float, ...]], schema: Schema, frame: pd.DataFrame
) -> tuple[Constants, ...]:
    """Constants of a spline basis with knots at quantiles of time, where the loadings are one."""
    curved = [
        row
        for row in loadings
        if any(row) and polynomial_degree(row, schema.occasions, highest=2) is None
    ]
    if len(curved) < 2:
        return ()
    for template in SPLINES:
        # Some columns of a basis can be polynomials at the occasions, most are not.
        for df in range(2, min(len(loadings), len(schema.occasions) - 1) + 1):
            expression = canonical(template.format(quote(schema.time or "time"), df))
            held = _held(expression, loadings, schema, frame)
            if held:
                return held
    return ()
