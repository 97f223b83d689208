"""Plain text tables, the same in every report."""

from __future__ import annotations

import math
from collections.abc import Sequence

__all__ = ["figure", "p_text", "table"]


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


def table(headers: Sequence[str], rows: Sequence[Sequence[str]], *, left: int = 1) -> str:
    """A table in text: headers, a rule, rows; the first `left` columns flush left.

    Examples
    --------
    >>> print(table(["model", "AIC"], [["a", "1.0"], ["b", "12.5"]]))
    model   AIC
    -----------
    a       1.0
    b      12.5
    """
    columns = list(zip(headers, *rows, strict=True)) if rows else [(h,) for h in headers]
    widths = [max(len(cell) for cell in column) for column in columns]

    def line(cells: Sequence[str]) -> str:
        made = [
            cell.ljust(width) if k < left else cell.rjust(width)
            for k, (cell, width) in enumerate(zip(cells, widths, strict=True))
        ]
        return "  ".join(made).rstrip()

    rule = "-" * (sum(widths) + 2 * (len(widths) - 1))
    return "\n".join([line(headers), rule, *(line(row) for row in rows)])
