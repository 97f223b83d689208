"""semopy: read and write descriptions of ``semopy.ModelMeans``."""

from __future__ import annotations

import re
from typing import Literal

from growthmm.errors import NotationError, SpecificationError
from growthmm.model.defaults import Default
from growthmm.model.schema import Column
from growthmm.model.sem import SemModel
from growthmm.notation.base import Model, ScriptContext, Written
from growthmm.notation.lavaan_parser import Source
from growthmm.notation.semopy_defaults import complete
from growthmm.notation.semopy_syntax import parse

__all__ = ["NOTATION", "SemopyNotation", "read"]

_UNMISTAKABLE = re.compile(r"^\s*(?:START|BOUND|CONSTRAINT|DEFINE|EXO)\b", re.MULTILINE)

_DEFAULTS = (
    Default("missing", "listwise", "semopy drops incomplete persons from its ML objective"),
    Default("variances", "not negative", "semopy: variances are bounded below by 0"),
    Default("covariates", "fixed", "semopy.ModelMeans: conditional on exogenous variables"),
)


def read(text: str) -> SemModel:
    r"""Read a description.

    Parameters
    ----------
    text : str
        A description in semopy's syntax, as ``semopy.ModelMeans`` takes it.

    Returns
    -------
    SemModel
        The complete table: what semopy adds stands in it as rows whose `rule` says so.

    Raises
    ------
    NotationError
        If the text is malformed, or is no linear SEM.

    Examples
    --------
    >>> model = read("i =~ 1*y0 + 1*y1\ny0 ~ 0*1\ny1 ~ 0*1\ni ~ ai*1\nSTART(1) ai")
    >>> model.path("i", "~1").label, model.path("y0", "~~", "y0").rule
    ('ai', 'semopy.ModelMeans: residual variances are free')
    """
    source = Source(text)
    try:
        syntax = parse(text)
        paths, roles = complete(syntax, source)
        return SemModel(
            paths=paths,
            latent=roles.latent,
            outcomes=roles.outcomes,
            covariates=roles.covariates,
            constraints=syntax.constraints,
            notation="semopy",
            defaults=_DEFAULTS,
        )
    except NotationError:
        raise
    except SpecificationError as error:
        raise NotationError(error.message, text=text, position=0, hint=error.hint) from None
    except RecursionError:
        raise NotationError("The text is nested too deeply.", text=text, position=0) from None


class SemopyNotation:
    """semopy, the Python package, as a notation."""

    name = "semopy"
    title = "semopy"
    family: Literal["mixed", "sem"] = "sem"

    def recognises(self, text: str) -> bool:
        """Whether `text` has operations that only semopy knows."""
        return _UNMISTAKABLE.search(text) is not None

    def read(self, text: str) -> SemModel:
        """Read `text`; see :func:`read`."""
        return read(text)

    def write(self, model: Model) -> Written:
        """Write `model`; see :mod:`growthmm.notation.semopy_write`."""
        from growthmm.notation.semopy_write import write_model

        return write_model(_sem(model))

    def script(self, model: Model, context: ScriptContext) -> str:
        """A complete Python program; see :mod:`growthmm.notation.semopy_script`."""
        from growthmm.notation.semopy_script import script

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
