"""A working correlation that decays over time as it is, for statsmodels' estimating equations."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from statsmodels.genmod.cov_struct import CovStruct

__all__ = ["DecayOverTime"]

FloatArray = NDArray[np.float64]


class DecayOverTime(CovStruct):  # type: ignore[misc]
    """Correlation ``a^|t - t'|`` of two rows of a person at times ``t`` and ``t'``.

    statsmodels' own ``Autoregressive`` takes distances between positions in a person's rows, so
    that a missing occasion closes up; here distances are those of time. ``a``, between 0 and 1, is
    the least-squares solution over all pairs of a person's rows, ``min sum (r r' / s - a^d)^2``
    with the mean squared residual ``s`` (geepack's equations; Yan & Fine 2004,
    doi:10.1002/sim.1650).
    """

    def __init__(self) -> None:
        super().__init__()
        self.dep_params = 0.0

    def initialize(self, model: Any) -> None:
        """List the pairs of rows once."""
        super().initialize(model)
        first, second, distance = [], [], []
        at = 0
        for times in model.time_li:
            n = len(times)
            a, b = np.triu_indices(n, 1)
            first.append(at + a)
            second.append(at + b)
            distance.append(np.abs(times[a, 0] - times[b, 0]))
            at += n
        self._first, self._second = np.concatenate(first), np.concatenate(second)
        self._distance = np.concatenate(distance)

    def update(self, params: FloatArray) -> None:  # noqa: ARG002
        """The correlation at the present residuals."""
        means = [mean for mean, _ in self.model.cached_means]
        residual = np.concatenate(self.model.endog_li) - np.concatenate(means)
        scale = float(np.mean(residual**2))
        products = residual[self._first] * residual[self._second] / scale
        distances, inverse, counts = np.unique(
            self._distance, return_inverse=True, return_counts=True
        )
        sums = np.bincount(inverse, products)

        def misfit(a: float) -> float:
            power = a**distances
            return float(np.sum(counts * power**2 - 2.0 * sums * power))

        def slope(a: float) -> float:
            return float(
                np.sum(distances * a ** (distances - 1.0) * (counts * a**distances - sums))
            )

        grid = np.linspace(0.0, 1.0, 101)
        best = int(np.argmin([misfit(a) for a in grid]))
        low, high = grid[max(best - 1, 0)] or 1e-12, grid[min(best + 1, 100)]
        inside = slope(low) < 0.0 < slope(high)
        self.dep_params = float(brentq(slope, low, high, xtol=1e-15) if inside else grid[best])

    def covariance_matrix(self, endog_expval: FloatArray, index: int) -> tuple[FloatArray, bool]:
        """The correlation matrix of a person's rows."""
        times = self.model.time_li[index][:, 0]
        apart = np.abs(times[:, None] - times[None, :])
        return self.dep_params**apart if self.dep_params > 0 else np.eye(len(endog_expval)), True
