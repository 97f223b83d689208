"""Names and strings by the rules of SAS (VALIDVARNAME=ANY for quoted names)."""

from __future__ import annotations

from growthmm.notation.command_languages.names import NameRule, words

__all__ = ["SAS_NAMES", "string"]


def string(text: str) -> str:
    """A character constant in single quotes, in which SAS resolves no macro.

    Examples
    --------
    >>> print(string("O'Neil &x"))
    'O''Neil &x'
    """
    doubled = "".join(c if c.isprintable() else " " for c in text).replace("'", "''")
    return f"'{doubled}'"


def _quoted(name: str) -> str | None:
    if not name or not name.isprintable() or name != name.strip():
        return None
    return f"{string(name)}n"


SAS_NAMES = NameRule(
    title="SAS",
    pattern=r"[A-Za-z_][A-Za-z0-9_]*",
    longest=32,
    reserved=words(
        "intercept int _n_ _error_ _numeric_ _character_ _all_ _last_ _data_ _null_ _residual_"
    ),
    folded=True,
    said="SAS has names of at most 32 bytes without control characters, some of them reserved",
    quote=_quoted,
)
"""Plain names as they are, others as name literals."""
