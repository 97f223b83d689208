"""Degrees of freedom by name, for the table of estimates and for F tests."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from growthmm.engines.long.problem import LongProblem
from growthmm.engines.long.uncertainty import (
    FixedUncertainty,
    SmallSample,
    fixed_uncertainty,
    small_sample,
)
from growthmm.engines.outcome import EngineFit
from growthmm.engines.wide.problem import WideProblem
from growthmm.errors import SpecificationError, UnsupportedEngineError
from growthmm.inference.degrees.kenward_roger import adjusted_covariance, kenward_roger_f
from growthmm.inference.degrees.satterthwaite import satterthwaite, satterthwaite_f
from growthmm.inference.estimated_loadings import refuse_estimated_loadings

__all__ = ["METHODS", "Degrees", "degrees_of", "with_degrees"]

FloatArray = NDArray[np.float64]

METHODS = ("none", "satterthwaite", "kenward-roger")
"""Ways to find degrees of freedom, by name."""


@dataclass(frozen=True)
class Degrees:
    """Degrees of freedom of contrasts of one fit's fixed effects.

    Parameters
    ----------
    method : {"satterthwaite", "kenward-roger"}
        Which approximation.
    problem : LongProblem
        What was fitted.
    fit : EngineFit
        By the long engine.
    """

    method: str
    problem: LongProblem
    fit: EngineFit

    @cached_property
    def _uncertainty(self) -> FixedUncertainty:
        return fixed_uncertainty(
            self.problem, self.fit.estimates, self.fit.estimator, self.fit.bounds
        )

    @cached_property
    def _sums(self) -> SmallSample:
        return small_sample(self.problem, self.fit.estimates)

    @cached_property
    def covariance(self) -> FloatArray:
        """Covariance matrix of the fixed effects that goes with the degrees of freedom."""
        if self.method == "kenward-roger":
            return adjusted_covariance(self._sums)
        return self._uncertainty.covariance

    def of(self, contrast: FloatArray) -> float:
        """Degrees of freedom of one contrast, (n_fixed,)."""
        if self.method == "kenward-roger":
            return kenward_roger_f(self._sums, np.zeros(1), contrast[None])[1]
        return satterthwaite(self._uncertainty, contrast)

    def f_test(self, estimates: FloatArray, contrasts: FloatArray) -> tuple[float, float]:
        """F statistic of several contrasts (n_contrasts, n_fixed), and its denominator's."""
        if self.method == "kenward-roger":
            return kenward_roger_f(self._sums, estimates, contrasts)
        return satterthwaite_f(self._uncertainty, estimates, contrasts)


def degrees_of(fit: EngineFit, problem: LongProblem | WideProblem, method: str) -> Degrees:
    """The degrees of freedom of a fit by one method.

    Parameters
    ----------
    fit : EngineFit
        By the long engine.
    problem : LongProblem or WideProblem
        What it fitted.
    method : {"satterthwaite", "kenward-roger"}
        Which.

    Raises
    ------
    SpecificationError
        If there is no method of that name.
    UnsupportedEngineError
        Where the method does not apply, with the reason.
    """
    if method not in METHODS[1:]:
        raise SpecificationError(
            f"There are no degrees of freedom {method!r}.",
            hint=f"Use one of {', '.join(METHODS)}.",
        )
    if not isinstance(problem, LongProblem) or fit.engine != "long":
        raise UnsupportedEngineError(
            f"{_title(method)} degrees of freedom are of a mixed model's fixed effects, fitted by "
            f"the engine long; this is a fit by {fit.engine}.",
            hint="Use engine='long', which fits the translation, or df='none'.",
        )
    if method == "kenward-roger" and fit.estimator != "reml":
        raise UnsupportedEngineError(
            "Kenward and Roger's correction is derived for REML estimates; these are by "
            f"{fit.estimator.upper()}.",
            hint="Use estimator='reml', or df='satterthwaite'.",
        )
    if fit.boundary.beyond:
        raise UnsupportedEngineError(
            f"{_title(method)} degrees of freedom need a covariance matrix; "
            f"{fit.boundary.description}.",
            hint="Use bounds='psd', or df='none'.",
        )
    refuse_estimated_loadings(problem, f"{_title(method)}'s approximation")
    return Degrees(method, problem, fit)


def _title(method: str) -> str:
    return "Kenward-Roger" if method == "kenward-roger" else "Satterthwaite"


def with_degrees(
    fit: EngineFit, problem: LongProblem | WideProblem, method: str
) -> tuple[EngineFit, FloatArray]:
    """The fit with the method's standard errors, and each parameter's degrees of freedom.

    Kenward and Roger's method also adjusts the covariance matrix of the fixed effects.

    Returns
    -------
    fit : EngineFit
    degrees : (n_parameters,) ndarray
        NaN for covariance parameters, whose tests are normal.
    """
    found = degrees_of(fit, problem, method)
    p = found.problem.fixed.shape[1]
    degrees = np.full(len(fit.names), np.nan)
    degrees[:p] = [found.of(row) for row in np.eye(p)]
    if method == "kenward-roger":
        covariance = fit.covariance.copy()
        covariance[:p, :p] = found.covariance
        fit = replace(fit, covariance=covariance)
    return fit, degrees
