"""The verb ``defaults``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from growthmm.errors import UnboundError
from growthmm.model.mixed import MixedModel
from growthmm.notation.default_list import DefaultRow
from growthmm.verbs.binding import Layout
from growthmm.verbs.source import Function, ModelLike, source
from growthmm.verbs.translate import translate

__all__ = ["defaults"]

PLACES = (0.0, 1.0, 2.0, 3.0)
"""Occasions that stand in where none are known: defaults do not depend on them."""


def defaults(
    model: ModelLike,
    to: str,
    *,
    id: str | None = None,
    time: str | None = None,
    time_values: Sequence[float] | None = None,
    outcome: str | None = None,
    layout: Layout | None = None,
    notation: str | None = None,
    function: Function | None = None,
    residual: str | None = None,
    estimator: str | None = None,
) -> tuple[DefaultRow, ...]:
    """List what two programs fill in differently for a model; data are not needed.

    Parameters
    ----------
    model : str, Path, MixedModel or SemModel
        The model.
    to : str
        The other program's notation.
    id, time, time_values, outcome, layout : optional
        Facts of the data, as in ``translate``. Where the occasions are not known, 0, 1, 2, 3
        stand in.
    notation, function, residual, estimator : optional
        How to read the model, as in ``translate``.

    Returns
    -------
    tuple of DefaultRow
        The source's defaults that the target does not share and the target's that the model
        overrides, each with what is written to keep the model.

    Raises
    ------
    GrowthmmError
        If the model can't be read or translated.

    Examples
    --------
    >>> for row in defaults("mixed y t || id: t", "lavaan", time_values=[0, 1, 2]):
    ...     if row.what == "i~~s":
    ...         print(row.target_value, "|", row.target_rule, "|", row.written)
    free | growth(): exogenous latent variables covary | i ~~ 0*s
    """
    read = source(model, notation=notation, function=function, residual=residual)
    facts = {"id": id, "time": time, "outcome": outcome, "layout": layout}
    options = {"estimator": estimator, "on_loss": "keep"} | facts
    known = replace(read.model)
    try:
        return translate(known, to, time_values=time_values, **options).defaults  # type: ignore[arg-type]
    except UnboundError:
        if time_values is not None or not isinstance(known, MixedModel):
            raise
        return translate(known, to, time_values=PLACES, **options).defaults  # type: ignore[arg-type]
