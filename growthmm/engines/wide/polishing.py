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

__all__ = ["polished", "search"]

FloatArray = NDArray[np.float64]

DEPENDENT = 1e-9
"""Ratio of curvatures, in units of the parameters' own, from which on directions count as lost."""


def polished(problem: WideProblem, system: System, found: Solution) -> Solution:
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

    Returns
    -------
    Solution
        In natural parameters.
    """
    if _well_scaled_already(found):
        return found
    better = search(problem, system, found.point, restricted=False)
    if better is None or better.value < found.value - 1e-9 * (1.0 + abs(found.value)):
        return found
    return replace(better, iterations=found.iterations + better.iterations)


def search(
    problem: WideProblem,
    system: System,
    origin: FloatArray,
    *,
    restricted: bool,
    radius: float = 1.0,
) -> Solution | None:
    """Maximise along well-scaled directions.

    Parameters
    ----------
    problem, system : WideProblem, System
        Model and data.
    origin : (n_parameters,) ndarray
        Where to start.
    restricted : bool
        Whether the likelihood is.
    radius : float
        First radius of the trust region.

    Returns
    -------
    Solution or None
        In natural parameters; None where the likelihood does not exist at `origin`.
    """
    given = any(c.solves is not None for c in relations(problem.model, origin))
    # A parameter that a constraint gives outright has to be a coordinate of the search.
    turn = np.eye(len(origin)) if given else well_scaled(system, origin)
    turned = replace(system, turn=turn)

    def objective(z: FloatArray) -> tuple[float, FloatArray, FloatArray]:
        e = evaluate(turned, origin + turn @ z, restricted=restricted)
        return e.value, e.score, e.hessian

    def constraints(z: FloatArray) -> list[Relation]:
        if given:
            return relations(problem.model, origin + z)
        return [
            replace(
                c,
                jet=Jet(c.jet.value, turn.T @ c.jet.gradient, turn.T @ c.jet.hessian @ turn),
            )
            for c in relations(problem.model, origin + turn @ z)
        ]

    if not np.isfinite(objective(np.zeros(len(origin)))[0]):
        return None
    found = solve(objective, np.zeros(len(origin)), constraints, radius=radius)
    back = np.linalg.inv(turn)
    return replace(
        found,
        point=origin + turn @ found.point,
        lagrangian=back.T @ found.lagrangian @ back,
        tangent=turn @ found.tangent,
    )


def _well_scaled_already(found: Solution) -> bool:
    inner = -(found.tangent.T @ found.lagrangian @ found.tangent)
    if not np.all(np.isfinite(inner)) or not len(inner):
        return True
    size = np.sqrt(np.maximum(np.abs(np.diag(inner)), np.finfo(float).tiny))
    curve = np.abs(np.linalg.eigvalsh(inner / np.outer(size, size)))
    return bool(curve.min() > DEPENDENT * curve.max())
