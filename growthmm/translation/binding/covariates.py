"""Covariates of a structural equation model, tied to the columns of long data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from growthmm.data.design.evaluation import evaluate
from growthmm.data.design.names import r_name
from growthmm.data.frames import require_columns
from growthmm.data.levels import column_levels
from growthmm.errors import DataError
from growthmm.model.defaults import Assumption
from growthmm.model.expression import quote
from growthmm.model.growth import Covariate
from growthmm.model.schema import Column, ColumnPart, Schema, Variable
from growthmm.model.sem import SemModel
from growthmm.model.terms import Term
from growthmm.translation.binding.resolve import Resolver
from growthmm.translation.binding.time_scores import common_stem
from growthmm.translation.carriers import carriers
from growthmm.translation.lagged import lagged_families, lagged_sources
from growthmm.translation.tabulate import part_variables

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "column_variables",
    "complete",
    "covariate_families",
    "plain_column",
    "wide_covariates",
    "with_indicators",
]


def plain_column(name: str) -> Column:
    """A numeric data column as it is."""
    expression = quote(name)
    return Column(Term((expression,)), (ColumnPart(expression),))


def covariate_families(
    model: SemModel, outcomes: Sequence[str], *, lags: bool = True
) -> tuple[tuple[str | None, tuple[str, ...]], ...]:
    """Covariates grouped into time-varying families.

    Columns that each act on one outcome of their own and share a label or a name before the
    number are one time-varying covariate. Columns that act on later outcomes, or on earlier ones,
    are lagged ones, a family for each lag.

    Parameters
    ----------
    model : SemModel
        With its covariates.
    outcomes : sequence of str
        The growth outcomes in order of occasion.
    lags : bool
        Whether to look for lagged covariates.

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
    earlier = lagged_families(targets, outcomes) if lags else {}
    single = {
        name: next(iter(found.items()))
        for name, found in targets.items()
        if name not in earlier and len(found) == 1 and next(iter(found)) in outcomes
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
    ordered = (f for name in model.covariates for f in earlier.get(name, (families[name],)))
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


def column_variables(column: Column) -> tuple[str, ...]:
    """The data columns that a design column uses."""
    return tuple(name for part in column.parts for name in part_variables(part))


def complete(
    schema: Schema, variables: tuple[Variable, ...], covariates: Sequence[Covariate]
) -> Schema:
    """The schema with the variables that are used, and their wide columns."""
    used = dict.fromkeys(name for c in covariates for name in column_variables(c.column))
    varying = {c.name: c.columns for c in covariates if c.time_varying and not c.shifted}
    return replace(
        schema,
        variables=tuple(v for v in variables if v.name in used or v.role == "time_function"),
        varying_columns=tuple((lagged_sources(schema, covariates) | varying).items()),
        lagged=tuple(made for made in schema.lagged if made.name in used),
    )


def wide_covariates(
    model: SemModel,
    schema: Schema,
    families: Sequence[tuple[str | None, tuple[str, ...]]],
    frame: pd.DataFrame,
    notes: tuple[Assumption, ...],
) -> tuple[Schema, tuple[Covariate, ...], tuple[Assumption, ...]]:
    """Covariates tied to the columns of wide data: by name, or as a level of a text column.

    Parameters
    ----------
    model : SemModel
        With its covariates.
    schema : Schema
        With the outcomes.
    families : sequence of (str or None, tuple of str)
        As :func:`covariate_families` gives them.
    frame : DataFrame
        A row a person.
    notes : tuple of Assumption
        What was guessed so far.

    Returns
    -------
    schema : Schema
        With the variables that are used.
    covariates : tuple of Covariate
        One for each family.
    notes : tuple of Assumption
        With those made here.

    Raises
    ------
    ColumnNotFoundError
        If a name is neither a column nor a level of one.
    """
    absent = [family[0] for stem, family in families if stem is None and family[0] not in frame]
    whole = replace(schema, variables=_person_level(frame, schema) if absent else ())
    resolver = Resolver(whole, frame)
    columns = {name: resolver.column(name) for name in absent}
    require_columns(frame, [name for name in model.covariates if columns.get(name) is None])
    covariates, roles = [], []
    for stem, family in families:
        name = stem or family[0]
        column = columns.get(name) if stem is None else None
        if column is None:
            column = plain_column(name)
            roles.append(Variable(name, "person_level" if stem is None else "time_varying"))
        else:
            notes = (*notes, Assumption(f"{name} is {r_name(column)}", "its name"))
        covariates.append(Covariate(name, column, stem is not None, family))
    held = tuple(v for v in whole.variables if v.name not in {role.name for role in roles})
    constants = resolver.constants([covariate.column for covariate in covariates])
    schema = replace(schema, constants=(*schema.constants, *constants))
    # Of several outcomes the schema has the columns that tell them apart.
    given = tuple(v for v in schema.variables if v not in held)
    return complete(schema, (*given, *roles, *held), covariates), tuple(covariates), notes


def with_indicators(model: SemModel, frame: pd.DataFrame) -> pd.DataFrame:
    """Wide data with a column for every covariate that is a level of a text column.

    Parameters
    ----------
    model : SemModel
        Any model.
    frame : DataFrame
        A row a person.

    Returns
    -------
    DataFrame
        `frame` itself where no covariate is such a level, and no column is lacking.
    """
    absent = [name for name in model.covariates if name not in frame]
    if not absent:
        return frame
    facts = Schema("", None, "", outcome_columns=model.outcomes)
    schema = replace(facts, variables=_person_level(frame, facts))
    resolver = Resolver(schema, frame)
    columns = {name: column for name in absent if (column := resolver.column(name)) is not None}
    held = replace(schema, constants=resolver.constants(list(columns.values())))
    made = {name: evaluate((column,), frame, held)[:, 0] for name, column in columns.items()}
    return frame.assign(**made) if made else frame


def _person_level(frame: pd.DataFrame, schema: Schema) -> tuple[Variable, ...]:
    """The columns of wide data that are no outcome, with their levels."""
    found = []
    for name in frame.columns:
        if isinstance(name, str) and name not in (*schema.outcome_columns, schema.person):
            try:
                found.append(Variable(name, "person_level", column_levels(frame, name)))
            except DataError:
                # A column that can't be read is no covariate; the others may be.
                continue
    return tuple(found)
