"""The groups of persons that a column of data makes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from growthmm.data.frames import codes, require_columns
from growthmm.data.levels import column_levels, plain
from growthmm.model.schema import Grouping

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["grouping_of"]


def grouping_of(frame: pd.DataFrame, name: str) -> Grouping:
    """The groups that a column of data makes.

    Parameters
    ----------
    frame : DataFrame
        Long or wide data.
    name : str
        The column.

    Raises
    ------
    ColumnNotFoundError
        If there is no such column.
    """
    require_columns(frame, [name])
    found = tuple(plain(value) for value in codes(frame, name)[1])
    levels = column_levels(frame, name)
    if levels is None:
        levels = tuple(sorted(found))
    order = tuple(level for level in found if level in levels)
    return Grouping(name, tuple(v for v in levels if v in order), () if order == levels else order)
