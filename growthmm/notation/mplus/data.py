"""The data file that an Mplus input names: free format, columns by NAMES, codes by MISSING."""

from __future__ import annotations

import re

from growthmm.model.sem import SemModel
from growthmm.notation.data_source import DataSource, MissingCode
from growthmm.notation.mplus.lists import listed
from growthmm.notation.mplus.read import read_input
from growthmm.notation.mplus.text import error_at, substitutes

__all__ = ["data_source"]


def data_source(text: str) -> DataSource | None:
    """The file of DATA: FILE, or None where the input names none or no columns.

    Parameters
    ----------
    text : str
        The input.

    Raises
    ------
    NotationError
        If MISSING is not understood.

    Examples
    --------
    >>> found = data_source('''DATA: FILE = w.dat; VARIABLE: NAMES = id y0-y2;
    ... USEV = y0-y2; MISSING = ALL (-99); MODEL: i s | y0@0 y1@1 y2@2;''')
    >>> found.path, found.names, found.missing[0].code
    ('w.dat', ('id', 'y0', 'y1', 'y2'), '-99')
    """
    read = read_input(text)
    options = read.options
    if options.file is None or not options.names:
        return None
    spelled = _spelled(options.names, read.model, dict(substitutes(text).variables))
    missing = _missing(options.missing, options.names, spelled, text)
    return DataSource(options.file, "free", tuple(spelled.values()), " ", missing)


def _spelled(names: tuple[str, ...], model: SemModel, longer: dict[str, str]) -> dict[str, str]:
    """Each column of NAMES as the model spells it."""
    used = (*model.outcomes, *model.covariates, model.group_variable or "")
    used += tuple(path.definition for path in model.paths if path.definition)
    known = {name.lower(): name for name in used}
    found = {}
    for name in names:
        long = longer.get(name.lower(), name)
        found[name] = known.get(long.lower(), long)
    return found


def _missing(
    said: str, names: tuple[str, ...], spelled: dict[str, str], text: str
) -> tuple[MissingCode, ...]:
    """``ALL (-99)``, ``y1-y3 (9) x (98 99)``, ``.`` or ``*``."""
    said = said.strip()
    if not said:
        return ()
    if said in (".", "*"):
        return (MissingCode(said),)
    if said.upper() == "BLANK":
        return (MissingCode(""),)
    found: list[MissingCode] = []
    pieces = re.findall(r"([^()]+)\(([^()]*)\)", said)
    if "".join(f"{head}({codes})" for head, codes in pieces) != said:
        place = max(text.upper().find("MISSING"), 0)
        raise error_at(
            text,
            place,
            "MISSING is not understood.",
            expected=("MISSING = ALL (-99)", "MISSING = y1-y4 (9) x (99)", "MISSING = ."),
        )
    for head, codes in pieces:
        everywhere = head.strip().upper() in ("ALL", "_ALL")
        columns = [] if everywhere else [name for name, _ in listed(head, 0, names, text)]
        of = tuple(spelled.get(name, name) for name in columns)
        for code in re.split(r"[\s,]+", codes.strip()):
            run = re.fullmatch(r"(-?\d{1,6})-(\d{1,6})", code)
            if run is not None and int(run[1]) <= int(run[2]) <= int(run[1]) + 999:
                found += [MissingCode(str(k), of) for k in range(int(run[1]), int(run[2]) + 1)]
            elif code:
                found.append(MissingCode(code, of))
    return tuple(found)
