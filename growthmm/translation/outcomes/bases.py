"""Growth factors of one of several outcomes, as columns of a formula for stacked rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from growthmm.data.levels import Scalar, level_text
from growthmm.model.expression import quote
from growthmm.model.growth import DirectEffect, FactorBlock, GrowthFactor, PredictorEffect
from growthmm.model.schema import Column, ColumnPart, Constants, Schema
from growthmm.model.strata import outcome_indicators
from growthmm.model.terms import Term
from growthmm.translation.loadings.affine import same
from growthmm.translation.tabulate import TABULATED, tabulate

__all__ = ["cell_indicator", "outcome_column", "outcome_part", "whole_outcomes"]

Find = Callable[[tuple[float, ...], Schema], Column | None]


def outcome_column(
    loadings: tuple[float, ...], schema: Schema, find: Find, hints: Sequence[Column] = ()
) -> Column | None:
    """The formula column whose values at the occasions of several outcomes are the loadings.

    Parameters
    ----------
    loadings : tuple of float
        One for each occasion of each outcome.
    schema : Schema
        With several outcomes.
    find : callable
        The column of one outcome's loadings, given them and its own schema.
    hints : sequence of Column
        Columns that are likely.

    Returns
    -------
    Column or None
        An outcome's indicator times a function of time; a function of time alone where all
        outcomes share it; None where it is neither.
    """
    for column in hints:
        if same(tabulate(column, schema), loadings):
            return column
    loaded = [o for o in schema.outcomes if any(loadings[j] for j in schema.cells_of(o))]
    if len(loaded) == 1:
        cells = schema.cells_of(loaded[0])
        base = find(tuple(loadings[j] for j in cells), _cut(schema, cells))
        return None if base is None else _times(outcome_part(schema, loaded[0]), base)
    first = {t: schema.occasions.index(t) for t in schema.times}
    shared = tuple(loadings[first[t]] for t in schema.occasions)
    if shared != loadings:
        return None
    return find(tuple(loadings[first[t]] for t in schema.times), _cut(schema, [*first.values()]))


def _cut(schema: Schema, cells: Sequence[int]) -> Schema:
    """The schema of some of the occasions, as those of one outcome."""
    known = [v for v in schema.variables if v.name != schema.indicator]
    marks = {schema.indicator, *(name for name, _ in outcome_indicators(schema))}
    constants = []
    for made in schema.constants:
        table = dict(made.values).get(TABULATED)
        if made.expression in marks:
            continue
        values = None if table is None else tuple(table[j] for j in cells)
        constants.append(
            made if values is None else Constants(made.expression, ((TABULATED, values),))
        )
    return replace(
        schema,
        occasions=tuple(schema.occasions[j] for j in cells),
        variables=tuple(known),
        constants=tuple(constants),
        outcome_columns=tuple(schema.outcome_columns[j] for j in cells),
        varying_columns=(),
        indicator=None,
        series=(),
    )


def outcome_part(schema: Schema, outcome: Scalar) -> ColumnPart:
    """The indicator of one of several outcomes, as one column of the categorical indicator."""
    assert schema.indicator is not None
    if not isinstance(outcome, str):
        found = numeric_indicator(schema, outcome)
        if found is not None:
            return found
    index = schema.outcomes.index(outcome)
    return ColumnPart(quote(schema.indicator), index, level_text(outcome), "full")


def numeric_indicator(schema: Schema, outcome: Scalar) -> ColumnPart | None:
    """The numeric column of the data that is one in an outcome's rows and zero in the others."""
    found = next((name for name, own in outcome_indicators(schema) if own == outcome), None)
    return None if found is None else ColumnPart(quote(found))


def cell_indicator(schema: Schema, cell: int, at_time: Column) -> Column:
    """The indicator of one occasion of one of several outcomes.

    Parameters
    ----------
    schema : Schema
        With several outcomes.
    cell : int
        Which occasion, from 0.
    at_time : Column
        The indicator of its time.
    """
    outcome = schema.series[cell]
    part = numeric_indicator(schema, outcome) or outcome_part(schema, outcome)
    if len(schema.cells_of(outcome)) == 1:
        return Column(Term((part.expression,)), (part,))
    return _times(part, at_time)


