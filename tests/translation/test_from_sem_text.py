"""Growth curve text carried to a formula, with wide data, long data and none."""

from __future__ import annotations

from functools import cache
from typing import Any

import pandas as pd
import pytest
from two_sides import assert_same_model, formula, long_frame, mixed_pair, sem_pair, wide_frame

import growthmm as gm
from growthmm.errors import (
    ColumnNotFoundError,
    DuplicateOccasionError,
    NotTimeInvariantError,
    SpecificationError,
    TooFewSubjectsError,
    TranslationError,
    UnboundError,
    UnsupportedError,
    ValueColumnError,
)
from growthmm.translation.pair import same_growth

INTERCEPT = "i =~ 1*y_0 + 1*y_1 + 1*y_2 + 1*y_3 + 1*y_4\n"
SLOPE = "s =~ 0*y_0 + 1*y_1 + 2*y_2 + 3*y_3 + 4*y_4\n"
SQUARE = "q =~ 0*y_0 + 1*y_1 + 4*y_2 + 9*y_3 + 16*y_4\n"
EQUAL = "".join(f"y_{j} ~~ v*y_{j}\n" for j in range(5))
LINEAR = INTERCEPT + SLOPE + EQUAL


def _each(template: str, occasions: range = range(5)) -> str:
    return "".join(template.format(j=j) + "\n" for j in occasions)


def _factor(name: str, *loadings: float) -> str:
    return f"{name} =~ " + " + ".join(f"{v}*y_{j}" for j, v in enumerate(loadings)) + "\n"


@cache
def _long() -> pd.DataFrame:
    return long_frame()


@cache
def _wide() -> pd.DataFrame:
    return wide_frame(_long())


SAME_EVERYWHERE = {
    INTERCEPT + EQUAL: "y ~ 1 + (1 | id)",
    LINEAR: "y ~ t + (1 + t | id)",
    INTERCEPT + SLOPE: "y ~ t + (1 + t | id)",
    INTERCEPT + SLOPE + SQUARE + EQUAL: "y ~ t + I(t^2) + (1 + t + I(t^2) | id)",
    INTERCEPT + SLOPE + SQUARE + EQUAL + "q ~~ 0*q + 0*i + 0*s\n": (
        "y ~ t + I(t^2) + (1 + t | id)"
    ),
    LINEAR + "i ~~ 0*s": "y ~ t + (1 | id) + (0 + t | id)",
    LINEAR + "s ~ 0*1": "y ~ 1 + (1 + t | id)",
    LINEAR + "i ~ 0*1": "y ~ 0 + t + (1 + t | id)",
    SLOPE + EQUAL: "y ~ 0 + t + (0 + t | id)",
    LINEAR + "i ~ x\ns ~ x": "y ~ t + x + t:x + (1 + t | id)",
    LINEAR + "s ~ x\ni ~ 0*x\ni ~~ s": "y ~ t + t:x + (1 + t | id)",
    LINEAR + "i ~ x + z\ns ~ x": "y ~ t + x + z + t:x + (1 + t | id)",
    LINEAR + _each("y_{j} ~ b*w_{j}"): "y ~ t + w + (1 + t | id)",
    LINEAR + _each("y_{j} ~ w_{j}"): "y ~ t + factor(t):w + (1 + t | id)",
    LINEAR + _each("y_{j} ~ b*x"): "y ~ t + x + (1 + t | id)",
    LINEAR + "i ~ x\ns ~ x\ny_3 ~ x": ("y ~ t + x + t:x + x:I(1 * (t == 3)) + (1 + t | id)"),
    LINEAR + "y_1 ~ w_1\ny_2 ~ w_2": (
        "y ~ t + I(1 * (t == 1)):w + w:I(1 * (t == 2)) + (1 + t | id)"
    ),
    INTERCEPT + EQUAL + "i ~ 0*1\n" + _each("y_{j} ~ 1"): "y ~ 0 + factor(t) + (1 | id)",
    INTERCEPT + EQUAL + _each("y_{j} ~ 1", range(1, 5)): "y ~ factor(t) + (1 | id)",
    LINEAR + "y_3 ~ 1": "y ~ t + I(1 * (t == 3)) + (1 + t | id)",
    LINEAR + _factor("j", 0, 0, 0, 1, 1): (
        "y ~ t + I(1 * (t >= 3)) + (1 + t + I(1 * (t >= 3)) | id)"
    ),
    LINEAR + _factor("j", 0, 1, 1, 0, 0): (
        "y ~ t + I(1 * (t >= 1) * (t <= 2)) + (1 + t + I(1 * (t >= 1) * (t <= 2)) | id)"
    ),
    _factor("i", 2, 2, 2, 2, 2) + SLOPE + EQUAL: (
        "y ~ 0 + I(2 + 0 * t) + t + (0 + I(2 + 0 * t) + t | id)"
    ),
    INTERCEPT + _factor("a", 0, 1, 2, 2, 2) + _factor("b", 0, 0, 0, 3, 6) + EQUAL: (
        "y ~ pmin(t, 2) + I(3 * pmax(t - 2, 0)) + (1 + pmin(t, 2) + I(3 * pmax(t - 2, 0)) | id)"
    ),
}
"""Text and the formula that it is, with long data, wide data and the times 0 to 4 alone."""


