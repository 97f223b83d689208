"""A mixed model's implied moments in symbols: ``X b`` and ``Z G Z' + R``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from growthmm.equivalence.correspondence import Correspondence
from growthmm.equivalence.proof.symbols import (
    Parts,
    covariate_symbol,
    definition_symbol,
    number,
    symbol,
)
from growthmm.errors import UnsupportedError
from growthmm.model.expression import variables
from growthmm.model.residual_parameters import residual_parameters
from growthmm.model.schema import Column, ColumnPart
from growthmm.translation.pair import Pair
from growthmm.translation.tabulate import tabulate

if TYPE_CHECKING:
    import sympy

__all__ = ["mixed_mean", "mixed_parts"]


def mixed_mean(pair: Pair, link: Correspondence) -> sympy.Matrix:
    """Fixed-effects design times coefficients, (n_times, 1); covariates stand as symbols.

    Raises
    ------
    UnsupportedError
        If a column is no product of functions of time and covariates of the wide form.
    """
    import sympy

    design = sympy.Matrix([[*_column(pair, c)] for c in pair.mixed.fixed]).T
    names = link.mixed.problem.fixed_names
    return _as_written(pair, design) * sympy.Matrix([symbol(name) for name in names])


def mixed_parts(pair: Pair, link: Correspondence, level: int = 1) -> Parts:
    """Design, covariance and residual of a level's random effects: ``Z G Z' + R``.

    Parameters
    ----------
    pair : Pair
        The two forms.
    link : Correspondence
        Their parameters' names.
    level : {1, 2}
        Persons (with the residuals), or clusters of persons.

    Raises
    ------
    UnsupportedError
        If the residual structure has no symbols here.
    """
    import sympy

    problem, n = link.mixed.problem, len(pair.growth.schema.numbers)
    at = [k for b in problem.blocks if b.outer == (level == 2) for k in b.columns]
    columns = [c for block in pair.mixed.random for c in block.columns]
    design = sympy.zeros(n, 0)
    if at:
        design = sympy.Matrix([[*_column(pair, columns[k])] for k in at]).T
    covariance = sympy.zeros(len(at), len(at))
    for (a, b), cell in zip(problem.block_entries, problem.block_cells, strict=True):
        if a in at:
            value = symbol(cell) if isinstance(cell, str) else number(cell)
            covariance[at.index(a), at.index(b)] = covariance[at.index(b), at.index(a)] = value
    residual = _residual(pair, n) if level == 1 else sympy.zeros(n, n)
    residual = _as_written(pair, _as_written(pair, residual).T)
    return Parts(_as_written(pair, design), covariance, residual)


def _as_written(pair: Pair, rows: sympy.Matrix) -> sympy.Matrix:
    """Rows of the occasions in the order in which the growth curve names its outcomes."""
    columns, outcomes = pair.mixed.schema.outcome_columns, pair.sem.model.outcomes
    if columns == outcomes or set(columns) != set(outcomes):
        return rows
    return rows.extract([columns.index(y) for y in outcomes], list(range(rows.cols)))


def _column(pair: Pair, column: Column) -> list[sympy.Expr]:
    """A design column at the occasions."""
    defined = _defined(pair, column)
    if defined:
        return defined
    own = [part for part in column.parts if not _of_time(pair, part)]
    moving = _moving(pair, Column(column.term, tuple(p for p in column.parts if p not in own)))
    if not own:
        return moving
    for covariate in pair.growth.covariates:
        if covariate.time_varying and set(covariate.column.parts) == set(column.parts):
            return [covariate_symbol(x) if x else number(0.0) for x in covariate.columns]
    for covariate in pair.growth.covariates:
        if set(covariate.column.parts) == set(own):
            repeated = 1 if covariate.time_varying else len(moving)
            names = covariate.columns * repeated
            # A lagged covariate has no column, and is zero, at the first occasions.
            return [
                covariate_symbol(name) * v if name else number(0.0)
                for name, v in zip(names, moving, strict=True)
            ]
    raise _no_symbol(column)


def _moving(pair: Pair, column: Column) -> list[sympy.Expr]:
    """A product of functions of time at the occasions."""
    schema = pair.mixed.schema
    if schema.shared_times:
        return [number(v) for v in tabulate(column, schema)]
    found = _defined(pair, column) if column.parts else [number(1.0)] * len(schema.numbers)
    if not found:
        raise _no_symbol(column)
    return found


def _no_symbol(column: Column) -> UnsupportedError:
    return UnsupportedError(
        f"The proof has no symbol for the column {column.term}.",
        hint="Levels 2 and 3 of verify show the same with numbers.",
    )


def _defined(pair: Pair, column: Column) -> list[sympy.Expr]:
    """The definition variables that are the column, occasion by occasion; none where none are."""
    model, parts = pair.sem.model, set(column.parts)
    for factor in pair.growth.factors:
        if factor.definition and set(factor.column.parts) == parts:
            found = {
                p.right: p.definition for p in model.paths if p.left == factor.name and p.op == "=~"
            }
            own = pair.mixed.schema.outcome_columns
            # A lagged covariate has no column, and is zero, where there is no other occasion.
            return [definition_symbol(x) if (x := found[y]) else number(0.0) for y in own]
    return []


def _of_time(pair: Pair, part: ColumnPart) -> bool:
    schema = pair.mixed.schema
    moving = {v.name for v in schema.variables if v.role == "time_function"} | {schema.time}
    return set(variables(part.expression)) <= moving


def _residual(pair: Pair, n: int) -> sympy.Matrix:
    """The residual covariance matrix, by the structure's definition."""
    import sympy

    structure, times = pair.growth.residual, pair.growth.schema.occasions
    found = residual_parameters(structure, pair.growth.schema.numbers)
    named = dict(pair.mixed_names)
    R = sympy.zeros(n, n)
    if structure.kind == "by_group":
        levels, series = pair.growth.schema.outcomes, pair.growth.schema.series
        return sympy.diag(*(symbol(named[f"residual:{levels.index(own)}"]) for own in series))
    own = {p.key: symbol(named[p.key]) for p in found}
    for parameter in found:
        for j, k in parameter.cells:
            R[j, k] = R[k, j] = own[parameter.key]
    if "residual:rho" not in own:
        return R
    rho = own["residual:rho"]
    for j in range(n):
        for k in range(n):
            power = number(abs(times[j] - times[k])) if "ar" in structure.kind else int(j != k)
            if structure.kind == "ar1+common":
                R[j, k] = own["residual:ar1"] * rho**power + own["residual"] * int(j == k)
            elif j != k and structure.kind in ("arh1", "csh"):
                R[j, k] = sympy.sqrt(R[j, j]) * sympy.sqrt(R[k, k]) * rho**power
            elif j != k:
                R[j, k] = own["residual"] * rho**power
    return R
