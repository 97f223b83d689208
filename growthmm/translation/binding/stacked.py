"""Facts of stacked data: several outcomes of each person, rows told apart by a column."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from growthmm.data.checks import check_long
from growthmm.data.frames import codes, numeric_column
from growthmm.data.levels import Scalar, column_levels, level_text
from growthmm.data.names import wide_columns
from growthmm.data.roles import classify, time_candidates
from growthmm.data.stacked import find_stack, row_cells
from growthmm.data.time_search import identifying_columns, varying_numbers
from growthmm.model.defaults import Assumption
from growthmm.model.expression import variables
from growthmm.model.mixed import MixedModel
from growthmm.model.residual import ResidualStructure
from growthmm.model.schema import Schema, Variable
from growthmm.translation.binding.facts import model_variables, response_column, slope_variables
from growthmm.translation.outcomes.tables import indicator_table, outcome_columns
from growthmm.translation.tabulate import tabulated

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["at_own_times", "stacked_residual", "stacked_schema", "stacking"]

CELL = ".cell"


def stacking(
    model: MixedModel, frame: pd.DataFrame, person: str, time: str | None
) -> tuple[str, str, tuple[Assumption, ...]] | None:
    """Time and the column that tells several outcomes apart, where rows are stacked.

    Parameters
    ----------
    model : MixedModel
        The model; the column that tells outcomes apart is one that it uses.
    frame : DataFrame
        Long data.
    person : str
        The column of persons.
    time : str, optional
        The column of times, where it is known.

    Returns
    -------
    tuple of (str, str, tuple of Assumption), or None
        Time and indicator; None where person and time identify rows.
    """
    used = [name for name in model_variables(model) if name != person]
    named = [n for n in (model.residual.by, model.residual.time) if n in frame.columns]
    candidates = dict.fromkeys([*(str(n) for n in named), *used])
    indicators = [n for n in candidates if n not in (time, person) and _tells_apart(frame, n)]
    if not indicators or (time is None and time_candidates(model, frame, person)):
        return None
    outcomes = variables(model.response)
    numbers = [n for n in candidates if n not in indicators]
    slopes = [n for n in slope_variables(model) if n in numbers]
    others = [str(n) for n in frame.columns if n not in candidates and n not in outcomes]
    indicators.sort(key=lambda name: column_levels(frame, name) is None)
    for pool in ([time],) if time is not None else (slopes, numbers, others):
        if pool is others and identifying_columns(frame, person, outcomes):
            # Time may be one of these; it must be named.
            return None
        times = varying_numbers(frame, person, [n for n in pool if n is not None])
        found = find_stack(frame, id=person, times=times, indicators=indicators)
        if found is not None:
            notes = (
                Assumption(
                    f"rows hold several outcomes, told apart by {found[1]}",
                    f"{person} and {found[0]} repeat, and with {found[1]} they identify rows",
                ),
            )
            return (*found, notes)
    return None


def _tells_apart(frame: pd.DataFrame, name: str) -> bool:
    """Whether a column may say whose value a row holds: text, or zeros and ones."""
    column = frame[name]
    if column_levels(frame, name) is not None:
        return True
    head = column.iloc[:256].dropna()
    return bool(head.isin((0, 1)).all()) and bool(column.dropna().isin((0, 1)).all())


def stacked_residual(model: MixedModel, time: str) -> MixedModel:
    """The model, its residual variances by the column that they name where that is not time."""
    column = model.residual.time
    if model.residual.kind != "by_occasion" or column in (None, time):
        return model
    return replace(model, residual=ResidualStructure("by_group", by=column))


def stacked_schema(
    model: MixedModel, frame: pd.DataFrame, person: str, time: str, indicator: str
) -> Schema:
    """The facts of stacked data: outcomes, the occasions of each, roles by these.

    Parameters
    ----------
    model : MixedModel
        The model.
    frame : DataFrame
        Stacked data.
    person, time, indicator : str
        Their columns.

    Returns
    -------
    Schema
        With an occasion for each outcome and time at which it was observed.

    Raises
    ------
    DataError
        If the data can't be fitted.
    """
    for name in variables(model.response):
        check_long(frame, id=person, time=time, outcome=name, wide_form=False)
    levels = column_levels(frame, indicator)
    observed = np.isfinite(numeric_column(frame, time))
    for name in variables(model.response):
        observed &= np.isfinite(numeric_column(frame, name))
    numbered, labels = codes(frame, indicator)
    outcomes: tuple[Scalar, ...] = levels or tuple(sorted(float(v) for v in labels))
    series: list[Scalar] = []
    occasions: list[float] = []
    times = numeric_column(frame, time)
    for outcome in outcomes:
        code = list(labels).index(outcome)
        own = np.unique(times[observed & (numbered == code)]).tolist()
        occasions += own
        series += [outcome] * len(own)
    columns = outcome_columns(tuple(series), tuple(occasions), indicator)
    schema = Schema(
        person,
        time,
        response_column(model),
        tuple(occasions),
        outcome_columns=columns,
        indicator=indicator,
        series=tuple(series),
    )
    return with_roles(schema, frame, [n for n in model_variables(model) if n not in (person, time)])


def at_own_times(frame: pd.DataFrame, person: str, time: str, indicator: str) -> bool:
    """Whether persons have times of their own, by the rows that they have of one outcome.

    Parameters
    ----------
    frame : DataFrame
        Stacked data.
    person, time, indicator : str
        Their columns.
    """
    who, what = codes(frame, person)[0], codes(frame, indicator)[0]
    times = numeric_column(frame, time)
    good = (who >= 0) & (what >= 0) & np.isfinite(times)
    pairs = (who * (int(what.max(initial=0)) + 1) + what)[good]
    longest = int(np.unique(pairs, return_counts=True)[1].max(initial=0))
    most = max(
        (len(np.unique(times[good & (what == k)])) for k in np.unique(what[good])), default=0
    )
    return most > 3 * longest + 10


def with_roles(schema: Schema, frame: pd.DataFrame, names: Sequence[str]) -> Schema:
    """The schema of stacked data with the roles of its variables, tables and wide columns."""
    assert schema.indicator is not None
    cells = row_cells(frame, schema).astype(float)
    cells[cells < 0] = np.nan
    marked = frame.assign(**{CELL: cells})
    wanted = list(dict.fromkeys([schema.indicator, *names]))
    roles = classify(marked, id=schema.person, time=CELL, names=wanted)
    own = Variable(schema.indicator, "time_function", roles[0].levels)
    roles = (own, *roles[1:])
    tables = tabulated(marked, CELL, roles, [float(j) for j in range(len(schema.occasions))])
    tables = (indicator_table(schema), *(t for t in tables if t.expression != schema.indicator))
    varying = [v.name for v in roles if v.role == "time_varying" and v.levels is None]
    return replace(
        schema,
        variables=roles,
        constants=(*schema.constants, *tables),
        varying_columns=tuple((n, varying_columns(schema, frame, n)) for n in varying),
    )


def varying_columns(schema: Schema, frame: pd.DataFrame, name: str) -> tuple[str, ...]:
    """Wide columns of a covariate that varies: shared by outcomes where its values are."""
    person, _ = codes(frame, schema.person)
    time, _ = codes(frame, schema.time or "")
    values, _ = codes(frame, name)
    good = (person >= 0) & (time >= 0) & (values >= 0)
    key = person[good] * (int(time.max(initial=0)) + 1) + time[good]
    first = np.full(int(key.max(initial=0)) + 1, -1, dtype=np.intp)
    first[key] = values[good]
    if bool((first[key] == values[good]).all()):
        by_time = dict(zip(schema.times, wide_columns(name, schema.times), strict=True))
        return tuple(by_time[t] for t in schema.occasions)
    made: list[str] = []
    for outcome in schema.outcomes:
        times = [schema.occasions[j] for j in schema.cells_of(outcome)]
        made += wide_columns(f"{name}_{level_text(outcome)}", times)
    return tuple(made)
