"""A search that went on in units too far apart, taken up again in well-scaled coordinates."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from growthmm.engines.wide.constraints import Jet, Relation, relations
from growthmm.engines.wide.coordinates import well_scaled
from growthmm.engines.wide.likelihood import System, evaluate
from growthmm.engines.wide.problem import WideProblem
from growthmm.engines.wide.search import Solution, solve

__all__ = ["polished"]

FloatArray = NDArray[np.float64]

DEPENDENT = 1e-9
"""Ratio of curvatures, in units of the parameters' own, from which on directions count as lost."""


def polished(
    problem: WideProblem, system: System, found: Solution, *, restricted: bool
) -> Solution:
    """The solution, or where the likelihood is too flat in natural parameters, a better one.

    A direction whose curvature drowns in rounding looks like one of no gain, and a search may end
    far below the maximum and not know it. Newton's method goes on from there along the columns of
    T, in which no direction is flat.

    Parameters
    ----------
    problem, system : WideProblem, System
        Model and data.
    found : Solution
        Where the search in natural parameters ended.
    restricted : bool
        Whether the likelihood is.

    Returns
    -------
    Solution
        In natural parameters.
    """
    if _well_scaled_already(found):
        return found
    origin, turn = found.point, well_scaled(system, found.point)
    turned = replace(system, turn=turn)

    def objective(z: FloatArray) -> tuple[float, FloatArray, FloatArray]:
        e = evaluate(turned, origin + turn @ z, restricted=restricted)
        return e.value, e.score, e.hessian

    def constraints(z: FloatArray) -> list[Relation]:
        return [
            replace(
                c,
                jet=Jet(c.jet.value, turn.T @ c.jet.gradient, turn.T @ c.jet.hessian @ turn),
            )
            for c in relations(problem.model, origin + turn @ z)
        ]

    better = solve(objective, np.zeros(len(origin)), constraints)
    if better.value < found.value - 1e-9 * (1.0 + abs(found.value)):
        return found
    back = np.linalg.inv(turn)
    return replace(
        better,
        point=origin + turn @ better.point,
        lagrangian=back.T @ better.lagrangian @ back,
        tangent=turn @ better.tangent,
        iterations=found.iterations + better.iterations,
    )


def _well_scaled_already(found: Solution) -> bool:
    inner = -(found.tangent.T @ found.lagrangian @ found.tangent)
    if not np.all(np.isfinite(inner)) or not len(inner):
        return True
    size = np.sqrt(np.maximum(np.abs(np.diag(inner)), np.finfo(float).tiny))
    curve = np.abs(np.linalg.eigvalsh(inner / np.outer(size, size)))
    return bool(curve.min() > DEPENDENT * curve.max())
