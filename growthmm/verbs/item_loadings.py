"""Second-order growth with estimated item loadings, from and to ``nlme()``."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from growthmm.data.frames import as_pandas, numeric_column
from growthmm.data.levels import level_text
from growthmm.errors import UnsupportedError
from growthmm.model.defaults import Assumption
from growthmm.model.mixed import MixedModel
from growthmm.model.sem import SemModel
from growthmm.translation.item_loadings import (
    ItemCurves,
    by_item,
    curved_mixed,
    item_curves,
    with_item_loadings,
)
from growthmm.translation.item_rows import item_rows
from growthmm.translation.nearest import items_alike
from growthmm.translation.pair import Pair
from growthmm.translation.parameter_map import MapRow
from growthmm.verbs.binding import Facts, paired

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ItemForms", "item_forms"]

NOTE = Assumption(
    "the loadings of the items are parameters",
    "no linear mixed model says that; nlme() has the same likelihood, but stops below its maximum",
)


@dataclass(frozen=True)
class ItemForms:
    """Both forms of second-order growth with estimated item loadings.

    Parameters
    ----------
    mixed : MixedModel
        The call of ``nlme()``.
    sem : SemModel
        The latent growth curve.
    near : Pair
        Both forms of the same model with loadings of 1, which knows what the data are.
    frame : DataFrame, optional
        The data, a row a person, time and item.
    parameters : tuple of MapRow
        The parameter map.
    assumptions : tuple of Assumption
        What was guessed.
    """

    mixed: MixedModel
    sem: SemModel
    near: Pair
    frame: pd.DataFrame | None
    parameters: tuple[MapRow, ...]
    assumptions: tuple[Assumption, ...]


def item_forms(model: MixedModel | SemModel, data: object | None, facts: Facts) -> ItemForms | None:
    """Both forms of a model, where it is second-order growth with estimated item loadings.

    Parameters
    ----------
    model : MixedModel or SemModel
        Any model.
    data : data frame or path, optional
        Its data.
    facts : Facts
        What was said about them.

    Returns
    -------
    ItemForms or None
        None for any other model, and where ``nlme()`` does not say it.
    """
    if isinstance(model, MixedModel):
        found = item_curves(model)
        if found is None:
            return None
        found, data = _named_items(found, data)
        near, frame = paired(found.near, data, facts, spelling="nlme")
        sem = with_item_loadings(found, near)
        near = replace(near, mixed=replace(near.mixed, model=found.near))
        return _forms(by_item(model, found.item), sem, near, frame)
    alike = items_alike(model)
    if alike is None:
        return None
    try:
        near, frame = paired(alike.model, data, facts, spelling="nlme")
    except UnsupportedError:
        # With loadings of 1 it has no mixed form either, for reasons of its own.
        return None
    mixed = curved_mixed(model, near)
    return None if mixed is None else _forms(mixed, model, near, frame)


def _named_items(found: ItemCurves, data: object | None) -> tuple[ItemCurves, object | None]:
    """Items that are numbered, called by their numbers as a factor's levels are."""
    if all(isinstance(item, str) for item, _ in found.loadings):
        return found, data
    named = replace(
        found,
        loadings=tuple((level_text(item), own) for item, own in found.loadings),
        intercepts=tuple(map(level_text, found.intercepts)),
    )
    if data is None:
        return named, None
    frame = as_pandas(data)
    codes = numeric_column(frame, found.item)
    return named, frame.assign(**{found.item: [level_text(float(code)) for code in codes]})


def _forms(mixed: MixedModel, sem: SemModel, near: Pair, frame: pd.DataFrame | None) -> ItemForms:
    rows = item_rows(sem, mixed, near)
    return ItemForms(mixed, sem, near, frame, rows, (*near.assumptions, NOTE))
