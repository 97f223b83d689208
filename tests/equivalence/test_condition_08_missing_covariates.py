"""Condition 8: a missing time-varying covariate costs a row in long data, a person in wide."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import pytest

import growthmm as gm

FORMULA = "gpa ~ occasion + lib_hours + (1 + occasion | student)"
RANDOM = "gpa ~ occasion + lib_hours + (1 + lib_hours || student)"


@cache
def data() -> pd.DataFrame:
    frame = gm.datasets.gpa()
    frame["lib_hours"] = frame.lib_hours.astype(float)
    frame.loc[::37, "lib_hours"] = np.nan
    return frame


@pytest.mark.parametrize("formula", [FORMULA, RANDOM])
def test_our_two_sides_agree_and_the_counts_are_told(formula: str) -> None:
    found = gm.verify(formula, data(), time="occasion", engines=["long"])
    assert found.verdict == "identical"
    lost = data()[data().lib_hours.isna()]
    persons = lost.student.nunique()
    (note,) = [str(n) for n in found.assumptions if "left out of both forms" in str(n)]
    assert note.startswith(f"{len(lost)} rows with gpa")
    assert f"here {persons} persons with {6 * persons} outcomes" in note


def test_the_rows_left_are_what_is_fitted() -> None:
    complete = data().dropna()
    for engine in ("long", "wide"):
        fit = gm.fit(FORMULA, data(), time="occasion", engine=engine)
        alone = gm.fit(FORMULA, complete, time="occasion")
        assert fit.log_likelihood == pytest.approx(alone.log_likelihood, abs=1e-6)


def test_any_covariate_beside_a_missing_outcome_will_do() -> None:
    values = []
    for fill in (0.0, 99.0):
        frame = gm.datasets.gpa().astype({"lib_hours": float})
        frame.loc[::5, "gpa"] = np.nan
        frame.loc[::5, "lib_hours"] = fill
        values.append(gm.fit(FORMULA, frame, time="occasion", engine="wide").log_likelihood)
    assert values[0] == pytest.approx(values[1], abs=1e-9)


def test_translation_tells_it_too() -> None:
    made = gm.translate(FORMULA, "lavaan", data=data(), time="occasion")
    assert any("drop whole persons" in str(note) for note in made.assumptions)
