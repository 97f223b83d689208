"""The step from wide rows to long ones, on pandas frames that were checked."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from string import Formatter
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from growthmm.data.frames import factorise, typed
from growthmm.data.keys import refuse_missing
from growthmm.data.memory import ATTRIBUTE, LongForm, remembered
from growthmm.data.names import TEMPLATE, column_names, parse_label, stem_names, stems, time_label
from growthmm.data.wording import listed, rows_text, shown
from growthmm.errors import ColumnNotFoundError, DataError, DuplicateOccasionError

if TYPE_CHECKING:
    import pandas

__all__ = ["lengthen"]


@dataclass(frozen=True)
class _Layout:
    """Wide columns of each long column (None where an occasion has none), and the occasions."""

    columns: Mapping[str, Sequence[str | None]]
    occasions: pandas.Index[Any]
    form: LongForm | None = None


def lengthen(
    frame: pandas.DataFrame,
    id: str,
    time: str,
    values: tuple[str, ...],
    *,
    names: str,
    times: Sequence[object] | Mapping[str, object] | None,
) -> tuple[pandas.DataFrame, dict[str, str]]:
    """Make the long frame, and say which wide column each long column came from.

    Parameters
    ----------
    frame : pandas.DataFrame
        Wide data with the column `id`.
    id, time : str
        Column of person; name of the time column to make.
    values : tuple of str
        Long columns to make.
    names : str
        The template.
    times : sequence or mapping, optional
        The occasions.

    Returns
    -------
    long : pandas.DataFrame
        The long data.
    origins : dict of str to str
        A wide column for each long column.
    """
    import pandas

    _check_persons(frame, id)
    layout = _layout(frame, id, time, values, names=names, times=times)
    used = {c for columns in layout.columns.values() for c in columns if c is not None}
    kept = [c for c in frame.columns if c != id and c not in used]
    if clash := next((c for c in (time, *values) if c in kept), None):
        raise DataError(
            f"The long column {clash!r} would have the name of a column that is there.",
            hint="Rename or drop that column, or give the time column another name.",
        )
    person, occasion, index = _rows(frame, layout)
    made: dict[Any, Any] = {id: frame[id].array.take(person)}
    made[time] = layout.occasions.array.take(occasion)
    origins = {id: id}
    dtypes = {} if layout.form is None else layout.form.dtypes
    for value, columns in layout.columns.items():
        made[value] = _restored(_stacked(frame, columns, person, occasion), dtypes.get(value))
        origins[value] = next(c for c in columns if c is not None)
    for column in kept:
        made[column] = frame[column].array.take(person)
        origins[column] = column
    long = pandas.DataFrame({name: typed(column) for name, column in made.items()})
    if layout.form is not None:
        order = [c for c in layout.form.columns if c in made]
        long = long[order + [c for c in made if c not in order]]
        if index is not None:
            long.index = index
    long.attrs = {key: value for key, value in frame.attrs.items() if key != ATTRIBUTE}
    return long, origins


def _check_persons(frame: pandas.DataFrame, id: str) -> None:
    refuse_missing(frame, id)
    numbered, first = factorise(frame[id])
    if first.size == numbered.size:
        return
    repeated = np.unique(numbered[np.setdiff1d(np.arange(numbered.size), first)])
    parts = [
        f"{id} {shown(frame[id].iloc[int(first[p])])} ({rows_text(np.flatnonzero(numbered == p))})"
        for p in repeated[:5]
    ]
    more = f"; and {repeated.size - 5} more" if repeated.size > 5 else ""
    raise DuplicateOccasionError(
        f"Wide data have one row a person, but there is more than one for {'; '.join(parts)}"
        f"{more}.",
        hint="Is this long data already? Otherwise keep one row a person.",
    )


def _layout(
    frame: pandas.DataFrame,
    id: str,
    time: str,
    values: tuple[str, ...],
    *,
    names: str,
    times: Sequence[object] | Mapping[str, object] | None,
) -> _Layout:
    import pandas

    if times is None:
        known = remembered(frame, id, time, dict.fromkeys(values, ()))
        if known is not None and names != TEMPLATE:
            own = column_names(values, list(known.occasions), names)
            known = remembered(frame, id, time, own)
        if known is not None:
            return _Layout({v: known.wide[v] for v in values}, known.occasions, known)
        found = {v: _matching(frame, id, v, values, names) for v in values}
        labels = dict.fromkeys(label for columns in found.values() for label in columns)
        return _read_times(found, labels)
    if isinstance(times, Mapping):
        labelled = {str(label): when for label, when in times.items()}
    else:
        labelled = {time_label(when): when for when in times}
        if len(labelled) < len(times):
            raise DataError(
                f"The times {listed(times)} are not distinct in column names.",
                hint="Give each occasion once.",
            )
    if not labelled:
        raise DataError("times= names no occasion.", hint="Leave it out to read column names.")
    spelled = _spellings(values, names)
    columns = {
        v: [next((s(label) for s in spelled[v] if s(label) in frame), None) for label in labelled]
        for v in values
    }
    for j, label in enumerate(labelled):
        if all(columns[v][j] is None for v in values):
            wanted = listed([spelled[v][0](label) for v in values])
            raise ColumnNotFoundError(
                f"There is no column {wanted} in the data for the time {shown(labelled[label])}.",
                hint=f"Columns: {listed(map(str, frame), limit=30, total=frame.shape[1])}.",
            )
    for v in values:
        if all(c is None for c in columns[v]):
            _refuse_stem(frame, v, names)
    return _Layout(columns, pandas.Index(list(labelled.values())))


def _spellings(values: tuple[str, ...], names: str) -> dict[str, list[Any]]:
    """For each of `values`, functions from a label to the wide column: SEM's name, then as is."""

    def speller(stem: str) -> Any:
        return lambda label: names.format(value=stem, time=label)

    return {
        value: [speller(stem), speller(value)]
        for value, stem in zip(values, stem_names(values), strict=True)
    }


