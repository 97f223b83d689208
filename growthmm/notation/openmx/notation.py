"""OpenMx: read and write RAM models of paths."""

from __future__ import annotations

import re
from typing import Literal

from growthmm.errors import SpecificationError
from growthmm.model.schema import Column
from growthmm.model.sem import SemModel
from growthmm.notation.base import Model, ScriptContext, Written
from growthmm.notation.openmx.read import read

__all__ = ["NOTATION", "OpenMxNotation"]

_UNMISTAKABLE = re.compile(r"(?<![\w.])(?:OpenMx::)?mx(?:Model|Path)\s*\(")


class OpenMxNotation:
    """OpenMx, the R package, as a notation."""

    name = "openmx"
    title = "OpenMx"
    family: Literal["mixed", "sem"] = "sem"

    def recognises(self, text: str) -> bool:
        """Whether `text` makes models or paths of OpenMx."""
        return _UNMISTAKABLE.search(re.sub(r"#[^\n]*", "", text)) is not None

    def read(self, text: str) -> SemModel:
        """Read `text`; see :func:`growthmm.notation.openmx.read.read`."""
        return read(text)

    def write(self, model: Model) -> Written:
        """Write `model`; see :mod:`growthmm.notation.openmx.write`."""
        from growthmm.notation.openmx.write import write_model

        return write_model(_sem(model))

    def script(self, model: Model, context: ScriptContext) -> str:
        """A complete R program; see :mod:`growthmm.notation.openmx.script`."""
        from growthmm.notation.openmx.script import script

        return script(_sem(model), context)

    def coefficient(self, column: Column) -> str:
        """The name of `column` in wide data: its parts, joined."""
        return ".".join(f"{part.expression}{part.label}" for part in column.parts) or "1"


def _sem(model: Model) -> SemModel:
    if isinstance(model, SemModel):
        return model
    raise SpecificationError(
        "OpenMx writes structural equation models, and this is a mixed model.",
        hint="Translate it first: growthmm.translate(model, to='openmx', ...).",
    )


NOTATION = OpenMxNotation()
