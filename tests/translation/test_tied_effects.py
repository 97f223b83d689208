"""Effects of a time-varying covariate that labels or constraints tie are effects in time."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from two_sides import long_frame

import growthmm as gm
from growthmm.errors import UnsupportedEngineError, UnsupportedError

GROWTH = "i =~ 1*y_0 + 1*y_1 + 1*y_2 + 1*y_3\ns =~ 0*y_0 + 1*y_1 + 2*y_2 + 3*y_3\n"
EQUAL = "".join(f"y_{j} ~~ v*y_{j}\n" for j in range(4))
EACH = "".join(f"y_{j} ~ b{j}*w_{j}\n" for j in range(4))


@pytest.fixture(scope="module")
def data() -> pd.DataFrame:
    """Four occasions of 60 persons, some outcomes missing."""
    return long_frame((0.0, 1.0, 2.0, 3.0), n_persons=60, missing=0.1)


def _translated(text: str, data: pd.DataFrame, to: str = "lme4") -> gm.Translation:
    return gm.translate(text, to, data=data, id="id", time="t", outcome="y")


TIED = {
    "a line, by its first points": ("b2 == 2*b1 - b0\nb3 == 3*b1 - 2*b0\n", "w + t:w"),
    "a line, by second differences": (
        "b2 - b1 == b1 - b0\nb3 - b2 == b2 - b1\n",
        "w + t:w",
    ),
    "a parabola": ("b3 == b0 - 3*b1 + 3*b2\n", "w + t:w + w:I(t^2)"),
    "all equal": ("b1 == b0\nb2 == b0\nb3 == b0\n", "w"),
    "two levels": ("b1 == b0\nb3 == b2\n", "I(1 * (t <= 1)):w + w:I(1 * (t >= 2))"),
    "in proportion to time": ("b0 == 0\nb2 == 2*b1\nb3 == 3*b1\n", "t:w"),
}


@pytest.mark.parametrize("name", TIED)
def test_linear_constraints_are_effects_in_time(name: str, data: pd.DataFrame) -> None:
    constraints, terms = TIED[name]
    found = _translated(GROWTH + EQUAL + EACH + constraints, data)
    assert found.text.strip() == f"y ~ t + {terms} + (1 + t | id)"


def test_shared_labels_are_effects_at_times(data: pd.DataFrame) -> None:
    effects = "y_0 ~ a*w_0\ny_1 ~ a*w_1\ny_2 ~ b*w_2\ny_3 ~ b*w_3\n"
    formula = _translated(GROWTH + EQUAL + effects, data).text.strip()
    assert formula == "y ~ t + I(1 * (t <= 1)):w + w:I(1 * (t >= 2)) + (1 + t | id)"
    back = gm.translate(formula, "lavaan", data=data).text
    assert len({line.split("*")[0] for line in back.splitlines() if "~ b_w" in line}) == 4
    assert "w.I" not in "".join(line for line in back.splitlines() if "=~" in line)


def test_map_says_how_coefficients_follow(data: pd.DataFrame) -> None:
    found = _translated(GROWTH + EQUAL + EACH + TIED["a line, by its first points"][0], data)
    rows = found.parameters.set_index("mixed_name")
    assert rows.loc["w", "sem_name"] == "b0"
    assert rows.loc["t:w", "sem_name"] == "b1 - b0"
    assert rows.loc["t:w", "rule"] == "coefficient in the effects = b1 - b0"


def test_new_parameters_of_mplus_are_the_coefficients(data: pd.DataFrame) -> None:
    names = " ".join(f"{v}_{j}" for v in "yw" for j in range(4))
    text = f"""
    VARIABLE: NAMES = {names};
    MODEL: i s | y_0@0 y_1@1 y_2@2 y_3@3; y_0-y_3 (v);
      y_0 ON w_0 (b0); y_1 ON w_1 (b1); y_2 ON w_2 (b2); y_3 ON w_3 (b3);
    MODEL CONSTRAINT:
      NEW(k0 k1);
      b0 = k0; b1 = k0 + k1; b2 = k0 + 2*k1; b3 = k0 + 3*k1;
    """
    assert _translated(text, data).text.strip() == "y ~ t + w + t:w + (1 + t | id)"


def test_both_forms_have_one_maximum(data: pd.DataFrame) -> None:
    text = GROWTH + EQUAL + EACH + TIED["a line, by its first points"][0]
    found = gm.verify(text, data, id="id", time="t", engines=["long"])
    assert found.verdict == "identical"
    assert all(level.passed for level in found.levels)
    fit = gm.fit("y ~ t + w + t:w + (1 + t | id)", data)
    assert np.isclose(fit.log_likelihood, found.mixed_fit.log_likelihood, atol=1e-8)


def test_other_constraints_are_lost(data: pd.DataFrame) -> None:
    with pytest.raises(UnsupportedError) as caught:
        _translated(GROWTH + EQUAL + EACH + "b1 == b0^2\n", data)
    assert [loss.what for loss in caught.value.losses] == ["b1 == b0**2"]


def test_restricted_likelihood_is_refused_under_them(data: pd.DataFrame) -> None:
    text = GROWTH + EQUAL + EACH + TIED["a line, by its first points"][0]
    with pytest.raises(UnsupportedEngineError, match="no constant under the constraint b2 =="):
        gm.verify(text, data, id="id", time="t", estimator="reml", engines=["long"])
