"""Design matrices that are held as products of the data's own columns.

A formula's design has more columns than the data, and most repeat others: ``t * x`` with a random
slope needs six columns of two. Held by their factors they take no memory beside the data, and the
engine can see which are the same for everyone and which are constant within persons.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Design", "DesignMatrix", "factors_of"]

FloatArray = NDArray[np.float64]
Base = NDArray[Any]


class Design:
    """A matrix whose columns are products of base columns, made where it is looked at.

    Behaves as the array does in indexing, ``@``, and wherever NumPy wants an array.

    Parameters
    ----------
    n_rows : int
        Rows.
    bases : sequence of (n_rows,) ndarray
        Numbers of any kind; shared, so not to be changed.
    columns : sequence of tuple of int
        For each column, the bases that it is the product of; none for a column of ones.

    Examples
    --------
    >>> t = np.array([0, 1, 2])
    >>> np.asarray(Design(3, [t], [(), (0,), (0, 0)]))
    array([[1., 0., 0.],
           [1., 1., 1.],
           [1., 2., 4.]])
    """

    __slots__ = ("__weakref__", "bases", "columns", "n_rows")

    def __init__(
        self, n_rows: int, bases: tuple[Base, ...] | list[Base], columns: list[tuple[int, ...]]
    ) -> None:
        self.n_rows = n_rows
        self.bases = tuple(bases)
        self.columns = tuple(columns)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.n_rows, len(self.columns)

    @property
    def ndim(self) -> int:
        """Two."""
        return 2

    @property
    def dtype(self) -> np.dtype[np.float64]:
        """Doubles, whatever the bases are."""
        return np.dtype(np.float64)

    def __len__(self) -> int:
        return self.n_rows

    def __getitem__(self, select: Any) -> FloatArray:
        """The rows selected, as an array."""
        if isinstance(select, tuple):
            rows, *others = select
            whole = self[rows]
            return np.asarray(whole[(slice(None),) * (whole.ndim - 1) + tuple(others)])
        if isinstance(select, (int, np.integer)):
            return np.asarray(self[slice(select, int(select) + 1 or None)][0], dtype=float)
        picked = [base[select] for base in self.bases]
        if isinstance(select, slice):
            shape: tuple[int, ...] = (len(range(*select.indices(self.n_rows))),)
        else:
            index = np.asarray(select)
            shape = (int(index.sum()),) if index.dtype == bool else index.shape
        out = np.empty((*shape, len(self.columns)))
        for at, factors in enumerate(self.columns):
            column = out[..., at]
            if not factors:
                column[...] = 1.0
                continue
            column[...] = picked[factors[0]]
            # Values that are not finite are the engine's to refuse, in one error of its own.
            with np.errstate(invalid="ignore", over="ignore"):
                for factor in factors[1:]:
                    column *= picked[factor]
        return out

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        whole = self[:]
        return whole if dtype is None else whole.astype(dtype, copy=False)

    def __matmul__(self, right: Any) -> FloatArray:
        return np.asarray(self[:] @ np.asarray(right), dtype=float)

    def reshape(self, *shape: int) -> FloatArray:
        """The whole matrix as an array of another shape."""
        return self[:].reshape(*shape)

    def pick(self, columns: list[int]) -> Design:
        """Some of the columns."""
        return Design(self.n_rows, self.bases, [self.columns[c] for c in columns])


DesignMatrix = FloatArray | Design
"""What a problem holds its designs as."""


def factors_of(matrix: DesignMatrix) -> tuple[tuple[Base, ...], tuple[tuple[int, ...], ...]]:
    """The bases of a design and each column's factors; an array's columns are their own."""
    if isinstance(matrix, Design):
        return matrix.bases, matrix.columns
    width = matrix.shape[1]
    return tuple(matrix[:, c] for c in range(width)), tuple((c,) for c in range(width))
