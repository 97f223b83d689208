"""Tie a structural equation model of several outcomes to its data, or to the facts given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from growthmm.data.frames import codes, numeric_column, require_columns
from growthmm.data.levels import Scalar, column_levels
from growthmm.data.stacked import stack_columns
from growthmm.errors import SpecificationError, TranslationError, UnboundError
from growthmm.model.defaults import Assumption
from growthmm.model.schema import Constants, Schema, Variable
from growthmm.model.sem import SemModel
from growthmm.model.strata import outcome_indicators
from growthmm.translation.binding.stacked import with_roles
from growthmm.translation.binding.time_scores import checked_times, observed_times
from growthmm.translation.outcomes.series import OutcomeSeries, outcome_series
from growthmm.translation.outcomes.tables import with_indicator
from growthmm.translation.tabulate import TABULATED

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["outcome_schema", "stacked_frame"]

VALUE = "value"
INDICATOR = "outcome"


def outcome_schema(
    several: tuple[OutcomeSeries, ...],
    frame: pd.DataFrame | None,
    *,
    id: str | None,
    time: str | None,
    outcome: str | None,
    time_values: Sequence[float] | None,
    known: Schema | None,
    covariates: Sequence[str],
) -> tuple[Schema, list[Assumption]]:
    """The facts of a model of several outcomes.

    Parameters
    ----------
    several : tuple of OutcomeSeries
        The outcomes.
    frame : DataFrame, optional
        Stacked data.
    id, time, outcome : str, optional
        Columns of the stacked form.
    time_values : sequence of float, optional
        The times of the outcomes that grow, where there are no stacked data.
    known : Schema, optional
        Facts known already.
    covariates : sequence of str
        The model's observed covariates.

    Returns
    -------
    schema : Schema
        With an occasion for each observed outcome.
    notes : list of Assumption
        What was guessed.
    """
    notes: list[Assumption] = []
    if known is not None:
        return _known(several, known), notes
    person, time = id or "person", time or "time"
    if id is None:
        notes.append(Assumption("the person is called person", "rows of wide data; --id names it"))
    value = outcome or VALUE
    indicator = INDICATOR
    if frame is not None:
        indicator, spelled = _indicator(frame, several)
        several = tuple(replace(one, name=spelled[one.name]) for one in several)
        value = _value(frame, outcome, (person, time, indicator))
    elif indicator in (*covariates, person, time, value):
        indicator += "_"
    shown = ", ".join(one.name for one in several)
    notes.append(
        Assumption(
            f"the outcomes are {shown}, told apart by {indicator}, their values in {value}",
            "stacked rows, a row a person, time and outcome; --outcome names the values' column",
        )
    )
    times = _times(several, frame, (time, indicator), time_values, notes)
    schema = _cells(several, times, frame, Schema(person, time, value, indicator=indicator))
    schema = _with_indicators(schema, {person, time, value, indicator, *covariates})
    return (schema if frame is None else _with_columns(schema, frame, covariates)), notes


def _cells(
    several: tuple[OutcomeSeries, ...],
    times: dict[str, tuple[float, ...]],
    frame: pd.DataFrame | None,
    schema: Schema,
) -> Schema:
    """The schema with an occasion for each observed outcome, by outcome and time."""
    assert schema.time is not None
    assert schema.indicator is not None
    growing = [t for one in several if not one.distal for t in times[one.name]]
    names: list[str] = []
    occasions: list[float] = []
    columns: list[str] = []
    for one in several:
        own = times.get(one.name, ())
        if one.distal:
            own = (_once(frame, one, schema.time, schema.indicator, growing),)
        pairs = sorted(zip(own, (y for y, _ in one.scores), strict=True))
        names += [one.name] * len(pairs)
        occasions += [t for t, _ in pairs]
        columns += [y for _, y in pairs]
    return replace(
        schema, occasions=tuple(occasions), outcome_columns=tuple(columns), series=tuple(names)
    )


def _with_columns(schema: Schema, frame: pd.DataFrame, covariates: Sequence[str]) -> Schema:
    """The schema with what the other columns of stacked data are, and their constants."""
    keys = {schema.person, schema.time, schema.outcome, schema.indicator} - set(covariates)
    keys |= {variable.name for variable in schema.variables}
    others = [n for n in frame.columns if isinstance(n, str) and n not in keys]
    told = with_roles(replace(schema, constants=()), frame, others)
    # A column that is there for some times only is no function of time.
    fine = [v for v in told.variables if v.role != "time_function" or told.constants_of(v.name)]
    kept = (v for v in fine if schema.variable(v.name) is None)
    held = {c.expression for c in schema.constants}
    return replace(
        schema,
        variables=(*schema.variables, *kept),
        constants=(*schema.constants, *(c for c in told.constants if c.expression not in held)),
    )


def _known(several: tuple[OutcomeSeries, ...], known: Schema) -> Schema:
    """The schema given, where it is of the same outcomes."""
    columns = {y for one in several for y, _ in one.scores}
    if known.series and not known.outcome_columns:
        known = with_indicator(known)
    if not known.series or columns != set(known.outcome_columns):
        raise SpecificationError(
            f"The model's outcomes are {', '.join(sorted(columns))}, the schema's "
            f"{', '.join(known.outcome_columns) or known.outcome}.",
            hint="Give a schema of the same wide columns.",
        )
    return _with_indicators(known, set())


def _with_indicators(schema: Schema, taken: set[str]) -> Schema:
    """The schema with the categorical indicator and a numeric one for each outcome."""
    schema = with_indicator(schema)
    variables = list(schema.variables)
    constants = list(schema.constants)
    there = {outcome for _, outcome in outcome_indicators(schema)}
    for outcome in schema.outcomes:
        values = tuple(float(own == outcome) for own in schema.series)
        if outcome in there:
            continue
        name = str(outcome)
        while name in taken or schema.variable(name) is not None:
            name = f"is_{name}"
        variables.append(Variable(name, "time_function"))
        constants.append(Constants(name, ((TABULATED, values),)))
    return replace(schema, variables=tuple(variables), constants=tuple(constants))


def _indicator(
    frame: pd.DataFrame, several: tuple[OutcomeSeries, ...]
) -> tuple[str, dict[str, str]]:
    """The column of stacked data whose values are the outcomes' names, and these as there.

    One that has no other values, before one that has.
    """
    wanted = {one.name.casefold() for one in several}
    found: dict[str, dict[str, Scalar]] = {}
    for name in frame.columns:
        head = frame[name].iloc[:1].tolist() if isinstance(name, str) else []
        if head and isinstance(head[0], str):
            levels = {str(level).casefold(): level for level in column_levels(frame, name) or ()}
            if wanted <= set(levels):
                found[name] = levels
    for name in sorted(found, key=lambda name: len(found[name])):
        return name, {one.name: str(found[name][one.name.casefold()]) for one in several}
    raise UnboundError(
        f"No column of the data says which rows are of {', '.join(one.name for one in several)}.",
        missing=("outcome indicator",),
        hint="Give wide data, long data with a column an outcome, or stacked data with a column "
        "that holds these names.",
    )


def _value(frame: pd.DataFrame, outcome: str | None, keys: tuple[str, ...]) -> str:
    """The column of the values in stacked data."""
    import pandas

    if outcome is not None:
        require_columns(frame, [outcome])
        return outcome
    if VALUE in frame.columns:
        return VALUE
    numbers = [
        str(name)
        for name in frame.columns
        if name not in keys and pandas.api.types.is_numeric_dtype(frame[name].dtype)
        if not frame[name].dropna().isin((0, 1)).all()
    ]
    if len(numbers) == 1:
        return numbers[0]
    raise UnboundError(
        "Nothing says which column of the stacked data holds the outcomes' values.",
        missing=("outcome",),
        hint="Name it with outcome= or --outcome.",
    )


def _times(
    several: tuple[OutcomeSeries, ...],
    frame: pd.DataFrame | None,
    keys: tuple[str, str],
    time_values: Sequence[float] | None,
    notes: list[Assumption],
) -> dict[str, tuple[float, ...]]:
    """The times of each outcome that grows, in order of its time scores."""
    growing = [one for one in several if not one.distal]
    if frame is not None:
        made = {}
        for one in growing:
            found, note = observed_times(one.scores, _observed(frame, one.name, keys), keys[0])
            at = dict(found)
            made[one.name] = tuple(at[y] for y, _ in one.scores)
            notes.append(Assumption(f"of {one.name}: {note.what}", note.why))
        return made
    scores = sorted({score for one in growing for _, score in one.scores})
    values: tuple[float, ...] = tuple(scores)
    if time_values is None:
        shown = ", ".join(f"{v:g}" for v in values)
        notes.append(
            Assumption(f"times are {shown}", "the loadings; say otherwise with --time-values")
        )
    else:
        values = tuple(sorted(checked_times(time_values)))
        if len(values) != len(scores):
            raise SpecificationError(
                f"{len(values)} time values for {len(scores)} time scores of "
                f"{', '.join(one.name for one in growing)}.",
                hint="Give one time for each distinct time score, in order.",
            )
    place = dict(zip(scores, values, strict=True))
    return {one.name: tuple(place[score] for _, score in one.scores) for one in growing}


def _observed(frame: pd.DataFrame, name: str, keys: tuple[str, str]) -> tuple[float, ...]:
    rows = frame[(frame[keys[1]] == name).to_numpy()]
    times = numeric_column(rows, keys[0])
    return tuple(float(v) for v in np.unique(times[np.isfinite(times)]))


def _once(
    frame: pd.DataFrame | None,
    one: OutcomeSeries,
    time: str,
    indicator: str,
    growing: Sequence[float],
) -> float:
    """The time at which an outcome that persons have once stands in stacked data."""
    if frame is None:
        return min(growing)
    found = _observed(frame, one.name, (time, indicator))
    if len(found) != 1:
        raise TranslationError(
            f"The data have {one.name} at {len(found)} times, and the model has it once.",
            hint="Give its rows one time, the same for everyone.",
        )
    return found[0]


def stacked_frame(
    model: SemModel, frame: pd.DataFrame, *, id: str, time: str, outcome: str | None
) -> pd.DataFrame:
    """Long data of several outcomes as stacked rows; as they are where they are stacked.

    Parameters
    ----------
    model : SemModel
        A model of several outcomes.
    frame : DataFrame
        Long data: a column an outcome, or stacked.
    id, time : str
        Columns of person and time.
    outcome : str, optional
        What the stacked values are to be called.

    Returns
    -------
    DataFrame
        Stacked rows.
    """
    several = outcome_series(model)
    names = [one.name for one in several]
    if not several or not set(names) <= set(frame.columns):
        return frame
    person = codes(frame, id)[0]
    clock = codes(frame, time)[0]
    pairs = person * (int(clock.max(initial=0)) + 1) + clock
    if len(np.unique(pairs)) < len(pairs):
        return frame
    used = [c for c in model.covariates if c in frame.columns]
    indicator = INDICATOR + ("_" if INDICATOR in used else "")
    value = outcome or VALUE
    dropped = [c for c in (indicator, value) if c in frame.columns and c not in names]
    return stack_columns(
        frame.drop(columns=dropped),
        id=id,
        time=time,
        outcomes=names,
        once=[one.name for one in several if one.distal],
        indicator=indicator,
        value=value,
    )
