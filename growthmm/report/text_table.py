"""Plain text tables, the same in every report."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from textwrap import fill
from textwrap import wrap as _wrap

from growthmm.report.text_columns import (
    GAP,
    WIDTH,
    blocks,
    cut,
    display_width,
    name_lines,
    page_width,
)

__all__ = ["figure", "p_text", "paragraph", "table"]

LEAST = 30
"""Columns of characters of a column of notes at least."""


def wrap(text: str, width: int) -> list[str]:
    """The text's lines, words whole where they fit."""
    return _wrap(text, width, break_on_hyphens=False)


def figure(value: object, digits: int = 3) -> str:
    """A number for a table: fixed digits, or few significant ones where it is small.

    Examples
    --------
    >>> figure(2.599214), figure(0.00446931), figure(None), figure(6)
    ('2.599', '0.00447', '', '6')
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        if math.isnan(value):
            return ""
        if value != 0 and abs(value) < 10 ** (1 - digits):
            return f"{value:.{digits}g}"
        return f"{value:.{digits}f}"
    return str(value)


def p_text(value: float | None) -> str:
    """A p value as papers print it.

    Examples
    --------
    >>> p_text(0.00143), p_text(1e-9), p_text(None)
    ('.001', '< .001', '')
    """
    if value is None or math.isnan(value):
        return ""
    return "< .001" if value < 0.0005 else f"{value:.3f}".lstrip("0")


def table(
    headers: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    left: int = 1,
    note: bool = False,
    width: int | None = None,
) -> str:
    """A table in text: headers, a rule, rows; as wide as the terminal at most.

    Where there is no room, names go on in further lines, indented; where that is not enough,
    columns that don't fit follow in a block of their own, beside the names again (shortened, where
    they are long). No number is ever cut.

    Parameters
    ----------
    headers : sequence of str
        One for each column.
    rows : sequence of sequence of str
        The cells.
    left : int
        How many of the first columns are names, flush left; the others stand flush right.
    note : bool
        Whether the last column is text, flush left and wrapped so that the table fits `width`.
    width : int, optional
        Columns of characters; those of the terminal where None.

    Examples
    --------
    >>> print(table(["model", "AIC"], [["a", "1.0"], ["b", "12.5"]]))
    model   AIC
    -----------
    a       1.0
    b      12.5
    >>> words = "a note that is longer than the width left for it"
    >>> print(table(["n", "what"], [["1", words]], left=0, note=True, width=34))
    n  what
    ---------------------------------
    1  a note that is longer than the
       width left for it
    >>> print(table(["name", "estimate"], [["hours_of_work_in_a_week", "1.25"]], width=30))
    name                 estimate
    -----------------------------
    hours_of_work_in_a_      1.25
      week
    """
    width = page_width() if width is None else width
    cells = [[_clean(cell) for cell in row] for row in (headers, *rows)]
    columns = [list(column) for column in zip(*cells, strict=True)]
    sizes = [max(display_width(cell) for cell in column) for column in columns]
    left = min(left, len(columns) - note)
    end = len(columns) - note
    if note:
        width = min(width, max(WIDTH, sum(sizes[:-1]) + GAP * end + LEAST))
    notes = [min(sizes[-1], LEAST)] if note else []
    # Headers of several words break where that spares a block.
    narrow = [*sizes[:left], *map(_narrowest, columns[left:end]), *sizes[end:]]
    if sum(sizes[:end] + notes) + GAP * (len(sizes) - 1) > width and (
        len(blocks(narrow[:left], narrow[left:end] + notes, width)) == 1
    ):
        sizes = narrow
    fixed = sizes[left:end] + notes
    made: list[str] = []
    for names, part in blocks(sizes[:left], fixed, width):
        kind = "again" if made else "name"
        shown = [_Column(columns[k], names[k], kind) for k in range(left)]
        shown += [_Column(columns[left + k], sizes[left + k], "right") for k in part]
        if note and part[-1:] == [len(fixed) - 1]:
            taken = sum(column.width + GAP for column in shown[:-1])
            shown[-1] = _Column(columns[-1], min(sizes[-1], max(width - taken, LEAST)), "note")
        made.append(_block(shown))
    return "\n\n".join(made)


@dataclass(frozen=True)
class _Column:
    """The cells of a column, the room that it has, and what it holds."""

    cells: list[str]
    room: int
    kind: str = "name"

    @property
    def lines(self) -> list[list[str]]:
        if self.kind == "note":
            return [wrap(cell, max(self.room, 1)) or [""] for cell in self.cells]
        if self.kind == "name":
            return [name_lines(cell, max(self.room, 1)) for cell in self.cells]
        if self.kind == "again":
            return [[cut(cell, self.room)] for cell in self.cells]
        return [wrap(self.cells[0], max(self.room, 1)) or [""], *([c] for c in self.cells[1:])]

    @property
    def width(self) -> int:
        return max(display_width(line) for cell in self.lines for line in cell)


def _block(columns: Sequence[_Column]) -> str:
    """Columns side by side, a rule below their headers."""
    widths = [column.width for column in columns]
    rows = list(zip(*(column.lines for column in columns), strict=True))

    def lines(cells: Sequence[Sequence[str]]) -> list[str]:
        made = []
        for k in range(max(map(len, cells))):
            padded = []
            for column, cell, size in zip(columns, cells, widths, strict=True):
                text = cell[k] if k < len(cell) else ""
                space = " " * (size - display_width(text))
                padded.append(space + text if column.kind == "right" else text + space)
            made.append((" " * GAP).join(padded).rstrip())
        return made

    rule = "-" * (sum(widths) + GAP * (len(widths) - 1))
    return "\n".join([*lines(rows[0]), rule, *(line for row in rows[1:] for line in lines(row))])


def _narrowest(column: Sequence[str]) -> int:
    """The width of a column of numbers whose header may go on in a second line."""
    least = max(display_width(text) for text in (*column[0].split(), *column[1:], ""))
    return next(size for size in count(least) if len(wrap(column[0], max(size, 1))) <= 2)


def _clean(text: str) -> str:
    """A cell in one line, without signs that move a terminal's cursor."""
    return "".join(letter if letter.isprintable() else " " for letter in text)


def paragraph(text: str, *, indent: str = "", width: int | None = None) -> str:
    """Text wrapped to the width of a report: the terminal's, and 100 at most.

    Examples
    --------
    >>> print(paragraph("one two three", indent="  ", width=10))
      one two
      three
    """
    return fill(
        text,
        min(page_width(), WIDTH) if width is None else width,
        initial_indent=indent,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
