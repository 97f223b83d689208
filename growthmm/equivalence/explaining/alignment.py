"""Two growth models in one set of names: factors matched by loadings, covariates by columns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from growthmm.data.design.evaluation import evaluate
from growthmm.equivalence.explaining.analysis import Analysis
from growthmm.errors import GrowthmmError, SpecificationError
from growthmm.model.expression import variables
from growthmm.model.factor_pattern import parameters_of, renamed
from growthmm.model.growth import (
    Covariate,
    FactorBlock,
    GrowthFactor,
    GrowthModel,
    cov_key,
)
from growthmm.model.schema import Schema
from growthmm.translation.coding import column_key
from growthmm.translation.loadings.affine import affine_map, same
from growthmm.translation.naming import polynomial_degree

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["aligned", "merged_schema", "source_variables"]

FloatArray = NDArray[np.float64]

RELATIVE = 1e-9

Match = Callable[[GrowthFactor, GrowthFactor], bool]


def aligned(
    a: Analysis, b: Analysis, frame: pd.DataFrame | None = None
) -> tuple[Analysis, Analysis]:
    """Both analyses over one schema, the second in the first one's names.

    Parameters
    ----------
    a, b : Analysis
        Of the same data.
    frame : DataFrame, optional
        Long data, on which covariates of different columns may be the same numbers.

    Returns
    -------
    tuple of Analysis
        Factors that match have the first one's names, covariates too.

    Raises
    ------
    SpecificationError
        If the two are of different outcomes or occasions.
    """
    first, second = a.growth, b.growth
    if len(first.schema.occasions) != len(second.schema.occasions):
        raise SpecificationError(
            f"The two models have {len(first.schema.occasions)} and "
            f"{len(second.schema.occasions)} occasions.",
            hint="Compare analyses of the same outcomes.",
        )
    schema = merged_schema(first.schema, second.schema)
    factors = _factor_names(first, second)
    second = replace(second, covariates=_same_numbers(first, second, schema, frame))
    covariates = _covariate_names(first, second)
    made = _renamed(replace(second, schema=schema), factors, covariates, first)
    return replace(a, growth=replace(first, schema=schema)), replace(b, growth=made)


def merged_schema(first: Schema, second: Schema) -> Schema:
    """The facts of both; where they say the same thing, the first one's."""
    known = {v.name: v for v in second.variables} | {v.name: v for v in first.variables}
    for variable in second.variables:
        if known[variable.name].levels is None and variable.levels is not None:
            known[variable.name] = variable
    constants = {c.expression: c for c in (*second.constants, *first.constants)}
    varying = dict(second.varying_columns) | dict(first.varying_columns)
    return replace(
        first,
        variables=tuple(known.values()),
        constants=tuple(constants.values()),
        varying_columns=tuple(varying.items()),
        outcome_columns=first.outcome_columns or second.outcome_columns,
        grouping=first.grouping or second.grouping,
        lagged=tuple({m.name: m for m in (*second.lagged, *first.lagged)}.values()),
    )


def _factor_names(first: GrowthModel, second: GrowthModel) -> dict[str, str]:
    """The second model's factors by the first one's names."""
    times = first.schema.occasions
    names: dict[str, str] = {}
    taken: set[str] = set()

    def degree(factor: GrowthFactor) -> int | None:
        if not factor.loadings:
            return None
        return polynomial_degree(factor.loadings, times)

    def alike_columns(one: GrowthFactor, other: GrowthFactor) -> bool:
        if one.loadings and other.loadings:
            return same(one.loadings, other.loadings)
        return column_key(one.column) == column_key(other.column)

    def affine(one: GrowthFactor, other: GrowthFactor) -> bool:
        if not one.loadings or not other.loadings:
            return False
        if degree(one) == 0 or degree(other) == 0:
            return degree(one) == degree(other) == 0
        return affine_map(other.loadings, one.loadings) is not None

    def alike(one: GrowthFactor, other: GrowthFactor) -> bool:
        return degree(one) is not None and degree(one) == degree(other)

    def estimated(one: GrowthFactor, other: GrowthFactor) -> bool:
        return bool(one.cells or other.cells) and 0 not in (degree(one), degree(other))

    rules: tuple[Match, ...] = (
        alike_columns,
        affine,
        estimated,
        alike,
    )
    for rule in rules:
        for other in second.factors:
            if other.name in names:
                continue
            for one in first.factors:
                if one.name not in taken and rule(one, other):
                    names[other.name] = one.name
                    taken.add(one.name)
                    break
    _rest_of_one_span(first, second, names, taken)
    own = {factor.name for factor in first.factors}
    for other in second.factors:
        if other.name not in names:
            name = other.name
            while name in own:
                name += "2"
            names[other.name] = name
            own.add(name)
    return names


