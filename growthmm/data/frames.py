"""Frames of any kind as pandas, their columns as numbers, and their keys as codes."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from growthmm.data.wording import listed, nearest, rows_text, shown
from growthmm.errors import ColumnNotFoundError, DataError, ValueColumnError

if TYPE_CHECKING:
    import pandas

__all__ = [
    "as_pandas",
    "codes",
    "factorise",
    "labels_at",
    "numeric_column",
    "require_columns",
    "typed",
]


def as_pandas(data: object) -> pandas.DataFrame:
    """Any data frame, or the file at a path, as a pandas frame.

    A pandas frame comes back as the very same object, uncopied; nothing is ever changed in place.

    Parameters
    ----------
    data : frame, str or Path
        Whatever narwhals knows (pandas, polars, pyarrow, a DuckDB relation and others, eager or
        lazy), or the path of a CSV, TSV or Parquet file.

    Returns
    -------
    pandas.DataFrame
        The same rows and columns.

    Raises
    ------
    DataError
        If `data` is no frame, or the file is missing, empty or unreadable.

    Examples
    --------
    >>> import pandas
    >>> frame = pandas.DataFrame({"student": [1, 1], "gpa": [2.3, 2.1]})
    >>> as_pandas(frame) is frame
    True
    """
    import pandas

    if isinstance(data, pandas.DataFrame):
        if data.columns.nlevels > 1:
            raise DataError(
                f"The columns have {data.columns.nlevels} levels.",
                hint="Flatten them to one name a column.",
            )
        return data
    if isinstance(data, (str, Path)):
        from growthmm.data.files import read_frame

        return read_frame(data)
    import narwhals as nw

    try:
        frame: Any = nw.from_native(data)
    except TypeError:
        raise DataError(
            f"The data are a {type(data).__module__}.{type(data).__qualname__}, "
            "which is no data frame.",
            hint="Pass a pandas, polars, pyarrow or DuckDB frame, or the path of a CSV or "
            "Parquet file.",
        ) from None
    try:
        if isinstance(frame, nw.LazyFrame):
            frame = frame.collect(backend="pyarrow")
        converted: pandas.DataFrame = frame.to_pandas()
    except ModuleNotFoundError as error:
        raise DataError(
            f"Converting a {type(data).__module__} frame needs {error.name or 'pyarrow'}, "
            "which is not installed.",
            hint="pip install pyarrow, or pass a pandas frame.",
        ) from error
    return converted


def require_columns(frame: pandas.DataFrame, names: Iterable[Hashable]) -> None:
    """Check that each column is there, once.

    Parameters
    ----------
    frame : pandas.DataFrame
        The data.
    names : iterable of str
        The columns that are needed.

    Raises
    ------
    ColumnNotFoundError
        If one is not there; the message lists the columns and the nearest name.
    DataError
        If one is there more than once.
    """
    for name in names:
        if name not in frame.columns:
            if name in frame.index.names:
                hint = f"{name!r} is a level of the row index: pass frame.reset_index()."
            else:
                known = listed(map(str, frame.columns), limit=30, total=frame.shape[1])
                hint = f"{nearest(name, frame.columns)}Columns: {known}."
            raise ColumnNotFoundError(f"There is no column {name!r} in the data.", hint=hint)
        if not frame.columns.is_unique and (frame.columns == name).sum() > 1:
            raise DataError(
                f"{(frame.columns == name).sum()} columns are called {name!r}.",
                hint="Rename or drop all but one.",
            )


def numeric_column(frame: pandas.DataFrame, name: str) -> NDArray[np.float64]:
    """A column as floating-point numbers, NaN where missing.

    Parameters
    ----------
    frame : pandas.DataFrame
        The data.
    name : str
        The column: numbers of any kind, booleans, decimals, or categories that are numbers.

    Returns
    -------
    (n_rows,) ndarray
        The values; shares memory with the frame where it can, so treat it as read-only.

    Raises
    ------
    ColumnNotFoundError
        If there is no such column.
    ValueColumnError
        If it holds text, dates or other things that are no numbers, or infinite values.

    Examples
    --------
    >>> import pandas
    >>> frame = pandas.DataFrame({"gpa": pandas.array([3, None], dtype="Int64")})
    >>> numeric_column(frame, "gpa")
    array([ 3., nan])
    """
    require_columns(frame, [name])
    values = _numbers(frame[name], name)
    if not np.isfinite(values).all():
        infinite = np.flatnonzero(np.isinf(values))
        if infinite.size:
            raise ValueColumnError(
                f"The column {name!r} has {infinite.size} infinite "
                f"value{'s' if infinite.size > 1 else ''} ({rows_text(infinite)}).",
                hint="Make them missing, or drop the rows.",
            )
    return values


def _numbers(column: pandas.Series[Any], name: str) -> NDArray[np.float64]:
    import pandas

    dtype = column.dtype
    if isinstance(dtype, np.dtype) and dtype.kind in "fiub":
        return np.asarray(column.to_numpy(), dtype=np.float64)
    if isinstance(dtype, pandas.CategoricalDtype):
        categories = _numbers(pandas.Series(dtype.categories), name)
        at = np.asarray(column.cat.codes, dtype=np.intp)
        return np.asarray(np.append(categories, np.nan)[at], dtype=np.float64)
    kinds = pandas.api.types
    if kinds.is_datetime64_any_dtype(dtype) or kinds.is_timedelta64_dtype(dtype):
        raise ValueColumnError(
            f"The column {name!r} holds dates or durations ({dtype}), not numbers.",
            hint="Turn them into numbers first: days since a start, say.",
        )
    if not kinds.is_complex_dtype(dtype) and kinds.is_numeric_dtype(dtype):
        return column.to_numpy(dtype=np.float64, na_value=np.nan)
    return _from_objects(column, name)


def _from_objects(column: pandas.Series[Any], name: str) -> NDArray[np.float64]:
    from decimal import Decimal
    from numbers import Real

    missing = np.asarray(column.isna())
    objects = column.to_numpy(dtype=object)
    bad = np.array([not isinstance(v, (Real, Decimal, np.bool_)) for v in objects], dtype=bool)
    bad &= ~missing
    if bad.any():
        rows = np.flatnonzero(bad)
        unreadable = rows[[not _reads_as_number(objects[row]) for row in rows]]
        if unreadable.size:
            what = ", ".join(f"{shown(objects[r])} (row {int(r) + 1})" for r in unreadable[:5])
            more = f" and {unreadable.size - 5} more" if unreadable.size > 5 else ""
            raise ValueColumnError(
                f"The column {name!r} must hold numbers, but has {what}{more}.",
                hint="Recode or drop these values, or name another column.",
            )
        raise ValueColumnError(
            f"The column {name!r} holds numbers written as text: "
            f"{listed(objects[rows[:5]], total=rows.size)}.",
            hint=f"Convert it first: data[{name!r}] = pandas.to_numeric(data[{name!r}]).",
        )
    values = np.full(len(objects), np.nan)
    values[~missing] = [float(v) for v in objects[~missing]]
    return values


def _reads_as_number(value: object) -> bool:
    if not isinstance(value, str):
        return False
    try:
        float(value)
    except ValueError:
        return False
    return True


def codes(frame: pandas.DataFrame, name: str) -> tuple[NDArray[np.intp], pandas.Index[Any]]:
    """Number the distinct values of a column in order of first appearance.

    Integers that are sorted are only verified to be so; others within a moderate range go
    through a look-up table; everything else is hashed.

    Parameters
    ----------
    frame : pandas.DataFrame
        The data.
    name : str
        A column of any type.

    Returns
    -------
    codes : (n_rows,) ndarray of int
        From 0; -1 where the value is missing.
    labels : (n_distinct,) pandas.Index
        The value behind each code, of the column's type.

    Raises
    ------
    ColumnNotFoundError
        If there is no such column.
    ValueColumnError
        If its values can't be told apart by hashing (lists, say).

    Examples
    --------
    >>> import pandas
    >>> codes(pandas.DataFrame({"id": ["b", "a", "b"]}), "id")[0]
    array([0, 1, 0])
    """
    require_columns(frame, [name])
    column = frame[name]
    numbered, first = factorise(column)
    return numbered, labels_at(column, first)


def labels_at(column: pandas.Series[Any], rows: NDArray[np.intp]) -> pandas.Index[Any]:
    """The values of `column` at `rows`, of the column's own type (all categories kept)."""
    import pandas

    labels: pandas.Index[Any] = pandas.Index(
        column.array.take(rows), dtype=column.dtype, name=column.name
    )
    return labels


