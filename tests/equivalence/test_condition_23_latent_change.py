"""Condition 23: constant latent change is linear growth; proportional change is no linear model."""

from __future__ import annotations

import re
from functools import cache

import numpy as np
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


PROPORTIONAL = [f"d{t} ~ {{b}}*l{t - 1}" for t in range(1, 5)]
FACTS = {"id": "id", "time": "time", "function": "lavaan"}


def dual(b: str) -> str:
    """The case's model with change that is proportional to the level before."""
    return case(NAME)["sem"]["model"] + "\n" + "\n".join(PROPORTIONAL).format(b=b)


@cache
def proportional() -> Equivalence:
    return gm.verify(dual("b"), long_frame("L_lcs_long.csv"), engines=["long"], **FACTS)


def test_proportional_change_is_not_representable_and_names_the_exponential() -> None:
    found = proportional()
    assert found.verdict == found.model_verdict == "not_representable"
    assert [level.passed for level in found.levels] == [True] * 6
    (condition,) = found.conditions
    assert "the exponential exp(-g*t) with estimated rate g = -log(1 + b)" in condition
    assert "design is fixed numbers" in condition
    assert found.text.startswith("nlme(y ~ b0 * ((1 + b)^time) + b1 * (((1 + b)^time - 1)/b),")


def test_both_engines_estimate_the_proportion() -> None:
    """The numbers of lavaan 0.6-14 and OpenMx 2.21.1 on the same model."""
    found = proportional()
    for fit in (found.mixed_fit, found.sem_fit):
        assert fit.log_likelihood == pytest.approx(-1965.8381962126, abs=1e-8)
        assert fit.n_parameters == 7
    row = found.parameters.set_index("mixed_name").loc["b"]
    for engine in ("long", "wide"):
        assert row[f"estimate_{engine}"] == pytest.approx(-0.1445753, abs=1e-6)
        assert row[f"std_error_{engine}"] == pytest.approx(0.0248943, abs=1e-6)
    assert row["sem_name"] == "b"


def test_constant_change_is_nested_in_it() -> None:
    test = gm.compare(verified("long").sem_fit, proportional().sem_fit).to_dict()["rows"][1]
    assert test["df"] == 1
    assert test["chi_square"] == pytest.approx(2 * (1980.099693 - 1965.838196), abs=1e-5)


def test_linear_programs_refuse_it_and_name_the_exponential() -> None:
    with pytest.raises(UnsupportedError) as caught:
        gm.translate(dual("b"), "lme4", data=long_frame("L_lcs_long.csv"), **FACTS)
    (loss,) = caught.value.losses
    assert loss.what == "the loading parameter b"
    assert loss.nearest.startswith("the exponential exp(-g*t) with estimated rate g = -log(1 + b)")
    assert "1 parameter more than lmer counts" in loss.nearest


def test_both_ways_it_comes_back_as_true_scores_and_differences() -> None:
    data = long_frame("L_lcs_long.csv")
    mixed = gm.translate(dual("b"), "nlme", data=data, **FACTS)
    sem = gm.translate(mixed.text, "lavaan", data=data, notation="nlme")
    assert "s_at_2 ~ 1*s_at_1" in sem.text
    assert "df_2 ~ b*s_at_1" in sem.text
    assert gm.translate(sem.text, "nlme", data=data, id="id", time="time").text == mixed.text
    fit = gm.fit(sem.text, data, id="id", time="time", engine="wide")
    assert fit.log_likelihood == pytest.approx(-1965.8381962126, abs=1e-8)


def test_a_true_score_without_an_outcome_is_a_step() -> None:
    """Seen at 0, 1 and 3, 4: the step at 2 is there all the same."""
    text = dual("b").replace("l2 =~ 1*y_2", "l2 =~ 0*y_1")
    text = "\n".join(row for row in text.split("\n") if "y_2" not in row)
    data = long_frame("L_lcs_long.csv").query("time != 2")
    found = gm.verify(text, data, engines=["long"], **FACTS)
    assert found.verdict == "not_representable"
    assert [level.passed for level in found.levels] == [True] * 6
    assert "(1 + b)^time" in found.text


