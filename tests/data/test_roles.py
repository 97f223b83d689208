"""Roles of columns, the person and the time."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from growthmm.data.roles import classify, find_person, find_time, time_candidates
from growthmm.errors import ColumnNotFoundError, UnboundError
from growthmm.model.mixed import MixedModel, RandomBlock
from growthmm.model.schema import Variable
from growthmm.model.terms import INTERCEPT, Term


def model(
    *fixed: str, slopes: tuple[str, ...] = (), groups: tuple[str, ...] = ("id",)
) -> MixedModel:
    terms = (INTERCEPT, *(Term(tuple(f.split(":"))) for f in fixed))
    random = (INTERCEPT, *(Term((s,)) for s in slopes))
    return MixedModel("y", terms, tuple(RandomBlock(random, g) for g in groups))


@pytest.fixture
def frame() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "id": [3, 3, 3, 1, 1, 1, 2, 2],
            "t": [0, 1, 2, 0, 1, 2, 0, 2],
            "y": [1.0, 2, 3, 2, 3, 4, 5, 6],
            "sex": ["m", "m", "m", "f", "f", "f", "m", "m"],
            "knot": [0, 0, 1, 0, 0, 1, 0, 1],
            "x": [1.0, 2, 2, 4, 5, 6, 7, 8],
            "late": [False, False, True, False, True, True, False, True],
            "school": [1, 1, 1, 1, 1, 1, 2, 2],
        }
    )


def test_each_role_is_recognised(frame: pd.DataFrame) -> None:
    names = ["id", "t", "y", "sex", "knot", "x", "late"]
    assert classify(frame, id="id", time="t", names=names, outcome="y") == (
        Variable("id", "person"),
        Variable("t", "time"),
        Variable("y", "outcome"),
        Variable("sex", "person_level", ("f", "m")),
        Variable("knot", "time_function"),
        Variable("x", "time_varying"),
        Variable("late", "time_varying", (False, True)),
    )


def test_missing_values_are_no_evidence_against_constancy(frame: pd.DataFrame) -> None:
    frame.loc[[0, 4], "sex"] = None
    frame.loc[2, "knot"] = np.nan
    found = classify(frame, id="id", time="t", names=["sex", "knot"])
    assert [v.role for v in found] == ["person_level", "time_function"]
    frame["empty"] = np.nan
    assert classify(frame, id="id", time="t", names=["empty"])[0].role == "person_level"


def test_without_time_nothing_is_a_function_of_it(frame: pd.DataFrame) -> None:
    assert classify(frame, id="id", time=None, names=["knot"])[0].role == "time_varying"


def test_other_frames_are_read(frame: pd.DataFrame) -> None:
    names = ["sex", "knot", "x"]
    assert classify(pl.from_pandas(frame), id="id", time="t", names=names) == classify(
        frame, id="id", time="t", names=names
    )


def test_an_absent_column_is_named(frame: pd.DataFrame) -> None:
    with pytest.raises(ColumnNotFoundError, match="'absent'"):
        classify(frame, id="id", time="t", names=["absent"])


@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.integers(0, 3), st.sampled_from([0.0, 1.0, np.nan])),
        min_size=1,
        max_size=15,
    )
)
def test_constancy_is_what_groupby_says(rows: list[tuple[int, int, float]]) -> None:
    frame = pd.DataFrame(rows, columns=["id", "t", "x"])
    within = frame.groupby("id")["x"].nunique().max() <= 1
    across = frame.groupby("t")["x"].nunique().max() <= 1
    expected = "person_level" if within else "time_function" if across else "time_varying"
    assert classify(frame, id="id", time="t", names=["x"])[0].role == expected


def test_time_is_the_numeric_variable_that_identifies_rows(frame: pd.DataFrame) -> None:
    assert find_time(model("t", "sex", "knot"), frame, "id") == "t"
    assert find_time(model("I(t**2)", "sex"), frame, "id") == "t"
    # x identifies rows too, except within the first person.
    assert time_candidates(model("t", "x"), frame, "id") == ("t",)


def test_among_several_times_the_one_with_a_random_slope(frame: pd.DataFrame) -> None:
    frame["age"] = frame["t"] + frame["id"] * 10
    assert time_candidates(model("t", "age"), frame, "id") == ("t", "age")
    assert find_time(model("t", "age", slopes=("age",)), frame, "id") == "age"
    with pytest.raises(UnboundError, match="'t', 'age'") as caught:
        find_time(model("t", "age"), frame, "id")
    assert caught.value.missing == ("time",)
    assert "--time" in str(caught.value)


def test_no_time_is_an_error(frame: pd.DataFrame) -> None:
    with pytest.raises(UnboundError, match="No numeric variable"):
        find_time(model("sex", "knot"), frame, "id")
    twice = pd.concat([frame, frame])
    with pytest.raises(UnboundError, match="No numeric variable"):
        find_time(model("t"), twice, "id")


@given(
    st.lists(
        st.tuples(st.integers(0, 4), st.one_of(st.none(), st.integers(-2, 2))),
        min_size=1,
        max_size=12,
    )
)
def test_identification_is_what_duplicates_say(rows: list[tuple[int, int | None]]) -> None:
    frame = pd.DataFrame(rows, columns=["id", "t"]).astype({"t": float})
    whole = frame.dropna()
    expected = len(whole) > 0 and not whole.duplicated().any()
    assert (time_candidates(model("t"), frame, "id") == ("t",)) == expected


def test_the_person_is_the_innermost_group(frame: pd.DataFrame) -> None:
    assert find_person(model("t")) == "id"
    assert find_person(model("t", groups=("school", "school:id"))) == "school:id"
    assert find_person(model("t", groups=("school", "id")), frame) == "id"
    assert find_person(model("t", groups=("id", "school")), frame) == "id"
    with pytest.raises(UnboundError, match="none is nested"):
        find_person(model("t", groups=("school", "id")))
    frame["item"] = [1, 2, 3, 1, 2, 3, 1, 2]
    with pytest.raises(UnboundError, match="'id', 'item'"):
        find_person(model("t", groups=("id", "item")), frame)
    with pytest.raises(UnboundError, match="no random effects"):
        find_person(model("t", groups=()))
