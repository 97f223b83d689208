"""Condition 26: auxiliary variables and models of missingness are no part of a mixed model."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import growthmm as gm
from growthmm.errors import UnsupportedError

GROWTH = """
i =~ 1*y_0 + 1*y_1 + 1*y_2 + 1*y_3
s =~ 0*y_0 + 1*y_1 + 2*y_2 + 3*y_3
y_0 ~~ v*y_0
y_1 ~~ v*y_1
y_2 ~~ v*y_2
y_3 ~~ v*y_3
"""
AUXILIARY = "aux ~ 1\naux ~~ y_0 + y_1 + y_2 + y_3"


def study() -> pd.DataFrame:
    """Outcomes of which later ones are missing where the auxiliary variable was high."""
    rng = np.random.default_rng(26)
    n, times = 250, np.arange(4.0)
    factors = rng.multivariate_normal([2.0, 0.5], [[0.8, 0.1], [0.1, 0.2]], size=n)
    y = factors[:, :1] + factors[:, 1:] * times + 0.6 * rng.normal(size=(n, 4))
    aux = 0.7 * (y[:, 3] - y[:, 3].mean()) + rng.normal(size=n)
    y[aux > 0.8, 2:] = np.nan
    columns = {f"y_{t}": y[:, t] for t in range(4)}
    return pd.DataFrame({"id": np.arange(n), **columns, "aux": aux})


def test_an_auxiliary_variable_is_refused_with_the_reason() -> None:
    with pytest.raises(UnsupportedError) as refused:
        gm.verify(GROWTH + AUXILIARY, study(), id="id")
    shown = str(refused.value)
    assert "aux is an auxiliary variable" in shown
    assert "a mixed model has no place for it" in shown
    assert "multiple imputation" in shown


def test_it_makes_another_model_of_what_is_missing() -> None:
    frame = study()
    without = gm.verify(GROWTH, frame, id="id")
    assert (without.verdict, without.model_verdict) == ("identical", "identical_if")
    with_it = gm.fit(GROWTH + AUXILIARY, frame, id="id").estimates.set_index("name")
    mixed = without.mixed_fit.estimates
    slope = mixed[mixed["name"] == "time"].iloc[0]
    # What was missing is told by the auxiliary variable: the slope is steeper with it.
    difference = with_it.loc["s~1", "estimate"] - slope["estimate"]
    assert difference > 0.5 * slope["std_error"]


def test_a_model_of_missingness_is_not_representable() -> None:
    frame = study()
    frame["gone"] = frame["y_3"].isna() * 1.0
    selection = GROWTH + "gone ~ 1\ngone ~ y_0"
    found = gm.verify(selection, frame, id="id")
    assert (found.verdict, found.model_verdict) == ("not_representable", "not_representable")
    assert "gone~y_0" in [loss.what for loss in found.losses]
    assert all(level.passed for level in found.levels if level.passed is not None)
    with pytest.raises(UnsupportedError, match="gone~y_0"):
        gm.translate(selection, "lme4", data=frame, id="id")
