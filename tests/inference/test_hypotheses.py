"""Tests of hypotheses against lavaan, RLRsim and lme4, and against their own theory."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
from r_reference import differences, kept, live
from reference import case, long_frame, wide_frame
from scipy.stats import chi2

import growthmm as gm
from growthmm.errors import NotationError, SpecificationError, UnsupportedEngineError
from growthmm.inference.hypotheses.cone import VanishingBlock, cone_statistics, mixture_p_value
from growthmm.inference.hypotheses.exact import exact_draws
from growthmm.inference.hypotheses.linear import linear_hypothesis
from growthmm.inference.result import FitResult

SLOPE = "gpa ~ occasion + (1 + occasion | student)"
SEX = "gpa ~ occasion * sex + (1 + occasion | student)"
QUANTILES = (0.5, 0.8, 0.9, 0.95, 0.99)
CURVE = """
  i =~ 1*gpa_0 + 1*gpa_1 + 1*gpa_2 + 1*gpa_3 + 1*gpa_4 + 1*gpa_5
  s =~ 0*gpa_0 + 1*gpa_1 + 2*gpa_2 + 3*gpa_3 + 4*gpa_4 + 5*gpa_5
  gpa_0 ~~ v0*gpa_0
  gpa_1 ~~ v1*gpa_1
  gpa_2 ~~ v2*gpa_2
  gpa_3 ~~ v3*gpa_3
  gpa_4 ~~ v4*gpa_4
  gpa_5 ~~ v5*gpa_5
  i ~ a*sexmale
  s ~ b*sexmale