def test_a_proportion_for_each_step_has_no_closed_form() -> None:
    data = long_frame("L_lcs_long.csv")
    text = (
        case(NAME)["sem"]["model"] + "\n" + "\n".join(f"d{t} ~ b{t}*l{t - 1}" for t in (1, 2, 3, 4))
    )
    found = gm.verify(text, data, engines=["long"], **FACTS)
    assert found.verdict == "not_representable"
    assert [level.passed for level in found.levels] == [True] * 6
    assert "exponential" not in found.conditions[0]
    assert found.sem_fit.n_parameters == 10


def test_an_autoregression_of_true_scores_is_an_exponential_too() -> None:
    """``l_t = rho l_{t-1} + s``: rho^t, and its sum."""
    rows = [f"l{t} =~ 1*y_{t}" for t in range(5)]
    rows += [f"l{t} ~ rho*l{t - 1}" for t in range(1, 5)] + [f"l{t} ~~ 0*l{t}" for t in range(1, 5)]
    rows += ["s =~ " + " + ".join(f"1*l{t}" for t in range(1, 5)), "l0 ~~ l0", "s ~~ s + l0"]
    rows += ["l0 ~ 1", "s ~ 1", *(f"y_{t} ~~ r*y_{t}" for t in range(5))]
    found = gm.verify("\n".join(rows), long_frame("L_lcs_long.csv"), engines=["long"], **FACTS)
    assert found.verdict == "not_representable"
    assert "estimated rate g = -log(rho)" in found.conditions[0]
    assert found.sem_fit.log_likelihood == pytest.approx(-1965.8381962126, abs=1e-8)


def test_a_known_proportion_is_a_geometric_table_and_linear() -> None:
    """At the estimate of b, with one parameter less, the maximum is the same."""
    b = proportional().parameters.set_index("mixed_name").loc["b", "estimate_wide"]
    found = gm.verify(dual(f"{b:.12g}"), long_frame("L_lcs_long.csv"), engines=["long"], **FACTS)
    assert (found.verdict, found.model_verdict) == ("identical", "identical_if")
    assert [level.passed for level in found.levels] == [True] * 6
    assert found.text.startswith("y ~ 0 + exp(-0.15615")
    assert found.sem_fit.log_likelihood == pytest.approx(-1965.8381962126, abs=1e-8)
    assert found.sem_fit.n_parameters == 6


def test_coupled_change_of_two_outcomes_is_no_mixed_model() -> None:
    first = dual("b").replace("y_", "a_")
    second = first.replace("a_", "c_").replace("b*", "g*").replace("r*", "q*")
    second = re.sub(r"\b([lds])(\d?)\b", r"m\1\2", second)
    text = "\n".join([first, second, "d1 ~ k*ml0"])
    wide = wide_frame("L_lcs_wide.csv").rename(columns=lambda name: name.replace("y_", "a_"))
    rng = np.random.default_rng(3)
    moved = {f"c_{t}": wide[f"a_{t}"] + rng.normal(size=len(wide)) for t in range(5)}
    wide = wide.assign(**moved)
    with pytest.raises(UnsupportedError) as caught:
        gm.translate(text, "nlme", data=wide, id="id", function="lavaan")
    assert any("several outcomes" in loss.why for loss in caught.value.losses)
    found = gm.verify(text, wide, id="id", function="lavaan", engines=["long"])
    assert found.verdict == "not_representable"
    assert [level.passed for level in found.levels[1:]] == [True] * 5
    assert found.nearest is not None  # type: ignore[union-attr]
    assert found.nearest.form.relation == "smaller"  # type: ignore[union-attr]


@pytest.mark.r("lavaan", "OpenMx")
@pytest.mark.parametrize("engine", ["lavaan", "openmx"])
def test_r_ends_there_too(engine: str) -> None:
    fit = gm.fit(dual("b"), long_frame("L_lcs_long.csv"), engine=engine, **FACTS)
    assert fit.log_likelihood == pytest.approx(-1965.8381962126, abs=1e-6)
