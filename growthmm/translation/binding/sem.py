"""Tie a structural equation model to its data, or to the facts given instead of data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from growthmm.data.checks import check_long
from growthmm.data.frames import numeric_column, require_columns
from growthmm.data.names import syntactic
from growthmm.data.roles import classify
from growthmm.errors import (
    DataError,
    NotationError,
    SpecificationError,
    TranslationError,
    UnboundError,
)
from growthmm.model.bound import BoundSem
from growthmm.model.defaults import Assumption
from growthmm.model.expression import variables
from growthmm.model.growth import Covariate
from growthmm.model.schema import Constants, Grouping, Schema, Variable
from growthmm.model.sem import SemModel
from growthmm.translation.binding.covariates import (
    complete,
    wide_covariates,
)
from growthmm.translation.binding.definitions import (
    families_of,
    individual_time,
    named_covariates,
    visits_in_order,
)
from growthmm.translation.binding.groups import schema_with_groups, settled_groups, ungrouped
from growthmm.translation.binding.outcome_covariates import outcome_families
from growthmm.translation.binding.outcomes import outcome_schema
from growthmm.translation.binding.resolved_covariates import resolved_covariates
from growthmm.translation.binding.time_scores import (
    checked_times,
    common_stem,
    observed_times,
    time_scores,
)
from growthmm.translation.binding.visits import by_row
from growthmm.translation.clusters import cluster_of, of_two_levels
from growthmm.translation.from_sem import growth_from_sem
from growthmm.translation.lagged import with_lags
from growthmm.translation.levels_from_sem import flattened
from growthmm.translation.outcomes.series import outcome_series
from growthmm.translation.reduction import reduced
from growthmm.translation.second_order import refuse_second_order
from growthmm.translation.tabulate import at_occasions, tabulated

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["bind_sem", "sem_schema"]

Layout = Literal["long", "wide"]


Said = tuple[Layout, str | None, str | None, str | None, Sequence[float] | None, Schema | None]
"""What users said: layout, person, time, outcome, times, and the schema."""


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
    model, _ = settled_groups(model, frame, known)
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
    if model.n_levels > 1:
        cluster = cluster_of(model, known)
        schema, covariates, notes = sem_schema(
            flattened(model, strict=False).model,
            frame,
            layout=layout,
            id=id,
            time=time,
            outcome=outcome,
            time_values=time_values,
            known=known,
        )
        return of_two_levels(model, schema, covariates, cluster), covariates, notes
    refuse_second_order(model)
    model, grouping = settled_groups(model, frame, known)
    said = (layout, id, time, outcome, time_values, known)
    if grouping is not None:
        return _grouped_schema(model, grouping, frame, said)
    return _one_group(reduced(model).model, frame, said)


def _grouped_schema(
    model: SemModel, grouping: Grouping, frame: pd.DataFrame | None, said: Said
) -> tuple[Schema, tuple[Covariate, ...], tuple[Assumption, ...]]:
    """The facts of a model of several groups: those of one of them, and the groups."""
    layout, id, time, outcome, time_values, known = said
    single, named = ungrouped(model)
    if layout == "wide" and frame is not None and named:
        # Columns stand for other times in each group, and have no name for all.
        require_columns(frame, [*model.outcomes, *model.covariates])
        frame = None
    stem = common_stem(model.outcomes) if named and outcome is None else None
    found, covariates, assumed = _one_group(
        reduced(single).model, frame, (layout, id, time, outcome or stem, time_values, known)
    )
    if stem is not None:
        shared = f"what {', '.join(model.outcomes)} have in common"
        assumed = (Assumption(f"the outcome is {stem}", shared), *assumed)
    return schema_with_groups(found, grouping, named), covariates, assumed


def _one_group(
    model: SemModel, frame: pd.DataFrame | None, said: Said
) -> tuple[Schema, tuple[Covariate, ...], tuple[Assumption, ...]]:
    """The facts of a model of one group that is written as a growth curve."""
    layout, id, time, outcome, time_values, known = said
    several = outcome_series(model)
    long = frame if layout == "long" and known is None else None
    varying = None if several else individual_time(model, known, time, long)
    time = varying or time
    scores: tuple[tuple[str, float], ...] = ()
    if not several:
        by_visit = tuple((y, 0.0) for y in visits_in_order(model)) if varying else ()
        scores = by_visit or time_scores(model)
    notes = [
        Assumption(d.what + " = " + d.value, d.rule)
        for d in model.defaults
        if d.what == "function" and model.function == "growth" and model.notation == "lavaan"
    ]
    if known is not None:
        id, time, outcome = known.person, known.time, known.outcome
    elif long is not None:
        _require_keys(long, id, time)
    elif frame is not None:
        definitions = [p.definition for p in model.paths if p.definition is not None]
        own = [name for name, _ in scores] if not several else list(model.outcomes)
        require_columns(frame, [*own, *definitions])
    if several:
        schema, more = outcome_schema(
            several,
            long,
            id=id,
            time=time,
            outcome=outcome,
            time_values=time_values,
            known=known,
            covariates=model.covariates,
        )
        families = outcome_families(model, schema)
        notes += more
        if long is not None or known is not None:
            return resolved_covariates(model, schema, families, long, tuple(notes))
        return _of_wide(model, schema, families, frame, tuple(notes))
    if outcome is None:
        outcome = _outcome(scores, long, notes)
    person = id or "person"
    if id is None:
        notes.append(Assumption("the person is called person", "rows of wide data; --id names it"))
    time = time or "time"
    if long is not None:
        for name in _outcome_variables(outcome, long):
            check_long(long, id=person, time=time, outcome=name, wide_form=True)
    if varying:
        why = "loadings that differ from person to person stand in its columns"
        notes.append(Assumption(f"{time} varies individually", why))
        times: tuple[tuple[str, float], ...] = ()
    else:
        times = _times(scores, time_values, time, _observed(long, time, outcome, known), notes)
    columns, occasions = tuple(y for y, _ in times or scores), tuple(t for _, t in times)
    schema = Schema(
        person, time, outcome, occasions, outcome_columns=columns, shared_times=not varying
    )
    families = families_of(model, columns)
    if known is not None:
        schema = replace(
            schema,
            variables=by_row(known.variables) if varying else known.variables,
            constants=known.constants if varying else at_occasions(known, occasions),
            contrasts=known.contrasts,
            computed_columns=known.computed_columns,
            lagged=known.lagged,
        )
        return resolved_covariates(model, schema, families, None, tuple(notes))
    if long is not None:
        columns_, constants = _long_variables(long, person, time, outcome, occasions)
        if varying:
            columns_, constants = by_row(columns_), ()
        schema = replace(schema, variables=columns_, constants=constants)
        return resolved_covariates(model, schema, families, long, tuple(notes))
    return _of_wide(model, schema, families, frame, tuple(notes))


def _of_wide(
    model: SemModel,
    schema: Schema,
    families: tuple[tuple[str | None, tuple[str, ...]], ...],
    frame: pd.DataFrame | None,
    notes: tuple[Assumption, ...],
) -> tuple[Schema, tuple[Covariate, ...], tuple[Assumption, ...]]:
    """Covariates of wide data, or of none."""
    schema = with_lags(schema, families)
    if frame is not None and schema.shared_times:
        return wide_covariates(model, schema, families, frame, notes)
    if frame is not None:
        require_columns(frame, model.covariates)
    roles, covariates, read = named_covariates(families, schema)
    variables_ = (*schema.variables, *roles)
    return complete(schema, variables_, covariates), covariates, (*notes, *read)


def _require_keys(frame: pd.DataFrame, id: str | None, time: str | None) -> None:
    missing = [
        (name, what)
        for name, given, what in (("id", id, "the person"), ("time", time, "time"))
        if given is None
    ]
    if missing:
        raise UnboundError(
            "A structural equation model does not say which long column is "
            + ", nor which is ".join(what for _, what in missing)
            + ".",
            missing=tuple(name for name, _ in missing),
            hint="Give " + " and ".join(f"{name}= or --{name}" for name, _ in missing) + ".",
        )
    require_columns(frame, [name for name in (id, time) if name is not None])


def _outcome(
    scores: Sequence[tuple[str, float]], frame: pd.DataFrame | None, notes: list[Assumption]
) -> str:
    """What the outcomes' names share; a column of long data, where there are any."""
    columns = [name for name, _ in scores]
    stem = common_stem(columns)
    if stem is not None and frame is not None and stem not in frame.columns:
        # Wide columns of a name that SEM notations do not accept have one that they do.
        alike = [str(c) for c in frame.columns if syntactic(str(c)) == stem]
        stem = alike[0] if len(alike) == 1 else None
    if stem is None:
        raise UnboundError(
            f"The outcomes {', '.join(columns)} share no name that could be the long outcome.",
            missing=("outcome",),
            hint="Give the long outcome's name as outcome= or --outcome.",
        )
    notes.append(Assumption(f"the outcome is {stem}", f"what {', '.join(columns)} have in common"))
    return stem


