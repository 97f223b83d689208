"""Long data to wide and back."""

from __future__ import annotations

import copy
import datetime
import pickle
from uuid import UUID

import numpy as np
import pandas
import pytest
from hypothesis import given
from hypothesis import strategies as st

from growthmm.data.reshape import to_long, to_wide
from growthmm.errors import (
    ColumnNotFoundError,
    DataError,
    DuplicateOccasionError,
    MissingKeyError,
    NotTimeInvariantError,
)


def assert_same(found, expected):
    pandas.testing.assert_frame_equal(found, expected, check_exact=True, check_freq=False)
    for column in expected:
        if isinstance(expected[column].dtype, pandas.CategoricalDtype):
            assert list(found[column].cat.categories) == list(expected[column].cat.categories)
            assert found[column].cat.ordered == expected[column].cat.ordered


def round_trip(long, values):
    wide = to_wide(long, id="id", time="t", values=values)
    assert len(wide) == long["id"].nunique()
    back = to_long(wide, id="id", time="t", values=values)
    assert_same(back, long)
    return wide


PERSONS = {
    "integers": np.array([40, -7, 3], dtype="int64"),
    "small integers": np.array([200, 0, 7], dtype="uint8"),
    "floats": np.array([1.5, -0.0, 3e300]),
    "text": np.array(["b", "a", ""], dtype=object),
    "nullable": pandas.array([5, 1, 2], dtype="Int64"),
    "categories": pandas.Categorical(["b", "a", "c"], categories=["z", "c", "b", "a"]),
    "dates": pandas.to_datetime(["2021-01-01", "2020-01-01", "1999-12-31"]),
    "unique ids": np.array([UUID(int=2), UUID(int=1), UUID(int=0)], dtype=object),
    "zoned": pandas.to_datetime(["2021-01-01", "2020-01-01", "1999-12-31"]).tz_localize("UTC"),
}

TIMES = {
    "integers": np.array([0, 1, 2], dtype="int64"),
    "small": np.array([-1, 0, 100], dtype="int8"),
    "floats": np.array([-0.5, 0.25, 1e-3]),
    "whole floats": np.array([0.0, 1.0, 2.0]),
    "text": np.array(["week1", "week10", "week2"], dtype=object),
    "categories": pandas.Categorical(["b", "c", "a"], ["c", "b", "z", "a"], ordered=True),
    "dates": pandas.to_datetime(["2021-01-01", "2020-01-01", "2022-06-30"]),
    "nullable": pandas.array([3, 1, 2], dtype="Int32"),
}

VALUES = {
    "floats": [2.5, np.nan, -0.0],
    "small floats": np.array([2.5, np.nan, 1e-8], dtype="float32"),
    "integers": np.array([1, 2**53 + 1, -3], dtype="int64"),
    "small integers": np.array([1, 255, 3], dtype="uint8"),
    "huge integers": np.array([1, 2**64 - 1, 3], dtype="uint64"),
    "nullable": pandas.array([1, None, 2**62 + 1], dtype="Int64"),
    "booleans": np.array([True, False, True]),
    "nullable booleans": pandas.array([True, None, False], dtype="boolean"),
    "text": pandas.Series(["x", None, ""], dtype="str"),
    "objects": np.array(["x", None, 3], dtype=object),
    "dates": pandas.to_datetime(["2021-01-01", None, "2020-02-29"]),
    "durations": pandas.to_timedelta(["1h", None, "2s"]),
    "zoned": pandas.to_datetime(["2021-01-01", None, "2020-02-29"]).tz_localize("Europe/Berlin"),
    "periods": pandas.period_range("2020-01", periods=3, freq="M"),
    "categories": pandas.Categorical(["hi", None, "lo"], ["lo", "mid", "hi"], ordered=True),
    "numbered categories": pandas.Categorical([3, None, 1], [3, 2, 1]),
    "complex": np.array([1 + 2j, 0, -1j]),
}


def pool(name, table, rows):
    """Values of one type at `rows` of its table."""
    return pandas.Series(table[name]).take(list(rows)).reset_index(drop=True)


