"""Columns with names that no program likes, in every place of a formula."""

from __future__ import annotations

import re

import pytest
from two_sides import (
    assert_likelihoods,
    assert_round_trip,
    assert_same_model,
    back,
    formula,
    long_frame,
    mixed_pair,
)

import growthmm as gm
from growthmm.equivalence import evidence
from growthmm.errors import ColumnNotFoundError
from growthmm.translation.pair import same_growth

NAMES = [
    "lib hours",
    "größe",
    "x`y",
    "a:b",
    "C(t)",
    "NA",
    "i",
    "v",
    "y_0",
    "lib.hours",
    "β",
    "x'y",
    'x"y',
    "a|b",
    "x-1",
    "1st",
    "_under",
    "name~",
    "(Intercept)",
    "if",
    "TRUE",
    "start",
    "c",
    "s",
    "b_w",
    "id2",
    "Intercept",
    "poly",
]

PLACES = {
    "x": "y ~ t*x + (t | id)",
    "w": "y ~ t*w + (t | id)",
    "y": "y ~ t + w + (t | id)",
    "t": "y ~ t*x + w + (t | id)",
    "id": "y ~ t + (t | id)",
    "knot": "y ~ t + knot + (t | id)",
    "sex": "y ~ t*sex + (t | id)",
}


@pytest.mark.parametrize(
    "name", [*NAMES[:9], *(pytest.param(name, marks=pytest.mark.nightly) for name in NAMES[9:])]
)
def test_any_name_anywhere(name: str) -> None:
    # Moments and the third leg are the same for every name.
    quoted = "`" + name.replace("`", "\\`") + "`"
    for column, text in PLACES.items():
        frame = long_frame((0, 1, 2), n_persons=14).rename(columns={column: name})
        renamed = re.sub(rf"\b{column}\b", lambda _: quoted, text)
        time = name if column == "t" else "t"
        there = mixed_pair(renamed, frame, time=time)
        again = back(there, frame)
        assert same_growth(there.growth, again.growth) is None
        assert set(there.mixed.model.fixed) == set(again.mixed.model.fixed), formula(again)
        for pair in (there, again):
            structure = evidence.structure(pair)
            assert structure.passed, structure.note
            assert_likelihoods(pair, frame)


@pytest.mark.parametrize(("first", "second"), [("x", "z"), ("w", "w2")])
def test_two_columns_whose_names_become_one(first: str, second: str) -> None:
    frame = long_frame().rename(columns={first: "a b", second: "a-b"})
    there = mixed_pair("y ~ t + `a b` + `a-b` + (t | id)", frame)
    assert_same_model(there, frame)
    # The growth curve's own text cannot say which of them is which.
    with pytest.raises(ColumnNotFoundError, match="a_b"):
        back(there, frame)


def test_growth_factors_and_labels_step_aside() -> None:
    frame = long_frame().rename(columns={"x": "i", "z": "s", "w": "v"})
    made = gm.translate("y ~ t*i + s + v + (t | id)", "lavaan", data=frame, notation="lme4")
    names = {row.sem_name for row in made.parameter_rows}
    assert {"b_v", "v"} <= names
    assert not {"i~1", "s~1"} & names
    assert_round_trip("y ~ t*i + s + v + (t | id)", frame, time="t")


def test_close_times_have_names_of_their_own() -> None:
    frame = long_frame((2008.00001, 2008.00002, 2008.00003))
    made = gm.translate(
        "y ~ factor(t) + (1 | id)",
        "lavaan",
        data=frame,
        residual="by_occasion",
        notation="lme4",
    )
    mixed = [row.mixed_name for row in made.parameter_rows]
    assert len(set(mixed)) == len(mixed)
