"""Equivalence decided by moments: solve for one side's parameters at random values of the other's.

Two models are the same where every mean and covariance that one implies, the other can imply as
well, both ways, and the Jacobians have equal rank. One way only, the smaller is nested in the
larger, with the difference of the ranks as degrees of freedom.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from growthmm.equivalence.moment_functions import MomentFunction
from growthmm.errors import SpecificationError
from growthmm.moments.rank import mixed_columns, rank

__all__ = ["MomentComparison", "compare_moments", "nearest", "solve"]

FloatArray = NDArray[np.float64]

TOLERANCE = 1e-10


@dataclass(frozen=True)
class MomentComparison:
    """How two models' moments compare.

    Parameters
    ----------
    forward, backward : float
        Largest relative difference left when the second (first) model is solved for the moments
        of the first (second).
    first_rank, second_rank : int
        Ranks of the Jacobians at random values.
    n_first, n_second : int
        Numbers of parameters.
    first_mixed, second_mixed : tuple of str
        Parameters that the moments cannot tell apart.
    """

    forward: float
    backward: float
    first_rank: int
    second_rank: int
    n_first: int
    n_second: int
    first_mixed: tuple[str, ...]
    second_mixed: tuple[str, ...]

    @property
    def covers(self) -> bool:
        """Whether the second model can imply whatever the first does."""
        return self.forward <= TOLERANCE

    @property
    def covered(self) -> bool:
        """Whether the first model can imply whatever the second does."""
        return self.backward <= TOLERANCE

    @property
    def same(self) -> bool:
        """Both ways, with equal ranks."""
        return self.covers and self.covered and self.first_rank == self.second_rank

    @property
    def nested_df(self) -> int | None:
        """Degrees of freedom where one model is nested in the other, None where neither is."""
        if self.covers == self.covered:
            return None
        return abs(self.first_rank - self.second_rank)


def solve(
    function: MomentFunction, target: FloatArray, start: FloatArray, *, steps: int = 60
) -> tuple[FloatArray, float]:
    """Parameter values whose moments come nearest to `target`, by damped Gauss-Newton steps.

    Constraints among the parameters are further equations.

    Parameters
    ----------
    function : MomentFunction
        The model to solve for.
    target : (n_moments,) ndarray
        The moments wanted.
    start : (n_parameters,) ndarray
        Where to begin.
    steps : int
        Steps at most.

    Returns
    -------
    values : (n_parameters,) ndarray
        The solution.
    distance : float
        Largest difference left, relative to the largest moment; infinite where the moments do not
        exist at `start`.
    """
    values = start.copy()
    scale = float(np.abs(target).max())

    def left_over(at: FloatArray) -> FloatArray:
        try:
            # What is not finite is no solution.
            with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
                equal, slopes = function.constraints(at)
                size = np.linalg.norm(slopes, axis=1)
                equal = scale * equal / np.where(size > 0, size, 1.0)
                return np.concatenate([target - function.moments(at), -equal])
        except SpecificationError:
            # Negative variances under a root, say.
            return np.full(len(target), np.inf)

    residual = left_over(values)
    if not np.all(np.isfinite(residual)):
        return values, float("inf")
    for _ in range(steps):
        distance = float(np.abs(residual).max()) / scale
        slopes = function.constraints(values)[1]
        size = np.linalg.norm(slopes, axis=1, keepdims=True)
        slopes = scale * slopes / np.where(size > 0, size, 1.0)
        matrix = np.concatenate([function.jacobian(values), slopes])
        # Columns of one length: parameters come in all units.
        length = np.linalg.norm(matrix, axis=0)
        length = np.where(length > 0, length, 1.0)
        step, *_ = np.linalg.lstsq(matrix / length, residual, rcond=1e-13)
        step, whole, better = step / length, 1.0, False
        while whole > 1e-6:
            trial = values + whole * step
            left = left_over(trial)
            if np.all(np.isfinite(left)) and np.abs(left).max() / scale < distance:
                better = True
                break
            whole /= 2
        if not better:
            break
        values, residual = trial, left
        if distance < 1e-15:
            break
    return values, float(np.abs(residual).max()) / scale


def nearest(
    function: MomentFunction, target: FloatArray, starts: Sequence[FloatArray]
) -> tuple[FloatArray, float]:
    """The best solution of :func:`solve` from several starts; the first that is exact ends it."""
    best: tuple[FloatArray, float] | None = None
    for start in starts:
        found = solve(function, target, start)
        if best is None or found[1] < best[1]:
            best = found
        if best[1] <= TOLERANCE:
            break
    assert best is not None
    return best


def _freedom(function: MomentFunction, values: FloatArray) -> tuple[int, int, tuple[str, ...]]:
    """Rank of the moments under the constraints, free parameters, and those mixed up."""
    jacobian = function.jacobian(values)
    _, slopes = function.constraints(values)
    held = rank(slopes) if len(slopes) else 0
    stacked = np.concatenate([jacobian, slopes])
    mixed = tuple(function.names[k] for k in mixed_columns(stacked))
    return rank(stacked) - held, len(function.names) - held, mixed


def compare_moments(
    first: MomentFunction,
    second: MomentFunction,
    first_values: Sequence[FloatArray],
    second_values: Sequence[FloatArray],
    *,
    first_starts: Sequence[FloatArray] = (),
    second_starts: Sequence[FloatArray] = (),
) -> MomentComparison:
    """Compare two models at random admissible values of each.

    Parameters
    ----------
    first, second : MomentFunction
        The models, for the same designs and outcomes.
    first_values, second_values : sequence of (n_parameters,) ndarray
        Random admissible parameter values of either, as many of the one as of the other; each
        side's serve as the starts for solving it.
    first_starts, second_starts : sequence of (n_parameters,) ndarray
        More values to start solving from.

    Returns
    -------
    MomentComparison
        The differences left, and the ranks.
    """
    forward = backward = 0.0
    for a, b in zip(first_values, second_values, strict=True):
        there = nearest(second, first.moments(a), (b, *second_starts, *second_values))
        back = nearest(first, second.moments(b), (a, *first_starts, *first_values))
        forward, backward = max(forward, there[1]), max(backward, back[1])
    first_rank, n_first, first_mixed = _freedom(first, first_values[0])
    second_rank, n_second, second_mixed = _freedom(second, second_values[0])
    return MomentComparison(
        forward, backward, first_rank, second_rank, n_first, n_second, first_mixed, second_mixed
    )
