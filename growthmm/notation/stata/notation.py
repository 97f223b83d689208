"""Stata: ``mixed`` (mixed models) and ``sem`` (structural equation models)."""

from __future__ import annotations

import re
from typing import Literal

from growthmm.errors import NotationError, SpecificationError
from growthmm.model.mixed import MixedModel
from growthmm.model.schema import Column
from growthmm.model.sem import SemModel
from growthmm.notation.base import Model, ScriptContext, Written

__all__ = ["NOTATION", "StataNotation"]

_MIXED = re.compile(
    r"^\s*(?:(?:qui\w*|noi\w*|cap\w*)\s*:?\s*)?(?:xt)?mixed\s+\w+[^~]*?(?:\|\||,\s*[a-z])",
    re.MULTILINE,
)
_SEM = re.compile(
    r"""^\s*(?:(?:qui\w*|noi\w*|cap\w*)\s*:?\s*)?sem\s*(?:\([^()'"=]*|[\w\s@.]+)(?:<-|->)""",
    re.MULTILINE,
)


class StataNotation:
    """The notation of Stata."""

    name = "stata"
    title = "Stata"
    family: Literal["mixed", "sem"] = "mixed"
    families: tuple[Literal["mixed", "sem"], ...] = ("mixed", "sem")

    default_estimator: Literal["ml", "reml"] = "ml"

    numbers_unless_told = True

    def recognises(self, text: str) -> bool:
        """Whether a line has ``mixed`` with ``||`` or options, or ``sem`` with paths."""
        return _MIXED.search(text) is not None or _SEM.search(text) is not None

    def read(self, text: str) -> Model:
        """Read a do-file that holds one ``mixed`` or ``sem`` command; nothing of it is run.

        Parameters
        ----------
        text : str
            The commands. ``generate`` is understood, other commands are passed over.

        Returns
        -------
        MixedModel or SemModel
            What Stata fills in stands among the defaults.

        Raises
        ------
        NotationError
            If the text is malformed or asks for something unsupported.

        Examples
        --------
        >>> model = NOTATION.read("mixed y c.t##c.x || id: t")
        >>> model.estimator, model.random[0].covariance
        ('ml', 'diagonal')
        """
        from growthmm.notation.stata.commands import find_command
        from growthmm.notation.stata.mixed import read_mixed
        from growthmm.notation.stata.sem import read_sem

        try:
            command = find_command(text)
            return read_sem(command) if command.name == "sem" else read_mixed(command)
        except NotationError:
            raise
        except SpecificationError as error:
            raise NotationError(error.message, text=text, position=0, hint=error.hint) from None
        except RecursionError:
            raise NotationError("The text is nested too deeply.", text=text, position=0) from None

    def write(self, model: Model) -> Written:
        """Write a mixed model as ``mixed``, a structural equation model as ``sem``."""
        if isinstance(model, MixedModel):
            from growthmm.notation.stata.mixed_write import write_mixed

            return write_mixed(model)
        from growthmm.notation.stata.sem_write import write_sem

        return write_sem(model)

    def script(self, model: Model, context: ScriptContext) -> str:
        """A complete do-file; see :mod:`growthmm.notation.stata.script`."""
        from growthmm.notation.stata.script import mixed_script, sem_script

        if isinstance(model, SemModel):
            return sem_script(model, context)
        return mixed_script(model, context)

    def coefficient(self, column: Column) -> str:
        """Stata's name of a coefficient: ``_cons``, ``c.t#c.x``, ``1.sex``."""
        from growthmm.notation.command_languages.effects import monomials

        several = len(column.parts) > 1
        names = []
        for part in column.parts:
            known = monomials(part.expression)
            name = known.name if known is not None else part.expression
            if part.coding != "numeric":
                names.append(f"{part.label}.{name}")
                continue
            power = known.power if known is not None else 1
            names += [f"c.{name}" if several or power > 1 else name] * power
        return "#".join(names) or "_cons"


NOTATION = StataNotation()
"""The notation, as the registry finds it."""
