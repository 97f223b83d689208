"""Patterns of missing values in wide data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from growthmm.errors import DataError

if TYPE_CHECKING:
    import pandas

__all__ = ["Patterns", "missing_patterns"]


@dataclass(frozen=True)
class Patterns:
    """Which values are observed together, and how often.

    Parameters
    ----------
    observed : (n_patterns, n_variables) ndarray of bool
        Whether a pattern observes a variable; the most frequent pattern first, equally frequent
        ones by the number of observed values, then from the left.
    counts : (n_patterns,) ndarray of int
        Persons with each pattern.
    pattern : (n_subjects,) ndarray of int
        Row of `observed` for each person.
    """

    observed: NDArray[np.bool_]
    counts: NDArray[np.intp]
    pattern: NDArray[np.intp]

    @property
    def n_complete(self) -> int:
        """Persons with every value."""
        return int(self.counts[self.observed.all(axis=1)].sum())

    @property
    def empty(self) -> NDArray[np.intp]:
        """Persons (rows of the matrix) with no value at all, shape (n_empty,)."""
        nothing = np.flatnonzero(~self.observed.any(axis=1))
        return np.flatnonzero(np.isin(self.pattern, nothing))

    def to_frame(self, names: Sequence[str]) -> pandas.DataFrame:
        """The patterns as a table.

        Parameters
        ----------
        names : sequence of str
            The variables, in the order of the matrix's columns.

        Returns
        -------
        pandas.DataFrame
            One row a pattern: a boolean column for each variable (True: observed), then
            ``n_observed`` and ``count``.

        Raises
        ------
        DataError
            If there are not as many names as variables.
        """
        import pandas

        if len(names) != self.observed.shape[1]:
            raise DataError(
                f"{len(names)} names for {self.observed.shape[1]} variables.",
                hint="Give one name a column.",
            )
        table = pandas.DataFrame(self.observed, columns=list(names))
        table["n_observed"] = self.observed.sum(axis=1)
        table["count"] = self.counts
        return table


def missing_patterns(matrix: NDArray[np.float64]) -> Patterns:
    """Count the patterns of missing values.

    Parameters
    ----------
    matrix : (n_subjects, n_variables) ndarray
        Wide data, NaN where missing.

    Returns
    -------
    Patterns
        The patterns that occur.

    Raises
    ------
    DataError
        If `matrix` has not two dimensions.

    Examples
    --------
    >>> found = missing_patterns(np.array([[1.0, 2.0], [np.nan, 3.0], [4.0, 5.0]]))
    >>> found.counts.tolist(), found.observed.tolist()
    ([2, 1], [[True, True], [False, True]])
    """
    if matrix.ndim != 2:
        raise DataError(
            f"Patterns need a matrix, but the array has {matrix.ndim} dimensions.",
            hint="Pass persons in rows and variables in columns.",
        )
    seen = ~np.isnan(matrix)
    distinct, inverse, counts = _distinct_rows(seen)
    width = distinct.shape[1]
    keys = [~distinct[:, j] for j in range(width - 1, -1, -1)]
    order = np.lexsort((*keys, -distinct.sum(axis=1), -counts))
    rank = np.empty_like(order)
    rank[order] = np.arange(order.size)
    return Patterns(distinct[order], counts[order], rank[inverse])


def _distinct_rows(
    seen: NDArray[np.bool_],
) -> tuple[NDArray[np.bool_], NDArray[np.intp], NDArray[np.intp]]:
    """Distinct rows of a boolean matrix, which one each row is, and how often each occurs."""
    n, width = seen.shape
    if width <= 16:
        code = np.zeros(n, dtype=np.intp)
        for j in range(width):
            code += seen[:, j].astype(np.intp) << j
        tally = np.bincount(code, minlength=1 << width)
        present = np.flatnonzero(tally)
        where = np.zeros(tally.size, dtype=np.intp)
        where[present] = np.arange(present.size)
        bits = ((present[:, None] >> np.arange(width)) & 1).astype(bool)
        return bits, where[code], tally[present]
    packed = np.packbits(seen, axis=1)
    padded = np.zeros((n, -(-packed.shape[1] // 8) * 8), dtype=np.uint8)
    padded[:, : packed.shape[1]] = packed
    words = padded.view(np.uint64)
    if words.shape[1] == 1:
        _, first, inverse, counts = np.unique(
            words[:, 0], return_index=True, return_inverse=True, return_counts=True
        )
    else:
        _, first, inverse, counts = np.unique(
            words, axis=0, return_index=True, return_inverse=True, return_counts=True
        )
    return seen[first], inverse.reshape(-1), counts
