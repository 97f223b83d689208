"""An Mplus input as text: comments, commands, statements, and the names that comments keep."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from growthmm.errors import NotationError

__all__ = [
    "COMMANDS",
    "Command",
    "Statement",
    "Substitutes",
    "blank_comments",
    "commands",
    "error_at",
    "statements",
    "substitutes",
]

COMMANDS = (
    "TITLE",
    "DATA",
    "VARIABLE",
    "DEFINE",
    "ANALYSIS",
    "MODEL",
    "OUTPUT",
    "SAVEDATA",
    "PLOT",
    "MONTECARLO",
)
"""The commands of an input; four letters of one are enough."""

_HEADER = re.compile(
    r"(?:^|(?<=[\n;]))[ \t\r]*(?P<key>[A-Za-z]{4,})(?:[ \t]+(?P<argument>[^\s:;=]+))?[ \t]*:"
)

_SUBSTITUTE = re.compile(
    r"^[ \t]*! (?:(?P<kind>label|group) )?(?P<short>\w+) stands for (?P<long>\"[^\n]*\")[ \t\r]*$",
    re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class Command:
    """One command of an input.

    Parameters
    ----------
    name : str
        Its full name, in capitals.
    argument : str
        What stands between name and colon: ``"CONSTRAINT"``, a group's name; else empty.
    start, end : int
        Where its body lies in the text.
    position : int
        Where the command begins.
    """

    name: str
    argument: str
    start: int
    end: int
    position: int


@dataclass(frozen=True, slots=True)
class Statement:
    """What stands between semicolons, and where it begins."""

    text: str
    position: int


@dataclass(frozen=True, slots=True)
class Substitutes:
    """Names that an input writes otherwise, as its comments say.

    Parameters
    ----------
    variables, labels, groups : tuple of (str, str)
        The written name in lower case, and what it stands for.
    """

    variables: tuple[tuple[str, str], ...] = ()
    labels: tuple[tuple[str, str], ...] = ()
    groups: tuple[tuple[str, str], ...] = ()


def error_at(
    text: str,
    position: int,
    message: str,
    *,
    hint: str | None = None,
    expected: tuple[str, ...] = (),
) -> NotationError:
    """An error that points into `text`."""
    return NotationError(message, text=text, position=position, hint=hint, expected=expected)


def blank_comments(text: str) -> str:
    """`text` with comments blanked and every other character in its place.

    A comment begins with ``!`` and ends with its line; ``!*`` and ``*!`` enclose several lines.

    Examples
    --------
    >>> blank_comments("i s | y0@0; ! linear")
    'i s | y0@0;         '
    """
    text = re.sub(r"!\*.*?(?:\*!|\Z)", lambda m: re.sub(r"[^\n]", " ", m.group()), text, flags=re.S)
    return re.sub(r"![^\n]*", lambda m: " " * len(m.group()), text)


def commands(text: str, blanked: str) -> list[Command]:
    """The commands of an input; a text without any is the body of MODEL.

    Parameters
    ----------
    text : str
        The input.
    blanked : str
        The same without comments.

    Raises
    ------
    NotationError
        If text precedes the first command and there is a MODEL command too.

    Examples
    --------
    >>> [(c.name, c.argument) for c in commands(*["DATA: FILE = a.dat; MODE f: y@1;"] * 2)]
    [('DATA', ''), ('MODEL', 'f')]
    """
    found: list[tuple[str, re.Match[str]]] = []
    for match in _HEADER.finditer(blanked):
        name = _full(match["key"])
        if name is not None:
            found.append((name, match))
    result = []
    before = found[0][1].start() if found else len(blanked)
    if blanked[:before].strip():
        if any(name == "MODEL" and not match["argument"] for name, match in found):
            at = len(blanked) - len(blanked.lstrip())
            raise error_at(
                text,
                at,
                "This stands before the first command.",
                expected=tuple(f"{name}:" for name in COMMANDS),
                hint="Begin the input with a command such as TITLE: or DATA:.",
            )
        result.append(Command("MODEL", "", 0, before, 0))
    for k, (name, match) in enumerate(found):
        end = found[k + 1][1].start() if k + 1 < len(found) else len(blanked)
        at = match.start("key")
        result.append(Command(name, match["argument"] or "", match.end(), end, at))
    return result


def _full(key: str) -> str | None:
    return next((name for name in COMMANDS if name.startswith(key.upper())), None)


def statements(blanked: str, start: int, end: int) -> list[Statement]:
    """The statements of a body; the last needs no semicolon."""
    result = []
    for piece in re.finditer(r"[^;]+", blanked[start:end]):
        shown = piece.group()
        if shown.strip():
            lead = len(shown) - len(shown.lstrip())
            result.append(Statement(shown.strip(), start + piece.start() + lead))
    return result


def substitutes(text: str) -> Substitutes:
    """The names that comments of the form ``! y1 stands for "weight_at_1"`` give.

    Examples
    --------
    >>> substitutes('! lib_h_0 stands for "lib_hours_0"').variables
    (('lib_h_0', 'lib_hours_0'),)
    """
    kinds: dict[str | None, list[tuple[str, str]]] = {None: [], "label": [], "group": []}
    for match in _SUBSTITUTE.finditer(text):
        try:
            long = json.loads(match["long"])
        except ValueError:
            continue
        if isinstance(long, str) and long:
            kinds[match["kind"]].append((match["short"].lower(), long))
    return Substitutes(tuple(kinds[None]), tuple(kinds["label"]), tuple(kinds["group"]))
