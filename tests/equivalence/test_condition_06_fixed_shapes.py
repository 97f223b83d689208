"""Condition 6: fixed effects outside the span of the random ones; F01 and F03 are inside."""

from __future__ import annotations

from functools import cache

import pytest
from reference import CASES

import growthmm as gm
from growthmm.equivalence.result import Equivalence


@cache
def verified(name: str) -> Equivalence:
    found = CASES[name]
    frame = found.long_frame()
    return gm.verify(found.formula, frame, time=found.time, engines=("statsmodels",))


@pytest.mark.parametrize("name", ["F01", "F03"])
def test_shapes_that_are_fixed_and_random_are_identical(name: str) -> None:
    found, golden = verified(name), CASES[name].golden
    assert found.verdict == "identical"
    assert found.model_verdict == "identical_if"
    assert all(level.passed for level in found.levels)
    for fit in (found.mixed_fit, found.sem_fit):
        assert fit.log_likelihood == pytest.approx(golden["mixed"]["ml"]["logLik"], abs=1e-6)


def test_both_codings_of_a_broken_line_have_one_likelihood() -> None:
    frame = CASES["F01"].long_frame()
    expected = CASES["F01"].golden["mixed"]["ml"]["logLik"]
    for early in ("occasion", "pmin(occasion, 2)"):
        for late in ("pmax(occasion - 2, 0)", "I((occasion - 2)*(occasion > 2))"):
            formula = f"gpa ~ {early} + {late} + ({early} + {late} | student)"
            text = gm.translate(formula, "lavaan", data=frame).text
            facts = {"id": "student", "time": "occasion", "outcome": "gpa"}
            back = gm.translate(text, "lme4", data=frame, **facts)
            for model, engine in ((formula, "long"), (formula, "wide"), (back.model, "long")):
                fit = gm.fit(model, frame, engine=engine)
                assert fit.log_likelihood == pytest.approx(expected, abs=1e-6)


OUTSIDE = {
    "gpa ~ occasion + I(occasion^2) + (1 + occasion | student)": "q ~~ 0*q",
    "gpa ~ factor(occasion) + (1 + occasion | student)": "gpa_1 ~ 1",
}


@pytest.mark.parametrize("formula", OUTSIDE)
def test_fixed_effects_beyond_the_random_ones(formula: str) -> None:
    frame = CASES["A02"].long_frame()
    found = gm.verify(formula, frame, engines=("statsmodels",))
    assert found.verdict == "identical"
    assert found.reason.startswith("one model written twice")
    assert OUTSIDE[formula] in found.text
