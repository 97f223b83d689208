"""Names of an Mplus input: lists such as ``y1-y4``, and one spelling for each name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from growthmm.notation.mplus.text import error_at

__all__ = ["Names", "expand", "listed"]

_LIMIT = 2_000
_NUMBERED = re.compile(r"(.*?)(\d+)", re.S)
_ENTRY = re.compile(r"([^\W\d]\w*)(?:\s*-\s*([^\W\d]\w*))?|(\S)")


def expand(first: str, last: str, order: Sequence[str], text: str, position: int) -> list[str]:
    """The names of the list ``first-last``.

    Where both stand in `order` it is what lies between them, as Mplus has it; else the numbers
    that they end in are counted up.

    Parameters
    ----------
    first, last : str
        The ends; the same for a single name.
    order : sequence of str
        Names in the order that the input gives them.
    text : str
        The input, for errors.
    position : int
        Where the list was written.

    Raises
    ------
    NotationError
        If it is no list.

    Examples
    --------
    >>> expand("y08", "y10", (), "", 0), expand("i", "q", ("i", "s", "q"), "", 0)
    (['y08', 'y09', 'y10'], ['i', 's', 'q'])
    """
    if first.lower() == last.lower():
        return [first]
    places = {name.lower(): k for k, name in enumerate(order)}
    low, high = places.get(first.lower()), places.get(last.lower())
    if low is not None and high is not None and low <= high:
        return list(order[low : high + 1])
    one, two = _NUMBERED.fullmatch(first), _NUMBERED.fullmatch(last)
    if one is None or two is None or one[1].lower() != two[1].lower():
        raise error_at(
            text,
            position,
            f"{first}-{last} is no list of known names.",
            hint="Write the names one by one, or give their order in VARIABLE: NAMES.",
        )
    if max(len(one[2]), len(two[2])) > 9:
        raise error_at(text, position, f"The numbers of the list {first}-{last} are too large.")
    start, end = int(one[2]), int(two[2])
    if not 0 < end - start < _LIMIT:
        raise error_at(
            text,
            position,
            f"The list {first}-{last} does not go up, or has more than {_LIMIT} names.",
        )
    width = len(one[2]) if one[2].startswith("0") else 0
    return [f"{one[1]}{k:0{width}d}" for k in range(start, end + 1)]


def listed(value: str, position: int, order: Sequence[str], text: str) -> list[tuple[str, int]]:
    """The names of a whole list of names and ranges, each with its position.

    Raises
    ------
    NotationError
        Where something else than a name stands.

    Examples
    --------
    >>> [name for name, _ in listed("id y1-y3 x", 0, (), "")]
    ['id', 'y1', 'y2', 'y3', 'x']
    """
    found: list[tuple[str, int]] = []
    for match in _ENTRY.finditer(value.replace(",", " ")):
        at = position + match.start()
        if match[3] is not None:
            raise error_at(
                text, at, f"The character {match[3]!r} stands in a list of names.", hint=_HINT
            )
        found += [(n, at) for n in expand(match[1], match[2] or match[1], order, text, at)]
        if len(found) > _LIMIT:
            raise error_at(text, at, f"A list of more than {_LIMIT} names.")
    return found


_HINT = "Names are letters, digits and underscores, a letter first."


class Names:
    """Mplus does not tell capitals from small letters; a model does.

    The spelling of a name is that of VARIABLE: NAMES, else the first that the input uses; names
    that comments say to stand for others are those others.

    Parameters
    ----------
    known : iterable of str
        Names in the spelling to use.
    substitutes : iterable of (str, str)
        Written names (lower case), and what they stand for.
    """

    def __init__(self, known: Iterable[str], substitutes: Iterable[tuple[str, str]] = ()) -> None:
        self._spelling: dict[str, str] = {}
        for name in known:
            self._spelling.setdefault(name.lower(), name)
        self._spelling.update(substitutes)

    def spell(self, written: str) -> str:
        """The one spelling of `written`."""
        return self._spelling.setdefault(written.lower(), written)
