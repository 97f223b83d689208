"""From bound models and data frames to the arrays that engines take."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from growthmm.data.design.evaluation import evaluate, factored
from growthmm.data.frames import codes, numeric_column, require_columns
from growthmm.data.stacked import row_cells
from growthmm.data.visits import visit_numbers
from growthmm.engines.groups import (
    group_columns,
    residual_strata,
    rows_of_groups,
    scattered_groups,
    series_of,
)
from growthmm.engines.long.design import Design
from growthmm.engines.long.problem import LongProblem, RandomEffects
from growthmm.engines.prepare_clusters import (
    clusters_named,
    clusters_of_persons,
    clusters_of_rows,
    clusters_of_wide_rows,
    group_name,
    numbered_persons,
)
from growthmm.engines.prepare_curves import CurvedColumns, curved_columns
from growthmm.engines.wide.problem import WideGroup, WideProblem
from growthmm.errors import DataError, TooFewSubjectsError, ValueColumnError
from growthmm.model.bound import BoundMixed, BoundSem, block_names
from growthmm.model.expression import quote, variables
from growthmm.model.growth import Covariate
from growthmm.model.occasions import distinct_numbers, places
from growthmm.model.schema import Column, ColumnPart, Schema
from growthmm.model.sem import SemModel
from growthmm.model.terms import Term
from growthmm.notation import notation
from growthmm.rendering import Brief

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "LongData",
    "WideData",
    "long_data",
    "outcome_values",
    "scatter_data",
    "sem_data",
    "wide_data",
]

FloatArray = NDArray[np.float64]

GLANCE = 1024
"""Rows that are looked at before all are."""


@dataclass(frozen=True, repr=False)
class LongData(Brief):
    """A long problem and where its rows came from.

    Parameters
    ----------
    problem : LongProblem
        The arrays.
    subjects : Index
        The persons' identifiers, in the order of the codes.
    kept : (n_rows,) ndarray of int, optional
        Positions in the frame of the rows used; None where all are.
    bound : BoundMixed, optional
        The model whose columns were evaluated.
    """

    problem: LongProblem
    subjects: pd.Index[Any]
    kept: NDArray[np.intp] | None = None
    bound: BoundMixed | None = None

    @property
    def rows(self) -> NDArray[np.intp]:
        """Positions in the frame of the rows used."""
        return np.arange(len(self.problem.outcome)) if self.kept is None else self.kept


@dataclass(frozen=True, repr=False)
class WideData(Brief):
    """A wide problem and the persons in its rows.

    Parameters
    ----------
    problem : WideProblem
        The arrays.
    subjects : ndarray
        The persons' identifiers, in the order of the rows.
    """

    problem: WideProblem
    subjects: NDArray[Any] | pd.Index[Any]


def long_data(bound: BoundMixed, frame: pd.DataFrame) -> LongData:
    """Evaluate a bound mixed model's columns and drop rows with a missing value among them.

    Parameters
    ----------
    bound : BoundMixed
        The model; its residual structure may need time.
    frame : DataFrame
        Long data.

    Returns
    -------
    LongData
        The arrays, rows in the frame's order.

    Raises
    ------
    DataError
        If columns are absent or hold values that cannot be used, or no row is complete.
    """
    schema, whole = bound.schema, bound
    curved: CurvedColumns | None = None
    if bound.model.loading_parameters:
        bound, curved = curved_columns(bound, frame)
    outcome = _outcome(bound, frame)
    random_columns = tuple(column for block in bound.random for column in block.columns)
    factors, (fixed, random) = factored((bound.fixed, random_columns), frame, schema)
    person, labels = numbered_persons(schema, frame)
    occasion, occasions = _occasions(bound, frame)
    strata, strata_names = residual_strata(bound, frame)
    cluster = clusters_of_rows(bound, frame)
    needed = (outcome, *factors, *(curved.variables if curved is not None else ()))
    keep = _complete_rows(needed, (person, occasion, strata, cluster))
    rows: NDArray[np.intp] | None = None
    if keep is not None:
        rows = np.flatnonzero(keep)
        if not len(rows):
            raise DataError(
                f"No row of the data has {schema.outcome} and every variable of the model.",
                hint="Look at the missing values of the outcome and the covariates.",
            )
        outcome, factors = outcome[rows], [factor[rows] for factor in factors]
        occasion = None if occasion is None else occasion[rows]
        strata = None if strata is None else strata[rows]
        cluster = None if cluster is None else cluster[rows]
        person, labels = _used(person[rows], labels)
    n_rows = len(outcome)
    if len(labels) < 2:
        raise TooFewSubjectsError(
            f"{len(labels)} person has data in the columns of the model.",
            hint="A growth model needs at least two persons.",
        )
    spell = notation(bound.model.notation).coefficient
    blocks, start = [], 0
    for block in whole.random:
        stop = start + len(block.columns)
        names = tuple(spell(column) for column in block.columns)
        group = (schema.cluster or "") if block.outer else group_name(schema)
        pattern = None
        if block.pattern:
            pattern = block_names(block, block.pattern, names, group, schema)
        columns = tuple(range(start, stop))
        blocks.append(RandomEffects(names, columns, block.diagonal, pattern, block.outer))
        start = stop
    problem = LongProblem(
        outcome=outcome,
        fixed=Design(n_rows, factors, fixed),
        fixed_names=tuple(spell(column) for column in whole.fixed),
        random=Design(n_rows, factors, random),
        blocks=tuple(blocks),
        subject=person,
        n_subjects=len(labels),
        group=group_name(schema),
        occasion=np.broadcast_to(np.intp(0), n_rows) if occasion is None else occasion,
        occasions=occasions,
        residual=bound.model.residual,
        strata=strata,
        strata_names=strata_names,
        loadings=None if curved is None else curved.loadings(rows),
        clusters=clusters_named(cluster, schema),
        series=series_of(bound),
    )
    return LongData(problem, labels, rows, whole)


def _outcome(bound: BoundMixed, frame: pd.DataFrame) -> FloatArray:
    response = bound.model.response
    if response == quote(variables(response)[0]):
        return numeric_column(frame, variables(response)[0])
    for name in variables(response):
        numeric_column(frame, name)
    column = Column(Term((response,)), (ColumnPart(response),))
    return np.ascontiguousarray(evaluate((column,), frame, bound.schema)[:, 0])


def _complete_rows(
    values: Iterable[NDArray[Any]], codes: Iterable[NDArray[Any] | None]
) -> NDArray[np.bool_] | None:
    """Rows in which nothing is missing; None where that is all of them."""
    keep: NDArray[np.bool_] | None = None
    for array in values:
        if array.dtype.kind == "f":
            good = np.isfinite(array)
            if not good.all():
                keep = good if keep is None else keep & good
    for numbered in codes:
        if numbered is not None and int(numbered.min(initial=0)) < 0:
            good = numbered >= 0
            keep = good if keep is None else keep & good
    return keep


def _used(
    person: NDArray[np.integer[Any]], labels: pd.Index[Any]
) -> tuple[NDArray[np.integer[Any]], pd.Index[Any]]:
    """Codes without gaps for the persons that still have rows."""
    present = np.zeros(len(labels), dtype=bool)
    present[person] = True
    if present.all():
        return person, labels
    return (np.cumsum(present) - 1).astype(person.dtype)[person], labels[present]


def _occasions(
    bound: BoundMixed, frame: pd.DataFrame
) -> tuple[NDArray[np.intp] | None, tuple[float, ...]]:
    schema = bound.schema
    if bound.model.residual.kind in ("common", "by_group") or schema.time is None:
        return None, (0.0,)
    if bound.model.residual.kind == "across":
        return row_cells(frame, schema), schema.occasions
    time = numeric_column(frame, schema.time)
    known = np.asarray(schema.times or distinct_numbers(time), dtype=float)
    return places(time, known), tuple(float(v) for v in known)


def wide_data(bound: BoundSem, frame: pd.DataFrame) -> WideData:
    """Scatter long data into the person rows of a bound structural equation model."""
    return scatter_data(bound.model, bound.schema, bound.covariates, frame)


def scatter_data(
    model: SemModel, schema: Schema, covariates: Sequence[Covariate], frame: pd.DataFrame
) -> WideData:
    """Scatter long data into the person rows of a structural equation model.

    Parameters
    ----------
    model : SemModel
        The model.
    schema : Schema
        Person, time and outcome, the occasions and the outcomes' columns.
    covariates : sequence of Covariate
        What the model's covariates are in terms of long data.
    frame : DataFrame
        Long data, each (person, time) pair at most once.

    Returns
    -------
    WideData
        The arrays; a cell without a row, or whose covariates are missing, is NaN.
    """
    assert schema.time is not None
    person, labels = codes(frame, schema.person)
    outcome = outcome_values(schema, frame)
    occasion, good = _cells(schema, frame, person, outcome)
    cells = (person[good], occasion[good])
    n_occasions = len(schema.outcome_columns)
    shape = (len(labels), n_occasions)

    def scatter(values: FloatArray) -> FloatArray:
        table = np.full(shape, np.nan)
        table[cells] = values[good]
        return table

    table = scatter(outcome)
    by_column: dict[str, FloatArray] = {}
    for covariate in covariates:
        values = np.ascontiguousarray(evaluate((covariate.column,), frame, schema)[:, 0])
        if covariate.time_varying:
            varied = scatter(values)
            for j, name in enumerate(covariate.columns):
                # Several outcomes may share the covariate's columns, each with gaps of its own.
                kept = by_column.get(name, varied[:, j])
                by_column[name] = np.where(np.isfinite(kept), kept, varied[:, j])
        else:
            by_column[covariate.name] = _person_values(values, person, len(labels))
    matrix = (
        np.column_stack([by_column[name] for name in model.covariates])
        if model.covariates
        else np.empty((len(labels), 0))
    )
    named = dict.fromkeys(p.definition for p in model.paths if p.definition is not None)
    held = tuple((name, by_column[name]) for name in named)
    if model.group_variable is not None:
        groups, rows = scattered_groups(
            model, schema, frame, person, table=table, covariates=matrix, definitions=held
        )
        return WideData(WideProblem(model, groups), labels[rows])
    places_of = group_columns(schema, 0)
    outcomes = table[:, [places_of[name] for name in model.outcomes]]
    clusters = clusters_of_persons(model, schema.cluster, frame, person)
    problem = WideProblem(model, (WideGroup(outcomes, matrix, held, clusters),))
    return WideData(problem, labels)


def _cells(
    schema: Schema, frame: pd.DataFrame, person: NDArray[np.intp], outcome: FloatArray
) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """The occasion of each row, or which of its person's visits it is, and rows that have one."""
    assert schema.time is not None
    time = numeric_column(frame, schema.time)
    if not schema.shared_times:
        good = (person >= 0) & np.isfinite(time)
        if not schema.lagged:
            # What stood at the visit before is known whether or not the outcome is.
            good &= np.isfinite(outcome)
        visit = visit_numbers(person, time, good)
        longest, n = int(visit[good].max(initial=-1)) + 1, len(schema.outcome_columns)
        if longest > n:
            raise DataError(
                f"A person has {longest} visits, and the model has {n} outcomes.",
                hint=f"The model needs an outcome for each visit: {longest} of them.",
            )
        return visit, good
    occasion = row_cells(frame, schema)
    strange = (occasion < 0) & np.isfinite(outcome) & np.isfinite(time)
    if strange.any():
        found = sorted(set(time[strange].tolist()))[:5]
        raise DataError(
            f"{int(strange.sum())} rows have values of {schema.time} that are no occasion of the "
            f"model: {', '.join(f'{v:g}' for v in found)}.",
            hint=f"Occasions: {', '.join(f'{v:g}' for v in schema.times)}.",
        )
    return occasion, (person >= 0) & (occasion >= 0)


