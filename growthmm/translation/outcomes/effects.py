"""Direct effects that are the same at all occasions of one of several outcomes."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from growthmm.model.growth import DirectEffect
from growthmm.model.schema import Column, Schema
from growthmm.model.sem import Path
from growthmm.model.terms import Term
from growthmm.translation.outcomes.bases import outcome_part

__all__ = ["outcome_effects"]


def outcome_effects(
    name: str, found: Sequence[tuple[int, Path]], schema: Schema, absent: Collection[int] = ()
) -> list[tuple[DirectEffect, str]] | None:
    """Paths of a covariate as effects on whole outcomes, with their parameters.

    Parameters
    ----------
    name : str
        The covariate.
    found : sequence of (int, Path)
        The occasion that each path leads to.
    schema : Schema
        With several outcomes.
    absent : collection of int
        Occasions at which a lagged covariate has no value, and no path.

    Returns
    -------
    list of (DirectEffect, str), or None
        None where the paths are not the same at all occasions of each outcome that they lead to.
    """
    cells: dict[str, list[int]] = {}
    for j, path in found:
        cells.setdefault(path.parameter, []).append(j)
    acting = {o: [j for j in schema.cells_of(o) if j not in absent] for o in schema.outcomes}
    of = {tuple(own): outcome for outcome, own in acting.items()}
    made = []
    for parameter, places in cells.items():
        outcome = of.get(tuple(sorted(places)))
        if outcome is None or len(places) < 2:
            return None
        part = outcome_part(schema, outcome)
        column = Column(Term((part.expression,)), (part,))
        loadings = tuple(float(own == outcome) for own in schema.series)
        made.append((DirectEffect(name, None, column, loadings), parameter))
    return made
