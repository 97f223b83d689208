"""Residual covariances that are tables: each cell of an occasion pair holds one parameter."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from growthmm.engines.long.parametrisation import Block
from growthmm.engines.long.residual_structures.base import Evaluated, Pattern
from growthmm.model.names import RESIDUAL, residual_name

__all__ = ["Table", "entry_name"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Table:
    """``R_jk = parameter[cells[occasion_j, occasion_k]]``, zero where the cell is -1.

    Parameters
    ----------
    cells : tuple of tuple of int
        Symmetric table of parameter indices over occasions.
    names : tuple of str
    blocks : tuple of Block
        Which parameters are positive semi-definite matrices.
    """

    cells: tuple[tuple[int, ...], ...]
    names: tuple[str, ...]
    blocks: tuple[Block, ...]
    linear: bool = True
    by_occasion: bool = True
    by_stratum: bool = False

    @property
    def powers(self) -> tuple[int, ...]:
        """All are variances and covariances."""
        return (2,) * len(self.names)

    def start(self, variance: float) -> FloatArray:
        """Uncorrelated, with equal variances."""
        out = np.zeros(len(self.names))
        out[[self.cells[j][j] for j in range(len(self.cells))]] = variance
        return out

    def evaluate(self, parameters: FloatArray, pattern: Pattern) -> Evaluated | None:
        """Matrices and derivatives."""
        cells = np.asarray(self.cells)[pattern.occasion[:, :, None], pattern.occasion[:, None, :]]
        indices = np.arange(len(parameters))[:, None, None, None]
        first = (cells == indices).astype(float)
        return Evaluated(np.append(parameters, 0.0)[cells], first)


def entry_name(first: float, second: float) -> str:
    """Name of a residual covariance of two occasions, or the variance of one.

    Examples
    --------
    >>> entry_name(0.0, 0.0), entry_name(0.0, 1.5)
    ('var(Residual[0])', 'cov(Residual[0],Residual[1.5])')
    """
    if first == second:
        return residual_name(first)
    return f"cov({RESIDUAL}[{first:.15g}],{RESIDUAL}[{second:.15g}])"
