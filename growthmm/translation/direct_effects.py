"""Paths from one covariate to the outcomes, as direct effects of a growth model."""

from __future__ import annotations

from collections.abc import Sequence

from growthmm.model.growth import Covariate, DirectEffect, direct_key
from growthmm.model.schema import Column, Schema
from growthmm.model.sem import Path, SemModel
from growthmm.translation.outcomes.effects import outcome_effects
from growthmm.translation.tied_effects import TiedEffects, tied_effects

__all__ = ["direct_effects"]


def direct_effects(
    covariate: Covariate,
    found: Sequence[tuple[int, Path]],
    model: SemModel,
    schema: Schema,
    hints: Sequence[Column] = (),
) -> TiedEffects | None:
    """One effect, one of each outcome, effects in time, or one at each occasion.

    Parameters
    ----------
    covariate : Covariate
        What acts.
    found : sequence of (int, Path)
        The occasion that each path leads to.
    model : SemModel
        With its constraints.
    schema : Schema
        With the occasions.
    hints : sequence of Column
        Columns of time that tied effects may move with, tried first.

    Returns
    -------
    TiedEffects or None
        None where some of the paths are equal in a pattern that no formula has.
    """
    parameters = {path.parameter for _, path in found}
    absent = [j for j, column in enumerate(covariate.columns) if not column]
    if len(parameters) == 1 and len(found) == len(schema.outcome_columns) - len(absent):
        return _named([(DirectEffect(covariate.name), found[0][1].parameter)])
    apart = outcome_effects(covariate.name, found, schema, absent) if schema.series else None
    if apart is not None:
        return _named(apart)
    tied = tied_effects(covariate, found, model, schema, hints)
    if tied is not None:
        return tied
    if len(parameters) < len(found):
        return None
    return _named([(DirectEffect(covariate.name, j), path.parameter) for j, path in found])


def _named(effects: Sequence[tuple[DirectEffect, str]]) -> TiedEffects:
    names = tuple((direct_key(effect), parameter) for effect, parameter in effects)
    return TiedEffects(tuple(effect for effect, _ in effects), names, (), ())
