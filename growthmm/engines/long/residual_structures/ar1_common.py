"""Autoregression plus independent measurement error."""

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

__all__ = ["AutoregressionPlus", "structure"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class AutoregressionPlus:
    """``R_jk = a rho^|t_j - t_k| + s [j = k]``."""

    times: tuple[float, ...]
    step: float
    names: tuple[str, ...] = ("var(AR1)", "rho(AR1)", "var(Residual)")
    powers: tuple[int, ...] = (2, 0, 2)
    blocks: tuple[Block, ...] = variance_blocks((0, 2))
    linear: bool = False
    by_occasion: bool = True
    by_stratum: bool = False

    def start(self, variance: float) -> FloatArray:
        """Half of each, with some correlation."""
        return np.array([0.5 * variance, start_at(0.4, self.step), 0.5 * variance])

    def evaluate(self, parameters: FloatArray, pattern: Pattern) -> Evaluated | None:
        """``a C(rho) + s I``."""
        part, rho, own = (float(v) for v in parameters)
        found = decay(rho, np.asarray(self.times)[pattern.occasion])
        if found is None:
            return None
        level, slope, curve = found
        eye = np.broadcast_to(np.eye(level.shape[1]), level.shape)
        return Evaluated(
            part * level + own * eye,
            np.stack([level, part * slope, eye]),
            (((0, 1), slope), ((1, 1), part * curve)),
        )


def structure(problem: LongProblem) -> AutoregressionPlus:
    """The structure of `problem`."""
    return AutoregressionPlus(problem.occasions, typical_step(problem))
