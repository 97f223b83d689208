"""Fits with covariance parameters that are fixed or shared.

The search runs in the free parameters, of which all covariance parameters are affine functions, so
that derivatives follow by the chain rule. Where the maximum without bounds is no covariance matrix
and bounds are asked for, a logarithmic barrier ``mu log|G|`` with falling `mu` keeps every block
inside its cone; at the end the log-likelihood is at most ``mu`` times the blocks' rows below the
bounded maximum (Boyd & Vandenberghe 2004, section 11.2, doi:10.1017/CBO9780511804441).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from growthmm.engines.long.cones import Cone, barrier, cones_of, inside, null_vectors
from growthmm.engines.long.ending import TOLERANCE, block_labels, convergence, inverse, search
from growthmm.engines.long.evaluation import parameter_kinds, parameter_names
from growthmm.engines.long.prepared import Prepared, prepare
from growthmm.engines.long.problem import LongProblem
from growthmm.engines.long.restricted_boundary import describe_boundary
from growthmm.engines.long.surface import (
    Estimator,
    Surface,
    expected_information,
    hessian,
    log_likelihood,
    profile,
    score,
)
from growthmm.engines.optimiser import Objective, Optimum
from growthmm.engines.outcome import EngineFit
from growthmm.errors import FitFailedError, SpecificationError

__all__ = ["fit_restricted"]

FloatArray = NDArray[np.float64]

BARRIERS = tuple(10.0**-power for power in range(12))


@dataclass(frozen=True)
class Affine:
    """Internal covariance parameters as ``constant + slope @ point``.

    Parameters
    ----------
    constant : (n_covariance,) ndarray
    slope : (n_covariance, n_free) ndarray
    unit : (n_free,) ndarray
        The user's free parameters per coordinate of `point`.
    """

    constant: FloatArray
    slope: FloatArray
    unit: FloatArray

    def value(self, point: FloatArray) -> FloatArray:
        """The internal covariance parameters."""
        return np.asarray(self.constant + self.slope @ point, dtype=float)


def fit_restricted(
    problem: LongProblem,
    estimator: Estimator,
    bounds: Literal["psd", "none"],
    information: Literal["expected", "observed"],
    start: FloatArray | None,
) -> EngineFit:
    """Fit a problem whose covariance parameters are partly fixed or shared.

    Parameters
    ----------
    problem : LongProblem
        With a pattern or fixed parameters.
    estimator, bounds, information, start
        As in `fit`.

    Returns
    -------
    EngineFit
        Free parameters only.

    Raises
    ------
    SpecificationError
        If no covariance matrix has the pattern.
    FitFailedError
        If the likelihood cannot be computed at the start.
    """
    ready = prepare(problem)
    restriction = ready.restriction
    assert restriction is not None
    p = ready.n_fixed
    affine = _affine(ready)
    cones = cones_of(ready.blocks, affine.constant, affine.slope, bounded=bounds == "psd")
    begin = _begin(ready, affine, cones, start, bounded=bounds == "psd")
    optimum, point, barred = _maximise(
        ready, affine, cones, begin, estimator=estimator, bounds=bounds
    )
    surface = ready.surface(affine.value(point))
    if surface is None:
        raise FitFailedError(
            "The search ended where the likelihood is not defined.",
            hint="Give starting values with `start`, or a simpler covariance structure.",
        )
    labels, columns = block_labels(problem, ready)
    boundary, affected = describe_boundary(
        cones,
        point,
        labels=labels,
        columns=columns,
        ready=ready,
        user=restriction.expand(np.append(np.zeros(p), affine.unit * point), p)[p:],
        barred=barred,
    )
    covariance = _covariance(
        ready, surface, affine, cones if boundary.at_boundary and bounds == "psd" else (),
        point=point, estimator=estimator, information=information, barred=barred,
    )  # fmt: skip
    if boundary.at_boundary and not boundary.beyond:
        lost = np.concatenate([np.zeros(p, dtype=bool), affected])
        covariance[lost] = np.nan
        covariance[:, lost] = np.nan
    fixed = ready.user(np.concatenate([surface.fixed, affine.value(point)]))[:p]
    return EngineFit(
        engine="long",
        estimator=estimator,
        names=parameter_names(problem),
        kinds=parameter_kinds(problem),
        estimates=np.concatenate([fixed, affine.unit * point]),
        covariance=covariance,
        information=information,
        log_likelihood=log_likelihood(surface, estimator) + ready.log_unit(estimator),
        n_subjects=ready.n_subjects,
        n_rows=ready.n_rows,
        convergence=convergence(optimum, boundary, bounds),
        boundary=boundary,
        bounds=bounds,
    )


def _affine(ready: Prepared) -> Affine:
    restriction, p = ready.restriction, ready.n_fixed
    assert restriction is not None
    back = np.linalg.inv(ready.jacobian[p:, p:])
    slope = back @ restriction.matrix
    unit = 1.0 / np.linalg.norm(slope, axis=0)
    return Affine(back @ restriction.constant, slope * unit, unit)


def _begin(
    ready: Prepared,
    affine: Affine,
    cones: tuple[Cone, ...],
    start: FloatArray | None,
    *,
    bounded: bool,
) -> FloatArray:
    """A point inside all cones: from the user's, a scoring step, or nothing but variances."""
    if start is not None:
        given = np.asarray(start, dtype=float)
        if given.shape != (ready.n_parameters,):
            raise SpecificationError(
                f"Starting values of shape {given.shape} for {ready.n_parameters} parameters.",
                hint="Give one value for each of parameter_names(problem).",
            )
        candidates = [given[ready.n_fixed :] / affine.unit]
    else:
        candidates = [_scoring_step(ready, affine), _plain(ready, affine)]
    lifted = [inside(cones, candidate) for candidate in candidates]
    for point in [*lifted, *([] if bounded else candidates)]:
        if point is not None and ready.surface(affine.value(point)) is not None:
            return point
    if bounded and lifted[-1] is None:
        raise SpecificationError(
            "With these fixed values and equalities no covariance matrix of the random effects or "
            "residuals is positive definite where it can move.",
            hint="Is a variance fixed at zero whose covariances are free (fix them too), or a "
            "covariance fixed beyond its variances? bounds='none' allows both.",
        )
    raise FitFailedError(
        "The likelihood is not defined where the search starts: a person's covariance matrix is "
        "singular, or no parameters of the residual structure with these fixed values exist.",
        hint="Free a residual variance that is fixed at zero, or give `start`.",
    )


