"""Standard errors that hold when the model of the covariances, or normality, does not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from growthmm.engines import long as long_engine
from growthmm.engines import wide as wide_engine
from growthmm.engines.long.equations import person_equations as long_equations
from growthmm.engines.long.problem import LongProblem
from growthmm.engines.long.uncertainty import fixed_uncertainty
from growthmm.engines.outcome import EngineFit
from growthmm.engines.wide.equations import person_equations as wide_equations
from growthmm.engines.wide.problem import WideProblem
from growthmm.errors import SpecificationError, UnsupportedEngineError
from growthmm.inference.cr2 import bias_reduced
from growthmm.inference.estimated_loadings import refuse_estimated_loadings

__all__ = ["ROBUST", "with_robust_errors"]

FloatArray = NDArray[np.float64]

ROBUST = ("cr0", "cr2", "observed")
"""The sandwiches by name."""


def with_robust_errors(
    fit: EngineFit, problem: LongProblem | WideProblem, robust: str
) -> tuple[EngineFit, FloatArray | None]:
    """The fit with a covariance matrix of the estimates clustered by person.

    ``"cr0"`` is ``(X'V^-1X)^-1 sum_i X_i'V_i^-1 r_i r_i'V_i^-1X_i (X'V^-1X)^-1`` for the fixed
    effects (Liang & Zeger 1986, doi:10.1093/biomet/73.1.13), the same for either family;
    (co)variances get no standard errors. ``"cr2"`` is its correction for few persons with degrees
    of freedom of its own, see :func:`~growthmm.inference.cr2.bias_reduced`. ``"observed"`` has
    the observed information and the scores of means and covariances together (White 1982,
    doi:10.2307/1912526), which is lavaan's MLR. They agree where means and covariances are
    orthogonal.

    Parameters
    ----------
    fit : EngineFit
        By one of our engines.
    problem : LongProblem or WideProblem
        What it fitted.
    robust : {"cr0", "cr2", "observed"}
        Which sandwich.

    Returns
    -------
    fit : EngineFit
    degrees : (n_parameters,) ndarray or None
        Degrees of freedom of each test of a fixed effect, for ``"cr2"``.

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
        return replace(fit, covariance=_observed(fit, problem), information="observed"), None
    covariance = np.full(fit.covariance.shape, np.nan)
    degrees: FloatArray | None = None
    if isinstance(problem, LongProblem):
        fixed = np.arange(problem.fixed.shape[1])
        if robust == "cr2":
            refuse_estimated_loadings(problem, "The corrected sandwich")
            gls = fixed_uncertainty(problem, fit.estimates, fit.estimator, fit.bounds).covariance
            block, own = bias_reduced(long_equations(problem, fit.estimates), gls)
        else:
            block = long_engine.sandwich(problem, fit.estimates)
    else:
        fixed, gls = _means(fit, problem)
        if robust == "cr2":
            block, own = bias_reduced(wide_equations(problem, fit.estimates, fixed), gls)
        else:
            scores = wide_engine.person_scores(problem, fit.estimates)[:, fixed]
            block = gls @ (scores.T @ scores) @ gls
    covariance[np.ix_(fixed, fixed)] = block
    if robust == "cr2":
        degrees = np.full(len(fit.names), np.nan)
        degrees[fixed] = own
    return replace(fit, covariance=covariance), degrees


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
    """Positions of the parameters of the means, and their covariance by expected information."""
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
    scale = 1.0 / np.sqrt(np.diag(bread))
    inverse = np.linalg.inv(bread * np.outer(scale, scale)) * np.outer(scale, scale)
    return fixed, inverse
