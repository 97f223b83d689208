"""Powers of a correlation over time distances, with derivatives."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["decay", "start_at"]

FloatArray = NDArray[np.float64]


def decay(rho: float, times: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray] | None:
    """``rho ** |t - t'|`` and its first and second derivatives in `rho`.

    Parameters
    ----------
    rho : float
        Correlation at distance one, between -1 and 1.
    times : (n_patterns, n_times) ndarray
        Times of the rows.

    Returns
    -------
    tuple of three (n_patterns, n_times, n_times) ndarray, or None
        None where `rho` is outside its domain: beyond 1, or negative with distances that are
        not whole numbers.
    """
    distance = np.abs(times[:, :, None] - times[:, None, :])
    if not abs(rho) < 1.0:
        return None
    if rho <= 0:
        whole = np.rint(distance)
        if float(np.max(np.abs(distance - whole), initial=0.0)) > 1e-9:
            return None
        distance = whole
    # The last powers are only read where distances are large enough for them to be finite.
    level = _power(rho, distance)
    slope = distance * _power(rho, distance - 1.0, where=distance > 0)
    both = distance * (distance - 1.0)
    curve = both * _power(rho, distance - 2.0, where=both != 0)
    return level, slope, curve


def start_at(correlation: float, times: Sequence[float]) -> float:
    """The correlation at distance one that is `correlation` at the nearest times, if farther apart.

    Examples
    --------
    >>> start_at(0.25, (0.0, 1.0)), start_at(0.25, (0.0, 2.0, 5.0))
    (0.25, 0.5)
    """
    nearest = float(np.diff(np.sort(np.asarray(times, dtype=float))).min(initial=np.inf))
    return float(correlation ** (1.0 / max(nearest, 1.0))) if np.isfinite(nearest) else correlation


def _power(rho: float, exponent: FloatArray, where: NDArray[np.bool_] | None = None) -> FloatArray:
    if where is None:
        return np.asarray(np.power(rho, exponent), dtype=float)
    out = np.zeros(exponent.shape)
    out[where] = np.power(rho, exponent[where])
    return out
