"""Tables of Clark's Mixed Models with R on what comes up around them, to the digits printed."""

from __future__ import annotations

from functools import cache

import growthmm as gm
from growthmm.inference.result import FitResult

SLOPE = "gpa ~ occasion + (1 + occasion | student)"
SEX = "gpa ~ occasion + sex + (1 + occasion | student)"
INTERCEPT = "gpa ~ occasion + (1 | student)"


@cache
def fitted(formula: str, estimator: str = "reml") -> FitResult:
    # Drawn with the moments of the original data, to which these numbers alone belong.
    return gm.fit(formula, gm.datasets.gpa(), estimator=estimator, time="occasion")


def test_aic_as_fitted() -> None:
    found = [(fit.n_parameters, f"{fit.aic:.4f}") for fit in map(fitted, (SLOPE, SEX, INTERCEPT))]
    assert found == [(6, "272.9566"), (7, "269.7853"), (4, "416.8929")]


def test_likelihood_ratio_test_after_a_refit_by_ml() -> None:
    rows = gm.compare(fitted(SLOPE), fitted(SEX)).rows
    criteria = [(row.n_parameters, f"{row.aic:.2f}", f"{row.bic:.2f}") for row in rows]
    assert criteria == [(6, "258.23", "288.77"), (7, "250.07", "285.70")]
    assert [f"{row.log_likelihood:.2f}" for row in rows] == ["-123.12", "-118.03"]
    assert [f"{row.deviance:.2f}" for row in rows] == ["246.23", "236.07"]
    last = rows[1]
    assert (f"{last.chi_square:.3f}", last.df, f"{last.p_value:.6f}") == ("10.166", 1, "0.001431")


def test_random_slopes_are_compared_without_a_refit() -> None:
    last = gm.compare(fitted(INTERCEPT), fitted(SLOPE), refit=False).rows[1]
    assert (f"{last.chi_square:.2f}", last.df, f"{last.p_value:.1e}") == ("147.94", 2, "7.5e-33")
    # Half the p value: the boundary's mixture of chi-squares with one and two degrees of freedom.
    assert last.boundary_p_value is not None
    assert last.p_value is not None
    assert last.boundary_p_value < last.p_value


def test_variance_accounted_for() -> None:
    shares, ratio = gm.r_squared(fitted(INTERCEPT)), gm.icc(fitted(INTERCEPT))
    assert (f"{shares.conditional:.3f}", f"{shares.marginal:.3f}") == ("0.625", "0.213")
    assert (f"{ratio.adjusted:.3f}", f"{ratio.unadjusted:.3f}") == ("0.523", "0.412")
