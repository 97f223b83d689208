"""semopy: read and write descriptions of ``semopy.ModelMeans``."""

from __future__ import annotations

import re
from typing import Literal

from growthmm.errors import SpecificationError
from growthmm.model.schema import Column
from growthmm.model.sem import SemModel
from growthmm.notation.base import Model, ScriptContext, Written
from growthmm.notation.semopy.read import read

__all__ = ["NOTATION", "SemopyNotation"]

_UNMISTAKABLE = re.compile(r"^\s*(?:START|BOUND|CONSTRAINT|DEFINE|EXO)\b", re.MULTILINE)


class SemopyNotation:
    """semopy, the Python package, as a notation."""

    name = "semopy"
    title = "semopy"
    family: Literal["mixed", "sem"] = "sem"

    def recognises(self, text: str) -> bool:
        """Whether `text` has operations that only semopy knows."""
        return _UNMISTAKABLE.search(text) is not None

    def read(self, text: str) -> SemModel:
        """Read `text`; see :func:`growthmm.notation.semopy.read.read`."""
        return read(text)

    def write(self, model: Model) -> Written:
        """Write `model`; see :mod:`growthmm.notation.semopy.write`."""
        from growthmm.notation.semopy.write import write_model

        return write_model(_sem(model))

    def script(self, model: Model, context: ScriptContext) -> str:
        """A complete Python program; see :mod:`growthmm.notation.semopy.script`."""
        from growthmm.notation.semopy.script import script

        return script(_sem(model), context)

    def coefficient(self, column: Column) -> str:
        """The name of `column` in wide data: its parts, joined."""
        return ".".join(f"{part.expression}{part.label}" for part in column.parts) or "1"


def _sem(model: Model) -> SemModel:
    if isinstance(model, SemModel):
        return model
    raise SpecificationError(
        "semopy writes structural equation models, and this is a mixed model.",
        hint="Translate it first: growthmm.translate(model, to='semopy', ...).",
    )


NOTATION = SemopyNotation()
