"""Likelihood, score and information of a curved problem at given parameters."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from growthmm.engines.distance import newton_step
from growthmm.engines.long.curved.statistics import statistics_of
from growthmm.engines.long.curved.surface import CurvedSurface, curved_surface
from growthmm.engines.long.curved.ties import check_ties, ties_of
from growthmm.engines.long.problem import LongProblem
from growthmm.engines.long.residual_structures import structure_of
from growthmm.engines.outcome import ParameterKind
from growthmm.errors import NotIdentifiedError, SpecificationError, UnsupportedEngineError

__all__ = [
    "admissible",
    "check_ml",
    "distance",
    "information",
    "kinds",
    "log_likelihood",
    "mixed_up",
    "names",
    "refuse_unidentified",
    "score",
]

FloatArray = NDArray[np.float64]

SINGULAR = 1e-11


def names(problem: LongProblem) -> tuple[str, ...]:
    """Fixed effects, loading parameters, covariance entries, residual parameters."""
    assert problem.loadings is not None
    check_ties(problem)
    structure = structure_of(problem)
    own = problem.loadings.names
    entries = dict.fromkeys(problem.covariance_names)
    return (*problem.fixed_names, *own, *entries, *structure.names)


def kinds(problem: LongProblem) -> tuple[ParameterKind, ...]:
    """What each of `names` is."""
    assert problem.loadings is not None
    made: list[ParameterKind] = ["fixed"] * len(problem.fixed_names)
    made += ["loading"] * len(problem.loadings.names)
    entries = zip(problem.covariance_names, problem.covariance_entries, strict=True)
    first = dict(reversed(list(entries)))
    places = (first[name] for name in dict.fromkeys(problem.covariance_names))
    made += ["variance" if a == b else "covariance" for a, b in places]
    made += ["residual"] * len(structure_of(problem).names)
    return tuple(made)


def check_ml(estimator: str) -> None:
    """Refuse restricted likelihood.

    Raises
    ------
    UnsupportedEngineError
        If it is asked for.
    """
    if estimator != "ml":
        raise UnsupportedEngineError(
            "There is no restricted likelihood of a model with parameters in its loadings: REML "
            "integrates over linear fixed effects, and these enter the mean as products.",
            hint="Use estimator='ml'; nlme's REML of such a model is that of its linearisation.",
        )


def _surface(problem: LongProblem, values: FloatArray) -> CurvedSurface | None:
    if np.shape(values) != (len(names(problem)),):
        raise SpecificationError(
            f"Values of shape {np.shape(values)} for {len(names(problem))} parameters.",
            hint="Give one value for each of parameter_names(problem).",
        )
    values, ties = np.asarray(values, dtype=float), ties_of(problem)
    if ties is None:
        return curved_surface(problem, statistics_of(problem), values)
    plain = curved_surface(ties.plain, statistics_of(ties.plain), ties.expand(values))
    return None if plain is None else ties.surface(plain)


def admissible(problem: LongProblem, values: FloatArray) -> CurvedSurface:
    """The surface at `values`.

    Raises
    ------
    SpecificationError
        Where some person's covariance matrix is not positive definite.
    """
    surface = _surface(problem, values)
    if surface is None:
        raise SpecificationError(
            "The loadings are not finite, or a person's covariance matrix is not positive definite "
            f"at these values: {np.asarray(values).tolist()}.",
            hint="Raise the residual variance, or bring correlations inside (-1, 1).",
        )
    return surface


def log_likelihood(problem: LongProblem, values: FloatArray, estimator: str = "ml") -> float:
    """Log-likelihood with all constants; ``-inf`` where it has no value."""
    check_ml(estimator)
    surface = _surface(problem, values)
    return float("-inf") if surface is None else surface.value


def score(problem: LongProblem, values: FloatArray, estimator: str = "ml") -> FloatArray:
    """Gradient of the log-likelihood."""
    check_ml(estimator)
    return admissible(problem, values).gradient


def information(
    problem: LongProblem,
    values: FloatArray,
    kind: Literal["expected", "observed"] = "expected",
    estimator: str = "ml",
) -> FloatArray:
    """Expected information, or minus the Hessian."""
    check_ml(estimator)
    surface = admissible(problem, values)
    return surface.expected if kind == "expected" else -surface.hessian


def distance(problem: LongProblem, values: FloatArray, estimator: str = "ml") -> float:
    """The largest component of a Newton step, in standard errors."""
    check_ml(estimator)
    surface = admissible(problem, values)
    return newton_step(surface.gradient, -surface.hessian, np.eye(len(values)))


def mixed_up(problem: LongProblem, values: FloatArray) -> tuple[str, ...]:
    """Parameters that a null direction of the expected information at a point mixes."""
    matrix = admissible(problem, values).expected
    diagonal = np.diag(matrix)
    nothing = diagonal <= 0
    scale = np.where(nothing, 1.0, 1.0 / np.sqrt(np.where(nothing, 1.0, diagonal)))
    roots, vectors = np.linalg.eigh(matrix * np.outer(scale, scale))
    lost = vectors[:, roots < SINGULAR * len(roots)]
    if not lost.size:
        return ()
    loads = np.sqrt(np.sum(lost**2, axis=1))
    involved = loads > 1e-4 * float(loads.max())
    return tuple(name for name, hit in zip(names(problem), involved, strict=True) if hit)


def refuse_unidentified(problem: LongProblem, values: FloatArray) -> None:
    """Refuse a model whose parameters the designs cannot tell apart.

    Raises
    ------
    NotIdentifiedError
        Naming them.
    """
    culprits = mixed_up(problem, values)
    if culprits:
        raise NotIdentifiedError(
            f"The parameters {NotIdentifiedError.listed(culprits)} cannot be told apart.",
            parameters=culprits,
            hint="Fix two loadings of a free curve, or drop a random effect or a parameter.",
        )
