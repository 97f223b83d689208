"""A correlation pattern with one parameter, and a variance for each occasion."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from growthmm.engines.long.parametrisation import Block
from growthmm.engines.long.residual_structures.base import Evaluated, Pattern

__all__ = ["Heterogeneous"]

FloatArray = NDArray[np.float64]
Correlation = Callable[[float, NDArray[np.intp]], tuple[FloatArray, FloatArray, FloatArray] | None]


@dataclass(frozen=True)
class Heterogeneous:
    """``R_jk = sqrt(s_j s_k) C_jk(rho)``.

    Parameters
    ----------
    correlation : callable
        ``C`` and its first two derivatives at `rho` and occasions; None outside the domain.
    names, powers
        As `Structure` has them: variances first, `rho` last.
    blocks : tuple of Block
        None: the matrix is not smooth where a variance is zero, so variances are no squares here.
    first : float
        Where `rho` starts.
    """

    correlation: Correlation
    names: tuple[str, ...]
    powers: tuple[int, ...]
    blocks: tuple[Block, ...] = ()
    first: float = 0.2
    linear: bool = False
    by_occasion: bool = True
    by_stratum: bool = False

    def start(self, variance: float) -> FloatArray:
        """Equal variances, some correlation."""
        return np.append(np.full(len(self.names) - 1, variance), self.first)

    def evaluate(self, parameters: FloatArray, pattern: Pattern) -> Evaluated | None:
        """Matrices and derivatives; None where a variance is not positive."""
        variances, rho = parameters[:-1], float(parameters[-1])
        found = self.correlation(rho, pattern.occasion)
        if found is None or not bool(np.all(variances > 0)):
            return None
        level, slope, curve = found
        own = variances[pattern.occasion]
        root = np.sqrt(own[:, :, None] * own[:, None, :])
        matrix = root * level
        m = len(variances)
        present = [pattern.occasion == index for index in range(m)]
        # d log sqrt(s_j s_k) / d s_a, by how often occasion a stands in (j, k).
        logs = [
            (here[:, :, None].astype(float) + here[:, None, :]) / (2.0 * variances[index])
            for index, here in enumerate(present)
        ]
        first = np.stack([*(matrix * log for log in logs), root * slope])
        second = []
        for a in range(m):
            for b in range(a, m):
                value = matrix * logs[a] * logs[b]
                if a == b:
                    value = value - matrix * logs[a] / variances[a]
                second.append(((a, b), value))
            second.append(((a, m), root * slope * logs[a]))
        second.append(((m, m), root * curve))
        return Evaluated(matrix, first, tuple(second))