"""


@cache
def built_in(formula: str, **options: Any) -> FitResult:
    return gm.fit(formula, gm.datasets.gpa(), **options)


@cache
def curve() -> FitResult:
    return gm.fit(CURVE, wide_frame("A_gpa_wide.csv"))


def few() -> pd.DataFrame:
    frame = long_frame("A08_gpa_missing_long.csv")
    return frame[frame["student"] <= 36]


def test_reading_hypotheses() -> None:
    names = {"(Intercept)": 0, "occasion": 1, "occasion:sexmale": 2, "I(occasion^2)": 3}
    made = linear_hypothesis("2*occasion:sexmale - occasion/4 = 1 + 0.5; I(occasion^2)", names, 4)
    assert made.matrix.tolist() == [[0, -0.25, 2, 0], [0, 0, 0, 1]]
    assert made.target.tolist() == [1.5, 0]
    chain = linear_hypothesis(["(Intercept) = occasion = 0"], names, 4)
    assert chain.matrix.tolist() == [[1, -1, 0, 0], [0, 1, 0, 0]]


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("occasions = 0", NotationError),
        ("occasion = ", NotationError),
        ("occasion * (Intercept) = 0", SpecificationError),
        ("occasion = 0, 2*occasion = 1", SpecificationError),
        ("1 = 1", SpecificationError),
        ("", SpecificationError),
    ],
)
def test_hypotheses_that_are_none(text: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        linear_hypothesis(text, {"(Intercept)": 0, "occasion": 1}, 2)


def test_wald_score_and_likelihood_ratio_are_lavaans() -> None:
    golden = kept("variance_tests")
    wald = gm.test(curve(), "a = 0, b = 0")
    assert (wald.statistic, wald.df) == (pytest.approx(golden["wald"]["statistic"], rel=1e-5), 2)
    assert wald.p_value == pytest.approx(golden["wald"]["p"], rel=1e-4)
    score = gm.test(curve(), ["a = 0", "b = 0"], kind="score")
    assert score.statistic == pytest.approx(golden["score"]["statistic"], rel=1e-5)
    ratio = gm.test(curve(), "v0 = v1 = v2", kind="lrt")
    assert ratio.df == 2
    assert ratio.statistic == pytest.approx(golden["lrt_equal"]["statistic"], abs=1e-5)


def test_the_two_families_agree() -> None:
    mixed, sem = built_in(SEX), built_in(SEX, engine="wide")
    names = [n for n in sem.fit.names if "sexmale" in n]
    for kind in ("wald", "score", "lrt"):
        one = gm.test(mixed, "sexmale = 0, occasion:sexmale = 0", kind=kind)
        two = gm.test(sem, [f"{name} = 0" for name in names], kind=kind)
        assert one.statistic == pytest.approx(two.statistic, rel=1e-7)


def test_a_likelihood_ratio_is_the_comparison_of_two_fits() -> None:
    smaller = built_in(SLOPE)
    wanted = 2 * (built_in(SEX).log_likelihood - smaller.log_likelihood)
    found = gm.test(built_in(SEX), "sexmale = occasion:sexmale = 0", kind="lrt")
    assert found.statistic == pytest.approx(wanted, abs=1e-8)
    uncorrelated = built_in("gpa ~ occasion + (1 + occasion || student)")
    covariance = gm.test(smaller, "cov((Intercept),occasion|student) = 0", kind="lrt")
    wanted = 2 * (smaller.log_likelihood - uncorrelated.log_likelihood)
    assert covariance.statistic == pytest.approx(wanted, abs=1e-7)


def test_score_of_a_hypothesis_with_a_target() -> None:
    # At the estimates themselves nothing speaks against the hypothesis.
    fit = built_in(SLOPE)
    value = fit.fit.value("occasion")
    for kind in ("wald", "score", "lrt"):
        found = gm.test(fit, f"occasion = {value!r}".replace("np.float64", ""), kind=kind)
        assert found.statistic == pytest.approx(0.0, abs=1e-9)


def test_f_tests_take_the_fits_degrees_of_freedom() -> None:
    fit = built_in(SEX, estimator="reml", df="kenward-roger")
    found = gm.test(fit, "sexmale = 0, occasion:sexmale = 0")
    assert (found.distribution, found.df) == ("F", 2)
    assert found.df_denominator == pytest.approx(197.0, rel=1e-6)
    single = gm.test(fit, "occasion:sexmale", df="satterthwaite")
    row = built_in(SEX, estimator="reml", df="satterthwaite").estimates.set_index("name")
    assert single.p_value == pytest.approx(row.loc["occasion:sexmale", "p_value"], rel=1e-9)


def test_refusals_say_why() -> None:
    fit = built_in(SLOPE, estimator="reml")
    with pytest.raises(UnsupportedEngineError, match="boundary"):
        gm.test(fit, "var(occasion|student) = 0", kind="lrt")
    for kind in ("score", "lrt"):
        with pytest.raises(UnsupportedEngineError, match="restricted likelihoods"):
            gm.test(fit, "occasion = 0", kind=kind)
    with pytest.raises(SpecificationError, match="no test 'f'"):
        gm.test(fit, "occasion = 0", kind="f")
    with pytest.raises(SpecificationError, match="Wald"):
        gm.test(built_in(SLOPE), "occasion = 0", kind="lrt", df="satterthwaite")
    with pytest.raises(SpecificationError, match="no random effect 'sex'"):
        gm.test_variance(fit, "sex")
    with pytest.raises(UnsupportedEngineError, match="covaries with others"):
        gm.test_variance(fit, "occasion", method="exact")


@pytest.mark.parametrize("engine", ["long", "wide"])
def test_a_slope_beside_an_intercept_is_the_golden_mixture(engine: str) -> None:
    golden = case("A10_gpa_comparison")
    fit = gm.fit(SLOPE, long_frame("A_gpa_long.csv"), engine=engine, estimator="reml")
    slope = "occasion" if engine == "long" else fit.model.latent[1]
    found = gm.test_variance(fit, slope)
    assert found.distribution == "0.5*chi2(1) + 0.5*chi2(2)"
    assert found.statistic == pytest.approx(147.936319, abs=1e-5)
    wanted = 0.5 * (chi2.sf(147.936319, 1) + chi2.sf(147.936319, 2))
    assert found.p_value == pytest.approx(wanted, rel=1e-5)
    assert golden


def test_an_intercept_alone_and_uncorrelated_effects() -> None:
    alone = gm.test_variance(built_in("gpa ~ occasion + (1 | student)"), "(Intercept)")
    assert alone.distribution == "0.5*chi2(0) + 0.5*chi2(1)"
    apart = gm.test_variance(built_in("gpa ~ occasion + (1 + occasion || student)"), "occasion")
    assert apart.distribution == "0.5*chi2(0) + 0.5*chi2(1)"


def test_cones_have_the_distributions_of_theory() -> None:
    rng = np.random.default_rng(5)
    root = rng.standard_normal((3, 3))
    covariance = root @ root.T + np.eye(3)
    # One variance with two free covariances: half chi2(2), half chi2(3), whatever the metric.
    draws = cone_statistics(
        covariance, [VanishingBlock(1, ((0, 0, 2),))], n_simulations=40_000, seed=1
    )
    for level in (0.5, 0.9, 0.95):
        at = np.quantile(draws, level)
        assert mixture_p_value(float(at), (2, 3)) == pytest.approx(1 - level, abs=0.008)
    # Two independent variances: a quarter, a half, a quarter.
    pair = [VanishingBlock(1, ((0, 0, 0),)), VanishingBlock(1, ((0, 0, 1),))]
    draws = cone_statistics(np.eye(2), pair, n_simulations=40_000, seed=2)
    assert np.mean(draws == 0) == pytest.approx(0.25, abs=0.01)
    at = float(np.quantile(draws, 0.95))
    tail = 0.5 * chi2.sf(at, 1) + 0.25 * chi2.sf(at, 2)
    assert tail == pytest.approx(0.05, abs=0.004)


def test_a_block_of_two_projects_on_positive_matrices() -> None:
    # In the metric of Frobenius the distance is that of the negative eigenvalues.
    entries = ((0, 0, 0), (0, 1, 1), (1, 1, 2))
    covariance = np.diag([1.0, 0.5, 1.0])
    draws = cone_statistics(covariance, [VanishingBlock(2, entries)], n_simulations=500, seed=3)
    points = np.random.default_rng(3).standard_normal((500, 3)) * np.sqrt(np.diag(covariance))
    for (a, b, c), found in zip(points, draws, strict=True):
        values = np.linalg.eigvalsh(np.array([[a, b], [b, c]]))
        assert found == pytest.approx(float(np.sum(np.maximum(values, 0) ** 2)), abs=1e-6)


def test_several_effects_are_tested_by_simulation() -> None:
    formula = "gpa ~ occasion + (1 + occasion | student)"
    data = gm.datasets.gpa()
    rng = np.random.default_rng(11)
    data["gpa"] = 2.6 + 0.1 * data["occasion"] + rng.normal(0, 0.3, len(data))
    found = gm.test_variance(gm.fit(formula, data), ["(Intercept)", "occasion"], seed=4)
    assert found.p_error is not None
    assert 0.01 < found.p_value <= 1.0
    single = built_in("gpa ~ occasion + (1 + occasion || student)")
    both = gm.test_variance(single, ["(Intercept)", "occasion"], n_simulations=2000)
    assert both.p_value == 0.0


@pytest.mark.parametrize(
    ("key", "formula", "effect"),
    [
        ("exact_few", "gpa ~ occasion + (1 | student)", "(Intercept)"),
        ("exact_slope", "y ~ time + (0 + time | id)", "time"),
    ],
)
@pytest.mark.parametrize("estimator", ["reml", "ml"])
def test_exact_distributions_are_rlrsims(
    key: str, formula: str, effect: str, estimator: str
) -> None:
    frame = few() if key == "exact_few" else long_frame("K_singular_long.csv")
    fit = gm.fit(formula, frame, estimator=estimator)
    draws = exact_draws(fit, [effect], n_simulations=100_000, seed=6)
    kind = "rlrt" if estimator == "reml" else "lrt"
    golden = kept("variance_tests")[key]
    assert np.mean(draws < 1e-10) == pytest.approx(golden[f"{kind}_zero"], abs=0.008)
    for level, value in zip(QUANTILES, golden[kind], strict=True):
        # Four standard errors of either quantile's level.
        reach = 4 * np.sqrt(2 * level * (1 - level) / 100_000)
        low, high = np.quantile(draws, [max(level - reach, 0), level + reach])
        assert low - 1e-9 <= value <= high + 1e-9


def test_exact_tests_are_rlrsims() -> None:
    golden = kept("variance_tests")
    fit = gm.fit("gpa ~ occasion + (1 | student)", few(), estimator="reml")
    found = gm.test_variance(fit, "(Intercept)", method="exact")
    assert found.statistic == pytest.approx(golden["exact_rlrt_few"]["statistic"], abs=1e-4)
    assert found.p_value == 0.0
    frame = long_frame("K_singular_long.csv")
    both = gm.fit("y ~ time + (1 | id) + (0 + time | id)", frame, estimator="reml")
    found = gm.test_variance(both, "time", method="exact")
    assert found.statistic == 0.0
    assert found.p_value == 1.0


@pytest.mark.r("lme4", "RLRsim", "lavaan", "jsonlite")
@pytest.mark.nightly
def test_the_kept_output_is_what_r_says() -> None:
    assert differences(kept("variance_tests"), live("variance_tests"), 1e-3) == []
