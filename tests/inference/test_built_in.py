"""The built-in data give the reference cases' numbers from the shipped figures alone."""

from __future__ import annotations

import pytest
from reference import exact

import growthmm as gm

CASES = {
    "A01": ("gpa ~ 1 + (1 | student)", "common"),
    "A01b": ("gpa ~ occasion + (1 | student)", "common"),
    "A02": ("gpa ~ occasion + (1 + occasion | student)", "common"),
    "A03": ("gpa ~ occasion + (occasion | student)", "by_occasion"),
    "A04": ("gpa ~ occasion * sex + (1 + occasion | student)", "common"),
    "A05": ("gpa ~ occasion + lib_hours + (1 + occasion | student)", "common"),
    "A06b": ("gpa ~ occasion + I(occasion^2) + (1 + occasion | student)", "common"),
    "A07": ("gpa ~ occasion + (1 + occasion || student)", "common"),
}


@pytest.mark.parametrize("estimator", ["ml", "reml"])
@pytest.mark.parametrize("name", CASES)
def test_reference_case(name: str, estimator: str) -> None:
    formula, residual = CASES[name]
    golden = exact(name, estimator)  # type: ignore[arg-type]
    result = gm.verify(
        formula,
        gm.datasets.gpa(),
        id="student",
        time="occasion",
        residual=residual,
        estimator=estimator,
        engines=["long"],
    )
    assert result.verdict == "identical"
    for fit in (result.mixed_fit, result.sem_fit):
        assert fit.log_likelihood == pytest.approx(golden["log_likelihood"], abs=1e-6)
    estimates = result.mixed_fit.fit.estimates
    assert estimates[: len(golden["fixed"])] == pytest.approx(
        list(golden["fixed"].values()), rel=1e-6
    )
    errors = result.mixed_fit.fit.standard_errors
    for k, name_ in enumerate(golden["fixed"]):
        assert errors[k] == pytest.approx(golden["se_expected"][name_], rel=1e-5)


def test_boundary_case() -> None:
    formula = "gpa ~ occasion + I(occasion^2) + (1 + occasion + I(occasion^2) | student)"
    result = gm.verify(formula, gm.datasets.gpa(), engines=["long"])
    assert result.verdict == "different_estimator"
    assert result.mixed_fit.log_likelihood == pytest.approx(-95.4883097940985, abs=1e-6)
    assert result.sem_fit.log_likelihood == pytest.approx(
        exact("A06", "ml")["log_likelihood"], abs=1e-6
    )
