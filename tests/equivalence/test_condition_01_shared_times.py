"""Condition 1: with a few shared times missing rows change nothing."""

from __future__ import annotations

import pytest
from reference import CASES, exact

import growthmm as gm


def test_missing_rows_leave_the_forms_identical() -> None:
    found = gm.verify(CASES["A08"].formula, CASES["A08"].long_frame(), engines=["long"])
    assert (found.verdict, found.model_verdict) == ("identical", "identical_if")
    assert found.sem_fit.log_likelihood == pytest.approx(
        exact("A08", "ml")["log_likelihood"], abs=1e-6
    )
    assert "data." not in found.text, "shared times need no definition variables"
    assert found.text.startswith("i =~ 1*gpa_0")


def test_the_reason_says_one_model_written_twice() -> None:
    found = gm.verify(CASES["A08"].formula, CASES["A08"].long_frame(), engines=["long"])
    assert found.reason.startswith("one model written twice")
