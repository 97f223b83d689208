"""Loadings that differ from person to person: definition variables on the SEM side.

A function of individually varying times, or a covariate with a random slope, is the loading of a
growth factor all the same; its numbers stand in the data, a column for each occasion or visit
(Mehta & West 2000, https://doi.org/10.1037/1082-989X.5.1.23).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from growthmm.model.bound import BoundMixed
from growthmm.model.defaults import Loss
from growthmm.model.growth import Covariate, GrowthFactor, GrowthModel
from growthmm.model.schema import Column, Schema
from growthmm.model.sem import Path, SemModel
from growthmm.translation.carriers import carriers
from growthmm.translation.coding import column_key
from growthmm.translation.lagged import LEAST
from growthmm.translation.naming import common_stem
from growthmm.translation.shifted import lag_name
from growthmm.translation.tabulate import part_variables, tabulate

__all__ = [
    "column_signature",
    "defined_factor",
    "definition_families",
    "fixed_loadings",
    "grid_values",
    "losses_at_individual_times",
    "losses_by_visit",
    "losses_of_several",
]

GRID = (1.0, 2.0, 3.0, 4.0, 5.0)
"""Times at which a function of time is looked at to name its factor."""

BY_VISIT = "nobody shares occasions, and a parameter for each visit's number is another model"


def losses_at_individual_times(bound: BoundMixed) -> list[Loss]:
    """Parts of a mixed model that mean nothing, or cannot be said, at individual times."""
    losses = []
    kind = bound.model.residual.kind
    if kind in ("ar1", "ar1+common", "arh1"):
        losses.append(
            Loss(
                f"residual structure {bound.model.residual}",
                "the correlation of two visits is a parameter to the power of their own distance",
                "the mixed model as it is (nlme corCAR1 or corAR1), or times rounded (bin=)",
            )
        )
    elif kind != "common":
        losses.append(
            Loss(
                f"residual structure {bound.model.residual}",
                BY_VISIT,
                "residual=common, or times rounded to shared occasions (bin=)",
            )
        )
    if bound.model.loading_names:
        losses.append(
            Loss(
                f"the parameters {', '.join(bound.model.loading_names)} of the loadings",
                "at individual times they would be one function of a parameter for each visit",
                "the mixed model as it is (nlme), or times rounded to shared occasions (bin=)",
            )
        )
    random = (column for block in bound.random for column in block.columns)
    parts = [part for column in (*bound.fixed, *random) for part in column.parts]
    categorical = dict.fromkeys(
        part.expression
        for part in parts
        if part.coding != "numeric" and bound.schema.time in part_variables(part)
    )
    losses += [
        Loss(
            f"{expression}, an indicator for each time",
            f"{bound.schema.time} varies individually: {BY_VISIT}",
            "a smooth function of time, or times rounded to shared occasions (bin=)",
        )
        for expression in categorical
    ]
    return losses


def grid_values(column: Column, schema: Schema) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """A function of time at a few times, to tell a line from a parabola; empty for others."""
    names = {name for part in column.parts for name in part_variables(part)}
    if not names or names != {schema.time}:
        return (), ()
    grid = Schema(schema.person, schema.time, schema.outcome, GRID, constants=schema.constants)
    return tabulate(column, grid), GRID


def fixed_loadings(factor: GrowthFactor, growth: GrowthModel) -> list[Path]:
    """The loadings of a growth factor: numbers, or columns of the data."""
    outcomes = growth.schema.outcome_columns
    if factor.definition is None:
        return [
            Path(factor.name, "=~", y, free=False, value=loading)
            for y, loading in _indicators(factor, growth)
        ]
    columns = growth.covariate(factor.definition).columns
    if len(columns) == 1:
        columns = columns * len(outcomes)
    return [
        Path(factor.name, "=~", y, free=False, definition=column)
        if column
        else Path(factor.name, "=~", y, free=False, value=0.0)
        for y, column in zip(outcomes, columns, strict=True)
    ]


def _indicators(factor: GrowthFactor, growth: GrowthModel) -> list[tuple[str, float]]:
    """The outcomes that a factor is written with: of several, those that it is a factor of."""
    pairs = list(zip(growth.schema.outcome_columns, factor.loadings, strict=True))
    series = growth.schema.series
    if not series:
        return pairs
    own = {kind for kind, value in zip(series, factor.loadings, strict=True) if value}
    return [pair for pair, kind in zip(pairs, series, strict=True) if kind in own]


def definition_families(
    model: SemModel, outcomes: Sequence[str]
) -> tuple[tuple[str | None, tuple[str, ...]], ...]:
    """The columns that are loadings, as families.

    Parameters
    ----------
    model : SemModel
        With definition variables among its loadings, or none.
    outcomes : sequence of str
        The growth outcomes in order.

    Returns
    -------
    tuple of (str or None, tuple of str)
        The stem and a column for each outcome, or None and one column that is the same for all.
    """
    shared = common_stem(outcomes)
    made: dict[tuple[str, ...], str | None] = {}
    for name in model.latent:
        rows = {p.right: p for p in model.paths if p.op == "=~" and p.left == name}
        columns = {y: rows[y].definition for y in outcomes if y in rows}
        named = {y: column for y, column in columns.items() if column is not None}
        if not named:
            continue
        different = tuple(dict.fromkeys(named.values()))
        if len(different) == 1 and len(named) > 1:
            made[different] = None
            continue
        stem = common_stem(different)
        moved = _shifted(stem, named, rows, outcomes)
        if moved is not None:
            made[moved[1]] = moved[0]
            continue
        whole = dict(named)
        if stem is not None and shared is not None:
            # A visit without a loading still has a column of its own in the long form.
            tails = {y: y[len(shared) :] for y in outcomes}
            if all(column == stem + tails[y] for y, column in named.items()):
                whole = {y: stem + tails[y] for y in outcomes}
        if len(whole) == len(outcomes):
            family = tuple(whole[y] for y in outcomes)
            made[family] = stem or f"loading_{name}"
    return tuple((stem, family) for family, stem in made.items())


def _shifted(
    stem: str | None, named: Mapping[str, str], rows: Mapping[str, Path], outcomes: Sequence[str]
) -> tuple[str, tuple[str, ...]] | None:
    """The family of a lagged covariate: columns of other occasions, and zeros where none is."""
    shared = common_stem(outcomes)
    rest = [row for y, row in rows.items() if y not in named]
    if stem is None or shared is None or any(row.free or row.value for row in rest):
        return None
    number = {y[len(shared) :]: j for j, y in enumerate(outcomes)}
    places = {y: number.get(column[len(stem) :]) for y, column in named.items()}
    lags = {outcomes.index(y) - place for y, place in places.items() if place is not None}
    if None in places.values() or len(lags) != 1 or lags == {0} or len(named) < LEAST:
        return None
    by, n = lags.pop(), len(outcomes)
    columns = tuple(named.get(y, "") for y in outcomes)
    inside = tuple(0 <= j - by < n for j in range(n))
    return (lag_name(stem, by), columns) if inside == tuple(map(bool, columns)) else None


def defined_factor(
    name: str,
    rows: Mapping[str, Path],
    outcomes: Sequence[str],
    covariates: Sequence[Covariate],
) -> GrowthFactor | Loss:
    """The growth factor whose loadings are columns, or why it is none."""
    columns = tuple((rows[y].definition or "") if y in rows else "" for y in outcomes)
    for covariate in covariates:
        own = covariate.columns if covariate.time_varying else covariate.columns * len(outcomes)
        if own == columns and not any(row.value for row in rows.values() if row.definition is None):
            return GrowthFactor(name, covariate.column, (), definition=covariate.name)
    lacking = [y for y in outcomes if y not in rows or rows[y].definition is None]
    if lacking:
        return Loss(
            f"loadings of {name} on {', '.join(lacking)}",
            "they are numbers where others of the factor are columns of the data",
            "a column for each outcome (of zeros, say)",
        )
    return Loss(
        f"loadings {', '.join(columns)} of {name}",
        "their names have nothing in common that could be one column of long data",
        "columns named alike, such as t_1, t_2, t_3",
    )


def losses_of_several(model: SemModel) -> list[Loss]:
    """Definition variables in a model of several outcomes."""
    columns = dict.fromkeys(p.definition for p in model.paths if p.definition is not None)
    if not columns:
        return []
    return [
        Loss(
            f"loadings by the data columns {', '.join(columns)}",
            "loadings of several outcomes that differ from person to person are not translated "
            "here",
            "the model of one outcome, or loadings shared by everyone",
        )
    ]


def losses_by_visit(model: SemModel, schema: Schema) -> list[Loss]:
    """Rows of a SEM with individual times that depend on a visit's number."""
    losses = []
    outcomes = set(schema.outcome_columns)
    nearest = "one parameter for all visits, or times rounded to shared occasions"
    carried = {carrier.name for carrier in carriers(model)}
    for name in model.latent:
        rows = [p for p in model.paths if p.op == "=~" and p.left == name and p.right in outcomes]
        numbers = [p.value for p in rows if not p.free and p.definition is None]
        lagged = any(p.definition for p in rows) and not any(numbers)
        if name in carried or (numbers and any(v != 1.0 for v in numbers) and not lagged):
            shown = ", ".join(f"{v:g}" for v in numbers if v is not None)
            losses.append(Loss(f"loadings {shown} of {name}", BY_VISIT, nearest))
    means = [p.name for p in model.paths if p.op == "~1" and p.left in outcomes and p.free]
    if means:
        losses.append(Loss(f"free intercepts {', '.join(means)}", BY_VISIT, nearest))
    residuals = [
        p for p in model.paths if p.op == "~~" and p.left == p.right and p.left in outcomes
    ]
    if len({p.parameter for p in residuals if p.free}) > 1:
        losses.append(
            Loss(f"residual variances {', '.join(p.name for p in residuals)}", BY_VISIT, nearest)
        )
    tied = [
        p.name
        for p in model.paths
        if p.op == "~~" and p.left != p.right and {p.left, p.right} <= outcomes and not p.is_zero
    ]
    if tied:
        losses.append(Loss(f"residual covariances {', '.join(tied)}", BY_VISIT, nearest))
    direct: dict[tuple[str, int], set[str]] = {}
    shared = common_stem(schema.outcome_columns) or ""
    number = {y[len(shared) :]: j for j, y in enumerate(schema.outcome_columns)}
    for path in model.paths:
        if path.op == "~" and path.free and path.left in outcomes:
            stem = common_stem([path.right]) or path.right
            here = number[path.left[len(shared) :]]
            lag = here - number.get(path.right[len(stem) :], here)
            direct.setdefault((stem, lag), set()).add(path.parameter)
    for (stem, _), parameters in direct.items():
        if len(parameters) > 1:
            losses.append(Loss(f"an effect of {stem} for each visit", BY_VISIT, nearest))
    return losses


def column_signature(factor: GrowthFactor, growth: GrowthModel) -> object:
    """What the loadings of a factor are where they differ from person to person."""
    assert factor.definition is not None
    return ("by person", column_key(growth.covariate(factor.definition).column))
