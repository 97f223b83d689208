"""The step from long rows to wide ones, on pandas frames that were checked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from growthmm.data.frames import factorise, typed
from growthmm.data.keys import Keys, row_keys, row_of_cell
from growthmm.data.memory import ATTRIBUTE, LongForm, Memory
from growthmm.data.names import column_names
from growthmm.data.wording import listed, shown
from growthmm.errors import DataError, NotTimeInvariantError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas

__all__ = ["refuse_varying", "widen"]


def widen(
    frame: pandas.DataFrame, id: str, time: str, values: tuple[str, ...], names: str
) -> tuple[pandas.DataFrame, dict[str, str]]:
    """Make the wide frame, and say which long column each wide column came from.

    Parameters
    ----------
    frame : pandas.DataFrame
        Long data with these columns.
    id, time : str
        Columns of person and time.
    values : tuple of str
        Columns that go wide.
    names : str
        The template.

    Returns
    -------
    wide : pandas.DataFrame
        With ``attrs["growthmm"]``.
    origins : dict of str to str
        Long column of each wide column.
    """
    import pandas

    keys = row_keys(frame, id, time)
    rows = row_of_cell(keys, id, time)
    persons = [c for c in frame.columns if c not in (id, time, *values)]
    refuse_varying(frame, persons, keys, id)
    wide = column_names(values, list(keys.occasions), names)
    _refuse_clashes(wide, [id, *persons])
    made: dict[Any, Any] = {id: frame[id].array.take(keys.first)}
    origins = {id: id}
    for column in persons:
        made[column] = frame[column].array.take(keys.first)
        origins[column] = column
    for value in values:
        source = _holding_missing(frame[value], absent=bool((rows < 0).any()))
        for j, name in enumerate(wide[value]):
            made[name] = _at(source, rows[:, j])
            origins[name] = value
    result = pandas.DataFrame({name: typed(values) for name, values in made.items()})
    result.attrs = {**frame.attrs, ATTRIBUTE: Memory(_long_form(frame, keys, id, time, wide))}
    return result, origins


def refuse_varying(frame: pandas.DataFrame, columns: Sequence[Any], keys: Keys, id: str) -> None:
    """Check that columns are the same in all rows of each person.

    Parameters
    ----------
    frame : pandas.DataFrame
        Long data.
    columns : sequence of str
        The columns that should be person-level.
    keys : Keys
        Persons of the rows.
    id : str
        What the person column is called.

    Raises
    ------
    NotTimeInvariantError
        If one varies (being missing in some of a person's rows counts); names the persons.
    """
    first = keys.first[keys.subject]
    for column in columns:
        numbered, _ = factorise(frame[column])
        varies = numbered != numbered[first]
        if not varies.any():
            continue
        who = np.unique(keys.subject[varies])
        row = int(np.flatnonzero(varies)[0])
        old, new = frame[column].iloc[int(first[row])], frame[column].iloc[row]
        persons = listed((keys.subjects[p] for p in who[:5]), total=who.size)
        raise NotTimeInvariantError(
            f"The column {column!r} varies within {who.size} "
            f"person{'s' if who.size > 1 else ''}: {id} {persons} "
            f"({shown(old)} in row {int(first[row]) + 1}, {shown(new)} in row {row + 1}).",
            hint=f"If it varies over time, name it in values=; otherwise make it the same in "
            f"every row of a person, or drop it: data.drop(columns={column!r}).",
        )


def _refuse_clashes(wide: dict[str, tuple[str, ...]], kept: list[Any]) -> None:
    for value, columns in wide.items():
        if clash := next((c for c in columns if c in kept), None):
            raise DataError(
                f"The wide column {clash!r}, made from {value!r}, would have the name of a "
                "column that is there.",
                hint="Rename or drop that column, or give another names= template.",
            )


def _holding_missing(column: pandas.Series[Any], *, absent: bool) -> Any:
    """The column's array, of a type that can hold the missing values that it is to get."""
    import pandas

    if not absent or not isinstance(column.dtype, np.dtype):
        return column.array
    if column.dtype.kind == "b":
        return pandas.array(column.to_numpy(), dtype="boolean")
    if column.dtype.kind in "iu":
        values = column.to_numpy()
        if int(values.max()) <= 2**53 and int(values.min()) >= -(2**53):
            return values.astype(np.float64)
        # Only 64-bit integers reach beyond what floating-point numbers hold.
        return pandas.Series(values).astype("Int64" if column.dtype.kind == "i" else "UInt64").array
    return column.array


def _at(source: Any, rows: NDArray[np.intp]) -> Any:
    if (rows >= 0).all():
        return source.take(rows)
    from pandas.api.extensions import take
    from pandas.arrays import NumpyExtensionArray

    if isinstance(source, (np.ndarray, NumpyExtensionArray)):
        return take(np.asarray(source), rows, allow_fill=True)
    return source.take(rows, allow_fill=True)


def _long_form(
    frame: pandas.DataFrame, keys: Keys, id: str, time: str, wide: dict[str, tuple[str, ...]]
) -> LongForm:
    import pandas

    index = frame.index
    plain = isinstance(index, pandas.RangeIndex) and index.start == 0 and index.step == 1
    dtypes = {
        value: dtype
        for value in wide
        if isinstance(dtype := frame[value].dtype, np.dtype) and dtype.kind in "iub"
    }
    return LongForm(
        id=id,
        time=time,
        values=tuple(wide),
        wide=wide,
        columns=tuple(frame.columns),
        persons=keys.subjects,
        occasions=keys.occasions,
        cells=None if keys.complete else keys.cells(),
        index=None if plain and index.name is None else index,
        dtypes=dtypes,
    )
