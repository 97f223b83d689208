"""Powers of a correlation over time distances, with derivatives."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from growthmm.engines.long.problem import LongProblem

__all__ = ["decay", "start_at", "typical_step"]

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


def start_at(correlation: float, step: float) -> float:
    """The correlation at distance one that is `correlation` at distance `step`, if that is longer.

    Examples
    --------
    >>> start_at(0.25, 1.0), start_at(0.25, 2.0), start_at(0.25, 0.5)
    (0.25, 0.5, 0.25)
    """
    return float(correlation ** (1.0 / max(step, 1.0)))


def typical_step(problem: LongProblem) -> float:
    """The time between rows of one person that are nearest, the median over persons.

    Times of different persons may be as near as any unit allows; their rows do not covary.

    Parameters
    ----------
    problem : LongProblem
        With the occasion of each row.

    Returns
    -------
    float
        1 where no person has rows at two times.
    """
    times = np.asarray(problem.occasions, dtype=float)[problem.occasion]
    order = np.lexsort((times, problem.subject))
    person, apart = problem.subject[order][1:], np.diff(times[order])
    within = (np.diff(problem.subject[order]) == 0) & (apart > 0)
    if not within.any():
        return 1.0
    nearest = np.full(int(person.max()) + 1, np.inf)
    np.minimum.at(nearest, person[within], apart[within])
    return float(np.median(nearest[np.isfinite(nearest)]))


def _power(rho: float, exponent: FloatArray, where: NDArray[np.bool_] | None = None) -> FloatArray:
    if where is None:
        return np.asarray(np.power(rho, exponent), dtype=float)
    out = np.zeros(exponent.shape)
    out[where] = np.power(rho, exponent[where])
    return out