@st.composite
def long_frames(draw):
    """Frames with ids, times and values of any type, rows in any order, some absent."""
    cells = draw(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=1, unique=True))
    n = len(cells)
    person = [p for p, _ in cells]
    level = draw(st.lists(st.integers(0, 2), min_size=3, max_size=3))
    picks = [draw(st.lists(st.integers(0, 2), min_size=n, max_size=n)) for _ in range(2)]
    kinds = st.sampled_from(sorted(VALUES))
    columns = {
        "id": pool(draw(st.sampled_from(sorted(PERSONS))), PERSONS, person),
        "t": pool(draw(st.sampled_from(sorted(TIMES))), TIMES, [t for _, t in cells]),
        "y": pool(draw(kinds), VALUES, picks[0]),
        "x": pool(draw(kinds), VALUES, picks[1]),
        "sex": pool(draw(kinds), VALUES, [level[p] for p in person]),
    }
    order = draw(st.permutations(list(columns)))
    frame = pandas.DataFrame({name: columns[name] for name in order})
    if draw(st.booleans()):
        frame.index = pandas.Index([f"row{i}" for i in range(n)][::-1], name="row")
    return frame


@given(long_frames())
def test_no_frame_loses_anything_on_the_way(long):
    before = long.copy(deep=True)
    wide = round_trip(long, ["y", "x"])
    assert_same(long, before)
    assert wide["id"].dtype == long["id"].dtype
    assert wide["sex"].dtype == long["sex"].dtype


def cases():
    for name in VALUES:
        for rows in ("complete", "absent"):
            yield name, rows


@pytest.mark.parametrize(("name", "rows"), list(cases()))
def test_every_type_of_value(name, rows):
    long = pandas.DataFrame(
        {"id": [1, 1, 1, 2, 2, 2], "t": [0, 1, 2] * 2, "y": pool(name, VALUES, [0, 1, 2, 2, 0, 1])}
    )
    round_trip(long if rows == "complete" else long.drop(index=[1, 3]).reset_index(drop=True), "y")


def long_gpa():
    return pandas.DataFrame(
        {
            "id": ["b", "a", "b", "a", "c"],
            "t": [1, 0, 0, 2, 1],
            "gpa": [2.5, 2.0, np.nan, 3.0, np.nan],
            "hours": [3, 4, 5, 6, 7],
            "sex": ["f", "m", "f", "m", "f"],
        }
    )


def wide_gpa(**options):
    return to_wide(long_gpa(), id="id", time="t", values=["gpa", "hours"], **options)


def test_the_wide_frame():
    nan = np.nan
    expected = pandas.DataFrame(
        {
            "id": ["b", "a", "c"],
            "sex": ["f", "m", "f"],
            "gpa_0": [nan, 2.0, nan],
            "gpa_1": [2.5, nan, nan],
            "gpa_2": [nan, 3.0, nan],
            "hours_0": [5.0, 4, nan],
            "hours_1": [3.0, nan, 7],
            "hours_2": [nan, 6, nan],
        }
    )
    assert_same(wide_gpa(), expected)


def test_an_occasion_that_no_one_has_a_value_at_keeps_its_column():
    long = pandas.DataFrame({"id": [1, 1, 2], "t": [0, 1, 0], "y": [1.0, np.nan, 2.0]})
    assert list(round_trip(long, "y").columns) == ["id", "y_0", "y_1"]


def test_without_its_memory_every_cell_gets_a_row():
    wide = wide_gpa()
    wide.attrs = {}
    back = to_long(wide, id="id", time="t", values=["gpa", "hours"])
    assert back["t"].tolist() == [0, 1, 2] * 3
    assert back["t"].dtype == np.int64
    assert list(back.columns) == ["id", "t", "gpa", "hours", "sex"]
    merged = long_gpa().merge(back, on=["id", "t"], suffixes=("", "_back"))
    np.testing.assert_array_equal(merged["gpa"], merged["gpa_back"])
    np.testing.assert_array_equal(merged["hours"], merged["hours_back"])
    assert back["gpa"].notna().sum() == 3


def test_wide_frames_go_to_long_and_back():
    wide = pandas.DataFrame(
        {"id": [3, 1], "sex": ["f", None], "y_m1": [1.5, np.nan], "y_0.5": [np.nan, 2.0]}
    )
    long = to_long(wide, id="id", time="t", values="y")
    assert long["t"].tolist() == [-1.0, 0.5, -1.0, 0.5]
    pandas.testing.assert_frame_equal(to_wide(long, id="id", time="t", values="y"), wide)


