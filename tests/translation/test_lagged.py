"""Effects of earlier values of a covariate: paths to later outcomes, and a column of formulas."""

from __future__ import annotations

import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import growthmm as gm
from growthmm.data.lagging import lagged_values
from growthmm.errors import (
    NotationError,
    NotIdentifiedError,
    SpecificationError,
    UnboundError,
    UnsupportedError,
)
from growthmm.model.mixed import MixedModel
from growthmm.model.schema import Lagged, Schema, Variable
from growthmm.model.sem import SemModel

TIMES = (1.0, 2.0, 4.0, 7.0)
PERSONS = 60
CURVE = (
    "i =~ 1*y_1 + 1*y_2 + 1*y_4 + 1*y_7\n"
    "s =~ 1*y_1 + 2*y_2 + 4*y_4 + 7*y_7\n"
    "y_1 ~~ v*y_1\ny_2 ~~ v*y_2\ny_4 ~~ v*y_4\ny_7 ~~ v*y_7\n"
)
EQUAL = "y_2 ~ b*x_1\ny_4 ~ b*x_2\ny_7 ~ b*x_4\n"
FREE = "y_2 ~ x_1\ny_4 ~ x_2\ny_7 ~ x_4\n"
SECOND = "y_4 ~ c*x_1\ny_7 ~ c*x_2\n"
LEADS = "y_1 ~ l*x_2\ny_2 ~ l*x_4\ny_4 ~ l*x_7\n"
BESIDE = "y_1 ~ a*x_1\ny_2 ~ a*x_2\ny_4 ~ a*x_4\ny_7 ~ a*x_7\n"
FORMULA = "y ~ t + x + lag(x) + (1 + t | id)"
FACTS: dict[str, Any] = {"id": "id", "time": "t"}


@cache
def _long() -> pd.DataFrame:
    rng = np.random.default_rng(4)
    t = np.array(TIMES)
    x = rng.normal(size=(PERSONS, 4))
    growth = rng.normal(size=(PERSONS, 2)) * [1.0, 0.4]
    y = 1 + growth[:, :1] + (0.5 + growth[:, 1:]) * t + 0.3 * x + 0.8 * rng.normal(size=x.shape)
    y[:, 1:] += 0.7 * x[:, :-1]
    y[:, 2:] -= 0.4 * x[:, :-2]
    return pd.DataFrame(
        {
            "id": np.repeat(np.arange(PERSONS), 4),
            "t": np.tile(t, PERSONS),
            "y": y.ravel().round(4),
            "x": x.ravel().round(4),
        }
    )


def long() -> pd.DataFrame:
    return _long().copy()


def wide(frame: pd.DataFrame | None = None) -> pd.DataFrame:
    tables = long() if frame is None else frame
    parts = []
    for name in ("y", "x"):
        table = tables.pivot(index="id", columns="t", values=name)
        table.columns = [f"{name}_{t:g}" for t in table.columns]
        parts.append(table)
    return pd.concat(parts, axis=1).reset_index()


def gapped() -> pd.DataFrame:
    """Rows in any order, some of them absent, some covariates and outcomes missing."""
    frame = long().sample(frac=1, random_state=2)
    frame = frame.drop(frame.index[:20])
    frame.loc[frame.index[:15], "x"] = np.nan
    frame.loc[frame.index[30:40], "y"] = np.nan
    return frame


def shifted(frame: pd.DataFrame, by: int = 1) -> pd.Series[Any]:
    """The lagged column by pandas, on a full grid of persons and occasions."""
    grid = pd.MultiIndex.from_product([range(PERSONS), TIMES], names=["id", "t"])
    x = frame.set_index(["id", "t"])["x"].reindex(grid)
    lagged = x.groupby(level="id").shift(by)
    lagged[grid.get_level_values("t").isin(TIMES[:by])] = 0.0
    keys = pd.MultiIndex.from_frame(frame[["id", "t"]])
    return pd.Series(lagged.reindex(keys).to_numpy(), index=frame.index)


