"""A structural equation model's implied moments in symbols, by matrices and by tracing paths."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from growthmm.equivalence.proof.symbols import covariate_symbol, number, sem_symbols
from growthmm.errors import UnsupportedError
from growthmm.model.sem import SemModel

if TYPE_CHECKING:
    import sympy

__all__ = ["sem_moments", "traced_covariance"]


def coefficients(model: SemModel) -> dict[str, sympy.Expr]:
    """What stands at each path: its parameter's symbol, or its number."""
    known = sem_symbols(model)
    return {p.name: known[p.parameter] if p.free else number(p.value or 0.0) for p in model.paths}


def sem_moments(model: SemModel) -> tuple[sympy.Matrix, sympy.Matrix]:
    """Means and covariance matrix of the outcomes given covariates, which stand as symbols.

    With directed paths A, covariances S, means m and covariates' paths K in the order of outcomes
    and latent variables: ``F (I - A)^-1 (m + K x)`` and ``F (I - A)^-1 S (I - A)^-T F'``, F
    keeping the outcomes (McArdle & McDonald 1984, doi:10.1111/j.2044-8317.1984.tb00802.x).

    Raises
    ------
    UnsupportedError
        If the paths form a cycle.
    """
    import sympy

    names = [*model.outcomes, *model.latent]
    at, n = {name: k for k, name in enumerate(names)}, len(names)
    A, S, m = sympy.zeros(n, n), sympy.zeros(n, n), sympy.zeros(n, 1)
    values = coefficients(model)
    for path in model.paths:
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
    rows = whole[: len(model.outcomes), :]
    return rows * m, rows * S * rows.T


def traced_covariance(model: SemModel) -> sympy.Matrix:
    """The covariance matrix by Wright's rules, read off the path diagram.

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