def test_persons_dropped_reordered_and_added_since():
    wide = wide_gpa().iloc[[2, 0]]
    back = to_long(wide, id="id", time="t", values=["gpa", "hours"])
    expected = long_gpa().iloc[[0, 2, 4]].reset_index(drop=True)
    assert_same(back, expected)
    more = wide_gpa()
    more.loc[1, "id"] = "new"
    back = to_long(more, id="id", time="t", values=["gpa", "hours"])
    assert back["id"].tolist() == ["b", "b", "c", "new", "new", "new"]
    assert back["t"].tolist() == [1, 0, 1, 0, 1, 2]


def test_a_cell_filled_since_gets_a_row():
    wide = wide_gpa()
    wide.loc[2, "gpa_0"] = 3.5
    back = to_long(wide, id="id", time="t", values=["gpa", "hours"])
    assert len(back) == 6
    assert back.iloc[5][["id", "t", "gpa"]].tolist() == ["c", 0, 3.5]


def test_some_of_the_values_only():
    back = to_long(wide_gpa(), id="id", time="t", values="gpa")
    assert len(back) == 5
    assert {"hours_0", "hours_1", "hours_2"} <= set(back.columns)
    dropped = wide_gpa().drop(columns="gpa_2")
    assert len(to_long(dropped, id="id", time="t", values="gpa")) == 6


def test_other_names_are_remembered():
    wide = wide_gpa(names="t{time}.{value}")
    assert list(wide.columns)[2:5] == ["t0.gpa", "t1.gpa", "t2.gpa"]
    for names in ("{value}_{time}", "t{time}.{value}"):
        back = to_long(wide, id="id", time="t", values=["gpa", "hours"], names=names)
        assert_same(back, long_gpa())
    wide.attrs = {}
    plain = to_long(wide, id="id", time="t", values=["gpa", "hours"], names="t{time}.{value}")
    assert len(plain) == 9


def test_names_that_programs_do_not_accept_are_replaced_and_restored():
    long = long_gpa().rename(columns={"gpa": "grade point", "hours": "grade-point"})
    wide = to_wide(long, id="id", time="t", values=["grade point", "grade-point"])
    assert list(wide.columns)[2::3] == ["grade_point_0", "grade_point_2_0"]
    values = ["grade point", "grade-point"]
    assert_same(to_long(wide, id="id", time="t", values=values), long)
    wide.attrs = {}
    assert set(values) < set(to_long(wide, id="id", time="t", values=values).columns)


def test_the_memory_survives_what_pandas_does_to_attributes(tmp_path):
    wide = wide_gpa()
    for copied in (
        copy.deepcopy(wide),
        pickle.loads(pickle.dumps(wide)),
        wide.assign(z=1).drop(columns="z"),
    ):
        back = to_long(copied, id="id", time="t", values=["gpa", "hours"])
        assert_same(back, long_gpa())
    assert pandas.concat([wide, wide_gpa()]).shape == (6, 8)
    pytest.importorskip("pyarrow")
    wide.to_parquet(tmp_path / "wide.parquet")
    back = to_long(tmp_path / "wide.parquet", id="id", time="t", values=["gpa", "hours"])
    assert len(back) == 9


def test_other_attributes_are_kept():
    long = long_gpa()
    long.attrs = {"source": "here"}
    wide = to_wide(long, id="id", time="t", values=["gpa", "hours"])
    assert wide.attrs["source"] == "here"
    assert to_long(wide, id="id", time="t", values=["gpa", "hours"]).attrs == {"source": "here"}


