"""Condition 3: the residual structure must be matched."""

from __future__ import annotations

import pytest

import growthmm as gm
from tests.equivalence.residual_pairs import SLOPE, crossed, gpa, pair_of
from tests.reference import reference_folder

reference_folder()
FREE = (
    "i =~ "
    + " + ".join(f"1*gpa_{j}" for j in range(6))
    + "\ns =~ "
    + " + ".join(f"{j}*gpa_{j}" for j in range(6))
)
"""growth() text as people write it: residual variances are free by default."""


def test_the_default_growth_curve_is_the_mixed_model_by_occasion() -> None:
    found = gm.verify(FREE, gpa(), id="student", time="occasion", engines=["long", "wide"])
    assert found.verdict == "identical"
    fit = gm.fit(FREE, gpa(), id="student", time="occasion")
    assert fit.log_likelihood == pytest.approx(-49.385246, abs=1e-6)


def test_a_common_variance_is_nested_in_variances_by_occasion() -> None:
    common, each = pair_of(SLOPE, "common"), pair_of(SLOPE, "by_occasion")
    verdict, notes = crossed(common, each)
    assert verdict == "nested"
    assert notes == ("the structural equation model is the larger one, by 5 degrees of freedom",)
    verdict, notes = crossed(each, common)
    assert verdict == "nested"
    assert notes == ("the mixed model is the larger one, by 5 degrees of freedom",)


def test_their_likelihoods_differ_by_a_likelihood_ratio() -> None:
    fits = [
        gm.fit(SLOPE, gpa(), time="occasion", residual=kind) for kind in ("common", "by_occasion")
    ]
    assert fits[0].log_likelihood == pytest.approx(-123.117105, abs=1e-6)
    assert fits[1].log_likelihood == pytest.approx(-49.385246, abs=1e-6)
    assert fits[1].n_parameters - fits[0].n_parameters == 5


def test_explain_says_what_the_two_defaults_differ_in() -> None:
    """lme4's one residual variance against growth()'s free ones: the step and its size."""
    found = gm.explain(SLOPE, FREE, gpa(), id="student", time="occasion")
    steps = {step.cause: step for step in found.steps}
    step = steps["residual_variances"]
    assert step.log_likelihood_after - step.log_likelihood_before == pytest.approx(
        73.7318595, abs=1e-5
    )
    assert step.description.startswith(
        "Residual variances are equal in lme4, free at every occasion"
    )
