"""Groups of persons with parameters of their own: the column, and its levels in design columns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from growthmm.data.design.evaluation import evaluate
from growthmm.data.groups import grouping_of
from growthmm.data.levels import Scalar, level_text
from growthmm.data.roles import classify
from growthmm.errors import UnboundError
from growthmm.model.bound import BoundMixed, RandomColumns
from growthmm.model.expression import canonical, quote, tree
from growthmm.model.expression_print import number_text, r_string
from growthmm.model.expression_tree import Call, Node, Operation
from growthmm.model.residual import BY_LEVEL
from growthmm.model.schema import Column, ColumnPart, Constants, Grouping, Role, Schema
from growthmm.model.terms import Term
from growthmm.translation.coding import column_key
from growthmm.translation.tabulate import part_variables

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "contrast_columns",
    "group_names",
    "grouping_constants",
    "grouping_variables",
    "indicator",
    "members",
    "multiplied",
    "of_group",
    "split_by_group",
    "weighed",
    "with_grouping",
]


WITHIN: frozenset[Role] = frozenset({"time", "time_function", "time_varying", "person_level"})
"""Roles of what the loadings of an effect may be functions of within a group."""


def grouping_variables(bound: BoundMixed) -> tuple[str, ...]:
    """The person-level columns by which random effects or residual variances differ.

    Parameters
    ----------
    bound : BoundMixed
        A mixed model.
    """
    residual = bound.model.residual
    found = [residual.by] if residual.kind in BY_LEVEL and residual.by is not None else []
    if bound.schema.series:
        found = [name for name in found if name != bound.schema.indicator]
    for block in bound.random:
        for column in block.columns:
            for part in column.parts:
                if part.coding == "numeric" and not _compares(tree(part.expression)):
                    continue
                for name in part_variables(part):
                    variable = bound.schema.variable(name)
                    if variable is not None and variable.role == "person_level":
                        found.append(name)
    return tuple(dict.fromkeys(found))


def _compares(node: Node) -> bool:
    """Whether an expression asks which value a column has."""
    if isinstance(node, Operation) and node.left is not None:
        return node.operator in ("==", "!=") or _compares(node.left) or _compares(node.right)
    return isinstance(node, Call) and any(_compares(argument) for argument in node.args)


def with_grouping(bound: BoundMixed, frame: pd.DataFrame | None) -> BoundMixed:
    """The model with the groups of persons in its schema, where something differs between groups.

    Parameters
    ----------
    bound : BoundMixed
        A mixed model; nothing is done where no column, or more than one, makes groups, or where
        random effects cannot be sorted by group: their loadings differ from person to person.
    frame : DataFrame, optional
        Long data.

    Raises
    ------
    UnboundError
        If the column's levels are not known.
    ColumnNotFoundError
        If the data lack it.
    """
    names = grouping_variables(bound)
    schema = bound.schema
    if (
        len(names) != 1
        or not schema.shared_times
        or names[0] in (schema.time, schema.person, schema.outcome)
    ):
        return bound
    name = names[0]
    if schema.grouping is not None and schema.grouping.variable == name:
        # A formula sees times, whatever columns hold them in each cohort.
        return replace(bound, schema=replace(schema, grouping=replace(schema.grouping, columns=())))
    variable = schema.variable(name)
    if frame is not None:
        if variable is None:
            variable = classify(frame, id=schema.person, time=schema.time, names=[name])[0]
        # Whichever group the data show first, the text is the same.
        grouping = replace(grouping_of(frame, name), order=())
    elif variable is not None and variable.levels is not None:
        grouping = Grouping(name, variable.levels)
    else:
        raise UnboundError(
            f"The levels of {name}, by which parts of the model differ, are not known.",
            missing=(f"role and levels of {name} (data= or --data)",),
            hint="Give data, or a schema with the levels of the column.",
        )
    if variable.role != "person_level":
        return bound
    known = (*(v for v in schema.variables if v.name != name), variable)
    made = replace(schema, variables=known, grouping=grouping)
    apart = all(_separable(block, made) for block in bound.random) and _once(bound, made)
    return replace(bound, schema=made if apart else replace(made, grouping=None))


def _separable(block: RandomColumns, schema: Schema) -> bool:
    """Whether every effect of a block is a function of time for the persons of some groups.

    Effects in one block act in the same groups, or in groups that do not overlap.
    """
    acting = []
    for column in block.columns:
        own, rest = split_by_group(column.parts, schema.grouping)
        roles = {
            variable.role
            for part in rest
            for name in part_variables(part)
            if (variable := schema.variable(name)) is not None
        }
        groups = members(own, schema)
        if groups is None or not roles <= WITHIN:
            return False
        acting.append(groups)
    kinds = set(acting)
    found = [g for groups in kinds for g in groups]
    return len(kinds) == 1 or len(set(found)) == len(found)


def _once(bound: BoundMixed, schema: Schema) -> bool:
    """Whether no group has an effect twice, from blocks of other groups each."""
    acting: dict[object, set[tuple[int, ...]]] = {}
    for column in (column for block in bound.random for column in block.columns):
        own, rest = split_by_group(column.parts, schema.grouping)
        groups = members(own, schema) or ()
        acting.setdefault(column_key(_of_parts(rest)), set()).add(groups)
    return all(sum(map(len, found)) == len(set().union(*found)) for found in acting.values())


def _of_parts(parts: Sequence[ColumnPart]) -> Column:
    return Column(Term(tuple(part.expression for part in parts)), tuple(parts))


def group_names(grouping: Grouping) -> tuple[str, ...]:
    """The groups as structural equation programs number them, by their labels."""
    return tuple(level_text(level) for level in grouping.order or grouping.levels)


def split_by_group(
    parts: Iterable[ColumnPart], grouping: Grouping | None
) -> tuple[tuple[ColumnPart, ...], tuple[ColumnPart, ...]]:
    """The parts of a product that depend on the group alone, and the others."""
    own: list[ColumnPart] = []
    rest: list[ColumnPart] = []
    for part in parts:
        alone = grouping is not None and part_variables(part) == (grouping.variable,)
        (own if alone else rest).append(part)
    return tuple(own), tuple(rest)


def of_group(parts: Sequence[ColumnPart], schema: Schema) -> tuple[float, ...]:
    """The value in each group of a product of functions of the group."""
    assert schema.grouping is not None
    grouping = schema.grouping
    if not parts:
        return (1.0,) * len(grouping.levels)
    column = _of_parts(parts)
    texts = any(isinstance(level, str) for level in grouping.levels)
    values = np.array(grouping.levels, dtype=object if texts else None)
    found = evaluate((column,), {grouping.variable: values}, schema)[:, 0]
    return tuple(float(value) for value in found)


def members(parts: Sequence[ColumnPart], schema: Schema) -> tuple[int, ...] | None:
    """The groups that a product of functions of the group picks out; None where it weighs them."""
    values = of_group(parts, schema)
    if not set(values) <= {0.0, 1.0}:
        return None
    return tuple(g for g, value in enumerate(values) if value)


def indicator(groups: Sequence[int], grouping: Grouping) -> Column:
    """A numeric column that is 1 in some groups and 0 in the others.

    Examples
    --------
    >>> indicator((1,), Grouping("sex", ("female", "male"))).term.factors
    ('I(1*(sex == "male"))',)
    """
    name, n = quote(grouping.variable), len(grouping.levels)
    outside = [g for g in range(n) if g not in groups]
    if len(outside) == 1 and len(groups) > 1:
        text = f"1*({name} != {_literal(grouping.levels[outside[0]])})"
    else:
        text = " + ".join(f"1*({name} == {_literal(grouping.levels[g])})" for g in groups)
    expression = canonical(f"I({text})")
    return Column(Term((expression,)), (ColumnPart(expression),))


def weighed(values: Sequence[float], grouping: Grouping) -> Column:
    """A numeric column that has a value in each group.

    Examples
    --------
    >>> weighed((1.0, -0.5), Grouping("sex", ("female", "male"))).term.factors
    ('I(1*(sex == "female") - 0.5*(sex == "male"))',)
    """
    name, text = quote(grouping.variable), ""
    for level, value in zip(grouping.levels, values, strict=True):
        if value:
            sign = " - " if value < 0 else " + " if text else ""
            text += f"{sign}{number_text(abs(value))}*({name} == {_literal(level)})"
    expression = canonical(f"I({text.strip()})")
    return Column(Term((expression,)), (ColumnPart(expression),))


def _literal(level: Scalar) -> str:
    if isinstance(level, bool):
        return str(level)
    return r_string(level) if isinstance(level, str) else number_text(float(level))


def contrast_columns(grouping: Grouping) -> tuple[Column, ...]:
    """The treatment contrasts of the groups, one for each but the first."""
    expression = quote(grouping.variable)
    if not isinstance(grouping.levels[0], (str, bool)):
        expression = f"C({expression})"
    made = []
    for at, level in enumerate(grouping.levels[1:]):
        part = ColumnPart(expression, at, level_text(level), "contrast")
        made.append(Column(Term((expression,)), (part,)))
    return tuple(made)


def grouping_constants(grouping: Grouping) -> tuple[Constants, ...]:
    """The levels of groups that are numbers, as ``C()`` of the column needs them."""
    if isinstance(grouping.levels[0], (str, bool)):
        return ()
    levels = tuple(float(level) for level in grouping.levels)
    return (Constants(f"C({quote(grouping.variable)})", (("levels", levels),)),)


def multiplied(first: Column, second: Column) -> Column:
    """The product of two columns."""
    term = Term((*first.term.factors, *second.term.factors))
    return Column(term, (*first.parts, *second.parts))
