"""Condition 9: conditional and joint likelihood differ by the covariates' own."""

from __future__ import annotations

from functools import cache

import pytest
from reference import CASES, case

import growthmm as gm

X = [f"lib_hours_{k}" for k in range(6)]
FREE = "\n".join(
    [*(f"{x} ~ 1" for x in X), *(f"{a} ~~ {b}" for k, a in enumerate(X) for b in X[k:])]
)


def call(text: str) -> str:
    return f"growth('{text}', fixed.x = FALSE)"


@cache
def verified(text: str, layout: str):
    entry = CASES["A05b"]
    if layout == "wide":
        return gm.verify(call(text), entry.wide_frame(), engines=["long"])
    frame = entry.long_frame()
    return gm.verify(call(text), frame, id="student", time="occasion", engines=["long"])


@pytest.mark.parametrize("layout", ["long", "wide"])
def test_the_joint_likelihood_is_a_different_estimator(layout: str) -> None:
    found = verified(CASES["A05b"].lavaan + "\n" + FREE, layout)
    assert (found.verdict, found.model_verdict) == ("different_estimator", "identical_if")
    for word in ("-3152.562083 (34", "-11.268198 (7", "subtracting -3141.293886"):
        assert word in found.reason
    golden = case("A05b")["tvc"]
    assert found.mixed_fit.log_likelihood == pytest.approx(
        golden["fixed_x_TRUE"]["logLik"], abs=1e-6
    )


def test_our_engine_fits_the_joint_model() -> None:
    golden = case("A05b")["tvc"]
    fit = gm.fit(call(CASES["A05b"].lavaan + "\n" + FREE), CASES["A05b"].wide_frame())
    joint = golden["fixed_x_TRUE"]["logLik"] + golden["logLik_x_saturated_normal"]
    assert fit.log_likelihood == pytest.approx(joint, abs=1e-6)
    assert fit.n_parameters == golden["fixed_x_FALSE_with_x_means_free"]["npar"]


def test_the_trap_of_growth_is_named() -> None:
    found = verified(CASES["A05b"].lavaan, "wide")
    assert found.verdict == "different_estimator"
    assert "-3460.646596" in found.reason
    assert "fixes the means of lib_hours_0" in found.reason
    assert "in place of -3141.293886" in found.reason


def test_translation_says_that_it_conditions() -> None:
    entry = CASES["A05b"]
    made = gm.translate(call(entry.lavaan), "lme4", data=entry.wide_frame())
    assert made.text.strip() == "gpa ~ occasion + lib_hours + (1 + occasion | student)".replace(
        "occasion", "time"
    ).replace("student", "person")
    assert any("given lib_hours_0" in str(note) for note in made.assumptions)
