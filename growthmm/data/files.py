"""CSV and Parquet files as pandas frames, with one clear error for each way to go wrong."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from growthmm.data.wording import listed, nearest
from growthmm.errors import DataError

if TYPE_CHECKING:
    import pandas

__all__ = ["ENDINGS", "read_frame"]

ENDINGS = (".csv", ".csv.gz", ".tsv", ".parquet", ".pq")
"""File endings that are understood."""


def read_frame(path: str | Path) -> pandas.DataFrame:
    """Read a CSV, TSV or Parquet file.

    The first column of a text file is left out where it has no name: those are the row labels
    that R and pandas write unless told not to.

    Parameters
    ----------
    path : str or Path
        The file; its ending says what it is.

    Returns
    -------
    pandas.DataFrame
        Its contents, with a fresh row index.

    Raises
    ------
    DataError
        If there is no such file, its ending is unknown, or it is empty or cannot be read.
    """
    file = Path(path)
    name = file.name.lower()
    if not file.is_file():
        _refuse_missing(file)
    if not name.endswith(ENDINGS):
        raise DataError(
            f"The file {str(path)!r} has the ending {file.suffix!r}, which is not understood.",
            hint=f"Endings that are: {', '.join(ENDINGS)}. "
            "Read other formats yourself and pass the frame.",
        )
    if file.stat().st_size == 0:
        raise DataError(f"The file {str(path)!r} is empty.", hint="Check how it was written.")
    frame = _parquet(file) if name.endswith((".parquet", ".pq")) else _text(file)
    if frame.shape[0] == 0:
        columns = "1 column" if frame.shape[1] == 1 else f"{frame.shape[1]} columns"
        raise DataError(
            f"The file {str(path)!r} has {columns} but no rows.",
            hint="Check how it was written.",
        )
    return frame


def _refuse_missing(file: Path) -> None:
    if file.is_dir():
        raise DataError(f"{str(file)!r} is a folder.", hint="Name one file in it.")
    folder = file.parent
    if not folder.is_dir():
        raise DataError(
            f"There is no file {str(file)!r}: its folder does not exist.", hint="Check the path."
        )
    suggestion = nearest(file.name, (p.name for p in folder.iterdir() if p.is_file()))
    raise DataError(
        f"There is no file {str(file)!r}.",
        hint=f"{suggestion}Relative paths start at {str(Path.cwd())!r}.",
    )


def _text(file: Path) -> pandas.DataFrame:
    import pandas

    separator = "\t" if file.name.lower().endswith(".tsv") else ","
    if not file.name.lower().endswith(".gz"):
        with file.open("rb") as stream:
            if b"\0" in stream.read(4096):
                raise DataError(
                    f"The file {str(file)!r} is binary, not text.",
                    hint="Save it as UTF-8 text with commas.",
                )
    try:
        header = pandas.read_csv(
            file, sep=separator, skipinitialspace=True, header=None, nrows=1, dtype=str
        )
        frame = pandas.read_csv(file, sep=separator, skipinitialspace=True, low_memory=False)
    except pandas.errors.EmptyDataError as error:
        raise DataError(
            f"The file {str(file)!r} holds no columns.", hint="Check how it was written."
        ) from error
    except UnicodeDecodeError as error:
        raise DataError(
            f"The file {str(file)!r} is not UTF-8 text: {error.reason} at byte {error.start}.",
            hint="Save it as UTF-8, or read it yourself and pass the frame.",
        ) from error
    except (pandas.errors.ParserError, OSError, ValueError) as error:
        raise DataError(
            f"The file {str(file)!r} cannot be read as a table: {str(error).strip()}.",
            hint="Every line needs as many fields as the header.",
        ) from error
    only = str(frame.columns[0])
    if frame.shape[1] == 1 and (found := next((s for s in (";", "\t", "|") if s in only), None)):
        raise DataError(
            f"The file {str(file)!r} has one column, {only!r}: its fields look separated by "
            f"{found!r}.",
            hint="Write it with commas, or read it yourself and pass the frame.",
        )
    titles = header.iloc[0].dropna()
    if not titles.is_unique:
        twice = sorted(set(titles[titles.duplicated()]))
        raise DataError(
            f"The file {str(file)!r} has several columns called {listed(twice)}.",
            hint="Rename or drop all but one.",
        )
    return frame.iloc[:, 1:] if only == "Unnamed: 0" and frame.shape[1] > 1 else frame


def _parquet(file: Path) -> pandas.DataFrame:
    import pandas

    try:
        return pandas.read_parquet(file)
    except ImportError as error:
        raise DataError(
            f"Reading {str(file)!r} needs pyarrow, which is not installed.",
            hint="pip install pyarrow, or write the data as CSV.",
        ) from error
    except (OSError, ValueError) as error:
        raise DataError(
            f"The file {str(file)!r} cannot be read as Parquet: {error}",
            hint="Check how it was written.",
        ) from error
