"""The covariance matrix of the estimates, in coordinates in which the information is well scaled.

In the user's units the information matrix may be singular to working precision (time counted from
the year 0, say), although the moments tell all parameters apart. It is then taken along the columns
of a matrix T, chosen so that the whitened first derivatives of the moments are orthonormal along
them, and ``T (T'IT)^-1 T'`` is carried back. T is the identity where nothing is gained by it.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from growthmm.engines.wide import ram as r
from growthmm.engines.wide.constraints import Relation, relations
from growthmm.engines.wide.coordinates import sample_designs, well_scaled
from growthmm.engines.wide.likelihood import System, evaluate
from growthmm.engines.wide.problem import WideProblem
from growthmm.engines.wide.search import Solution, null_basis
from growthmm.engines.wide.statistics import Cells
from growthmm.engines.wide.transform import Transform, covariance_blocks

__all__ = ["estimate_covariance", "invert", "lagrangian", "well_conditioned"]

FloatArray = NDArray[np.float64]

SINGULAR = 1e-8
"""Share of a block's largest variance below which one counts as zero."""


WELL = 1e-5
"""Ratio of extreme eigenvalues above which an inverse keeps ten digits."""


def invert(matrix: FloatArray) -> FloatArray:
    """Inverse of a symmetric matrix in units of its diagonal, on its non-null space."""
    size = np.sqrt(np.maximum(np.abs(np.diag(matrix)), np.finfo(float).tiny))
    values, vectors = np.linalg.eigh(matrix / np.outer(size, size))
    solid = np.abs(values) > 1e-13 * float(np.abs(values).max(initial=0.0))
    inverse = np.where(solid, 1.0 / np.where(solid, values, 1.0), 0.0)
    return np.asarray(((vectors * inverse) @ vectors.T) / np.outer(size, size))


def well_conditioned(information: FloatArray) -> bool:
    """Whether an information matrix, in units of its diagonal, can be inverted as it stands."""
    diagonal = np.diag(information)
    if not (np.isfinite(information).all() and (diagonal > 0).all()):
        return False
    size = np.sqrt(diagonal)
    curve = np.linalg.eigvalsh(information / np.outer(size, size))
    return bool(len(curve) == 0 or curve[0] > WELL * curve[-1])


def estimate_covariance(
    problem: WideProblem,
    system: System,
    transform: Transform,
    best: Solution,
    *,
    estimator: str,
    kind: str,
    bounded: bool,
) -> FloatArray:
    """Covariance of the estimates within the space that constraints and bounds leave.

    Parameters
    ----------
    problem, system : WideProblem, System
        Model and data.
    transform : Transform
        From the search's parameters to the natural ones.
    best : Solution
        Where the search ended.
    estimator : {"ml", "reml"}
        Which likelihood.
    kind : {"expected", "observed"}
        Which information matrix.
    bounded : bool
        Whether covariance matrices are held positive semi-definite: a singular one may then only
        move along its boundary.

    Returns
    -------
    (n_parameters, n_parameters) ndarray
    """
    values = transform.natural(best.point)
    turn = np.eye(len(values))
    at = evaluate(system, values, restricted=estimator == "reml")
    if not (well_conditioned(at.expected) and well_conditioned(-at.hessian)):
        turn = well_scaled(system, values)
        at = evaluate(replace(system, turn=turn), values, restricted=estimator == "reml")
    if kind == "observed" and not transform.trivial:
        slope = transform.slope(best.point) @ best.tangent
        covariance = slope @ invert(-(best.tangent.T @ best.lagrangian @ best.tangent)) @ slope.T
    else:
        held = _held(problem, best, values)
        rows = [c.jet.gradient for c in held]
        rows += _faces(system, values) if bounded else []
        basis = null_basis(np.array(rows).reshape(-1, len(values)) @ turn, len(values))
        inner = at.expected if kind == "expected" else -lagrangian(at.hessian, at.score, held, turn)
        along = turn @ basis
        covariance = along @ invert(basis.T @ inner @ basis) @ along.T
    if estimator == "reml" and len(system.fixed):
        fixed = system.fixed
        covariance[fixed, :] = covariance[:, fixed] = 0.0
        block = np.ix_(fixed, fixed)
        covariance[block] = turn[block] @ invert(-at.hessian[block]) @ turn[block].T
    return np.asarray(covariance)


def _held(problem: WideProblem, best: Solution, values: FloatArray) -> list[Relation]:
    """Constraints that hold with equality, in natural parameters."""
    active = {c.text for c in best.active}
    return [c for c in relations(problem.model, values) if c.equality or c.text in active]


def lagrangian(
    hessian: FloatArray, score: FloatArray, held: list[Relation], turn: FloatArray
) -> FloatArray:
    """Hessian of the Lagrangian, with the multipliers that fit the score best.

    Parameters
    ----------
    hessian, score : ndarray
        Of the log-likelihood, along the columns of `turn`.
    held : list of Relation
        Constraints that hold with equality.
    turn : (n_parameters, n_parameters) ndarray
        The coordinates.
    """
    if not held:
        return hessian
    slope = np.array([c.jet.gradient for c in held]) @ turn
    multipliers = np.linalg.lstsq(slope.T, score, rcond=None)[0]
    bend = sum(
        (m * c.jet.hessian for m, c in zip(multipliers, held, strict=True)),
        np.zeros_like(hessian),
    )
    return np.asarray(hessian - turn.T @ bend @ turn)


def _faces(system: System, values: FloatArray) -> list[FloatArray]:
    """What holds for moves dG of a singular block G with null space N: ``N' dG N = 0``."""
    rows: list[FloatArray] = []
    for block in covariance_blocks(system):
        if not (block.latent or len(block.variables) == 1):
            continue
        matrix = block.matrix(values)
        ram, cells = system.groups[block.group]
        unit = _units(ram, cells, block.variables, values)
        curve, vectors = np.linalg.eigh(matrix * np.outer(unit, unit))
        null = unit[:, None] * vectors[:, curve <= SINGULAR]
        for i in range(null.shape[1]):
            for j in range(i + 1):
                row = np.zeros(len(values))
                for a, owners in enumerate(block.owners):
                    for b, owner in enumerate(owners):
                        if owner >= 0:
                            row[owner] += null[a, i] * null[b, j]
                if np.any(row):
                    rows.append(row)
    return rows


def _units(ram: r.Ram, cells: Cells, variables: tuple[int, ...], values: FloatArray) -> FloatArray:
    """Typical effect of each variable on the outcomes, in their standard deviations."""
    at = r.implied(ram, values, sample_designs(cells))
    if at is None:
        return np.ones(len(variables))
    effects = (at.b[:, : ram.n_outcomes, list(variables)] ** 2).mean(axis=0)
    share = np.sqrt((effects / cells.variances()[:, None]).max(axis=0))
    return np.where(share > 0, share, 1.0)