def _scoring_step(ready: Prepared, affine: Affine) -> FloatArray:
    """One scoring step from no random effects, on the restricted parameters (Rao 1971)."""
    p, k = ready.n_fixed, len(ready.entries)
    surface = ready.plain_surface
    weight = expected_information(surface, "reml")[p:, p:]
    slope = score(surface, "reml")[p:]
    if not ready.structure.linear:
        slope[k:] = 0.0
    right = affine.slope.T @ (slope + weight @ (ready.plain - affine.constant))
    left = affine.slope.T @ weight @ affine.slope
    return np.asarray(np.linalg.lstsq(left, right, rcond=1e-10)[0], dtype=float)


def _plain(ready: Prepared, affine: Affine) -> FloatArray:
    """Near unit variances of everything, without covariances."""
    target = ready.plain
    target[: len(ready.entries)] = [0.5 * float(a == b) for a, b in ready.entries]
    return np.asarray(
        np.linalg.lstsq(affine.slope, target - affine.constant, rcond=None)[0], dtype=float
    )


def _maximise(
    ready: Prepared,
    affine: Affine,
    cones: tuple[Cone, ...],
    begin: FloatArray,
    *,
    estimator: Estimator,
    bounds: Literal["psd", "none"],
) -> tuple[Optimum, FloatArray, bool]:
    """The optimum, its point, and whether the barrier was needed."""
    plain = _objective(ready, affine, estimator, (), 0.0)
    optimum = search(plain, begin)
    if bounds == "none" or (optimum.converged and all(c.holds(optimum.point) for c in cones)):
        return optimum, optimum.point, False
    point, iterations = begin, 0
    for weight in BARRIERS:
        last = weight == BARRIERS[-1]
        held = _objective(ready, affine, estimator, cones, weight)
        optimum = search(held, point, TOLERANCE if last else 1e-4 * min(weight, 1.0))
        point = optimum.point
        iterations += optimum.iterations
    rows = sum(len(cone.constant) for cone in cones)
    gap = optimum.decrement + BARRIERS[-1] * rows
    optimum = replace(optimum, iterations=iterations, decrement=gap)
    polished = _polished(plain, optimum, cones)
    return (optimum, point, True) if polished is None else (polished, polished.point, True)


