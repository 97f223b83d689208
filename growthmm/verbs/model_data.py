"""The data file that a model's own text names, read as its program reads it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from growthmm.data.files import read_frame
from growthmm.data.named import read_delimited, read_free, read_stata, with_codes
from growthmm.errors import DataError, SpecificationError
from growthmm.model.defaults import Assumption
from growthmm.model.mixed import MixedModel
from growthmm.model.sem import SemModel
from growthmm.notation.data_source import (
    DataSource,
    named_by_r,
    named_by_sas,
    named_by_spss,
    named_by_stata,
)
from growthmm.verbs.source import Source

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["NamedData", "named_data", "named_source", "own_data"]


@dataclass(frozen=True)
class NamedData:
    """Data that a model's text names.

    Parameters
    ----------
    path : Path
        The file.
    frame : DataFrame
        What it holds.
    csv : bool
        Whether a written program can read it as it is: a CSV file with names.
    name : str
        The file as the text names it.
    """

    path: Path
    frame: pd.DataFrame
    csv: bool
    name: str

    @property
    def note(self) -> Assumption:
        """That these data were used."""
        n_rows, n_columns = self.frame.shape
        why = "the model's text names the file"
        if not self.csv:
            why += "; a written program needs it as a CSV file with names"
        what = f"the data are {self.name} ({n_rows} rows, {n_columns} columns)"
        return Assumption(what, why)


def own_data(read: Source) -> NamedData:
    """The data that the text of a model's file names, where none were given.

    Parameters
    ----------
    read : Source
        The model as it was handed in.

    Raises
    ------
    SpecificationError
        If it is no file, or names no data.
    DataError
        If the data are not there, or cannot be read.
    """
    found = None if read.folder is None else named_source(read.text, read.model)
    if found is None or read.folder is None:
        raise SpecificationError(
            "No data were given, and the model's text names no file that holds any.",
            hint="Give data: --data FILE (data=).",
        )
    return named_data(found, read.folder)


def named_source(text: str, model: MixedModel | SemModel) -> DataSource | None:
    """The file that a text names, or None.

    Parameters
    ----------
    text : str
        The model's text.
    model : MixedModel or SemModel
        What was read from it.
    """
    if model.notation == "mplus":
        from growthmm.notation.mplus.data import data_source

        return data_source(text)
    if model.notation == "sas":
        return named_by_sas(text)
    if model.notation == "stata":
        return named_by_stata(text)
    if model.notation == "spss":
        return named_by_spss(text)
    return named_by_r(text, model.data)


def named_data(source: DataSource, folder: Path) -> NamedData:
    """Read the file that a model's text names.

    Parameters
    ----------
    source : DataSource
        What the text says of it.
    folder : Path
        Where relative paths start: the folder of the model's file.

    Raises
    ------
    DataError
        If there is no such file, its format is not read, or it does not fit.
    """
    path = Path(source.path.replace("\\", "/")).expanduser()
    path = path if path.is_absolute() else folder / path
    if not path.is_file():
        raise DataError(
            f"The data file {source.path!r} that the model names is not in {str(folder)!r}.",
            hint="Put it there, or give the data: --data FILE.",
        )
    if source.format in ("spss", "sas"):
        raise DataError(
            f"The data file {source.path!r} is of a kind that growthmm does not read.",
            hint="Export it as CSV, and give that: --data FILE.",
        )
    if source.format == "stata":
        return NamedData(path, read_stata(path), csv=False, name=source.path)
    if source.format == "free":
        frame = read_free(path, source.names, separator=source.separator, skip=source.skip)
    elif source.separator == "," and not source.missing:
        return NamedData(path, _plain(path), csv=True, name=source.path)
    else:
        frame = read_delimited(path, source.separator)
    codes = [(code.code, code.columns) for code in source.missing]
    return NamedData(path, with_codes(frame, codes), csv=False, name=source.path)


def _plain(path: Path) -> pd.DataFrame:
    return read_frame(path) if path.suffix.lower() == ".csv" else read_delimited(path)
