"""Where a search for several parameters of a curve begins, before any data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from growthmm.data.curve_grid import curve_grid
from growthmm.data.curves import curve
from growthmm.data.design.factors import Table
from growthmm.errors import SpecificationError
from growthmm.model.schema import Column, Schema
from growthmm.translation.tabulate import time_table

__all__ = ["told_apart"]

LARGE = 1e6
"""Loadings and slopes from which on a start is none."""

FINEST = 6
"""Parameters up to which all combinations are looked at."""


def told_apart(
    column: Column,
    names: Sequence[str],
    unknown: Sequence[str],
    schema: Schema,
    given: Mapping[str, float],
) -> dict[str, float]:
    """The values of a curve's parameters at which the occasions tell them apart best.

    There the curve bends within the span of time: its slopes in the parameters, the curve itself
    and a constant, each of length one, are as far from dependent as they get, without jumps.

    Parameters
    ----------
    column : Column
        The curve.
    names : sequence of str
        Its parameters.
    unknown : sequence of str
        Those wanted.
    schema : Schema
        With the occasions.
    given : mapping of str to float
        Values of others; those in neither take one over the span.

    Returns
    -------
    dict of str to float
        A value for each of `unknown`; one over the span where no combination gives a curve.
    """
    times = schema.occasions
    plain = 1.0 / ((times[-1] - times[0]) or 1.0)
    table = Table(time_table(schema), schema)
    expressions = [part.expression for part in column.parts]
    places = [list(names).index(name) for name in unknown]
    best, found = 0.0, dict.fromkeys(unknown, plain)
    if len(unknown) > FINEST:
        return found
    for point in curve_grid(len(unknown), times[0], times[-1]):
        trial = dict(zip(unknown, point, strict=True))
        values = {name: trial.get(name, given.get(name, plain)) for name in names}
        try:
            at = curve(expressions, table, values)
        except SpecificationError:
            continue
        apart = _apart(np.vstack([np.ones_like(at.value), at.value, at.first[places]]))
        apart /= (1.0 + _bends(at.value)) ** 3
        if apart > best * (1 + 1e-9):
            best, found = apart, trial
    return found


def _apart(rows: np.ndarray) -> float:
    """The smallest singular value of rows of length one that the columns allow."""
    if not np.abs(rows).max() < LARGE:
        return 0.0
    length = np.linalg.norm(rows, axis=1)
    if not (length > 1e-6).all():
        return 0.0
    found = np.linalg.svd(rows / length[:, None], compute_uv=False)
    return float(found[-1])


def _bends(values: np.ndarray) -> float:
    """How much the curve bends from occasion to occasion, in units of its range."""
    reach = float(np.ptp(values))
    if not np.isfinite(reach) or reach == 0.0:
        return 0.0
    return float(np.abs(np.diff(values, 2)).sum()) / reach
