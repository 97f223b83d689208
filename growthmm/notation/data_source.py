"""The data file that a program's text names, and how the program reads it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

__all__ = ["DataSource", "Format", "MissingCode", "named_by_r", "named_by_sas"]
__all__ += ["named_by_spss", "named_by_stata"]

Format = Literal["delimited", "free", "stata", "spss", "sas"]

_QUOTED = r"(?:\"([^\"\n]+)\"|'([^'\n]+)')"


@dataclass(frozen=True, slots=True)
class MissingCode:
    """A value that means that there is none.

    Parameters
    ----------
    code : str
        As written: ``"-99"``, ``"."``.
    columns : tuple of str
        In which columns; empty for all.
    """

    code: str
    columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DataSource:
    """A named data file.

    Parameters
    ----------
    path : str
        As written; relative paths start at the model's file.
    format : {"delimited", "free", "stata", "spss", "sas"}
        A table with its columns' names in the first line, numbers between blanks without names,
        or a program's own file.
    names : tuple of str
        The columns, where the file does not hold their names.
    separator : str
        Between columns of a delimited file.
    missing : tuple of MissingCode
        Codes of missing values.
    skip : int
        Lines before the first row, where `names` are given.
    """

    path: str
    format: Format = "delimited"
    names: tuple[str, ...] = ()
    separator: str = ","
    missing: tuple[MissingCode, ...] = ()
    skip: int = 0


def _quoted(match: re.Match[str], first: int = 1) -> str:
    return match[first] or match[first + 1]


def named_by_r(text: str, frame: str | None = None) -> DataSource | None:
    r"""The file of the one ``read.csv`` or ``read.table`` of a script, or that of a data frame.

    Parameters
    ----------
    text : str
        The script.
    frame : str, optional
        The data frame that the model is fitted to.

    Examples
    --------
    >>> named_by_r('d <- read.csv("gpa.csv")\nlmer(y ~ t + (t | id), d)').path
    'gpa.csv'
    """
    shown = re.sub(r"^\s*#[^\n]*", "", text, flags=re.M)
    pattern = re.compile(
        rf"(?:([\w.]+)\s*(?:<-|=)\s*)?\bread(?:\.|_)(csv2?|table|delim|tsv)\s*\(\s*"
        rf"(?:file\s*=\s*)?{_QUOTED}([^\n]*)"
    )
    found = list(pattern.finditer(shown))
    own = [match for match in found if frame is not None and match[1] == frame]
    chosen = own or found
    if len(chosen) != 1:
        return None
    match = chosen[0]
    rest = match[5]
    if match[2] == "csv2":
        return None
    if match[2] == "table" and not re.search(r"header\s*=\s*T(?:RUE)?\b", rest):
        return None
    comma = re.search(r"sep\s*=\s*[\"'],[\"']", rest) is not None
    separator = "," if match[2] == "csv" or comma else "\t"
    if match[2] == "table" and not comma:
        separator = " "
    codes = re.search(rf"na(?:\.strings)?\s*=\s*(?:c\()?\s*{_QUOTED}", rest)
    missing = (MissingCode(_quoted(codes)),) if codes else ()
    return DataSource(_quoted(match, 3), separator=separator, missing=missing)


def named_by_stata(text: str) -> DataSource | None:
    r"""The file of the last ``use``, ``import delimited`` or ``insheet`` before the model.

    Examples
    --------
    >>> named_by_stata('import delimited using "gpa.csv", clear\nmixed y t || id: t').path
    'gpa.csv'
    """
    shown = re.sub(r"^\s*\*[^\n]*|//[^\n]*|/\*.*?\*/", "", text, flags=re.M | re.S)
    start = re.search(r"^\s*(?:xt)?mixed\b|^\s*sem\b", shown, re.M)
    before = shown[: start.start()] if start else shown
    use = rf"^\s*use\s+(?:[^\n\"']*\busing\s+)?(?:{_QUOTED}|([\w./\\:~-]+))"
    import_ = (
        rf"^\s*(?:import\s+delim\w*|insheet)\s+(?:[^\n\"',]*\busing\s+)?"
        rf"(?:{_QUOTED}|([\w./\\:~-]+))"
    )
    found = [("stata", m) for m in re.finditer(use, before, re.M)]
    found += [("delimited", m) for m in re.finditer(import_, before, re.M)]
    if not found:
        return None
    kind, match = max(found, key=lambda pair: pair[1].start())
    path = match[1] or match[2] or match[3]
    ending = ".dta" if kind == "stata" else ".csv"
    path = path if re.search(r"\.\w+$", path) else path + ending
    return DataSource(path, "stata" if kind == "stata" else "delimited")


def named_by_sas(text: str) -> DataSource | None:
    """The file of a ``proc import``, or of a data step's ``infile`` with a plain ``input``.

    Examples
    --------
    >>> named_by_sas('data d; infile "g.dat"; input id y0-y2; run; proc calis; run;').names
    ('id', 'y0', 'y1', 'y2')
    """
    shown = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
    imported = re.search(rf"\bproc\s+import\b[^;]*\bdatafile\s*=\s*{_QUOTED}[^;]*;", shown, re.I)
    if imported is not None:
        return DataSource(_quoted(imported))
    step = re.search(
        rf"\binfile\s+{_QUOTED}([^;]*);\s*(?:[^;]*;\s*)??input\s+([^;]*);", shown, re.I
    )
    if step is None:
        return None
    names = _listed(step[4].replace("$", " "))
    if names is None:
        return None
    first = re.search(r"firstobs\s*=\s*(\d{1,6})", step[3], re.I)
    skip = int(first[1]) - 1 if first else 0
    comma = re.search(r"\bdsd\b|(?:dlm|delimiter)\s*=\s*[\"'],[\"']", step[3], re.I)
    missing = (MissingCode("."),)
    return DataSource(_quoted(step), "free", names, "," if comma else " ", missing, max(skip, 0))


def named_by_spss(text: str) -> DataSource | None:
    """The file of ``GET DATA /TYPE=TXT`` or ``GET FILE``.

    Examples
    --------
    >>> named_by_spss("GET DATA /TYPE=TXT /FILE='g.csv' /FIRSTCASE=2 /VARIABLES=id F8 y F8.2.").skip
    1
    """
    data = re.search(
        rf"\bget\s+data\b(.*?)/file\s*=\s*{_QUOTED}(.*?)(?:\.\s*$|\Z)", text, re.I | re.S | re.M
    )
    if data is None:
        plain = re.search(rf"\bget\s+(?:/?\s*file)\s*=\s*{_QUOTED}", text, re.I)
        return DataSource(_quoted(plain), "spss") if plain else None
    rest = data[1] + data[4]
    first = re.search(r"/firstcase\s*=\s*(\d{1,6})", rest, re.I)
    listed = re.search(r"/variables\s*=\s*(.*)", rest, re.I | re.S)
    if listed is None:
        return None
    words = listed[1].split()
    formats = re.compile(r"[A-Z]+\d*(?:\.\d*)?\.?", re.I)
    names = tuple(words[::2])
    if any(formats.fullmatch(word) is None for word in words[1::2]) or len(words) % 2:
        return None
    delimiter = re.search(r"/delimiters\s*=\s*[\"']([^\"']*)[\"']", rest, re.I)
    marks = delimiter[1].replace("\\t", "\t") if delimiter else ","
    return DataSource(
        _quoted(data, 2),
        "free",
        names,
        "," if "," in marks else " ",
        (MissingCode(""), MissingCode(".")),
        int(first[1]) - 1 if first else 0,
    )


def _listed(text: str) -> tuple[str, ...] | None:
    """The names of an ``input`` statement, lists ``y1-y4`` written out; None for other forms."""
    names: list[str] = []
    for word in text.split():
        run = re.fullmatch(r"([A-Za-z_]\w*?)(\d{1,4})-\1(\d{1,4})", word)
        if run is not None and int(run[2]) <= int(run[3]) <= int(run[2]) + 9999:
            names += [f"{run[1]}{k}" for k in range(int(run[2]), int(run[3]) + 1)]
        elif re.fullmatch(r"[A-Za-z_]\w*", word):
            names.append(word)
        else:
            return None
    return tuple(names) if names else None
