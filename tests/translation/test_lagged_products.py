"""Lagged covariates in products, with random slopes, of several outcomes, at individual times."""

from __future__ import annotations

import shutil
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
from growthmm.errors import NotIdentifiedError, UnsupportedError
from growthmm.model.schema import Schema, Variable

TIMES = (1.0, 2.0, 4.0, 7.0)
PERSONS = 60
SERIES = {"read": TIMES, "math": (1.0, 2.0, 7.0)}


@cache
def _rows() -> pd.DataFrame:
    rng = np.random.default_rng(11)
    t = np.array(TIMES)
    x, z = rng.normal(size=(2, PERSONS, 4))
    p = rng.normal(size=(PERSONS, 1))
    growth = rng.normal(size=(PERSONS, 2)) * [1.0, 0.6]
    slope = 0.6 + 0.5 * rng.normal(size=(PERSONS, 1)) + 0.5 * p
    y = 1 + growth[:, :1] + (0.5 + growth[:, 1:]) * t + 0.3 * x + 0.6 * rng.normal(size=x.shape)
    y[:, 1:] += slope * x[:, :-1] + 0.4 * x[:, :-1] * z[:, 1:]
    frame = pd.DataFrame(
        {
            "id": np.repeat(np.arange(PERSONS), 4),
            "t": np.tile(t, PERSONS),
            "y": y.ravel().round(4),
            "x": x.ravel().round(4),
            "z": z.ravel().round(4),
            "p": np.repeat(p.round(3), 4),
            "g": np.repeat(np.where(np.arange(PERSONS) % 3 == 0, "a", "b"), 4),
        }
    )
    frame = frame.sample(frac=1, random_state=3)
    frame = frame.drop(frame.index[:9])
    frame.loc[frame.index[:8], "x"] = np.nan
    frame.loc[frame.index[20:30], "y"] = np.nan
    return frame


def shared() -> pd.DataFrame:
    return _rows().copy()


def individual() -> pd.DataFrame:
    frame = shared()
    frame["t"] += np.random.default_rng(1).uniform(-0.4, 0.4, len(frame)).round(3)
    return frame


def stacked() -> pd.DataFrame:
    """Two outcomes, one without a row at the third time."""
    frame = shared()
    rng = np.random.default_rng(5)
    growth = rng.normal(size=(PERSONS, 2))[frame.id]
    other = frame.assign(
        y=0.3 * frame.y + growth[:, 0] + growth[:, 1] * frame.t + 0.6 * rng.normal(size=len(frame))
    )
    other = other[other.t != 4]
    made = pd.concat([frame.assign(of="read"), other.assign(of="math")])
    return made.sample(frac=1, random_state=6).reset_index(drop=True)


def computed() -> pd.DataFrame:
    """With the lagged column that the formula would compute."""
    frame = shared()
    return frame.assign(x_lag1=lagged_values(frame, Schema("id", "t", "y", TIMES), "x", 1))


GROWTH = "(1 + t | id)"
STACK = "(0 + of + of:t | id)"