@pytest.mark.parametrize("kind", ["polars", "polars lazy", "pyarrow", "duckdb"])
def test_the_same_kind_comes_back(kind):
    polars = pytest.importorskip("polars")
    long = polars.DataFrame(
        {
            "id": ["b", "b", "a"],
            "day": [
                datetime.date(2020, 1, 1),
                datetime.date(2020, 1, 2),
                datetime.date(2020, 1, 1),
            ],
            "y": polars.Series([1, None, 3], dtype=polars.Int16),
            "band": polars.Series(["lo", "hi", "lo"], dtype=polars.Enum(["lo", "hi"])),
            "born": [datetime.date(2000, 2, 29), datetime.date(2000, 2, 29), None],
        }
    )
    if kind == "pyarrow":
        data = long.to_arrow()
    elif kind == "duckdb":
        duckdb = pytest.importorskip("duckdb")
        data = duckdb.from_arrow(long.with_columns(polars.col("band").cast(str)).to_arrow())
    else:
        data = long.lazy() if kind == "polars lazy" else long
    wide = to_wide(data, id="id", time="day", values=["y", "band"])
    assert type(wide) is type(data)
    again = to_long(wide, id="id", time="day", values=["y", "band"])
    assert type(again) is type(data)
    if kind == "polars":
        assert wide.columns == [
            *("id", "born", "y_2020_01_01", "y_2020_01_02"),
            *("band_2020_01_01", "band_2020_01_02"),
        ]
        assert wide.rows() == [
            ("b", datetime.date(2000, 2, 29), 1, None, "lo", "hi"),
            ("a", None, 3, None, "lo", None),
        ]
        assert wide.schema["y_2020_01_01"] == polars.Int16
        assert wide.schema["band_2020_01_02"] == polars.Enum(["lo", "hi"])
        assert wide.schema["born"] == polars.Date


@pytest.mark.parametrize(
    ("changed", "options", "error", "message"),
    [
        ({}, {"values": "GPA"}, ColumnNotFoundError, "Did you mean 'gpa'"),
        ({}, {"id": "student"}, ColumnNotFoundError, "no column 'student'"),
        ({}, {"values": []}, DataError, "No value column"),
        ({}, {"values": ["gpa", "gpa"]}, DataError, "named twice"),
        ({}, {"values": ["gpa", "t"]}, DataError, "both a key and a value"),
        ({}, {"time": "id"}, DataError, "same column"),
        ({"id": ["b", None, "b", "a", "c"]}, {}, MissingKeyError, "'id' is missing in row 2"),
        ({"t": [1, 0, 0, np.nan, np.nan]}, {}, MissingKeyError, "'t' is missing in rows 4, 5"),
        ({"t": [1, 0, 1, 2, 1]}, {}, DuplicateOccasionError, r"id 'b' at t 1 \(rows 1, 3\)"),
        (
            {},
            {"values": "gpa"},
            NotTimeInvariantError,
            r"'hours' varies within 2 persons: id 'b', 'a' \(3 in row 1, 5 in row 3\)",
        ),
        (
            {"sex": ["f", "m", None, "m", "f"]},
            {},
            NotTimeInvariantError,
            r"'sex' varies within 1 person: id 'b'",
        ),
        ({"gpa_1": [1] * 5}, {}, DataError, "'gpa_1', made from 'gpa', would have the name"),
        ({}, {"names": "w{time}"}, DataError, "no {value}"),
        ({"t": ["1 0", "0", "1-0", "2", "3"]}, {}, DataError, "would both be named 'gpa_1_0'"),
    ],
)
def test_long_data_that_cannot_go_wide(changed, options, error, message):
    call = {"id": "id", "time": "t", "values": ["gpa", "hours"]} | options
    with pytest.raises(error, match=message) as caught:
        to_wide(long_gpa().assign(**changed), **call)
    assert type(caught.value) is error
    assert caught.value.hint


def test_data_without_rows_and_with_repeated_columns():
    with pytest.raises(DataError, match="no rows"):
        to_wide(long_gpa().iloc[:0], id="id", time="t", values="gpa")
    twice = pandas.concat([long_gpa(), long_gpa()[["sex"]]], axis=1)
    with pytest.raises(DataError, match="More than one column is called 'sex'"):
        to_wide(twice, id="id", time="t", values="gpa")


