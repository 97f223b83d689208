"""Covariates of several outcomes, tied to the columns of stacked data."""

from __future__ import annotations

from growthmm.model.schema import Schema
from growthmm.model.sem import SemModel
from growthmm.translation.binding.covariates import covariate_families
from growthmm.translation.binding.time_scores import common_stem
from growthmm.translation.lagged import LEAST
from growthmm.translation.shifted import lag_name

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
    made: dict[str, Families] = {}
    series: list[tuple[str, dict[float, str]]] = []
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
            # Outcomes that share a covariate may have times that others lack.
            alike = (known for name, known in series if name == stem)
            known = next((k for k in alike if all(k.get(t, at[t]) == at[t] for t in at)), None)
            if known is None:
                series.append((stem, at))
            else:
                known |= at
    for stem, at in series:
        first = next(iter(at.values()))
        everywhere = tuple(at.get(t, first) for t in schema.occasions)
        for column in at.values():
            made.setdefault(column, ((stem, everywhere),))
    made |= _lagged(model, schema)
    for name in model.covariates:
        made.setdefault(name, ((None, (name,)),))
    return tuple(dict.fromkeys(family for name in model.covariates for family in made[name]))


def _lagged(model: SemModel, schema: Schema) -> dict[str, Families]:
    """Families of covariates whose columns act on outcomes of other times, by their first column.

    The number in a column's name says its time, as those of the outcomes do.
    """
    clock: dict[str, float] = {}
    for outcome in schema.outcomes:
        own = [schema.outcome_columns[j] for j in schema.cells_of(outcome)]
        stem = common_stem(own) if len(own) > 1 else None
        for y in own if stem is not None else ():
            at = schema.occasions[schema.outcome_columns.index(y)]
            if clock.setdefault(y[len(stem or "") :], at) != at:
                return {}
    times, number = schema.times, {at: end for end, at in clock.items()}
    lags: dict[str, dict[str, list[int]]] = {}
    for path in model.paths:
        stem = common_stem([path.right]) if path.op == "~" and path.free else None
        if stem is None or path.right not in model.covariates:
            continue
        end, cells = path.right[len(stem) :], schema.outcome_columns
        if end not in clock or path.left not in cells:
            lags.setdefault(stem, {}).setdefault(path.right, []).append(len(times))
            continue
        by = times.index(schema.occasions[cells.index(path.left)]) - times.index(clock[end])
        lags.setdefault(stem, {}).setdefault(path.right, []).append(by)
    found: dict[str, Families] = {}
    for stem, columns in lags.items():
        every = [k for own in columns.values() for k in own]
        if len(times) in every or not any(every):
            continue
        if len(number) < len(times) or any(every.count(k) < LEAST for k in every if k):
            continue
        whole = tuple(stem + number[at] for at in schema.occasions)
        first, *rest = columns
        found |= dict.fromkeys(rest, ())
        found[first] = tuple(
            (lag_name(stem, k) if k else stem, schema.shifted(whole, k) if k else whole)
            for k in sorted(set(every), key=lambda k: (k < 0, abs(k)))
        )
    return found


def _only(model: SemModel, outcomes: tuple[str, ...]) -> SemModel:
    """The model without the regressions of other outcomes."""
    from dataclasses import replace

    others = set(model.outcomes) - set(outcomes)
    paths = tuple(p for p in model.paths if not (p.op == "~" and p.left in others))
    return replace(model, paths=paths)
