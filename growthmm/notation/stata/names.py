"""Names and strings by the rules of Stata."""

from __future__ import annotations

from growthmm.notation.command_languages.names import NameRule, words

__all__ = ["STATA_NAMES", "string"]


def string(text: str) -> str:
    r"""A string in compound quotes, in which no macro is expanded.

    Examples
    --------
    >>> print(string('a "b"'))
    `"a "b""'
    """
    # A backslash keeps Stata from expanding what follows as a macro.
    shown = "".join(c if c.isprintable() else " " for c in text)
    for sign in ("`", "$"):
        shown = shown.replace(sign, f"\\{sign}")
    return '`"' + shown.replace("\"'", "\" '") + "\"'"


STATA_NAMES = NameRule(
    title="Stata",
    pattern=r"[A-Za-z_][A-Za-z0-9_]*",
    longest=32,
    reserved=words(
        "_all _b byte _coef _cons double float if in int long _n _N _pi _pred _rc _skip strL using "
        "with"
    )
    | {f"str{length}" for length in range(1, 2046)},
    folded=False,
    said="Stata has names of letters, digits and underscores, at most 32, none of its own words, "
    "and no quotes for others",
)
"""Plain names; Stata cannot quote others."""
