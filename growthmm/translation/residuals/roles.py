"""What the columns that a text names for its residuals are to the data."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from growthmm.data.roles import classify
from growthmm.errors import UnsupportedError
from growthmm.model.defaults import Loss
from growthmm.model.expression import quote
from growthmm.model.mixed import MixedModel
from growthmm.model.residual import ResidualStructure

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["by_time", "settled"]


def settled(model: MixedModel, frame: pd.DataFrame | None, person: str) -> MixedModel:
    """The model with residual variances by group where persons do not move along the column.

    A text such as ``varIdent(form = ~ 1 | sex)`` does not say whether its column is time.

    Parameters
    ----------
    model : MixedModel
        The model as read.
    frame : DataFrame, optional
        Long data.
    person : str
        The column of persons.

    Raises
    ------
    UnsupportedError
        If residuals are correlated within other groups than persons.
    """
    within = model.residual.person
    if within is not None and within != quote(person):
        raise UnsupportedError(
            f"The residuals are correlated within {within}, and the persons are {person}.",
            losses=[
                Loss(
                    f"residuals {model.residual} within {within}",
                    "a growth curve correlates the residuals of one person",
                    f"the structure within {person}",
                )
            ],
        )
    column = model.residual.time
    if frame is None or model.residual.kind != "by_occasion" or column not in frame.columns:
        return model
    assert column is not None
    if classify(frame, id=person, time=None, names=[column])[0].role != "person_level":
        return model
    return replace(model, residual=ResidualStructure("by_group", by=column))


def by_time(model: MixedModel, time: str | None) -> MixedModel:
    """The model with residual variances by occasion where its groups are the times."""
    residual = model.residual
    if residual.crossed and time is not None:
        by = residual.time if residual.by == time else residual.by
        return replace(model, residual=replace(residual, by=by, time=time))
    if time is None or model.residual.kind != "by_group" or model.residual.by != time:
        return model
    return replace(model, residual=ResidualStructure("by_occasion", time=time))
