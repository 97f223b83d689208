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
