"""Why no variable of a model could be time, and which columns of the data could."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from growthmm.data.frames import codes
from growthmm.data.wording import listed, shown
from growthmm.errors import UnboundError, ValueColumnError

if TYPE_CHECKING:
    import pandas

__all__ = ["identifying_columns", "no_time", "refuse_text_among_numbers", "varying_numbers"]


def varying_numbers(frame: pandas.DataFrame, id: str, names: Iterable[str]) -> tuple[str, ...]:
    """The numeric ones among columns that change within a person.

    Parameters
    ----------
    frame : pandas.DataFrame
        Long data.
    id : str
        The column of persons.
    names : iterable of str
        The columns to look at.

    Returns
    -------
    tuple of str
        In the order given.
    """
    return tuple(name for name in names if name != id and _reason(frame, id, name) == "")


def identifying_columns(
    frame: pandas.DataFrame, id: str, leave_out: Sequence[str]
) -> tuple[str, ...]:
    """Numeric columns of the data that, with the person, identify rows.

    Parameters
    ----------
    frame : pandas.DataFrame
        Long data.
    id : str
        The column of persons.
    leave_out : sequence of str
        Columns that are no times: the outcome.

    Returns
    -------
    tuple of str
        Those with the fewest distinct values first: times are mostly shared.
    """
    person = codes(frame, id)[0]
    found = []
    for name in map(str, frame.columns):
        if name in leave_out or name not in frame.columns or not varying_numbers(frame, id, [name]):
            continue
        value, labels = codes(frame, name)
        key = person * (len(labels) + 1) + value
        if np.unique(key).size == key.size:
            found.append((len(labels), name))
    return tuple(name for _, name in sorted(found, key=lambda pair: pair[0]))


def no_time(
    frame: pandas.DataFrame, id: str, names: Iterable[str], outcomes: Sequence[str]
) -> UnboundError:
    """The error that no variable of the model could be time: why not, and what could.

    Parameters
    ----------
    frame : pandas.DataFrame
        Long data.
    id : str
        The column of persons.
    names : iterable of str
        The model's variables.
    outcomes : sequence of str
        The columns of the response.

    Returns
    -------
    UnboundError
        To be raised.
    """
    reasons = [
        f"{name!r} {_reason(frame, id, name) or 'has a value twice within a person'}"
        for name in names
        if name != id
    ]
    because = f": {'; '.join(reasons[:5])}" if reasons else ""
    candidates = identifying_columns(frame, id, outcomes)
    hint = (
        f"Columns of the data that do: {listed(candidates)}. Name the one that is time: --time "
        f"{candidates[0]} (time=)."
        if candidates
        else "Name the column of times with --time (time=); rows that stand twice make it none."
    )
    return UnboundError(
        f"No numeric variable of the model identifies rows together with {id!r}{because}.",
        missing=("time",),
        hint=hint,
    )


def refuse_text_among_numbers(frame: pandas.DataFrame, names: Iterable[str]) -> None:
    """Refuse a column of numbers that some text has made a column of text.

    Read as categories it would silently become another model.

    Parameters
    ----------
    frame : pandas.DataFrame
        The data.
    names : iterable of str
        Columns that are meant to be numbers: times and variables with random slopes.

    Raises
    ------
    ValueColumnError
        If a column of text has values that read as numbers and some that do not.
    """
    import pandas

    for name in names:
        kind = pandas.api.types
        column = frame[name]
        if isinstance(column.dtype, pandas.CategoricalDtype) or kind.is_numeric_dtype(column.dtype):
            continue
        values = column.dropna()
        if not values.map(lambda value: isinstance(value, str)).any():
            continue
        read = pandas.to_numeric(values, errors="coerce")
        bad = values[read.isna()]
        if 0 < len(bad) < len(values):
            rows = np.flatnonzero(column.isin(bad).to_numpy())
            raise ValueColumnError(
                f"The column {name!r} must hold numbers, but has {shown(bad.iloc[0])} "
                f"(row {int(rows[0]) + 1}){f' and {len(bad) - 1} more' if len(bad) > 1 else ''}.",
                hint=f"Recode or drop these values, or write factor({name}) for categories.",
            )


def _reason(frame: pandas.DataFrame, id: str, name: str) -> str:
    """Why a column is no time, or an empty string where nothing speaks against it."""
    import pandas

    kind = pandas.api.types
    column = frame[name]
    if not kind.is_numeric_dtype(column.dtype) or kind.is_bool_dtype(column.dtype):
        what = "dates" if kind.is_datetime64_any_dtype(column.dtype) else "no numbers"
        return f"holds {what}"
    person, value = codes(frame, id)[0], codes(frame, name)[0]
    good = (person >= 0) & (value >= 0)
    first = np.full(int(person.max(initial=0)) + 1, -1)
    first[person[good]] = value[good]
    if (first[person[good]] == value[good]).all():
        return "does not change within a person"
    return ""
