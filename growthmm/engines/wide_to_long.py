"""Long data from wide data whose columns are a structural equation model's variables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from growthmm.data.frames import numeric_column, require_columns
from growthmm.data.stacked import with_outcome_indicators
from growthmm.engines.groups import group_columns, rows_of_groups
from growthmm.model.bound import BoundSem
from growthmm.model.strata import outcome_indicators

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["frame_from_wide"]

FloatArray = NDArray[np.float64]


def frame_from_wide(
    frame: pd.DataFrame,
    bound: BoundSem,
) -> pd.DataFrame:
    """Long data from wide data whose columns are a structural equation model's variables.

    Parameters
    ----------
    frame : DataFrame
        A row a person.
    bound : BoundSem
        Names of person, time and outcome, the outcomes' columns, the covariates.

    Returns
    -------
    DataFrame
        A row a person and occasion, with the person-level columns repeated.
    """
    import pandas as pd

    schema = bound.schema
    assert schema.time is not None
    n, t = len(frame), len(schema.outcome_columns)
    person = (
        frame[schema.person].to_numpy() if schema.person in frame.columns else np.arange(1, n + 1)
    )
    made: dict[str, object] = {
        schema.person: np.repeat(person, t),
        schema.time: np.tile(np.asarray(schema.numbers), n),
        schema.outcome: _outcomes(frame, bound).ravel(),
    }
    if schema.indicator is not None:
        made[schema.indicator] = np.tile(np.asarray(schema.series, dtype=object), n)
    for covariate in bound.covariates:
        if covariate.time_varying:
            made[covariate.name] = _stack_partly(frame, covariate.columns)
        elif covariate.name in frame.columns:
            made[covariate.name] = np.repeat(numeric_column(frame, covariate.name), t)
    # Levels of text columns, and groups, are columns of long data as they stand; an outcome's
    # indicator is none, though wide data have a column of its name: the outcome itself.
    made_later = {name for name, _ in outcome_indicators(schema)}
    for variable in schema.variables:
        if variable.name in frame.columns and variable.name not in {*made, *made_later}:
            made[variable.name] = frame[variable.name].repeat(t).array
    if schema.cluster is not None:
        require_columns(frame, [schema.cluster])
        made[schema.cluster] = np.repeat(frame[schema.cluster].to_numpy(), t)
    long = pd.DataFrame(made)
    if schema.series:
        return with_outcome_indicators(long, schema)
    if schema.shared_times:
        return long
    needed = [schema.time] if schema.lagged else [schema.time, schema.outcome]
    return long.dropna(subset=needed).reset_index(drop=True)


def _outcomes(frame: pd.DataFrame, bound: BoundSem) -> FloatArray:
    """The outcome of each person at each occasion; NaN where a group has no column for it."""
    schema = bound.schema
    if schema.grouping is None or not schema.grouping.columns:
        return np.column_stack([numeric_column(frame, name) for name in schema.outcome_columns])
    table = np.full((len(frame), len(schema.occasions)), np.nan)
    for g, rows in enumerate(rows_of_groups(bound.model, frame)[1]):
        for name, j in group_columns(schema, g).items():
            table[rows, j] = numeric_column(frame, name)[rows]
    return table


def _stack(frame: pd.DataFrame, columns: Sequence[str]) -> FloatArray:
    return np.column_stack([numeric_column(frame, name) for name in columns]).ravel()


def _stack_partly(frame: pd.DataFrame, columns: Sequence[str]) -> FloatArray:
    """Columns stacked; one that is absent has no path, and any number will do."""
    absent = [name for name in columns if name not in frame.columns]
    return _stack(frame.assign(**dict.fromkeys(absent, 0.0)), columns)