@pytest.mark.parametrize("text", SAME_EVERYWHERE, ids=range(len(SAME_EVERYWHERE)))
def test_text_becomes_the_formula_it_is(text: str) -> None:
    expected = SAME_EVERYWHERE[text]
    given: list[tuple[Any, dict[str, Any]]] = [(_long(), {}), (_wide(), {})]
    given.append((None, {"time_values": range(5)}))
    for data, facts in given:
        pair, frame = sem_pair(text, data, id="id", time="t", **facts)
        assert formula(pair) == expected
        assert_same_model(pair, frame)
        if frame is not None:
            residual = str(pair.mixed.model.residual)
            again = mixed_pair(formula(pair), frame, residual=residual, time="t")
            assert same_growth(pair.growth, again.growth) is None


def test_residual_variances() -> None:
    for text, kind in ((LINEAR, "common"), (INTERCEPT + SLOPE, "by_occasion")):
        assert sem_pair(text, _long(), id="id", time="t")[0].mixed.model.residual.kind == kind


BY_LAYOUT = {
    LINEAR + "i ~ sexmale\ns ~ sexmale": (
        "y ~ t + sex + t:sex + (1 + t | id)",
        "y ~ t + sexmale + t:sexmale + (1 + t | id)",
    ),
    LINEAR + "i ~ armb + armc\ns ~ armb + armc": (
        "y ~ t + arm + t:arm + (1 + t | id)",
        "y ~ t + armb + armc + t:armb + t:armc + (1 + t | id)",
    ),
    INTERCEPT + _factor("s", -2, -1, 0, 1, 2) + EQUAL: (
        "y ~ scale(t, scale = FALSE) + (1 + scale(t, scale = FALSE) | id)",
        "y ~ t + (1 + t | id)",
    ),
    INTERCEPT + _factor("s", -4, -3, -2, -1, 0) + EQUAL: (
        "y ~ I(t - 4) + (1 + I(t - 4) | id)",
        "y ~ t + (1 + t | id)",
    ),
    INTERCEPT + _factor("s", 0, 0.5, 1, 1.5, 2) + EQUAL: (
        "y ~ I(t/2) + (1 + I(t/2) | id)",
        "y ~ t + (1 + t | id)",
    ),
    INTERCEPT + _factor("s", 0, 1, 2**0.5, 3**0.5, 2) + EQUAL: (
        "y ~ sqrt(t) + (1 + sqrt(t) | id)",
        "y ~ t + (1 + t | id)",
    ),
    INTERCEPT + _factor("s", -2, -1, 0, 1, 2) + _factor("q", 2, -1, -2, -1, 2) + EQUAL: (
        "y ~ scale(t, scale = FALSE) + I(2 - 4 * t + t^2) + "
        "(1 + scale(t, scale = FALSE) + I(2 - 4 * t + t^2) | id)",
        "y ~ t + I(-2 + t^2) + (1 + t + I(-2 + t^2) | id)",
    ),
}
"""Text and its formula with long data, whose times are 0 to 4, and with wide data."""


