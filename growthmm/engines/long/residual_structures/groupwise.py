"""A structure with parameters of its own in each group of persons."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from growthmm.engines.long.parametrisation import Block
from growthmm.engines.long.problem import LongProblem
from growthmm.engines.long.residual_structures.base import Evaluated, Pattern, Structure
from growthmm.errors import DataError
from growthmm.model.names import in_stratum

__all__ = ["Groupwise", "structure"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Groupwise:
    """Each person's matrix is that of `inner`, at the parameters of the person's group.

    Parameters
    ----------
    inner : Structure
        The structure within a group.
    names, powers, blocks
        As `Structure` has them, group after group.
    """

    inner: Structure
    names: tuple[str, ...]
    powers: tuple[int, ...]
    blocks: tuple[Block, ...]
    linear: bool
    by_occasion: bool = True
    by_stratum: bool = True

    def start(self, variance: float) -> FloatArray:
        """The start of the structure within, in every group."""
        return np.tile(self.inner.start(variance), len(self.names) // len(self.inner.names))

    def evaluate(self, parameters: FloatArray, pattern: Pattern) -> Evaluated | None:
        """Matrices and derivatives, each group's by its own parameters."""
        size = len(self.inner.names)
        stratum = pattern.stratum[:, 0]
        g, n = pattern.occasion.shape
        matrix = np.zeros((g, n, n))
        first = np.zeros((len(parameters), g, n, n))
        second: list[tuple[tuple[int, int], FloatArray]] = []
        for group in range(len(parameters) // size):
            at, from_ = np.flatnonzero(stratum == group), group * size
            if not len(at):
                continue
            own = Pattern(pattern.occasion[at], pattern.stratum[at])
            found = self.inner.evaluate(parameters[from_ : from_ + size], own)
            if found is None:
                return None
            matrix[at] = found.matrix
            first[from_ : from_ + size, at] = found.first
            for (a, b), values in found.second:
                spread = np.zeros((g, n, n))
                spread[at] = values
                second.append(((from_ + a, from_ + b), spread))
        return Evaluated(matrix, first, tuple(second))


def structure(problem: LongProblem) -> Groupwise:
    """The structure of `problem`, whose strata are the groups.

    Raises
    ------
    DataError
        If a person's rows are of several groups.
    """
    from growthmm.engines.long.residual_structures import structure_of

    _check_persons(problem)
    within = problem.residual.within
    assert within is not None
    inner = structure_of(replace(problem, residual=within))
    n, groups = len(inner.names), problem.strata_names
    return Groupwise(
        inner,
        tuple(in_stratum(name, group) for group in groups for name in inner.names),
        inner.powers * len(groups),
        tuple(
            replace(block, places=tuple(g * n + place for place in block.places))
            for g in range(len(groups))
            for block in inner.blocks
        ),
        inner.linear,
    )


def _check_persons(problem: LongProblem) -> None:
    """Refuse persons who change groups, as whose residuals have no one structure."""
    assert problem.strata is not None
    first = np.full(problem.n_subjects, -1, dtype=np.intp)
    first[problem.subject[::-1]] = problem.strata[::-1]
    moved = np.unique(problem.subject[first[problem.subject] != problem.strata])
    if len(moved):
        raise DataError(
            f"{len(moved)} persons have more than one value of {problem.residual.by}, and "
            f"residuals {problem.residual} are those of one group.",
            hint="Name a column that is the same in all rows of a person.",
        )
