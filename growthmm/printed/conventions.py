"""How each program arrives at what it prints: information matrices, criteria, tolerances."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["CONVENTIONS", "Convention", "Errors"]

Errors = Literal["expected", "observed", "ratio"]


@dataclass(frozen=True, slots=True)
class Convention:
    """A program's habits, as far as printed figures show them.

    Parameters
    ----------
    fixed_errors : {"expected", "observed"}
        Information matrix behind the standard errors of fixed effects (all parameters of a SEM).
    variance_errors : {"expected", "observed", "ratio"}
        The same of (co)variances; ``ratio`` is statsmodels's: that of the (co)variance over the
        residual variance, times the residual standard deviation.
    adjusted : bool
        Whether standard errors under ML are multiplied by the root of n / (n - p) (nlme).
    aic : {"all", "covariances"}
        Which parameters AIC and BIC count under REML.
    bic : {"rows", "subjects", "residual_rows"}
        What BIC takes the logarithm of; ``residual_rows`` is rows less fixed effects under REML.
    early : float
        How far below its maximum, in log-likelihood units, the program may stop under its own
        tolerances.
    error_slack : float
        Relative error of its standard errors (finite differences).
    bounds : {"psd", "none"}
        Whether covariance matrices are kept positive semi-definite.
    estimator : {"ml", "reml"}
        Its default.
    """

    fixed_errors: Literal["expected", "observed"] = "expected"
    variance_errors: Errors = "expected"
    adjusted: bool = False
    aic: Literal["all", "covariances"] = "all"
    bic: Literal["rows", "subjects", "residual_rows"] = "rows"
    early: float = 1e-5
    error_slack: float = 1e-4
    bounds: Literal["psd", "none"] = "psd"
    estimator: Literal["ml", "reml"] = "reml"


CONVENTIONS = {
    "lme4": Convention(error_slack=5e-4),
    "nlme": Convention(adjusted=True, bic="residual_rows", early=1e-4, error_slack=5e-4),
    "glmmtmb": Convention("observed", "observed", estimator="ml"),
    "statsmodels": Convention("observed", "ratio", error_slack=2e-3),
    "sas": Convention("expected", "observed", aic="covariances", bic="subjects"),
    "spss": Convention("expected", "expected", aic="covariances", bic="residual_rows"),
    "stata": Convention("expected", "observed", estimator="ml", early=1e-6),
    "lavaan": Convention(
        "expected", "expected", bic="subjects", early=1e-6, bounds="none", estimator="ml"
    ),
    "mplus": Convention("observed", "observed", bic="subjects", bounds="none", estimator="ml"),
    "openmx": Convention(
        "observed", "observed", bic="subjects", error_slack=2e-3, bounds="none", estimator="ml"
    ),
}
"""By notation. From the programs' manuals, and run where they run in R or Python."""
