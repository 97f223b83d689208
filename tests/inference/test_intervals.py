"""Intervals against lme4's profiles and boot's rules, and what they hold to."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
from r_reference import differences, kept, live
from reference import case, long_frame

import growthmm as gm
from growthmm.errors import SpecificationError
from growthmm.inference.intervals.bootstrap import Bootstrap, bootstrap
from growthmm.inference.resampling.replicates import replicates
from growthmm.inference.result import FitResult

SLOPE = "gpa ~ occasion + (1 + occasion | student)"
SLEEP = "Reaction ~ Days + (Days | Subject)"
PROFILES = {
    "sleep": (SLEEP, "B_sleepstudy_long.csv"),
    "few": ("gpa ~ occasion * sexmale + (1 + occasion | student)", "A08_gpa_missing_long.csv"),
    "uncorrelated": (
        "gpa ~ occasion + sexmale + (1 + occasion || student)",
        "A08_gpa_missing_long.csv",
    ),
    "singular": ("y ~ time + (1 | id) + (0 + time | id)", "K_singular_long.csv"),
}

SPLINE_ENDS = {
    ("singular", "sigma", "lower"): "var(Residual)",
    ("singular", "sigma", "upper"): "var(Residual)",
    ("few", "sd_occasion|student", "lower"): "var(occasion|student)",
}
"""Limits where another parameter reaches its boundary on the way."""


def data(name: str) -> pd.DataFrame:
    frame = long_frame(PROFILES[name][1])
    return frame[frame["student"] <= 36] if name in ("few", "uncorrelated") else frame


@cache
def sleep(**options: Any) -> FitResult:
    return gm.fit(SLEEP, data("sleep"), **options)


def limits(table: pd.DataFrame) -> dict[str, tuple[float, float]]:
    rows = zip(table["name"], table["ci_low"], table["ci_high"], strict=True)
    return {name: (low, high) for name, low, high in rows}


def ours(name: str, group: str) -> str:
    """Our name of one of lme4's rows."""
    if name == "sigma":
        return "sd(Residual)"
    if name.startswith("cor_"):
        later, first = name[4:].removesuffix(f"|{group}").split(".", 1)
        return f"correlation({first},{later})"
    return f"sd({name[3:].removesuffix(f'|{group}')})" if name.startswith("sd_") else name


@pytest.mark.parametrize("estimator", ["ml", "reml"])
def test_profiles_are_the_golden_ones(estimator: str) -> None:
    fit = gm.fit(SLOPE, long_frame("A_gpa_long.csv"), estimator=estimator)
    found = limits(fit.confidence_intervals("profile"))
    for name, golden in case("N01_extras")["A02_confint_profile_ML"].items():
        low, high = found[ours(name, "student")]
        # lme4 interpolates its profile by a spline.
        width = golden["upper"] - golden["lower"]
        assert low == pytest.approx(golden["lower"], abs=1e-5 * width)
        assert high == pytest.approx(golden["upper"], abs=1e-5 * width)
    low, high = found["var(occasion|student)"]
    assert (low**0.5, high**0.5) == pytest.approx(found["sd(occasion)"])


@pytest.mark.parametrize("name", PROFILES)
def test_profiles_are_lme4s(name: str) -> None:
    formula, _ = PROFILES[name]
    fit = gm.fit(formula, data(name))
    group = fit.data.problem.group
    found = limits(fit.confidence_intervals("profile"))
    for theirs, golden in kept("intervals")[name].items():
        width = golden["upper"] - golden["lower"]
        for end, value in zip(("lower", "upper"), found[ours(theirs, group)], strict=True):
            if (name, theirs, end) not in SPLINE_ENDS:
                assert value == pytest.approx(golden[end], abs=1e-3 * width), (theirs, end)


@pytest.mark.parametrize(("name", "row", "end"), list(SPLINE_ENDS))
def test_near_a_boundary_lme4s_spline_misses_the_likelihood(name: str, row: str, end: str) -> None:
    formula, _ = PROFILES[name]
    fit, parameter = gm.fit(formula, data(name)), SPLINE_ENDS[name, row, end]
    found = limits(fit.confidence_intervals("profile"))[ours(row, fit.data.problem.group)]
    limit = found[("lower", "upper").index(end)]
    for value, exact in ((limit, True), (kept("intervals")[name][row][end], False)):
        held = gm.fit(formula, data(name), fixed={parameter: value**2})
        fall = 2 * (fit.log_likelihood - held.log_likelihood)
        assert (abs(fall - 3.841458820694124) < 1e-6) is exact


