"""Parameters that constraints settle are not counted."""

from __future__ import annotations

import pytest

import growthmm as gm

FORMULA = "gpa ~ occasion + (1 | student)"


@pytest.mark.parametrize("residual", ["ar1", "arh1", "ar1+common"])
def test_both_sides_count_alike(residual: str) -> None:
    """AR(1) by constraints among labels (condition 8): 5 parameters, not 9."""
    data = gm.datasets.gpa()
    text = gm.translate(FORMULA, "lavaan", data=data, residual=residual).text
    facts = {"id": "student", "time": "occasion"}
    sem = gm.fit(text, data, engine="wide", bounds="psd", **facts)
    mixed = gm.fit(FORMULA, data, residual=residual)
    assert sem.n_parameters == mixed.n_parameters < len(sem.estimates)
    assert sem.aic == pytest.approx(mixed.aic, abs=1e-6)
    # 27 moments of six outcomes.
    assert sem.fit_measures["df"] == 27 - sem.n_parameters


def test_a_constraint_said_twice_counts_once() -> None:
    data = gm.datasets.gpa()
    free = gm.translate(FORMULA, "lavaan", data=data).text
    for k in range(6):
        free = free.replace(f"v*gpa_{k}", f"v{k}*gpa_{k}")
    facts = {"id": "student", "time": "occasion"}
    once = gm.fit(f"{free}\nv0 == v1", data, **facts)
    twice = gm.fit(f"{free}\nv0 == v1\n2*v1 == v0 + v1", data, **facts)
    assert once.n_parameters == twice.n_parameters == len(once.estimates) - 1
