"""Modification indices against lavaan's, and against fits with the parameter freed."""

from __future__ import annotations

from functools import cache

import pytest
from r_reference import differences, kept, live
from reference import wide_frame

import growthmm as gm
from growthmm.errors import SpecificationError, UnsupportedEngineError
from growthmm.inference.modification import modification_indices
from growthmm.inference.result import FitResult

LOADINGS = """
  i =~ 1*gpa_0 + 1*gpa_1 + 1*gpa_2 + 1*gpa_3 + 1*gpa_4 + 1*gpa_5
  s =~ 0*gpa_0 + 1*gpa_1 + 2*gpa_2 + 3*gpa_3 + 4*gpa_4 + 5*gpa_5
"""
EQUAL = LOADINGS + "\n".join(f"gpa_{t} ~~ v*gpa_{t}" for t in range(6))
MODELS = {
    "free": LOADINGS,
    "equal": EQUAL,
    "sex": LOADINGS + "i ~ sexmale\ns ~ 0*sexmale\ni ~~ 0*s",
    "missing": LOADINGS,
}


@cache
def fitted(name: str) -> FitResult:
    if name == "missing":
        return gm.fit(MODELS[name], wide_frame("A08_gpa_missing_wide.csv"))
    return gm.fit(MODELS[name], wide_frame("A_gpa_wide.csv"))


@pytest.mark.parametrize("name", MODELS)
def test_indices_are_lavaans(name: str) -> None:
    table = modification_indices(fitted(name)).set_index("name")
    golden = kept("modification")[name]
    for path, row in golden.items():
        if path == "sexmale~s":
            continue  # given the covariates nothing acts on one
        found = table.loc[path]
        assert found["index"] == pytest.approx(row["mi"], rel=1e-4, abs=1e-4), path
        assert found["expected_change"] == pytest.approx(row["epc"], rel=1e-4, abs=1e-5), path
    assert table["index"].is_monotonic_decreasing


def test_an_index_is_about_what_freeing_gains() -> None:
    fit = fitted("sex")
    row = modification_indices(fit).set_index("name").loc["s~sexmale"]
    freed = gm.fit(MODELS["sex"].replace("0*sexmale", "sexmale"), wide_frame("A_gpa_wide.csv"))
    gain = 2 * (freed.log_likelihood - fit.log_likelihood)
    assert row["index"] == pytest.approx(gain, rel=0.05)
    assert row["expected_change"] == pytest.approx(freed.fit.value("s~sexmale"), rel=0.1)
    assert row["meaning"] == "an effect of sexmale on s: the interaction time:sexmale"


def test_meanings_name_the_mixed_models_term() -> None:
    table = modification_indices(fitted("sex")).set_index("name")["meaning"]
    assert "AR(1)" in table["gpa_0~~gpa_1"]
    assert "||" in table["i~~s"]
    assert "time score" in table["s=~gpa_3"]
    assert "off the curve" in table["gpa_2~1"]
    assert "occasion as a factor by sexmale" in table["gpa_2~sexmale"]


def test_small_indices_can_be_left_out() -> None:
    assert (modification_indices(fitted("free"), minimum=3.84)["index"] >= 3.84).all()


def test_refusals() -> None:
    data = gm.datasets.gpa()
    with pytest.raises(SpecificationError, match="engine='wide'"):
        modification_indices(gm.fit("gpa ~ occasion + (1 | student)", data))
    restricted = gm.fit("gpa ~ occasion + (1 | student)", data, engine="wide", estimator="reml")
    with pytest.raises(UnsupportedEngineError, match="REML by wide"):
        modification_indices(restricted)


@pytest.mark.r("lavaan", "jsonlite")
@pytest.mark.nightly
def test_the_kept_output_is_what_r_says() -> None:
    assert differences(kept("modification"), live("modification"), 1e-4) == []