# The formula, the data, the notation that says it, and how it reads when it comes back.
MODELS = {
    "by person": (f"y ~ t + x + lag(x) + p:lag(x) + {GROWTH}", shared, "lavaan"),
    "by level": (f"y ~ t + g + lag(x) + g:lag(x) + {GROWTH}", shared, "lavaan"),
    "product alone": (f"y ~ t + lag(x, 2):p + {GROWTH}", shared, "lavaan"),
    "both lagged": (f"y ~ t + lag(x):lag(z) + {GROWTH}", shared, "lavaan"),
    "with the present": (f"y ~ t + lag(x):z + {GROWTH}", shared, "lavaan"),
    "moving": (f"y ~ t + lag(x) + t:lag(x) + {GROWTH}", shared, "lavaan"),
    "lead": (f"y ~ t + x + lead(x) + lag(x) + {GROWTH}", shared, "lavaan"),
    "lead by person": (f"y ~ t + lead(x):p + {GROWTH}", shared, "lavaan"),
    "random": (f"y ~ t + lag(x) + {GROWTH} + (0 + lag(x) | id)", shared, "openmx"),
    "random in Mplus": (f"y ~ t + lag(x) + {GROWTH} + (0 + lag(x) | id)", shared, "mplus"),
    "random product": (f"y ~ t + x + {GROWTH} + (0 + lag(x):p | id)", shared, "openmx"),
    "random lead": (f"y ~ t + {GROWTH} + (0 + lead(x) | id)", shared, "openmx"),
    "visits": (f"y ~ t + x + lag(x) + lag(x):p + {GROWTH}", individual, "openmx"),
    "visits in Mplus": (f"y ~ t + lag(x) + {GROWTH}", individual, "mplus"),
    "visits, moving": (f"y ~ t + x + t:lag(x) + {GROWTH}", individual, "openmx"),
    "visits, random": (f"y ~ t + x + {GROWTH} + (0 + lag(x) | id)", individual, "openmx"),
    "outcomes": (f"y ~ 0 + of + lag(x) + of:t + {STACK}", stacked, "lavaan"),
    "each outcome": (f"y ~ 0 + of + of:t + of:lag(x) + {STACK}", stacked, "lavaan"),
    "outcomes by person": (f"y ~ 0 + of + x + of:t + lag(x):p + {STACK}", stacked, "lavaan"),
    "outcomes, lead": (f"y ~ 0 + of + lag(x) + lead(x) + of:t + {STACK}", stacked, "lavaan"),
}


def columns(formula: str) -> str:
    """The formula with columns in place of functions."""
    for said, meant in (("lag(x, 2)", "x_lag2"), ("lag(x)", "x_lag1"), ("lead(x)", "x_lead1")):
        formula = formula.replace(said, meant)
    return formula.replace("lag(z)", "z_lag1")


def terms(formula: str) -> object:
    """Fixed and random terms without the order of their factors."""
    model = gm.read(formula, "lme4")
    fixed = {frozenset(term.factors) for term in model.fixed}  # type: ignore[union-attr]
    blocks = {
        frozenset(frozenset(term.factors) for term in block.terms)
        for block in model.random  # type: ignore[union-attr]
    }
    return fixed, blocks


@pytest.mark.parametrize("name", MODELS)
def test_both_ways_and_the_same_model(name: str) -> None:
    formula, data, to = MODELS[name]
    frame = data()
    made = gm.translate(formula, to, data=frame, time="t")
    outcome = {"outcome": "y"} if data is stacked else {}
    back = gm.translate(made.text, "lme4", data=frame, id="id", time="t", **outcome)
    assert terms(back.text) == terms(columns(formula))
    assert terms(gm.translate(made.text, "lme4", schema=made.schema).text) == terms(back.text)
    again = gm.translate(back.text, to, data=frame, time="t")
    assert terms(gm.translate(again.text, "lme4", schema=again.schema).text) == terms(back.text)
    found = gm.verify(formula, frame, time="t", engines=["long"])
    assert found.verdict in ("identical", "identical_if"), found.levels
    assert all(level.passed for level in found.levels)
    assert found.proof().holds


def by_hand(frame: pd.DataFrame, keys: list[str], by: int) -> pd.Series[Any]:
    """The neighbour's value in each person's rows in order of time, by pandas."""
    ordered = frame.sort_values([*keys, "t"])
    moved = ordered.groupby(keys)["x"].shift(by)
    number = ordered.groupby(keys).cumcount()
    last = ordered.groupby(keys)["t"].transform("size") - 1
    moved[(number < by) if by > 0 else (number > last + by)] = 0.0
    return moved.reindex(frame.index)


def test_the_visit_before_is_the_row_before_whether_or_not_its_outcome_is_known() -> None:
    frame = individual()
    assert frame.y.isna().any()
    schema = Schema("id", "t", "y", shared_times=False)
    lagged = lagged_values(frame, schema, "x", 1)
    np.testing.assert_array_equal(lagged, by_hand(frame, ["id"], 1))
    own = frame.assign(v=lagged).dropna(subset=["v", "y"])
    plain = gm.fit("y ~ t + v + (1 + t | id)", own, time="t")
    for engine in ("long", "wide"):
        fit = gm.fit("y ~ t + lag(x) + (1 + t | id)", frame, time="t", engine=engine)
        assert fit.log_likelihood == pytest.approx(plain.log_likelihood, abs=1e-6)
        assert fit.n_rows == len(own)
    text = gm.translate("y ~ t + lag(x) + (1 + t | id)", "openmx", data=frame, time="t")
    (note,) = [n for n in text.assumptions if n.what.startswith("x_lag1")]
    assert "one visit before" in note.what
    assert "with y or without" in note.why


