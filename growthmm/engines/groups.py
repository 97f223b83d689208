"""Persons and rows split into groups with parameters of their own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from growthmm.data.frames import codes, numeric_column, require_columns
from growthmm.data.groups import grouping_of
from growthmm.data.levels import level_codes, level_text, plain
from growthmm.data.stacked import outcome_codes, row_cells
from growthmm.engines.wide.problem import WideGroup
from growthmm.errors import DataError, SpecificationError
from growthmm.model.bound import BoundMixed
from growthmm.model.occasions import distinct_numbers, places
from growthmm.model.schema import Schema
from growthmm.model.sem import SemModel
from growthmm.model.shared_strata import (
    cell_classes,
    class_names,
    classes_of_cells,
    names_of_cells,
)
from growthmm.model.strata import outcome_cells, stratum_text
from growthmm.notation.sem.groups import with_groups

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["group_columns", "residual_strata", "rows_of_groups", "scattered_groups", "series_of"]

FloatArray = NDArray[np.float64]


def rows_of_groups(
    model: SemModel, frame: pd.DataFrame
) -> tuple[SemModel, tuple[NDArray[np.intp], ...]]:
    """The model written out for the groups of wide data, and the rows of each.

    Parameters
    ----------
    model : SemModel
        Of several groups, in the order of its labels, or in that of first appearance.
    frame : DataFrame
        A row a person.

    Raises
    ------
    DataError
        If no column makes the groups, or its values are not the model's labels.
    """
    by = model.group_variable
    if by is None:
        if model.n_groups > 1:
            raise DataError(
                f"The model has {model.n_groups} groups and names no column that tells them apart.",
                hint='Write the whole call: growth(model, group = "sex").',
            )
        return model, (np.arange(len(frame), dtype=np.intp),)
    require_columns(frame, [by])
    code, labels = _labelled(frame, by)
    order = model.group_labels or labels
    if set(order) != set(labels):
        raise DataError(
            f"The groups of {by} in the data are {', '.join(labels)}, those of the model "
            f"{', '.join(order)}.",
            hint="Name the groups as the data do.",
        )
    rows = tuple(np.flatnonzero(code == labels.index(label)) for label in order)
    return with_groups(model, order), rows


def _labelled(frame: pd.DataFrame, name: str) -> tuple[NDArray[np.intp], tuple[str, ...]]:
    code, found = codes(frame, name)
    return code, tuple(level_text(plain(label)) for label in found)


def group_columns(schema: Schema, group: int) -> dict[str, int]:
    """The place among the occasions of each outcome column of one group."""
    grouping = schema.grouping
    if grouping is None or not grouping.columns:
        return {name: j for j, name in enumerate(schema.outcome_columns)}
    return {name: schema.occasions.index(time) for name, time in grouping.columns[group]}


def scattered_groups(
    model: SemModel,
    schema: Schema,
    frame: pd.DataFrame,
    person: NDArray[np.intp],
    *,
    table: FloatArray,
    covariates: FloatArray,
    definitions: tuple[tuple[str, FloatArray], ...] = (),
) -> tuple[tuple[WideGroup, ...], NDArray[np.intp]]:
    """Person rows of all occasions, group by group.

    Parameters
    ----------
    model : SemModel
        With the labels of its groups.
    schema : Schema
        With the occasions.
    frame : DataFrame
        Long data.
    person : (n_rows,) ndarray of int
        The person of each row of the frame.
    table : (n_subjects, n_occasions) ndarray
        The outcome.
    covariates : (n_subjects, n_covariates) ndarray
        The covariates, in the model's order.
    definitions : tuple of (str, (n_subjects,) ndarray)
        The definition variables.

    Returns
    -------
    groups : tuple of WideGroup
        In the order of the labels.
    rows : (n_subjects,) ndarray of int
        The persons in that order.

    Raises
    ------
    DataError
        If a person is in two groups, or has outcomes at times that the group's columns lack.
    """
    by = model.group_variable
    assert by is not None
    code, labels = _labelled(frame, by)
    own = np.full(len(table), -1, dtype=np.intp)
    seen = (code >= 0) & (person >= 0)
    own[person[seen][::-1]] = code[seen][::-1]
    moved = int(np.unique(person[seen & (own[person] != code)]).size)
    if moved:
        raise DataError(
            f"{moved} persons have more than one value of {by}, which makes the groups.",
            hint="Persons stay in one group: use a column that is the same in all their rows.",
        )
    groups: list[WideGroup] = []
    order: list[NDArray[np.intp]] = []
    for g, label in enumerate(model.group_labels):
        rows = np.flatnonzero(own == (labels.index(label) if label in labels else -2))
        at = group_columns(schema, g)
        _refuse_elsewhere(table[rows], tuple(at.values()), schema, f"{by} {label}")
        outcomes = table[rows][:, [at[name] for name in model.outcomes]]
        held = tuple((name, values[rows]) for name, values in definitions)
        groups.append(WideGroup(outcomes, covariates[rows], held))
        order.append(rows)
    return tuple(groups), np.concatenate(order)


def _refuse_elsewhere(table: FloatArray, known: Sequence[int], schema: Schema, who: str) -> None:
    others = [j for j in range(table.shape[1]) if j not in known]
    found = [j for j in others if bool(np.isfinite(table[:, j]).any())]
    if found:
        times = ", ".join(f"{schema.occasions[j]:g}" for j in found)
        raise DataError(
            f"Persons of {who} have outcomes at {schema.time} {times}, where their group has no "
            "column.",
            hint="Write the model with a column for every time at which the group was observed.",
        )


def residual_strata(
    bound: BoundMixed, frame: pd.DataFrame
) -> tuple[NDArray[np.intp] | None, tuple[str, ...]]:
    """Whose residual variance each row has: the code, -1 where missing, and the names by code.

    Parameters
    ----------
    bound : BoundMixed
        The model; None and nothing where its residual variances are not by group.
    frame : DataFrame
        Long data.
    """
    residual, by = bound.model.residual, bound.model.residual.by
    if by is None or residual.kind == "across":
        return None, ()
    require_columns(frame, [by])
    if residual.crossed:
        code, levels, times = _crossed(bound, frame, by)
    else:
        (code, levels), times = _levels(bound, frame, by), ()
    if bound.schema.series and residual.crossed:
        # Of several outcomes each has its own times; a cell is one of them at one time.
        cells = outcome_cells(bound.schema, crossed=True)
        classes = np.array(classes_of_cells(residual, cells), dtype=np.intp)
        return np.where(code < 0, -1, classes[code]), names_of_cells(residual, cells)
    classes = np.array(cell_classes(residual, levels, times), dtype=np.intp)
    return np.where(code < 0, -1, classes[code]), class_names(residual, levels, times)


def _levels(
    bound: BoundMixed, frame: pd.DataFrame, by: str
) -> tuple[NDArray[np.intp], tuple[str, ...]]:
    """The level of each row, and the levels."""
    grouping = bound.schema.grouping
    if grouping is not None and grouping.variable == by:
        return level_codes(frame, by, grouping.levels), tuple(map(level_text, grouping.levels))
    if bound.schema.series and by == bound.schema.indicator:
        # In the schema's order, whichever outcome the data show first.
        return outcome_codes(frame, bound.schema), tuple(map(stratum_text, bound.schema.outcomes))
    strata, labels = codes(frame, by)
    return strata, tuple(level_text(plain(label)) for label in labels)


def _crossed(
    bound: BoundMixed, frame: pd.DataFrame, by: str
) -> tuple[NDArray[np.intp], tuple[str, ...], tuple[float, ...]]:
    """The combination of level and occasion of each row, the levels and the occasions."""
    schema = bound.schema
    assert schema.time is not None
    if schema.series:
        found = tuple(stratum_text(outcome) for outcome in schema.series)
        return row_cells(frame, schema), found, schema.occasions
    grouping = schema.grouping or grouping_of(frame, by)
    time = numeric_column(frame, schema.time)
    known = np.asarray(schema.occasions or distinct_numbers(time), dtype=float)
    group, at = level_codes(frame, by, grouping.levels), places(time, known)
    cells = np.where((group < 0) | (at < 0), -1, group * len(known) + at)
    return cells, tuple(map(level_text, grouping.levels)), tuple(known.tolist())


def series_of(bound: BoundMixed) -> tuple[str, ...]:
    """Which outcome each occasion is of, where residuals of outcomes covary; else nothing.

    Raises
    ------
    SpecificationError
        If the column that the residuals name does not tell outcomes apart.
    """
    residual, schema = bound.model.residual, bound.schema
    if residual.kind != "across":
        return ()
    if residual.by != schema.indicator or not schema.series:
        raise SpecificationError(
            f"Residuals {residual}, and {residual.by} does not tell outcomes of one person and "
            "time apart, at times that persons share.",
            hint="Name the column that, with person and a shared time, identifies stacked rows.",
        )
    return tuple(stratum_text(outcome) for outcome in schema.series)
