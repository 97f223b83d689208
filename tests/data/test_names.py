"""Names of wide columns."""

from __future__ import annotations

import datetime
import re
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from growthmm.data.names import (
    check_template,
    parse_label,
    sem_name,
    stem_names,
    stems,
    time_label,
    wide_columns,
)
from growthmm.errors import DataError


@pytest.mark.parametrize(
    ("value", "time", "name"),
    [
        ("gpa", 0, "gpa_0"),
        ("gpa", 3.0, "gpa_3"),
        ("gpa", -1, "gpa_m1"),
        ("gpa", -0.0, "gpa_0"),
        ("gpa", 0.5, "gpa_0.5"),
        ("gpa", -2.25, "gpa_m2.25"),
        ("gpa", np.float32(0.1), "gpa_0.1"),
        ("gpa", 1e-5, "gpa_0.00001"),
        ("gpa", 1e20, "gpa_100000000000000000000"),
        ("gpa", True, "gpa_1"),
        ("gpa", Decimal("-0.50"), "gpa_m0.5"),
        ("gpa", np.int8(4), "gpa_4"),
        ("gpa", "week 1", "gpa_week_1"),
        ("gpa", datetime.date(2020, 1, 31), "gpa_2020_01_31"),
        ("gpa", np.datetime64("2020-01-31"), "gpa_2020_01_31"),
        ("reading score", 0, "reading_score_0"),
        ("2nd", 0, "x2nd_0"),
        ("_y", 0, "x_y_0"),
        ("Größe", 0, "Gro_e_0"),
    ],
)
def test_names_that_every_program_accepts(value, time, name):
    assert sem_name(value, time) == name


@given(st.text(min_size=1), st.floats(allow_nan=False, allow_infinity=False) | st.text())
def test_names_are_always_syntactic(value, time):
    assert re.fullmatch(r"[A-Za-z][A-Za-z0-9_.]*", sem_name(value, time))


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_labels_of_numbers_read_back(time):
    assert parse_label(time_label(time)) == time


@pytest.mark.parametrize("time", [float("nan"), float("inf")])
def test_times_that_name_no_column(time):
    with pytest.raises(DataError, match="names no column"):
        time_label(time)


def test_stems_stay_distinct():
    assert stem_names(["a b", "a-b", "a_b", "a_b_2"]) == ("a_b_3", "a_b_4", "a_b", "a_b_2")
    assert wide_columns("a-b", [0, 1], among=["a b", "a-b"]) == ("a_b_2_0", "a_b_2_1")


def test_occasions_that_would_share_a_name():
    with pytest.raises(DataError, match="'a b' and 'a-b' would both be named 'y_a_b'"):
        wide_columns("y", ["a b", "a-b"])


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ("{value}", "no {time}"),
        ("{time}", "no {value}"),
        ("{value}_{when}", "not understood"),
        ("{value", "not understood"),
        ("{}_{}", "not understood"),
        ("{value}_{time:d}", "not understood"),
    ],
)
def test_templates_that_cannot_be_used(names, message):
    with pytest.raises(DataError, match=message):
        check_template(names, 2)


@pytest.mark.parametrize(
    ("columns", "found"),
    [
        (["gpa_0", "gpa_m1", "gpa_0.5"], {"gpa": ["gpa_m1", "gpa_0", "gpa_0.5"]}),
        (["gpa.0", "gpa.10", "gpa.2"], {"gpa": ["gpa.0", "gpa.2", "gpa.10"]}),
        (["t10", "t2", "id", "sex"], {"t": ["t2", "t10"]}),
        (["y01", "y02"], {"y": ["y01", "y02"]}),
        (["x_1_2", "x_1_3"], {"x_1": ["x_1_2", "x_1_3"]}),
        (["v1.1", "v1.2"], {"v1": ["v1.1", "v1.2"]}),
        (["lib_hours_0", "gpa_0", "lib_hours_1"], {"lib_hours": ["lib_hours_0", "lib_hours_1"]}),
        (["sum1", "sum2"], {"sum": ["sum1", "sum2"]}),
        (["a1", "a2", "a_1", "a_2", "a_3"], {"a": ["a_1", "a_2", "a_3"]}),
        (["1", "2", "_1", "_2", 3, "x"], {}),
    ],
)
def test_families_of_wide_columns(columns, found):
    assert {stem: [c for c, _ in members] for stem, members in stems(columns).items()} == found


@given(st.lists(st.floats(-1e6, 1e6), unique=True, min_size=2))
def test_families_of_made_names_are_recognised(times):
    assert stems(wide_columns("lib_hours", times))["lib_hours"] == [
        (sem_name("lib_hours", t), t) for t in sorted(times)
    ]


def test_names_are_read_by_semopy():
    semopy = pytest.importorskip("semopy")
    columns = wide_columns("gpa", (-1.0, 0.0, 0.5))
    model = semopy.Model("i =~ " + " + ".join(f"1*{c}" for c in columns))
    assert set(model.vars["observed"]) == set(columns)
