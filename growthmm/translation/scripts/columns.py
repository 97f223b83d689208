"""What a written program has to know of its data's columns."""

from __future__ import annotations

from dataclasses import replace

from growthmm.model.expression import quote, variables
from growthmm.model.growth import Covariate
from growthmm.model.schema import Column, ColumnPart, Schema
from growthmm.model.terms import Term
from growthmm.notation.base import DerivedColumn
from growthmm.translation.binding.resolve import Resolver
from growthmm.translation.pair import Pair
from growthmm.translation.shifted import source_family

__all__ = ["derived_columns", "with_computed", "with_families"]


def with_families(pair: Pair) -> Schema:
    """The schema with the wide columns of every covariate that varies, computed ones too."""
    schema = pair.mixed.schema
    schema = pair.growth.schema
    made: dict[str, tuple[str, ...]] = {}
    for covariate in pair.growth.covariates:
        if covariate.shifted and schema.lag(covariate.name) is None:
            name, _, columns = source_family(covariate, schema)
            made.setdefault(name, columns)
        elif covariate.time_varying and not covariate.shifted:
            made[covariate.name] = covariate.columns
    return replace(schema, varying_columns=tuple((made | dict(schema.varying_columns)).items()))


def with_computed(pair: Pair) -> Schema:
    """The schema, with what the computed columns of the wide form are."""
    schema = pair.mixed.schema
    named = set(dict(schema.varying_columns).values())
    made = tuple(
        (c.column, c.columns)
        for c in pair.growth.covariates
        if c.time_varying and schema.lag(c.name) is None and c.columns not in named
    )
    names = Resolver(schema)
    made += tuple(
        (c.column, c.columns)
        for c in pair.growth.covariates
        if not c.time_varying and names.column(c.name) is None
    )
    return replace(schema, computed_columns=made)


def derived_columns(pair: Pair) -> tuple[DerivedColumn, ...]:
    """Columns of the wide data that the long data do not have as they are."""
    schema, response = pair.growth.schema, pair.mixed.model.response
    made = [
        DerivedColumn(name, column)
        for covariate in (pair.sem if pair.source == "mixed" else pair.growth).covariates
        for name, column in [_of_wide(covariate, schema)]
        if not _plain(column, name, schema)
    ]
    if response != quote(variables(response)[0]):
        column = Column(Term((response,)), (ColumnPart(response),))
        made.append(DerivedColumn(schema.outcome, column))
    return tuple(made)


def _of_wide(covariate: Covariate, schema: Schema) -> tuple[str, Column]:
    """The column that goes wide: of a shifted product that of the covariates themselves."""
    if not covariate.shifted or schema.lag(covariate.name) is not None:
        return covariate.name, covariate.column
    return source_family(covariate, schema)[:2]


def _plain(column: Column, name: str, schema: Schema) -> bool:
    return (
        len(column.parts) == 1
        and column.parts[0].coding == "numeric"
        and column.parts[0].expression == name
        and (schema.variable(name) is not None or name == schema.time)
    )
