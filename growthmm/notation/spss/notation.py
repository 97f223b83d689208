"""SPSS: the MIXED command."""

from __future__ import annotations

import re
from typing import Literal

from growthmm.errors import NotationError, SpecificationError
from growthmm.model.mixed import MixedModel
from growthmm.model.schema import Column
from growthmm.model.sem import SemModel
from growthmm.notation.base import Model, ScriptContext, Written
from growthmm.notation.formula.loss import sem_error

__all__ = ["NOTATION", "SpssNotation"]


class SpssNotation:
    """The notation of SPSS."""

    name = "spss"
    title = "SPSS"
    family: Literal["mixed", "sem"] = "mixed"

    default_estimator: Literal["ml", "reml"] = "ml"

    numbers_unless_told = True

    def recognises(self, text: str) -> bool:
        """Whether a MIXED command with subcommands stands in the text."""
        pattern = (
            r"^\s*mixed\s+[A-Za-z@#$][\w.@#$]*\s+(?:by|with)\b|^\s*mixed\s[^|~,]*?/\s*[a-z]{3,}"
        )
        return re.search(pattern, text, re.IGNORECASE | re.MULTILINE) is not None

    def read(self, text: str) -> MixedModel:
        """Read a program with one MIXED command; see :mod:`growthmm.notation.spss.read`."""
        from growthmm.notation.spss.read import read_spss

        try:
            return read_spss(text)
        except NotationError:
            raise
        except SpecificationError as error:
            raise NotationError(error.message, text=text, position=0, hint=error.hint) from None

    def write(self, model: Model) -> Written:
        """Write a mixed model; see :mod:`growthmm.notation.spss.write`."""
        if isinstance(model, SemModel):
            raise sem_error(self.title)
        from growthmm.notation.spss.write import write_mixed

        return write_mixed(model)

    def script(self, model: Model, context: ScriptContext) -> str:
        """A complete program; see :func:`growthmm.notation.spss.write.script`."""
        if isinstance(model, SemModel):
            raise sem_error(self.title)
        from growthmm.notation.spss.write import script

        return script(model, context)

    def coefficient(self, column: Column) -> str:
        """SPSS's name of a coefficient: ``Intercept``, ``t * x``, ``[sex=male]``."""
        from growthmm.notation.command_languages.effects import monomials

        names = []
        for part in column.parts:
            known = monomials(part.expression)
            name = known.name if known is not None else part.expression
            if part.coding == "numeric":
                names += [name] * (known.power if known is not None else 1)
            else:
                names.append(f"[{name}={part.label}]")
        return " * ".join(names) or "Intercept"


NOTATION = SpssNotation()
"""The notation, as the registry finds it."""
