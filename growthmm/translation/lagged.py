"""Effects of a time-varying covariate on later outcomes: paths, and columns of earlier values."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from growthmm.data.design.names import r_name
from growthmm.errors import NotIdentifiedError
from growthmm.model.bound import BoundMixed
from growthmm.model.defaults import Assumption, Loss
from growthmm.model.expression import quote
from growthmm.model.growth import Covariate
from growthmm.model.schema import Column, ColumnPart, Lagged, Schema, Variable
from growthmm.model.terms import Term
from growthmm.translation.tabulate import part_variables, tabulate
from growthmm.translation.time_scores import common_stem

__all__ = [
    "acting",
    "lag_losses",
    "lag_name",
    "lag_note",
    "lagged_families",
    "lagged_sources",
    "named_lag",
    "with_lags",
]

Family = tuple[str, tuple[str, ...]]
"""The name of a covariate in long data, and its wide columns."""

LEAST = 2
"""Paths of one lag that are a lagged covariate; a single one is a covariate at one occasion."""


def lag_name(of: str, by: int) -> str:
    """The column that holds a covariate's earlier values.

    Examples
    --------
    >>> lag_name("x", 1)
    'x_lag1'
    """
    return f"{of}_lag{by}"


def named_lag(name: str) -> tuple[str, int] | None:
    """The covariate and the lag that a column's name says, or None.

    Examples
    --------
    >>> named_lag("x_lag2"), named_lag("x")
    (('x', 2), None)
    """
    found = re.fullmatch(r"(.+)_lag([1-9]\d{0,2})", name)
    return (found[1], int(found[2])) if found else None


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
    for stem, names in members.items():
        ends = {name: name[len(stem) :] for name in names}
        if not set(ends.values()) <= set(number) or not all(
            set(targets[n]) <= set(place) for n in names
        ):
            continue
        lags = [place[y] - number[ends[name]] for name in names for y in targets[name]]
        several = all(lags.count(k) >= LEAST for k in lags if k)
        if min(lags, default=0) < 0 or max(lags, default=0) == 0 or not several:
            continue
        columns = tuple(stem + end for end in number)
        made: list[Family] = []
        for k in sorted(set(lags)):
            own = ("",) * k + columns[: len(columns) - k]
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
        by = columns.count("")
        if name is None or not by:
            continue
        of = name.removesuffix(lag_name("", by))
        lagged.append(Lagged(name, of, by))
        if of in held and name not in held:
            variables.append(Variable(name, "time_varying"))
    if not lagged:
        return schema
    return replace(schema, lagged=tuple(lagged), variables=(*schema.variables, *variables))


def lagged_sources(schema: Schema, covariates: Sequence[Covariate]) -> dict[str, tuple[str, ...]]:
    """Wide columns of the covariates that lagged ones come from.

    The last have no effect, and are perhaps no columns of wide data: the one before stands there.
    """
    found: dict[str, tuple[str, ...]] = {}
    for covariate in sorted(covariates, key=lambda c: -c.lag):
        lagged = schema.lag(covariate.name) if covariate.lag else None
        if lagged is not None:
            own = covariate.columns[lagged.by :]
            found[lagged.of] = own + own[-1:] * lagged.by
    return found


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
    time, occasions = schema.time or "time", schema.occasions
    first = ", ".join(f"{t:.15g}" for t in occasions[: lagged.by])
    steps = "one occasion" if lagged.by == 1 else f"{lagged.by} occasions"
    return Assumption(
        f"{lagged.name} is each person's {lagged.of} of {steps} before",
        f"it is 0 at {time} {first}, where nothing comes before and rows stay in the likelihood "
        "without an effect, and missing where the earlier value is missing; the data of other "
        "programs need the column, which scripts compute",
    )


def lag_losses(bound: BoundMixed) -> list[Loss]:
    """Lagged columns of a mixed model in other places than a fixed effect of their own.

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
        rest = tuple(p for p in column.parts if p not in parts)
        if not parts:
            continue
        lagged = schema.lag(part_variables(parts[0])[0])
        plain = lagged is not None and parts[0].expression == quote(lagged.name)
        if kind == "fixed" and len(parts) == 1 and plain and _of_time(rest, schema):
            assert lagged is not None
            product = Column(Term(tuple(p.expression for p in rest)), rest)
            values = tabulate(product, schema)
            if not any(values[lagged.by :]):
                raise NotIdentifiedError(
                    f"The effect of {r_name(column)} is at an occasion at which {lagged.name} is 0 "
                    "for everyone.",
                    parameters=(r_name(column),),
                    hint="Leave the first occasions out: an indicator for each later one.",
                )
            if not any(values[: lagged.by]) or not rest:
                continue
        losses.append(
            Loss(
                f"{kind} effect of {r_name(column)}",
                "a lagged covariate has no value at the first occasions, and is translated with "
                "one effect at all later occasions or one at each",
                "a fixed effect of the lagged covariate alone, or a data column that holds the "
                "product",
            )
        )
    return losses


def _of_time(parts: Sequence[ColumnPart], schema: Schema) -> bool:
    """Whether parts are functions of time alone."""
    names = {name for part in parts for name in part_variables(part)}
    functions = {v.name for v in schema.variables if v.role == "time_function"}
    return names <= functions | {schema.time}
