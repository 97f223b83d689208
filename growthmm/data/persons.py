"""Persons of long rows as numbers, at the price of looking once at the column."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from growthmm.data.frames import codes, labels_at, require_columns

if TYPE_CHECKING:
    import pandas

__all__ = ["number_persons"]

Codes = NDArray[np.integer[Any]]

CHUNK = 65_536
NEIGHBOURS = 256


def number_persons(frame: pandas.DataFrame, name: str) -> tuple[Codes, pandas.Index[Any]]:
    """Number the persons: integers in ascending order, others in order of first appearance.

    Integers that rise are only verified to do so; others within a moderate range go through a
    look-up table; everything else is hashed.

    Parameters
    ----------
    frame : pandas.DataFrame
        Long data.
    name : str
        The column of persons.

    Returns
    -------
    codes : (n_rows,) ndarray of int
        From 0; -1 where the person is missing.
    labels : (n_subjects,) pandas.Index
        The person behind each code.

    Raises
    ------
    ColumnNotFoundError
        If there is no such column.
    ValueColumnError
        If its values can't be told apart by hashing (lists, say).

    Examples
    --------
    >>> import pandas
    >>> number_persons(pandas.DataFrame({"id": [7, 5, 7]}), "id")[0].tolist()
    [1, 0, 1]
    """
    require_columns(frame, [name])
    column = frame[name]
    if isinstance(column.dtype, np.dtype) and column.dtype.kind in "iu" and len(column):
        values = column.to_numpy()
        starts = _starts(values)
        if starts is not None:
            sizes = np.diff(starts)
            n = len(sizes)
            same = bool((sizes == sizes[0]).all())
            numbers = np.arange(n, dtype=np.int32)
            repeated = np.repeat(numbers, int(sizes[0]) if same else sizes)
            return repeated, labels_at(column, starts[:-1])
        found = _by_table(values)
        if found is not None:
            import pandas

            numbered, labels = found
            return numbered, pandas.Index(labels, dtype=column.dtype, name=name)
    return codes(frame, name)


def _starts(values: NDArray[Any]) -> NDArray[np.intp] | None:
    """Where each person's rows start, and the number of rows; None unless persons rise."""
    n = len(values)
    if n > 4 * NEIGHBOURS:
        some = values[: -(n % NEIGHBOURS) or None][:: n // NEIGHBOURS]
        if bool((some[1:] < some[:-1]).any()):
            return None
    change = np.flatnonzero(values[1:] != values[:-1]) + 1
    starts = np.concatenate([[0], change, [n]])
    heads = values[starts[:-1]]
    return starts if bool((heads[1:] > heads[:-1]).all()) else None


def _by_table(values: NDArray[Any]) -> tuple[Codes, NDArray[Any]] | None:
    n, low = len(values), values.min()
    span = int(values.max()) - int(low) + 1
    if span > max(4 * n, 1024) or span > 2**31 - 1:
        return None
    numbered = np.empty(n, dtype=np.int32)
    present = np.zeros(span, dtype=bool)
    for first in range(0, n, CHUNK):
        part = slice(first, first + CHUNK)
        place = values[part] - low
        numbered[part] = place
        present[place] = True
    labels = (np.flatnonzero(present) + int(low)).astype(values.dtype)
    if len(labels) < span:
        rank = np.cumsum(present, dtype=np.int32) - np.int32(1)
        for first in range(0, n, CHUNK):
            part = slice(first, first + CHUNK)
            numbered[part] = rank[numbered[part]]
    return numbered, labels
