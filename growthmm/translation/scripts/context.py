"""What a complete program around a translated model has to know of the user's data file."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from growthmm.notation.base import ScriptContext
from growthmm.rendering import Brief
from growthmm.translation.pair import Pair
from growthmm.translation.scripts.columns import derived_columns, with_families

__all__ = ["RESHAPING", "STACKING", "DataFile", "script_context"]

STACKING = frozenset(
    {"lme4", "nlme", "glmmtmb", "brms", "statsmodels", "lavaan", "openmx", "semopy"}
)
"""Notations whose scripts stack several outcomes, or take them apart."""

RESHAPING = frozenset({"lavaan", "openmx"})
"""Notations whose scripts for long data round times and take person means themselves."""


@dataclass(frozen=True, repr=False)
class DataFile(Brief):
    """The user's data, as a program finds them.

    Parameters
    ----------
    path : str, optional
        Where; a program asks for it where None.
    layout : {"long", "wide"}, optional
        Its layout; that of the form that was given where None.
    bins : tuple of float
        Shared occasions to which times are rounded.
    person_means : tuple of (str, str)
        Columns of person means, and of what.
    """

    path: str | None = None
    layout: Literal["long", "wide"] | None = None
    bins: tuple[float, ...] = ()
    person_means: tuple[tuple[str, str], ...] = ()


def script_context(pair: Pair, to: str, family: str, file: DataFile) -> ScriptContext:
    """The facts for a program in a notation.

    Parameters
    ----------
    pair : Pair
        The two forms.
    to : str
        The notation.
    family : {"mixed", "sem"}
        Which of them it writes.
    file : DataFile
        The data. Several outcomes are stacked and taken apart by some programs only
        (:data:`STACKING`), times rounded by some only (:data:`RESHAPING`); to others the data
        are given as they need them.
    """
    layout = file.layout or ("long" if pair.source == "mixed" else "wide")
    context = ScriptContext(file.path, layout, with_families(pair), derived_columns(pair))
    if file.bins or file.person_means:
        if to in RESHAPING:
            context = replace(context, bins=file.bins, person_means=file.person_means)
        elif family == "sem":
            context = replace(context, layout="wide")
    if pair.growth.schema.series and to not in STACKING:
        context = replace(context, data=None, layout="wide" if family == "sem" else "long")
    return context
