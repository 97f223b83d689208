"""Mplus: read and write inputs of linear growth models and other linear SEMs."""

from __future__ import annotations

import re

from growthmm.model.sem import SemModel
from growthmm.notation.base import Model, ScriptContext, Written
from growthmm.notation.mplus.read import read
from growthmm.notation.mplus.text import (
    blank_comments,
)
from growthmm.notation.sem.notation import SemNotation

__all__ = ["NOTATION", "MplusNotation"]

_COMMAND = re.compile(
    r"^[ \t]*(?:MODEL|VARI[A-Z]*|ANAL[A-Z]*|DATA|TITL[E]?)(?:[ \t]+\w+)?[ \t]*:(?!=)",
    re.I | re.M,
)
_GROWTH = re.compile(r"[^~()\"'=;]*\|[^~()\"'|;]*(?:@|\bAT\b)[^~;]*;", re.I)
_BY = re.compile(r"\s*[^\W\d]\w*(?:[\s-]+\w+)*\s+BY\s[^;~=()]*;", re.I)


class MplusNotation(SemNotation):
    """Mplus as a notation."""

    name = "mplus"
    title = "Mplus"

    def recognises(self, text: str) -> bool:
        """Whether `text` has one of Mplus's commands, a growth statement or BY."""
        if _COMMAND.search(text):
            return True
        plain = blank_comments(text)
        return _GROWTH.match(plain) is not None or _BY.match(plain) is not None

    def read(self, text: str) -> SemModel:
        """Read `text`; see :func:`growthmm.notation.mplus.read.read`."""
        return read(text)

    def write(self, model: Model) -> Written:
        """Write `model`; see :mod:`growthmm.notation.mplus.write`."""
        from growthmm.notation.mplus.write import write_model

        return write_model(self.sem(model))

    def script(self, model: Model, context: ScriptContext) -> str:
        """A complete input; see :mod:`growthmm.notation.mplus.script`."""
        from growthmm.notation.mplus.script import script

        return script(self.sem(model), context)


NOTATION = MplusNotation()
