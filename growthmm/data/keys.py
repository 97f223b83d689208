"""Persons and times of long rows, and long columns as person-by-occasion matrices."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from growthmm.data.frames import factorise, labels_at, numeric_column, require_columns
from growthmm.data.wording import listed, rows_text, shown
from growthmm.errors import (
    DataError,
    DuplicateOccasionError,
    MissingKeyError,
    ValueColumnError,
)

if TYPE_CHECKING:
    import pandas

__all__ = [
    "Keys",
    "Matrices",
    "matrix",
    "refuse_duplicates",
    "refuse_missing",
    "row_keys",
    "row_of_cell",
]


@dataclass(frozen=True)
class Keys:
    """Person and occasion of each long row.

    Parameters
    ----------
    subject : (n_rows,) ndarray of int
        Person of each row, numbered in order of first appearance.
    subjects : (n_subjects,) pandas.Index
        The persons.
    first : (n_subjects,) ndarray of int
        Each person's first row.
    occasion : (n_rows,) ndarray of int
        Occasion of each row, numbered in order of time.
    occasions : (n_times,) pandas.Index
        Distinct times, ascending (categories in their declared order).
    complete : bool
        Whether every person has every occasion once and rows run person by person in order of
        time, so that a column is a matrix as it stands.
    """

    subject: NDArray[np.intp]
    subjects: pandas.Index[Any]
    first: NDArray[np.intp]
    occasion: NDArray[np.intp]
    occasions: pandas.Index[Any]
    complete: bool

    @property
    def shape(self) -> tuple[int, int]:
        """Numbers of persons and of occasions."""
        return len(self.subjects), len(self.occasions)

    def cells(self) -> NDArray[np.intp]:
        """Position of each row in a flat (n_subjects, n_times) matrix, shape (n_rows,)."""
        if self.complete:
            return np.arange(self.subject.shape[0])
        return self.subject * len(self.occasions) + self.occasion


@dataclass(frozen=True)
class Matrices:
    """Long columns as matrices of persons by occasions.

    Parameters
    ----------
    keys : Keys
        Persons (in order of first appearance) and occasions (ascending).
    arrays : tuple of (n_subjects, n_times) ndarray
        One for each column; NaN where the person has no row or no value. Read-only use: they may
        share memory with the frame.
    """

    keys: Keys
    arrays: tuple[NDArray[np.float64], ...]


def row_keys(frame: pandas.DataFrame, id: str, time: str) -> Keys:
    """Number the persons and occasions of long rows.

    Parameters
    ----------
    frame : pandas.DataFrame
        Long data, rows in any order.
    id, time : str
        The columns of person and time, of any type.

    Returns
    -------
    Keys
        Codes and labels. A (person, time) pair may still stand twice.

    Raises
    ------
    ColumnNotFoundError
        If a column is not there.
    MissingKeyError
        If a row has no person or no time.
    """
    require_columns(frame, [id, time])
    person, clock = frame[id], frame[time]
    subject, first = factorise(person)
    if (subject < 0).any():
        refuse_missing(frame, id)
    subjects = labels_at(person, first)
    if (reached := _complete_rows(clock, subject, first)) is not None:
        labels = labels_at(clock, np.arange(reached))
        occasion = np.tile(np.arange(reached), len(first))
        return Keys(subject, subjects, first, occasion, labels, complete=True)
    numbered, rows = factorise(clock)
    if (numbered < 0).any():
        refuse_missing(frame, time)
    labels = labels_at(clock, rows)
    order = _time_order(labels, time)
    rank = np.empty_like(order)
    rank[order] = np.arange(order.size)
    occasion = rank[numbered]
    occasions = labels[order]
    return Keys(
        subject,
        subjects,
        first,
        occasion,
        occasions,
        complete=_block(subject, first) == len(occasions)
        and bool((occasion.reshape(-1, len(occasions)) == np.arange(len(occasions))).all()),
    )


def _complete_rows(
    clock: pandas.Series[Any], subject: NDArray[np.intp], first: NDArray[np.intp]
) -> int | None:
    """Occasions per person where numeric rows are complete and sorted, by verification alone."""
    n_times = _block(subject, first)
    if n_times is None or not isinstance(clock.dtype, np.dtype) or clock.dtype.kind not in "fiu":
        return None
    times = clock.to_numpy().reshape(-1, n_times)
    if not np.isfinite(times[0]).all() or not (times[0, 1:] > times[0, :-1]).all():
        return None
    return n_times if (times == times[0]).all() else None


def _block(subject: NDArray[np.intp], first: NDArray[np.intp]) -> int | None:
    """Rows per person where rows stand in blocks of one person and one length, else None."""
    n_subjects, n_rows = first.size, subject.size
    if n_subjects == 0 or n_rows % n_subjects:
        return None
    n_times = n_rows // n_subjects
    blocks = subject.reshape(n_subjects, n_times)
    return n_times if (blocks == np.arange(n_subjects)[:, None]).all() else None


def _time_order(labels: pandas.Index[Any], time: str) -> NDArray[np.intp]:
    import pandas

    if isinstance(labels.dtype, pandas.CategoricalDtype):
        at = labels.dtype.categories.get_indexer(pandas.Index(list(labels)))
        return np.argsort(at, kind="stable")
    if labels.dtype.kind in "fiubmM":
        numbers = labels.to_numpy()
        if numbers.dtype.kind == "f" and np.isinf(numbers).any():
            raise ValueColumnError(
                f"The time column {time!r} has infinite values.", hint="Drop these rows."
            )
        return np.argsort(numbers, kind="stable")
    values = list(labels)
    try:
        if all(isinstance(value, str) for value in values):
            natural = [[_piece(p) for p in re.split(r"(\d+)", value)] for value in values]
            order = sorted(range(len(values)), key=natural.__getitem__)
        else:
            order = sorted(range(len(values)), key=values.__getitem__)
    except TypeError:
        raise ValueColumnError(
            f"The time column {time!r} mixes values that have no order: {listed(values)}.",
            hint="Make it numeric.",
        ) from None
    return np.array(order, dtype=np.intp)


def _piece(text: str) -> tuple[int, int, str]:
    """Text before numbers, numbers by size: ``week2`` comes before ``week10``."""
    return (1, int(text), "") if text.isdecimal() else (0, 0, text)


def refuse_missing(frame: pandas.DataFrame, name: str) -> None:
    """Raise the error for a key column with missing values.

    Raises
    ------
    MissingKeyError
        If there are any.
    """
    column = frame[name]
    if isinstance(column.dtype, np.dtype) and column.dtype.kind in "iub":
        return
    rows = np.flatnonzero(np.asarray(column.isna()))
    if rows.size:
        raise MissingKeyError(
            f"The column {name!r} is missing in {rows_text(rows)} (counting from 1).",
            hint="Every row needs a person and a time: fill them in, or drop the rows.",
        )


def row_of_cell(keys: Keys, id: str, time: str) -> NDArray[np.intp]:
    """The row that fills each cell of a (n_subjects, n_times) matrix, -1 where none does.

    Raises
    ------
    DuplicateOccasionError
        If a (person, time) pair stands twice.
    DataError
        If the matrix would be hopelessly larger than the data (individually varying times).
    """
    _refuse_sparse(keys, time)
    n_rows = keys.subject.size
    if keys.complete:
        return np.arange(n_rows).reshape(keys.shape)
    cells = keys.cells()
    n_subjects, n_times = keys.shape
    rows = np.full(n_subjects * n_times, -1, dtype=np.intp)
    rows[cells] = np.arange(n_rows)
    if (rows[cells] != np.arange(n_rows)).any():
        refuse_duplicates(keys, id, time)
    return rows.reshape(keys.shape)


def _refuse_sparse(keys: Keys, time: str) -> None:
    n_subjects, n_times = keys.shape
    n_rows = keys.subject.size
    if n_subjects * n_times > max(50_000_000, 20 * n_rows):
        raise DataError(
            f"{n_subjects} persons at {n_times} distinct times would make {n_subjects * n_times} "
            f"cells for {n_rows} rows.",
            hint=f"Times vary between persons: number the visits, or round {time!r}.",
        )


def refuse_duplicates(keys: Keys, id: str, time: str) -> None:
    """Raise the error for (person, time) pairs that stand in more than one row.

    Parameters
    ----------
    keys : Keys
        Persons and occasions.
    id, time : str
        What the two columns are called.

    Raises
    ------
    DuplicateOccasionError
        If there are any; the message names the persons, times and rows.
    """
    cells = keys.cells()
    ordered = np.sort(cells)
    repeated = np.unique(ordered[1:][ordered[1:] == ordered[:-1]])
    if repeated.size == 0:
        return
    n_times = len(keys.occasions)
    parts = []
    for cell in repeated[:5]:
        person, occasion = keys.subjects[cell // n_times], keys.occasions[cell % n_times]
        at = rows_text(np.flatnonzero(cells == cell))
        parts.append(f"{id} {shown(person)} at {time} {shown(occasion)} ({at})")
    more = f"; and {repeated.size - 5} more" if repeated.size > 5 else ""
    pairs = "pair stands" if repeated.size == 1 else "pairs stand"
    raise DuplicateOccasionError(
        f"{repeated.size} ({id}, {time}) {pairs} in more than one row: {'; '.join(parts)}{more}.",
        hint="A wide form needs one row per person and time: average or drop the others, "
        "or name the column that tells them apart.",
    )


def matrix(frame: pandas.DataFrame, id: str, time: str, *values: str) -> Matrices:
    """Scatter long columns into matrices of persons by occasions.

    Sorted complete rows are verified, not sorted, and reshaped without a copy; other orders go
    through one look-up and one scatter.

    Parameters
    ----------
    frame : pandas.DataFrame
        Long data, rows in any order.
    id, time : str
        The columns of person and time.
    *values : str
        Numeric columns.

    Returns
    -------
    Matrices
        One (n_subjects, n_times) array for each of `values`.

    Raises
    ------
    ColumnNotFoundError, MissingKeyError, DuplicateOccasionError, ValueColumnError
        As :func:`row_keys` and :func:`growthmm.data.frames.numeric_column` do, and for pairs that
        stand twice.

    Examples
    --------
    >>> import pandas
    >>> long = pandas.DataFrame({"id": [1, 1, 2], "t": [0, 1, 1], "y": [2.0, 3.0, 5.0]})
    >>> matrix(long, "id", "t", "y").arrays[0]
    array([[ 2.,  3.],
           [nan,  5.]])
    """
    keys = row_keys(frame, id, time)
    columns = [numeric_column(frame, name) for name in values]
    if keys.complete:
        return Matrices(keys, tuple(column.reshape(keys.shape) for column in columns))
    _refuse_sparse(keys, time)
    n_subjects, n_times = keys.shape
    cells = keys.cells()
    filled = np.zeros(n_subjects * n_times, dtype=bool)
    filled[cells] = True
    if np.count_nonzero(filled) < cells.size:
        refuse_duplicates(keys, id, time)
    arrays = []
    for column in columns:
        scattered = np.full(filled.size, np.nan)
        scattered[cells] = column
        arrays.append(scattered.reshape(keys.shape))
    return Matrices(keys, tuple(arrays))
