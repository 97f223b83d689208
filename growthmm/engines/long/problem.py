"""The input of the long engine: arrays, nothing of text or data frames."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from growthmm.engines.long.design import DesignMatrix
from growthmm.errors import DataError
from growthmm.model.names import covariance_name
from growthmm.model.residual import COMMON, ResidualStructure

__all__ = ["LongProblem", "RandomEffects", "refuse_infinite"]


@dataclass(frozen=True)
class RandomEffects:
    """One independent block of random effects with an unstructured or diagonal covariance.

    Parameters
    ----------
    names : tuple of str
        The effects' names: ``("(Intercept)", "occasion")``.
    columns : tuple of int
        Their columns in ``LongProblem.random``.
    diagonal : bool
        Whether covariances within the block are zero.
    """

    names: tuple[str, ...]
    columns: tuple[int, ...]
    diagonal: bool = False


@dataclass(frozen=True)
class LongProblem:
    """A linear mixed model with one grouping factor, as arrays.

    Rows may stand in any order and hold no missing values.

    Parameters
    ----------
    outcome : (n_rows,) ndarray
        The outcome.
    fixed : (n_rows, n_fixed) ndarray or Design
        Fixed-effects design.
    fixed_names : tuple of str
        Its columns' names.
    random : (n_rows, n_random) ndarray or Design
        Random-effects design (n_random may be 0).
    blocks : tuple of RandomEffects
        Partition of the columns of `random`.
    subject : (n_rows,) ndarray of int
        Person of each row, codes from 0 to n_subjects - 1.
    n_subjects : int
        Number of persons.
    group : str
        Name of the grouping factor, for parameter names.
    occasion : (n_rows,) ndarray of int
        Index of the row's time among `occasions` (residual structures by occasion), or zeros.
    occasions : tuple of float
        Distinct times, ascending (``(0.0,)`` where no residual structure needs time).
    residual : ResidualStructure
        The residual structure.
    strata : (n_rows,) ndarray of int, optional
        Level of the grouping column of a ``by_group`` residual.
    strata_names : tuple of str
        Names of those levels.
    """

    outcome: NDArray[np.float64]
    fixed: DesignMatrix
    fixed_names: tuple[str, ...]
    random: DesignMatrix
    blocks: tuple[RandomEffects, ...]
    subject: NDArray[np.integer[Any]]
    n_subjects: int
    group: str
    occasion: NDArray[np.intp]
    occasions: tuple[float, ...] = (0.0,)
    residual: ResidualStructure = COMMON
    strata: NDArray[np.intp] | None = None
    strata_names: tuple[str, ...] = ()

    @property
    def random_names(self) -> tuple[str, ...]:
        """Names of the columns of `random`."""
        names = [""] * self.random.shape[1]
        for block in self.blocks:
            for name, column in zip(block.names, block.columns, strict=True):
                names[column] = name
        return tuple(names)

    @property
    def covariance_entries(self) -> tuple[tuple[int, int], ...]:
        """Free entries (row, column) of the random-effects covariance matrix, row <= column.

        Block by block; within an unstructured block (1,1), (1,2), ..., (2,2), ...: the order of
        the parameters.
        """
        entries: list[tuple[int, int]] = []
        for block in self.blocks:
            for first, a in enumerate(block.columns):
                if block.diagonal:
                    entries.append((a, a))
                else:
                    entries.extend((a, b) for b in block.columns[first:])
        return tuple(entries)

    @property
    def covariance_names(self) -> tuple[str, ...]:
        """``var(occasion|student)``, ``cov((Intercept),occasion|student)`` and so on."""
        names = self.random_names
        return tuple(
            covariance_name(names[a], names[b], self.group) for a, b in self.covariance_entries
        )


def refuse_infinite(problem: LongProblem) -> None:
    """Raise the error for values that are not finite, where there are any."""
    for what, values in (
        ("outcome", problem.outcome),
        ("fixed-effects design", problem.fixed),
        ("random-effects design", problem.random),
    ):
        bad = np.argwhere(~np.isfinite(np.asarray(values)))
        if len(bad):
            raise DataError(
                f"The {what} holds {len(bad)} values that are not finite, the first in row "
                f"{int(bad[0][0])}.",
                hint="Drop rows with missing values before fitting.",
            )
