"""semopy: read and write descriptions of ``semopy.ModelMeans``."""

from __future__ import annotations

import re

from growthmm.model.sem import SemModel
from growthmm.notation.base import Model, ScriptContext, Written
from growthmm.notation.sem.notation import SemNotation
from growthmm.notation.semopy.read import read

__all__ = ["NOTATION", "SemopyNotation"]

_UNMISTAKABLE = re.compile(r"^\s*(?:START|BOUND|CONSTRAINT|DEFINE|EXO)\b", re.MULTILINE)


class SemopyNotation(SemNotation):
    """semopy, the Python package, as a notation."""

    name = "semopy"
    title = "semopy"

    def recognises(self, text: str) -> bool:
        """Whether `text` has operations that only semopy knows."""
        return _UNMISTAKABLE.search(text) is not None

    def read(self, text: str) -> SemModel:
        """Read `text`; see :func:`growthmm.notation.semopy.read.read`."""
        return read(text)

    def write(self, model: Model) -> Written:
        """Write `model`; see :mod:`growthmm.notation.semopy.write`."""
        from growthmm.notation.semopy.write import write_model

        return write_model(self.sem(model))

    def script(self, model: Model, context: ScriptContext) -> str:
        """A complete Python program; see :mod:`growthmm.notation.semopy.script`."""
        from growthmm.notation.semopy.script import script

        return script(self.sem(model), context)


NOTATION = SemopyNotation()