def outcome_values(schema: Schema, frame: pd.DataFrame) -> FloatArray:
    """The outcome in each row; one that the formula computes is no column of the data."""
    if schema.outcome in frame.columns or "(" not in schema.outcome:
        return numeric_column(frame, schema.outcome)
    column = Column(Term((schema.outcome,)), (ColumnPart(schema.outcome),))
    return np.ascontiguousarray(evaluate((column,), frame, schema)[:, 0])


def _person_values(values: FloatArray, person: NDArray[np.intp], n: int) -> FloatArray:
    """The first value that is not missing of each person."""
    made = np.full(n, np.nan)
    good = np.isfinite(values) & (person >= 0)
    made[person[good][::-1]] = values[good][::-1]
    return made


def _check_persons(outcomes: FloatArray, names: Sequence[str]) -> None:
    """Refuse wide data of one person, or whose outcomes hold one value alone.

    The first rows mostly clear all of them.
    """
    for rows in (outcomes[:GLANCE], outcomes):
        seen = np.isfinite(rows)
        persons = int(np.count_nonzero(seen.any(axis=1)))
        values = rows[seen]
        if persons > 1 and bool((values != values[0]).any()):
            return
    if not persons:
        raise ValueColumnError(
            f"Every value of {', '.join(names)} is missing.",
            hint="Check that the file was read with the right missing-value code.",
        )
    if persons < 2:
        raise TooFewSubjectsError(
            f"{persons} person has a value of {', '.join(names)}.",
            hint="Wide data have a row a person, and a model needs several.",
        )
    raise ValueColumnError(
        f"Every value of {', '.join(names)} is {values[0]:g}.",
        hint="Outcomes that do not vary have nothing to model: name other columns.",
    )


