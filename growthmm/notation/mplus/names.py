"""Names as Mplus takes them: eight letters, digits and underscores, capitals or not."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field

__all__ = ["LENGTH", "Shortened", "shortened"]

LENGTH = 8
"""What Mplus prints of a name."""

_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_]*")

_RESERVED = frozenset(
    {
        "by",
        "on",
        "with",
        "pon",
        "pwith",
        "at",
        "xwith",
        "ind",
        "via",
        "mod",
        "do",
        "if",
        "is",
        "are",
        "all",
        "_all",
        "new",
        "loop",
        "plot",
        "title",
        "data",
        "variable",
        "define",
        "analysis",
        "model",
        "output",
        "savedata",
        "montecar",
        "sqrt",
        "exp",
        "log",
        "abs",
        "sin",
        "cos",
        "tan",
        "names",
    }
)
"""Words that Mplus, or its reader here, takes for something else."""


@dataclass(frozen=True)
class Shortened:
    """Names, each with the one to write.

    Parameters
    ----------
    written : dict of str to str
        For each name what stands for it.
    """

    written: dict[str, str] = field(default_factory=dict)

    def __getitem__(self, name: str) -> str:
        return self.written[name]

    def comments(self, kind: str = "") -> list[str]:
        """A comment for each name that is written otherwise; it is read back."""
        prefix = f"{kind} " if kind else ""
        return [
            f"! {prefix}{short} stands for {json.dumps(name)}"
            for name, short in self.written.items()
            if short != name
        ]


def shortened(names: Iterable[str], taken: Iterable[str] = ()) -> Shortened:
    """Give each name one that Mplus takes and that no other has.

    Parameters
    ----------
    names : iterable of str
        Any names.
    taken : iterable of str
        Names that must not be used.

    Examples
    --------
    >>> list(shortened(["gpa_0", "lib_hours_0", "lib_hours_1", "a b", "GPA_0"]).written.values())
    ['gpa_0', 'libhour0', 'libhour1', 'ab', 'gpa_0_1']
    """
    wanted = list(dict.fromkeys(names))
    used = {name.lower() for name in taken}
    written: dict[str, str] = {}
    for name in wanted:
        if _fits(name) and name.lower() not in used:
            written[name] = name
            used.add(name.lower())
    for name in wanted:
        if name not in written:
            short = _unused(_cut(name), used)
            written[name] = short
            used.add(short.lower())
    return Shortened({name: written[name] for name in wanted})


def _fits(name: str) -> bool:
    return (
        len(name) <= LENGTH and _PLAIN.fullmatch(name) is not None and name.lower() not in _RESERVED
    )


def _cut(name: str) -> str:
    """At most eight characters; the number that the name ends in is kept."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    plain = re.sub(r"[^A-Za-z0-9_]", "", plain).lstrip("_0123456789") or "v"
    if len(plain) <= LENGTH:
        return plain
    match = re.fullmatch(r"(.*?)(\d*)", plain)
    stem, number = (match[1], match[2][-4:]) if match else (plain, "")
    return stem.replace("_", "")[: LENGTH - len(number)] + number


def _unused(wish: str, used: set[str]) -> str:
    candidate, k = wish, 0
    while candidate.lower() in used or not _fits(candidate):
        k += 1
        suffix = f"_{k}"
        candidate = wish.lower()[: LENGTH - len(suffix)] + suffix
    return candidate
