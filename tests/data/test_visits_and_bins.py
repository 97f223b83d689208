"""Visits in place of occasions, and times rounded to shared ones."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import growthmm as gm
from growthmm.data.binning import bin_times
from growthmm.data.visits import visit_numbers
from growthmm.errors import DataError, SpecificationError

FRAME = pd.DataFrame(
    {
        "id": ["b", "a", "a", "b", "a"],
        "t": [0.7, 2.5, 0.1, 0.2, 1.0],
        "y": [1.0, 2.0, 3.0, 4.0, np.nan],
        "w": [5, 6, 6, 5, 6],
    }
)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 9), st.booleans()), unique=True))
def test_visits_count_from_zero_in_order_of_time(rows: list[tuple[int, int, bool]]) -> None:
    rows = [row for k, row in enumerate(rows) if row[:2] not in [r[:2] for r in rows[:k]]]
    person = np.array([r[0] for r in rows], dtype=np.intp)
    time = np.array([r[1] for r in rows], dtype=float)
    used = np.array([r[2] for r in rows], dtype=bool)
    found = visit_numbers(person, time, used)
    assert (found[~used] == -1).all()
    for who in set(person[used].tolist()):
        own = used & (person == who)
        assert found[own][np.argsort(time[own])].tolist() == list(range(int(own.sum())))


def test_the_visits_layout_has_times_beside_outcomes() -> None:
    wide = gm.to_wide(FRAME, id="id", time="t", values="y", visits=True)
    assert wide.columns.tolist() == ["id", "w", "t_1", "t_2", "y_1", "y_2"]
    assert wide.set_index("id").loc["a", ["t_1", "y_1", "t_2", "y_2"]].tolist() == [0.1, 3, 2.5, 2]


def test_the_visits_layout_is_what_openmx_text_reads() -> None:
    rng = np.random.default_rng(2)
    long = pd.DataFrame({"id": np.repeat(np.arange(40), 3), "t": rng.uniform(0, 4, 120).round(3)})
    long["y"] = 1 + long.t + np.repeat(rng.normal(size=40), 3) + rng.normal(size=120)
    formula = "y ~ t + (1 | id)"
    text = gm.translate(formula, "openmx", data=long).text
    wide = gm.to_wide(long, id="id", time="t", values="y", visits=True)
    assert gm.fit(text, wide).log_likelihood == pytest.approx(
        gm.fit(formula, long).log_likelihood, abs=1e-6
    )


def test_bins_go_to_multiples_or_to_the_nearest() -> None:
    found = bin_times(FRAME, id="id", time="t", outcome=["y"], bins=0.5)
    assert found.frame.t.tolist() == [0.5, 2.5, 0.0, 0.0, 1.0]
    assert found.bins == (0.0, 0.5, 2.5)
    assert found.furthest == pytest.approx(0.2)
    near = bin_times(FRAME, id="id", time="t", outcome=["y"], bins=[0, 1, 2])
    assert near.frame.t.tolist() == [1.0, 2.0, 0.0, 0.0, 1.0]


def test_two_visits_in_a_bin_are_refused_with_the_width_that_would_do() -> None:
    with pytest.raises(DataError, match=r"1 of 2 persons \(50%\).*: 'b'\.") as caught:
        bin_times(FRAME, id="id", time="t", outcome=["y"], bins=2.0)
    assert "0.5" in str(caught.value)


@pytest.mark.parametrize("bins", [0.0, -1.0, float("nan"), [], [0, 0]])
def test_bins_that_are_none_are_refused(bins) -> None:
    with pytest.raises(SpecificationError, match="cannot be rounded"):
        bin_times(FRAME, id="id", time="t", outcome=["y"], bins=bins)
