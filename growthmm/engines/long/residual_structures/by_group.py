"""Independent residuals with a variance for each group."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from growthmm.engines.long.parametrisation import Block
from growthmm.engines.long.problem import LongProblem
from growthmm.engines.long.residual_structures.base import (
    Evaluated,
    Pattern,
    variance_blocks,
)
from growthmm.model.names import residual_name

__all__ = ["ByGroup", "structure"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class ByGroup:
    """A diagonal `R`."""

    names: tuple[str, ...]
    powers: tuple[int, ...]
    blocks: tuple[Block, ...]
    linear: bool = True
    by_occasion: bool = False
    by_stratum: bool = True

    def start(self, variance: float) -> FloatArray:
        """Equal variances."""
        return np.full(len(self.names), variance)

    def evaluate(self, parameters: FloatArray, pattern: Pattern) -> Evaluated | None:
        """The diagonal of each row's variance."""
        level = pattern.stratum
        g, n = level.shape
        first = np.zeros((len(parameters), g, n, n))
        rows, columns = np.indices((g, n))
        first[level, rows, columns, columns] = 1.0
        matrix = np.zeros((g, n, n))
        matrix[rows, columns, columns] = parameters[level]
        return Evaluated(matrix, first)


def structure(problem: LongProblem) -> ByGroup:
    """The structure of `problem`."""
    names = tuple(residual_name(name) for name in problem.strata_names)
    return ByGroup(names, (2,) * len(names), variance_blocks(tuple(range(len(names)))))
