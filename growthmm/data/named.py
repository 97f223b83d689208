"""Data files as other programs read them: free format, codes of missing values, program files."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from growthmm.errors import DataError

if TYPE_CHECKING:
    import pandas

__all__ = ["read_delimited", "read_free", "read_stata", "with_codes"]


def read_free(
    path: Path, names: Sequence[str], *, separator: str = " ", skip: int = 0
) -> pandas.DataFrame:
    """Read numbers between blanks, tabs or commas, without a line of names.

    Parameters
    ----------
    path : Path
        The file.
    names : sequence of str
        The columns, in order. A row may stand on several lines (Mplus reads on to the next).
    separator : {" ", ","}
        With ``","`` an empty field is a missing value.
    skip : int
        Lines before the first row.

    Returns
    -------
    pandas.DataFrame
        Cells as text.

    Raises
    ------
    DataError
        If the file can't be read, or its cells do not fill rows of these columns.
    """
    import pandas

    try:
        text = path.read_bytes().decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(
            f"The data file {str(path)!r} cannot be read: {error}.", hint="Check the path."
        ) from None
    lines = [line for line in text.splitlines()[skip:] if line.strip()]
    comma = separator == "," and any("," in line for line in lines)
    split = (
        [[cell.strip().strip("\"'") for cell in line.split(",")] for line in lines]
        if comma
        else [re.split(r"[\s,]+", line.strip(" \t,")) for line in lines]
    )
    width = len(names)
    rows = split if all(len(row) == width for row in split) else _joined(split, width, path, skip)
    if not rows:
        raise DataError(f"The data file {str(path)!r} has no rows.", hint="Check the path.")
    return pandas.DataFrame(rows, columns=list(names), dtype=str)


def _joined(split: list[list[str]], width: int, path: Path, skip: int) -> list[list[str]]:
    """Rows that stand on several lines each."""
    rows: list[list[str]] = []
    open_row: list[str] = []
    for number, cells in enumerate(split, skip + 1):
        open_row += cells
        if len(open_row) > width:
            raise DataError(
                f"Line {number} of {str(path)!r} has {len(cells)} cells, and a row has {width} "
                "columns.",
                hint="Let NAMES list every column of the file, in order.",
            )
        if len(open_row) == width:
            rows.append(open_row)
            open_row = []
    if open_row:
        raise DataError(
            f"The last row of {str(path)!r} has {len(open_row)} cells, and a row has {width} "
            "columns.",
            hint="Let NAMES list every column of the file, in order.",
        )
    return rows


def read_delimited(path: Path, separator: str = ",") -> pandas.DataFrame:
    """Read a table whose first line holds the names; `separator` ``" "`` is any blank.

    Raises
    ------
    DataError
        If it cannot be read.
    """
    import pandas

    try:
        pattern = r"\s+" if separator == " " else separator
        return pandas.read_csv(path, sep=pattern)
    except (OSError, ValueError) as error:
        raise DataError(
            f"The data file {str(path)!r} cannot be read: {error}.", hint="Check the file."
        ) from None


def read_stata(path: Path) -> pandas.DataFrame:
    """Read a ``.dta`` file.

    Raises
    ------
    DataError
        If it cannot be read.
    """
    import pandas

    try:
        return pandas.read_stata(path, convert_categoricals=True)
    except (OSError, ValueError) as error:
        raise DataError(
            f"The data file {str(path)!r} cannot be read: {error}.",
            hint="Save it in a format from Stata 8 or later, or export it as CSV.",
        ) from None


def with_codes(
    frame: pandas.DataFrame, codes: Sequence[tuple[str, Sequence[str]]]
) -> pandas.DataFrame:
    """The frame with codes replaced by missing values, columns of numbers as numbers.

    Parameters
    ----------
    frame : pandas.DataFrame
        The data.
    codes : sequence of (str, sequence of str)
        Each code, and the columns that it holds for (all where empty). Numbers are compared as
        numbers: ``-99`` is ``-99.000`` too.

    Examples
    --------
    >>> import pandas as pd
    >>> with_codes(pd.DataFrame({"y": ["1", "-99.0"]}), [("-99", [])])["y"].isna().tolist()
    [False, True]
    """
    import numpy as np
    import pandas

    made = {}
    for name in frame.columns:
        column = frame[name]
        numbers = pandas.to_numeric(column, errors="coerce")
        gone = np.zeros(len(frame), dtype=bool)
        for code, columns in codes:
            if columns and name not in columns:
                continue
            gone |= (column.astype(str).str.strip() == code).to_numpy()
            value = pandas.to_numeric(pandas.Series([code]), errors="coerce")[0]
            if np.isfinite(value):
                gone |= (numbers == value).to_numpy()
        shown = column.astype(str).str.strip().isin(["", "NA", "nan", "None"]).to_numpy()
        textual = (numbers.isna().to_numpy() & ~gone & ~shown & column.notna().to_numpy()).any()
        made[name] = column.mask(gone | shown) if textual else numbers.mask(gone)
    return pandas.DataFrame(made)
