"""Condition 23: constant latent change is linear growth; proportional change is no linear model."""

from __future__ import annotations

from functools import cache

import pytest
from reference import case, long_frame, wide_frame

import growthmm as gm
from growthmm.equivalence.result import Equivalence
from growthmm.errors import UnsupportedError

NAME = "L01_lcs_constant_change"


@cache
def verified(layout: str) -> Equivalence:
    text = case(NAME)["sem"]["model"]
    if layout == "wide":
        return gm.verify(text, wide_frame("L_lcs_wide.csv"), id="id", function="lavaan")
    data = long_frame("L_lcs_long.csv")
    return gm.verify(text, data, id="id", time="time", function="lavaan")


@pytest.mark.parametrize("layout", ["wide", "long"])
def test_constant_change_is_identical_to_linear_growth(layout: str) -> None:
    found, golden = verified(layout), case(NAME)
    assert found.verdict == "identical"
    assert found.model_verdict == "identical_if"
    assert all(level.passed for level in found.levels)
    assert found.text.endswith("+ (1 + time | id)")
    for fit in (found.mixed_fit, found.sem_fit):
        assert fit.log_likelihood == pytest.approx(golden["sem"]["logLik"], abs=1e-6)
        assert fit.n_parameters == golden["sem"]["npar"] == 6


def test_estimates_are_lavaan_s_and_lme4_s() -> None:
    found, golden = verified("wide"), case(NAME)
    rows = found.parameters.set_index("sem_name")
    for name in ("l0~1", "s~1", "l0~~l0", "l0~~s", "s~~s", "r"):
        row, value = rows.loc[name], golden["sem"]["coef"][name]
        for engine in ("long", "wide"):
            assert abs(row[f"estimate_{engine}"] - value) < 1e-4 * row[f"std_error_{engine}"]


def test_proportional_change_has_loadings_that_are_parameters() -> None:
    text = case(NAME)["sem"]["model"]
    text += "\n" + "\n".join(f"d{t} ~ b*l{t - 1}" for t in range(1, 5))
    with pytest.raises(UnsupportedError, match="no growth model that a mixed model can say"):
        gm.translate(text, "lme4", data=wide_frame("L_lcs_wide.csv"), id="id", function="lavaan")
