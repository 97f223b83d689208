"""Formulas carried to a growth curve and back: the same model, on three levels of evidence."""

from __future__ import annotations

from functools import cache

import pandas as pd
import pytest
from two_sides import assert_round_trip, formula, long_frame, mixed_pair

import growthmm as gm
from growthmm.errors import (
    ColumnNotFoundError,
    NotIdentifiedError,
    SpecificationError,
    UnsupportedError,
)


@cache
def _frame() -> pd.DataFrame:
    return long_frame(missing=0.1)


POLYNOMIAL = [
    "y ~ 1 + (1 | id)",
    "y ~ t + (1 | id)",
    "y ~ t + (t | id)",
    "y ~ t + (t || id)",
    "y ~ t + (1 | id) + (0 + t | id)",
    "y ~ t + I(t^2) + (t | id)",
    "y ~ t + I(t**2) + (t + I(t**2) | id)",
    "y ~ t + I(t^2) + I(t^3) + (t + I(t^2) | id)",
    "y ~ t + I(t^2) + I(t^3) + (1 | id) + (0 + t + I(t^2) | id)",
    "y ~ poly(t, 2) + (t | id)",
    "y ~ poly(t, 2) + (poly(t, 2) | id)",
    "y ~ poly(t, 2) + (poly(t, 2) || id)",
    "y ~ poly(t, 2, raw = TRUE) + (poly(t, 2, raw = TRUE) | id)",
    "y ~ poly(t, 3) + (1 | id)",
    "y ~ scale(t) + (scale(t) | id)",
    "y ~ I((t - 2)/2) + (I((t - 2)/2) | id)",
    "y ~ 0 + t + (t | id)",
    "y ~ 0 + t + (1 | id)",
    "y ~ 0 + t + (0 + t | id)",
    "y ~ 1 + (t | id)",
    "y ~ 0 + (t | id)",
    "y ~ I(t^2) + (t | id)",
]

COVARIATES = [
    "y ~ t + x + (t | id)",
    "y ~ t + t:x + (t | id)",
    "y ~ t*x + (t | id)",
    "y ~ t*x*z + (t | id)",
    "y ~ t + x:z + (t | id)",
    "y ~ t + x + I(t^2):x + (t | id)",
    "y ~ t*sex + (t | id)",
    "y ~ 0 + sex + sex:t + (t | id)",
    "y ~ sex/t + (t | id)",
    "y ~ arm + t:sex + (t | id)",
    "y ~ t*arm + (t | id)",
    "y ~ t*C(arm, contr.sum) + (t | id)",
    "y ~ t*C(arm, contr.helmert) + (t | id)",
    'y ~ t*relevel(arm, ref = "b") + (t | id)',
    "y ~ t*yes + (t | id)",
    "y ~ t*sex*yes + (t | id)",
    "y ~ t*factor(cohort) + (t | id)",
    "y ~ t*scale(x) + (t | id)",
    "y ~ t + poly(x, 2) + (t | id)",
    "y ~ t*log(income) + (t | id)",
    "y ~ t*C(arm, contr.sum)*x + (t | id)",
]

VARYING = [
    "y ~ t + w + (t | id)",
    "y ~ t + w + w2 + x + (t | id)",
    "y ~ t + mood + (t | id)",
    "y ~ t + w:x + (t | id)",
    "y ~ t + w*sex + (t | id)",
    "y ~ t + scale(w) + (t | id)",
    "y ~ t*w + (t | id)",
    "y ~ t + t:w + (t | id)",
    "y ~ t*w*x + (t | id)",
    "y ~ t*mood + (t | id)",
    "y ~ poly(t, 2)*w + (t | id)",
    "y ~ t + w:factor(t) + (t | id)",
    "y ~ t + w + w:factor(t) + (t | id)",
    "y ~ factor(t)*w + (t | id)",
]

FREE_MEANS = [
    "y ~ factor(t) + (1 | id)",
    "y ~ 0 + factor(t) + (1 | id)",
    "y ~ factor(t) + (t | id)",
    "y ~ factor(t)*x + (1 | id)",
    "y ~ factor(t)*sex + (t || id)",
    "y ~ 0 + factor(t) + factor(t):x + (1 | id)",
    "y ~ t + I(1*(t == 3)) + (t | id)",
]

SHAPES = [
    "y ~ t + knot + (t + knot | id)",
    "y ~ t + knot + knot:x + (t | id)",
    "y ~ t*knot + (t | id)",
    "y ~ pmin(t, 2) + pmax(t - 2, 0) + (pmin(t, 2) + pmax(t - 2, 0) | id)",
    "y ~ I(pmin(t, 3) - 3) + (1 | id)",
    "y ~ log(t + 1) + (log(t + 1) | id)",
    "y ~ sqrt(t)*x + (sqrt(t) | id)",
    "y ~ exp(-t) + (exp(-t) | id)",
    "y ~ t + phase + (t | id)",
    "y ~ phase*w + (t | id)",
    "y ~ I(t > 2) + (t | id)",
    "y ~ t + (0 + factor(t) | id)",
]


@pytest.mark.parametrize("text", [*POLYNOMIAL, *COVARIATES, *VARYING, *FREE_MEANS, *SHAPES])
def test_there_and_back_is_the_same_model(text: str) -> None:
    assert_round_trip(text, _frame(), time="t")


@pytest.mark.parametrize(
    "text", ["y ~ t*x + (t | id)", "y ~ t*w + (1 | id)", "y ~ factor(t) + (1 | id)"]
)
def test_residual_variances_by_occasion(text: str) -> None:
    assert_round_trip(text, _frame(), residual="by_occasion", time="t")


