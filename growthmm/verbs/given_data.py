"""The data that a verb works on: handed in, or named by the model's text."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from growthmm.model.defaults import Assumption
from growthmm.verbs.source import Source

__all__ = ["GivenData", "given_data"]


@dataclass(frozen=True)
class GivenData:
    """A model's data: as handed in, or those that its text names.

    Parameters
    ----------
    data : object
        The data.
    path : str, optional
        The file, where a written program can read it as it is.
    notes : tuple of Assumption
        That the text's own data were used.
    """

    data: object
    path: str | None = None
    notes: tuple[Assumption, ...] = ()


def given_data(read: Source, data: object | None) -> GivenData:
    """The data as handed in; where there are none, those that the model's text names.

    Parameters
    ----------
    read : Source
        The model as it was handed in.
    data : data frame, path or Moments, optional
        Its data.

    Raises
    ------
    SpecificationError, DataError
        As :func:`~growthmm.verbs.model_data.own_data`, where no data are given.
    """
    if data is not None:
        return GivenData(data, str(data) if isinstance(data, (str, Path)) else None)
    from growthmm.verbs.model_data import own_data

    own = own_data(read)
    return GivenData(own.frame, str(own.path) if own.csv else None, (own.note,))
