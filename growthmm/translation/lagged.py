"""Effects of a time-varying covariate on later outcomes, or earlier: paths, and lagged columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from growthmm.data.design.names import r_name
from growthmm.errors import NotIdentifiedError
from growthmm.model.bound import BoundMixed
from growthmm.model.defaults import Assumption, Loss
from growthmm.model.growth import Covariate
from growthmm.model.schema import Column, ColumnPart, Lagged, Schema, Variable
from growthmm.model.terms import Term
from growthmm.translation.binding.time_scores import common_stem
from growthmm.translation.shifted import active_places, lag_name, lagged_part, named_lag
from growthmm.translation.tabulate import part_variables, tabulate

__all__ = [
    "acting",
    "lag_losses",
    "lag_note",
    "lagged_families",
    "lagged_sources",
    "with_lags",
]

Family = tuple[str, tuple[str, ...]]
"""The name of a covariate in long data, and its wide columns."""

LEAST = 2
"""Paths of one lag that are a lagged covariate; a single one is a covariate at one occasion."""


def lagged_families(
    targets: Mapping[str, Mapping[str, str]], outcomes: Sequence[str]
) -> dict[str, tuple[Family, ...]]:
    """Covariates whose columns act on outcomes of later occasions.

    The number in a column's name says its occasion, as the outcomes' own do.

    Parameters
    ----------
    targets : mapping of str to mapping of str to str
        For each column what it acts on, and with which parameter.
    outcomes : sequence of str
        The growth outcomes in order of occasion.

    Returns
    -------
    dict of str to tuple of (str, tuple of str)
        For each column of such a covariate the families that are to stand there: for the first all
        of them, one for each lag; for the others none.

    Examples
    --------
    >>> paths = {"x_0": {"y_1": "b"}, "x_1": {"y_2": "b"}}
    >>> lagged_families(paths, ["y_0", "y_1", "y_2"])
    {'x_0': (('x_lag1', ('', 'x_0', 'x_1')),), 'x_1': ()}
    """
    shared = common_stem(outcomes)
    if shared is None:
        return {}
    place = {y: j for j, y in enumerate(outcomes)}
    number = {y[len(shared) :]: j for j, y in enumerate(outcomes)}
    members: dict[str, list[str]] = {}
    for name in targets:
        stem = common_stem([name])
        if stem is not None:
            members.setdefault(stem, []).append(name)
    found: dict[str, tuple[Family, ...]] = {}
    n = len(outcomes)
    for stem, names in members.items():
        ends = {name: name[len(stem) :] for name in names}
        if not set(ends.values()) <= set(number) or not all(
            set(targets[name]) <= set(place) for name in names
        ):
            continue
        lags = [place[y] - number[ends[name]] for name in names for y in targets[name]]
        if not any(lags) or any(lags.count(k) < LEAST for k in lags if k):
            continue
        columns = tuple(stem + end for end in number)
        made: list[Family] = []
        for k in sorted(set(lags), key=lambda k: (k < 0, abs(k))):
            own = tuple(columns[j - k] if 0 <= j - k < n else "" for j in range(n))
            made.append((lag_name(stem, k) if k else stem, own))
        found |= dict.fromkeys(names, ())
        found[names[0]] = tuple(made)
    return found


def with_lags(schema: Schema, families: Sequence[tuple[str | None, tuple[str, ...]]]) -> Schema:
    """The schema with the lagged columns that families of covariates say.

    Parameters
    ----------
    schema : Schema
        With the variables of long data, where these are known.
    families : sequence of (str or None, tuple of str)
        As ``covariate_families`` gives them.
    """
    held = {v.name for v in schema.variables}
    lagged, variables = [], []
    for name, columns in families:
        said = named_lag(name) if name is not None and "" in columns else None
        if name is None or said is None:
            continue
        lagged.append(Lagged(name, *said))
        if said[0] in held and name not in held:
            variables.append(Variable(name, "time_varying"))
    if not lagged:
        return schema
    known = {made.name: made for made in (*schema.lagged, *lagged)}
    return replace(schema, lagged=tuple(known.values()), variables=(*schema.variables, *variables))


def lagged_sources(schema: Schema, covariates: Sequence[Covariate]) -> dict[str, tuple[str, ...]]:
    """Wide columns of the covariates that lagged ones come from.

    Those at the ends have no effect, and are perhaps no columns of wide data: the nearest stands
    there.
    """
    found: dict[str, dict[int, str]] = {}
    n = len(schema.outcome_columns)
    for covariate in sorted(covariates, key=lambda c: c.columns.count("")):
        lagged = schema.lag(covariate.name) if covariate.shifted else None
        if lagged is not None:
            own = found.setdefault(lagged.of, {})
            places = schema.places_before(lagged.by)
            for name, place in zip(covariate.columns, places, strict=True):
                if place is not None:
                    own.setdefault(place, name)
    return {
        of: tuple(own[min(own, key=lambda known: (abs(known - k), known))] for k in range(n))
        for of, own in found.items()
    }


def acting(
    covariates: Sequence[Covariate], source: str, target: str, outcomes: Sequence[str]
) -> Covariate | None:
    """The covariate that a path from a column to an outcome, or to a factor, is of.

    Parameters
    ----------
    covariates : sequence of Covariate
        All of them; several may have the column, at different lags.
    source, target : str
        The column, and what it acts on.
    outcomes : sequence of str
        The growth outcomes in order of occasion.
    """
    found = [c for c in covariates if source in c.columns]
    at = outcomes.index(target) if target in outcomes else -1
    own = [c for c in found if at >= 0 and c.time_varying and c.columns[at] == source]
    return next(iter(own or found), None)


def lag_note(lagged: Lagged, schema: Schema) -> Assumption:
    """What a lagged column is, in words."""
    by, where = abs(lagged.by), "before" if lagged.by > 0 else "after"
    ends = f"where nothing comes {where}"
    if schema.shared_times:
        steps = "one occasion" if by == 1 else f"{by} occasions"
        times = schema.times[:by] if lagged.by > 0 else schema.times[-by:]
        zero = f"at {schema.time or 'time'} " + ", ".join(f"{t:.15g}" for t in times)
    else:
        steps = "one visit" if by == 1 else f"{by} visits"
        zero = f"at a person's first {'visit' if by == 1 else f'{by} visits'}"
        ends += f", a visit being a row with {schema.time} (with {schema.outcome} or without),"
    return Assumption(
        f"{lagged.name} is each person's {lagged.of} of {steps} {where}",
        f"it is 0 {zero}, {ends} and rows stay in the likelihood without an effect, and "
        "missing where the other value is missing; the data of other programs need the column, "
        "which scripts compute",
    )


def lag_losses(bound: BoundMixed) -> list[Loss]:
    """Functions of lagged columns, which have values where there is no other occasion.

    Parameters
    ----------
    bound : BoundMixed
        With the lagged columns in its schema.

    Raises
    ------
    NotIdentifiedError
        If one has an effect at an occasion at which it is zero for everyone.
    """
    schema, losses = bound.schema, []
    if not schema.lagged:
        return []
    said = [("fixed", column) for column in bound.fixed]
    said += [("random", column) for block in bound.random for column in block.columns]
    for kind, column in said:
        parts = [p for p in column.parts if any(map(schema.lag, part_variables(p)))]
        if any(lagged_part(part, schema) is None for part in parts):
            losses.append(
                Loss(
                    f"{kind} effect of {r_name(column)}",
                    "a function of a lagged covariate has a value where the covariate has none",
                    "the lagged covariate itself, or one of a data column that holds the function",
                )
            )
        elif parts:
            _refuse_nowhere(column, schema)
    return losses


def _refuse_nowhere(column: Column, schema: Schema) -> None:
    """Refuse an effect at an occasion at which the lagged column is zero for everyone."""
    of_time = tuple(p for p in column.parts if _of_time(p, schema))
    values: Sequence[float] = (1.0,) * len(active_places(column, schema))
    if schema.shared_times and of_time:
        values = tabulate(Column(Term(tuple(p.expression for p in of_time)), of_time), schema)
    if not any(v and here for v, here in zip(values, active_places(column, schema), strict=True)):
        lagged = next(p for p in column.parts if lagged_part(p, schema) is not None)
        raise NotIdentifiedError(
            f"The effect of {r_name(column)} is at an occasion at which {lagged.expression} is 0 "
            "for everyone.",
            parameters=(r_name(column),),
            hint="Leave these occasions out: an indicator for each other one.",
        )


def _of_time(part: ColumnPart, schema: Schema) -> bool:
    """Whether a part is a function of time alone."""
    functions = {v.name for v in schema.variables if v.role == "time_function"}
    return set(part_variables(part)) <= functions | {schema.time}
