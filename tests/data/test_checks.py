"""Long data that cannot be fitted."""

from __future__ import annotations

import numpy as np
import pandas
import pytest

from growthmm.data.checks import check_long
from growthmm.errors import (
    ColumnNotFoundError,
    DataError,
    DuplicateOccasionError,
    MissingKeyError,
    TooFewOccasionsError,
    TooFewSubjectsError,
    ValueColumnError,
)


def good():
    return pandas.DataFrame({"id": [1, 1, 2, 2], "t": [0, 1, 0, 1], "y": [2.0, 3.0, np.nan, 5.0]})


def check(frame, *, time="t", wide_form=True):
    check_long(frame, id="id", time=time, outcome="y", wide_form=wide_form)


def test_good_data_pass():
    check(good())
    check(good().iloc[[3, 0, 1]])
    check(good().drop(columns="t"), time=None, wide_form=False)


@pytest.mark.parametrize(
    ("changed", "error", "message"),
    [
        (good().iloc[:0], DataError, "no rows"),
        (good().drop(columns="y"), ColumnNotFoundError, "no column 'y'"),
        (good().assign(id=1), TooFewSubjectsError, r"Only one person \(id 1\)"),
        (good().assign(y=[1, 2, np.nan, np.nan]), TooFewSubjectsError, r"Only one person \(id 1\)"),
        (good().assign(t=3), TooFewOccasionsError, r"at one time, t 3\.0"),
        (good().assign(y=[1, np.nan, 2, np.nan]), TooFewOccasionsError, r"at one time, t 0\.0"),
        (good().assign(y=[1, 2, 3, -np.inf]), ValueColumnError, r"1 infinite value \(row 4\)"),
        (good().assign(y=[1, 2, 3, "x"]), ValueColumnError, r"but has 'x' \(row 4\)"),
        (good().assign(y=7.5), ValueColumnError, r"is 7\.5 in all 4 rows"),
        (good().assign(y=np.nan), ValueColumnError, "missing in all 4 rows"),
        (good().assign(id=[1, 1, None, 2]), MissingKeyError, "'id' is missing in row 3"),
        (good().assign(t=[0, np.nan, 0, 1]), MissingKeyError, "'t' is missing in row 2"),
        (good().assign(t=list("abab")), ValueColumnError, "'t' must hold numbers"),
        (good().assign(t=[0, 0, 0, 1]), DuplicateOccasionError, r"id 1 at t 0 \(rows 1, 2\)"),
    ],
)
def test_each_fault_has_its_error(changed, error, message):
    with pytest.raises(error, match=message) as caught:
        check(changed)
    assert type(caught.value) is error
    assert caught.value.hint


def test_duplicates_are_no_fault_where_long_data_are_enough():
    check(good().assign(t=[0, 0, 0, 1]), wide_form=False)
