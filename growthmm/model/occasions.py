"""Numbers of which there are few, such as times: which there are, and which of them each is."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["distinct_numbers", "places"]

FloatArray = NDArray[np.float64]

FEW = 256
CHUNK = 32_768


def places(values: NDArray[Any], known: FloatArray) -> NDArray[np.intp]:
    """The position of each value among `known` ones; -1 where it is none of them.

    Equally spaced values are found by arithmetic, others by bisection.

    Parameters
    ----------
    values : (n,) ndarray
        Numbers, NaN where missing.
    known : (n_known,) ndarray
        Distinct numbers, ascending.

    Examples
    --------
    >>> places(np.array([2.0, 0.0, 1.0, np.nan]), np.array([0.0, 2.0]))
    array([ 1,  0, -1, -1])
    """
    n = len(known)
    if n == 0:
        return np.full(len(values), -1, dtype=np.intp)
    step = (known[-1] - known[0]) / max(n - 1, 1)
    if n > 1 and bool(np.all(np.abs(known[0] + step * np.arange(n) - known) < 0.25 * step)):
        with np.errstate(invalid="ignore", over="ignore"):
            found = ((values - known[0]) * (1.0 / step) + 0.5).astype(np.intp)
    else:
        found = np.searchsorted(known, values)
    hit = known.take(found, mode="clip") == values
    if not hit.all():
        found[~hit] = -1
    return np.asarray(found, dtype=np.intp)


def distinct_numbers(values: NDArray[Any]) -> FloatArray:
    """The distinct values, ascending, without missing ones; no sorting where they are few.

    Parameters
    ----------
    values : (n,) ndarray
        Numbers, NaN where missing.

    Examples
    --------
    >>> distinct_numbers(np.array([1.0, 0.0, np.nan, 1.0]))
    array([0., 1.])
    """
    known = _unique(values[:CHUNK])
    for low in range(CHUNK, len(values), CHUNK):
        if len(known) > FEW:
            return _unique(values)
        part = values[low : low + CHUNK]
        strange = part[places(part, known) < 0]
        if len(strange):
            known = _unique(np.concatenate([known, strange]))
    return known


def _unique(values: NDArray[Any]) -> FloatArray:
    found = np.unique(np.asarray(values, dtype=np.float64))
    return found[:-1] if len(found) and np.isnan(found[-1]) else found
