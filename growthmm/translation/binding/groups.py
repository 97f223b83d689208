"""Groups of a structural equation model, tied to the column and the data that make them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from growthmm.data.frames import require_columns
from growthmm.data.groups import grouping_of
from growthmm.data.levels import level_text
from growthmm.data.names import wide_columns
from growthmm.errors import DataError, UnboundError
from growthmm.model.schema import Grouping, Schema, Variable
from growthmm.model.sem import Path, SemModel
from growthmm.notation.sem.groups import with_groups
from growthmm.translation.binding.time_scores import common_stem, time_scores
from growthmm.translation.groups.grouping import group_names, grouping_constants
from growthmm.translation.groups.growth import model_of_group

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Named", "schema_with_groups", "settled_groups", "ungrouped"]

Named = tuple[tuple[tuple[str, str], ...], ...]
"""For each group its outcome columns with their names in the model that stands for all groups."""


def settled_groups(
    model: SemModel, frame: pd.DataFrame | None, known: Schema | None
) -> tuple[SemModel, Grouping | None]:
    """The model written out for its groups, and the column that makes them.

    Parameters
    ----------
    model : SemModel
        Any model.
    frame : DataFrame, optional
        Its data, long or wide.
    known : Schema, optional
        Facts known already; they win over the data.

    Returns
    -------
    model : SemModel
        With labels of its groups; as it is where it has one group.
    grouping : Grouping or None
        None where it has one group.

    Raises
    ------
    UnboundError
        If the text does not say which column makes the groups, or nothing says what they are.
    DataError
        If the groups of the data are not those of the model, or persons have none.
    """
    variable = model.group_variable
    if variable is None:
        if model.n_groups == 1:
            return model, None
        raise UnboundError(
            f"The model has {model.n_groups} groups and names no column that tells them apart.",
            missing=("the column of groups",),
            hint='Write the whole call: growth(model, group = "sex").',
        )
    grouping = _grouping(model, variable, frame, known)
    texts = {level_text(level): level for level in grouping.levels}
    if model.group_labels:
        if set(model.group_labels) != set(texts):
            raise DataError(
                f"The groups of {variable} are {', '.join(texts)}, those of the model "
                f"{', '.join(model.group_labels)}.",
                hint="Name the groups as the data do.",
            )
        order = tuple(texts[label] for label in model.group_labels)
        grouping = replace(grouping, order=() if order == grouping.levels else order)
    return with_groups(model, group_names(grouping)), grouping


def _grouping(
    model: SemModel, variable: str, frame: pd.DataFrame | None, known: Schema | None
) -> Grouping:
    if known is not None and known.grouping is not None and known.grouping.variable == variable:
        return replace(known.grouping, columns=())
    if frame is not None:
        require_columns(frame, [variable])
        gone = int(frame[variable].isna().sum())
        if gone:
            raise DataError(
                f"The column of groups {variable} is missing in {gone} rows.",
                hint="Drop these rows, or fill the column in: who has no group has no model.",
            )
        return grouping_of(frame, variable)
    levels = None if known is None else (v := known.variable(variable)) and v.levels
    if levels:
        return Grouping(variable, levels)
    if model.group_labels:
        return Grouping(variable, model.group_labels)
    raise UnboundError(
        f"The values of {variable}, which makes the groups, are not known.",
        missing=(f"levels of {variable} (data= or --data)",),
        hint='Give data, or name the groups: group.label = c("a", "b").',
    )


def ungrouped(model: SemModel) -> tuple[SemModel, Named]:
    """One group that stands for all: every row that some group has, with its times.

    Parameters
    ----------
    model : SemModel
        Of several groups.

    Returns
    -------
    model : SemModel
        Of one group. Where a column has other time scores in another group, outcomes are named by
        their scores.
    named : tuple of tuple of (str, str)
        For each group its columns with their names in that model; empty where they are the same.
    """
    slices = [model_of_group(model, group) for group in range(model.n_groups)]
    scores = [time_scores(each) for each in slices]
    own: list[dict[str, str]] = [{} for _ in slices]
    outcomes = model.outcomes
    if any(found != scores[0] for found in scores):
        values = sorted({score for found in scores for _, score in found})
        names = dict(zip(values, wide_columns(_stem(model), values), strict=True))
        own = [{y: names[score] for y, score in found} for found in scores]
        grown = {y for found in scores for y, _ in found}
        outcomes = (*names.values(), *(y for y in outcomes if y not in grown))
    rows: dict[tuple[str, str, str], Path] = {}
    for g in range(model.n_groups):
        for path in model.paths:
            if path.group == g:
                left, right = (own[g].get(name, name) for name in (path.left, path.right))
                row = replace(path, left=left, right=right, group=0)
                rows.setdefault((left, path.op, right), row)
    single = replace(
        model,
        paths=tuple(rows.values()),
        outcomes=outcomes,
        n_groups=1,
        group_variable=None,
        group_labels=(),
    )
    return single, tuple(tuple(names.items()) for names in own if names)


def _stem(model: SemModel) -> str:
    return common_stem([name for name, _ in time_scores(model_of_group(model, 0))]) or "y"


def schema_with_groups(schema: Schema, grouping: Grouping, named: Named) -> Schema:
    """The schema of one group that stands for all, with the groups.

    Parameters
    ----------
    schema : Schema
        Of the model that :func:`ungrouped` gives.
    grouping : Grouping
        The groups.
    named : tuple of tuple of (str, str)
        For each group its columns with their names in that model, as :func:`ungrouped` has them.
    """
    times = dict(zip(schema.outcome_columns, schema.occasions, strict=True))
    columns = tuple(
        tuple(sorted(((y, times[name]) for y, name in own), key=lambda pair: pair[1]))
        for own in named
    )
    levels = grouping.levels if isinstance(grouping.levels[0], (str, bool)) else None
    variable = Variable(grouping.variable, "person_level", levels)
    held = {constants.expression for constants in schema.constants}
    new = tuple(c for c in grouping_constants(grouping) if c.expression not in held)
    return replace(
        schema,
        variables=(*(v for v in schema.variables if v.name != grouping.variable), variable),
        constants=(*schema.constants, *new),
        grouping=replace(grouping, columns=columns),
    )
