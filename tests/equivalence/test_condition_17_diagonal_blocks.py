"""Condition 17: an effect for every occasion beside a residual variance is one too many."""

from __future__ import annotations

import pytest

import growthmm as gm
from tests.equivalence.residual_pairs import gpa
from tests.reference import reference_folder

reference_folder()
CASES = {
    "glmmTMB(gpa ~ occasion + (1 | student) + diag(0 + factor(occasion) | student))": -120.5463226,
    "glmmTMB(gpa ~ occasion + (occasion | student) + diag(0 + factor(occasion) | student))": (
        -49.3852459
    ),
}


@pytest.mark.parametrize("text", CASES, ids=range(len(CASES)))
def test_the_redundant_parameter_is_fixed_and_said(text: str) -> None:
    found = gm.verify(text, gpa(), id="student", time="occasion", engines=["long", "wide"])
    assert found.verdict == "identical"
    notes = {note.what: note.why for note in found.assumptions}
    assert "it is redundant" in notes["the common residual variance is fixed at zero"]
    fit = gm.fit(text, gpa(), time="occasion")
    assert fit.log_likelihood == pytest.approx(CASES[text], abs=1e-6)
    random = text.split("+ ")[1].split(" + diag", maxsplit=1)[0]
    plain = gm.fit(f"gpa ~ occasion + {random}", gpa(), time="occasion", residual="by_occasion")
    assert fit.n_parameters == plain.n_parameters


def test_the_growth_curve_has_free_residual_variances() -> None:
    made = gm.translate(next(iter(CASES)), "lavaan", data=gpa(), id="student", time="occasion")
    assert "v*" not in made.text
    assert "ar1" not in made.text
