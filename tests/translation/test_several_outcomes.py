"""Several outcomes: stacked formulas to growth curves and back, with data and without."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import growthmm as gm
from growthmm.errors import DuplicateOccasionError, SpecificationError, UnsupportedError
from growthmm.model.schema import Schema
from growthmm.translation.outcomes.series import outcome_series

TIMES = {"read": (0, 1, 2, 3), "math": (0, 1, 3)}


def process(name: str, degree: int = 1, times: tuple[int, ...] = (0, 1, 2, 3)) -> str:
    rows = []
    for power, letter in enumerate("isq"[: degree + 1]):
        terms = " + ".join(f"{t**power}*{name}_{t}" for t in times)
        rows.append(f"{letter}_{name} =~ {terms}")
    return "\n".join(rows)


def equal(names: dict[str, tuple[int, ...]], label: str = "v") -> str:
    return "\n".join(f"{n}_{t} ~~ {label}*{n}_{t}" for n, times in names.items() for t in times)


def study(seed: int = 4, n: int = 60) -> pd.DataFrame:
    """Wide data of two outcomes, a covariate, a time-varying one, and an outcome at the end."""
    rng = np.random.default_rng(seed)
    eta = rng.normal(size=(n, 4)) + 0.7 * rng.normal(size=(n, 1))
    x = rng.normal(size=n)
    made: dict[str, np.ndarray] = {"id": np.arange(n) + 1, "x": x}
    for k, (name, times) in enumerate(TIMES.items()):
        for t in times:
            growth = eta[:, 2 * k] + (eta[:, 2 * k + 1] + 0.4 * x) * t
            made[f"{name}_{t}"] = growth + 0.5 * rng.normal(size=n)
    for t in range(4):
        made[f"w_{t}"] = rng.normal(size=n)
    made["z"] = 0.5 * eta[:, 0] + 0.3 * x + rng.normal(size=n)
    return pd.DataFrame(made)


TWO = f"{process('read')}\n{process('math', 1, TIMES['math'])}\n"

MODELS = {
    "common": TWO + equal(TIMES),
    "by outcome": TWO
    + equal({"read": TIMES["read"]}, "a")
    + "\n"
    + equal({"math": (0, 1, 3)}, "b"),
    "free": TWO,
    "by time": TWO
    + "\n".join(f"{n}_{t} ~~ v{t}*{n}_{t}" for n, times in TIMES.items() for t in times),
    "apart": TWO + equal(TIMES) + "\ni_read + s_read ~~ 0*i_math + 0*s_math",
    "covariate": TWO + equal(TIMES) + "\ni_read + s_read + i_math + s_math ~ x",
    "covariate of some": TWO + equal(TIMES) + "\ns_read + i_math ~ x",
    "shapes": process("read", 2) + "\n" + process("math", 1, TIMES["math"]) + "\n" + equal(TIMES),
    "varying": TWO + equal(TIMES) + "\n" + "\n".join(f"read_{t} ~ b*w_{t}" for t in range(4)),
    "an occasion": TWO + equal(TIMES) + "\nread_2 ~ 1",
    "distal": process("read") + "\n" + equal({"read": TIMES["read"]}) + "\ni_read + s_read ~ x\n"
    "i_read ~~ s_read\nz ~ i_read + s_read + x\nz ~ 1",
    "distal of two": TWO + equal(TIMES) + "\nz ~ i_read + s_read + i_math + s_math\nz ~ 1",
}


@pytest.mark.parametrize("name", MODELS)
def test_there_and_back(name: str) -> None:
    frame = study()
    there = gm.translate(MODELS[name], "nlme", data=frame, id="id")
    assert there.schema is not None
    # The facts alone give the same.
    assert gm.translate(MODELS[name], "nlme", schema=there.schema).text == there.text
    back = gm.translate(there.text, "lavaan", schema=there.schema)
    again = gm.translate(back.text, "nlme", schema=there.schema)
    assert again.text == there.text
    third = gm.translate(again.text, "lavaan", schema=again.schema)
    assert third.text == back.text


@pytest.mark.parametrize("name", ["by time", "shapes", "covariate of some", "distal of two"])
def test_both_forms_are_one_model(name: str) -> None:
    found = gm.verify(MODELS[name], study(), id="id", bounds="none", engines=["semopy"])
    assert found.model_verdict == "identical"
    assert [level.passed for level in found.levels[:3]] == [True, True, True]
    gap = found.mixed_fit.log_likelihood - found.sem_fit.log_likelihood
    assert abs(gap) < 1e-6


def test_layouts_give_the_same_fit() -> None:
    wide = study()
    model = MODELS["covariate"]
    rows = gm.to_long(
        wide.drop(columns=["z", *(f"w_{t}" for t in range(4))]),
        id="id",
        time="time",
        values=["read", "math"],
    )
    stacked = gm.to_long(
        wide.drop(columns=["z", *(f"w_{t}" for t in range(4))]),
        id="id",
        time="time",
        values=["read", "math"],
        stack="outcome",
    )
    fits = [
        gm.fit(model, wide, id="id"),
        gm.fit(model, rows, id="id", time="time"),
        gm.fit(model, stacked, id="id", time="time"),
    ]
    formula = "value ~ 0 + outcome + outcome:time + outcome:x + outcome:time:x"
    mixed = gm.fit(formula + " + (0 + outcome + outcome:time | id)", stacked)
    for fit in fits[1:]:
        assert fit.log_likelihood == pytest.approx(fits[0].log_likelihood, abs=1e-8)
    assert mixed.log_likelihood == pytest.approx(fits[0].log_likelihood, abs=1e-6)


def test_a_schema_by_hand_is_enough() -> None:
    schema = Schema(
        "id", "t", "y", (0.0, 1.0, 2.0) * 2, indicator="of", series=("a",) * 3 + ("b",) * 3
    )
    made = gm.translate("y ~ 0 + of + of:t + (0 + of + of:t | id)", "lavaan", schema=schema)
    assert made.text.splitlines()[0] == "i_a =~ 1*a_0 + 1*a_1 + 1*a_2"
    frame = pd.DataFrame(
        {
            "id": np.repeat(np.arange(30), 6),
            "t": np.tile([0, 1, 2], 60),
            "of": np.tile(list("aaabbb"), 30),
            "y": np.random.default_rng(0).normal(size=180),
        }
    )
    taken = gm.translate("y ~ 0 + of + of:t + (0 + of + of:t | id)", "lavaan", data=frame)
    assert taken.text == made.text


def test_a_schema_that_contradicts_itself_is_refused() -> None:
    schema = Schema("id", "t", "y", (0.0, 1.0, 0.0, 1.0), indicator="of", series=("a", "b"))
    with pytest.raises(SpecificationError, match="2 entries of series for 4"):
        gm.translate("y ~ 0 + of + of:t + (0 + of + of:t | id)", "lavaan", schema=schema)


def test_a_row_that_stands_twice_is_no_second_outcome() -> None:
    frame = pd.DataFrame(
        {"id": [1, 1, 1, 2, 2, 3, 3], "t": [0, 1, 1, 0, 1, 0, 1], "y": np.arange(7.0)}
    ).assign(sex=list("ffmmmff"))
    with pytest.raises(DuplicateOccasionError):
        gm.translate("y ~ t + sex + (1 | id)", "lavaan", data=frame)


def test_columns_that_share_factors_are_apart_by_their_names() -> None:
    shared = gm.read("i =~ 1*a_0 + 1*a_1 + 1*b_0 + 1*b_1\ns =~ 0*a_0 + 1*a_1 + 0*b_0 + 1*b_1")
    assert [one.name for one in outcome_series(shared)] == ["a", "b"]
    one = gm.read("i =~ 1*y_0 + 1*y_1\ns =~ 0*y_0 + 1*y_1")
    assert outcome_series(one) == ()


@pytest.mark.parametrize("to", ["lme4", "nlme", "glmmtmb", "statsmodels", "mixedmodels.jl"])
def test_scripts_of_several_outcomes(to: str) -> None:
    made = gm.translate(MODELS["common"], to, data=study(), id="id")
    if to == "mixedmodels.jl":
        assert any("stacked rows" in note.what for note in made.assumptions)
    else:
        assert "read_0" in made.script
        assert "outcome" in made.script


@pytest.mark.parametrize("to", ["stata:mixed", "spss", "glmmtmb", "lme4"])
def test_variances_by_two_columns_are_refused_where_they_cannot_be_said(to: str) -> None:
    made = gm.translate(MODELS["free"], to, data=study(), id="id", on_loss="keep")
    assert made.losses


def test_a_category_that_varies_is_no_second_outcome() -> None:
    frame = pd.DataFrame(
        {
            "id": np.repeat(np.arange(30), 4),
            "occasion": np.tile(np.arange(4.0), 30),
            "half": np.tile([0.0, 0.0, 1.0, 1.0], 30),
            "coach": np.tile(list("abab"), 30),
            "y": np.random.default_rng(2).normal(size=120),
        }
    )
    made = gm.translate("y ~ occasion + half + coach + (1 | id)", "lavaan", data=frame)
    assert "y_3" in made.text
    told = gm.translate("y ~ coach + (1 | id)", "lavaan", data=frame, time="occasion")
    assert "y_3" in told.text


def test_estimated_loadings_of_several_outcomes_are_refused() -> None:
    free = TWO.replace("2*read_2", "NA*read_2") + equal(TIMES)
    with pytest.raises(UnsupportedError, match="curves of several outcomes at once"):
        gm.translate(free, "lme4", data=study(), id="id")


def test_groups_of_several_outcomes() -> None:
    frame = study().assign(sex=list("fm") * 30)
    call = f"growth('{MODELS['by outcome']}', data, group = \"sex\")"
    found = gm.verify(call, frame, id="id", bounds="none", engines=["semopy"])
    assert (found.verdict, found.model_verdict) == ("identical", "identical")
    distal = f"growth('{MODELS['distal']}', data, group = \"sex\")"
    regressed = gm.verify(distal, frame, id="id", bounds="none", engines=["wide"])
    assert regressed.model_verdict == "identical"
    assert [level.passed for level in regressed.levels[:4]] == [True] * 4
