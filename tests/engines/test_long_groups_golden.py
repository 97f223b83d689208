"""Several groups and two outcomes as one long model, against the golden numbers."""

from __future__ import annotations

import pytest
from reference import case, long_frame

import growthmm as gm

SEPARATE = (
    "gpa ~ 0 + f + m + f:occasion + m:occasion"
    " + (0 + f + f:occasion | student) + (0 + m + m:occasion | student)"
)
GROUPS = {
    "H0_free": (SEPARATE, "by_group:sex", 12),
    "H1_equal_residual": (SEPARATE, "common", 11),
    "H2_equal_residual_G": ("gpa ~ occasion * sex + (occasion | student)", "common", 8),
    "H3_plus_equal_slope_mean": ("gpa ~ occasion + sex + (occasion | student)", "common", 7),
    "H4_all_equal": ("gpa ~ occasion + (occasion | student)", "common", 6),
}


@pytest.mark.parametrize("name", GROUPS)
def test_groups(name: str) -> None:
    golden = case("H01")["sem"][name]
    formula, residual, n_parameters = GROUPS[name]
    frame = long_frame("A_gpa_long.csv")
    frame = frame.assign(f=(frame["sex"] == "female") * 1.0, m=(frame["sex"] == "male") * 1.0)
    fit = gm.fit(formula, frame, residual=residual)
    assert fit.convergence.converged
    assert fit.n_parameters == n_parameters
    assert fit.log_likelihood == pytest.approx(golden["logLik"], abs=1e-7)


def test_two_outcomes_stacked() -> None:
    golden = case("G01")
    fit = gm.fit(
        "y ~ 0 + dA + tA + dB + tB + (0 + dA + tA + dB + tB | id)",
        long_frame("G_parallel_stacked.csv"),
        residual="by_group:proc",
    )
    assert fit.n_parameters == 16
    assert fit.log_likelihood == pytest.approx(golden["exact"]["ml"]["logLik"], abs=1e-7)


def test_change_scores_are_linear_growth() -> None:
    golden = case("L01")
    fit = gm.fit("y ~ time + (time | id)", long_frame("L_lcs_long.csv"))
    assert fit.log_likelihood == pytest.approx(golden["mixed"]["ml"]["logLik"], abs=1e-7)