def sem_data(model: SemModel, frame: pd.DataFrame, *, id: str | None = None) -> WideData:
    """The person rows of any structural equation model whose variables are wide columns.

    Parameters
    ----------
    model : SemModel
        Any model; where it names a grouping column, its rows are split by it, groups in the
        order in which they first appear, or in that of the model's own labels.
    frame : DataFrame
        A row a person.
    id : str, optional
        Column with the persons' identifiers; row numbers from 1 where None.

    Returns
    -------
    WideData
        The arrays, persons group by group.

    Raises
    ------
    DataError
        If columns are absent, or the groups are not those of the model.
    ValueColumnError
        If every outcome is missing for everyone.
    """
    definitions = tuple(
        dict.fromkeys(p.definition for p in model.paths if p.definition is not None)
    )
    require_columns(frame, [*model.outcomes, *model.covariates, *definitions])
    outcomes = _matrix(frame, model.outcomes)
    _check_persons(outcomes, model.outcomes)
    covariates = _matrix(frame, model.covariates)
    held = [(name, numeric_column(frame, name)) for name in definitions]
    subjects = (
        frame[id].to_numpy(dtype=object)
        if id is not None and id in frame.columns
        else np.arange(1, len(frame) + 1)
    )
    if model.group_variable is None and model.n_groups == 1:
        clusters = clusters_of_wide_rows(model, frame)
        whole = WideGroup(outcomes, covariates, tuple(held), clusters)
        return WideData(WideProblem(model, (whole,)), subjects)
    model, rows = rows_of_groups(model, frame)
    groups = tuple(
        WideGroup(outcomes[at], covariates[at], tuple((name, v[at]) for name, v in held))
        for at in rows
    )
    return WideData(WideProblem(model, groups), subjects[np.concatenate(rows)])


def _matrix(frame: pd.DataFrame, names: Sequence[str]) -> FloatArray:
    out = np.empty((len(frame), len(names)), order="F")
    for at, name in enumerate(names):
        out[:, at] = numeric_column(frame, name)
    return out
