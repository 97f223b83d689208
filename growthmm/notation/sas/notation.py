"""SAS: PROC MIXED (mixed models) and PROC CALIS (structural equation models)."""

from __future__ import annotations

import re
from typing import Literal

from growthmm.errors import NotationError, SpecificationError
from growthmm.model.mixed import MixedModel
from growthmm.model.schema import Column
from growthmm.model.sem import SemModel
from growthmm.notation.base import Model, ScriptContext, Written

__all__ = ["NOTATION", "SasNotation"]


class SasNotation:
    """The notation of SAS."""

    name = "sas"
    title = "SAS"
    family: Literal["mixed", "sem"] = "mixed"
    families: tuple[Literal["mixed", "sem"], ...] = ("mixed", "sem")

    default_estimator: Literal["ml", "reml"] = "ml"

    numbers_unless_told = True

    def recognises(self, text: str) -> bool:
        """Whether the text has a procedure that fits models."""
        return re.search(r"\bproc\s+(?:t?calis|mixed|glimmix)\b", text, re.IGNORECASE) is not None

    def read(self, text: str) -> Model:
        """Read a program that holds one PROC MIXED or PROC CALIS; nothing of it is run.

        Parameters
        ----------
        text : str
            The program. Data steps of plain assignments are understood, other steps passed over.

        Returns
        -------
        MixedModel or SemModel
            What SAS fills in stands among the defaults.

        Raises
        ------
        NotationError
            If the text is malformed or asks for something unsupported.

        Examples
        --------
        >>> text = "proc mixed; model y = t / s; random int t / sub=id; run;"
        >>> model = NOTATION.read(text)
        >>> model.estimator, model.random[0].covariance
        ('reml', 'diagonal')
        """
        from growthmm.notation.sas.calis import read_calis
        from growthmm.notation.sas.mixed import read_mixed
        from growthmm.notation.sas.statements import find_procedure

        procedure = find_procedure(text)
        try:
            return read_mixed(procedure) if procedure.name == "mixed" else read_calis(procedure)
        except NotationError:
            raise
        except SpecificationError as error:
            raise NotationError(error.message, text=text, position=0, hint=error.hint) from None

    def write(self, model: Model) -> Written:
        """Write a mixed model as PROC MIXED, a structural equation model as PROC CALIS."""
        if isinstance(model, MixedModel):
            from growthmm.notation.sas.mixed_write import write_mixed

            return write_mixed(model)
        from growthmm.notation.sas.calis_write import write_calis

        return write_calis(model)

    def script(self, model: Model, context: ScriptContext) -> str:
        """A complete program; see :mod:`growthmm.notation.sas.script`."""
        from growthmm.notation.sas.script import calis_script, mixed_script

        if isinstance(model, SemModel):
            return calis_script(model, context)
        return mixed_script(model, context)

    def coefficient(self, column: Column) -> str:
        """SAS's name of a coefficient: ``Intercept``, ``t*x``, ``sex male``."""
        from growthmm.notation.command_languages.effects import monomials

        if not column.parts:
            return "Intercept"
        names, levels = [], []
        for part in column.parts:
            known = monomials(part.expression)
            name = known.name if known is not None else part.expression
            names += [name] * (known.power if known is not None else 1)
            if part.coding != "numeric":
                levels.append(part.label)
        return " ".join(["*".join(names), *levels])


NOTATION = SasNotation()
"""The notation, as the registry finds it."""
