"""Visits: a person's rows numbered in order of time."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["visit_numbers"]


def visit_numbers(
    person: NDArray[np.integer[Any]], time: NDArray[np.float64], used: NDArray[np.bool_]
) -> NDArray[np.intp]:
    """Which visit of its person each row is, from 0, in order of time.

    Parameters
    ----------
    person : (n_rows,) ndarray of int
        The person of each row.
    time : (n_rows,) ndarray
        When.
    used : (n_rows,) ndarray of bool
        Rows that count as visits; the others get -1.

    Examples
    --------
    >>> visit_numbers(np.array([0, 1, 0]), np.array([2.5, 1.0, 0.5]), np.array([True, True, True]))
    array([1, 0, 0])
    """
    rows = np.flatnonzero(used)
    order = rows[np.lexsort((time[rows], person[rows]))]
    who = person[order]
    first = np.ones(len(order), dtype=bool)
    first[1:] = who[1:] != who[:-1]
    starts = np.flatnonzero(first)
    lengths = np.diff(np.append(starts, len(order)))
    visit = np.full(len(person), -1, dtype=np.intp)
    visit[order] = np.arange(len(order)) - np.repeat(starts, lengths)
    return visit
