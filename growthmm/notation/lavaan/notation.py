"""lavaan: read and write models and calls."""

from __future__ import annotations

from growthmm.errors import NotationError
from growthmm.model.sem import SemModel
from growthmm.notation.base import Model, ScriptContext, Written
from growthmm.notation.lavaan.call import is_call
from growthmm.notation.lavaan.defaults import FUNCTIONS, Function
from growthmm.notation.lavaan.read import read
from growthmm.notation.sem.notation import SemNotation

__all__ = ["NOTATION", "LavaanNotation"]


class LavaanNotation(SemNotation):
    """lavaan, the R package, as a notation."""

    name = "lavaan"
    title = "lavaan"

    def recognises(self, text: str) -> bool:
        """Whether `text` calls one of lavaan's functions."""
        return is_call(text)

    def read(self, text: str, function: Function | None = None) -> SemModel:
        """Read `text`; see :func:`growthmm.notation.lavaan.read.read`."""
        if function is not None and function not in FUNCTIONS:
            raise NotationError(
                f"lavaan has no function {function!r}.",
                expected=tuple(FUNCTIONS),
                hint="Use one of growth, sem, cfa, lavaan.",
            )
        return read(text, function)

    def write(self, model: Model) -> Written:
        """Write `model`; see :mod:`growthmm.notation.lavaan.write`."""
        from growthmm.notation.lavaan.write import write_model

        return write_model(self.sem(model))

    def script(self, model: Model, context: ScriptContext) -> str:
        """A complete R program; see :mod:`growthmm.notation.lavaan.script`."""
        from growthmm.notation.lavaan.script import script

        return script(self.sem(model), context)


NOTATION = LavaanNotation()
