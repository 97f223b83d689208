"""First-order autoregression in continuous time: correlation ``rho ** |t - t'|``."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from growthmm.engines.long.parametrisation import Block
from growthmm.engines.long.problem import LongProblem
from growthmm.engines.long.residual_structures.base import Evaluated, Pattern, variance_blocks
from growthmm.engines.long.residual_structures.decay import (
    decay,
    start_at,
    typical_step,
)

__all__ = ["Autoregression", "structure"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Autoregression:
    """``R_jk = s rho^|t_j - t_k|``; a negative `rho` only where time differences are whole."""

    times: tuple[float, ...]
    step: float
    names: tuple[str, ...] = ("var(Residual)", "rho(Residual)")
    powers: tuple[int, ...] = (2, 0)
    blocks: tuple[Block, ...] = variance_blocks((0,))
    linear: bool = False
    by_occasion: bool = True
    by_stratum: bool = False

    def start(self, variance: float) -> FloatArray:
        """Some correlation between neighbours."""
        return np.array([variance, start_at(0.2, self.step)])

    def evaluate(self, parameters: FloatArray, pattern: Pattern) -> Evaluated | None:
        """``s C(rho)``."""
        variance, rho = float(parameters[0]), float(parameters[1])
        found = decay(rho, np.asarray(self.times)[pattern.occasion])
        if found is None:
            return None
        level, slope, curve = found
        return Evaluated(
            variance * level,
            np.stack([level, variance * slope]),
            (((0, 1), slope), ((1, 1), variance * curve)),
        )


def structure(problem: LongProblem) -> Autoregression:
    """The structure of `problem`."""
    return Autoregression(problem.occasions, typical_step(problem))
