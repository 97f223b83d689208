"""Likelihood, score and information at given parameters, in the user's units."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from growthmm.engines.distance import newton_step
from growthmm.engines.long.curved import evaluation as curved
from growthmm.engines.long.prepared import Prepared, prepare
from growthmm.engines.long.problem import LongProblem
from growthmm.engines.long.residual_structures import structure_of
from growthmm.engines.long.restriction import restriction_of
from growthmm.engines.long.surface import (
    Estimator,
    Surface,
    expected_information,
    hessian,
)
from growthmm.engines.long.surface import log_likelihood as surface_log_likelihood
from growthmm.engines.long.surface import score as surface_score
from growthmm.engines.outcome import ParameterKind
from growthmm.errors import SpecificationError

__all__ = [
    "admissible",
    "derivatives",
    "information",
    "log_likelihood",
    "parameter_kinds",
    "parameter_names",
    "score",
]

FloatArray = NDArray[np.float64]


def parameter_names(problem: LongProblem) -> tuple[str, ...]:
    """Names of all free parameters: fixed effects, covariance entries, residual parameters.

    Parameters in the loadings stand behind the fixed effects.
    """
    if problem.loadings is not None:
        return curved.names(problem)
    structure = structure_of(problem)
    restriction = restriction_of(problem, structure)
    if restriction is not None:
        return (*problem.fixed_names, *restriction.names)
    return (*problem.fixed_names, *problem.covariance_names, *structure.names)


def parameter_kinds(problem: LongProblem) -> tuple[ParameterKind, ...]:
    """What each of `parameter_names` is."""
    if problem.loadings is not None:
        return curved.kinds(problem)
    kinds: list[ParameterKind] = ["fixed"] * len(problem.fixed_names)
    structure = structure_of(problem)
    restriction = restriction_of(problem, structure)
    if restriction is not None:
        return (*kinds, *restriction.kinds)
    kinds.extend("variance" if a == b else "covariance" for a, b in problem.covariance_entries)
    kinds.extend(["residual"] * len(structure.names))
    return tuple(kinds)


def log_likelihood(problem: LongProblem, values: FloatArray, estimator: Estimator = "ml") -> float:
    """Log-likelihood at any parameter values, with all constants.

    For REML ``-(n-p)/2 log(2 pi) - log|V|/2 - log|X'V^-1X|/2 - r'V^-1r/2`` with the given fixed
    effects in `r` (Harville 1977, doi:10.1080/01621459.1977.10480998).

    Parameters
    ----------
    problem : LongProblem
        Model and data.
    values : (n_parameters,) ndarray
        In the order of `parameter_names`. The random-effects covariance need not be positive
        semi-definite.
    estimator : {"ml", "reml"}
        Which likelihood.

    Returns
    -------
    float
        ``-inf`` where some person's covariance matrix is not positive definite.
    """
    if problem.loadings is not None:
        return curved.log_likelihood(problem, values, estimator)
    ready = prepare(problem)
    surface = _surface(ready, values)
    if surface is None:
        return float("-inf")
    return surface_log_likelihood(surface, estimator) + ready.log_unit(estimator)


def score(problem: LongProblem, values: FloatArray, estimator: Estimator = "ml") -> FloatArray:
    """Gradient of `log_likelihood`, (n_parameters,).

    Raises
    ------
    SpecificationError
        Where some person's covariance matrix is not positive definite.
    """
    if problem.loadings is not None:
        return curved.score(problem, values, estimator)
    ready = prepare(problem)
    slope = surface_score(admissible(ready, values), estimator)
    slope = np.asarray(np.linalg.solve(ready.jacobian.T, slope), dtype=float)
    if ready.restriction is not None:
        slope = ready.restriction.jacobian(ready.n_fixed).T @ slope
    return np.asarray(slope, dtype=float)


def distance(problem: LongProblem, values: FloatArray, estimator: Estimator = "ml") -> float:
    """How far a point is from the optimum: the largest component of a Newton step, in SEs.

    Parameters
    ----------
    problem : LongProblem
        Model and data.
    values : (n_parameters,) ndarray
        The point.
    estimator : {"ml", "reml"}
        Which likelihood.

    Returns
    -------
    float
        Infinite where the observed information is not positive definite.

    Raises
    ------
    SpecificationError
        Where some person's covariance matrix is not positive definite.
    """
    if problem.loadings is not None:
        return curved.distance(problem, values, estimator)
    ready = prepare(problem)
    surface = admissible(ready, values)
    slope, curve = surface_score(surface, estimator), -hessian(surface, estimator)
    if ready.restriction is None:
        return newton_step(slope, curve, ready.jacobian)
    # Along what is free.
    along = np.linalg.solve(ready.jacobian, ready.restriction.jacobian(ready.n_fixed))
    return newton_step(along.T @ slope, along.T @ curve @ along, np.eye(along.shape[1]))


def information(
    problem: LongProblem,
    values: FloatArray,
    kind: Literal["expected", "observed"] = "expected",
    estimator: Estimator = "ml",
) -> FloatArray:
    """Expected information, or minus the Hessian of `log_likelihood`.

    Parameters
    ----------
    problem : LongProblem
        Model and data.
    values : (n_parameters,) ndarray
        In the order of `parameter_names`.
    kind : {"expected", "observed"}
        Which information matrix.
    estimator : {"ml", "reml"}
        Which likelihood; for REML the expected covariance block is ``tr(P V_a P V_b) / 2``.

    Returns
    -------
    (n_parameters, n_parameters) ndarray

    Raises
    ------
    SpecificationError
        Where some person's covariance matrix is not positive definite.
    """
    if problem.loadings is not None:
        return curved.information(problem, values, kind, estimator)
    ready = prepare(problem)
    surface = admissible(ready, values)
    if kind == "expected":
        matrix = expected_information(surface, estimator)
    else:
        matrix = -hessian(surface, estimator)
    half = np.linalg.solve(ready.jacobian.T, matrix)
    matrix = np.asarray(np.linalg.solve(ready.jacobian.T, half.T).T, dtype=float)
    if ready.restriction is not None:
        change = ready.restriction.jacobian(ready.n_fixed)
        matrix = change.T @ matrix @ change
    return np.asarray(matrix, dtype=float)


def derivatives(
    problem: LongProblem, values: FloatArray, estimator: Estimator = "ml"
) -> tuple[float, FloatArray, FloatArray]:
    """Log-likelihood, its gradient and its Hessian at once.

    Parameters
    ----------
    problem : LongProblem
        Model and data.
    values : (n_parameters,) ndarray
        In the order of `parameter_names`.
    estimator : {"ml", "reml"}
        Which likelihood.

    Returns
    -------
    value : float
        Minus infinity where some person's covariance matrix is not positive definite.
    gradient : (n_parameters,) ndarray
    hessian : (n_parameters, n_parameters) ndarray
    """
    ready = prepare(problem)
    surface = _surface(ready, values)
    n = len(values)
    if surface is None:
        return float("-inf"), np.zeros(n), np.zeros((n, n))
    back = np.linalg.inv(ready.jacobian)
    if ready.restriction is not None:
        back = back @ ready.restriction.jacobian(ready.n_fixed)
    value = surface_log_likelihood(surface, estimator) + ready.log_unit(estimator)
    return (
        value,
        back.T @ surface_score(surface, estimator),
        back.T @ hessian(surface, estimator) @ back,
    )


def _surface(ready: Prepared, values: FloatArray) -> Surface | None:
    if np.shape(values) != (ready.n_parameters,):
        raise SpecificationError(
            f"Values of shape {np.shape(values)} for {ready.n_parameters} parameters.",
            hint="Give one value for each of parameter_names(problem).",
        )
    internal = ready.internal(values)
    return ready.surface(internal[ready.n_fixed :], internal[: ready.n_fixed])


def admissible(ready: Prepared, values: FloatArray) -> Surface:
    """The surface at the user's `values`.

    Raises
    ------
    SpecificationError
        Where some person's covariance matrix is not positive definite.
    """
    surface = _surface(ready, values)
    if surface is None:
        raise SpecificationError(
            "A person's covariance matrix is not positive definite at these values: "
            f"{np.asarray(values).tolist()}.",
            hint="Raise the residual variance, or bring correlations inside (-1, 1).",
        )
    return surface