def paths(text: str) -> set[tuple[str, str]]:
    model = gm.read(text, "lavaan")
    assert isinstance(model, SemModel)
    covariates = set(model.covariates)
    return {(p.left, p.right) for p in model.paths if p.op == "~" and p.right in covariates}


CURVES = {
    "equal": (EQUAL, {"1", "t", "x_lag1"}),
    "beside": (EQUAL + BESIDE, {"1", "t", "x", "x_lag1"}),
    "two lags": (EQUAL + SECOND + BESIDE, {"1", "t", "x", "x_lag1", "x_lag2"}),
    "second alone": (SECOND, {"1", "t", "x_lag2"}),
    "later values": (EQUAL + LEADS, {"1", "t", "x_lag1", "x_lead1"}),
}


@pytest.mark.parametrize("layout", ["long", "wide"])
@pytest.mark.parametrize("name", CURVES)
def test_lagged_paths_are_a_column_and_the_same_model(name: str, layout: str) -> None:
    effects, terms = CURVES[name]
    data, facts = (long(), FACTS) if layout == "long" else (wide(), {**FACTS})
    made = gm.translate(CURVE + effects, "lme4", data=data, **facts)
    assert isinstance(made.model, MixedModel)
    assert {str(term) for term in made.model.fixed} == terms
    found = gm.verify(CURVE + effects, data, engines=["long"], **facts)
    assert found.verdict == "identical"
    back = gm.translate(made.text, "lavaan", data=long())
    assert paths(back.text) == paths(CURVE + effects)


def test_effects_by_occasion_are_products_with_indicators() -> None:
    made = gm.translate(CURVE + FREE, "lme4", data=long(), **FACTS)
    assert made.text.count("x_lag1") == 3
    assert "t == 1" not in made.text
    assert gm.verify(CURVE + FREE, long(), engines=["long"], **FACTS).verdict == "identical"
    back = gm.translate(made.text, "lavaan", data=long())
    assert paths(back.text) == paths(FREE)


def test_the_formula_function_is_the_column() -> None:
    made = gm.translate(FORMULA, "lavaan", data=long())
    named = gm.translate(FORMULA.replace("lag(x)", "x_lag1"), "lavaan", data=long())
    assert made.text == named.text
    assert paths(made.text) == paths(EQUAL + BESIDE)
    assert str(gm.read("y ~ lag(x, 2) + (1 | id)").fixed[1]) == "lag(x, 2)"
    assert gm.read("y ~ lag(x, k = 1) + (1 | id)") == gm.read("y ~ lag(x) + (1 | id)")


@pytest.mark.parametrize("by", [1, 2, 3])
def test_values_are_those_of_the_occasion_before(by: int) -> None:
    frame = gapped()
    schema = Schema("id", "t", "y", TIMES)
    np.testing.assert_array_equal(lagged_values(frame, schema, "x", by), shifted(frame, by))


def test_the_first_occasion_stays_in_the_likelihood_of_both_sides() -> None:
    frame = gapped()
    own = frame.assign(z=shifted(frame)).dropna()
    assert (own.t == 1.0).sum() > 40
    plain = gm.fit("y ~ t + x + z + (1 + t | id)", own, time="t")
    for model, engine in ((FORMULA, "long"), (FORMULA, "wide"), (CURVE + EQUAL + BESIDE, "wide")):
        facts = FACTS if model != FORMULA else {"time": "t"}
        fit = gm.fit(model, frame, engine=engine, **facts)
        assert fit.log_likelihood == pytest.approx(plain.log_likelihood, abs=1e-6)
    assert plain.n_rows == gm.fit(FORMULA, frame, time="t").n_rows == len(own)


