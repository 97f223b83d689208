"""Standard errors that hold when the model of the covariances, or normality, does not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from growthmm.engines import long as long_engine
from growthmm.engines import wide as wide_engine
from growthmm.engines.long.problem import LongProblem
from growthmm.engines.outcome import EngineFit
from growthmm.engines.wide.problem import WideProblem
from growthmm.errors import SpecificationError, UnsupportedEngineError

__all__ = ["ROBUST", "with_robust_errors"]

FloatArray = NDArray[np.float64]

ROBUST = ("cr0", "observed")
"""The sandwiches by name."""


def with_robust_errors(
    fit: EngineFit, problem: LongProblem | WideProblem, robust: str
) -> EngineFit:
    """The fit with a covariance matrix of the estimates clustered by person.

    ``"cr0"`` is ``(X'V^-1X)^-1 sum_i X_i'V_i^-1 r_i r_i'V_i^-1X_i (X'V^-1X)^-1`` for the fixed
    effects (Liang & Zeger 1986, doi:10.1093/biomet/73.1.13), the same for either family;
    (co)variances get no standard errors. ``"observed"`` has the observed information and the
    scores of means and covariances together (White 1982, doi:10.2307/1912526), which is lavaan's
    MLR. They agree where means and covariances are orthogonal.

    Parameters
    ----------
    fit : EngineFit
        By one of our engines.
    problem : LongProblem or WideProblem
        What it fitted.
    robust : {"cr0", "observed"}
        Which sandwich.

    Raises
    ------
    SpecificationError
        If there is no sandwich of that name.
    UnsupportedEngineError
        If the engine or the estimator has none.
    """
    if robust not in ROBUST:
        raise SpecificationError(
            f"There are no robust standard errors {robust!r}.",
            hint=f"Use one of {', '.join(ROBUST)}.",
        )
    if fit.engine not in ("long", "wide"):
        raise UnsupportedEngineError(
            f"Robust standard errors come from our engines, not from {fit.engine}.",
            hint="Use engine long or wide.",
        )
    if robust == "observed":
        return replace(fit, covariance=_observed(fit, problem), information="observed")
    covariance = np.full(fit.covariance.shape, np.nan)
    if isinstance(problem, LongProblem):
        fixed = np.arange(problem.fixed.shape[1])
        block = long_engine.sandwich(problem, fit.estimates)
    else:
        fixed, block = _means(fit, problem)
    covariance[np.ix_(fixed, fixed)] = block
    return replace(fit, covariance=covariance)


def _observed(fit: EngineFit, problem: LongProblem | WideProblem) -> FloatArray:
    if isinstance(problem, LongProblem):
        raise UnsupportedEngineError(
            "The sandwich of means and covariances together is the wide engine's.",
            hint="Use engine='wide', which fits the translation, or robust='cr0'.",
        )
    if fit.estimator != "ml":
        raise UnsupportedEngineError(
            "The restricted likelihood is no sum over persons, so it has no sandwich of this kind.",
            hint="Use estimator='ml', or robust='cr0'.",
        )
    covariance = wide_engine.sandwich(problem, fit.estimates)
    lost = np.isnan(np.diag(fit.covariance))
    covariance[lost] = covariance[:, lost] = np.nan
    return covariance


def _means(fit: EngineFit, problem: WideProblem) -> tuple[NDArray[np.intp], FloatArray]:
    """Positions of the parameters of the means, and their sandwich."""
    kinds = np.array(fit.kinds)
    fixed = np.flatnonzero(np.isin(kinds, ("mean", "regression")))
    model = problem.model
    structural = any(
        p.op == "~" and p.free and p.right not in model.covariates for p in model.paths
    )
    if "loading" in kinds or structural or model.constraints:
        raise UnsupportedEngineError(
            "Estimated loadings, regressions among outcomes or factors, and constraints tie means "
            "and covariances together, so that the means have no sandwich of their own.",
            hint="Use robust='observed'.",
        )
    bread = wide_engine.information(problem, fit.estimates)[np.ix_(fixed, fixed)]
    scores = wide_engine.person_scores(problem, fit.estimates)[:, fixed]
    scale = 1.0 / np.sqrt(np.diag(bread))
    inverse = np.linalg.inv(bread * np.outer(scale, scale)) * np.outer(scale, scale)
    return fixed, inverse @ (scores.T @ scores) @ inverse
