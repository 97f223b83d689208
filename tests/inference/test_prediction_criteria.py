"""Conditional AIC, cross-validation by person, coefficients averaged over models."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
from r_reference import differences, kept, live
from reference import long_frame
from scipy.stats import multivariate_normal

import growthmm as gm
from growthmm.errors import DataError, SpecificationError, UnsupportedEngineError
from growthmm.inference.result import FitResult

INTERCEPT = "gpa ~ occasion + (1 | student)"
SLOPE = "gpa ~ occasion + (1 + occasion | student)"
SEX = "gpa ~ occasion + sex + (1 + occasion | student)"
SLEEP = "Reaction ~ Days + (Days | Subject)"


@cache
def fitted(formula: str, **options: Any) -> FitResult:
    return gm.fit(formula, gm.datasets.gpa(), time="occasion", **options)


@cache
def frames() -> dict[str, tuple[str, pd.DataFrame]]:
    gpa, missing = long_frame("A_gpa_long.csv"), long_frame("A08_gpa_missing_long.csv")
    sleep = long_frame("B_sleepstudy_long.csv")
    return {
        "intercept": (INTERCEPT, gpa),
        "slope": (SLOPE, gpa[gpa["student"] <= 60]),
        "missing": (SLOPE, missing[missing["student"] <= 80]),
        "sleep": (SLEEP, sleep),
        "uncorrelated": (SLEEP.replace("|", "||"), sleep),
    }


@pytest.mark.parametrize("estimator", ["ml", "reml"])
def test_conditional_freedom_is_the_derivative_of_the_fitted_values(estimator: str) -> None:
    sleep = long_frame("B_sleepstudy_long.csv").astype({"Reaction": float})
    few = sleep[sleep["Subject"].isin(sorted(sleep["Subject"].unique())[:8])]
    few = few.reset_index(drop=True)
    found = gm.conditional_aic(gm.fit(SLEEP, few, estimator=estimator))
    trace, step = 0.0, 0.05
    for row in range(len(few)):
        ends = []
        for move in (step, -step):
            changed = few.copy()
            changed.loc[row, "Reaction"] += move
            ends.append(gm.fit(SLEEP, changed, estimator=estimator).predict()[row])
        trace += (ends[0] - ends[1]) / (2 * step)
    assert found.df - 1 == pytest.approx(trace, abs=1e-6)
    assert found.caic == pytest.approx(-2 * found.log_likelihood + 2 * found.df)


@pytest.mark.parametrize("name", ["intercept", "slope", "missing", "sleep", "uncorrelated"])
@pytest.mark.parametrize("estimator", ["ml", "reml"])
def test_conditional_aic_beside_caic4(name: str, estimator: str) -> None:
    golden = kept("conditional_aic")[name][estimator]
    formula, frame = frames()[name]
    found = gm.conditional_aic(gm.fit(formula, frame, estimator=estimator))
    assert found.log_likelihood == pytest.approx(golden["log_likelihood"], abs=1e-5)
    # cAIC4's degrees of freedom are not the derivative: see docs, where programs disagree.
    assert 0.02 < golden["df"] - found.df < 0.3


def test_caic4_halves_a_term_of_the_derivative() -> None:
    formula, frame = frames()["sleep"]
    fit = gm.fit(formula, frame)
    g = fit.factor_cov.to_numpy() / fit.fit.estimates[-1]
    x = np.column_stack([np.ones(180), frame["Days"]])
    same = np.equal.outer(frame["Subject"].to_numpy(), frame["Subject"].to_numpy())
    v = np.linalg.inv(np.eye(180) + same * (x @ g @ x.T))
    a = v - v @ x @ np.linalg.solve(x.T @ v @ x, x.T @ v)
    units = [np.array([[1, 0], [0, 0]]), np.array([[0, 1], [1, 0]]), np.array([[0, 0], [0, 1]])]
    w = [same * (x @ unit @ x.T) for unit in units]
    y = frame["Reaction"].to_numpy()
    e = a @ y
    s = y @ e
    q = np.array([e @ m @ e for m in w])
    bend = np.array([[e @ m @ a @ k @ e for k in w] for m in w])
    traces = np.array([[np.trace(v @ m @ v @ k) for k in w] for m in w])
    hessian = 90 * (-2 * bend / s + np.outer(q, q) / s**2) + 0.5 * traces
    moved = np.array([a @ m @ e for m in w])

    def freedom(factor: float) -> float:
        drift = 180 * (moved / s - factor * np.outer(q, e) / s**2)
        return float(181 - np.trace(a) + np.sum(moved * np.linalg.solve(-hessian, drift)))

    assert freedom(1.0) == pytest.approx(gm.conditional_aic(fit).df, abs=1e-8)
    assert freedom(0.5) == pytest.approx(kept("conditional_aic")["sleep"]["ml"]["df"], abs=1e-4)


@pytest.mark.r("lme4", "cAIC4")
@pytest.mark.nightly
def test_caic4_says_the_same_again() -> None:
    assert differences(kept("conditional_aic"), live("conditional_aic"), 1e-4) == []


def test_conditional_aic_where_it_has_no_closed_form() -> None:
    singular = gm.fit("y ~ time + (time | id)", long_frame("K_singular_long.csv"))
    for fit in (fitted(SLOPE, engine="wide"), fitted(SLOPE, residual="ar1"), singular):
        with pytest.raises(UnsupportedEngineError, match="no closed form"):
            gm.conditional_aic(fit)


def test_log_score_of_folds_is_the_density_of_those_left_out() -> None:
    data = gm.datasets.gpa()
    data = data[data["student"] <= 20]
    fit = gm.fit(SLOPE, data)
    found = gm.cross_validate(fit, n_folds=20)
    score, squares = 0.0, 0.0
    for student, own in data.groupby("student"):
        other = gm.fit(SLOPE, data[data["student"] != student])
        z = np.column_stack([np.ones(6), own["occasion"]])
        mean = z @ other.fit.estimates[:2]
        cov = z @ other.factor_cov.to_numpy() @ z.T + np.eye(6) * other.fit.estimates[-1]
        score += multivariate_normal(mean, cov).logpdf(own["gpa"])
        squares += float(np.sum((own["gpa"] - mean) ** 2))
    assert found.loc[0, "log_score"] == pytest.approx(score, abs=1e-6)
    assert found.loc[0, "mse"] == pytest.approx(squares / len(data), abs=1e-8)
    assert found.loc[0, "not_converged"] == 0


def test_cross_validation_is_seeded_and_of_both_families() -> None:
    found = gm.cross_validate(
        fitted(INTERCEPT), fitted(SLOPE), fitted(SLOPE, engine="wide"), n_folds=4, seed=2
    )
    assert found["log_score"][1] == pytest.approx(found["log_score"][2], abs=1e-5)
    assert found["mse"][1] == pytest.approx(found["mse"][2], rel=1e-8)
    assert found["difference"][0] < -30
    again = gm.cross_validate(fitted(INTERCEPT), n_folds=4, seed=2)
    assert again["log_score"][0] == found["log_score"][0]
    other = gm.cross_validate(fitted(INTERCEPT), n_folds=4, seed=3)
    assert other["log_score"][0] != found["log_score"][0]


def test_cross_validation_that_cannot_be() -> None:
    with pytest.raises(SpecificationError, match="201 folds of 200"):
        gm.cross_validate(fitted(SLOPE), n_folds=201)
    with pytest.raises(SpecificationError, match="No fit"):
        gm.cross_validate()
    with pytest.raises(UnsupportedEngineError, match="our engines"):
        gm.cross_validate(fitted(SLOPE, penalty="wishart"))
    with pytest.raises(DataError, match="same outcomes"):
        gm.cross_validate(fitted(SLOPE), gm.fit(SLOPE, gm.datasets.gpa().iloc[6:]))


def test_averages_by_hand() -> None:
    found = gm.compare(fitted(INTERCEPT), fitted(SLOPE), fitted(SEX))
    table = found.average("aic").set_index("name")
    w = np.array([row.weight for row in found.rows])
    b = np.array([fit.fit.value("occasion") for fit in found.fits])
    s = np.array([fit.fit.standard_errors[1] for fit in found.fits])
    row = table.loc["occasion"]
    assert row["full"] == pytest.approx(w @ b)
    assert row["full_std_error"] == pytest.approx(np.sqrt(w @ (s**2 + (b - w @ b) ** 2)))
    sex = table.loc["sexmale"]
    only = fitted(SEX)
    assert (sex["n_models"], sex["importance"]) == (1, pytest.approx(w[2]))
    assert sex["conditional"] == pytest.approx(only.fit.value("sexmale"))
    assert sex["full"] == pytest.approx(w[2] * only.fit.value("sexmale"))
    with pytest.raises(SpecificationError, match="no criterion"):
        found.average("dic")
    reml = gm.compare(fitted(SLOPE, estimator="reml"), fitted(SEX, estimator="reml"), refit=False)
    with pytest.raises(SpecificationError, match="can't be weighed"):
        reml.average()


def test_persons_in_clusters_are_not_left_out_one_by_one() -> None:
    data = gm.datasets.gpa().assign(school=lambda d: d["student"] % 20)
    rng = np.random.default_rng(1)
    data["gpa"] += rng.standard_normal(20)[data["school"]]
    fit = gm.fit("gpa ~ occasion + (1 | student) + (1 | school)", data, time="occasion")
    assert gm.diagnose(fit).converged
    with pytest.raises(UnsupportedEngineError, match="clusters"):
        gm.cross_validate(fit, n_folds=3)
    with pytest.raises(UnsupportedEngineError, match="clusters"):
        gm.diagnose(fit, influence=True)
    with pytest.raises(UnsupportedEngineError, match="clusters"):
        gm.conditional_aic(fit)
    row = gm.compare(fit, gm.fit(INTERCEPT, data)).rows[1]
    assert row.p_value is not None
    assert row.boundary_p_value is None
    assert "clusters" in row.boundary_distribution
