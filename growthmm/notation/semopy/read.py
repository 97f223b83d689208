"""semopy: read and write descriptions of ``semopy.ModelMeans``."""

from __future__ import annotations

from growthmm.errors import NotationError, SpecificationError
from growthmm.model.defaults import Default
from growthmm.model.sem import SemModel
from growthmm.notation.lavaan.parser import Source
from growthmm.notation.semopy.defaults import complete
from growthmm.notation.semopy.syntax import parse

__all__ = ["read"]

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
