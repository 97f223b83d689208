"""Covariates of a structural equation model, tied to the columns of long data."""

from __future__ import annotations

from collections.abc import Sequence

from growthmm.model.expression import quote
from growthmm.model.schema import Column, ColumnPart
from growthmm.model.sem import SemModel
from growthmm.model.terms import Term
from growthmm.translation.carriers import carriers
from growthmm.translation.time_scores import common_stem

__all__ = ["covariate_families", "plain_column"]


def plain_column(name: str) -> Column:
    """A numeric data column as it is."""
    expression = quote(name)
    return Column(Term((expression,)), (ColumnPart(expression),))


def covariate_families(
    model: SemModel, outcomes: Sequence[str]
) -> tuple[tuple[str | None, tuple[str, ...]], ...]:
    """Covariates grouped into time-varying families.

    Columns that each act on one outcome of their own and share a label or a name before the
    number are one time-varying covariate.

    Parameters
    ----------
    model : SemModel
        With its covariates.
    outcomes : sequence of str
        The growth outcomes in order of occasion.

    Returns
    -------
    tuple of (str or None, tuple of str)
        For each covariate its columns, with the stem where it is time-varying (columns then in
        order of occasion), else None and the one column.
    """
    carried = {carrier.name: carrier for carrier in carriers(model)}
    targets: dict[str, dict[str, str]] = {name: {} for name in model.covariates}
    for path in model.paths:
        if path.op != "~" or path.right not in targets or not (path.free or path.value):
            continue
        carrier = carried.get(path.left)
        if carrier is None:
            targets[path.right][path.left] = path.parameter
        else:
            targets[path.right].setdefault(carrier.target, carrier.path.parameter)
    single = {
        name: next(iter(found.items()))
        for name, found in targets.items()
        if len(found) == 1 and next(iter(found)) in outcomes
    }
    by_stem: dict[str, list[str]] = {}
    by_label: dict[str, list[str]] = {}
    for name, (_, parameter) in single.items():
        stem = common_stem([name])
        if stem is not None:
            by_stem.setdefault(stem, []).append(name)
        by_label.setdefault(parameter, []).append(name)
    used: set[str] = set()
    families: dict[str, tuple[str | None, tuple[str, ...]]] = {}
    for stem, names in [*by_stem.items(), *(("", names) for names in by_label.values())]:
        places = {single[name][0]: name for name in names}
        if len(places) != len(names) or used & set(names):
            continue
        if len(names) < len(outcomes):
            places = _filled(stem, places, outcomes) if stem else places
        if len(places) != len(outcomes):
            continue
        used |= set(names)
        columns = tuple(places[y] for y in outcomes)
        chosen = stem or common_stem(columns) or f"x{len(families) + 1}"
        families[next(name for name in model.covariates if name in names)] = (chosen, columns)
        for name in columns:
            families.setdefault(name, (None, ()))
    for name in model.covariates:
        families.setdefault(name, (None, (name,)))
    ordered = (families[name] for name in model.covariates)
    return tuple(family for family in ordered if family[1])


def _filled(stem: str, places: dict[str, str], outcomes: Sequence[str]) -> dict[str, str]:
    """The family with a name for each occasion that has no path, or as it is where that fails.

    Columns that carry the numbers of their outcomes go on in the same way.
    """
    shared = common_stem(outcomes)
    if shared is None or len(places) < 2:
        return places
    if any(name[len(stem) :] != y[len(shared) :] for y, name in places.items()):
        return places
    return {y: places.get(y, stem + y[len(shared) :]) for y in outcomes}