@pytest.mark.parametrize(
    ("changed", "options", "error", "message"),
    [
        ({}, {"values": "iq"}, ColumnNotFoundError, "no columns of 'iq'"),
        ({}, {"names": "{value}{time}"}, ColumnNotFoundError, "Families.*'y', 'z'"),
        ({}, {"times": [0, 7]}, ColumnNotFoundError, "'y_7', 'z_7' in the data for the time 7"),
        ({}, {"times": []}, DataError, "names no occasion"),
        ({}, {"times": [0, 0.0]}, DataError, "not distinct"),
        ({}, {"time": "sex"}, DataError, "'sex' would have the name"),
        ({"id": [1, 1]}, {}, DuplicateOccasionError, r"id 1 \(rows 1, 2\)"),
        ({"id": [1, None]}, {}, MissingKeyError, "row 2"),
        ({"y_01": 1.0}, {}, DataError, "'y_1', 'y_01' are both 'y' at time 1"),
    ],
)
def test_wide_data_that_cannot_go_long(changed, options, error, message):
    wide = pandas.DataFrame(
        {"id": [1, 2], "sex": ["f", "m"], "y_0": 1.0, "y_1": 2.0, "z_0": 1, "z_1": 2}
    ).assign(**changed)
    call = {"id": "id", "time": "t", "values": ["y", "z"]} | options
    with pytest.raises(error, match=message) as caught:
        to_long(wide, **call)
    assert type(caught.value) is error
    assert caught.value.hint


def test_a_value_without_a_column_at_some_time():
    wide = pandas.DataFrame({"id": [1, 2], "y_0": [1, 2], "y_1": [3, 4], "x_1": [True, False]})
    long = to_long(wide, id="id", time="t", values=["y", "x"])
    assert long["y"].tolist() == [1, 3, 2, 4]
    assert long["x"].tolist() == [pandas.NA, True, pandas.NA, False]


def test_times_by_label_and_stems_that_start_alike():
    wide = pandas.DataFrame({"id": [1], "y1": [5.0], "y2": [6.0], "y_z_1": [0], "sex": ["f"]})
    long = to_long(
        wide, id="id", time="t", values="y", names="{value}{time}", times={"2": 10, "1": 5}
    )
    assert long["t"].tolist() == [10, 5]
    assert long["y"].tolist() == [6.0, 5.0]
    long = to_long(wide, id="id", time="t", values="y", names="{value}{time}")
    assert long["t"].tolist() == [1, 2]


@pytest.mark.parametrize(
    ("case", "id", "time", "values"),
    [
        ("A_gpa", "student", "occasion", ["gpa", "lib_hours"]),
        ("A08_gpa_missing", "student", "occasion", ["gpa", "lib_hours", "lib_hours_abs"]),
        ("B_sleepstudy", "Subject", "Days", ["Reaction"]),
        ("G_parallel", "id", "time", ["a", "b"]),
        ("E02_unbalanced", "id", "visit", ["y", "time"]),
    ],
)
def test_reference_files_agree_with_each_other(reference_data, case, id, time, values):
    long = pandas.read_csv(reference_data / f"{case}_long.csv")
    expected = pandas.read_csv(reference_data / f"{case}_wide.csv")
    extra = [c for c in long if c not in (id, time, *values) and c not in expected]
    wide = to_wide(long.drop(columns=extra), id=id, time=time, values=values)
    shared = [c for c in expected if c in wide]
    assert len(shared) >= 1 + len(values)
    missing_columns = set(expected) - set(wide)
    assert not missing_columns
    merged = expected[[id]].merge(wide, on=id, how="left")
    pandas.testing.assert_frame_equal(merged[shared], expected[shared], check_dtype=False)


def test_stacked_rows_there_and_back() -> None:
    wide = pandas.DataFrame(
        {
            "id": [7, 8],
            "sex": ["f", "m"],
            "a_0": [2.0, 1.0],
            "a_1": [3.0, np.nan],
            "b_0": [4.0, 5.0],
        }
    )
    rows = to_long(wide, id="id", time="t", values=["a", "b"], stack="of")
    assert list(rows.columns) == ["id", "t", "sex", "of", "value"]
    assert rows["value"].tolist()[:4] == pytest.approx([2.0, 3.0, 4.0, np.nan], nan_ok=True)
    back = to_wide(rows, id="id", time="t", values="value", stack="of")
    assert back[["a_0", "a_1", "b_0"]].equals(wide[["a_0", "a_1", "b_0"]])
    with pytest.raises(DuplicateOccasionError, match="has a twice at t 0"):
        to_wide(pandas.concat([rows, rows]), id="id", time="t", values="value", stack="of")
