"""Rows in person order, without sorting what is sorted."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from growthmm.engines.long.problem import LongProblem
from growthmm.engines.long.scaling import Scaling
from growthmm.errors import DataError

__all__ = ["Rows", "check_arrays", "distinct", "ordered", "together", "transformed"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.intp]

NEIGHBOURS = 256


@dataclass(frozen=True)
class Rows:
    """Where each person's rows are.

    Parameters
    ----------
    order : (n_rows,) ndarray of int, optional
        Order that brings rows together by person; None where they already are.
    starts : (n_present + 1,) ndarray of int
        First row of each person, and the number of rows.
    present : (n_present,) ndarray of int
        Persons that have rows, in this order.
    size : int
        Rows of every person where that is the same number, else 0.
    """

    order: IntArray | None
    starts: IntArray
    present: IntArray
    size: int

    @property
    def sizes(self) -> IntArray:
        """Rows of each person."""
        return np.diff(self.starts)


def together(subject: NDArray[np.integer[Any]]) -> IntArray | None:
    """First row of each person and the number of rows; None where persons do not rise.

    A few neighbours are looked at first, so that shuffled rows cost nothing.
    """
    n = len(subject)
    if n > 4 * NEIGHBOURS:
        some = subject[: -(n % NEIGHBOURS) or None][:: n // NEIGHBOURS]
        if bool(np.any(some[1:] < some[:-1])):
            return None
    change = subject[1:] != subject[:-1]
    starts = np.concatenate([[0], np.flatnonzero(change) + 1, [n]]).astype(np.intp)
    heads = subject[starts[:-1]]
    return starts if bool(np.all(heads[1:] > heads[:-1])) else None


def ordered(problem: LongProblem, *, by_occasion: bool = False) -> Rows:
    """Find the persons' rows; sort only where they are not together.

    Parameters
    ----------
    problem : LongProblem
        The arrays.
    by_occasion : bool
        Whether a person's rows must stand in order of occasion.
    """
    subject = np.asarray(problem.subject)
    order: IntArray | None = None
    starts = together(subject)
    if starts is not None and by_occasion:
        later = problem.occasion[1:] >= problem.occasion[:-1]
        later[starts[1:-1] - 1] = True
        starts = starts if bool(np.all(later)) else None
    if starts is None:
        keys = (problem.occasion, subject) if by_occasion else (subject,)
        order = np.lexsort(keys) if by_occasion else np.argsort(subject, kind="stable")
        subject = subject[order]
        change = np.flatnonzero(subject[1:] != subject[:-1]) + 1
        starts = np.concatenate([[0], change, [len(subject)]]).astype(np.intp)
    sizes = np.diff(starts)
    size = int(sizes[0]) if bool(np.all(sizes == sizes[0])) else 0
    return Rows(order, starts, np.asarray(subject[starts[:-1]], dtype=np.intp), size)


def check_arrays(problem: LongProblem) -> None:
    """Refuse arrays that cannot be fitted; that values are finite is seen in their sums.

    Raises
    ------
    DataError
        If arrays disagree in length or are empty.
    """
    n = len(problem.outcome)
    if not (len(problem.fixed) == len(problem.random) == len(problem.subject) == n):
        raise DataError(
            f"Arrays of different length: outcome {n}, fixed {len(problem.fixed)}, "
            f"random {len(problem.random)}, subject {len(problem.subject)} rows.",
            hint="Give every array one row for each outcome value.",
        )
    if n == 0:
        raise DataError("There are no rows to fit.", hint="Check filters and missing values.")


def transformed(
    problem: LongProblem, scaling: Scaling, select: slice | IntArray
) -> tuple[FloatArray, FloatArray]:
    """Rows ``[X~, y~]`` and ``Z~`` in internal units."""
    fixed = problem.fixed[select]
    p = fixed.shape[1]
    data = np.empty((len(fixed), p + 1))
    if p:
        np.matmul(fixed, scaling.fixed, out=data[:, :p])
    np.subtract(problem.outcome[select], fixed @ scaling.offset, out=data[:, p])
    data[:, p] *= 1.0 / scaling.unit
    raw = problem.random[select]
    # Element by element, so that equal rows stay equal to the last bit and persons can be grouped.
    design = np.zeros(raw.shape)
    for column in range(raw.shape[1]):
        for source in range(raw.shape[1]):
            if scaling.random[source, column] != 0.0:
                design[:, column] += scaling.random[source, column] * raw[:, source]
    return data, design


def distinct(values: FloatArray) -> tuple[IntArray, IntArray]:
    """First index of each distinct column, and each column's place among them.

    Parameters
    ----------
    values : (n_values, n_columns) ndarray
        What must be equal, to the last bit.

    Returns
    -------
    first : (n_distinct,) ndarray of int
    place : (n_columns,) ndarray of int
    """
    n = values.shape[1]
    if values.shape[0] == 0 or n == 1:
        return np.zeros(1, dtype=np.intp), np.zeros(n, dtype=np.intp)
    weights = _weights(values.shape[0])
    key = np.zeros(n)
    for weight, row in zip(weights, values, strict=True):
        key += weight * row
    sample = key[:: max(1, n // 2048)]
    known = np.unique(sample)
    if len(known) > max(0.5 * len(sample), 64):
        everyone = np.arange(n, dtype=np.intp)
        return everyone, everyone
    place = np.minimum(np.searchsorted(known, key), len(known) - 1)
    strange = np.flatnonzero(known[place] != key)
    if len(strange):
        known = np.unique(np.concatenate([known, key[strange]]))
        place = np.searchsorted(known, key)
    if len(known) == n:
        everyone = np.arange(n, dtype=np.intp)
        return everyone, everyone
    first = np.full(len(known), n, dtype=np.intp)
    first[place[::-1]] = np.arange(n - 1, -1, -1, dtype=np.intp)
    if not all(np.array_equal(row[first][place], row) for row in values):
        _, first, place = np.unique(values, axis=1, return_index=True, return_inverse=True)
        place = place.reshape(-1)
    return np.asarray(first, dtype=np.intp), np.asarray(place, dtype=np.intp)


@cache
def _weights(n: int) -> tuple[float, ...]:
    """Weights without pattern, so that different columns hardly ever have equal keys."""
    phases = np.random.default_rng(20_240_607).uniform(1.0, 2.0, size=n)
    return tuple(float(phase) for phase in phases)
