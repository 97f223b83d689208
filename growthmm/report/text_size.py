"""How wide text is drawn, at most, in the fonts without serifs that drawings use."""

from __future__ import annotations

from unicodedata import combining, east_asian_width

__all__ = ["shortened", "text_width"]

_NARROW = set("iljtfrI.,:;'|!()[]{} ")
_BROAD = set("mwMW@%")


def text_width(text: str, size: float) -> float:
    """An upper estimate of a text's width at a font size, in the size's unit.

    Examples
    --------
    >>> text_width("ill", 10.0) < text_width("www", 10.0)
    True
    """
    return size * sum(_em(letter) for letter in text)


def _em(letter: str) -> float:
    if combining(letter):
        return 0.0
    if east_asian_width(letter) in ("W", "F"):
        return 1.05
    if letter in _NARROW:
        return 0.42
    if letter in _BROAD:
        return 1.0
    return 0.76 if letter.isupper() else 0.66


def shortened(text: str, longest: int) -> str:
    """A text of at most so many characters; what was cut off is an ellipsis in the middle.

    Examples
    --------
    >>> shortened("a_long_name_that_ends_in_7", 12)
    'a_long…_in_7'
    """
    text = "".join(c if c.isprintable() else " " for c in text)
    if len(text) <= longest:
        return text
    head = longest // 2
    return f"{text[:head]}…{text[-(longest - head - 1) :]}"
