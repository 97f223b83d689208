"""Facts of data whose times vary individually: visits in place of occasions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from growthmm.data.frames import codes, numeric_column
from growthmm.data.names import wide_columns
from growthmm.model.schema import Schema, Variable

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["at_individual_times", "by_row", "visits_of", "with_visits"]


def visits_of(
    frame: pd.DataFrame, person: str, time: str, response: Sequence[str]
) -> tuple[int, tuple[float, float]]:
    """The most rows with a time and an outcome that a person has, and the range of times.

    Parameters
    ----------
    frame : DataFrame
        Long data.
    person, time : str
        Their columns.
    response : sequence of str
        The columns that the outcome is computed from.
    """
    numbered, labels = codes(frame, person)
    times = numeric_column(frame, time)
    keep = (numbered >= 0) & np.isfinite(times)
    for name in response:
        keep &= np.isfinite(numeric_column(frame, name))
    longest = int(np.bincount(numbered[keep], minlength=len(labels)).max(initial=0))
    return longest, (float(times[keep].min()), float(times[keep].max()))


def by_row(variables: Sequence[Variable]) -> tuple[Variable, ...]:
    """Variables as they are where nobody shares a time: a function of time is one of the row."""
    return tuple(
        replace(v, role="time_varying") if v.role == "time_function" else v for v in variables
    )


def at_individual_times(schema: Schema | None) -> Schema | None:
    """Facts given by hand, in the form that those taken from data have."""
    if schema is None or schema.shared_times:
        return schema
    return replace(schema, variables=by_row(schema.variables), occasions=())


def with_visits(schema: Schema, stem: str, n: int = 0) -> Schema:
    """The schema with columns for each visit of the outcome, of time and of what varies.

    Parameters
    ----------
    schema : Schema
        With ``shared_times`` False.
    stem : str
        What the outcome's columns are called before the number.
    n : int
        The number of visits, where the schema has no columns of the outcome yet.
    """
    varying = [v.name for v in schema.variables if v.role == "time_varying" and v.levels is None]
    among = [stem, *([schema.time] if schema.time else []), *varying]
    numbers = [float(k + 1) for k in range(n or len(schema.outcome_columns))]
    known = dict(schema.varying_columns)
    return replace(
        schema,
        occasions=(),
        outcome_columns=schema.outcome_columns or wide_columns(stem, numbers, among=among),
        varying_columns=tuple(
            (name, known.get(name) or wide_columns(name, numbers, among=among))
            for name in among[1:]
        ),
    )
