"""A mixed model's implied moments in symbols: ``X b`` and ``Z G Z' + R``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from growthmm.equivalence.correspondence import Correspondence
from growthmm.equivalence.proof.residual_form import residual_matrix
from growthmm.equivalence.proof.strata import Stratum
from growthmm.equivalence.proof.symbols import (
    Parts,
    covariate_symbol,
    definition_symbol,
    number,
    read_expression,
    symbol,
)
from growthmm.errors import UnsupportedError
from growthmm.model.growth import Covariate
from growthmm.model.schema import Column, ColumnPart
from growthmm.model.terms import Term
from growthmm.translation.groups.grouping import of_group, split_by_group
from growthmm.translation.loadings.curves import curve_factor, is_curve
from growthmm.translation.pair import Pair
from growthmm.translation.tabulate import part_variables, tabulate

if TYPE_CHECKING:
    import sympy

__all__ = ["curved_effects", "mixed_mean", "mixed_parts"]


def mixed_mean(pair: Pair, link: Correspondence, stratum: Stratum) -> sympy.Matrix:
    """Fixed-effects design times coefficients, (n_times, 1); covariates stand as symbols.

    Raises
    ------
    UnsupportedError
        If a column is no product of functions of time and covariates of the wide form.
    """
    import sympy

    design = _design(pair, pair.mixed.fixed, stratum)
    names, curved = link.mixed.problem.fixed_names, curved_effects(pair, link)
    return design * sympy.Matrix(len(names), 1, [curved.get(n) or symbol(n) for n in names])


def curved_effects(pair: Pair, link: Correspondence) -> dict[str, sympy.Symbol]:
    """The symbols ``b[exp(-g * t)]`` of fixed effects whose names would read as their loadings."""
    named = zip(link.mixed.problem.fixed_names, pair.mixed.fixed, strict=True)
    return {n: symbol(f"b[{n}]") for n, c in named if is_curve(c.parts, pair.mixed.model)}


def mixed_parts(pair: Pair, link: Correspondence, stratum: Stratum, level: int = 1) -> Parts:
    """Design, covariance and residual of a level's random effects: ``Z G Z' + R``.

    Random effects that the stratum's persons don't have are left out.

    Parameters
    ----------
    pair : Pair
        The two forms.
    link : Correspondence
        Their parameters' names.
    stratum : Stratum
        Whose.
    level : {1, 2}
        Persons (with the residuals), or clusters of persons.

    Raises
    ------
    UnsupportedError
        If a column, or the residual structure, has no symbols here.
    """
    import sympy

    problem, n = link.mixed.problem, len(stratum.occasions)
    columns = [c for block in pair.mixed.random for c in block.columns]
    at = [k for b in problem.blocks if b.outer == (level == 2) for k in b.columns]
    design = _design(pair, [columns[k] for k in at], stratum)
    kept = [k for k in range(len(at)) if not design[:, k].is_zero_matrix]
    at, design = [at[k] for k in kept], design.extract(list(range(n)), kept)
    covariance = sympy.zeros(len(at), len(at))
    for (a, b), cell in zip(problem.block_entries, problem.block_cells, strict=True):
        if a in at and b in at:
            value = symbol(cell) if isinstance(cell, str) else number(cell)
            covariance[at.index(a), at.index(b)] = covariance[at.index(b), at.index(a)] = value
    residual = residual_matrix(pair, stratum) if level == 1 else sympy.zeros(n, n)
    return Parts(design, covariance, residual)


def _design(pair: Pair, columns: Sequence[Column], stratum: Stratum) -> sympy.Matrix:
    """Design columns at the stratum's occasions, (n_times, n_columns)."""
    import sympy

    made = sympy.zeros(len(stratum.occasions), len(columns))
    for k, column in enumerate(columns):
        values = _column(pair, column, stratum)
        for j, place in enumerate(stratum.occasions):
            made[j, k] = values[place]
    return made


def _column(pair: Pair, column: Column, stratum: Stratum) -> list[sympy.Expr]:
    """A design column at all occasions or visits, as it is for persons of the stratum."""
    n, parts, weight = len(pair.growth.schema.numbers), column.parts, 1.0
    if stratum.level is not None:
        own, parts = split_by_group(parts, pair.growth.schema.grouping)
        weight = of_group(own, pair.growth.schema)[stratum.level]
    if weight == 0:
        return [number(0.0)] * n
    whole = _of_time(pair, parts, stratum)
    if whole is None:
        whole = _with_covariate(pair, parts, stratum)
    if whole is None:
        raise UnsupportedError(
            f"The proof has no symbol for the column {column.term}.",
            hint="Levels 2 and 3 of verify show the same with numbers.",
        )
    return [number(weight) * value for value in whole]


def _with_covariate(
    pair: Pair, parts: Sequence[ColumnPart], stratum: Stratum
) -> list[sympy.Expr] | None:
    """A product of a covariate of the wide form and a function of time."""
    known: dict[str, Covariate] = {
        c.name: c for c in (*pair.growth.covariates, *pair.sem.covariates)
    }
    for covariate in sorted(known.values(), key=lambda c: -len(c.column.parts)):
        own = covariate.column.parts
        if not set(own) <= set(parts):
            continue
        moving = _of_time(pair, [part for part in parts if part not in own], stratum)
        if moving is None:
            continue
        names = covariate.columns * (1 if covariate.time_varying else len(moving))
        # A lagged covariate has no column, and is zero, at the first occasions.
        return [
            covariate_symbol(name) * value if name else number(0.0)
            for name, value in zip(names, moving, strict=True)
        ]
    return None


def _of_time(pair: Pair, parts: Sequence[ColumnPart], stratum: Stratum) -> list[sympy.Expr] | None:
    """A product of functions of time and loading parameters; None where it is something else."""
    schema = pair.mixed.schema
    if not parts:
        return [number(1.0)] * len(schema.numbers)
    defined = _defined(pair, parts, stratum)
    if defined is not None:
        return defined
    loadings = pair.mixed.model.loading_names
    moving = {v.name for v in schema.variables if v.role == "time_function"} | {schema.time}
    if not schema.shared_times or not all(
        set(part_variables(part)) <= moving | set(loadings) for part in parts
    ):
        return None
    column = Column(Term(tuple(part.expression for part in parts)), tuple(parts))
    if not is_curve(parts, pair.mixed.model):
        return [number(value) for value in tabulate(column, schema)]
    cells = curve_factor("", column, loadings, schema).cells
    known = {name: symbol(name) for name in loadings}
    return [
        read_expression(cell, known) if isinstance(cell, str) else number(cell) for cell in cells
    ]


def _defined(pair: Pair, parts: Sequence[ColumnPart], stratum: Stratum) -> list[sympy.Expr] | None:
    """The definition variables that a column is, visit by visit."""
    for factor in pair.growth.factors:
        if factor.definition and set(factor.column.parts) == set(parts):
            found = {
                p.right: p.definition
                for p in pair.sem.model.paths
                if p.left == factor.name and p.op == "=~" and p.group == stratum.group
            }
            own = [found.get(y) for y in pair.growth.schema.outcome_columns]
            # A lagged covariate has no column, and is zero, where there is no other occasion.
            return [definition_symbol(name) if name else number(0.0) for name in own]
    return None