def test_gaps_are_counted_and_the_note_says_what_the_column_is() -> None:
    found = gm.verify(FORMULA, gapped(), engines=["long"])
    assert found.verdict == "identical"
    assert found.proof().holds
    notes = [str(note) for note in found.assumptions]
    (what,) = [note for note in notes if note.startswith("x_lag1")]
    assert "x_lag1 is each person's x of one occasion before" in what
    assert "0 at t 1" in what
    frame = gapped()
    lost = frame[frame.y.notna() & (frame.x.isna() | shifted(frame).isna())]
    assert any(note.startswith(f"{len(lost)} rows with y but without") for note in notes)


def test_facts_by_hand_are_the_data() -> None:
    variables = (Variable("x", "time_varying"),)
    hand = Schema("id", "t", "y", TIMES, variables)
    told = Schema(
        "id",
        "t",
        "y",
        TIMES,
        (*variables, Variable("x_lag1", "time_varying")),
        lagged=(Lagged("x_lag1", "x"),),
    )
    made = gm.translate(FORMULA, "lavaan", data=long())
    assert made.schema is not None
    column = FORMULA.replace("lag(x)", "x_lag1")
    assert gm.translate(FORMULA, "lavaan", schema=hand).text == made.text
    assert gm.translate(column, "lavaan", schema=told).text == made.text
    assert gm.translate(column, "lavaan", schema=made.schema).text == made.text
    back = gm.translate(made.text, "lme4", data=long(), **FACTS)
    assert gm.translate(made.text, "lme4", schema=hand).text == back.text
    assert gm.translate(column, "lavaan", schema=back.schema).text == made.text
    with pytest.raises(UnboundError) as refused:
        gm.translate(FORMULA, "lavaan")
    assert refused.value.missing == ("role and levels of x (data= or --data)",)


def test_a_column_with_other_values_is_a_covariate_of_its_own() -> None:
    frame = long()
    frame["x_lag1"] = shifted(frame)
    made = gm.translate("y ~ t + x_lag1 + (1 + t | id)", "lavaan", data=frame)
    assert paths(made.text) == paths(EQUAL)
    frame["x_lag1"] = frame["x_lag1"].where(frame.t > 1, 0.5)
    made = gm.translate("y ~ t + x_lag1 + (1 + t | id)", "lavaan", data=frame)
    assert ("y_1", "x_lag1_1") in paths(made.text)
    assert any("a covariate of its own" in str(note) for note in made.assumptions)


@pytest.mark.parametrize(
    ("formula", "error", "says"),
    [
        ("y ~ t + lag(y) + (1 + t | id)", UnsupportedError, "earlier value of the outcome"),
        ("y ~ t + lag(t) + (1 + t | id)", SpecificationError, "no covariate"),
        ("y ~ t + lag(g) + (1 + t | id)", SpecificationError, "categorical"),
        ("y ~ t + lag(p) + (1 + t | id)", SpecificationError, "person-level"),
        ("y ~ t + lag(x, 4) + (1 + t | id)", SpecificationError, "there are 4"),
        ("y ~ t + lead(x, 4) + (1 + t | id)", SpecificationError, "looks ahead 4 occasions"),
        ("y ~ t + factor(t):lag(x) + (1 + t | id)", NotIdentifiedError, "0 for everyone"),
    ],
)
def test_what_has_no_lagged_form_is_refused(formula: str, error: Any, says: str) -> None:
    frame = long()
    frame["p"] = frame.id % 5
    frame["g"] = np.where(frame.index % 3 == 0, "a", "b")
    with pytest.raises(error) as refused:
        gm.translate(formula, "lavaan", data=frame, time="t")
    assert says in str(refused.value)


@pytest.mark.parametrize("text", ["lag(x, 0)", "lag(log(x))", "lead(x, 0)"])
def test_a_lag_is_of_a_column_by_one_or_more(text: str) -> None:
    with pytest.raises(NotationError, match=text[:3]):
        gm.read(f"y ~ {text} + (1 | id)")


