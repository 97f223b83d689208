"""How wide text may be, and how the columns of a table share that width."""

from __future__ import annotations

import re
from collections.abc import Sequence
from shutil import get_terminal_size
from unicodedata import combining, east_asian_width

__all__ = ["WIDTH", "blocks", "cut", "display_width", "name_lines", "page_width", "shared_room"]

WIDTH, UNKNOWN, LEAST = 100, 112, 40
"""Columns of characters of prose at most, where nobody knows, and at the very least."""

NARROW, COMFORTABLE = 18, 30
"""Characters that a column of names is left beside all numbers, and beside some of them."""

GAP = 2
"""Spaces between columns."""

_BREAK = re.compile(r"(?<=[ :._,~=+*)|&-])(?=[^ ])")


def page_width() -> int:
    """Columns of the terminal, or what ``COLUMNS`` says; 112 where neither is known.

    Examples
    --------
    >>> page_width() >= 40
    True
    """
    return max(get_terminal_size((UNKNOWN, 24)).columns, LEAST)


def display_width(text: str) -> int:
    """Columns of a terminal that a text takes: two for a wide letter, none for an accent.

    Examples
    --------
    >>> display_width("gpa"), display_width("番号")
    (3, 4)
    """
    if text.isascii():
        return len(text)
    return sum(
        0 if combining(letter) else 2 if east_asian_width(letter) in "WF" else 1 for letter in text
    )


def name_lines(name: str, width: int) -> list[str]:
    """A name in lines of at most a width, nothing left out, the later ones indented.

    Lines end after a sign where there is one in their second half.

    Examples
    --------
    >>> name_lines("gpa", 8), name_lines("hours_of_work:sexfemale", 12)
    (['gpa'], ['hours_of_', '  work:', '  sexfemale'])
    """
    lines, rest, lead = [], name, ""
    while display_width(lead + rest) > width:
        room = max(width - len(lead), 1)
        fits = next(k for k in range(len(rest), 0, -1) if k == 1 or display_width(rest[:k]) <= room)
        ends = [found.start() for found in _BREAK.finditer(rest, 0, fits + 1)]
        end = ends[-1] if ends and 2 * ends[-1] >= fits else fits
        lines.append(lead + rest[:end].rstrip())
        rest, lead = rest[end:], "  "
    return [*lines, lead + rest]


def cut(name: str, width: int) -> str:
    """A name in one line: its two ends where the whole is wider than the width.

    Examples
    --------
    >>> cut("a_long_name_that_ends_in_7", 12), cut("gpa", 12)
    ('a_long…_in_7', 'gpa')
    """
    if display_width(name) <= width:
        return name
    head, tail = 1, 0
    while display_width(name[: head + 1] + "…" + name[len(name) - tail :]) <= width:
        head += 1
        if display_width(name[:head] + "…" + name[len(name) - tail - 1 :]) <= width:
            tail += 1
    return name[:head] + "…" + name[len(name) - tail :]


def shared_room(sizes: Sequence[int], room: int) -> list[int]:
    """Widths of columns that share a room: small ones keep theirs, large ones get the same.

    Examples
    --------
    >>> shared_room([4, 60, 50], 44)
    [4, 20, 20]
    """
    made, left = [0] * len(sizes), room
    for rank, at in enumerate(sorted(range(len(sizes)), key=sizes.__getitem__)):
        made[at] = max(1, min(sizes[at], left // (len(sizes) - rank)))
        left -= made[at]
    return made


def blocks(
    names: Sequence[int], others: Sequence[int], width: int
) -> list[tuple[list[int], list[int]]]:
    """The blocks of a table: how wide its names are in each, and which columns stand beside them.

    Parameters
    ----------
    names : sequence of int
        Widths of the columns of names, which every block repeats and which may be narrower.
    others : sequence of int
        Widths of the other columns, which stay.
    width : int
        Columns of characters.

    Returns
    -------
    list of (list of int, list of int)
        For each block, widths of the columns of names, and numbers of the other columns.

    Examples
    --------
    >>> blocks([40], [8, 8], 80)
    [([40], [0, 1])]
    >>> blocks([70], [8, 8], 80)
    [([60], [0, 1])]
    >>> blocks([60], [20, 20, 20], 80)
    [([36], [0, 1]), ([58], [2])]
    """

    def room(part: Sequence[int]) -> int:
        return width - sum(others[k] for k in part) - GAP * (len(names) + len(part) - 1)

    whole = list(range(len(others)))
    if not whole or room(whole) >= sum(min(size, NARROW) for size in names):
        return [(shared_room(names, room(whole)), whole)]
    least = min(sum(min(size, COMFORTABLE) for size in names), width // 2)
    parts: list[list[int]] = []
    for at in whole:
        if parts and room([*parts[-1], at]) >= least:
            parts[-1].append(at)
        else:
            parts.append([at])
    return [(shared_room(names, room(part)), part) for part in parts]
