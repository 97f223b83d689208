"""Covariates of several outcomes, tied to the columns of stacked data."""

from __future__ import annotations

from growthmm.model.schema import Schema
from growthmm.model.sem import SemModel
from growthmm.translation.covariates import covariate_families

__all__ = ["outcome_families"]

Families = tuple[tuple[str | None, tuple[str, ...]], ...]


def outcome_families(model: SemModel, schema: Schema) -> Families:
    """Covariates grouped into time-varying families, as ``covariate_families`` does it.

    A family has a column for each time, which all outcomes share, or one for each occasion of one
    outcome; then it has nothing to do with the others, and any of its columns stands there.

    Parameters
    ----------
    model : SemModel
        With its covariates.
    schema : Schema
        With several outcomes.
    """
    made: dict[str, tuple[str | None, tuple[str, ...]]] = {}
    for outcome in schema.outcomes:
        cells = schema.cells_of(outcome)
        if len(cells) == 1:
            continue
        own = tuple(schema.outcome_columns[j] for j in cells)
        times = [schema.occasions[j] for j in cells]
        for stem, columns in covariate_families(_only(model, own), own, lags=False):
            if stem is None:
                continue
            at = dict(zip(times, columns, strict=True))
            everywhere = tuple(at.get(t, columns[0]) for t in schema.occasions)
            for column in columns:
                made.setdefault(column, (stem, everywhere))
    for name in model.covariates:
        made.setdefault(name, (None, (name,)))
    ordered: dict[tuple[str | None, tuple[str, ...]], None] = {}
    for name in model.covariates:
        ordered[made[name]] = None
    return tuple(ordered)


def _only(model: SemModel, outcomes: tuple[str, ...]) -> SemModel:
    """The model without the regressions of other outcomes."""
    from dataclasses import replace

    others = set(model.outcomes) - set(outcomes)
    paths = tuple(p for p in model.paths if not (p.op == "~" and p.left in others))
    return replace(model, paths=paths)
