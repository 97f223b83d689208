"""The input of the long engine: arrays, nothing of text or data frames."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from growthmm.engines.long.design import DesignMatrix
from growthmm.engines.long.loadings import Loadings
from growthmm.errors import DataError, SpecificationError
from growthmm.model.names import covariance_name, shared_names
from growthmm.model.residual import COMMON, ResidualStructure
from growthmm.rendering import Brief

__all__ = ["Clusters", "LongProblem", "Pattern", "RandomEffects", "refuse_infinite"]

Pattern = tuple[tuple[str | float, ...], ...]


@dataclass(frozen=True)
class RandomEffects:
    """One independent block of random effects: unstructured, diagonal, or of a linear pattern.

    Parameters
    ----------
    names : tuple of str
        The effects' names: ``("(Intercept)", "occasion")``.
    columns : tuple of int
        Their columns in ``LongProblem.random``.
    diagonal : bool
        Whether covariances within the block are zero.
    pattern : tuple of tuple of (str or float), optional
        The whole symmetric covariance matrix, (n_effects, n_effects): for each entry the name of
        its parameter, or the number at which it is fixed. Entries with one name are equal.
    outer : bool
        Whether they are effects of clusters rather than of the persons within them.

    Examples
    --------
    Two independent effects with one variance:

    >>> RandomEffects(("a", "b"), (0, 1), pattern=(("v", 0.0), (0.0, "v"))).pattern[0]
    ('v', 0.0)
    """

    names: tuple[str, ...]
    columns: tuple[int, ...]
    diagonal: bool = False
    pattern: Pattern | None = None
    outer: bool = False

    def __post_init__(self) -> None:
        if self.pattern is not None:
            _check_pattern(self)

    @classmethod
    def compound_symmetry(
        cls, names: tuple[str, ...], columns: tuple[int, ...], group: str
    ) -> RandomEffects:
        """A block with one variance and one covariance.

        Examples
        --------
        >>> RandomEffects.compound_symmetry(("a", "b"), (0, 1), "id").pattern
        (('var(a,b|id)', 'cov(a,b|id)'), ('cov(a,b|id)', 'var(a,b|id)'))
        """
        variance, covariance = shared_names(names, group)
        size = range(len(names))
        rows = tuple(tuple(variance if a == b else covariance for b in size) for a in size)
        return cls(names, columns, pattern=rows)


def _check_pattern(block: RandomEffects) -> None:
    pattern, size = block.pattern, len(block.names)
    assert pattern is not None
    if block.diagonal:
        raise SpecificationError(
            f"The block of {', '.join(block.names)} is diagonal and has a pattern.",
            hint="Write the zeros into the pattern, and leave diagonal out.",
        )
    if len(pattern) != size or any(len(row) != size for row in pattern):
        shape = " + ".join(str(len(row)) for row in pattern)
        raise SpecificationError(
            f"The pattern of {', '.join(block.names)} has rows of {shape} entries.",
            hint=f"Write the whole symmetric matrix, {size} rows of {size} entries.",
        )
    for a in range(size):
        for b in range(a, size):
            here, there = pattern[a][b], pattern[b][a]
            if here != there or not (isinstance(here, str) or np.isfinite(here)):
                raise SpecificationError(
                    f"Entries ({a + 1}, {b + 1}) and ({b + 1}, {a + 1}) of the pattern of "
                    f"{', '.join(block.names)} are {here!r} and {there!r}.",
                    hint="A covariance matrix is symmetric, and fixed entries are finite numbers.",
                )


@dataclass(frozen=True)
class Clusters:
    """The clusters in which persons stand.

    Parameters
    ----------
    code : (n_rows,) ndarray of int
        Cluster of each row, codes from 0 to n_clusters - 1; one for all rows of a person.
    n_clusters : int
        Number of clusters.
    group : str
        Name of the grouping factor, for parameter names.
    """

    code: NDArray[np.integer[Any]]
    n_clusters: int
    group: str


@dataclass(frozen=True, repr=False)
class LongProblem(Brief):
    """A linear mixed model with one grouping factor, or two nested ones, as arrays.

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
        Level of the grouping column of a ``by_group`` or ``groupwise`` residual.
    strata_names : tuple of str
        Names of those levels.
    series : tuple of str
        Of several outcomes whose residuals at one time covary: which outcome each of `occasions`
        is of, times that outcomes share standing there as often.
    fixed_parameters : tuple of (str, float)
        Covariance and residual parameters that are held at a value, which may be zero as long as
        every person's marginal covariance matrix stays positive definite.
    loadings : Loadings, optional
        Parameters within the columns of `fixed` and `random`, which then hold the rest of each
        column; None for a linear mixed model.
    clusters : Clusters, optional
        Clusters that hold the persons, where blocks of random effects are theirs.
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
    fixed_parameters: tuple[tuple[str, float], ...] = ()
    loadings: Loadings | None = None
    clusters: Clusters | None = None
    series: tuple[str, ...] = ()

    def group_of(self, column: int) -> str:
        """Name of the grouping factor of a column of `random`."""
        if self.clusters is not None and any(b.outer and column in b.columns for b in self.blocks):
            return self.clusters.group
        return self.group

    @property
    def restricted(self) -> bool:
        """Whether covariance parameters are fixed or shared."""
        return bool(self.fixed_parameters) or any(b.pattern is not None for b in self.blocks)

    @property
    def random_names(self) -> tuple[str, ...]:
        """Names of the columns of `random`."""
        names = [""] * self.random.shape[1]
        for block in self.blocks:
            for name, column in zip(block.names, block.columns, strict=True):
                names[column] = name
        return tuple(names)

    @property
    def effect_names(self) -> tuple[str, ...]:
        """Names of the columns of `random`, with their grouping factor where there are two."""
        if self.clusters is None:
            return self.random_names
        named = enumerate(self.random_names)
        return tuple(f"{name}|{self.group_of(column)}" for column, name in named)

    @property
    def block_entries(self) -> tuple[tuple[int, int], ...]:
        """Entries (row, column) of the random effects' covariance matrix within blocks.

        Row <= column; block by block; within an unstructured block (1,1), (1,2), ..., (2,2), ....
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
    def block_cells(self) -> tuple[str | float, ...]:
        """Parameter, or value, of each of `block_entries`: ``var(occasion|student)`` and so on."""
        names, held = self.random_names, dict(self.fixed_parameters)
        patterned = {
            (a, b): block.pattern[i][j]
            for block in self.blocks
            if block.pattern is not None
            for i, a in enumerate(block.columns)
            for j, b in enumerate(block.columns)
        }
        cells: list[str | float] = []
        for a, b in self.block_entries:
            cell = patterned.get((a, b), covariance_name(names[a], names[b], self.group_of(a)))
            cells.append(held.get(cell, cell) if isinstance(cell, str) else float(cell))
        return tuple(cells)

    @property
    def covariance_entries(self) -> tuple[tuple[int, int], ...]:
        """Those of `block_entries` that are free."""
        if not self.restricted:
            return self.block_entries
        cells = zip(self.block_entries, self.block_cells, strict=True)
        return tuple(entry for entry, cell in cells if isinstance(cell, str))

    @property
    def covariance_names(self) -> tuple[str, ...]:
        """The parameter of each of `covariance_entries`; shared ones as often as they stand."""
        return tuple(cell for cell in self.block_cells if isinstance(cell, str))

    @property
    def fixed_entries(self) -> tuple[tuple[int, int, float], ...]:
        """Those of `block_entries` that are held, with their values."""
        cells = zip(self.block_entries, self.block_cells, strict=True)
        return tuple((a, b, cell) for (a, b), cell in cells if not isinstance(cell, str))


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
