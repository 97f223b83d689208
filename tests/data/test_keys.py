"""Long columns as matrices."""

from __future__ import annotations

import numpy as np
import pandas
import pytest
from hypothesis import given
from hypothesis import strategies as st

from growthmm.data.keys import matrix, row_keys
from growthmm.errors import (
    DataError,
    DuplicateOccasionError,
    MissingKeyError,
    ValueColumnError,
)


def complete(n=4, times=(0, 1, 2)):
    return pandas.DataFrame(
        {
            "id": np.repeat(np.arange(n), len(times)),
            "t": np.tile(times, n),
            "y": np.arange(n * len(times), dtype=float),
        }
    )


def test_sorted_complete_rows_are_not_copied():
    long = complete()
    found = matrix(long, "id", "t", "y")
    assert found.keys.complete
    assert np.shares_memory(found.arrays[0], long["y"].to_numpy())
    np.testing.assert_array_equal(found.arrays[0], np.arange(12.0).reshape(4, 3))


@given(st.randoms(use_true_random=False), st.lists(st.booleans(), min_size=12, max_size=12))
def test_any_order_and_any_gaps_give_what_pivot_gives(random, kept):
    rows = [row for row, keep in enumerate(kept) if keep] or [5]
    random.shuffle(rows)
    long = complete().iloc[rows]
    found = matrix(long, "id", "t", "y")
    expected = long.pivot(index="id", columns="t", values="y").reindex(long["id"].unique())
    np.testing.assert_array_equal(found.arrays[0], expected.to_numpy())
    assert list(found.keys.subjects) == list(expected.index)
    assert list(found.keys.occasions) == list(expected.columns)


def test_a_person_who_returns_in_anothers_block_is_found():
    # First rows are evenly spaced and times ascend in every block, yet a has t = 1 twice.
    long = pandas.DataFrame({"id": ["a", "a", "b", "a"], "t": [0, 1, 0, 1], "y": [1.0, 2, 3, 4]})
    with pytest.raises(DuplicateOccasionError, match=r"id 'a' at t 1 \(rows 2, 4\)"):
        matrix(long, "id", "t", "y")


def test_same_times_in_another_order_are_sorted():
    long = complete(2, times=(2, 0, 1))
    found = matrix(long, "id", "t", "y")
    assert list(found.keys.occasions) == [0, 1, 2]
    np.testing.assert_array_equal(found.arrays[0], [[1, 2, 0], [4, 5, 3]])


@pytest.mark.parametrize(
    ("times", "order"),
    [
        (["week10", "week2", "week1"], ["week1", "week2", "week10"]),
        (pandas.Categorical(["b", "c", "a"], ["c", "b", "a", "z"]), ["c", "b", "a"]),
        ([2.5, -1.0, 0.0], [-1.0, 0.0, 2.5]),
        (pandas.to_datetime(["2021-03-01", "2020-01-01", "2021-01-01"]), None),
    ],
)
def test_occasions_stand_in_order_of_time(times, order):
    long = pandas.DataFrame({"id": [1, 1, 1], "t": times, "y": [1.0, 2.0, 3.0]})
    found = row_keys(long, "id", "t")
    assert list(found.occasions) == (sorted(times) if order is None else order)


@pytest.mark.parametrize("column", ["id", "t"])
@pytest.mark.parametrize("dtype", ["float64", "Int64", "object"])
def test_missing_keys(column, dtype):
    long = complete().astype({column: dtype})
    long.loc[[1, 4], column] = None
    with pytest.raises(MissingKeyError, match=rf"'{column}' is missing in rows 2, 5") as caught:
        matrix(long, "id", "t", "y")
    assert "drop the rows" in caught.value.hint


def test_duplicates_are_named():
    long = pandas.concat([complete(), complete().iloc[[4, 4, 7]]], ignore_index=True)
    with pytest.raises(DuplicateOccasionError) as caught:
        matrix(long, "id", "t", "y")
    assert caught.value.message == (
        "2 (id, t) pairs stand in more than one row: id 1 at t 1 (rows 5, 13, 14); "
        "id 2 at t 1 (rows 8, 15)."
    )


def test_infinite_times():
    long = complete().astype({"t": float}).iloc[::-1].reset_index(drop=True)
    long.loc[0, "t"] = np.inf
    with pytest.raises(ValueColumnError, match="infinite"):
        matrix(long, "id", "t", "y")


def test_times_without_an_order():
    long = pandas.DataFrame({"id": [1, 1], "t": [1, "b"], "y": [0.0, 1.0]})
    with pytest.raises(ValueColumnError, match="no order"):
        matrix(long, "id", "t", "y")


def test_individually_varying_times_are_not_scattered():
    n = 20_000
    long = pandas.DataFrame({"id": np.arange(n), "t": np.arange(n) + 0.5, "y": 0.0})
    with pytest.raises(DataError, match="400000000 cells for 20000 rows"):
        matrix(long, "id", "t", "y")
