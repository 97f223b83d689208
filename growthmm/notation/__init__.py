"""Notations: one file or room a program, and the registry that finds them."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from importlib import import_module
from typing import TYPE_CHECKING, cast

from growthmm.errors import SpecificationError

if TYPE_CHECKING:
    from growthmm.notation.base import Notation

__all__ = ["MODULES", "WRITTEN_ONLY", "names", "notation", "recognise"]

MODULES = {
    "lme4": "growthmm.notation.lme4",
    "statsmodels": "growthmm.notation.statsmodels.notation",
    "nlme": "growthmm.notation.nlme.notation",
    "glmmtmb": "growthmm.notation.glmmtmb.notation",
    "brms": "growthmm.notation.brms",
    "mixedmodels.jl": "growthmm.notation.mixedmodels_jl.notation",
    "sas": "growthmm.notation.sas.notation",
    "spss": "growthmm.notation.spss.notation",
    "stata": "growthmm.notation.stata.notation",
    "lavaan": "growthmm.notation.lavaan.notation",
    "semopy": "growthmm.notation.semopy.notation",
    "mplus": "growthmm.notation.mplus.notation",
    "openmx": "growthmm.notation.openmx.notation",
    "dot": "growthmm.notation.dot",
    "ram": "growthmm.notation.ram",
}
"""Name of each notation, and the module whose ``NOTATION`` speaks it."""

WRITTEN_ONLY = frozenset({"brms", "mixedmodels.jl", "dot", "ram"})
"""Notations that are not read."""


def names() -> tuple[str, ...]:
    """The names of all notations."""
    return tuple(MODULES)


@cache
def notation(name: str) -> Notation:
    """The notation called `name`.

    Raises
    ------
    SpecificationError
        If there is none of that name.
    """
    module = MODULES.get(name.lower())
    if module is None:
        from difflib import get_close_matches

        near = get_close_matches(name.lower(), MODULES, n=1)
        raise SpecificationError(
            f"There is no notation called {name!r}.",
            hint=(f"Did you mean {near[0]!r}? " if near else "")
            + f"Notations: {', '.join(MODULES)}.",
        )
    return cast("Notation", import_module(module).NOTATION)


@lru_cache(maxsize=32)
def recognise(text: str) -> str:
    """The name of the notation that `text` is written in.

    Bare formulas are lme4, bare path text is lavaan; what is unmistakable goes to its program.
    """
    for name in MODULES:
        if notation(name).recognises(text):
            return name
    sem_signs = ("=~", "~~", ":=", "~1", "~ 1\n")
    unquoted = re.sub(r"`(?:\\.|[^`\\])*`", "", text, flags=re.DOTALL)
    first = unquoted.strip().split("\n")[0]
    if any(sign in unquoted for sign in sem_signs) and "|" not in first:
        return "lavaan"
    if "|" not in unquoted and unquoted.count("~") > 1:
        return "lavaan"
    return "lme4"
