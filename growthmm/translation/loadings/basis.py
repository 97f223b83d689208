"""Which function of time a factor's loadings are: the way back from numbers to a formula."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import cast

import numpy as np

from growthmm.data.design.basis import width
from growthmm.data.levels import level_text
from growthmm.model.defaults import Loss, NonlinearLoss
from growthmm.model.expression import canonical, quote, tree, variables
from growthmm.model.expression_functions import FUNCTIONS
from growthmm.model.expression_tree import Call
from growthmm.model.growth import FactorBlock, GrowthFactor, PredictorEffect
from growthmm.model.schema import Column, ColumnPart, Schema
from growthmm.model.terms import Term
from growthmm.translation.loadings.affine import affine_map, affine_text, number, same
from growthmm.translation.loadings.curves import free_column
from growthmm.translation.loadings.rates import rate_expression
from growthmm.translation.loadings.shapes import shape_expression
from growthmm.translation.naming import polynomial_degree
from growthmm.translation.outcomes.bases import outcome_column
from growthmm.translation.tabulate import TABULATED, tabulate

__all__ = ["basis_column", "no_column", "whole_bases"]


def basis_column(
    loadings: tuple[float, ...],
    schema: Schema,
    *,
    hints: Sequence[Column] = (),
    bases: bool = True,
) -> Column | None:
    """The formula column whose values at the occasions are the loadings.

    Tried in turn: the constant; the hints; time itself; time functions and frozen bases of the
    schema; an affine recoding of time, its square and cube; broken lines, steps and common
    functions; curves with a known rate; products of time functions; any polynomial up to the third
    degree; a table of the values at the occasions.

    Parameters
    ----------
    loadings : tuple of float
        One for each occasion.
    schema : Schema
        With time, occasions and what is known of their functions.
    hints : sequence of Column
        Columns of time alone that are likely.
    bases : bool
        Whether one column of a basis of several, ``poly(t, 2)`` say, will do.

    Returns
    -------
    Column or None
        None where all are zero, or no time is known.
    """
    if all(value == 1.0 for value in loadings):
        return Column(Term(), ())
    if not any(loadings):
        return None
    if schema.series:

        def find(values: tuple[float, ...], own: Schema) -> Column | None:
            return basis_column(values, own, bases=bases)

        return outcome_column(loadings, schema, find, hints)
    for column in hints:
        if same(tabulate(column, schema), loadings):
            return column
    time = None if schema.time is None else quote(schema.time)
    if time is not None and loadings == schema.occasions:
        return _single(time)
    known = _known(schema, bases=bases)
    for column in known:
        if same(tabulate(column, schema), loadings):
            return column
    if time is None or len(schema.occasions) < 2:
        return None
    expression = (
        _power(loadings, schema.occasions, time)
        or shape_expression(loadings, schema.occasions, time)
        or rate_expression(loadings, schema.occasions, time)
    )
    if expression is not None:
        return _single(canonical(expression))
    for column in _products([_single(time), *known]):
        if same(tabulate(column, schema), loadings):
            return column
    expression = _polynomial(loadings, schema.occasions, time)
    if expression is None:
        # Whatever the shape, with shared occasions a table says it.
        expression = free_column(loadings, schema)
    return _single(canonical(expression))


def no_column(name: str, loadings: Sequence[float]) -> Loss:
    """Why a factor's loadings are none of a growth factor."""
    if not any(loadings):
        return NonlinearLoss(
            name,
            "it acts on outcomes through other latent variables, and is no sum of these whose "
            "variance and covariances are zero",
            "zero variance and covariances where it is a difference of true scores; some programs "
            "free covariances that nobody wrote",
        )
    return Loss(
        f"loadings {', '.join(f'{value:g}' for value in loadings)} of {name}",
        "they are no polynomial in time and no known column",
        "a data column that holds them, used as a term",
    )


def whole_bases(
    factors: Sequence[GrowthFactor],
    blocks: Sequence[FactorBlock],
    effects: Sequence[PredictorEffect],
    schema: Schema,
) -> tuple[GrowthFactor, ...]:
    """Growth factors whose columns a formula can say: all columns of a basis together, or none.

    A formula's ``poly(t, 2)`` stands for both its columns. Where the factors on them differ in
    having a mean, in the block they vary in or in what acts on them, other columns are found.

    Parameters
    ----------
    factors : sequence of GrowthFactor
        As recognised.
    blocks : sequence of FactorBlock
        Which covary.
    effects : sequence of PredictorEffect
        What acts on them.
    schema : Schema
        With time and occasions.
    """
    part_of = {name: at for at, block in enumerate(blocks) for name in block.factors}
    uses: dict[str, list[tuple[object, ...]]] = {}
    for factor in factors:
        if _of_several(factor.column):
            acting = frozenset(e.covariate for e in effects if e.factor == factor.name)
            expression = factor.column.parts[0].expression
            uses.setdefault(expression, []).append((factor.mean, part_of.get(factor.name), acting))
    whole = {
        expression
        for expression, found in uses.items()
        if len(found) == width(cast("Call", tree(expression))) and len(set(found)) == 1
    }
    made = []
    for factor in factors:
        if (
            factor.definition is None
            and _of_several(factor.column)
            and factor.column.parts[0].expression not in whole
        ):
            column = basis_column(factor.loadings, schema, bases=False)
            made.append(factor if column is None else replace(factor, column=column))
        else:
            made.append(factor)
    return tuple(made)