def test_both_families_have_the_same_profiles() -> None:
    frame = long_frame("A_gpa_long.csv")
    mixed = limits(gm.fit(SLOPE, frame).confidence_intervals("profile", level=0.9))
    fit = gm.fit(SLOPE, frame, engine="wide")
    sem = limits(fit.confidence_intervals("profile", level=0.9))
    i, s = fit.model.latent
    for one, two in (
        ("(Intercept)", f"{i}~1"),
        ("occasion", f"{s}~1"),
        ("sd(occasion)", f"sd({s})"),
        ("correlation((Intercept),occasion)", f"correlation({i},{s})"),
        ("var(occasion|student)", f"{s}~~{s}"),
    ):
        assert mixed[one] == pytest.approx(sem[two], rel=1e-6)
    # Without bounds a covariance is a coordinate of its own.
    assert sem[f"{i}~~{s}"][0] < fit.fit.value(f"{i}~~{s}") < sem[f"{i}~~{s}"][1]


def test_a_profile_ends_where_the_likelihood_has_fallen() -> None:
    frame = long_frame("A_gpa_long.csv")
    fit = gm.fit(SLOPE, frame)
    low, high = limits(fit.confidence_intervals("profile"))["var(Residual)"]
    for value in (low, high):
        held = gm.fit(SLOPE, frame, fixed={"var(Residual)": value})
        fall = 2 * (fit.log_likelihood - held.log_likelihood)
        assert fall == pytest.approx(3.841458820694124, abs=1e-6)


def test_wald_intervals_are_those_of_the_table() -> None:
    fit = sleep(estimator="reml", df="satterthwaite")
    found = limits(fit.confidence_intervals())
    for row in fit.estimates.to_dict("records"):
        assert found[row["name"]] == pytest.approx((row["ci_low"], row["ci_high"]), nan_ok=True)


def test_percentile_and_basic_intervals_are_boots() -> None:
    draws = np.sin(np.arange(1, 100))[:, None]
    made = Bootstrap(("a",), np.array([0.3]), draws, 0)
    for kind in ("percentile", "basic"):
        low, high = made.interval(0.95, kind)
        assert (low[0], high[0]) == pytest.approx(kept("intervals")["rule"][kind], rel=1e-9)


def test_parametric_bootstrap_has_lme4s_distribution() -> None:
    found = bootstrap(sleep(), n_simulations=250, seed=3, workers=1)
    golden = kept("intervals")["bootstrap_error"]
    names = {
        "sd_intercept": "sd((Intercept))",
        "sd_days": "sd(Days)",
        "sigma": "sd(Residual)",
    }
    errors = dict(zip(found.names, found.std_error, strict=True))
    for theirs, value in golden.items():
        # Standard deviations of 1000 and 250 draws: 4 standard errors of their log ratio.
        assert np.log(errors[names.get(theirs, theirs)] / value) == pytest.approx(0, abs=0.2)


def test_draws_depend_on_the_seed_alone() -> None:
    one = bootstrap(sleep(), n_simulations=12, seed=5, workers=1)
    two = bootstrap(sleep(), n_simulations=12, seed=5, workers=2)
    other = bootstrap(sleep(), n_simulations=12, seed=6, workers=1)
    np.testing.assert_array_equal(one.draws, two.draws)
    assert not np.array_equal(one.draws, other.draws)


@pytest.mark.parametrize("engine", ["long", "wide"])
def test_persons_are_drawn_whole(engine: str) -> None:
    fit = gm.fit(SLEEP, data("sleep"), engine=engine)
    found = bootstrap(fit, kind="case", n_simulations=100, seed=1, workers=1)
    # The mean of persons' own lines: its standard error is the sandwich's, cr0.
    robust = gm.fit(SLEEP, data("sleep"), engine=engine, robust="cr0").fit.standard_errors
    for error, sandwich in zip(found.std_error, robust, strict=False):
        if np.isfinite(sandwich):
            # Four standard errors of a standard deviation of 100 draws.
            assert np.log(error / sandwich) == pytest.approx(0.0, abs=0.28)


def test_refusals() -> None:
    for options in (
        {"method": "profiles"},
        {"method": "bootstrap", "kind": "wild"},
        {"method": "bootstrap", "interval": "bca"},
        {"level": 95},
        {"method": "bootstrap", "n_simulations": 0},
    ):
        with pytest.raises(SpecificationError):
            sleep().confidence_intervals(**options)


def test_repetitions_are_whole_and_in_order() -> None:
    alone = replicates(_number, 7, seed=2, workers=1)
    assert alone == replicates(_number, 7, seed=2, workers=3)
    assert len(set(alone)) == 7


def _number(rng: np.random.Generator) -> float:
    return float(rng.random())


@pytest.mark.r("lme4", "boot", "jsonlite")
@pytest.mark.nightly
def test_the_kept_output_is_what_r_says() -> None:
    assert differences(kept("intervals"), live("intervals"), 1e-4) == []