def test_persons_whose_names_repeat_between_clusters_are_persons_in_each() -> None:
    frame = shared().assign(school=lambda d: d.id // 20, id=lambda d: d.id % 20)
    facts = {"cluster": "school", "repeats": True}
    schema = Schema("id", "t", "y", TIMES, **facts)  # type: ignore[arg-type]
    whole = lagged_values(shared(), Schema("id", "t", "y", TIMES), "x", 1)
    np.testing.assert_array_equal(lagged_values(frame, schema, "x", 1), whole)


def test_of_several_outcomes_the_occasion_before_is_a_time_of_any() -> None:
    frame = stacked()
    at = frame[(frame.of == "math") & (frame.t == 7)].set_index("id")
    before = frame[(frame.of == "read") & (frame.t == 4)].set_index("id")["x"]
    made = gm.translate(MODELS["outcomes"][0], "lavaan", data=frame, time="t")
    assert made.schema is not None
    values = pd.Series(lagged_values(frame, made.schema, "x", 1), index=frame.id)
    own = values[((frame.of == "math") & (frame.t == 7)).to_numpy()]
    np.testing.assert_array_equal(own[at.index], before.reindex(at.index))
    assert "math_7 ~ b_x_lag1*x_4" in made.text


def test_leads_are_lags_of_time_turned_round() -> None:
    frame = shared()
    mirror = frame.assign(t=-frame.t)
    ahead = gm.fit(f"y ~ t + lead(x) + {GROWTH}", frame, time="t")
    back = gm.fit(f"y ~ t + lag(x) + {GROWTH}", mirror, time="t")
    assert ahead.log_likelihood == pytest.approx(back.log_likelihood, abs=1e-6)
    (lead,) = ahead.estimates.query("name == 'x_lead1'")["estimate"]
    (lag,) = back.estimates.query("name == 'x_lag1'")["estimate"]
    assert lead == pytest.approx(lag, abs=1e-6)


def test_paths_to_earlier_outcomes_are_a_lead() -> None:
    curve = "i =~ 1*y_1 + 1*y_2 + 1*y_4\ns =~ 1*y_1 + 2*y_2 + 4*y_4\ny_1 ~ b*x_2\ny_2 ~ b*x_4\n"
    variables = (Variable("x", "time_varying"),)
    made = gm.translate(curve, "nlme", schema=Schema("id", "t", "y", TIMES[:3], variables))
    assert "x_lead1" in made.text


@pytest.mark.parametrize(
    ("formula", "data", "error", "says"),
    [
        (f"y ~ t + I(x_lag1^2) + {GROWTH}", computed, UnsupportedError, "has a value where"),
        (f"y ~ t + lead(x) + {GROWTH}", individual, UnsupportedError, "number of their visits"),
        (
            f"y ~ 0 + of + of:t + {STACK} + (0 + lag(x) | id)",
            stacked,
            UnsupportedError,
            "random effect of x_lag1",
        ),
        (
            f"y ~ t + I(1*(t == 7)):lead(x) + {GROWTH}",
            shared,
            NotIdentifiedError,
            "0 for everyone",
        ),
    ],
)
def test_what_has_no_form_is_refused_by_name(
    formula: str, data: Any, error: type[Exception], says: str
) -> None:
    with pytest.raises(error) as refused:
        gm.translate(formula, "lavaan", data=data(), time="t")
    assert says in str(refused.value)


def _script(tmp_path: Path, name: str, to: str) -> tuple[str, Any, pd.DataFrame]:
    formula, data, _ = MODELS[name]
    frame = data()
    path = tmp_path / "data.csv"
    frame.to_csv(path, index=False)
    made = gm.translate(formula, to, data=str(path), time="t")
    return made.script, formula, frame


SCRIPTED = ("lead", "visits", "outcomes by person")


@pytest.mark.parametrize("name", SCRIPTED)
def test_python_computes_the_same_columns(tmp_path: Path, name: str) -> None:
    from growthmm.notation.lag_lines import python_lags

    formula, data, to = MODELS[name]
    frame = data()
    schema = gm.translate(formula, to, data=frame, time="t").schema
    assert schema is not None
    frame.to_csv(tmp_path / "d.csv", index=False)
    lines = [
        "import numpy as np",
        "import pandas as pd",
        f"data = pd.read_csv({str(tmp_path / 'd.csv')!r})",
        *python_lags(schema),
        f"data.to_csv({str(tmp_path / 'made.csv')!r}, index=False)",
    ]
    (tmp_path / "run.py").write_text("\n".join(lines), encoding="utf-8")
    subprocess.run([sys.executable, str(tmp_path / "run.py")], check=True)
    _same_columns(pd.read_csv(tmp_path / "made.csv"), frame, schema)


def _same_columns(made: pd.DataFrame, frame: pd.DataFrame, schema: Schema) -> None:
    keys = ["id", "t", *(["of"] if schema.series else [])]
    for lagged in schema.lagged:
        meant = frame.assign(meant=lagged_values(frame, schema, lagged.of, lagged.by))
        both = meant.merge(made[[*keys, lagged.name]], on=keys, validate="one_to_one")
        assert len(both) == len(frame)
        np.testing.assert_allclose(both[lagged.name], both["meant"], rtol=0, atol=1e-9)


@pytest.mark.skipif(shutil.which("pspp") is None, reason="pspp, which runs SPSS syntax, is absent")
@pytest.mark.parametrize("name", SCRIPTED)
def test_spss_syntax_computes_the_same_columns(tmp_path: Path, name: str) -> None:
    from growthmm.notation.lag_lines import spss_lags

    formula, data, to = MODELS[name]
    frame = data()
    schema = gm.translate(formula, to, data=frame, time="t").schema
    assert schema is not None
    keys = ["id", "t", *(["of"] if schema.series else []), "x"]
    formats = {"of": "A8"}
    frame[keys].to_csv(tmp_path / "d.csv", index=False)
    listed = " ".join(f"{key} {formats.get(key, 'F12.6')}" for key in keys)
    lines = [
        f"GET DATA /TYPE=TXT /FILE='{tmp_path / 'd.csv'}' /FIRSTCASE=2 /DELIMITERS=','",
        f"  /VARIABLES={listed}.",
        *spss_lags(schema, str),
        f"SAVE TRANSLATE /OUTFILE='{tmp_path / 'made.csv'}' /TYPE=CSV /FIELDNAMES /REPLACE.",
    ]
    (tmp_path / "run.sps").write_text("\n".join(lines) + "\n", encoding="utf-8")
    run = subprocess.run(
        ["pspp", "-o", str(tmp_path / "log.txt"), str(tmp_path / "run.sps")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr + (tmp_path / "log.txt").read_text()
    made = pd.read_csv(tmp_path / "made.csv", na_values=" ")
    _same_columns(made, frame, schema)


@pytest.mark.r
@pytest.mark.parametrize(
    ("name", "to"),
    [
        ("lead", "lme4"),
        ("visits", "nlme"),
        ("outcomes by person", "glmmtmb"),
        ("by person", "lavaan"),
        ("lead", "lavaan"),
        ("outcomes by person", "lavaan"),
        ("random", "openmx"),
        ("visits", "openmx"),
    ],
)
def test_r_programs_reach_the_same_maximum(tmp_path: Path, name: str, to: str) -> None:
    script, formula, frame = _script(tmp_path, name, to)
    (tmp_path / "fit.R").write_text(script, encoding="utf-8")
    estimator = "ml" if to in ("lavaan", "openmx") else "reml"
    command = ["Rscript", str(tmp_path / "fit.R")]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    (line,) = [row for row in run.stdout.splitlines() if row.startswith("logLik")]
    wanted = gm.fit(formula, frame, time="t", estimator=estimator).log_likelihood
    assert float(line.split()[1]) == pytest.approx(wanted, abs=1e-4)
