"""Tie a structural equation model to its data, or to the facts given instead of data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from growthmm.data.frames import numeric_column, require_columns
from growthmm.data.roles import classify
from growthmm.errors import SpecificationError, UnboundError
from growthmm.model.bound import BoundSem
from growthmm.model.defaults import Assumption
from growthmm.model.growth import Covariate
from growthmm.model.schema import Column, Constants, Schema, Variable
from growthmm.model.sem import SemModel
from growthmm.translation.covariates import covariate_families, dummy_column, plain_column
from growthmm.translation.from_sem import growth_from_sem
from growthmm.translation.tabulate import TABULATED, part_variables
from growthmm.translation.time_scores import common_stem, match_times, time_scores

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["bind_sem", "sem_schema"]

Layout = Literal["long", "wide"]


def bind_sem(
    model: SemModel,
    frame: pd.DataFrame | None = None,
    *,
    layout: Layout = "wide",
    id: str | None = None,
    time: str | None = None,
    outcome: str | None = None,
    time_values: Sequence[float] | None = None,
    known: Schema | None = None,
) -> BoundSem:
    """Tie a structural equation model to data and recognise its growth structure.

    Parameters
    ----------
    model : SemModel
        Any model; it must be a growth model.
    frame : DataFrame, optional
        Its data; None where all facts are given.
    layout : {"long", "wide"}
        Whether the frame has a row a person and occasion, or a row a person.
    id, time, outcome : str, optional
        Names of the person, time and outcome columns of the long form.
    time_values : sequence of float, optional
        The time of each growth outcome, in order of their time scores.
    known : Schema, optional
        Facts known already; wins over the data.

    Returns
    -------
    BoundSem
        With its growth model.

    Raises
    ------
    UnsupportedError
        If it is no growth model that a mixed model can say.
    TranslationError, DataError
        If the data do not fit it.
    """
    schema, covariates, assumptions = sem_schema(
        model,
        frame,
        layout=layout,
        id=id,
        time=time,
        outcome=outcome,
        time_values=time_values,
        known=known,
    )
    return growth_from_sem(model, schema, covariates, assumptions)


def sem_schema(
    model: SemModel,
    frame: pd.DataFrame | None,
    *,
    layout: Layout,
    id: str | None,
    time: str | None,
    outcome: str | None,
    time_values: Sequence[float] | None,
    known: Schema | None,
) -> tuple[Schema, tuple[Covariate, ...], tuple[Assumption, ...]]:
    """The facts of a structural equation model's data (see :func:`bind_sem`)."""
    scores = time_scores(model)
    columns = tuple(name for name, _ in scores)
    families = covariate_families(model, columns)
    notes: list[Assumption] = []
    if model.function == "growth" and model.notation == "lavaan":
        notes += [
            Assumption(d.what + " = " + d.value, d.rule)
            for d in model.defaults
            if d.what == "function"
        ]
    if known is not None:
        time, id, outcome = known.time, known.person, known.outcome
        occasions = known.occasions
    elif frame is not None and layout == "long":
        if id is None:
            raise UnboundError(
                "A structural equation model does not say which long column is the person.",
                missing=("id",),
                hint="Give it as id= or --id.",
            )
        if time is None:
            raise UnboundError(
                "A structural equation model does not say which long column is time.",
                missing=("time",),
                hint="Give it as time= or --time.",
            )
        require_columns(frame, [id, time])
        observed = np.unique(numeric_column(frame, time))
        observed = observed[np.isfinite(observed)]
        occasions, note = match_times(
            tuple(v for _, v in scores), tuple(float(v) for v in observed), time
        )
        notes.append(note)
    else:
        if frame is not None:
            require_columns(frame, [*columns, *model.covariates])
        occasions = _given_times(scores, time_values)
        if time_values is None:
            notes.append(
                Assumption(
                    "times are " + ", ".join(f"{v:g}" for v in occasions),
                    "the loadings; say otherwise with --time-values",
                )
            )
    if outcome is None:
        outcome = common_stem(columns)
        in_frame = frame is not None and layout == "long"
        if outcome is None or (in_frame and outcome not in frame.columns):  # type: ignore[union-attr]
            raise UnboundError(
                f"The outcomes {', '.join(columns)} share no name that could be the long outcome.",
                missing=("outcome",),
                hint="Give the long outcome's name as outcome= or --outcome.",
            )
        notes.append(
            Assumption(f"the outcome is {outcome}", f"what {', '.join(columns)} have in common")
        )
    person = id or "person"
    if id is None:
        notes.append(Assumption("the person is called person", "rows of wide data; --id names it"))
    time = time or "time"
    variables: tuple[Variable, ...] = ()
    constants: tuple[Constants, ...] = ()
    if known is not None:
        variables, constants = known.variables, known.constants
    elif frame is not None and layout == "long":
        variables, constants = _long_variables(frame, person, time, outcome, occasions)
    covariates = tuple(
        _covariate(stem, family, variables, plain=frame is None or layout == "wide")
        for stem, family in families
    )
    if known is None:
        variables = _used_variables(covariates, variables)
    schema = Schema(
        person=person,
        time=time,
        outcome=outcome,
        occasions=tuple(float(v) for v in occasions),
        variables=variables,
        constants=constants,
        outcome_columns=columns,
        varying_columns=tuple((c.name, c.columns) for c in covariates if c.time_varying),
    )
    if known is not None:
        schema = replace(schema, contrasts=known.contrasts)
    return schema, covariates, tuple(notes)


