"""Effects of time-varying covariates that move with time, in real lavaan."""

from __future__ import annotations

import pytest
from two_sides import long_frame

import growthmm as gm


@pytest.mark.r("lme4", "lavaan")
@pytest.mark.parametrize(
    "text",
    [
        "y ~ t*w + (t | id)",
        pytest.param("y ~ t + w + w:factor(t) + (1 | id)", marks=pytest.mark.nightly),
        pytest.param("y ~ t + t:w:x + (1 | id)", marks=pytest.mark.nightly),
    ],
)
def test_lavaan_fits_what_is_written(text: str) -> None:
    """A data column with the product would be collinear with the covariate, and refused."""
    frame = long_frame((0, 1, 2, 3), n_persons=60, seed=3)
    check = gm.verify(text, frame, time="t", engines=["lme4", "lavaan"])
    used = {report.name for report in check.reports if report.used}
    assert {"lme4", "lavaan"} <= used, [report.reason for report in check.reports]
    assert check.verdict == "identical", check.reason
