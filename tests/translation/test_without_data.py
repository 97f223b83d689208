"""Translation from facts in place of data: what is missing is named, what is given is enough."""

from __future__ import annotations

from functools import cache
from typing import Any

import pandas as pd
import pytest
from two_sides import long_frame

import growthmm as gm
from growthmm.errors import SpecificationError, TooFewOccasionsError, UnboundError

BY_HAND = gm.Schema(
    person="id",
    time="t",
    outcome="y",
    occasions=(0.0, 1.0, 2.0, 3.0, 4.0),
    variables=(
        gm.Variable("x", "person_level"),
        gm.Variable("sex", "person_level", ("female", "male")),
        gm.Variable("arm", "person_level", ("a", "b", "c")),
        gm.Variable("yes", "person_level", (False, True)),
        gm.Variable("w", "time_varying"),
        gm.Variable("mood", "time_varying", ("high", "low", "mid")),
    ),
)


@cache
def _frame() -> pd.DataFrame:
    return long_frame()


def _translate(text: str, to: str = "lavaan", **facts: Any) -> Any:
    return gm.translate(text, to, notation="lme4" if to == "lavaan" else "lavaan", **facts)


@pytest.mark.parametrize(
    "text",
    [
        "y ~ t + (t | id)",
        "y ~ t*x + (t || id)",
        "y ~ t*sex + arm + (t | id)",
        "y ~ t*C(arm, contr.sum)*yes + (1 | id)",
        "y ~ t*w + w:x + (t | id)",
        "y ~ factor(t)*sex + mood + (1 | id)",
        "y ~ poly(t, 2, raw = TRUE) + (t | id)",
    ],
)
def test_facts_by_hand_are_as_good_as_data(text: str) -> None:
    from_data = _translate(text, data=_frame(), time="t")
    by_hand = _translate(text, schema=BY_HAND)
    assert by_hand.text == from_data.text
    assert by_hand.parameter_rows == from_data.parameter_rows
    assert by_hand.model == from_data.model


@pytest.mark.parametrize(
    "text",
    [
        "y ~ poly(t, 2)*x + (poly(t, 2) | id)",
        "y ~ scale(t) + scale(x) + I(scale(w)^2) + (1 | id)",
        "y ~ t*factor(cohort) + knot + phase + (t | id)",
        "y ~ bs(t, df = 4) + (1 | id)",
        "y ~ ns(t, df = 2)*sex + (1 | id)",
    ],
)
def test_the_facts_of_one_translation_make_it_again(text: str) -> None:
    first = _translate(text, data=_frame(), time="t")
    again = _translate(text, schema=first.schema)
    assert again.text == first.text
    assert again.parameter_rows == first.parameter_rows
    assert again.script == first.script
    if "^" not in text:
        # A name such as I_scale_w_2 does not say what it stands for.
        back = _translate(first.text, "lme4", schema=first.schema)
        assert set(back.model.fixed) == set(gm.read(text, "lme4").fixed)  # type: ignore[union-attr]


def test_times_alone_are_enough_without_covariates() -> None:
    made = _translate("y ~ t + I(t^2) + (t | id)", time_values=[2, 0, 1])
    assert made.text.splitlines()[2] == "q =~ 0*y_0 + 1*y_1 + 4*y_2"
    only = _translate("y ~ t + (1 | id)", time_values=[0, 1])
    assert any(note.what == "time is t" for note in only.assumptions)
    outside = _translate("y ~ 1 + (1 | id)", time_values=[0, 1], time="age")
    assert outside.schema.time == "age"


def test_every_missing_fact_is_named() -> None:
    text = "y ~ t*sex + poly(x, 2) + C(z) + I(scale(w)^2) + (t | id)"
    with pytest.raises(UnboundError) as caught:
        _translate(text)
    missing = caught.value.missing
    expected = ["the times", *(f"role and levels of {v}" for v in ("sex", "x", "z", "w"))]
    expected += ["constants of poly(x, 2)", "constants of scale(w)"]
    assert [any(m.startswith(e) for m in missing) for e in expected] == [True] * len(expected)
    assert len(missing) == len(expected)
    with pytest.raises(UnboundError) as caught:
        _translate("y ~ t*x + (1 | id)", time_values=[0, 1])
    assert any(m.startswith("time ") for m in caught.value.missing)
    with pytest.raises(UnboundError) as caught:
        _translate("y ~ t + C(x) + knot + (t | id)", schema=_with(("knot", "time_function")))
    assert [m.split(" (")[0] for m in caught.value.missing] == [
        "values of knot at the occasions",
        "levels of C(x)",
    ]


def _with(*variables: tuple[str, Any]) -> gm.Schema:
    from dataclasses import replace

    more = tuple(gm.Variable(name, role) for name, role in variables)
    return replace(BY_HAND, variables=(*BY_HAND.variables, *more))


def _changed(**changes: Any) -> gm.Schema:
    from dataclasses import replace

    return replace(BY_HAND, **changes)


@pytest.mark.parametrize(
    ("facts", "error", "match"),
    [
        ({"time_values": [1]}, TooFewOccasionsError, "one occasion"),
        ({"time_values": [0, 0, 1]}, SpecificationError, "twice"),
        ({"time_values": ["a"]}, SpecificationError, "numbers"),
        ({"time_values": [0, float("inf")]}, SpecificationError, "finite"),
        ({"time_values": 3}, SpecificationError, "numbers"),
        ({"time_values": [0, 1], "id": "other"}, SpecificationError, "grouping factor"),
        ({"schema": _changed(person="other")}, SpecificationError, "person"),
        ({"schema": _changed(outcome="other")}, SpecificationError, "outcome"),
        ({"schema": BY_HAND, "time": "other"}, SpecificationError, "time"),
        ({"schema": _changed(occasions=(1.0, 0.0))}, SpecificationError, "ascending"),
        ({"schema": _changed(occasions=(1.0, 1.0))}, SpecificationError, "twice"),
        ({"schema": _changed(outcome_columns=("a", "b"))}, SpecificationError, "5 occasions"),
        ({"schema": _changed(occasions=())}, UnboundError, "the times"),
    ],
)
def test_facts_that_contradict_or_do_not_suffice(
    facts: dict[str, Any], error: type[Exception], match: str
) -> None:
    with pytest.raises(error, match=match):
        _translate("y ~ t + (t | id)", **facts)


def test_data_and_facts_exclude_each_other() -> None:
    with pytest.raises(SpecificationError, match="Both"):
        _translate("y ~ t + (t | id)", schema=BY_HAND, data=_frame())


def test_growth_curve_text_with_facts() -> None:
    text = _translate("y ~ t*sex + w + (t | id)", schema=BY_HAND).text
    assert _translate(text, "lme4", schema=BY_HAND).text == (
        "y ~ t + sex + w + t:sex + (1 + t | id)"
    )
    with pytest.raises(UnboundError) as caught:
        _translate(text + "\ni ~ height", "lme4", schema=BY_HAND)
    assert caught.value.missing == ("role and levels of height",)
    with pytest.raises(SpecificationError, match="person"):
        _translate(text, "lme4", schema=BY_HAND, id="other")


def test_growth_curve_text_alone() -> None:
    text = _translate("y ~ t*x + w + (t | id)", schema=BY_HAND).text
    made = _translate(text, "lme4", id="student", time="occasion")
    assert made.text == ("y ~ occasion + x + w + occasion:x + (1 + occasion | student)")
    assert any(note.what.startswith("times are 0, 1, 2, 3, 4") for note in made.assumptions)