def _given_times(
    scores: tuple[tuple[str, float], ...], time_values: Sequence[float] | None
) -> tuple[float, ...]:
    if time_values is None:
        return tuple(score for _, score in scores)
    if len(time_values) != len(scores):
        raise SpecificationError(
            f"{len(time_values)} time values for {len(scores)} outcomes "
            f"({', '.join(name for name, _ in scores)}).",
            hint="Give one time for each outcome, in order of their time scores.",
        )
    if len(set(time_values)) < len(time_values):
        raise SpecificationError(
            "Two outcomes have the same time: " + ", ".join(f"{v:g}" for v in time_values) + ".",
            hint="Give each outcome a time of its own.",
        )
    return tuple(float(v) for v in time_values)


def _long_variables(
    frame: pd.DataFrame, person: str, time: str, outcome: str, occasions: Sequence[float]
) -> tuple[tuple[Variable, ...], tuple[Constants, ...]]:
    others = [str(name) for name in frame.columns if name not in (person, time, outcome)]
    variables = classify(frame, id=person, time=time, names=others)
    constants = []
    for variable in variables:
        if variable.role == "time_function" and variable.levels is None:
            table = frame[[time, variable.name]].dropna().drop_duplicates(time).set_index(time)
            if all(v in table.index for v in occasions):
                values = tuple(float(table.loc[v, variable.name]) for v in occasions)
                constants.append(Constants(variable.name, ((TABULATED, values),)))
    return variables, tuple(constants)


def _covariate(
    stem: str | None,
    columns: tuple[str, ...],
    variables: Sequence[Variable],
    *,
    plain: bool,
) -> Covariate:
    if stem is not None:
        return Covariate(stem, plain_column(stem), True, columns)
    name = columns[0]
    if plain and not variables:
        return Covariate(name, plain_column(name), False, columns)
    if any(variable.name == name for variable in variables):
        return Covariate(name, plain_column(name), False, columns)
    column = dummy_column(name, variables)
    return Covariate(name, column if column is not None else plain_column(name), False, columns)


def _used_variables(
    covariates: Sequence[Covariate], variables: tuple[Variable, ...]
) -> tuple[Variable, ...]:
    known = {variable.name: variable for variable in variables}
    used: dict[str, Variable] = {}
    for covariate in covariates:
        for name in _column_variables(covariate.column):
            role = "time_varying" if covariate.time_varying else "person_level"
            used[name] = known.get(name) or Variable(name, role)  # type: ignore[arg-type]
    for variable in variables:
        if variable.role == "time_function":
            used.setdefault(variable.name, variable)
    return tuple(used.values())


def _column_variables(column: Column) -> tuple[str, ...]:
    return tuple(name for part in column.parts for name in part_variables(part))
