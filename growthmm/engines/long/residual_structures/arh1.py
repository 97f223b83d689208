"""Autoregression with a variance for each occasion."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from growthmm.engines.long.problem import LongProblem
from growthmm.engines.long.residual_structures.decay import (
    decay,
    start_at,
    typical_step,
)
from growthmm.engines.long.residual_structures.heterogeneous import Heterogeneous
from growthmm.model.names import residual_name

__all__ = ["structure"]

FloatArray = NDArray[np.float64]


def structure(problem: LongProblem) -> Heterogeneous:
    """``R_jk = sqrt(s_j s_k) rho^|t_j - t_k|``."""
    times = np.asarray(problem.occasions)

    def correlation(
        rho: float, occasion: NDArray[np.intp]
    ) -> tuple[FloatArray, FloatArray, FloatArray] | None:
        return decay(rho, times[occasion])

    m = len(times)
    names = (*(residual_name(time) for time in problem.occasions), "rho(Residual)")
    return Heterogeneous(
        correlation, names, (2,) * m + (0,), first=start_at(0.2, typical_step(problem))
    )