@pytest.mark.parametrize("text", BY_LAYOUT, ids=range(len(BY_LAYOUT)))
def test_long_data_say_more_than_wide_data(text: str) -> None:
    for data, expected in zip((_long(), _wide()), BY_LAYOUT[text], strict=True):
        pair, frame = sem_pair(text, data, id="id", time="t")
        assert formula(pair) == expected
        assert_same_model(pair, frame)


def test_loadings_against_years_state_the_map() -> None:
    frame = long_frame(range(2008, 2013))
    made = gm.translate(
        LINEAR, "lme4", data=frame, id="id", time="t", outcome="y", notation="lavaan"
    )
    assert made.text == "y ~ I(t - 2008) + (1 + I(t - 2008) | id)"
    assert any("time score = -2008 + 1 * t" in str(note) for note in made.assumptions)


def test_names_that_end_in_times_tell_occasions_apart() -> None:
    text = INTERCEPT + _factor("s", 4, 2.5, 2, 1, 0.25) + EQUAL
    pair, frame = sem_pair(text, _long(), id="id", time="t")
    table = "I(4 * (t == 0) + 2.5 * (t == 1) + 2 * (t == 2) + (t == 3) + 0.25 * (t == 4))"
    assert formula(pair) == f"y ~ {table} + (1 + {table} | id)"
    assert_same_model(pair, frame)
    reverse = INTERCEPT + _factor("s", 8, 6, 4, 2, 0) + EQUAL
    pair, frame = sem_pair(reverse, _long(), id="id", time="t")
    assert formula(pair) == "y ~ I(-2 * (t - 4)) + (1 + I(-2 * (t - 4)) | id)"
    assert_same_model(pair, frame)


def test_given_times_are_matched_in_order_of_the_scores() -> None:
    pair, frame = sem_pair(LINEAR, _long(), id="id", time="t", time_values=[4, 3, 2, 1, 0])
    assert formula(pair) == "y ~ I(-(t - 4)) + (1 + I(-(t - 4)) | id)"
    assert_same_model(pair, frame)
    with pytest.raises(TranslationError, match="no t 9"):
        sem_pair(LINEAR, _long(), id="id", time="t", time_values=[0, 1, 2, 3, 9])


LOST = {
    INTERCEPT + "s =~ 0*y_0 + a*y_1 + b*y_2 + c*y_3 + 4*y_4\nb == a + 2*c^2\n": [
        "b == a + 2*c**2",
        "estimated loadings",
    ],
    LINEAR + "i ~ b*x\ns ~ b*x": ["the label b on several parameters"],
    LINEAR + "i ~ m*1\ns ~ m*1": ["the label m on several parameters"],
    LINEAR + "s ~ 0.5*1": ["s~1 fixed at 0.5"],
    LINEAR + "i ~ 0.5*x": ["i~x fixed at 0.5"],
    LINEAR + "y_1 ~ y_0": ["y_1~y_0"],
    LINEAR + "y_0 ~~ y_1": ["y_0~~y_1"],
    LINEAR + "s ~ i\ni ~ x": ["s~i"],
    LINEAR + "z ~ i + s": ["the intercept of z fixed"],
    INTERCEPT + SLOPE + "y_0 ~~ v*y_0\ny_1 ~~ v*y_1": ["residual variances of which some"],
    INTERCEPT + SLOPE + _each("y_{j} ~~ 1*y_{j}"): ["residual variances of y_0"],
    LINEAR + "y_1 ~ b*w_0\ny_2 ~ b*w_1\ny_3 ~ d*w_2\ny_4 ~ d*w_3\n": [
        "effects of w_lag1 of which some are equal"
    ],
    LINEAR + _each("y_{j} ~ b{j}*w_{j}") + "b1 == b0^2\n": ["b1 == b0**2"],
    LINEAR + "y_0 ~~ y_1\ns ~ i\ns ~ 0.5*1\ni ~~ vi*i\nvi == 2": [
        "vi == 2",
        "s~i",
        "y_0~~y_1",
        "s~1 fixed at 0.5",
    ],
}


@pytest.mark.parametrize("text", LOST, ids=range(len(LOST)))
def test_what_no_formula_says_is_refused_with_all_losses(text: str) -> None:
    for data in (_long(), _wide()):
        with pytest.raises(UnsupportedError) as caught:
            sem_pair(text, data, id="id", time="t")
        found = [loss.what for loss in caught.value.losses]
        for expected in LOST[text]:
            assert any(what.startswith(expected) for what in found), found