def _matching(
    frame: pandas.DataFrame, id: str, value: str, values: tuple[str, ...], names: str
) -> dict[str, str]:
    """Wide columns of one long column by their label; numbers win over text."""
    stem = dict(zip(values, stem_names(values), strict=True))[value]
    pattern = ""
    for text, field, _, _ in Formatter().parse(names):
        pattern += re.escape(text)
        if field == "value":
            pattern += f"(?:{re.escape(stem)}|{re.escape(value)})"
        elif field == "time":
            pattern += r"(?P<time>[^\W_].*)" if "?P<time>" not in pattern else "(?P=time)"
    found: dict[str, str] = {}
    for column in frame.columns:
        match = re.fullmatch(pattern, column) if isinstance(column, str) else None
        if match is not None and column != id:
            found[match["time"]] = column
    numbers = {label: c for label, c in found.items() if parse_label(label) is not None}
    if not (numbers or found):
        _refuse_stem(frame, value, names)
    return numbers or found


def _refuse_stem(frame: pandas.DataFrame, value: str, names: str) -> None:
    families = stems(frame.columns)
    known = (
        f"Families of columns in the data: {listed(families)}."
        if families
        else f"Columns: {listed(map(str, frame), limit=30, total=frame.shape[1])}."
    )
    raise ColumnNotFoundError(
        f"There are no columns of {value!r} named as in {names!r}.",
        hint=f"{known} Say how they are named, as in names='{{value}}{{time}}', or name the times.",
    )


def _read_times(found: Mapping[str, Mapping[str, str]], labels: Iterable[str]) -> _Layout:
    import pandas

    numbers = {label: parse_label(label) for label in labels}
    read: dict[Any, list[str]] = {}
    if all(number is not None for number in numbers.values()):
        whole = all(float(n or 0).is_integer() for n in numbers.values())
        for label, number in numbers.items():
            read.setdefault(int(number or 0) if whole else number, []).append(label)
    else:
        read = {label: [label] for label in numbers}
    columns: dict[str, list[str | None]] = {}
    for value, family in found.items():
        columns[value] = []
        for when in sorted(read):
            here = [family[label] for label in read[when] if label in family]
            if len(here) > 1:
                raise DataError(
                    f"The columns {listed(here)} are both {value!r} at time {when}.",
                    hint="Drop or rename one of them.",
                )
            columns[value].append(here[0] if here else None)
    return _Layout(columns, pandas.Index(sorted(read)))


def _rows(
    frame: pandas.DataFrame, layout: _Layout
) -> tuple[NDArray[np.intp], NDArray[np.intp], pandas.Index[Any] | None]:
    """Person (wide row) and occasion of each long row, and row labels where remembered."""
    n, n_times = frame.shape[0], len(layout.occasions)
    everything = np.arange(n * n_times)
    form = layout.form
    if form is None:
        return everything // n_times, everything % n_times, None
    import pandas

    ids = pandas.Index(frame[form.id].array, dtype=frame[form.id].dtype)
    wide_row = ids.get_indexer(form.persons)
    cells = np.arange(len(form.persons) * n_times) if form.cells is None else form.cells
    person, occasion = wide_row[cells // n_times], cells % n_times
    here = person >= 0
    if not here.all():
        person, occasion = person[here], occasion[here]
    index = None if form.index is None else form.index[here]
    has_row = np.zeros((n, n_times), dtype=bool)
    has_row[person, occasion] = True
    if not has_row.all():
        wanted = np.zeros((n, n_times), dtype=bool)
        wanted[form.persons.get_indexer(ids) < 0] = True
        for columns in layout.columns.values():
            wanted |= np.column_stack([np.asarray(frame[c].notna()) for c in columns])
        added = np.flatnonzero(wanted & ~has_row)
        if added.size:
            person = np.concatenate((person, added // n_times))
            occasion = np.concatenate((occasion, added % n_times))
            index = None
    return person, occasion, index


def _stacked(
    frame: pandas.DataFrame,
    columns: Sequence[str | None],
    person: NDArray[np.intp],
    occasion: NDArray[np.intp],
) -> Any:
    import pandas
    from pandas.api.extensions import take

    n = frame.shape[0]
    present = [c for c in columns if c is not None]
    stack = pandas.concat([frame[c] for c in present], ignore_index=True)
    if len(present) == len(columns):
        return stack.array.take(occasion * n + person)
    start = np.full(len(columns), -1, dtype=np.intp)
    start[[c is not None for c in columns]] = np.arange(len(present)) * n
    at = np.where(start[occasion] < 0, -1, start[occasion] + person)
    if isinstance(stack.dtype, np.dtype):
        if stack.dtype.kind == "b":
            return stack.array.astype("boolean").take(at, allow_fill=True)
        return take(stack.to_numpy(), at, allow_fill=True)
    return stack.array.take(at, allow_fill=True)


def _restored(values: Any, dtype: np.dtype[Any] | None) -> Any:
    """Back to the remembered integer or boolean type where nothing would be lost."""
    if dtype is None or values.dtype == dtype:
        return values
    import pandas

    if values.dtype.kind not in "fiub" or np.asarray(pandas.isna(values)).any():
        return values
    back = np.asarray(values).astype(dtype, copy=False)
    return back if (back == np.asarray(values)).all() else values
