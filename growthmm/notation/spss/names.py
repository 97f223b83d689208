"""Names and strings by the rules of SPSS."""

from __future__ import annotations

from growthmm.notation.command_languages.names import NameRule, words

__all__ = ["SPSS_NAMES", "string"]


def string(text: str) -> str:
    """A string in single quotes, quotes within doubled.

    Examples
    --------
    >>> print(string("O'Neil"))
    'O''Neil'
    """
    doubled = "".join(c if c.isprintable() else " " for c in text).replace("'", "''")
    return f"'{doubled}'"


SPSS_NAMES = NameRule(
    title="SPSS",
    pattern=r"[A-Za-z](?:[A-Za-z0-9_]|\.(?=[A-Za-z0-9_]))*(?<!_)",
    longest=64,
    reserved=words(
        "all and by eq ge gt intercept le lt ne not or to with subject covtype noint sstype"
    ),
    folded=True,
    said="SPSS has names of letters, digits, dots and underscores, a letter first and no "
    "underscore last, at most 64 bytes, none of its own words, and no quotes for others",
)
"""Plain names; SPSS cannot quote others."""
