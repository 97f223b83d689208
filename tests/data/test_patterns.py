"""Patterns of missing values."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from growthmm.data.patterns import missing_patterns
from growthmm.errors import DataError


@given(
    st.sampled_from([1, 3, 16, 17, 64, 65, 130]),
    st.integers(0, 40),
    st.integers(0, 2**32 - 1),
)
def test_patterns_tell_every_person_apart(width, n, seed):
    rng = np.random.default_rng(seed)
    kinds = rng.random((4, width)) < 0.6
    seen = kinds[rng.integers(0, 4, n)]
    found = missing_patterns(np.where(seen, 1.0, np.nan))
    np.testing.assert_array_equal(found.observed[found.pattern].reshape(seen.shape), seen)
    assert len({row.tobytes() for row in found.observed}) == len(found.counts)
    np.testing.assert_array_equal(
        np.bincount(found.pattern, minlength=len(found.counts)), found.counts
    )
    assert (np.diff(found.counts) <= 0).all()
    assert found.n_complete == seen.all(axis=1).sum()
    np.testing.assert_array_equal(found.empty, np.flatnonzero(~seen.any(axis=1)))


def test_the_table_of_patterns():
    nan = np.nan
    found = missing_patterns(np.array([[1, nan], [nan, nan], [1, 2], [3, 4], [nan, 1]]))
    table = found.to_frame(["a", "b"])
    assert table.to_dict("list") == {
        "a": [True, True, False, False],
        "b": [True, False, True, False],
        "n_observed": [2, 1, 1, 0],
        "count": [2, 1, 1, 1],
    }
    with pytest.raises(DataError, match="1 names for 2 variables"):
        found.to_frame(["a"])


def test_one_column_is_no_matrix():
    with pytest.raises(DataError, match="1 dimensions"):
        missing_patterns(np.zeros(3))


def test_the_reference_data_with_missing_values(reference_data):
    import pandas

    from growthmm.data.keys import matrix

    long = pandas.read_csv(reference_data / "A08_gpa_missing_long.csv")
    found = missing_patterns(matrix(long, "student", "occasion", "gpa").arrays[0])
    # 194 students with an outcome, 23 of them complete, 699 values: lme4's and lavaan's counts.
    assert found.counts.sum() - found.empty.size == 194
    assert found.n_complete == 23
    assert (found.observed.sum(axis=1) * found.counts).sum() == 699
