"""Independent residuals with one variance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from growthmm.engines.long.parametrisation import Block
from growthmm.engines.long.problem import LongProblem
from growthmm.engines.long.residual_structures.base import Evaluated, Pattern, variance_blocks

__all__ = ["Common", "structure"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Common:
    """``R = s I``."""

    names: tuple[str, ...] = ("var(Residual)",)
    powers: tuple[int, ...] = (2,)
    blocks: tuple[Block, ...] = variance_blocks((0,))
    linear: bool = True
    by_occasion: bool = False
    by_stratum: bool = False

    def start(self, variance: float) -> FloatArray:
        """One variance."""
        return np.array([variance])

    def evaluate(self, parameters: FloatArray, pattern: Pattern) -> Evaluated | None:
        """``s I``."""
        g, n = pattern.occasion.shape
        eye = np.broadcast_to(np.eye(n), (g, n, n))
        return Evaluated(parameters[0] * eye, eye[None])


def structure(problem: LongProblem) -> Common:  # noqa: ARG001
    """The structure of `problem`."""
    return Common()
