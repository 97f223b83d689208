"""What a wide frame remembers of the long one that it was made from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas

__all__ = ["ATTRIBUTE", "LongForm", "Memory", "remembered"]

ATTRIBUTE = "growthmm"
"""The key in ``DataFrame.attrs``."""


@dataclass(frozen=True, eq=False)
class LongForm:
    """What cells of a wide frame can't carry.

    Parameters
    ----------
    id, time : str
        Columns of person and time.
    values : tuple of str
        Columns that went wide.
    wide : mapping of str to tuple of str
        Wide columns of each of `values`, one for each occasion.
    columns : tuple
        All long columns, in order.
    persons : (n_subjects,) pandas.Index
        Persons, in the order of the wide rows.
    occasions : (n_times,) pandas.Index
        Occasions, of the type of the long time column.
    cells : (n_rows,) ndarray of int, optional
        Position of each long row in a flat (n_subjects, n_times) matrix; None where every cell
        has a row and rows run person by person.
    index : pandas.Index, optional
        Row labels; None where they count from 0.
    dtypes : mapping of str to numpy.dtype
        Types of the integer and boolean columns among `values`.
    """

    id: str
    time: str
    values: tuple[str, ...]
    wide: Mapping[str, tuple[str, ...]]
    columns: tuple[Any, ...]
    persons: pandas.Index[Any]
    occasions: pandas.Index[Any]
    cells: NDArray[np.intp] | None
    index: pandas.Index[Any] | None
    dtypes: Mapping[str, np.dtype[Any]]


class Memory(dict[str, object]):
    """A plain summary, as ``attrs`` can be compared and written to files, holding a LongForm.

    pandas copies ``attrs`` deeply at every operation; as nothing here changes, a copy is the same
    object. A file keeps the summary only.
    """

    def __init__(self, form: LongForm) -> None:
        super().__init__(layout="wide", id=form.id, time=form.time, values=list(form.values))
        self.form = form

    def __deepcopy__(self, memo: dict[int, object]) -> Memory:
        return self

    def __reduce__(self) -> tuple[type[Memory], tuple[LongForm]]:
        return Memory, (self.form,)


def remembered(
    frame: pandas.DataFrame, id: str, time: str, wide: Mapping[str, Sequence[str]]
) -> LongForm | None:
    """The long form behind `frame`, where it is about these columns and they are all there.

    Parameters
    ----------
    frame : pandas.DataFrame
        A wide frame.
    id, time : str
        Columns of person and time.
    wide : mapping of str to sequence of str
        For each long column asked for, how its wide columns would be called at the remembered
        occasions; empty to take the remembered names.

    Returns
    -------
    LongForm or None
        None where nothing is remembered, or it is about something else.
    """
    memory = frame.attrs.get(ATTRIBUTE)
    form = memory.form if isinstance(memory, Memory) else None
    if form is None or (form.id, form.time) != (id, time):
        return None
    for value, columns in wide.items():
        expected = form.wide.get(value)
        if expected is None or (columns and tuple(columns) != expected):
            return None
        if not set(expected) <= set(frame.columns):
            return None
    return form
