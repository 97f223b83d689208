from __future__ import annotations

import numpy as np
import pytest

from growthmm.model.occasions import CHUNK, distinct_numbers, places


@pytest.mark.parametrize(
    "known", [[0.0], [0.0, 1.0, 2.0], [-1.0, 0.0, 4.0, 5.5], [2006.0, 2008.0, 2010.0]]
)
def test_places(known):
    known = np.array(known)
    rng = np.random.default_rng(1)
    at = rng.integers(0, len(known), 200)
    values = known[at]
    values[::17] = np.nan
    values[5::31] += 0.125
    values[7] = 1e300
    values[8] = -np.inf
    expected = [int(np.flatnonzero(known == v)[0]) if v in known else -1 for v in values]
    assert places(values, known).tolist() == expected


def test_places_of_integers():
    assert places(np.array([3, 1, 9], dtype=np.uint8), np.array([1.0, 3.0])).tolist() == [1, 0, -1]
    assert places(np.array([3.0]), np.zeros(0)).tolist() == [-1]


@pytest.mark.parametrize("size", [10, 3 * CHUNK])
@pytest.mark.parametrize("n_distinct", [1, 6, 1000])
def test_distinct_numbers(size, n_distinct):
    values = np.random.default_rng(2).integers(0, n_distinct, size) / 4
    values[-1] = 77.5
    values[size // 2] = np.nan
    expected = np.unique(values[~np.isnan(values)])
    np.testing.assert_array_equal(distinct_numbers(values), expected)


def test_nothing_but_missing():
    assert distinct_numbers(np.full(3, np.nan)).size == 0
