"""Whether long data can be fitted at all, with one clear error for each way they can't."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from growthmm.data.frames import factorise, numeric_column, require_columns
from growthmm.data.keys import refuse_duplicates, refuse_missing, row_keys
from growthmm.data.wording import shown
from growthmm.errors import (
    DataError,
    TooFewOccasionsError,
    TooFewSubjectsError,
    ValueColumnError,
)

if TYPE_CHECKING:
    import pandas

__all__ = ["check_long"]

LARGEST = 1e140
"""Outcomes beyond it are refused: sums of their squares would overflow."""

GLANCE = 1024
"""Rows that are looked at before all are."""

PERSONS = 4


def check_long(
    frame: pandas.DataFrame, *, id: str, time: str | None, outcome: str, wide_form: bool
) -> None:
    """Check long data before a growth model is fitted to them.

    Parameters
    ----------
    frame : pandas.DataFrame
        Long data.
    id : str
        Column of person.
    time : str or None
        Column of time; None where the model needs none.
    outcome : str
        Column of the outcome.
    wide_form : bool
        Whether a wide form is needed, so that a (person, time) pair may stand only once.

    Raises
    ------
    ColumnNotFoundError
        If a column is not there.
    DataError
        If there are no rows.
    MissingKeyError
        If a row has no person or no time.
    ValueColumnError
        If the outcome or time is not numeric or has infinite values, or the outcome is missing
        everywhere or is the same everywhere.
    TooFewSubjectsError
        If fewer than two persons have an outcome.
    TooFewOccasionsError
        If outcomes stand at fewer than two times.
    DuplicateOccasionError
        If `wide_form` and a (person, time) pair stands in more than one row.

    Examples
    --------
    >>> import pandas
    >>> long = pandas.DataFrame({"id": [1, 1, 2], "t": [0, 1, 1], "y": [2.0, 3.0, 5.0]})
    >>> check_long(long, id="id", time="t", outcome="y", wide_form=True)
    """
    require_columns(frame, [id, outcome, *([] if time is None else [time])])
    if len(frame) == 0:
        raise DataError("The data have no rows.", hint="Check what was read or filtered.")
    refuse_missing(frame, id)
    if time is not None:
        refuse_missing(frame, time)
        numeric_column(frame, time)
    values = numeric_column(frame, outcome)
    clock = None if time is None else numeric_column(frame, time)
    # Whatever is wrong with data as a whole is wrong with their first rows: most often these
    # clear all of it, and only the size of values is left to look at.
    if _fine(frame[id], values, clock):
        _check_size(values, outcome)
    else:
        _check_whole(frame, (id, time, outcome), values, clock)
    if wide_form and time is not None:
        keys = row_keys(frame, id, time)
        if not keys.complete:
            refuse_duplicates(keys, id, time)


def _fine(
    person: pandas.Series[Any], values: NDArray[np.float64], clock: NDArray[np.float64] | None
) -> bool:
    """Whether two persons, two times and a change within a person are seen at a glance."""
    observed = ~np.isnan(values[:GLANCE])
    seen = values[:GLANCE][observed]
    numbered = _codes(person)[observed]
    if seen.size < 3 or not (numbered != numbered[0]).any():
        return False
    if clock is not None:
        times = clock[:GLANCE][observed]
        if not (times != times[0]).any():
            return False
    return _changes(seen, numbered) or _one_changes(person, values)


def _codes(person: pandas.Series[Any]) -> NDArray[np.intp]:
    """Persons of the first rows as numbers."""
    if isinstance(person.dtype, np.dtype) and person.dtype.kind in "iu":
        numbers = person.to_numpy()[:GLANCE]
        if (numbers[1:] >= numbers[:-1]).all():
            rises = np.zeros(len(numbers), dtype=np.intp)
            np.cumsum(numbers[1:] != numbers[:-1], out=rises[1:])
            return rises
    return factorise(person.iloc[:GLANCE])[0]


def _one_changes(person: pandas.Series[Any], values: NDArray[np.float64]) -> bool:
    """Whether the outcome of one of the first persons changes, wherever their rows are."""
    if not isinstance(person.dtype, np.dtype) or person.dtype.kind not in "iu":
        return False
    numbers = person.to_numpy()
    for number in numbers[:PERSONS]:
        own = values[numbers == number]
        own = own[~np.isnan(own)]
        if own.size and bool((own != own[0]).any()):
            return True
    return False


def _changes(seen: NDArray[np.float64], person: NDArray[np.intp]) -> bool:
    value = np.empty(int(person.max()) + 1)
    value[person] = seen
    return not (value[person] == seen).all()


def _check_whole(
    frame: pandas.DataFrame,
    names: tuple[str, str | None, str],
    values: NDArray[np.float64],
    clock: NDArray[np.float64] | None,
) -> None:
    id, time, outcome = names
    observed = ~np.isnan(values)
    _check_outcome(values, observed, outcome)
    person, _ = factorise(frame[id])
    n_persons = np.count_nonzero(np.bincount(person[observed]))
    if n_persons < 2:
        only = frame[id].iloc[int(np.flatnonzero(observed)[0])]
        raise TooFewSubjectsError(
            f"Only one person ({id} {shown(only)}) has a value of {outcome!r}.",
            hint=f"Growth models need several persons: is {id!r} the column of persons?",
        )
    seen = values[observed]
    if seen.size > n_persons and not _changes(seen, person[observed]):
        raise ValueColumnError(
            f"The outcome {outcome!r} is the same at all times of every person.",
            hint="An outcome that does not change has no growth to model: name another column.",
        )
    if clock is not None and (clock[observed] == clock[observed][0]).all():
        raise TooFewOccasionsError(
            f"All values of {outcome!r} are at one time, {time} {shown(clock[observed][0])}.",
            hint=f"Growth needs two occasions or more: is {time!r} the column of time, and are "
            "the data long (a row for each person and time)?",
        )


def _check_outcome(values: NDArray[np.float64], observed: NDArray[np.bool_], outcome: str) -> None:
    if not observed.any():
        raise ValueColumnError(
            f"The outcome {outcome!r} is missing in all {values.size} rows.",
            hint="Name another column, or check how missing values were read.",
        )
    seen = values[observed]
    if seen.size > 1 and (seen == seen[0]).all():
        raise ValueColumnError(
            f"The outcome {outcome!r} is {shown(seen[0])} in all {seen.size} rows that have one.",
            hint="An outcome that does not vary has no growth to model: name another column.",
        )
    _check_size(values, outcome)


def _check_size(values: NDArray[np.float64], outcome: str) -> None:
    with np.errstate(over="ignore"):
        squares = float(values @ values)
    if squares <= LARGEST**2:
        return
    largest = float(np.nanmax(np.abs(values)))
    if largest > LARGEST:
        raise ValueColumnError(
            f"The outcome {outcome!r} has values as large as {largest:.3g}, whose squares no "
            "computer adds up.",
            hint="Divide the column by a power of ten first.",
        )