@pytest.mark.parametrize(
    "text",
    [
        "y ~ t + (1 + t | id)",
        "y ~ t + I(t^2) + (1 + t | id)",
        "y ~ poly(t, 2) + (1 + poly(t, 2) | id)",
        "y ~ scale(t) + (1 + scale(t) | id)",
        "y ~ t + sex + t:sex + (1 + t | id)",
        "y ~ t + C(factor(arm), contr.sum) + t:C(factor(arm), contr.sum) + (1 + t | id)",
        "y ~ t + yes + t:yes + (1 + t | id)",
        "y ~ t + factor(cohort) + t:factor(cohort) + (1 + t | id)",
        "y ~ t + w + t:w + (1 + t | id)",
        "y ~ t + poly(x, 2) + (1 + t | id)",
        "y ~ t + knot + (1 + t + knot | id)",
        "y ~ 0 + factor(t) + (1 | id)",
        "y ~ pmin(t, 3) + (1 | id)",
        "y ~ log(t + 1) + (1 + log(t + 1) | id)",
    ],
)
def test_the_way_back_finds_the_formula_itself(text: str) -> None:
    _, again = assert_round_trip(text, _frame(), time="t")
    assert formula(again) == text


def test_time_in_years_keeps_its_column() -> None:
    text = "y ~ I((year - 2008)/4) + (1 + I((year - 2008)/4) | id)"
    _, again = assert_round_trip(text, _frame(), time="year")
    assert formula(again) == text


@pytest.mark.parametrize(
    "times",
    [
        (-2, -1, 0, 1, 2),
        (0, 0.5, 1, 2, 4),
        (2008, 2009, 2010, 2011, 2013),
        (-1.5, -0.25, 0, 3),
        (0, 1, 2),
        (0.001, 0.002, 0.005),
        (1 / 3, 2 / 3, 1, 4 / 3),
        (20080101, 20080201, 20080301, 20080401),
    ],
)
def test_times_of_any_kind(times: tuple[float, ...]) -> None:
    frame = long_frame(times, missing=0.05)
    # The unit keeps random slopes of comparable size whatever the unit of the data.
    unit = f"I((t - {times[0]!r})/{times[-1] - times[0]!r})"
    assert_round_trip(f"y ~ {unit}*x + w + ({unit} | id)", frame, time="t")
    assert_round_trip("y ~ factor(t) + (1 | id)", frame, residual="by_occasion", time="t")


def test_two_occasions() -> None:
    frame = long_frame((0, 1))
    for text in ("y ~ t + (1 | id)", "y ~ t*sex + w + (t || id)", "y ~ factor(t) + (1 | id)"):
        assert_round_trip(text, frame, time="t")


def test_a_random_effect_by_occasion_is_a_residual_variance_by_occasion() -> None:
    frame = long_frame()
    made = gm.translate(
        "lmer(y ~ t + (1 | id) + (0 + I(1*(t==0)) || id) + (0 + I(1*(t==1)) || id))",
        "lavaan",
        data=frame.query("t < 2"),
        time="t",
    )
    assert "y_0 ~~" in made.text


@pytest.mark.parametrize(
    ("text", "losses"),
    [
        ("y ~ t + (id | id)", ["random effect of id"]),
        ("y ~ t + id + x:id + (t + x | id)", ["fixed effect of id", "fixed effect of id:x"]),
    ],
)
def test_what_has_no_growth_curve_is_refused_with_all_losses(text: str, losses: list[str]) -> None:
    with pytest.raises(UnsupportedError) as caught:
        mixed_pair(text, _frame(), time="t")
    found = [loss.what for loss in caught.value.losses]
    assert all(loss in found for loss in losses), found


def test_no_coding_of_a_covariate_is_guessed() -> None:
    frame = _frame()
    text = gm.translate("y ~ t + I(x*z) + (t | id)", "lavaan", data=frame, notation="lme4").text
    with pytest.raises(ColumnNotFoundError, match="I_x_z"):
        gm.translate(text, "lme4", data=frame, id="id", time="t", notation="lavaan")


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("y ~ t + (t | id) + (1 | id)", "twice"),
        ("y ~ t + I(1*t) + (t | id)", "t has the same values"),
        ("y ~ t*x + I(1*t):x + (t | id)", "twice"),
        ("y ~ t + (t | id) + (0 + I(2*t - t) | id)", "t has the same values"),
    ],
)
def test_redundant_effects_are_refused(text: str, match: str) -> None:
    with pytest.raises(NotIdentifiedError, match=match):
        mixed_pair(text, _frame())


def test_columns_with_the_same_values_are_one_growth_factor() -> None:
    there, again = assert_round_trip("y ~ poly(t, 2, raw = TRUE)*x + (t | id)", _frame())
    assert [factor.name for factor in there.growth.factors] == ["i", "s", "q"]
    assert formula(again).startswith("y ~ t + I(t^2) + x")


def test_the_order_of_terms_that_codes_a_factor_is_kept() -> None:
    # After t:w the levels of sex in w:sex are all but one, as R has it; before it, all.
    for text in ("y ~ 0 + factor(t) + t:w + w:sex + (1 | id)", "y ~ t + w:sex + t:w + (1 | id)"):
        assert_round_trip(text, _frame(), time="t")


def test_the_outcome_is_no_covariate_of_itself() -> None:
    with pytest.raises(SpecificationError, match="right-hand side"):
        mixed_pair("y ~ t + log(y + 30) + (t | id)", _frame())


def test_a_computed_outcome() -> None:
    frame = _frame().assign(y=lambda d: d["y"] - d["y"].min() + 1)
    assert_round_trip("log(y) ~ t*sex + (t | id)", frame, time="t")
