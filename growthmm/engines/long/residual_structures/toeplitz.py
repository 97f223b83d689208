"""Toeplitz: one covariance for each distance between occasions, counted in occasions."""

from __future__ import annotations

from growthmm.engines.long.problem import LongProblem
from growthmm.engines.long.residual_structures.base import variance_blocks
from growthmm.engines.long.residual_structures.linear import Table

__all__ = ["structure"]


def structure(problem: LongProblem) -> Table:
    """``R_jk = c_|j - k|``."""
    m = len(problem.occasions)
    cells = tuple(tuple(abs(j - k) for k in range(m)) for j in range(m))
    names = ("var(Residual)", *(f"cov(Residual[lag {lag}])" for lag in range(1, m)))
    return Table(cells, names, variance_blocks((0,)))
