"""OpenMx: read and write RAM models of paths."""

from __future__ import annotations

from growthmm.errors import NotationError
from growthmm.model.sem import SemModel
from growthmm.notation.lavaan.parser import Source
from growthmm.notation.openmx.calls import run
from growthmm.notation.openmx.names import dictionary
from growthmm.notation.openmx.parser import parse
from growthmm.notation.openmx.table import sem_model

__all__ = ["read"]


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
