"""Sufficient statistics in one sweep over persons, in pieces that stay in cache.

For data without definition variables and missing covariates, in few patterns: what nearly all
data are, and all that are large.
"""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray

from growthmm.engines.wide.problem import WideGroup

__all__ = ["Sweep", "sweep"]

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

CHUNK = 8_192
MANY_PATTERNS = 512
LARGE = 2_000
"""Persons from which on it pays."""


class Sweep:
    """Sums of products by pattern of missing outcomes.

    Parameters
    ----------
    centre : (T,) ndarray
        What was taken off the outcomes.
    shift : (1 + q,) ndarray
        What was taken off the regressors; zero for the constant.
    """

    def __init__(self, centre: FloatArray, shift: FloatArray) -> None:
        self.centre = centre
        self.shift = shift
        self._sums: dict[int, FloatArray] = {}
        self._counts: dict[int, int] = {}

    def add(self, code: int, vectors: FloatArray) -> None:
        """Add persons (1 + q + T, n) who have the pattern `code`."""
        self._counts[code] = self._counts.get(code, 0) + vectors.shape[1]
        with np.errstate(invalid="ignore", over="ignore"):
            own = vectors @ vectors.T
        if code in self._sums:
            self._sums[code] += own
        else:
            self._sums[code] = own

    @property
    def n_patterns(self) -> int:
        """Patterns met so far."""
        return len(self._sums)

    def cells(self) -> tuple[BoolArray, FloatArray, FloatArray]:
        """Patterns (n_cells, T), persons (n_cells,) and sums of products, codes ascending."""
        kept = sorted(code for code in self._sums if code)
        observed = np.array(
            [[code >> j & 1 == 1 for j in range(len(self.centre))] for code in kept], dtype=bool
        ).reshape(len(kept), len(self.centre))
        counts = np.array([self._counts[code] for code in kept], dtype=float)
        size = len(self.centre) + len(self.shift)
        products = np.array([self._sums[code] for code in kept]).reshape(len(kept), size, size)
        return observed, counts, products


def sweep(data: WideGroup) -> Sweep | None:
    """Take the sums; None where a covariate is missing, or patterns are many.

    Values that are infinite show in the sums.
    """
    y, x = np.asarray(data.outcomes), np.asarray(data.covariates)
    n, t = y.shape
    if n < LARGE or t > 62:
        return None
    found = _start(y, x)
    if found is None:
        return None
    k = len(found.shift)
    weights = (1 << np.arange(t, dtype=np.int64))[:, None]
    buffer = np.empty((k + t, CHUNK))
    for low in range(0, n, CHUNK):
        high = min(n, low + CHUNK)
        part = buffer[:, : high - low]
        part[0] = 1.0
        np.subtract(x[low:high].T, found.shift[1:, None], out=part[1:k])
        np.subtract(y[low:high].T, found.centre[:, None], out=part[k:])
        lost = np.isnan(part)
        if not lost.any():
            found.add((1 << t) - 1, part)
            continue
        if lost[1:k].any():
            return None
        part[lost] = 0.0
        code = np.where(lost[k:], 0, weights).sum(axis=0)
        order = np.argsort(code, kind="stable")
        sorted_code, turned = code[order], part[:, order]
        edges = np.flatnonzero(np.diff(sorted_code, prepend=-1, append=-1))
        for first, last in itertools.pairwise(edges):
            found.add(int(sorted_code[first]), turned[:, first:last])
        if found.n_patterns > MANY_PATTERNS:
            return None
    return found


def _start(y: FloatArray, x: FloatArray) -> Sweep | None:
    """Centre and shift from some of the persons; None where an outcome was never seen there."""
    some = slice(None, None, max(1, len(y) // CHUNK))
    outcomes, regressors = y[some], x[some]
    seen = ~np.isnan(outcomes)
    counts = seen.sum(axis=0)
    if not counts.all() or np.isnan(regressors).any():
        return None
    centre = np.where(seen, outcomes, 0.0).sum(axis=0) / counts
    shift = np.append(0.0, regressors.mean(axis=0))
    if not (np.isfinite(centre).all() and np.isfinite(shift).all()):
        return None
    return Sweep(centre, shift)
