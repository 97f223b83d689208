"""Covariates of a structural equation model, tied to variables that data or a schema have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from growthmm.data.design.names import r_name
from growthmm.data.frames import codes
from growthmm.data.wording import listed, nearest
from growthmm.errors import (
    ColumnNotFoundError,
    NotTimeInvariantError,
    UnboundError,
    ValueColumnError,
)
from growthmm.model.defaults import Assumption
from growthmm.model.growth import Covariate
from growthmm.model.schema import Column, Lagged, Schema, Variable
from growthmm.model.sem import SemModel
from growthmm.translation.binding.covariates import column_variables, complete
from growthmm.translation.binding.resolve import Resolver
from growthmm.translation.lagged import with_lags
from growthmm.translation.loadings.tables import loading_table
from growthmm.translation.loadings.time_bases import time_bases
from growthmm.translation.naming import covariate_name
from growthmm.translation.shifted import blanked, lagged_product, named_lag, with_named

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["resolved_covariates"]


def resolved_covariates(
    model: SemModel,
    schema: Schema,
    families: Sequence[tuple[str | None, tuple[str, ...]]],
    frame: pd.DataFrame | None,
    notes: tuple[Assumption, ...],
) -> tuple[Schema, tuple[Covariate, ...], tuple[Assumption, ...]]:
    """Covariates tied to the variables that the schema, taken from data or given, has."""
    schema = with_lags(schema, families)
    for stem, columns in families:
        schema = with_named(stem, schema) if stem is not None and "" not in columns else schema
    resolver = Resolver(schema, frame)
    products: list[Lagged] = []
    said = {columns: column for column, columns in schema.computed_columns}
    covariates, unknown = [], []
    for stem, columns in families:
        name, family = stem or columns[0], columns
        column = said.get(columns)
        if column is None and "" in columns and schema.variable(name) is None:
            column, more = _shifted(name, resolver)
            products += more
        column = column or resolver.column(name)
        if column is not None and stem is not None and "" not in columns:
            family = blanked(columns, column, schema)
        if column is None:
            lagged = schema.lag(name)
            unknown.append(name if lagged is None else lagged.of)
            continue
        covariates.append(Covariate(name, column, stem is not None, family))
        if column.parts[0].expression != name or len(column.parts) > 1:
            notes = (*notes, Assumption(f"{name} is {r_name(column)}", "its name"))
    if unknown:
        _refuse_unknown(unknown, schema, frame)
    _refuse_varying(covariates, schema, frame)
    schema = _with_products(schema, products)
    made = resolver.constants([covariate.column for covariate in covariates])
    held = {constants.expression for constants in schema.constants}
    new = tuple(constants for constants in made if constants.expression not in held)
    schema = replace(schema, constants=(*schema.constants, *new))
    if frame is not None and schema.shared_times:
        loadings = [
            tuple(float(rows[y].value or 0.0) if y in rows else 0.0 for y in schema.outcome_columns)
            for rows in loading_table(model).values()
        ]
        schema = replace(
            schema, constants=(*schema.constants, *time_bases(loadings, schema, frame))
        )
    return complete(schema, schema.variables, covariates), tuple(covariates), notes


def _shifted(name: str, resolver: Resolver) -> tuple[Column | None, tuple[Lagged, ...]]:
    """The product of lagged columns whose values are those of a product at other occasions."""
    said = named_lag(name)
    own = None if said is None else resolver.column(said[0])
    if said is None or own is None or len(own.parts) < 2:
        return None, ()
    column, lagged = lagged_product(own, said[1], resolver.schema)
    return (column, lagged) if lagged else (None, ())


def _with_products(schema: Schema, lagged: Sequence[Lagged]) -> Schema:
    """The schema with the lagged columns within products, and without the products themselves."""
    if not lagged:
        return schema
    held = {variable.name for variable in schema.variables}
    names = {made.name: made for made in lagged}
    kept = [made for made in schema.lagged if schema.variable(made.of) is not None]
    new = tuple(Variable(name, "time_varying") for name in names if name not in held)
    known = {made.name: made for made in kept} | names
    return replace(schema, lagged=tuple(known.values()), variables=(*schema.variables, *new))


def _refuse_unknown(names: Sequence[str], schema: Schema, frame: pd.DataFrame | None) -> None:
    listing = ", ".join(repr(name) for name in names)
    if frame is None:
        raise UnboundError(
            f"The schema does not say what the covariates {listing} are.",
            missing=tuple(f"role and levels of {name}" for name in names),
            hint="Add their variables to the schema, or give data.",
        )
    text = schema.variable(names[0])
    if text is not None and text.levels is not None:
        indicator = covariate_name(f"{names[0]}{text.levels[-1]}")
        raise ValueColumnError(
            f"The covariate {names[0]!r} holds text ({listed(text.levels)}): paths need numbers.",
            hint=f"Name an indicator of each level but one: {indicator}, say.",
        )
    near = nearest(names[0], [variable.name for variable in schema.variables])
    raise ColumnNotFoundError(
        f"The long data have no column for the covariate{'s' if len(names) > 1 else ''} {listing}.",
        hint=f"{near}Give data with these columns, or wide data.",
    )


def _refuse_varying(
    covariates: Sequence[Covariate], schema: Schema, frame: pd.DataFrame | None
) -> None:
    """Refuse a covariate without occasions of its own whose variable is not person-level."""
    for covariate in covariates:
        if covariate.time_varying:
            continue
        for name in column_variables(covariate.column):
            variable = schema.variable(name)
            if variable is not None and variable.role in ("person_level", "cluster_level"):
                continue
            where = ""
            if frame is not None:
                person, labels = codes(frame, schema.person)
                varies = np.unique(person[_differs(codes(frame, name)[0], person)])
                where = f" {schema.person} {listed([labels[p] for p in varies])}"
            raise NotTimeInvariantError(
                f"The covariate {covariate.name} acts on a growth factor or at one occasion, and "
                f"{name} varies within persons:{where or ' its role says so'}.",
                hint="Write one path for each occasion (a time-varying covariate), or use a column "
                "that is the same in every row of a person.",
            )


def _differs(values: NDArray[np.intp], person: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Rows whose value is not the first that the person has; missing ones do not count."""
    seen = (values >= 0) & (person >= 0)
    first = np.full(int(person.max(initial=-1)) + 1, -1, dtype=np.intp)
    rows = np.flatnonzero(seen)[::-1]
    first[person[rows]] = values[rows]
    return np.asarray(seen & (values != first[person]))
