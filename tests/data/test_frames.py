"""Frames of any kind, columns as numbers, and codes."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

import numpy as np
import pandas
import pyarrow
import pytest
from hypothesis import given
from hypothesis import strategies as st

from growthmm.data.files import read_frame
from growthmm.data.frames import as_pandas, codes, factorise, numeric_column, require_columns
from growthmm.errors import ColumnNotFoundError, DataError, ValueColumnError


@pytest.fixture
def long():
    return pandas.DataFrame({"student": [1, 1, 2], "sex": ["f", "f", "m"], "gpa": [2.3, 2.1, None]})


def same_values(frame, long):
    assert list(frame.columns) == list(long.columns)
    assert frame["student"].tolist() == [1, 1, 2]
    assert frame["sex"].tolist() == ["f", "f", "m"]
    np.testing.assert_array_equal(numeric_column(frame, "gpa"), [2.3, 2.1, np.nan])


def test_a_pandas_frame_is_passed_through(long):
    assert as_pandas(long) is long


@pytest.mark.parametrize("kind", ["polars", "polars lazy", "pyarrow", "duckdb"])
def test_other_frames_become_pandas(long, kind):
    library = pytest.importorskip(kind.split()[0])
    if kind == "duckdb":
        data = library.from_df(long)
    elif kind == "pyarrow":
        data = library.Table.from_pandas(long)
    else:
        data = library.from_pandas(long)
        data = data.lazy() if kind == "polars lazy" else data
    same_values(as_pandas(data), long)


@pytest.mark.parametrize("ending", [".csv", ".csv.gz", ".tsv", ".parquet"])
def test_files_by_path(long, tmp_path, ending):
    path = tmp_path / f"gpa{ending}"
    if ending == ".parquet":
        pytest.importorskip("pyarrow")
        long.to_parquet(path)
    else:
        long.to_csv(path, index=False, sep="\t" if ending == ".tsv" else ",")
    same_values(as_pandas(path), long)
    same_values(as_pandas(str(path)), long)


def test_row_labels_in_a_text_file_are_left_out(long, tmp_path):
    long.to_csv(tmp_path / "gpa.csv")
    same_values(read_frame(tmp_path / "gpa.csv"), long)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("gap.csv", None, "Did you mean 'gpa.csv'"),
        ("nowhere/gpa.csv", None, "its folder does not exist"),
        (".", None, "is a folder"),
        ("gpa.xlsx", b"x", "ending '.xlsx', which is not understood"),
        ("empty.csv", b"", "is empty"),
        ("header.csv", b"a,b\n", "2 columns but no rows"),
        ("blank.csv", b"\n\n", "holds no columns"),
        ("ragged.csv", b"a,b\n1,2\n1,2,3\n", "cannot be read as a table"),
        ("latin.csv", "a,b\nn\xe9,1\n".encode("latin-1"), "is not UTF-8"),
        ("semicolon.csv", b"a;b\n1;2\n", "look separated by ';'"),
        ("broken.parquet", b"PAR1 not really", "cannot be read as Parquet"),
    ],
)
def test_files_that_cannot_be_used(tmp_path, name, content, message):
    (tmp_path / "gpa.csv").write_text("a,b\n1,2\n")
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=message) as caught:
        read_frame(tmp_path / name)
    assert caught.value.hint


@pytest.mark.parametrize("data", [3, {"a": [1]}, [[1, 2]], None])
def test_what_is_no_frame(data):
    with pytest.raises(DataError, match="which is no data frame"):
        as_pandas(data)


def test_columns_with_levels():
    frame = pandas.DataFrame([[1, 2]], columns=pandas.MultiIndex.from_tuples([("a", 0), ("a", 1)]))
    with pytest.raises(DataError, match="2 levels"):
        as_pandas(frame)


def test_a_column_that_is_not_there(long):
    with pytest.raises(ColumnNotFoundError, match="no column 'GPA'") as caught:
        require_columns(long, ["GPA"])
    assert caught.value.hint == "Did you mean 'gpa'? Columns: 'student', 'sex', 'gpa'."


def test_a_column_that_is_in_the_row_index(long):
    with pytest.raises(ColumnNotFoundError, match="reset_index"):
        require_columns(long.set_index("student"), ["student"])


def test_a_column_that_is_there_twice(long):
    with pytest.raises(DataError, match="2 columns are called 'gpa'"):
        numeric_column(long.set_axis(["gpa", "sex", "gpa"], axis=1), "gpa")


@pytest.mark.parametrize(
    "values",
    [
        pandas.Series([1, 0, 1], dtype="int8"),
        pandas.Series([1, 0, 1], dtype="uint64"),
        pandas.Series([1, 0, 1], dtype="float32"),
        pandas.Series([True, False, True]),
        pandas.Series([True, False, True], dtype="boolean"),
        pandas.Series([1, 0, 1], dtype="Int32"),
        pandas.Series([1, 0, 1], dtype="Float64"),
        pandas.Series([Decimal("1.0"), Decimal(0), 1], dtype=object),
        pandas.Series([1, 0, 1], dtype="category"),
        pandas.Series([1, 0, 1], dtype="int64[pyarrow]"),
        pandas.Series([1, 0, 1], dtype="bool[pyarrow]"),
        pandas.Series([1, 0, 1], dtype=pandas.ArrowDtype(pyarrow.decimal128(5, 2))),
    ],
    ids=lambda s: str(s.dtype),
)
def test_numbers_of_every_kind(values):
    found = numeric_column(pandas.DataFrame({"y": values}), "y")
    assert found.dtype == np.float64
    np.testing.assert_array_equal(found, [1.0, 0.0, 1.0])


@pytest.mark.parametrize("dtype", ["Int64", "Float64", "boolean", "category", "object", "float32"])
def test_missing_values_become_nan(dtype):
    found = numeric_column(pandas.DataFrame({"y": pandas.Series([1, None, 0], dtype=dtype)}), "y")
    np.testing.assert_array_equal(found, [1.0, np.nan, 0.0])


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (["2.3", "n/a", "2.5", "?"], r"has 'n/a' \(row 2\), '\?' \(row 4\)\."),
        (["2.3", None, "2.5"], "numbers written as text: '2.3', '2.5'"),
        ([1.0, np.inf, -np.inf], r"2 infinite values \(rows 2, 3\)"),
        ([1.0, np.inf], r"1 infinite value \(row 2\)"),
        (pandas.to_datetime(["2020-01-01"]), "dates or durations"),
        (pandas.Categorical(["low", "high"]), "must hold numbers, but has"),
        ([1 + 2j, 0j], "must hold numbers"),
        ([[1], [2]], "must hold numbers"),
    ],
)
def test_columns_that_are_no_numbers(values, message):
    with pytest.raises(ValueColumnError, match=message) as caught:
        numeric_column(pandas.DataFrame({"y": values}), "y")
    assert caught.value.hint


def test_nothing_is_changed_in_place(long):
    before = long.copy(deep=True)
    numeric_column(long, "gpa"), codes(long, "sex")
    pandas.testing.assert_frame_equal(long, before)


IDS = {
    "sorted integers": [3, 3, 5, 9, 9],
    "integers": [9, 3, 9, -5, 3],
    "small unsigned": np.array([255, 0, 255, 7], dtype="uint8"),
    "small signed": np.array([127, -128, 127], dtype="int8"),
    "far apart": [2**62, -(2**62), 2**62],
    "unsigned beyond signed": np.array([2**64 - 1, 2**64 - 2, 2**64 - 1], dtype="uint64"),
    "text": ["b", "a", "b"],
    "floats": [2.5, -0.0, 0.0, 2.5],
    "booleans": [True, False, True],
    "dates": pandas.to_datetime(["2021-01-01", "2020-01-01", "2021-01-01"]),
    "categories": pandas.Categorical(["b", "a", "b"], categories=["z", "a", "b"], ordered=True),
    "objects": [UUID(int=5), UUID(int=1), UUID(int=5)],
    "nullable": pandas.array([5, 1, 5], dtype="Int64"),
    "arrow": pandas.array(["b", "a", "b"], dtype="string[pyarrow]"),
}


@pytest.mark.parametrize("values", IDS.values(), ids=IDS)
def test_codes_count_in_order_of_appearance(values):
    frame = pandas.DataFrame({"id": values})
    found, labels = codes(frame, "id")
    assert found.dtype == np.intp
    seen = list(dict.fromkeys(frame["id"]))
    assert found.tolist() == [seen.index(v) for v in frame["id"]]
    assert list(labels) == seen
    assert labels.dtype == frame["id"].dtype


def test_missing_keys_have_no_code():
    found, labels = codes(pandas.DataFrame({"id": [None, "b", None, "a"]}), "id")
    assert found.tolist() == [-1, 0, -1, 1]
    assert list(labels) == ["b", "a"]


def test_values_that_cannot_be_told_apart():
    with pytest.raises(ValueColumnError, match=r"cannot be told apart \(list\)"):
        codes(pandas.DataFrame({"id": [[1], [2]]}), "id")


@given(st.lists(st.integers(-(2**63), 2**63 - 1) | st.integers(-9, 9), min_size=1))
def test_integer_codes_agree_with_hashing(values):
    column = pandas.Series(values, dtype="int64")
    found, first = factorise(column)
    expected, uniques = pandas.factorize(column)
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(column.to_numpy()[first], uniques)