@pytest.mark.parametrize(
    ("text", "extra"),
    [
        ("i ~ armb\ns ~ armb", "armc"),
        ("i ~ armb + armc\ns ~ armb", "t:armc"),
        ("i ~ x\n" + _each("y_{j} ~ b*x"), "x would be there twice"),
    ],
)
def test_a_formula_that_would_say_more_is_not_given(text: str, extra: str) -> None:
    with pytest.raises(UnsupportedError) as caught:
        sem_pair(LINEAR + text, _long(), id="id", time="t")
    assert extra in str(caught.value)


def test_a_covariate_on_a_factor_must_be_person_level() -> None:
    frame = _long()
    for text in ("i ~ w", "s ~ knot", "y_1 ~ w", "i ~ moodlow"):
        with pytest.raises(NotTimeInvariantError, match="id 0, 1, 2, 3, 4 and 19 more"):
            sem_pair(LINEAR + text, frame, id="id", time="t")
    one = frame.copy()
    one.loc[one.index[7], "x"] = 99.0
    with pytest.raises(NotTimeInvariantError, match=r"x varies within persons: id 1\."):
        sem_pair(LINEAR + "i ~ x", one, id="id", time="t")
    # A missing value is no other value.
    one.loc[one.index[7], "x"] = float("nan")
    assert formula(sem_pair(LINEAR + "i ~~ s\ni ~ x", one, id="id", time="t")[0]) == (
        "y ~ t + x + (1 + t | id)"
    )


@pytest.mark.parametrize(
    ("text", "facts", "error", "match"),
    [
        ("", {"id": "id"}, UnboundError, "time"),
        ("", {"time": "t"}, UnboundError, "the person"),
        ("", {"id": "nobody", "time": "t"}, ColumnNotFoundError, "nobody"),
        ("", {"id": "id", "time": "sex"}, ValueColumnError, "sex"),
        ("", {"id": "id", "time": "t", "outcome": "no"}, ColumnNotFoundError, "no"),
        ("", {"id": "id", "time": "t", "time_values": [0, 1]}, SpecificationError, "5 outcomes"),
        ("", {"id": "id", "time": "t", "time_values": "abc"}, SpecificationError, "numbers"),
        ("i ~ nothing", {"id": "id", "time": "t"}, ColumnNotFoundError, "'nothing'"),
        ("i ~ sex", {"id": "id", "time": "t"}, ValueColumnError, "holds text"),
        ("i ~ w_0", {"id": "id", "time": "t"}, ColumnNotFoundError, "'w_0'"),
    ],
)
def test_long_data_that_do_not_fit(
    text: str, facts: dict[str, Any], error: type[Exception], match: str
) -> None:
    with pytest.raises(error, match=match):
        sem_pair(LINEAR + text, _long(), **facts)


def test_long_data_are_checked() -> None:
    frame = _long()
    with pytest.raises(DuplicateOccasionError):
        sem_pair(LINEAR, pd.concat([frame, frame.iloc[:1]]), id="id", time="t")
    with pytest.raises(TooFewSubjectsError):
        sem_pair(LINEAR, frame.query("id == 1"), id="id", time="t")


def test_columns_that_are_no_covariates_do_no_harm() -> None:
    frame = _long().assign(
        junk=[1, "a"] * 60,
        date=lambda d: pd.to_datetime("2020-01-01") + pd.to_timedelta(d["t"], unit="D"),
    )
    frame[0] = 1
    pair, _ = sem_pair(LINEAR + "i ~~ s\ni ~ yes", frame, id="id", time="t")
    assert formula(pair) == "y ~ t + yes + (1 + t | id)"


def test_the_outcome_is_guessed_from_the_columns_and_said() -> None:
    made = gm.translate(LINEAR, "lme4", data=_long(), id="id", time="t", notation="lavaan")
    assert any(note.what == "the outcome is y" for note in made.assumptions)
    with pytest.raises(UnboundError) as caught:
        sem_pair(LINEAR.replace("y_", "score_"), _long(), id="id", time="t")
    assert caught.value.missing == ("outcome",)
