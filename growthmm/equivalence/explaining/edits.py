"""Single changes of a growth model towards another one in the same names."""

from __future__ import annotations

from dataclasses import replace

import networkx

from growthmm.model.growth import FactorBlock, GrowthFactor, GrowthModel
from growthmm.model.schema import Column

__all__ = [
    "covariances_as_in",
    "covariate_as_in",
    "covariate_coded_as_in",
    "effects_over_time_as_in",
    "factor_as_in",
    "free_pairs",
    "loadings_as_in",
    "means_as_in",
    "predictor_as_in",
    "random_as_in",
    "with_loadings",
]

Pair = frozenset[str]


def free_pairs(growth: GrowthModel) -> set[Pair]:
    """Pairs of random factors that covary freely."""
    return {
        frozenset((a, b)) for block in growth.blocks for a in block.factors for b in block.factors
    }


def _random(growth: GrowthModel) -> set[str]:
    return {name for block in growth.blocks for name in block.factors}


def _with_random(growth: GrowthModel, random: set[str], pairs: set[Pair]) -> GrowthModel:
    """The model with these random factors, those of a pair in one block."""
    graph: networkx.Graph[str] = networkx.Graph()
    order = {factor.name: k for k, factor in enumerate(growth.factors)}
    graph.add_nodes_from(random)
    for pair in pairs:
        if len(pair) == 2 and pair <= random:
            one, other = pair
            graph.add_edge(one, other)
    blocks = [
        tuple(sorted(component, key=order.__getitem__))
        for component in networkx.connected_components(graph)
    ]
    blocks.sort(key=lambda names: order[names[0]])
    factors = tuple(replace(f, random=f.name in random) for f in growth.factors)
    return replace(growth, factors=factors, blocks=tuple(FactorBlock(names) for names in blocks))


def covariances_as_in(growth: GrowthModel, other: GrowthModel) -> GrowthModel:
    """Factors that are random in both covary as in the other model."""
    random = _random(growth)
    if random == _random(other):
        return replace(growth, blocks=other.blocks)
    shared = random & _random(other)
    pairs = {p for p in free_pairs(growth) if not p <= shared}
    return _with_random(growth, random, pairs | {p for p in free_pairs(other) if p <= shared})


def random_as_in(growth: GrowthModel, other: GrowthModel, name: str) -> GrowthModel:
    """The factor random, or not, as in the other model, with its covariances there."""
    random = _random(growth)
    if name in _random(other):
        pairs = free_pairs(growth) | {p for p in free_pairs(other) if name in p}
        return _with_random(growth, random | {name}, pairs)
    return _with_random(growth, random - {name}, free_pairs(growth))


def factor_as_in(growth: GrowthModel, other: GrowthModel, name: str) -> GrowthModel:
    """The factor added with all that goes with it, or left out."""
    own = {factor.name for factor in growth.factors}
    if name in own:
        growth = _with_random(growth, _random(growth) - {name}, free_pairs(growth))
        return replace(
            growth,
            factors=tuple(f for f in growth.factors if f.name != name),
            predictor_effects=tuple(e for e in growth.predictor_effects if e.factor != name),
        )
    added = other.factor(name)
    order = [factor.name for factor in other.factors]
    at = sum(1 for f in growth.factors if f.name in order[: order.index(name)])
    factors = (*growth.factors[:at], replace(added, random=False), *growth.factors[at:])
    known = {covariate.name for covariate in growth.covariates}
    effects = tuple(e for e in other.predictor_effects if e.factor == name and e.covariate in known)
    growth = replace(
        growth, factors=factors, predictor_effects=(*growth.predictor_effects, *effects)
    )
    return random_as_in(growth, other, name)


def means_as_in(growth: GrowthModel, other: GrowthModel, names: set[str]) -> GrowthModel:
    """Means of these factors as in the other model, and its means at single occasions."""
    there = {factor.name: factor for factor in other.factors}
    factors = tuple(
        replace(f, mean=there[f.name].mean) if f.name in names and f.name in there else f
        for f in growth.factors
    )
    return replace(growth, factors=factors, occasion_means=other.occasion_means)


def with_loadings(
    growth: GrowthModel, loadings: dict[str, tuple[tuple[float, ...], Column]]
) -> GrowthModel:
    """The factors with other loadings."""

    def changed(factor: GrowthFactor) -> GrowthFactor:
        if factor.name not in loadings:
            return factor
        values, column = loadings[factor.name]
        return replace(factor, loadings=values, column=column)

    return replace(growth, factors=tuple(changed(factor) for factor in growth.factors))


def loadings_as_in(growth: GrowthModel, other: GrowthModel, name: str) -> GrowthModel:
    """The factor's loadings, estimated or fixed, as in the other model."""
    new = other.factor(name)
    parts = {
        "loadings": new.loadings,
        "column": new.column,
        "cells": new.cells,
        "parameters": new.parameters,
        "starts": new.starts,
    }
    factors = tuple(replace(f, **parts) if f.name == name else f for f in growth.factors)  # type: ignore[arg-type]
    return replace(growth, factors=factors)


def predictor_as_in(
    growth: GrowthModel, other: GrowthModel, factor: str, covariate: str
) -> GrowthModel:
    """The covariate's effect on the factor there, or not, as in the other model."""
    rest = tuple(
        e for e in growth.predictor_effects if (e.factor, e.covariate) != (factor, covariate)
    )
    added = tuple(
        e for e in other.predictor_effects if (e.factor, e.covariate) == (factor, covariate)
    )
    return replace(growth, predictor_effects=(*rest, *added))


def effects_over_time_as_in(growth: GrowthModel, other: GrowthModel, covariate: str) -> GrowthModel:
    """The covariate's direct effects as in the other model."""
    rest = tuple(e for e in growth.direct_effects if e.covariate != covariate)
    added = tuple(e for e in other.direct_effects if e.covariate == covariate)
    return replace(growth, direct_effects=(*rest, *added))


def covariate_as_in(growth: GrowthModel, other: GrowthModel, covariate: str) -> GrowthModel:
    """The covariate with all its effects, or without it, as in the other model."""
    covariates = tuple(c for c in growth.covariates if c.name != covariate)
    covariates += tuple(c for c in other.covariates if c.name == covariate)
    own = {factor.name for factor in growth.factors}
    predictors = tuple(e for e in growth.predictor_effects if e.covariate != covariate)
    predictors += tuple(
        e for e in other.predictor_effects if e.covariate == covariate and e.factor in own
    )
    growth = replace(growth, covariates=covariates, predictor_effects=predictors)
    return effects_over_time_as_in(growth, other, covariate)


def covariate_coded_as_in(
    growth: GrowthModel, other: GrowthModel, covariates: set[str]
) -> GrowthModel:
    """These covariates with the columns of the other model."""
    there = {c.name: c.column for c in other.covariates if c.name in covariates}
    return replace(
        growth,
        covariates=tuple(
            replace(c, column=there[c.name]) if c.name in there else c for c in growth.covariates
        ),
    )
