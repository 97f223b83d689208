"""Redundant parameters fixed instead of refused: residual variances twice, groups that covary."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from growthmm.model.bound import BoundMixed, RandomColumns
from growthmm.model.defaults import Assumption
from growthmm.model.expression import quote
from growthmm.model.factor_pattern import Pattern, pattern_kind
from growthmm.model.mixed import RandomBlock
from growthmm.model.residual import ResidualStructure
from growthmm.model.schema import Column, ColumnPart, Schema
from growthmm.model.terms import Term
from growthmm.translation.groups.grouping import indicator, members, multiplied, split_by_group
from growthmm.translation.tabulate import part_variables, tabulate

__all__ = ["groups_apart", "without_redundancy"]

NOTE = Assumption(
    "the common residual variance is fixed at zero",
    "with a variance for every occasion among the random effects it is redundant: the two add up "
    "to residual variances by occasion; the program itself counts one parameter more, so its AIC "
    "is larger by 2, and its information matrix is singular",
)


APART = Assumption(
    "random effects of different groups do not covary",
    "nobody is in two groups, so that no data tell such covariances",
)


def groups_apart(bound: BoundMixed) -> BoundMixed:
    """The same model with a block of random effects for each group of persons.

    A block such as ``(0 + sex + sex:t | id)`` has covariances between the effects of different
    groups, which are in nobody's covariance matrix.

    Parameters
    ----------
    bound : BoundMixed
        A mixed model with its groups in the schema.

    Returns
    -------
    BoundMixed
        `bound` itself where no block holds effects of several groups.
    """
    schema, grouping = bound.schema, bound.schema.grouping
    if grouping is None:
        return bound
    blocks: list[RandomColumns] = []
    dropped = False
    for block in bound.random:
        acting = [members(split_by_group(c.parts, grouping)[0], schema) for c in block.columns]
        kinds = dict.fromkeys(acting)
        if block.diagonal or len(kinds) == 1 or _zero_between(block, acting):
            blocks.append(block)
            continue
        if block.pattern:
            blocks.append(replace(block, pattern=_without_others(block.pattern, acting)))
            dropped = True
            continue
        for groups in kinds:
            rests = [
                _product(split_by_group(column.parts, grouping)[1])
                for column, own in zip(block.columns, acting, strict=True)
                if own == groups
            ]
            only = indicator(groups or (), grouping)
            blocks.append(RandomColumns(tuple(multiplied(only, rest) for rest in rests)))
    if len(blocks) == len(bound.random) and not dropped:
        return bound
    random = tuple(_as_text(block, quote(schema.person)) for block in blocks)
    model = replace(bound.model, random=random)
    notes = (*bound.assumptions, APART)
    return replace(bound, model=model, random=tuple(blocks), assumptions=notes)


def _zero_between(block: RandomColumns, acting: Sequence[tuple[int, ...] | None]) -> bool:
    """Whether a matrix with held entries has zeros wherever effects of different groups meet."""
    return bool(block.pattern) and _without_others(block.pattern, acting) == block.pattern


def _without_others(pattern: Pattern, acting: Sequence[tuple[int, ...] | None]) -> Pattern:
    """The matrix with zeros wherever effects of different groups meet."""
    return tuple(
        tuple(cell if acting[a] == acting[b] else 0.0 for b, cell in enumerate(row))
        for a, row in enumerate(pattern)
    )


def _as_text(block: RandomColumns, person: str) -> RandomBlock:
    terms = tuple(dict.fromkeys(column.term for column in block.columns))
    if block.diagonal or not block.pattern:
        return RandomBlock(terms, person, "diagonal" if block.diagonal else "unstructured")
    kind = pattern_kind(block.pattern)
    return RandomBlock(terms, person, kind, block.pattern if kind == "patterned" else ())


def _product(parts: tuple[ColumnPart, ...]) -> Column:
    return Column(Term(tuple(part.expression for part in parts)), parts)


def without_redundancy(bound: BoundMixed) -> BoundMixed:
    """The same model with residual variances by occasion written as such.

    An uncorrelated random effect for every occasion, beside a common residual variance, has the
    moments of residual variances by occasion and one parameter too many (condition 17: glmmTMB's
    ``diag(0 + factor(t) | id)``).

    Parameters
    ----------
    bound : BoundMixed
        A mixed model with its occasions known.

    Returns
    -------
    BoundMixed
        `bound` itself where nothing is redundant.
    """
    schema = bound.schema
    if bound.model.residual.kind != "common" or not schema.shared_times or not schema.occasions:
        return bound
    diagonal = [
        k for k, block in enumerate(bound.random) if block.diagonal and _all(block.columns, schema)
    ]
    if not diagonal:
        return bound
    kept = tuple(block for k, block in enumerate(bound.random) if k != diagonal[0])
    # A diagonal block of the text is one block of columns; which of them it is, their order says.
    earlier = sum(block.diagonal for block in bound.random[: diagonal[0]])
    texts = [k for k, block in enumerate(bound.model.random) if block.covariance == "diagonal"]
    dropped = texts[earlier]
    model = replace(
        bound.model,
        random=tuple(b for k, b in enumerate(bound.model.random) if k != dropped),
        residual=ResidualStructure("by_occasion", time=schema.time),
    )
    return replace(bound, model=model, random=kept, assumptions=(*bound.assumptions, NOTE))


def _all(columns: tuple[Column, ...], schema: Schema) -> bool:
    """Whether the columns are the indicators of all occasions."""
    times = {schema.time} | {v.name for v in schema.variables if v.role == "time_function"}
    if not all(name in times for c in columns for p in c.parts for name in part_variables(p)):
        return False
    n = len(schema.occasions)
    unit = {tuple(float(j == k) for j in range(n)) for k in range(n)}
    return n > 1 and {tabulate(column, schema) for column in columns} == unit
