"""A mixed model's implied moments in symbols: ``X b`` and ``Z G Z' + R``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from growthmm.equivalence.correspondence import Correspondence
from growthmm.equivalence.proof.symbols import covariate_symbol, number, symbol
from growthmm.errors import UnsupportedError
from growthmm.model.expression import variables
from growthmm.model.residual_parameters import residual_parameters
from growthmm.model.schema import Column, ColumnPart
from growthmm.translation.pair import Pair
from growthmm.translation.tabulate import tabulate

if TYPE_CHECKING:
    import sympy

__all__ = ["mixed_covariance", "mixed_mean"]


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
    return design * sympy.Matrix([symbol(name) for name in names])


def mixed_covariance(pair: Pair, link: Correspondence) -> sympy.Matrix:
    """Marginal covariance matrix ``Z G Z' + R``, (n_times, n_times)."""
    import sympy

    problem, n = link.mixed.problem, len(pair.growth.schema.occasions)
    residual = _residual(pair, n)
    columns = [c for block in pair.mixed.random for c in block.columns]
    if not columns:
        return residual
    Z = sympy.Matrix([[*_column(pair, c)] for c in columns]).T
    G = sympy.zeros(len(columns), len(columns))
    for (a, b), cell in zip(problem.block_entries, problem.block_cells, strict=True):
        G[a, b] = G[b, a] = symbol(cell) if isinstance(cell, str) else number(cell)
    return Z * G * Z.T + residual


def _column(pair: Pair, column: Column) -> list[sympy.Expr]:
    """A design column at the occasions."""
    schema = pair.mixed.schema
    own = [part for part in column.parts if not _of_time(pair, part)]
    moving = tuple(part for part in column.parts if part not in own)
    numbers = [number(v) for v in tabulate(Column(column.term, moving), schema)]
    if not own:
        return numbers
    for covariate in pair.growth.covariates:
        if set(covariate.column.parts) == set(own):
            repeated = 1 if covariate.time_varying else len(numbers)
            names = covariate.columns * repeated
            return [covariate_symbol(name) * v for name, v in zip(names, numbers, strict=True)]
    raise UnsupportedError(
        f"The proof has no symbol for the column {column.term}.",
        hint="Levels 2 and 3 of verify show the same with numbers.",
    )


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
    own = {p.key: symbol(named[p.key]) for p in found}
    R = sympy.zeros(n, n)
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
