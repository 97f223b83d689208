"""Maximum likelihood of a curved problem: Newton's method in all parameters at once."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from growthmm.engines.long.boundary import find_boundary
from growthmm.engines.long.curved.evaluation import (
    admissible,
    check_ml,
    kinds,
    names,
    refuse_unidentified,
)
from growthmm.engines.long.curved.linear import at_loadings, at_values
from growthmm.engines.long.curved.starts import LARGE, loading_starts
from growthmm.engines.long.curved.statistics import Statistics, statistics_of
from growthmm.engines.long.curved.surface import CurvedSurface, curved_surface
from growthmm.engines.long.curved.ties import Ties, ties_of
from growthmm.engines.long.ending import block_labels, convergence, inverse, search
from growthmm.engines.long.parametrisation import Block, FreeParameters, free_parameters
from growthmm.engines.long.prepared import Prepared, prepare
from growthmm.engines.long.problem import LongProblem
from growthmm.engines.long.starts import start_parameters
from growthmm.engines.optimiser import Objective, Optimum
from growthmm.engines.outcome import Boundary, EngineFit
from growthmm.errors import FitFailedError, NotIdentifiedError, SpecificationError

__all__ = ["fit_curved"]

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
Bounds = Literal["psd", "none"]
Information = Literal["expected", "observed"]

ENOUGH = 2
"""Searches that end at a maximum before the better is taken."""


def fit_curved(
    problem: LongProblem,
    *,
    estimator: str = "ml",
    bounds: Bounds = "psd",
    information: Information = "expected",
    start: FloatArray | None = None,
) -> EngineFit:
    """Fit a mixed model whose loadings hold parameters, by maximum likelihood.

    Fixed effects, loading parameters, random-effects and residual covariances are found together
    by Newton's method with exact derivatives. Since the model is linear given the loading
    parameters, this is its likelihood itself, without any linearisation.

    Parameters
    ----------
    problem : LongProblem
        With loadings.
    estimator : {"ml"}
        Restricted likelihood is refused.
    bounds, information, start
        As in :func:`growthmm.engines.long.fit`.

    Returns
    -------
    EngineFit
        Parameters in the order of ``parameter_names(problem)``.

    Raises
    ------
    NotIdentifiedError
        If parameters cannot be told apart.
    FitFailedError
        If no search ends at a likelihood.
    UnsupportedEngineError
        If restricted likelihood is asked for.
    """
    check_ml(estimator)
    ties = ties_of(problem)
    plain = problem if ties is None else ties.plain
    statistics = statistics_of(plain)
    if start is not None:
        begins = [_given(problem, start)]
    else:
        begins = [b if ties is None else ties.gather(b) for b in _beginnings(plain)]
    refuse_unidentified(problem, begins[0])
    best: tuple[Optimum, FreeParameters] | None = None
    ended = 0
    for begin in begins:
        free = _free(plain, begin, bounds, ties)
        objective = _objective(plain, statistics, free, ties)
        if not np.isfinite(objective(free.free(begin))[0]):
            continue
        optimum = search(objective, free.free(begin))
        if best is None or _better(optimum, best[0]):
            best = optimum, free
        ended += optimum.converged
        if ended >= ENOUGH:
            break
    if best is None:
        raise FitFailedError(
            "The likelihood is not defined at any of the starting values.",
            hint="Give starting values with start=.",
        )
    optimum, free = best
    return _answer(problem, statistics, optimum, free=free, bounds=bounds, information=information)


def _better(one: Optimum, other: Optimum) -> bool:
    if one.converged != other.converged:
        return one.converged
    return one.value > other.value


def _beginnings(problem: LongProblem) -> list[FloatArray]:
    """Points of all parameters: loadings from least squares, the rest as for a linear model."""
    made: list[tuple[FloatArray, FloatArray]] = []
    failed: NotIdentifiedError | None = None
    for loadings in loading_starts(problem):
        if any(np.allclose(loadings, other, rtol=1e-4, atol=0) for _, other in made):
            continue
        linear = at_loadings(problem, loadings)
        if not all(
            np.abs(design[:]).max(initial=0.0) < LARGE for design in (linear.fixed, linear.random)
        ):
            continue
        try:
            ready = prepare(linear)
        except NotIdentifiedError as error:
            # At these loadings two columns are one; at others they need not be.
            failed = error
            continue
        begin = start_parameters(ready, "ml")
        surface = ready.surface(begin)
        if surface is None:
            continue
        values = ready.user(np.concatenate([surface.fixed, begin]))
        p = problem.fixed.shape[1]
        made.append((np.concatenate([values[:p], loadings, values[p:]]), loadings))
    if not made:
        if failed is not None:
            raise failed
        raise FitFailedError(
            "The loadings are not finite at any of the starting values.",
            hint="Give starting values with start=.",
        )
    return [point for point, _ in made]


def _given(problem: LongProblem, start: FloatArray) -> FloatArray:
    n = len(names(problem))
    if np.shape(start) != (n,):
        raise SpecificationError(
            f"Starting values of shape {np.shape(start)} for {n} parameters.",
            hint="Give one value for each of parameter_names(problem).",
        )
    return np.asarray(start, dtype=float)


def _free(
    problem: LongProblem, values: FloatArray, bounds: Bounds, ties: Ties | None
) -> FreeParameters:
    if bounds != "psd":
        return free_parameters(len(values), ())
    linear, _ = at_values(problem, values if ties is None else ties.expand(values))
    assert problem.loadings is not None
    shift = problem.fixed.shape[1] + len(problem.loadings.names)
    blocks = tuple(
        Block(b.entries, tuple(shift + place for place in b.places), b.size)
        for b in prepare(linear).blocks
    )
    return free_parameters(len(values), blocks if ties is None else ties.blocks(blocks))


def _objective(
    problem: LongProblem, statistics: Statistics, free: FreeParameters, ties: Ties | None
) -> Objective:
    def objective(point: FloatArray) -> tuple[float, FloatArray, FloatArray]:
        values = free.value(point)
        if ties is None:
            surface = curved_surface(problem, statistics, values)
        else:
            surface = curved_surface(problem, statistics, ties.expand(values))
            surface = None if surface is None else ties.surface(surface)
        n = len(point)
        if surface is None or not np.isfinite(surface.hessian).all():
            return -np.inf, np.zeros(n), np.zeros((n, n))
        return (surface.value, *free.pull_back(point, surface.gradient, surface.hessian))

    return objective


def _answer(
    problem: LongProblem,
    statistics: Statistics,
    optimum: Optimum,
    *,
    free: FreeParameters,
    bounds: Bounds,
    information: Information,
) -> EngineFit:
    values = free.value(optimum.point)
    surface = admissible(problem, values)
    ties = ties_of(problem)
    plain, all_values = (problem, values) if ties is None else (ties.plain, ties.expand(values))
    linear, point = at_values(plain, all_values)
    boundary, affected = _boundary(linear, prepare(linear), point)
    lost = np.concatenate([np.zeros(len(all_values) - len(affected), dtype=bool), affected])
    if ties is not None:
        lost = ties.gather(lost.astype(float)) > 0
    covariance = _covariance(
        surface, optimum.point, free, information=information, boundary=boundary
    )
    if boundary.at_boundary and not boundary.beyond:
        covariance[lost] = np.nan
        covariance[:, lost] = np.nan
    return EngineFit(
        engine="long",
        estimator="ml",
        names=names(problem),
        kinds=kinds(problem),
        estimates=values,
        covariance=covariance,
        information=information,
        log_likelihood=surface.value,
        n_subjects=statistics.n_subjects,
        n_rows=statistics.n_rows,
        convergence=convergence(optimum, boundary, bounds),
        boundary=boundary,
        bounds=bounds,
    )


def _boundary(
    linear: LongProblem, ready: Prepared, point: FloatArray
) -> tuple[Boundary, BoolArray]:
    """Whether a covariance matrix is singular, judged in the units of the linear problem."""
    p, k = ready.n_fixed, len(ready.entries)
    internal = ready.internal(point)[p:]
    labels, columns = block_labels(linear, ready)
    spelled = (*linear.covariance_names, *ready.structure.names)
    boundary, affected = find_boundary(
        ready.blocks,
        internal=internal,
        user=point[p:],
        names=spelled,
        labels=labels,
        residual=float(np.max(np.abs(internal[k:]), initial=0.0)),
        transform=ready.scaling.random,
        columns=columns,
    )
    return boundary, np.asarray(affected, dtype=bool)


def _covariance(
    surface: CurvedSurface,
    point: FloatArray,
    free: FreeParameters,
    *,
    information: Information,
    boundary: Boundary,
) -> FloatArray:
    matrix = surface.expected if information == "expected" else -surface.hessian
    if not (boundary.at_boundary and free.blocks):
        return inverse(matrix)
    slope = free.jacobian(point)
    inner = np.linalg.pinv(slope.T @ matrix @ slope, rcond=1e-9, hermitian=True)
    return np.asarray(slope @ inner @ slope.T, dtype=float)
