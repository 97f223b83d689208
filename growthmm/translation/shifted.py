"""Products with earlier or later values of covariates: their own columns, at other occasions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from growthmm.data.names import wide_columns
from growthmm.model.expression import quote, variables
from growthmm.model.growth import Covariate
from growthmm.model.schema import Column, ColumnPart, Lagged, Schema, Variable
from growthmm.model.terms import Term

__all__ = [
    "active_places",
    "blanked",
    "lag_name",
    "lagged_part",
    "lagged_product",
    "named_lag",
    "product_columns",
    "shift_of",
    "source_family",
    "unshifted",
    "with_named",
]


def lag_name(of: str, by: int) -> str:
    """The column that holds a covariate's earlier values, or its later ones.

    Examples
    --------
    >>> lag_name("x", 1), lag_name("x", -2)
    ('x_lag1', 'x_lead2')
    """
    return f"{of}_lag{by}" if by > 0 else f"{of}_lead{-by}"


def named_lag(name: str) -> tuple[str, int] | None:
    """The covariate and the lag that a column's name says, or None.

    Examples
    --------
    >>> named_lag("x_lag2"), named_lag("x_lead1"), named_lag("x")
    (('x', 2), ('x', -1), None)
    """
    for word, sign in (("_lag", 1), ("_lead", -1)):
        of, found, number = name.rpartition(word)
        if found and of and number.isdecimal() and 0 < int(number) < 1000 and number[0] != "0":
            return of, sign * int(number)
    return None


def lagged_part(part: ColumnPart, schema: Schema) -> Lagged | None:
    """What a part is where it is a lagged column as it stands."""
    names = variables(part.expression)
    lagged = schema.lag(names[0]) if len(names) == 1 else None
    return lagged if lagged is not None and part.expression == quote(lagged.name) else None


def shift_of(column: Column, schema: Schema) -> int | None:
    """By how many occasions a whole column is shifted, or None.

    All that varies over time in it is lagged by the same number, so that its values are those of
    a product of the covariates themselves, at another occasion.

    Parameters
    ----------
    column : Column
        A product.
    schema : Schema
        With the lagged columns.
    """
    shifts = set()
    for part in column.parts:
        lagged = lagged_part(part, schema)
        if lagged is not None:
            shifts.add(lagged.by)
        elif not all(_of_persons(name, schema) for name in variables(part.expression)):
            return None
    return shifts.pop() if len(shifts) == 1 else None


def _of_persons(name: str, schema: Schema) -> bool:
    variable = schema.variable(name)
    return variable is not None and variable.role in ("person_level", "cluster_level")


def unshifted(column: Column, schema: Schema) -> Column:
    """The product of the covariates themselves.

    Examples
    --------
    >>> schema = Schema("id", "t", "y", lagged=(Lagged("x_lag1", "x"),))
    >>> str(unshifted(Column(Term(("x_lag1",)), (ColumnPart("x_lag1"),)), schema).term)
    'x'
    """
    parts = []
    for part in column.parts:
        lagged = lagged_part(part, schema)
        parts.append(part if lagged is None else replace(part, expression=quote(lagged.of)))
    return _product(parts)


def lagged_product(column: Column, by: int, schema: Schema) -> tuple[Column, tuple[Lagged, ...]]:
    """The product whose values are those of another one at other occasions.

    Parameters
    ----------
    column : Column
        A product of the covariates themselves.
    by : int
        How many occasions earlier.
    schema : Schema
        With roles of the variables.

    Returns
    -------
    column : Column
        With a lagged column for each that varies over time.
    lagged : tuple of Lagged
        These.
    """
    parts, made = [], []
    for part in column.parts:
        names = variables(part.expression)
        if len(names) == 1 and part.expression == quote(names[0]) and part.coding == "numeric":
            variable = schema.variable(names[0])
            if variable is not None and variable.role == "time_varying":
                made.append(Lagged(lag_name(names[0], by), names[0], by))
                parts.append(replace(part, expression=quote(made[-1].name)))
                continue
        parts.append(part)
    return _product(parts), tuple(made)


def active_places(column: Column, schema: Schema) -> tuple[bool, ...]:
    """At which occasions or visits no part of a product is a lagged value that nobody has."""
    shifts = [lagged.by for p in column.parts if (lagged := lagged_part(p, schema)) is not None]
    places = [schema.places_before(by) for by in shifts]
    n = len(schema.outcome_columns) or len(schema.occasions)
    return tuple(all(own[k] is not None for own in places) for k in range(n))


def blanked(columns: Sequence[str], column: Column, schema: Schema) -> tuple[str, ...]:
    """Wide columns, empty names where a product is zero for everyone."""
    active = active_places(column, schema)
    return tuple(name if here else "" for name, here in zip(columns, active, strict=True))


def source_family(covariate: Covariate, schema: Schema) -> tuple[str, Column, tuple[str, ...]]:
    """The product that a shifted covariate has the values of, its name and wide columns.

    Those at the ends, which no path needs, are named as the others are.

    Parameters
    ----------
    covariate : Covariate
        A shifted one.
    schema : Schema
        With the lagged columns.
    """
    by = shift_of(covariate.column, schema)
    said = named_lag(covariate.name)
    if by is None or said is None:
        columns = product_columns(covariate.name, covariate.column, schema)
        return covariate.name, covariate.column, columns
    made = list(product_columns(said[0], covariate.column, schema))
    for name, place in zip(covariate.columns, schema.places_before(by), strict=True):
        if place is not None:
            made[place] = name
    return said[0], unshifted(covariate.column, schema), tuple(made)


def product_columns(stem: str, column: Column, schema: Schema) -> tuple[str, ...]:
    """Wide columns of a product that varies over time.

    Of several outcomes one for each time, where the covariates have the same columns whatever
    outcome a row holds; else one for each occasion of each outcome.

    Parameters
    ----------
    stem : str
        What the columns are called before the number.
    column : Column
        The product.
    schema : Schema
        With the occasions or visits.
    """
    if not schema.series:
        return wide_columns(stem, schema.numbers)
    if not all(_shared(name, schema) for p in column.parts for name in variables(p.expression)):
        return tuple(f"{stem}.{y}" for y in schema.outcome_columns)
    at = dict(zip(schema.times, wide_columns(stem, schema.times), strict=True))
    return tuple(at[time] for time in schema.occasions)


def _shared(name: str, schema: Schema) -> bool:
    """Whether a variable has one value a time, or one a person."""
    variable, lagged = schema.variable(name), schema.lag(name)
    columns = schema.wide_columns(name if lagged is None else lagged.of)
    if columns is None:
        return variable is not None and variable.role in ("person_level", "cluster_level")
    return len(set(zip(schema.occasions, columns, strict=True))) == len(schema.times)


def with_named(name: str, schema: Schema) -> Schema:
    """The schema with the lagged columns that stand in the name of a product, ``x_lag1.z``."""
    lagged, new = list(schema.lagged), []
    for piece in _pieces(name):
        said = named_lag(piece)
        of = None if said is None else schema.variable(said[0])
        if said is None or of is None or of.role != "time_varying" or of.levels is not None:
            continue
        if schema.variable(piece) is None:
            lagged.append(Lagged(piece, *said))
            new.append(Variable(piece, "time_varying"))
    if not new:
        return schema
    return replace(schema, lagged=tuple(lagged), variables=(*schema.variables, *new))


def _pieces(name: str) -> Iterator[str]:
    words = name.split(".")
    for first in range(len(words)):
        for last in range(first + 1, len(words) + 1):
            if last - first < len(words):
                yield ".".join(words[first:last])


def _product(parts: Sequence[ColumnPart]) -> Column:
    return Column(Term(tuple(part.expression for part in parts)), tuple(parts))
