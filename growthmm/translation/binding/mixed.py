"""Tie a mixed model to its data, or to the facts given instead of data."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from growthmm.data.checks import check_long
from growthmm.data.design.binding import bind_columns
from growthmm.data.frames import codes, numeric_column, require_columns
from growthmm.data.keys import refuse_missing
from growthmm.data.levels import column_levels
from growthmm.data.names import wide_columns
from growthmm.data.roles import classify, find_person, find_time
from growthmm.data.time_search import (
    identifying_columns,
    refuse_text_among_numbers,
    varying_numbers,
)
from growthmm.errors import (
    SpecificationError,
    UnboundError,
    UnsupportedError,
)
from growthmm.model.bound import BoundMixed, RandomColumns
from growthmm.model.defaults import Assumption, Loss
from growthmm.model.expression import quote, variables
from growthmm.model.factor_pattern import Pattern, pattern_of
from growthmm.model.mixed import MixedModel, RandomBlock
from growthmm.model.occasions import distinct_numbers
from growthmm.model.schema import Column, Constants, Schema, Variable
from growthmm.translation.binding.facts import (
    model_variables,
    response_column,
    schema_from_facts,
    slope_variables,
)
from growthmm.translation.binding.stacked import (
    at_own_times,
    stacked_residual,
    stacked_schema,
    stacking,
)
from growthmm.translation.binding.visits import at_individual_times, by_row, visits_of, with_visits
from growthmm.translation.clusters import grouping, with_clusters
from growthmm.translation.groups.grouping import with_grouping
from growthmm.translation.residuals.roles import by_time, settled
from growthmm.translation.states import person_effects, states_of, with_states
from growthmm.translation.tabulate import tabulated

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["bind_mixed", "model_variables"]


def bind_mixed(
    model: MixedModel,
    frame: pd.DataFrame | None = None,
    *,
    id: str | None = None,
    time: str | None = None,
    time_values: Sequence[float] | None = None,
    known: Schema | None = None,
    wide_form: bool = True,
) -> BoundMixed:
    """Fix a mixed model's roles, levels, occasions and basis constants.

    Parameters
    ----------
    model : MixedModel
        The model as text says it.
    frame : DataFrame, optional
        Long data; None where all facts are given.
    id, time : str, optional
        Columns of person and time where the model does not say.
    time_values : sequence of float, optional
        The occasions, where there are no data.
    known : Schema, optional
        Facts known already; they win over the data.
    wide_form : bool
        Whether time, occasions and roles are needed (to translate), or only columns (to fit).

    Returns
    -------
    BoundMixed
        The bound model.

    Raises
    ------
    UnboundError
        If facts are missing, by name.
    DataError
        If the data do not fit the model.
    """
    if id is None and known is not None and not model.groups:
        id = known.person
    known = at_individual_times(known)
    if wide_form:
        own = states_of(model, frame, id, time or (known.time if known is not None else None))
        if own is not None:
            effects = person_effects(model, own)
            bound = bind_mixed(
                effects, frame, id=own.person, time=own.time, time_values=time_values, known=known
            )
            return with_states(bound, model, own)
    groups = grouping(model, frame, id, known, wide_form=wide_form)
    person = groups.person if groups is not None else _person(model, frame, id)
    _refuse_outcome_as_covariate(model)
    _refuse_random_curves(model)
    model = settled(model, frame, person)
    if frame is None:
        schema, notes = schema_from_facts(model, person, time, time_values, known)
    elif known is not None:
        schema, notes = known, []
    else:
        schema, notes = _schema_from_data(model, frame, person, time, wide_form=wide_form)
    schema = with_clusters(schema, groups, frame)
    if schema.series and schema.time is not None:
        model = stacked_residual(model, schema.time)
    bound = _columns(by_time(model, schema.time), frame, schema, tuple(notes))
    return with_grouping(bound, frame) if wide_form else bound


def _person(model: MixedModel, frame: pd.DataFrame | None, id: str | None) -> str:
    if id is None:
        group = find_person(model, frame)
        names = variables(group)
        if len(names) != 1 or group != quote(names[0]):
            raise UnsupportedError(
                f"The grouping factor {group} is no single column.",
                losses=[
                    Loss(
                        group,
                        "persons are identified by one column",
                        "a column that holds the combination",
                    )
                ],
            )
        return names[0]
    groups = {name for group in model.groups for name in variables(group)}
    if model.groups and id not in groups:
        raise SpecificationError(
            f"The person column {id!r} is not the model's grouping factor "
            f"({', '.join(model.groups)}).",
            hint="Leave id out, or write the formula with (... | " + id + ").",
        )
    return id


def _refuse_outcome_as_covariate(model: MixedModel) -> None:
    both = [name for name in variables(model.response) if name in model_variables(model)]
    if both:
        raise SpecificationError(
            f"The outcome {both[0]} stands on the right-hand side too.",
            hint="For the value at an earlier occasion, make a column that holds it.",
        )


def _refuse_random_curves(model: MixedModel) -> None:
    """Persons that differ in a parameter of a curve have no Gaussian likelihood in closed form."""
    parameters = {quote(name) for name in model.loading_names}
    random = [t for block in model.random for t in block.terms if set(t.factors) & parameters]
    if random:
        raise UnsupportedError(
            f"The random effects of {', '.join(map(str, random))} enter the model nonlinearly.",
            losses=[
                Loss(
                    f"random effect of {term}",
                    "its likelihood is an integral without closed form, and programs approximate "
                    "it differently: a structural equation model by a first-order Taylor expansion "
                    "(structured latent curve), nlme by its own linearisation at the predicted "
                    "effects; the two are not the same model",
                    f"{term} the same for everyone: leave it out of the random effects",
                )
                for term in random
            ],
            hint="Give each program its own approximation; growthmm translates neither.",
        )


def _schema_from_data(
    model: MixedModel, frame: pd.DataFrame, person: str, time: str | None, *, wide_form: bool
) -> tuple[Schema, list[Assumption]]:
    names = model_variables(model)
    response = variables(model.response)
    require_columns(frame, [*response, *names, person])
    if time is not None and time in (*response, person):
        role = "person" if time == person else "outcome"
        raise SpecificationError(
            f"The column {time!r} is named as time, and it is the {role}.",
            hint="Name the column of times.",
        )
    _refuse_person_as_term(frame, person, names)
    refuse_text_among_numbers(frame, slope_variables(model))
    residual = model.residual
    needs_time = wide_form or residual.crossed or residual.kind not in ("common", "by_group")
    stacked = stacking(model, frame, person, time) if needs_time else None
    notes: list[Assumption] = []
    twice = False
    if stacked is not None:
        time, indicator, found = stacked
        if not at_own_times(frame, person, time, indicator):
            return stacked_schema(model, frame, person, time, indicator), list(found)
        # Every row is a visit; whose value it holds is a covariate that differs by visit.
        notes, twice = list(found), True
    if time is None and needs_time:
        time = _find_time(model, frame, person)
        notes.append(
            Assumption(
                f"time is {time}", f"with {person} it identifies rows; --time says otherwise"
            )
        )
    outcome = response_column(model)
    if time is not None:
        require_columns(frame, [time])
    for name in response:
        check_long(frame, id=person, time=time, outcome=name, wide_form=wide_form and not twice)
    if wide_form:
        assert time is not None
        return _wide_schema(names, response, frame, Schema(person, time, outcome), twice), notes
    if time is None:
        _refuse_missing_time(model, frame, person, names)
    # Roles matter to translation only; that a variable varies assumes nothing of it.
    variables_ = tuple(
        Variable(name, "time_varying", column_levels(frame, name))
        for name in _others(names, person, time)
    )
    return Schema(person, time, outcome, _occasions(frame, time, response), variables_), notes


def _wide_schema(
    names: Sequence[str],
    response: tuple[str, ...],
    frame: pd.DataFrame,
    keys: Schema,
    twice: bool,
) -> Schema:
    """The schema of data that are to have a wide form, by occasion or else by visit.

    `twice` where a person has several rows at one time.
    """
    person, time, outcome = keys.person, keys.time, keys.outcome
    assert time is not None
    roles = classify(frame, id=person, time=time, names=_others(names, person, time))
    occasions = _occasions(frame, time, response)
    varying = [v.name for v in roles if v.role == "time_varying" and v.levels is None]
    stem = outcome if outcome in frame.columns else "outcome"
    if twice or not _shared(frame, person, len(occasions)):
        longest, span = visits_of(frame, person, time, response)
        schema = replace(keys, variables=by_row(roles), shared_times=False, time_range=span)
        return with_visits(schema, stem, longest)
    among = [stem, *varying]
    return replace(
        keys,
        occasions=occasions,
        variables=roles,
        constants=tabulated(frame, time, roles, occasions),
        outcome_columns=wide_columns(stem, occasions, among=among),
        varying_columns=tuple((n, wide_columns(n, occasions, among=among)) for n in varying),
    )


def _refuse_person_as_term(frame: pd.DataFrame, person: str, names: Sequence[str]) -> None:
    if person in names and not np.issubdtype(np.asarray(frame[person]).dtype, np.number):
        raise SpecificationError(
            f"The person column {person!r} is also a term of the model.",
            hint="Leave the term out: persons differ by their random effects.",
        )


def _refuse_missing_time(
    model: MixedModel, frame: pd.DataFrame, person: str, names: Sequence[str]
) -> None:
    """Refuse rows without a time where the formula shows which variable is time."""
    gaps = [name for name in names if _has_gaps(frame[name])]
    if not gaps:
        return
    try:
        time = find_time(model, frame, person)
    except UnboundError:
        return
    if time in gaps:
        refuse_missing(frame, time)


def _has_gaps(column: pd.Series[Any]) -> bool:
    dtype = column.dtype
    if isinstance(dtype, np.dtype) and dtype.kind in "iubf":
        return dtype.kind == "f" and bool(np.isnan(column.to_numpy()).any())
    return bool(column.hasnans)


def _others(names: Iterable[str], person: str, time: str | None) -> list[str]:
    return [name for name in names if name not in (person, time)]


def _find_time(model: MixedModel, frame: pd.DataFrame, person: str) -> str:
    try:
        return find_time(model, frame, person)
    except UnboundError:
        # Rows that stand twice make every candidate fail; the variable with a random slope, or
        # the only one that changes, is still what was meant, and the check that follows names
        # the rows.
        meant = varying_numbers(frame, person, slope_variables(model))
        if not meant and not identifying_columns(frame, person, variables(model.response)):
            meant = varying_numbers(frame, person, model_variables(model))
        if len(meant) == 1:
            return meant[0]
        raise


def _occasions(
    frame: pd.DataFrame, time: str | None, response: tuple[str, ...]
) -> tuple[float, ...]:
    """Times at which the outcome was ever observed."""
    if time is None:
        return ()
    values = numeric_column(frame, time)
    keep = np.isfinite(values)
    for name in response:
        keep &= np.isfinite(numeric_column(frame, name))
    return tuple(float(v) for v in distinct_numbers(values if keep.all() else values[keep]))


def _shared(frame: pd.DataFrame, person: str, n_occasions: int) -> bool:
    """Whether occasions are shared: few distinct times for the number of rows a person has."""
    numbered, labels = codes(frame, person)
    longest = int(np.bincount(numbered[numbered >= 0], minlength=len(labels)).max(initial=0))
    return n_occasions <= 3 * longest + 10 and len(numbered) >= 2 * n_occasions


def _columns(
    model: MixedModel, frame: pd.DataFrame | None, schema: Schema, notes: tuple[Assumption, ...]
) -> BoundMixed:
    """Encode every term; levels and constants found on the way are kept in the schema."""
    bound = bind_columns(model.fixed, frame, known=schema)
    schema = _learn(schema, bound.levels, bound.constants)
    random: list[RandomColumns] = []
    for block in model.random:
        pieces = [block.terms] if block.covariance != "by_term" else [(t,) for t in block.terms]
        for terms in pieces:
            found = bind_columns(terms, frame, known=schema)
            schema = _learn(schema, found.levels, found.constants)
            diagonal = block.covariance == "diagonal"
            outer = schema.cluster is not None and block.group == quote(schema.cluster)
            pattern = _pattern(block, found.columns)
            random.append(RandomColumns(found.columns, diagonal, pattern, outer))
    return BoundMixed(model, schema, bound.columns, tuple(random), notes)


def _pattern(block: RandomBlock, columns: tuple[Column, ...]) -> Pattern:
    """The covariance matrix of a block's columns where entries are equal or held."""
    if block.covariance != "patterned":
        return pattern_of(block.covariance, len(columns))
    if len(block.pattern) != len(columns):
        raise SpecificationError(
            f"The pattern of the random effects of {block.group} has {len(block.pattern)} rows, "
            f"and they have {len(columns)} columns.",
            hint="Write a row for each column.",
        )
    return block.pattern


def _learn(
    schema: Schema,
    levels: tuple[tuple[str, tuple[str | float | int | bool, ...]], ...],
    constants: tuple[Constants, ...],
) -> Schema:
    kept = {c.expression: c for c in schema.constants} | {c.expression: c for c in constants}
    by_name = dict(levels)
    variables_ = tuple(
        replace(v, levels=by_name[v.name]) if v.name in by_name else v for v in schema.variables
    )
    return replace(schema, variables=variables_, constants=tuple(kept.values()))
