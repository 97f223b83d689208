"""Names and numbers as the SEM notations spell them."""

from __future__ import annotations

import math
import re

__all__ = ["RESERVED", "is_syntactic", "number_text", "r_string"]

RESERVED = frozenset(
    {
        "if",
        "else",
        "repeat",
        "while",
        "function",
        "for",
        "next",
        "break",
        "TRUE",
        "FALSE",
        "NULL",
        "Inf",
        "NaN",
        "NA",
        "NA_integer_",
        "NA_real_",
        "NA_complex_",
        "NA_character_",
        "in",
    }
)
"""Words that R keeps for itself (``?Reserved``)."""

_START = re.compile(r"[^\W\d_]|\.(?![0-9])")


def is_syntactic(name: str) -> bool:
    """Whether R takes `name` as a name without quotes.

    Letters (of any script), digits, dots and underscores; first a letter, or a dot that no digit
    follows; not a reserved word, nor ``...`` or ``..1``.

    Examples
    --------
    >>> [is_syntactic(name) for name in ("gpa_0", ".b", "2nd", "if", "a b", "größe")]
    [True, True, False, False, False, True]
    """
    if not name or name in RESERVED or _START.match(name) is None:
        return False
    if not all(c.isalpha() or c in "0123456789._" for c in name):
        return False
    return re.fullmatch(r"\.\.(\.|[0-9]+)", name) is None


def number_text(value: float) -> str:
    """The shortest decimal that reads back as `value`; whole numbers without a point.

    Examples
    --------
    >>> number_text(2.0), number_text(0.1), number_text(-1e-30), number_text(1e22)
    ('2', '0.1', '-1e-30', '1e+22')
    """
    if math.isfinite(value) and value == int(value) and abs(value) < 1e15:
        return str(int(value))
    return repr(float(value))


def r_string(text: str) -> str:
    r"""`text` as a string literal of R.

    Examples
    --------
    >>> print(r_string('C:\\data "x".csv'))
    "C:\\data \"x\".csv"
    """
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    for sign, spelled in (("\n", "\\n"), ("\r", "\\r"), ("\t", "\\t"), ("\0", "")):
        escaped = escaped.replace(sign, spelled)
    return f'"{escaped}"'
