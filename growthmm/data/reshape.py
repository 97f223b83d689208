"""Long data to wide and back, without loss."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from growthmm.data.frames import codes, numeric_column, require_columns
from growthmm.data.kinds import give_back, take_in
from growthmm.data.names import (
    TEMPLATE,
    check_template,
    sem_name,
    stems,
    wide_columns,
)
from growthmm.data.stacked import stack_columns, unstacked
from growthmm.data.visits import visit_numbers
from growthmm.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["sem_name", "stems", "to_long", "to_wide", "wide_columns"]

VISIT = "visit"
"""What stands for time where columns are numbered by visit."""
VALUE = "value"
"""The column of the values of stacked rows."""


def to_wide(
    data: object,
    *,
    id: str,
    time: str,
    values: str | Sequence[str],
    names: str = TEMPLATE,
    visits: bool = False,
    stack: str | None = None,
) -> Any:
    """Long data (a row for each person and occasion) as wide (a row for each person).

    Persons stand in order of first appearance, occasions in order of time (text by the numbers in
    it, categories as declared). Every column that is not named stays as it is, once a person.
    Integers become floating-point numbers where a person lacks an occasion (nullable integers
    where floating-point numbers could not hold them), booleans nullable ones.

    Parameters
    ----------
    data : frame, str or Path
        Long data of any kind, rows in any order.
    id, time : str
        Columns of person and time, of any type.
    values : str or sequence of str
        Columns that vary within persons: the outcome and time-varying covariates.
    names : str
        Names of the wide columns: ``{value}`` stands for the column (as a name that every SEM
        notation accepts), ``{time}`` for the time as :func:`sem_name` writes it.
    visits : bool
        Number columns by visit (a person's first, second, ... row in order of time) in place of
        time, which then goes wide itself: the layout for individually varying times. Rows
        without a time, or without the first of `values`, are no visits.
    stack : str, optional
        Of stacked rows (a row for each person, occasion and outcome): the column that says whose
        value a row holds. `values` is then the one column of the values, and the outcomes' names
        stand for it in the wide columns' names.

    Returns
    -------
    frame
        Of the kind that came in (pandas where it was a file): `id`, the person-level columns,
        then each of `values` at all its occasions. A pandas frame carries in
        ``attrs["growthmm"]`` what its cells can't (row order, absent rows, types), from which
        :func:`to_long` makes exactly the long frame again; other libraries have no such place,
        and files keep only a summary.

    Raises
    ------
    ColumnNotFoundError
        If a column is not there.
    MissingKeyError
        If a row has no person or no time.
    DuplicateOccasionError
        If a (person, time) pair stands in more than one row.
    NotTimeInvariantError
        If a column outside `values` varies within a person.
    DataError
        If there are no rows, or column names would clash.

    Examples
    --------
    >>> import pandas
    >>> long = pandas.DataFrame(
    ...     {"id": ["a", "a", "b"], "t": [0, 1, 1], "y": [2.0, 3.0, 5.0], "sex": ["f", "f", "m"]}
    ... )
    >>> to_wide(long, id="id", time="t", values="y")
      id sex  y_0  y_1
    0  a   f  2.0  3.0
    1  b   m  NaN  5.0
    """
    from growthmm.data.widening import widen

    frame, kind = take_in(data)
    names_of_values = _as_tuple(values)
    _check_frame(frame, id, time, names_of_values)
    require_columns(frame, [id, time, *names_of_values])
    if visits:
        if VISIT in frame.columns and VISIT not in names_of_values:
            frame = frame.drop(columns=VISIT)
        numbers = visit_numbers(codes(frame, id)[0], *_seen(frame, id, time, names_of_values[0]))
        kept = numbers >= 0
        frame = frame[kept].assign(**{VISIT: numbers[kept] + 1}).reset_index(drop=True)
        names_of_values, time = (time, *names_of_values), VISIT
    if stack is not None:
        frame, names_of_values = unstacked(frame, (id, time, stack), names_of_values)
    check_template(names, len(names_of_values))
    wide, origins = widen(frame, id, time, names_of_values, names)
    return give_back(wide, kind, origins)


def _seen(frame: Any, id: str, time: str, value: str) -> tuple[Any, Any]:
    """Times, and rows that are visits."""
    times = numeric_column(frame, time)
    return times, (codes(frame, id)[0] >= 0) & np.isfinite(times) & frame[value].notna().to_numpy()


def to_long(
    data: object,
    *,
    id: str,
    time: str,
    values: str | Sequence[str],
    names: str = TEMPLATE,
    times: Sequence[object] | Mapping[str, object] | None = None,
    stack: str | None = None,
) -> Any:
    """Wide data (a row for each person) as long (a row for each person and occasion).

    A pandas frame that :func:`to_wide` made gives back the long frame it was made from: rows in
    their order, absent rows absent, types restored; persons and cells added since get rows of
    their own at the end, persons dropped since have none. Any other frame gives a row for each
    person and occasion, person by person in order of time, with missing cells kept.

    Parameters
    ----------
    data : frame, str or Path
        Wide data of any kind.
    id : str
        Column of person, no value twice.
    time : str
        Name of the time column to make.
    values : str or sequence of str
        Names of the long columns to make: the stems of the wide columns.
    names : str
        How the wide columns are named, as in :func:`to_wide`; ``"{value}{time}"`` for ``y1``.
    times : sequence, or mapping of str to value, optional
        The occasions: their times, whose columns must be there for at least one of `values`; or
        for each ``{time}`` as it stands in the column names the time that it means. Read from
        the column names where None: numbers where they are, otherwise text.
    stack : str, optional
        Name of a column to make that says whose value a row holds: each of `values` gets rows of
        its own, with its value in the column ``value``.

    Returns
    -------
    frame
        Of the kind that came in (pandas where it was a file).

    Raises
    ------
    ColumnNotFoundError
        If a column is not there, or no column belongs to one of `values`.
    MissingKeyError
        If a row has no person.
    DuplicateOccasionError
        If a person stands in more than one row.
    DataError
        If there are no rows, or column names would clash.

    Examples
    --------
    >>> import pandas
    >>> wide = pandas.DataFrame({"id": [7, 8], "y1": [2.0, None], "y2": [3.0, 5.0]})
    >>> to_long(wide, id="id", time="t", values="y", names="{value}{time}", times={"1": 0, "2": 1})
       id  t    y
    0   7  0  2.0
    1   7  1  3.0
    2   8  0  NaN
    3   8  1  5.0

    Two outcomes, a row each:

    >>> two = pandas.DataFrame({"id": [7], "a_0": [2.0], "a_1": [3.0], "b_0": [4.0], "b_1": [5.0]})
    >>> to_long(two, id="id", time="t", values=["a", "b"], stack="outcome")
       id  t outcome  value
    0   7  0       a    2.0
    1   7  1       a    3.0
    2   7  0       b    4.0
    3   7  1       b    5.0
    """
    from growthmm.data.lengthening import lengthen

    frame, kind = take_in(data)
    names_of_values = _as_tuple(values)
    _check_frame(frame, id, time, names_of_values)
    require_columns(frame, [id])
    check_template(names, len(names_of_values))
    long, origins = lengthen(frame, id, time, names_of_values, names=names, times=times)
    if stack is not None:
        long = stack_columns(
            long, id=id, time=time, outcomes=names_of_values, indicator=stack, value=VALUE
        )
        origins[VALUE] = origins[names_of_values[0]]
    return give_back(long, kind, origins)


def _as_tuple(values: str | Sequence[str]) -> tuple[str, ...]:
    named = (values,) if isinstance(values, str) else tuple(values)
    if not named:
        raise DataError("No value column is named.", hint="Name the outcome: values='gpa'.")
    if len(set(named)) < len(named):
        twice = next(v for v in named if named.count(v) > 1)
        raise DataError(f"The value column {twice!r} is named twice.", hint="Name it once.")
    return named


def _check_frame(frame: Any, id: str, time: str, values: tuple[str, ...]) -> None:
    if id == time:
        raise DataError(f"Person and time are the same column, {id!r}.", hint="Name two columns.")
    if clash := next((v for v in values if v in (id, time)), None):
        raise DataError(
            f"The column {clash!r} cannot be both a key and a value.",
            hint="values= names the outcome and time-varying covariates only.",
        )
    if not frame.columns.is_unique:
        twice = list(frame.columns[frame.columns.duplicated()])
        raise DataError(
            f"More than one column is called {twice[0]!r}.", hint="Rename or drop all but one."
        )
    if frame.shape[0] == 0:
        raise DataError("The data have no rows.", hint="Check what was read or filtered.")