def factorise(column: pandas.Series[Any]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Codes in order of first appearance, and the row at which each code appears first.

    Parameters
    ----------
    column : pandas.Series
        Values of any type.

    Returns
    -------
    codes : (n_rows,) ndarray of int
        From 0; -1 where missing.
    first : (n_distinct,) ndarray of int
        The first row of each code, ascending.
    """
    import pandas

    if isinstance(column.dtype, np.dtype) and column.dtype.kind in "iu":
        values = column.to_numpy()
        found = _sorted_codes(values)
        if found is None:
            found = _table_codes(values)
        if found is not None:
            return found
    try:
        numbered = np.asarray(pandas.factorize(column)[0], dtype=np.intp)
    except TypeError:
        raise ValueColumnError(
            f"The column {column.name!r} holds values that cannot be told apart "
            f"({type(column.iloc[0]).__name__}).",
            hint="Use numbers, text, dates or categories.",
        ) from None
    return _by_appearance(numbered)


def typed(values: Any) -> pandas.Series[Any]:
    """An array as a series of exactly its own type; pandas would guess text among objects."""
    import pandas

    if isinstance(values, pandas.arrays.NumpyExtensionArray):
        values = np.asarray(values)
    series: pandas.Series[Any] = pandas.Series(values, dtype=values.dtype)
    return series


Codes = tuple[NDArray[np.intp], NDArray[np.intp]]


def _sorted_codes(values: NDArray[Any]) -> Codes | None:
    n = values.shape[0]
    if n == 0:
        return np.zeros(0, dtype=np.intp), np.zeros(0, dtype=np.intp)
    if not (values[1:] >= values[:-1]).all():
        return None
    first = np.flatnonzero(np.concatenate(([True], values[1:] != values[:-1])))
    counts = np.diff(first, append=n)
    return np.repeat(np.arange(first.size), counts), first


def _table_codes(values: NDArray[Any]) -> Codes | None:
    n = values.shape[0]
    low, high = int(values.min()), int(values.max())
    span = high - low + 1
    if span > max(4 * n, 1024):
        return None
    if values.dtype.kind == "i":
        offset = values.astype(np.int64, copy=False) - low
    else:
        offset = (values - values.dtype.type(low)).astype(np.int64)
    table = np.full(span, n, dtype=np.intp)
    # NumPy keeps the last of repeated assignments, so reversed rows leave the first row.
    table[offset[::-1]] = np.arange(n - 1, -1, -1)
    present = np.flatnonzero(table < n)
    rows = table[present]
    order = np.argsort(rows)
    table[present[order]] = np.arange(present.size)
    return table[offset], rows[order]


def _by_appearance(numbered: NDArray[np.intp]) -> Codes:
    """First rows of codes that may be numbered in any order and may have unused numbers."""
    n = numbered.shape[0]
    size = int(numbered.max(initial=-1)) + 1
    table = np.full(size + 1, n, dtype=np.intp)
    # Missing values (-1) write to the spare last slot.
    table[numbered[::-1]] = np.arange(n - 1, -1, -1)
    table[size] = n
    rows = table[:size]
    used = rows < n
    if used.all() and (rows[1:] > rows[:-1]).all():
        return numbered, rows
    present = np.flatnonzero(used)
    order = np.argsort(rows[present])
    rank = np.full(size + 1, -1, dtype=np.intp)
    rank[present[order]] = np.arange(present.size)
    return rank[numbered], rows[present][order]