def _polished(plain: Objective, optimum: Optimum, cones: tuple[Cone, ...]) -> Optimum | None:
    """The maximum over the face of the cones, where the face is a linear space.

    So it is where the null directions do not turn with the parameters: a variance at zero, say.
    """
    rows, offsets = [], []
    for cone in cones:
        null = null_vectors(cone, optimum.point, barred=True)
        if null.shape[1]:
            rows.append((cone.slopes @ null).reshape(len(cone.slopes), -1).T)
            offsets.append((cone.constant @ null).ravel())
    if not rows:
        return None
    left, right = np.concatenate(rows), np.concatenate(offsets)
    _, values, vectors = np.linalg.svd(left, full_matrices=True)
    rank = int(np.sum(values > 1e-6 * float(values[0])))
    face = vectors[rank:].T
    base = optimum.point - np.linalg.lstsq(left, left @ optimum.point + right, rcond=1e-6)[0]
    if float(np.abs(left @ base + right).max()) > 1e-9:
        return None

    def objective(point: FloatArray) -> tuple[float, FloatArray, FloatArray]:
        value, gradient, curvature = plain(base + face @ point)
        return value, face.T @ gradient, face.T @ curvature @ face

    if not np.isfinite(plain(base)[0]):
        return None
    found = search(objective, np.zeros(face.shape[1]))
    point = base + face @ found.point
    better = found.value >= optimum.value - 1e-9 * (1.0 + abs(optimum.value))
    if not (found.converged and better and all(cone.holds(point) for cone in cones)):
        return None
    return replace(found, point=point, iterations=optimum.iterations + found.iterations)


def _objective(
    ready: Prepared,
    affine: Affine,
    estimator: Estimator,
    cones: tuple[Cone, ...],
    weight: float,
) -> Objective:
    n = affine.slope.shape[1]

    def objective(point: FloatArray) -> tuple[float, FloatArray, FloatArray]:
        wall = barrier(cones, point)
        surface = None if wall is None else ready.surface(affine.value(point))
        if wall is None or surface is None:
            return -np.inf, np.zeros(n), np.zeros((n, n))
        value, gradient, curvature = profile(surface, estimator)
        return (
            value + weight * wall[0],
            affine.slope.T @ gradient + weight * wall[1],
            affine.slope.T @ curvature @ affine.slope + weight * wall[2],
        )

    return objective


def _covariance(
    ready: Prepared,
    surface: Surface,
    affine: Affine,
    active: tuple[Cone, ...],
    *,
    point: FloatArray,
    estimator: Estimator,
    information: Literal["expected", "observed"],
    barred: bool,
) -> FloatArray:
    """Covariance matrix of the estimates; at a boundary that of what moves along it."""
    p = ready.n_fixed
    if information == "expected":
        matrix = expected_information(surface, estimator)
    else:
        matrix = -hessian(surface, estimator)
    if estimator == "reml":
        matrix[:p, p:] = matrix[p:, :p] = 0.0
    n = affine.slope.shape[1]
    change = np.zeros((p + len(affine.constant), p + n))
    change[:p, :p] = np.eye(p)
    change[p:, p:] = affine.slope
    matrix = change.T @ matrix @ change
    tangent = np.eye(p + n)
    rows = [np.zeros((0, n))]
    for cone in active:
        null = null_vectors(cone, point, barred=barred)
        rows.append((null.T @ cone.slopes @ null).reshape(n, -1).T)
    normal = np.concatenate(rows)
    if len(normal):
        _, values, vectors = np.linalg.svd(normal, full_matrices=True)
        rank = int(np.sum(values > 1e-6 * float(values[0])))
        tangent = np.zeros((p + n, p + n - rank))
        tangent[:p, :p] = np.eye(p)
        tangent[p:, p:] = vectors[rank:].T
    covariance = tangent @ inverse(tangent.T @ matrix @ tangent) @ tangent.T
    back = np.zeros((p + n, p + n))
    back[:p, :p] = ready.jacobian[:p, :p]
    back[p:, p:] = np.diag(affine.unit)
    return np.asarray(back @ covariance @ back.T, dtype=float)