def test_no_language_has_the_function() -> None:
    with pytest.raises(UnsupportedError, match="R has no lag within persons"):
        gm.write(gm.read(FORMULA), "nlme")
    with pytest.raises(NotationError, match="lag"):
        gm.read('smf.mixedlm("y ~ lag(x)", data, groups="id")')
    assert "x + x_lag1" in gm.translate(FORMULA, "nlme", data=long()).text


def test_effects_at_several_distances_without_an_order_are_refused() -> None:
    mixed = CURVE + BESIDE + "y_4 ~ d*x_1\n"
    with pytest.raises(UnsupportedError):
        gm.translate(mixed, "lme4", data=wide())


def test_explain_sees_one_model_in_both() -> None:
    formula = f"lmer({FORMULA}, REML = FALSE)"
    assert gm.explain(formula, CURVE + EQUAL + BESIDE, long(), **FACTS).verdict == "identical"
    found = gm.explain(formula, CURVE + BESIDE, long(), **FACTS)
    assert any("x_lag1" in step.description for step in found.steps)


def _program(tmp_path: Path, to: str, layout: str) -> tuple[str, float]:
    """A script for data in a file, and the log-likelihood that it has to print."""
    frame = gapped() if layout == "long" else wide().drop(columns="x_7")
    frame.to_csv(tmp_path / "data.csv", index=False)
    effects = EQUAL + BESIDE if layout == "long" else EQUAL
    path = str(tmp_path / "data.csv")
    made = gm.translate(CURVE + effects, to, data=path, **FACTS)
    fit = gm.fit(CURVE + effects, frame, **(FACTS if layout == "long" else {}))
    return made.script, fit.log_likelihood


@pytest.mark.parametrize("layout", ["long", "wide"])
def test_a_python_program_computes_the_column(tmp_path: Path, layout: str) -> None:
    script, wanted = _program(tmp_path, "statsmodels", layout)
    made = tmp_path / "made.csv"
    before, _, _ = script.partition("\nmodel = ")
    (tmp_path / "fit.py").write_text(f"{before}\ndata.to_csv({str(made)!r})\n", encoding="utf-8")
    subprocess.run([sys.executable, str(tmp_path / "fit.py")], check=True)
    rows = pd.read_csv(made)
    frame = gapped() if layout == "long" else long().assign(x=lambda d: d.x.where(d.t < 7, 0.0))
    own = frame.assign(x_lag1=shifted(frame)).dropna()
    keys = ["id", "t"]
    left, right = (table.set_index(keys).sort_index()["x_lag1"] for table in (rows, own))
    pd.testing.assert_series_equal(left, right, check_index_type=False)
    formula = "y ~ t + x_lag1 + (1 + t | id)"
    if layout == "long":
        formula = "y ~ t + x + x_lag1 + (1 + t | id)"
    assert gm.fit(formula, rows, time="t").log_likelihood == pytest.approx(wanted, abs=1e-5)


@pytest.mark.r
@pytest.mark.parametrize("layout", ["long", "wide"])
@pytest.mark.parametrize("to", ["lme4", "nlme"])
def test_an_r_program_computes_the_column(tmp_path: Path, to: str, layout: str) -> None:
    script, wanted = _program(tmp_path, to, layout)
    (tmp_path / "fit.R").write_text(script, encoding="utf-8")
    command = ["Rscript", str(tmp_path / "fit.R")]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    printed = dict(line.split("\t")[:2] for line in run.stdout.splitlines())
    assert float(printed["logLik"]) == pytest.approx(wanted, abs=1e-5)


@pytest.mark.parametrize("to", ["sas:mixed", "stata:mixed", "spss", "mixedmodels.jl"])
@pytest.mark.parametrize("layout", ["long", "wide"])
def test_every_program_has_the_lines(tmp_path: Path, to: str, layout: str) -> None:
    script, _ = _program(tmp_path, to, layout)
    lines = script.splitlines()
    made = next(k for k, line in enumerate(lines) if "x_lag1" in line)
    used = next(k for k, line in enumerate(lines) if re.match("(?i)(proc )?mixed |model = ", line))
    assert made < used
