"""OpenMx: read and write RAM models of paths."""

from __future__ import annotations

import re
from typing import Literal

from growthmm.errors import NotationError, SpecificationError
from growthmm.model.schema import Column
from growthmm.model.sem import SemModel
from growthmm.notation.base import Model, ScriptContext, Written
from growthmm.notation.lavaan.parser import Source
from growthmm.notation.openmx.calls import run
from growthmm.notation.openmx.names import dictionary
from growthmm.notation.openmx.parser import parse
from growthmm.notation.openmx.table import sem_model

__all__ = ["NOTATION", "OpenMxNotation", "read"]

_UNMISTAKABLE = re.compile(r"(?<![\w.])(?:OpenMx::)?mx(?:Model|Path)\s*\(")


def read(text: str) -> SemModel:
    r"""Read R code that makes a RAM model of paths.

    Nothing is run: vectors (``c``, ``paste0``, ``rep``, ``seq``, ``0:3`` ...), variables, and
    models that are built step by step are worked out here.

    Parameters
    ----------
    text : str
        R code with ``mxModel(type = "RAM")``.

    Returns
    -------
    SemModel
        The table: OpenMx has no defaults, so what is not written is zero. A latent variable
        that is a definition variable's value is a covariate.

    Raises
    ------
    NotationError
        If the text is malformed, or says what is no linear SEM of paths.

    Examples
    --------
    >>> model = read('''mxModel("g", type = "RAM", manifestVars = paste0("y", 0:1),
    ...   latentVars = c("i", "x"), mxPath("i", paste0("y", 0:1), free = FALSE, values = 1),
    ...   mxPath(c("i", "y0", "y1"), arrows = 2, values = 1, labels = c("v", "r", "r")),
    ...   mxPath("one", c("i", "x"), free = c(TRUE, FALSE), labels = c(NA, "data.sex")),
    ...   mxPath("x", "i"))''')
    >>> model.covariates, model.path("i", "~", "sex").free, model.path("y1", "~~", "y1").label
    (('sex',), True, 'r')
    """
    try:
        source = Source(text)
        return sem_model(run(parse(text), source), dictionary(text), source)
    except RecursionError:
        raise NotationError("The text is nested too deeply.", text=text, position=0) from None


class OpenMxNotation:
    """OpenMx, the R package, as a notation."""

    name = "openmx"
    title = "OpenMx"
    family: Literal["mixed", "sem"] = "sem"

    def recognises(self, text: str) -> bool:
        """Whether `text` makes models or paths of OpenMx."""
        return _UNMISTAKABLE.search(re.sub(r"#[^\n]*", "", text)) is not None

    def read(self, text: str) -> SemModel:
        """Read `text`; see :func:`read`."""
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
