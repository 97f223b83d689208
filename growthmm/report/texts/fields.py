"""A data class in one line: its name, and what it holds, long things by their size."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

__all__ = ["fields_text", "shown_fields", "shown_value"]

LONGEST = 160
"""Characters of the line."""

VALUE = 48
"""Characters of one value."""

FEW = 4
"""Elements of a sequence up to which they are listed."""


def fields_text(part: Any) -> str:
    """The line; fields that are empty are left out.

    Parameters
    ----------
    part : dataclass instance
        What to show.

    Examples
    --------
    >>> from growthmm.model.defaults import Default
    >>> Default("likelihood", "normal", "lavaan: divisor N")
    <Default what=likelihood value=normal rule='lavaan: divisor N'>
    """
    name = type(part).__name__
    line = " ".join([name, *(f"{key}={value}" for key, value in shown_fields(part, VALUE))])
    if len(line) > LONGEST:
        line = line[: LONGEST - 1].rstrip() + "…"
    return f"<{line}>"


def shown_fields(part: Any, longest: int) -> list[tuple[str, str]]:
    """Names and values of the fields that are not empty."""
    found = [(own.name, getattr(part, own.name)) for own in fields(part) if own.repr]
    return [(name, shown_value(value, longest)) for name, value in found if not _empty(value)]


def shown_value(value: Any, longest: int) -> str:
    """A value in few characters: numbers to 6 digits, arrays and tables by their size.

    Examples
    --------
    >>> import numpy as np
    >>> shown_value(2 / 3, 20), shown_value(np.zeros((2, 3)), 20), shown_value((1, 2), 20)
    ('0.666667', '2 x 3 array', '(1, 2)')
    >>> shown_value(tuple(range(9)), 20), shown_value("a b", 20)
    ('9 values', "'a b'")
    """
    text = _text(value)
    return text if len(text) <= longest else text[: longest - 1].rstrip() + "…"


def _text(value: Any) -> str:
    shape = getattr(value, "shape", None)
    if shape:
        sizes = " x ".join(str(n) for n in shape)
        return f"{sizes} {'table' if hasattr(value, 'columns') else 'array'}"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, str):
        return repr(value) if any(c.isspace() for c in value) or not value.isprintable() else value
    if isinstance(value, (tuple, list)):
        plain = all(isinstance(own, (str, int, float, type(None))) for own in value)
        if not plain or len(value) > FEW:
            return f"{len(value)} value{'s' * (len(value) != 1)}"
        return f"({', '.join(_text(own) for own in value)})"
    if isinstance(value, dict):
        return f"{len(value)} values"
    return f"<{type(value).__name__}>" if _large(value) else str(value)


def _large(value: Any) -> bool:
    """Whether a value is a class with many fields of its own."""
    written = any("__str__" in vars(own) for own in type(value).__mro__[:-1])
    return not written and type(value).__module__.startswith("growthmm")


def _empty(value: Any) -> bool:
    return value is None or (isinstance(value, (str, tuple, list, dict)) and not value)
