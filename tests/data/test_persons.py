from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from growthmm.data.persons import number_persons


@pytest.mark.parametrize(
    "ids",
    [
        [1, 1, 2, 5, 5],
        [5, 1, 5, 2, 1],
        [2, 2, 1, 1, 1],
        [-7, 10**15, -7],
        [3],
        np.array([200, 100, 200], dtype=np.uint8),
        np.repeat(np.arange(3_000), 2),
        np.random.default_rng(1).permutation(np.repeat(np.arange(5_000) * 2, 2)),
        ["b", "a", "b"],
        [1.5, 0.5, 1.5],
        pd.Categorical(["u", "v", "u"]),
    ],
    ids=lambda v: str(np.asarray(v)[:3].tolist()),
)
def test_codes_and_labels_say_who_is_who(ids):
    frame = pd.DataFrame({"id": ids})
    codes, labels = number_persons(frame, "id")
    assert labels.is_unique
    assert labels.dtype == frame["id"].dtype
    assert labels[codes].tolist() == frame["id"].tolist()
    assert sorted(set(codes.tolist())) == list(range(len(labels)))


def test_missing_persons_have_no_number():
    codes, labels = number_persons(pd.DataFrame({"id": ["a", None, "b"]}), "id")
    assert codes.tolist() == [0, -1, 1]
    assert len(labels) == 2


def test_a_descent_that_a_glance_misses():
    """Rows of person 7 come back at the end: no new person."""
    ids = np.concatenate([np.repeat(np.arange(2_000), 3), [7]])
    codes, labels = number_persons(pd.DataFrame({"id": ids}), "id")
    assert len(labels) == 2_000
    assert codes[-1] == codes[21]
