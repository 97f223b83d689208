"""How values, rows and names are listed in messages."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from itertools import islice

import numpy as np

__all__ = ["listed", "nearest", "rows_text", "shown"]


def shown(value: object) -> str:
    """One value as a message shows it: text in quotes, NumPy scalars as plain ones.

    Examples
    --------
    >>> shown(np.float64(2.5)), shown("a")
    ('2.5', "'a'")
    """
    plain = value.item() if isinstance(value, np.generic) else value
    return repr(plain) if isinstance(plain, str) else str(plain)


def listed(values: Iterable[object], *, limit: int = 5, total: int | None = None) -> str:
    """The first few values, and how many more there are.

    Parameters
    ----------
    values : iterable
        What to list; only its first `limit` values are drawn.
    limit : int
        How many to show.
    total : int, optional
        How many there are; counted where None.

    Examples
    --------
    >>> listed([1, 2, 3, 4], limit=2)
    '1, 2 and 2 more'
    """
    if total is None:
        values = list(values)
        total = len(values)
    text = ", ".join(shown(value) for value in islice(values, limit))
    return text if total <= limit else f"{text} and {total - limit} more"


def rows_text(rows: Sequence[int] | np.ndarray) -> str:
    """Zero-based row positions as people count them.

    Examples
    --------
    >>> rows_text([0, 4])
    'rows 1, 5'
    """
    numbers = [int(row) + 1 for row in rows[:5]]
    word = "row" if len(rows) == 1 else "rows"
    return f"{word} {listed(numbers, total=len(rows))}"


def nearest(name: object, known: Iterable[object]) -> str:
    """A "Did you mean" for a name that is not there, or an empty string.

    Examples
    --------
    >>> nearest("gpa", ["GPA", "student"])
    "Did you mean 'GPA'? "
    """
    by_fold = {str(k).casefold(): str(k) for k in known}
    near = get_close_matches(str(name).casefold(), by_fold, n=1)
    return f"Did you mean {by_fold[near[0]]!r}? " if near else ""
