"""Equivalence decided by moments: solve for one side's parameters at random values of the other's.

Two models are the same where every mean and covariance that one implies, the other can imply as
well, both ways, and the Jacobians have equal rank. One way only, the smaller is nested in the
larger, with the difference of the ranks as degrees of freedom.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from growthmm.equivalence.moment_functions import MomentFunction
from growthmm.moments.rank import mixed_columns, rank

__all__ = ["MomentComparison", "compare_moments", "solve"]

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
        Largest difference left, relative to the largest moment.
    """
    values = start.copy()
    scale = float(np.abs(target).max())
    residual = target - function.moments(values)
    for _ in range(steps):
        distance = float(np.abs(residual).max()) / scale
        step, *_ = np.linalg.lstsq(function.jacobian(values), residual, rcond=1e-13)
        size, better = 1.0, False
        while size > 1e-6:
            trial = values + size * step
            left = target - function.moments(trial)
            if np.all(np.isfinite(left)) and np.abs(left).max() / scale < distance:
                better = True
                break
            size /= 2
        if not better:
            break
        values, residual = trial, left
        if distance < 1e-15:
            break
    return values, float(np.abs(residual).max()) / scale


def compare_moments(
    first: MomentFunction,
    second: MomentFunction,
    first_values: list[FloatArray],
    second_values: list[FloatArray],
) -> MomentComparison:
    """Compare two models at random admissible values of each.

    Parameters
    ----------
    first, second : MomentFunction
        The models, for the same designs and outcomes.
    first_values, second_values : list of (n_parameters,) ndarray
        Random admissible parameter values of either, as many of the one as of the other; each
        side's serve as the starts for solving it.

    Returns
    -------
    MomentComparison
        The differences left, and the ranks.
    """
    forward = backward = 0.0
    for a, b in zip(first_values, second_values, strict=True):
        forward = max(forward, solve(second, first.moments(a), b)[1])
        backward = max(backward, solve(first, second.moments(b), a)[1])
    first_jacobian = first.jacobian(first_values[0])
    second_jacobian = second.jacobian(second_values[0])
    return MomentComparison(
        forward=forward,
        backward=backward,
        first_rank=rank(first_jacobian),
        second_rank=rank(second_jacobian),
        n_first=len(first.names),
        n_second=len(second.names),
        first_mixed=tuple(first.names[k] for k in mixed_columns(first_jacobian)),
        second_mixed=tuple(second.names[k] for k in mixed_columns(second_jacobian)),
    )
