"""The wide engine: structural equation models by (restricted) maximum likelihood.

Works on sufficient statistics, one moment matrix a pattern of missing outcomes, with exact
derivatives. Values are 1-D arrays in the order of :func:`parameter_names`.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from growthmm.engines.distance import newton_step
from growthmm.engines.wide import ram as _ram
from growthmm.engines.wide.constraints import defined as _defined
from growthmm.engines.wide.constraints import relations as _relations
from growthmm.engines.wide.coordinates import well_scaled as _well_scaled
from growthmm.engines.wide.fitting import Estimator, fit, information
from growthmm.engines.wide.identification import null_space
from growthmm.engines.wide.latent import factor_scores
from growthmm.engines.wide.likelihood import System
from growthmm.engines.wide.likelihood import evaluate as _evaluate
from growthmm.engines.wide.measures import fit_measures, free_count
from growthmm.engines.wide.prediction import fitted
from growthmm.engines.wide.problem import WideGroup, WideMoments, WideProblem
from growthmm.engines.wide.robust import person_scores, sandwich
from growthmm.engines.wide.search import null_basis as _null_basis
from growthmm.engines.wide.starts import candidates as _candidates
from growthmm.engines.wide.starts import moment_start as _moment_start
from growthmm.engines.wide.system import check_restricted as _check_restricted
from growthmm.engines.wide.system import compile_problem as _compile
from growthmm.engines.wide.system import parameter_kinds, parameter_names
from growthmm.engines.wide.uncertainty import lagrangian as _lagrangian
from growthmm.errors import SpecificationError

__all__ = [
    "WideGroup",
    "WideMoments",
    "WideProblem",
    "defined_values",
    "distance",
    "factor_scores",
    "fit",
    "fit_measures",
    "fitted",
    "free_count",
    "implied",
    "information",
    "log_likelihood",
    "null_space",
    "parameter_kinds",
    "parameter_names",
    "person_scores",
    "sandwich",
    "score",
    "start_values",
]

FloatArray = NDArray[np.float64]


def start_values(problem: WideProblem) -> FloatArray:
    """Starting values from moments: least squares, drawn into the admissible region.

    Returns
    -------
    (n_parameters,) ndarray
        Admissible where such a point was found.
    """
    system = _compile(problem)
    found = _candidates(problem.model, system).first()
    return _moment_start(problem.model, system) if found is None else found


def log_likelihood(problem: WideProblem, values: FloatArray, estimator: Estimator = "ml") -> float:
    """Log-likelihood with all constants, conditional on the covariates.

    Parameters
    ----------
    problem : WideProblem
        Model and data.
    values : (n_parameters,) ndarray
        Parameter values.
    estimator : {"ml", "reml"}
        ``"reml"`` adds ``p log(2 pi)/2 - log|X'V^-1X|/2`` for the p parameters of the means.

    Returns
    -------
    float
        Minus infinity where an outcomes' covariance matrix is not positive definite.
    """
    system = _conditioned(problem, values, estimator)
    return _evaluate(
        system, _values(problem, values), order=0, restricted=estimator == "reml"
    ).value


def score(problem: WideProblem, values: FloatArray, estimator: Estimator = "ml") -> FloatArray:
    """Gradient of :func:`log_likelihood`, (n_parameters,)."""
    system = _conditioned(problem, values, estimator)
    at = _evaluate(system, _values(problem, values), order=1, restricted=estimator == "reml")
    assert system.turn is not None
    return np.asarray(np.linalg.solve(system.turn.T, at.score))


def distance(problem: WideProblem, values: FloatArray, estimator: Estimator = "ml") -> float:
    """How far a point is from the optimum: the largest component of a Newton step, in SEs.

    Where the model has equality constraints, of a step along them.

    Parameters
    ----------
    problem : WideProblem
        Model and data.
    values : (n_parameters,) ndarray
        The point.
    estimator : {"ml", "reml"}
        Which likelihood.

    Returns
    -------
    float
        Infinite where the observed information is not positive definite.
    """
    system = _conditioned(problem, values, estimator)
    at = _evaluate(system, _values(problem, values), restricted=estimator == "reml")
    assert system.turn is not None
    held = [c for c in _relations(problem.model, _values(problem, values)) if c.equality]
    if not held:
        return newton_step(at.score, -at.hessian, system.turn)
    bent = -_lagrangian(at.hessian, at.score, held, system.turn)
    slopes = np.array([c.jet.gradient for c in held]) @ system.turn
    basis = _null_basis(slopes, len(at.score))
    return newton_step(basis.T @ at.score, basis.T @ bent @ basis, system.turn @ basis)


def _conditioned(problem: WideProblem, values: FloatArray, estimator: Estimator) -> System:
    """The system, to be differentiated along well-scaled directions."""
    system = _compile(problem)
    if estimator == "reml":
        _check_restricted(problem, system)
    return replace(system, turn=_well_scaled(system, _values(problem, values)))


def defined_values(
    problem: WideProblem, values: FloatArray, covariance: FloatArray
) -> tuple[tuple[str, ...], FloatArray, FloatArray]:
    """Defined parameters and their covariance matrix by the delta method.

    Parameters
    ----------
    problem : WideProblem
        Model and data.
    values : (n_parameters,) ndarray
        Parameter values.
    covariance : (n_parameters, n_parameters) ndarray
        Covariance matrix of the parameters.

    Returns
    -------
    names : tuple of str
        The defined parameters.
    estimates : (n_defined,) ndarray
        Their values.
    covariance : (n_defined, n_defined) ndarray
        ``J V J'`` with exact first derivatives J.
    """
    names, jets = _defined(problem.model, _values(problem, values))
    slope = np.array([jet.gradient for jet in jets]).reshape(len(jets), -1)
    used = np.any(slope != 0, axis=0)
    part = slope[:, used]
    return (
        names,
        np.array([jet.value for jet in jets]),
        part @ covariance[np.ix_(used, used)] @ part.T,
    )


def implied(
    problem: WideProblem, values: FloatArray, group: int = 0
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Moments of the outcomes given the covariates: ``y | x ~ N(a + Pi x, Sigma)``.

    Definition variables stand at their means.

    Returns
    -------
    intercept : (n_outcomes,) ndarray
        ``a``.
    slopes : (n_outcomes, n_covariates) ndarray
        ``Pi``.
    covariance : (n_outcomes, n_outcomes) ndarray
        ``Sigma``.

    Raises
    ------
    SpecificationError
        If the paths form a cycle without a solution at these values.
    """
    matrices, cells = _compile(problem).groups[group]
    designs = None if cells.designs is None else cells.designs.mean(axis=0, keepdims=True)
    at = _ram.implied(matrices, _values(problem, values), designs)
    if at is None:
        raise SpecificationError(
            "The paths form a cycle that has no solution at these values (I - A is singular).",
            hint="Change the regressions within the cycle.",
        )
    t = matrices.n_outcomes
    return at.mean[0, :t, 0], at.mean[0, :t, 1:], at.sigma[0, :t, :t]


def _values(problem: WideProblem, values: FloatArray) -> FloatArray:
    found = np.asarray(values, dtype=float)
    expected = len(problem.model.free_parameters)
    if found.shape != (expected,):
        raise SpecificationError(
            f"Values of shape {found.shape} for {expected} parameters.",
            hint="Give one value for each of parameter_names(problem), in that order.",
        )
    return found