def _rest_of_one_span(
    first: GrowthModel, second: GrowthModel, names: dict[str, str], taken: set[str]
) -> None:
    """Match what is left in order, where both sets of factors span the same functions of time."""
    left = [f for f in first.factors if f.name not in taken]
    right = [f for f in second.factors if f.name not in names]
    if not all(f.loadings for f in (*first.factors, *second.factors)):
        return
    if not left or len(left) != len(right) or len(first.factors) != len(second.factors):
        return
    one = np.array([f.loadings for f in first.factors]).T
    both = np.column_stack([one, np.array([f.loadings for f in second.factors]).T])
    if np.linalg.matrix_rank(both, tol=1e-8 * np.abs(both).max()) != one.shape[1]:
        return
    for a, b in zip(left, right, strict=True):
        names[b.name] = a.name
        taken.add(a.name)


def source_variables(covariate: Covariate) -> frozenset[str]:
    """The data columns that a covariate is made of."""
    return frozenset(n for part in covariate.column.parts for n in variables(part.expression))


def _same_numbers(
    first: GrowthModel, second: GrowthModel, schema: Schema, frame: pd.DataFrame | None
) -> tuple[Covariate, ...]:
    """The second model's covariates, by the first one's column where the data have equal ones."""
    if frame is None:
        return second.covariates
    known = {column_key(c.column) for c in first.covariates}
    made = []
    for covariate in second.covariates:
        if column_key(covariate.column) not in known:
            alike = (c for c in first.covariates if _equal(c, covariate, schema, frame))
            found = next(alike, None)
            if found is not None:
                covariate = replace(covariate, column=found.column)  # noqa: PLW2901
        made.append(covariate)
    return tuple(made)


def _equal(one: Covariate, other: Covariate, schema: Schema, frame: pd.DataFrame) -> bool:
    if one.time_varying != other.time_varying:
        return False
    try:
        values = evaluate((one.column, other.column), frame, schema)
    except GrowthmmError:
        return False
    gap = np.abs(values[:, 0] - values[:, 1])
    if not np.array_equal(np.isnan(values[:, 0]), np.isnan(values[:, 1])):
        return False
    size = float(np.nanmax(np.abs(values), initial=0.0))
    return float(np.nanmax(gap, initial=0.0)) <= RELATIVE * size


def _covariate_names(first: GrowthModel, second: GrowthModel) -> dict[str, str]:
    """The second model's covariates by the first one's names.

    By what their numbers are; then those of the same variables, in order, which are one covariate
    coded in two ways.
    """
    names: dict[str, str] = {}
    taken: set[str] = set()
    for strict in (True, False):
        for other in second.covariates:
            if other.name in names:
                continue
            for one in first.covariates:
                if one.name in taken or one.time_varying != other.time_varying:
                    continue
                alike = (
                    column_key(one.column) == column_key(other.column)
                    if strict
                    else source_variables(one) == source_variables(other)
                )
                if alike:
                    names[other.name] = one.name
                    taken.add(one.name)
                    break
    own = {covariate.name for covariate in first.covariates}
    for other in second.covariates:
        if other.name not in names:
            name = other.name
            while name in own:
                name += "_"
            names[other.name] = name
            own.add(name)
    return names


def _renamed(
    model: GrowthModel, factors: dict[str, str], covariates: dict[str, str], like: GrowthModel
) -> GrowthModel:
    order = [*(f.name for f in like.factors), *factors.values()]
    wide = {c.name: c.columns for c in like.covariates}
    return replace(
        model,
        factors=tuple(
            sorted(
                (replace(f, name=factors[f.name]) for f in model.factors),
                key=lambda f: order.index(f.name),
            )
        ),
        blocks=tuple(_renamed_block(block, factors) for block in model.blocks),
        covariates=tuple(
            replace(
                c,
                name=covariates[c.name],
                columns=wide.get(
                    covariates[c.name],
                    c.columns if c.time_varying else (covariates[c.name],),
                ),
            )
            for c in model.covariates
        ),
        predictor_effects=tuple(
            replace(e, factor=factors[e.factor], covariate=covariates[e.covariate])
            for e in model.predictor_effects
        ),
        direct_effects=tuple(
            replace(e, covariate=covariates[e.covariate]) for e in model.direct_effects
        ),
    )


def _renamed_block(block: FactorBlock, factors: dict[str, str]) -> FactorBlock:
    keys = {
        cov_key(one, other): cov_key(factors[one], factors[other])
        for one in block.factors
        for other in block.factors
    }
    names = tuple(factors[name] for name in block.factors)
    for key in parameters_of(block.pattern):
        # Where groups share it, the key says which.
        head, at, groups = key.partition("@")
        keys[key] = keys[head] + at + groups
    pattern = renamed(block.pattern, keys) if block.pattern else ()
    return FactorBlock(names, pattern, block.groups)
