"""Numbers as programs print them."""

from __future__ import annotations

import math
import re

from growthmm.errors import NotationError
from growthmm.printed.results import PrintedFigure

__all__ = ["NUMBER", "after", "decimals", "figure", "has_number", "refuse", "tidy", "whole"]

NUMBER = r"[-+\N{MINUS SIGN}]?(?:\d+\.?\d*|\.\d+)(?:[DEde][-+]?\d{1,3})?(?![\w.])"
"""A number: without a leading zero, in scientific notation, with a typographical minus."""

_WHOLE = re.compile(NUMBER)

LARGEST = 1e300


def tidy(text: str) -> str:
    r"""The text with one kind of line end, no tabs and no byte order mark.

    Examples
    --------
    >>> tidy("a\r\nb\tc")
    'a\nb        c'
    """
    text = text.removeprefix("\N{ZERO WIDTH NO-BREAK SPACE}").replace("\r\n", "\n")
    text = text.replace("\r", "\n").replace("\N{NO-BREAK SPACE}", " ").replace("\f", "\n")
    return text.replace("\t", " " * 8)


def decimals(shown: str) -> int:
    """How many decimals a number is printed with.

    Examples
    --------
    >>> decimals("-0.10"), decimals(".5"), decimals("1.25e-05"), decimals("1e+03")
    (2, 1, 7, -3)
    """
    mantissa, _, exponent = shown.lower().replace("d", "e").partition("e")
    return len(mantissa.partition(".")[2]) - (int(exponent) if exponent else 0)


def figure(shown: str) -> PrintedFigure | None:
    """A printed number with its decimals, or None where `shown` is none.

    Examples
    --------
    >>> figure(".0424"), figure("NA")
    (<PrintedFigure value=0.0424 decimals=4>, None)
    """
    shown = shown.strip().rstrip("*").replace("\N{MINUS SIGN}", "-")
    if _WHOLE.fullmatch(shown) is None:
        return None
    plain = shown.lower().replace("d", "e")
    value = float(plain)
    if not math.isfinite(value) or abs(value) > LARGEST:
        return None
    places = decimals(plain)
    return PrintedFigure(value, places) if abs(places) <= 300 else None


def has_number(shown: str) -> bool:
    """Whether `shown` is a number."""
    return figure(shown) is not None


def after(text: str, label: str, *, start: int = 0) -> PrintedFigure | None:
    r"""The number behind a label (a pattern), or None.

    Examples
    --------
    >>> after("AIC (smaller is better)   258.2", r"AIC \(smaller is better\)")
    <PrintedFigure value=258.2 decimals=1>
    """
    match = re.compile(rf"{label}\s*[:=]?\s*({NUMBER})", re.M).search(text, start)
    return figure(match[1]) if match else None


def whole(text: str, label: str) -> int | None:
    """The whole number behind a label (a pattern), thousands separated or not, or None.

    Examples
    --------
    >>> whole("Number of obs     =      1,200", "Number of obs")
    1200
    """
    match = re.search(rf"{label}\s*[:=]?\s*(\d{{1,15}}(?:,\d{{3}})*)(?![\w.])", text, re.M)
    return int(match[1].replace(",", "")) if match else None


def refuse(message: str, text: str, position: int, hint: str) -> NotationError:
    """An error that points into printed results."""
    place = min(max(position, 0), max(len(text) - 1, 0))
    return NotationError(message, text=text, position=place, hint=hint)
