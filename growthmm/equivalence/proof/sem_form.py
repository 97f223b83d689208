"""A structural equation model's implied moments in symbols, by matrices and by tracing paths."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from growthmm.equivalence.proof.symbols import (
    Parts,
    covariate_symbol,
    definition_symbol,
    number,
    sem_symbols,
)
from growthmm.errors import UnsupportedError
from growthmm.model.sem import SemModel

if TYPE_CHECKING:
    import sympy

__all__ = ["joint_moments", "sem_moments", "sem_parts", "traced_covariance"]


def coefficients(model: SemModel) -> dict[str, sympy.Expr]:
    """What stands at each path: its parameter's symbol, or its number."""
    known = sem_symbols(model)
    made = {p.name: known[p.parameter] if p.free else number(p.value or 0.0) for p in model.paths}
    own = {p.name: definition_symbol(p.definition) for p in model.paths if p.definition}
    return made | own


def sem_moments(model: SemModel, group: int = 0) -> tuple[sympy.Matrix, sympy.Matrix]:
    """Means and covariance matrix of a group's outcomes given covariates, which stand as symbols.

    With directed paths A, covariances S, means m and covariates' paths K in the order of outcomes
    and latent variables: ``F (I - A)^-1 (m + K x)`` and ``F (I - A)^-1 S (I - A)^-T F'``, F
    keeping the outcomes (McArdle & McDonald 1984, doi:10.1111/j.2044-8317.1984.tb00802.x). Of
    several levels the moments add up.

    Raises
    ------
    UnsupportedError
        If the paths form a cycle.
    """
    import sympy

    n = len(model.outcomes)
    mean, covariance = sympy.zeros(n, 1), sympy.zeros(n, n)
    for level in range(1, model.n_levels + 1):
        rows, S, m = _reduced(model, level, group)
        mean, covariance = mean + rows * m, covariance + rows * S * rows.T
    return mean, covariance


def sem_parts(model: SemModel, level: int = 1, group: int = 0) -> Parts:
    """A level's covariance matrix by loadings, factors' and outcomes' own covariances.

    What covaries across the two is in the residual part.

    Raises
    ------
    UnsupportedError
        If the paths form a cycle.
    """
    n = len(model.outcomes)
    rows, S, _ = _reduced(model, level, group)
    own = [
        k
        for k, name in enumerate([*model.outcomes, *model.latent])
        if k >= n and _at(model, name, level, group)
    ]
    loadings, factors = rows.extract(range(rows.rows), own), S.extract(own, own)
    if any(entry != 0 for entry in S[:n, n:]):
        return Parts(loadings, factors, rows * S * rows.T - loadings * factors * loadings.T)
    return Parts(loadings, factors, rows[:, :n] * S[:n, :n] * rows[:, :n].T)


def _at(model: SemModel, latent: str, level: int, group: int) -> bool:
    """Whether a latent variable stands at a level, in a group."""
    return any(
        (p.level, p.group) == (level, group) and latent in (p.left, p.right) for p in model.paths
    )


def _reduced(
    model: SemModel, level: int, group: int
) -> tuple[sympy.Matrix, sympy.Matrix, sympy.Matrix]:
    """``F (I - A)^-1``, `S` and ``m + K x`` of one level, in one group."""
    whole, S, m = _all_variables(model, level, group)
    return whole[: len(model.outcomes), :], S, m


def joint_moments(model: SemModel) -> tuple[list[str], sympy.Matrix, sympy.Matrix]:
    """Names, means and covariance matrix of outcomes and latent variables given covariates.

    Raises
    ------
    UnsupportedError
        If the paths form a cycle.
    """
    whole, S, m = _all_variables(model, 1, 0)
    return [*model.outcomes, *model.latent], whole * m, whole * S * whole.T


def _all_variables(
    model: SemModel, level: int, group: int
) -> tuple[sympy.Matrix, sympy.Matrix, sympy.Matrix]:
    """``(I - A)^-1``, `S` and ``m + K x`` of outcomes and latent variables."""
    import sympy

    names = [*model.outcomes, *model.latent]
    at, n = {name: k for k, name in enumerate(names)}, len(names)
    A, S, m = sympy.zeros(n, n), sympy.zeros(n, n), sympy.zeros(n, 1)
    values = coefficients(model)
    for path in model.paths:
        if (path.level, path.group) != (level, group):
            continue
        value = values[path.name]
        if path.op == "~1":
            m[at[path.left]] += value
        elif path.op == "~~":
            S[at[path.left], at[path.right]] = S[at[path.right], at[path.left]] = value
        else:
            to, by = (path.left, path.right) if path.op == "~" else (path.right, path.left)
            if by in at:
                A[at[to], at[by]] = value
            else:
                m[at[to]] += value * covariate_symbol(by)
    whole, power = sympy.eye(n), A
    for _ in range(n):
        if power.is_zero_matrix:
            break
        whole, power = whole + power, power * A
    else:
        raise UnsupportedError(
            "The paths form a cycle, and the proof expands paths.",
            hint="Levels 2 and 3 of verify show the same with numbers.",
        )
    return whole, S, m


def traced_covariance(model: SemModel, level: int = 1, group: int = 0) -> sympy.Matrix:
    """A level's covariance matrix by Wright's rules, read off the path diagram.

    The covariance of two variables is the sum, over all ways back along arrows from the first,
    over one curved arrow, and forth along arrows to the second, of the products of what stands
    at them (Wright 1934, doi:10.1214/aoms/1177732676). No matrix is inverted.
    """
    import sympy

    graph = model.graph()
    values = coefficients(model)
    given = set(model.covariates)
    directed: dict[str, list[tuple[str, sympy.Expr]]] = {}
    curved: dict[str, list[tuple[str, sympy.Expr]]] = {}
    for source, target, edge in graph.edges(data=True):
        if (edge["level"], edge["group"]) != (level, group):
            continue
        value = values[edge["name"]]
        if edge["kind"] in ("loading", "regression"):
            if source not in given:
                directed.setdefault(target, []).append((source, value))
        elif edge["kind"] != "mean":
            curved.setdefault(source, []).append((target, value))
            if source != target:
                curved.setdefault(target, []).append((source, value))
    ways: dict[str, list[tuple[str, Any]]] = {}

    def back(variable: str) -> list[tuple[str, Any]]:
        """Where ways back along arrows end, each with the product along it."""
        if variable not in ways:
            ways[variable] = [(variable, sympy.Integer(1))] + [
                (end, value * product)
                for source, value in directed.get(variable, ())
                for end, product in back(source)
            ]
        return ways[variable]

    n = len(model.outcomes)
    made = sympy.zeros(n, n)
    for j, first in enumerate(model.outcomes):
        for k, second in enumerate(model.outcomes[: j + 1]):
            made[j, k] = made[k, j] = sympy.Add(
                *(
                    one * bend * other
                    for turn, one in back(first)
                    for there, bend in curved.get(turn, ())
                    for end, other in back(second)
                    if end == there
                )
            )
    return made
