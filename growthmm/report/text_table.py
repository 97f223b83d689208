"""Plain text tables, the same in every report."""

from __future__ import annotations

import math
from collections.abc import Sequence
from textwrap import fill
from textwrap import wrap as _wrap

__all__ = ["WIDTH", "figure", "p_text", "paragraph", "table"]

WIDTH, LEAST = 100, 30
"""Columns of characters of a report, and of a column of notes at least."""


def wrap(text: str, width: int) -> list[str]:
    """The text's lines, words whole."""
    return _wrap(text, width, break_long_words=False, break_on_hyphens=False)


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
    width: int = WIDTH,
) -> str:
    """A table in text: headers, a rule, rows.

    Parameters
    ----------
    headers : sequence of str
        One for each column.
    rows : sequence of sequence of str
        The cells.
    left : int
        How many of the first columns stand flush left; the others stand flush right.
    note : bool
        Whether the last column is text, flush left and wrapped so that the table fits `width`.
    width : int
        Columns of characters.

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
    """
    columns = list(zip(headers, *rows, strict=True)) if rows else [(h,) for h in headers]
    widths = [max(len(cell) for cell in column) for column in columns]
    wrapped = [[cell] for cell in columns[-1]]
    if note:
        room = max(width - sum(widths[:-1]) - 2 * (len(widths) - 1), LEAST)
        wrapped = [wrap(cell, min(room, widths[-1] or 1)) or [""] for cell in columns[-1]]
        widths[-1] = max(len(line) for lines in wrapped for line in lines)

    def line(cells: Sequence[str], last: Sequence[str]) -> str:
        flush = [
            cell.ljust(size) if k < left else cell.rjust(size)
            for k, (cell, size) in enumerate(zip(cells[:-1], widths, strict=False))
        ]
        ends = list(last) if note or len(widths) <= left else [last[0].rjust(widths[-1])]
        first = "  ".join([*flush, ends[0]]).rstrip()
        indent = " " * (sum(widths[:-1]) + 2 * (len(widths) - 1))
        return "\n".join([first, *(indent + end for end in ends[1:])])

    rule = "-" * (sum(widths) + 2 * (len(widths) - 1))
    body = [line(row, last) for row, last in zip(rows, wrapped[1:], strict=True)]
    return "\n".join([line(headers, wrapped[0]), rule, *body])


def paragraph(text: str, *, indent: str = "", width: int = WIDTH) -> str:
    """Text wrapped to the width of a report.

    Examples
    --------
    >>> print(paragraph("one two three", indent="  ", width=10))
      one two
      three
    """
    return fill(
        text,
        width,
        initial_indent=indent,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