def _outcome_variables(outcome: str, frame: pd.DataFrame) -> tuple[str, ...]:
    """The outcome's column, or those of the function that it was said to be."""
    if outcome in frame.columns:
        return (outcome,)
    try:
        found = variables(outcome)
    except NotationError:
        found = ()
    return found if found and all(name in frame.columns for name in found) else (outcome,)


def _observed(
    frame: pd.DataFrame | None, time: str, outcome: str, known: Schema | None
) -> tuple[float, ...] | None:
    """The times at which the outcome was observed, where that is known."""
    if known is not None:
        return known.occasions
    if frame is None:
        return None
    times = numeric_column(frame, time)
    seen = np.isfinite(times)
    for name in _outcome_variables(outcome, frame):
        seen &= np.isfinite(numeric_column(frame, name))
    return tuple(float(v) for v in np.unique(times[seen]))


def _times(
    scores: tuple[tuple[str, float], ...],
    time_values: Sequence[float] | None,
    time: str,
    observed: tuple[float, ...] | None,
    notes: list[Assumption],
) -> tuple[tuple[str, float], ...]:
    """Each outcome with its time, ascending."""
    if time_values is None and observed is not None:
        found, note = observed_times(scores, observed, time)
        notes.append(note)
    else:
        values = _given_times(scores, time_values)
        found = tuple((y, t) for (y, _), t in zip(scores, values, strict=True))
        if time_values is None:
            shown = ", ".join(f"{v:g}" for v in values)
            notes.append(
                Assumption(f"times are {shown}", "the loadings; say otherwise with --time-values")
            )
        strange = [v for v in values if observed is not None and v not in observed]
        if strange and observed is not None:
            raise TranslationError(
                f"The data have no {time} {', '.join(f'{v:g}' for v in strange)}; they have "
                f"{', '.join(f'{v:g}' for v in observed[:12])}.",
                hint="Give times that occur in the data.",
            )
    return tuple(sorted(found, key=lambda pair: pair[1]))


def _given_times(
    scores: tuple[tuple[str, float], ...], time_values: Sequence[float] | None
) -> tuple[float, ...]:
    if time_values is None:
        return tuple(score for _, score in scores)
    time_values = checked_times(time_values)
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
    keys = (person, time, outcome)
    others = [name for name in frame.columns if isinstance(name, str) and name not in keys]
    try:
        found = classify(frame, id=person, time=time, names=others)
    except DataError:
        # A column that can't be read is no covariate; the others may be.
        found = tuple(v for name in others for v in _readable(frame, person, time, name))
    found = tuple(v for v in found if v.role != "time_function" or _numbers_or_levels(frame, v))
    return found, tabulated(frame, time, found, occasions)


def _readable(frame: pd.DataFrame, person: str, time: str, name: str) -> tuple[Variable, ...]:
    try:
        return classify(frame, id=person, time=time, names=[name])
    except DataError:
        return ()


def _numbers_or_levels(frame: pd.DataFrame, variable: Variable) -> bool:
    """Whether a column can be a term: dates, for one, cannot."""
    if variable.levels is not None:
        return True
    try:
        numeric_column(frame, variable.name)
    except DataError:
        return False
    return True
