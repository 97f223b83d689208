"""A fit's likelihood in free coordinates of standard size: what general optimisers are given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from growthmm.engines import wide as wide_engine
from growthmm.engines.long.prepared import prepare
from growthmm.engines.long.problem import LongProblem
from growthmm.engines.long.starts import start_parameters
from growthmm.engines.wide.problem import WideProblem
from growthmm.errors import UnsupportedEngineError
from growthmm.inference.intervals.coordinates import chart
from growthmm.inference.likelihood import likelihood
from growthmm.inference.matrices import complete_blocks
from growthmm.inference.result import FitResult

__all__ = ["Landscape", "landscape", "moment_start", "require_searchable"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Landscape:
    """The likelihood as a function of free coordinates, all of about the same size.

    Parameters
    ----------
    objective : callable
        Value, gradient and Hessian at coordinates; the value is minus infinity outside.
    values : callable
        The parameters at coordinates.
    size : int
        How many coordinates; all are zero at the point that it was laid out around.
    """

    objective: Callable[[FloatArray], tuple[float, FloatArray, FloatArray]]
    values: Callable[[FloatArray], FloatArray]
    size: int


def require_searchable(fit: FitResult) -> None:
    """Refuse fits whose parameters are not free coordinates.

    Raises
    ------
    UnsupportedEngineError
        Where covariances are held or shared under bounds, or the model has constraints, estimated
        loadings, or a penalty; or another program fitted it.
    """
    problem = fit.data.problem
    reasons = {
        f"it is by {fit.engine}": fit.engine not in ("long", "wide"),
        "it is penalised": fit.penalty is not None,
        "its loadings are estimated": isinstance(problem, LongProblem)
        and problem.loadings is not None,
        "it has constraints": isinstance(problem, WideProblem) and bool(problem.model.constraints),
        "its covariances are held or shared": (
            isinstance(problem, LongProblem) and problem.restricted
        )
        or complete_blocks(fit.fit, problem)[1],
    }
    found = [reason for reason, holds in reasons.items() if holds]
    if found:
        raise UnsupportedEngineError(
            f"The fit can't be searched again by other optimisers: {'; '.join(found)}.",
            hint="Use a fit by engine long or wide whose covariances are free.",
        )


def moment_start(fit: FitResult) -> FloatArray:
    """The values from moments at which our engine starts."""
    problem = fit.data.problem
    if not isinstance(problem, LongProblem):
        return wide_engine.start_values(problem)
    ready = prepare(problem)
    begin = start_parameters(ready, fit.estimator)
    surface = ready.surface(begin)
    assert surface is not None  # starts are admissible
    return ready.user(np.concatenate([surface.fixed, begin]))


def landscape(fit: FitResult, start: FloatArray) -> Landscape:
    """The likelihood around a point, which has the coordinates zero.

    Covariance matrices are written as ``L L'`` where the fit keeps them positive semi-definite;
    a unit of each coordinate is one over the root of the likelihood's curvature at the point.

    Parameters
    ----------
    fit : FitResult
        Whose likelihood, estimator and bounds.
    start : (n_parameters,) ndarray
        Parameters.
    """
    problem = fit.data.problem
    blocks = complete_blocks(fit.fit, problem)[0] if fit.fit.bounds == "psd" else []
    made, origin = chart(None, 0.0, tuple(blocks), start)
    pulled = made.pulled(likelihood(problem, fit.fit.estimator))
    diagonal = np.abs(np.diag(pulled(origin)[2]))
    floor = max(float(diagonal.max(initial=0.0)) * 1e-12, 1e-300)
    unit = 1.0 / np.sqrt(np.maximum(diagonal, floor))

    def objective(at: FloatArray) -> tuple[float, FloatArray, FloatArray]:
        value, gradient, hessian = pulled(origin + unit * at)
        return value, gradient * unit, hessian * np.outer(unit, unit)

    def values(at: FloatArray) -> FloatArray:
        return made.values(origin + unit * at)

    return Landscape(objective, values, len(origin))
