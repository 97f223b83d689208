"""Condition 18: which changes of the origin and unit of time leave the model the same."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import long_frame

import growthmm as gm
from growthmm.translation.loadings.recoding import recoded
from growthmm.verbs.binding import Facts, paired
from growthmm.verbs.source import source

TIMES = (0.0, 1.0, 2.0, 3.0, 4.0)

FORMULAS = {
    "y ~ t + (1 + t | id)": (True, True),
    "y ~ t + (1 + t || id)": (False, True),
    "y ~ t + I(t^2) + (1 + I(t^2) | id)": (False, True),
    "y ~ t + I(t^2) + (1 + t + I(t^2) | id)": (True, True),
    "y ~ t + I(t^2) + (1 + t | id)": (True, True),
    "y ~ I(t^2) + (1 | id)": (False, True),
    "y ~ exp(-0.3*t) + (1 + exp(-0.3*t) | id)": (True, False),
}
"""Formula: whether a shift and whether a change of unit leave the model the same."""


def growth(formula: str):
    pair, _ = paired(source(formula).model, None, Facts(time_values=TIMES))
    return pair.growth


@pytest.mark.parametrize("formula", FORMULAS)
def test_the_verdict_on_a_shift_and_on_a_unit(formula: str) -> None:
    shift, unit = FORMULAS[formula]
    model = growth(formula)
    assert recoded(model, origin=2.0).same_model is shift
    assert recoded(model, unit=10.0).same_model is unit


def test_what_changes_is_named() -> None:
    (why,) = recoded(growth("y ~ t + (1 + t || id)"), origin=2.0).changes
    assert why == "the covariance of i and s is zero and would not stay so"
    found = recoded(growth("y ~ t + I(t^2) + (1 + I(t^2) | id)"), origin=2.0)
    assert found.changes == ("the random functions of time (i, q) are not closed under it",)


def test_the_rules_are_printed() -> None:
    rules = recoded(growth("y ~ t + (1 + t | id)"), origin=2.0, unit=10.0).rules
    assert rules == (
        "mean(i)' = 1*mean(i) + 2*mean(s)",
        "mean(s)' = 10*mean(s)",
        "cov(i,i)' = 1*cov(i,i) + 2*cov(i,s) + 2*cov(s,i) + 4*cov(s,s)",
        "cov(i,s)' = 10*cov(i,s) + 20*cov(s,s)",
        "cov(s,s)' = 100*cov(s,s)",
    )


@settings(max_examples=8, deadline=None)
@given(
    formula=st.sampled_from(sorted(FORMULAS)),
    origin=st.sampled_from([0.0, -1.5, 2.0, 2.5]),
    unit=st.sampled_from([1.0, 10.0, 0.5, -1.0]),
)
def test_the_likelihood_says_the_same(formula: str, origin: float, unit: float) -> None:
    found = recoded(growth(formula), origin=origin, unit=unit)
    if not found.same_model:
        return
    frame = data()
    moved = frame.assign(t=(frame["t"] - origin) / unit)
    for estimator in ("ml", "reml"):
        a = gm.fit(formula, frame, estimator=estimator)
        b = gm.fit(formula, moved, estimator=estimator)
        shift = found.restricted_shift if estimator == "reml" else 0.0
        assert b.log_likelihood == pytest.approx(a.log_likelihood + shift, abs=1e-6)


def data():
    frame = long_frame("A_gpa_long.csv")
    frame = frame[frame["occasion"] < 5]
    return frame.rename(columns={"occasion": "t", "gpa": "y", "student": "id"})


def test_the_golden_shift_under_uncorrelated_effects() -> None:
    frame = long_frame("A_gpa_long.csv")
    formula = "gpa ~ occasion + (1 + occasion || student)"
    moved = frame.assign(occasion=frame["occasion"] - 3)
    assert gm.fit(formula, frame).log_likelihood == pytest.approx(-123.4874, abs=1e-4)
    assert gm.fit(formula, moved).log_likelihood == pytest.approx(-153.4105, abs=1e-4)


def test_reml_moves_by_log_ten() -> None:
    frame = long_frame("A_gpa_long.csv")
    formula = "gpa ~ occasion + (1 + occasion | student)"
    moved = frame.assign(occasion=frame["occasion"] / 10)
    a = gm.fit(formula, frame, estimator="reml").log_likelihood
    b = gm.fit(formula, moved, estimator="reml").log_likelihood
    model, _ = paired(source(formula).model, frame, Facts())
    assert b - a == pytest.approx(recoded(model.growth, unit=10.0).restricted_shift, abs=1e-6)
    assert abs(b - a) == pytest.approx(np.log(10), abs=1e-6)