def _times(part: ColumnPart, base: Column) -> Column:
    return Column(Term((part.expression, *base.term.factors)), (part, *base.parts))


def whole_outcomes(
    factors: Sequence[GrowthFactor],
    blocks: Sequence[FactorBlock],
    effects: Sequence[PredictorEffect],
    schema: Schema,
) -> tuple[GrowthFactor, ...]:
    """Growth factors whose columns a formula can say: every outcome's, or numeric indicators.

    A formula's ``outcome:time`` stands for a slope of every outcome. Where the slopes differ in
    having a mean, in the block they vary in or in what acts on them, or some outcome has none,
    numeric columns that are one in the rows of one outcome stand in.

    Parameters
    ----------
    factors : sequence of GrowthFactor
        As recognised.
    blocks : sequence of FactorBlock
        Which covary.
    effects : sequence of PredictorEffect
        What acts on them.
    schema : Schema
        With several outcomes.
    """
    part_of = {name: at for at, block in enumerate(blocks) for name in block.factors}
    uses: dict[tuple[ColumnPart, ...], list[tuple[object, ...]]] = {}
    for factor in factors:
        if _coded(factor.column, schema):
            acting = frozenset(e.covariate for e in effects if e.factor == factor.name)
            use = (factor.mean, part_of.get(factor.name), acting)
            uses.setdefault(factor.column.parts[1:], []).append(use)
    contrasts = _contrasts(factors, set(part_of), {e.factor for e in effects}, schema)
    n = len(schema.outcomes)
    whole = {base for base, found in uses.items() if len(found) == n and len(set(found)) == 1}
    return tuple(
        replace(factor, column=contrasts[factor.name])
        if factor.name in contrasts
        else factor
        if not _coded(factor.column, schema) or factor.column.parts[1:] in whole
        else replace(factor, column=recoded(factor.column, schema))
        for factor in factors
    )


def _contrasts(
    factors: Sequence[GrowthFactor], varying: set[str], moved: set[str], schema: Schema
) -> dict[str, Column]:
    """Columns of the categorical indicator beside an intercept, where they are all there are.

    Means of all outcomes but the first, which differ from the intercept of all in nothing else.
    """
    if schema.indicator is None or not all(isinstance(o, str) for o in schema.outcomes):
        return {}
    if schema.contrasts != "treatment" or not any(f.mean and not f.column.parts for f in factors):
        return {}
    made: dict[str, Column] = {}
    places: set[int] = set()
    for factor in factors:
        parts = factor.column.parts
        plain = factor.mean and factor.name not in varying | moved
        if plain and _coded(factor.column, schema) and len(parts) == 1 and parts[0].index:
            part = replace(parts[0], index=parts[0].index - 1, coding="contrast")
            made[factor.name] = Column(factor.column.term, (part,))
            places.add(parts[0].index)
    return made if places == set(range(1, len(schema.outcomes))) else {}


def whole_effects(effects: Sequence[DirectEffect], schema: Schema) -> tuple[DirectEffect, ...]:
    """Effects on single outcomes whose columns a formula can say, as :func:`whole_outcomes`."""
    counts: dict[tuple[str, tuple[ColumnPart, ...]], int] = {}
    for effect in effects:
        if effect.column is not None and _coded(effect.column, schema):
            key = (effect.covariate, effect.column.parts[1:])
            counts[key] = counts.get(key, 0) + 1
    return tuple(
        replace(effect, column=recoded(effect.column, schema))
        if effect.column is not None
        and _coded(effect.column, schema)
        and counts[effect.covariate, effect.column.parts[1:]] < len(schema.outcomes)
        else effect
        for effect in effects
    )


def _coded(column: Column, schema: Schema) -> bool:
    if schema.indicator is None or not column.parts:
        return False
    first = column.parts[0]
    return first.coding == "full" and first.expression == quote(schema.indicator)


def recoded(column: Column, schema: Schema) -> Column:
    """The column with its outcome's numeric indicator, where the data have one."""
    outcome = schema.outcomes[column.parts[0].index]
    part = numeric_indicator(schema, outcome)
    if part is None:
        return column
    return _times(part, Column(Term(column.term.factors[1:]), column.parts[1:]))
