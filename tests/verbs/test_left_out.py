"""Growth curves on long data that have other times as well: named, left out, or rounded."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from two_sides import long_frame

import growthmm as gm
from growthmm.errors import TranslationError

FIRST = "i =~ 1*y_0 + 1*y_1 + 1*y_2\ns =~ 0*y_0 + 1*y_1 + 2*y_2\n" + "".join(
    f"y_{j} ~~ v*y_{j}\n" for j in range(3)
)
KEYS = {"id": "id", "time": "t"}


@pytest.fixture(scope="module")
def data() -> pd.DataFrame:
    """Five occasions, of which the curve has three."""
    return long_frame((0.0, 1.0, 2.0, 3.0, 4.0), n_persons=60)


@pytest.fixture(scope="module")
def visits(data: pd.DataFrame) -> pd.DataFrame:
    """The same at times of everyone's own."""
    shift = np.random.default_rng(3).uniform(-0.3, 0.3, len(data))
    return data.assign(t=(data["t"] + shift).round(3))


def test_rows_at_other_times_are_named_and_left_out(data: pd.DataFrame) -> None:
    wide = gm.to_wide(data[["id", "t", "y"]], id="id", time="t", values=["y"])
    expected = gm.fit(FIRST, wide, id="id").log_likelihood
    fit = gm.fit(FIRST, data, **KEYS)
    assert np.isclose(fit.log_likelihood, expected, atol=1e-9)
    found = gm.verify(FIRST, data, **KEYS, engines=["long"])
    assert np.isclose(found.sem_fit.log_likelihood, expected, atol=1e-9)
    said = [note.what for note in found.assumptions]
    assert "120 of 300 rows are not in the model, those at t 3, 4" in said
    assert not any("without another variable" in what for what in said)


@pytest.mark.parametrize("verb", [gm.fit, gm.verify])
def test_individual_times_are_refused(verb: object, visits: pd.DataFrame) -> None:
    near = visits.assign(
        t=visits["t"].where(visits["id"] > visits["id"].min(), visits["t"].round())
    )
    with pytest.raises(TranslationError, match="Only 3 of 300 rows, of 60 persons, are at t 0"):
        verb(FIRST, near, **KEYS)  # type: ignore[operator]


def test_rounding_takes_a_curve_too(visits: pd.DataFrame) -> None:
    five = "i =~ " + " + ".join(f"1*y_{j}" for j in range(5)) + "\ns =~ "
    five += " + ".join(f"{j}*y_{j}" for j in range(5)) + "\n"
    found = gm.verify(five, visits, **KEYS, outcome="y", bin=1.0, engines=["long"])
    assert found.verdict == "approximate"
    formula = gm.verify(
        "y ~ t + (t | id)", visits, bin=1.0, residual="by_occasion", engines=["long"]
    )
    assert np.isclose(found.mixed_fit.log_likelihood, formula.mixed_fit.log_likelihood, atol=1e-8)


def test_error_of_rounding_keeps_variances_of_occasions(visits: pd.DataFrame) -> None:
    model = "y ~ t + (1 | id)"
    found = gm.verify(model, visits, bin=1.0, residual="by_occasion", engines=["long"])
    own = visits.assign(at=visits["t"].round())
    exact = gm.fit(model, own, residual="by_group:at", **KEYS).log_likelihood
    assert f"{exact:.6f} at the times as they are" in found.reason
    numbered = gm.verify(model, visits, bin=1.0, residual="banded:1", engines=["long"])
    assert "its residuals are of numbered occasions" in numbered.reason
