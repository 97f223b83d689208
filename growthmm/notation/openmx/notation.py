"""OpenMx: read and write RAM models of paths."""

from __future__ import annotations

import re

from growthmm.model.sem import SemModel
from growthmm.notation.base import Model, ScriptContext, Written
from growthmm.notation.openmx.read import read
from growthmm.notation.sem.notation import SemNotation

__all__ = ["NOTATION", "OpenMxNotation"]

_UNMISTAKABLE = re.compile(r"(?<![\w.])(?:OpenMx::)?mx(?:Model|Path)\s*\(")


class OpenMxNotation(SemNotation):
    """OpenMx, the R package, as a notation."""

    name = "openmx"
    title = "OpenMx"

    def recognises(self, text: str) -> bool:
        """Whether `text` makes models or paths of OpenMx."""
        return _UNMISTAKABLE.search(re.sub(r"#[^\n]*", "", text)) is not None

    def read(self, text: str) -> SemModel:
        """Read `text`; see :func:`growthmm.notation.openmx.read.read`."""
        return read(text)

    def write(self, model: Model) -> Written:
        """Write `model`; see :mod:`growthmm.notation.openmx.write`."""
        from growthmm.notation.openmx.write import write_model

        return write_model(self.sem(model))

    def script(self, model: Model, context: ScriptContext) -> str:
        """A complete R program; see :mod:`growthmm.notation.openmx.script`."""
        from growthmm.notation.openmx.script import script

        return script(self.sem(model), context)


NOTATION = OpenMxNotation()
