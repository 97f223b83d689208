"""Condition 5: a mixed model bounds its factor covariance, a growth curve does not."""

from __future__ import annotations

from functools import cache

import pytest
from reference import CASES, case, exact, reference_folder

import growthmm as gm
from growthmm.equivalence.result import Equivalence

reference_folder()


@cache
def verified(bounds: str | None) -> Equivalence:
    """K01, whose unbounded optimum has a negative slope variance."""
    entry = CASES["K01"]
    return gm.verify(
        entry.formula, entry.long_frame(), id="id", time="time", bounds=bounds, engines=["long"]
    )


BOUNDED = case("K01")["mixed"]["ml"]["logLik"]
UNBOUNDED = exact("K01", "ml")["log_likelihood"]


def test_two_parameter_spaces_are_different_estimators_and_both_optima_are_named() -> None:
    found = verified(None)
    assert (found.verdict, found.model_verdict) == ("different_estimator", "identical_if")
    assert "positive semi-definite" in found.conditions[0]
    for value in (BOUNDED, UNBOUNDED):
        assert f"{value:.6f}" in found.reason
    assert "bounded (positive semi-definite)" in found.reason
    assert "s~~s is negative" in found.reason
    assert found.sem_fit.log_likelihood > found.mixed_fit.log_likelihood + 1e-3


@pytest.mark.parametrize(("bounds", "golden"), [("psd", BOUNDED), ("none", UNBOUNDED)])
def test_in_one_space_they_are_identical(bounds: str, golden: float) -> None:
    found = verified(bounds)
    assert (found.verdict, found.model_verdict) == ("identical", "identical")
    for fit in (found.mixed_fit, found.sem_fit):
        assert fit.log_likelihood == pytest.approx(golden, abs=1e-6)


def test_an_interior_optimum_is_the_same_in_both_spaces() -> None:
    entry = CASES["D01"]
    frame = entry.long_frame()
    free, bounded = (
        gm.fit(entry.formula, frame, time="time", engine="wide", bounds=bounds)
        for bounds in ("none", "psd")
    )
    assert free.log_likelihood == pytest.approx(bounded.log_likelihood, abs=1e-8)


CURVE = "\n".join(
    [
        "i =~ " + " + ".join(f"1*gpa_{t}" for t in range(6)),
        "s =~ " + " + ".join(f"{t}*gpa_{t}" for t in range(6)),
        *(f"gpa_{t} ~~ e*gpa_{t}" for t in range(6)),
    ]
)


@cache
def with_inequality(more: str) -> Equivalence:
    """The SEM of GPA, whose slope variance is .0045 inside the space."""
    facts = {"id": "student", "time": "occasion", "outcome": "gpa"}
    return gm.verify(f"{CURVE}\n{more}", gm.datasets.gpa(), engines=["long"], **facts)


@pytest.mark.parametrize("more", ["s ~~ vs*s\nvs > 0", "s ~~ lower(0)*s", "s ~~ vs*s\nvs < e"])
def test_an_inequality_that_does_not_bind_changes_nothing(more: str) -> None:
    found = with_inequality(more)
    assert (found.verdict, found.model_verdict) == ("identical", "identical_if"), found.reason
    assert "no inequality holds with equality" in found.conditions[-1]
    assert any("is not in the mixed model" in note.what for note in found.assumptions)
    assert found.sem_fit.log_likelihood == pytest.approx(-123.117105, abs=1e-6)


@pytest.mark.parametrize("more", ["s ~~ vs*s\nvs > 0.01", "s ~~ upper(0.001)*s"])
def test_an_inequality_that_binds_is_another_estimator(more: str) -> None:
    found = with_inequality(more)
    assert (found.verdict, found.model_verdict) == ("different_estimator", "identical_if")
    assert "holds with equality" in found.reason
    assert found.sem_fit.log_likelihood < found.mixed_fit.log_likelihood - 1
    assert f"{found.sem_fit.log_likelihood:.6f}" in found.reason
    assert [level.passed for level in found.levels[:3]] == [True] * 3


def test_a_variance_held_above_zero_is_not_yet_the_bounded_space() -> None:
    """K01: with no slope variance the covariance of level and slope is still free."""
    entry = CASES["K01"]
    frame = entry.long_frame()
    times = sorted(frame["time"].unique())
    text = "\n".join(
        [
            "i =~ " + " + ".join(f"1*y_{t:g}" for t in times),
            "s =~ " + " + ".join(f"{t:g}*y_{t:g}" for t in times),
            *(f"y_{t:g} ~~ e*y_{t:g}" for t in times),
            "s ~~ vs*s\nvs > 0",
        ]
    )
    found = gm.verify(text, frame, id="id", time="time", outcome="y", engines=["long"])
    assert (found.verdict, found.model_verdict) == ("different_estimator", "identical_if")
    assert BOUNDED < found.sem_fit.log_likelihood < UNBOUNDED
    assert found.mixed_fit.log_likelihood == pytest.approx(BOUNDED, abs=1e-6)
    assert "vs > 0 holds with equality" in found.reason
