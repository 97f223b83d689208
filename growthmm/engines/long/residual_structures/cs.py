"""Compound symmetry: one variance, one correlation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from growthmm.engines.long.parametrisation import Block
from growthmm.engines.long.problem import LongProblem
from growthmm.engines.long.residual_structures.base import Evaluated, Pattern, variance_blocks

__all__ = ["CompoundSymmetry", "structure"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class CompoundSymmetry:
    """``R_jj = s``, ``R_jk = s rho``; `rho` may be negative while `V` is positive definite."""

    names: tuple[str, ...] = ("var(Residual)", "rho(Residual)")
    powers: tuple[int, ...] = (2, 0)
    blocks: tuple[Block, ...] = variance_blocks((0,))
    linear: bool = False
    by_occasion: bool = False
    by_stratum: bool = False

    def start(self, variance: float) -> FloatArray:
        """Some correlation."""
        return np.array([variance, 0.2])

    def evaluate(self, parameters: FloatArray, pattern: Pattern) -> Evaluated | None:
        """``s ((1 - rho) I + rho 11')``."""
        variance, rho = float(parameters[0]), float(parameters[1])
        g, n = pattern.occasion.shape
        if not abs(rho) < 1.0:
            return None
        shape = (g, n, n)
        off = np.broadcast_to(1.0 - np.eye(n), shape)
        level = np.eye(n) + rho * off
        return Evaluated(variance * level, np.stack([level, variance * off]), (((0, 1), off),))


def structure(problem: LongProblem) -> CompoundSymmetry:  # noqa: ARG001
    """The structure of `problem`."""
    return CompoundSymmetry()