def _of_several(column: Column) -> bool:
    return any(part.coding == "numeric" and part.label for part in column.parts)


def _single(expression: str) -> Column:
    return Column(Term((expression,)), (ColumnPart(expression),))


def _known(schema: Schema, *, bases: bool) -> list[Column]:
    """Columns of the schema's numeric time functions and frozen bases of time."""
    tables = {c.expression for c in schema.constants if TABULATED in dict(c.values)}
    found = []
    for constants in schema.constants:
        if constants.expression in tables:
            variable = schema.variable(constants.expression)
            levels = variable.levels if variable is not None else None
            own = quote(constants.expression)
            if levels is None:
                found.append(_single(own))
            elif len(levels) == 2:
                part = ColumnPart(own, 0, level_text(levels[1]), "contrast")
                found.append(Column(Term((own,)), (part,)))
            continue
        names = variables(constants.expression)
        if not names or not all(name == schema.time or name in tables for name in names):
            continue
        node = tree(constants.expression)
        if not isinstance(node, Call) or FUNCTIONS[node.function].kind != "basis":
            continue
        n = width(node)
        if n > 1 and not bases:
            continue
        for index in range(n):
            part = ColumnPart(constants.expression, index, str(index + 1) if n > 1 else "")
            found.append(Column(Term((constants.expression,)), (part,)))
    return found


def _products(columns: Sequence[Column]) -> list[Column]:
    """Products of two of the columns; those of a basis of several are left out."""
    single = [column for column in columns if not column.parts[0].label]
    return [
        Column(Term((*a.term.factors, *b.term.factors)), (*a.parts, *b.parts))
        for at, a in enumerate(single)
        for b in single[at + 1 :]
    ]


def _power(loadings: tuple[float, ...], times: tuple[float, ...], time: str) -> str | None:
    affine = affine_map(loadings, times)
    if affine is not None:
        base = affine_text(*affine, time, times)
        return base if base == time else f"I({base})"
    for power in (2, 3):
        values = np.asarray(loadings)
        if power == 2:
            if np.any(values < 0):
                continue
            # The root's sign flips where the parabola touches zero.
            lowest = int(np.argmin(values))
            roots = np.sqrt(values)
            for flip in (lowest, lowest + 1):
                signed = np.where(np.arange(len(values)) < flip, -roots, roots)
                text = _rooted(tuple(signed.tolist()), times, time, power, loadings)
                if text is not None:
                    return text
        else:
            text = _rooted(tuple(np.cbrt(values).tolist()), times, time, power, loadings)
            if text is not None:
                return text
    return None


def _rooted(
    roots: tuple[float, ...],
    times: tuple[float, ...],
    time: str,
    power: int,
    loadings: tuple[float, ...],
) -> str | None:
    affine = affine_map(roots, times)
    if affine is None:
        return None
    intercept, slope = affine
    if not same(tuple((intercept + slope * t) ** power for t in times), loadings):
        return None
    base = affine_text(intercept, slope, time, times)
    return f"I({base}**{power})" if base == time else f"I(({base})**{power})"


def _polynomial(loadings: tuple[float, ...], times: tuple[float, ...], time: str) -> str | None:
    degree = polynomial_degree(loadings, times)
    if degree is None or degree >= len(times) - 1:
        return None
    if degree == 0:
        # R wants a variable as long as the data.
        return f"I({loadings[0]!r} + 0*{time})"
    fitted = np.polynomial.polynomial.polyfit(np.asarray(times), np.asarray(loadings), degree)
    reach = max(abs(t) for t in times)
    for digits in (12, 17):
        # Twelve digits, less what is rounding, where they give the loadings back.
        sizes = np.abs(fitted) * reach ** np.arange(degree + 1)
        kept = np.array([float(f"{value:.{digits}g}") for value in fitted])
        kept[sizes < 10.0 ** (3 - digits) * sizes.max()] = 0.0
        values = np.polynomial.polynomial.polyval(np.asarray(times), kept)
        if same(tuple(values.tolist()), loadings):
            return f"I({_sum(kept.tolist(), time)})"
    return None


def _sum(coefficients: list[float], time: str) -> str:
    """A polynomial as text, highest power last."""
    pieces = []
    for power, value in enumerate(coefficients):
        if not value:
            continue
        factor = "" if power == 0 else time if power == 1 else f"{time}**{power}"
        size = number(abs(value)) if float(number(abs(value))) == abs(value) else repr(abs(value))
        shown = f"{size}*{factor}" if factor and size != "1" else factor or size
        pieces.append(("- " if value < 0 else "+ ") + shown)
    text = " ".join(pieces)
    return text[2:] if text.startswith("+ ") else "-" + text[2:]
