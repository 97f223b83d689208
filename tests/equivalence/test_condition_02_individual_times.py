"""Condition 2: individually varying times are loadings that differ from person to person."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import pytest
from reference import CASES, case, exact

import growthmm as gm
from growthmm.errors import DataError, UnsupportedError

FORMULA = "y ~ time + (time | id)"
NAMES = {
    "(Intercept)": "i~1",
    "time": "s~1",
    "G[(Intercept),(Intercept)]": "i~~i",
    "G[(Intercept),time]": "i~~s",
    "G[time,time]": "s~~s",
    "R[resid]": "y_1~~y_1",
}


@cache
def long() -> pd.DataFrame:
    return CASES["E02"].long_frame()


@cache
def wide() -> pd.DataFrame:
    return CASES["E02"].wide_frame()


@cache
def visits() -> pd.DataFrame:
    """Visits about once a unit of time, nobody with two nearer than 0.4."""
    rng = np.random.default_rng(5)
    rows = []
    for person in range(80):
        level, slope = rng.normal(size=2) * (1.0, 0.5)
        for k in np.flatnonzero(rng.uniform(size=5) > 0.15):
            time, x = round(k + rng.uniform(-0.3, 0.3), 3), rng.normal()
            y = 3.0 + level + (1.0 + slope) * time + 0.5 * x + 0.7 * rng.normal()
            rows.append((person, time, x, y))
    return pd.DataFrame(rows, columns=["id", "t", "x", "y"])


def test_verify_calls_them_identical() -> None:
    found = gm.verify(FORMULA, long())
    assert (found.verdict, found.model_verdict) == ("identical", "identical_if")
    assert all(level.passed for level in found.levels)
    assert "data.time_1" in found.text


@pytest.mark.parametrize("engine", ["long", "wide"])
def test_both_engines_give_the_golden_numbers(engine: str) -> None:
    truth = exact("E02", "ml")
    fit = gm.fit(FORMULA, long(), engine=engine)
    assert fit.log_likelihood == pytest.approx(truth["log_likelihood"], abs=1e-6)
    assert fit.n_parameters == truth["n_parameters"]
    if engine == "wide":
        found = fit.estimates.set_index("name").estimate
        for golden, name in NAMES.items():
            assert found[name] == pytest.approx(truth["estimates"][golden], rel=1e-5)
        errors = fit.estimates.set_index("name").std_error
        for golden, name in NAMES.items():
            assert errors[name] == pytest.approx(truth["se_expected"][golden], rel=1e-5)


def test_definition_variables_of_openmx_are_read_from_wide_data() -> None:
    text = gm.translate(FORMULA, "openmx", data=long()).text
    fit = gm.fit(text, wide())
    assert fit.log_likelihood == pytest.approx(case("E02")["sem"]["logLik"], abs=1e-6)
    found = gm.verify(text, wide(), id="id", engines=["long"])
    assert (found.verdict, found.model_verdict) == ("identical", "identical_if")
    assert found.text.strip() == "y ~ time + (1 + time | id)"


@pytest.mark.parametrize("to", ["lavaan", "semopy", "sas:sem", "stata:sem"])
def test_moment_based_programs_refuse_and_name_binning(to: str) -> None:
    with pytest.raises(UnsupportedError) as caught:
        gm.translate(FORMULA, to, data=long())
    (loss,) = (one for one in caught.value.losses if "time_1" in one.what)
    assert "no definition variables" in loss.why
    assert "bin=" in loss.nearest


def test_there_is_no_chi_square_and_the_summary_says_why() -> None:
    fit = gm.fit(FORMULA, long(), engine="wide")
    assert fit.to_dict()["fit_measures"]["chi_square"] is None
    assert "no saturated model is common to all" in " ".join(fit.summary().split())


def test_what_belongs_to_occasions_is_refused() -> None:
    for residual, word in (("by_occasion", "visit's number"), ("ar1", "own distance")):
        with pytest.raises(UnsupportedError, match="residual structure") as caught:
            gm.translate(FORMULA, "openmx", data=long(), residual=residual)
        assert word in caught.value.losses[0].why
    with pytest.raises(UnsupportedError) as caught:
        gm.translate("y ~ factor(time) + (1 | id)", "openmx", data=long())
    assert len(caught.value.losses) == 1


def test_rounded_times_are_approximate_with_their_error() -> None:
    formula = "y ~ t + x + (1 + t | id)"
    found = gm.verify(formula, visits(), time="t", bin=1.0)
    assert (found.verdict, found.model_verdict) == ("approximate", "approximate")
    rounded = visits().assign(t=np.floor(visits().t + 0.5))
    gap = (
        gm.fit(formula, rounded).log_likelihood - gm.fit(formula, visits(), time="t").log_likelihood
    )
    assert gap < -0.5
    assert f"({gap:+.3f})" in found.reason
    assert "standard errors" in found.reason


def test_translation_to_lavaan_rounds_when_asked() -> None:
    made = gm.translate("y ~ t + (1 + t | id)", "lavaan", data=visits(), bin=[0, 1, 2, 3, 4])
    assert "s =~ 0*y_0 + 1*y_1 + 2*y_2 + 3*y_3 + 4*y_4" in made.text
    assert any("rounded to 5 shared occasions" in str(note) for note in made.assumptions)
    assert "findInterval" in made.script


@pytest.mark.parametrize("layout", ["wide", "long"])
@pytest.mark.parametrize("program", ["openmx", "mplus"])
def test_definition_variables_are_rounded_as_formulas_are(program: str, layout: str) -> None:
    """From SEM text the error is that of the formula, whatever layout the data come in."""
    formula = "y ~ t + x + (1 + t | id)"
    text = gm.translate(formula, program, data=visits(), time="t").text
    facts = {"id": "id", "notation": program}
    data = gm.to_wide(visits(), id="id", time="t", values=["y", "x"], visits=True)
    if layout == "long":
        data, facts = visits(), {**facts, "time": "t", "outcome": "y"}
    with pytest.raises(UnsupportedError) as caught:
        gm.translate(text, "lavaan", data=data, **facts)
    assert any("definition variables" in loss.why for loss in caught.value.losses)
    assert any("bin=" in loss.nearest for loss in caught.value.losses)
    made = gm.translate(text, "lavaan", data=data, bin=1.0, **facts)
    assert "s =~ 0*y_0 + 1*y_1 + 2*y_2 + 3*y_3 + 4*y_4" in made.text
    found = gm.verify(text, data, bin=1.0, engines=["long"], **facts)
    direct = gm.verify(formula, visits(), time="t", bin=1.0, engines=["long"])
    assert (found.verdict, found.model_verdict) == ("approximate", "approximate")
    assert found.reason == direct.reason
    assert "standard errors" in found.reason


def test_two_visits_in_a_bin_are_refused() -> None:
    with pytest.raises(DataError, match="have two visits in one bin of time") as caught:
        gm.verify(FORMULA, long(), bin=1.0)
    assert "smallest distance" in str(caught.value)


@pytest.mark.r
def test_the_script_runs_in_openmx(tmp_path) -> None:
    import re
    import subprocess

    data = tmp_path / "e02.csv"
    long().to_csv(data, index=False)
    script = tmp_path / "e02.R"
    script.write_text(gm.translate(FORMULA, "openmx", data=str(data)).script)
    ran = subprocess.run(["Rscript", str(script)], capture_output=True, text=True, check=True)
    found = re.search(r"logLik (\S+)", ran.stdout)
    assert found is not None
    assert float(found[1]) == pytest.approx(exact("E02", "ml")["log_likelihood"], abs=1e-6)
