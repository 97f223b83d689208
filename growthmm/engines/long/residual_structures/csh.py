"""One correlation and a variance for each occasion."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from growthmm.engines.long.problem import LongProblem
from growthmm.engines.long.residual_structures.heterogeneous import Heterogeneous
from growthmm.model.names import residual_name

__all__ = ["structure"]

FloatArray = NDArray[np.float64]


def structure(problem: LongProblem) -> Heterogeneous:
    """``R_jk = sqrt(s_j s_k) rho``."""

    def correlation(
        rho: float, occasion: NDArray[np.intp]
    ) -> tuple[FloatArray, FloatArray, FloatArray] | None:
        if not abs(rho) < 1.0:
            return None
        g, n = occasion.shape
        off = np.broadcast_to(1.0 - np.eye(n), (g, n, n))
        return np.eye(n) + rho * off, off, np.zeros((g, n, n))

    m = len(problem.occasions)
    names = (*(residual_name(time) for time in problem.occasions), "rho(Residual)")
    return Heterogeneous(correlation, names, (2,) * m + (0,))
