"""Formulas with earlier or later values of a covariate, ``lag(x)``, ``x_lead1``, and their data."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from growthmm.data.frames import numeric_column
from growthmm.data.lagging import lagged_values, with_lagged
from growthmm.errors import DataError, SpecificationError, UnboundError, UnsupportedError
from growthmm.model.bound import BoundMixed
from growthmm.model.defaults import Assumption, Loss
from growthmm.model.expression import quote, tree, variables
from growthmm.model.expression_tree import Call, Name, Number
from growthmm.model.mixed import MixedModel
from growthmm.model.schema import Lagged, Schema, Variable
from growthmm.model.terms import INTERCEPT, Term
from growthmm.translation.binding.mixed import bind_mixed, model_variables
from growthmm.translation.binding.visits import visits_of, with_visits
from growthmm.translation.lagged import lag_note
from growthmm.translation.naming import common_stem
from growthmm.translation.shifted import lag_name, named_lag

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "lag_calls",
    "lagged_schema",
    "with_lag_columns",
    "with_lag_facts",
    "with_named_lags",
]


def lag_calls(model: MixedModel) -> dict[str, Lagged]:
    """The factors ``lag(x, k)`` and ``lead(x, k)`` of a formula, and the column that each becomes.

    Examples
    --------
    >>> from growthmm.verbs.source import read
    >>> list(lag_calls(read("y ~ t + lag(x, 2) + (1 | id)")).values())
    [Lagged(name='x_lag2', of='x', by=2)]
    """
    terms = (*model.fixed, *(term for block in model.random for term in block.terms))
    found = {}
    for factor in dict.fromkeys(factor for term in terms for factor in term.factors):
        node = tree(factor)
        if isinstance(node, Call) and node.function in ("lag", "lead"):
            assert isinstance(node.args[0], Name)
            last = node.args[-1]
            by = int(last.value) if isinstance(last, Number) else 1
            by = -by if node.function == "lead" else by
            of = node.args[0].name
            found[factor] = Lagged(lag_name(of, by), of, by)
    return found


def with_lag_columns(
    model: MixedModel,
    frame: pd.DataFrame | None,
    *,
    id: str | None = None,
    time: str | None = None,
    time_values: Sequence[float] | None = None,
    known: Schema | None = None,
) -> tuple[MixedModel, pd.DataFrame | None, str | None, Schema | None]:
    """A formula that names columns of earlier values, and data that have them.

    Parameters
    ----------
    model : MixedModel
        With ``lag(x, k)``, or with columns ``x_lagk`` that the data lack.
    frame : DataFrame, optional
        Long data.
    id, time, time_values, known
        As :func:`~growthmm.translation.binding.mixed.bind_mixed` takes them.

    Returns
    -------
    model : MixedModel
        With the names of columns.
    frame : DataFrame or None
        With these columns.
    time : str or None
        The column of times, where it had to be found.
    known : Schema or None
        With these columns, where it was given.

    Raises
    ------
    UnsupportedError
        If times are not shared, or outcomes stand in stacked rows.
    UnboundError
        If there are neither data nor a schema.
    """
    calls = lag_calls(model)
    lagged = {made.name: made for made in calls.values()}
    for name in model_variables(model):
        said = named_lag(name)
        if said is None or frame is None or name in frame.columns or said[0] not in frame.columns:
            continue
        lagged.setdefault(name, Lagged(name, *said))
    if not lagged:
        return model, frame, time, known
    plain = _renamed(model, lambda f: quote(calls[f].name) if f in calls else f)
    if frame is None:
        return plain, None, time, _known(known, lagged)
    _refuse_outcome(model, lagged)
    bound = bind_mixed(
        _unlagged(plain, lagged), frame, id=id, time=time, time_values=time_values, known=known
    )
    for made in lagged.values():
        _refuse(made, bound.schema)
    schema = replace(bound.schema, lagged=tuple(lagged.values()))
    return plain, with_lagged(frame, schema), schema.time, known


def _renamed(model: MixedModel, name: Callable[[str], str]) -> MixedModel:
    """The model with other factors; terms that become the same stand once."""

    def terms(given: tuple[Term, ...]) -> tuple[Term, ...]:
        return tuple(dict.fromkeys(Term(tuple(name(f) for f in t.factors)) for t in given))

    random = tuple(replace(block, terms=terms(block.terms)) for block in model.random)
    return replace(model, fixed=terms(model.fixed), random=random)


def _unlagged(model: MixedModel, lagged: dict[str, Lagged]) -> MixedModel:
    """The model with the covariates themselves, from whose data roles and occasions are known.

    Random effects of lagged columns are left out: their covariates are not what time is.
    """
    columns = {quote(made.name): quote(made.of) for made in lagged.values()}
    covariates = tuple(Term((of,)) for of in columns.values())
    kept = [
        (block, tuple(t for t in block.terms if not set(t.factors) & set(columns)))
        for block in model.random
    ]
    named = {block.group for block, terms in kept if terms}
    random = tuple(
        replace(block, terms=terms or (INTERCEPT,), pattern=block.pattern if terms else ())
        for block, terms in kept
        if terms or block.group not in named
    )
    plain = _renamed(model, lambda f: columns.get(f, f))
    return replace(plain, fixed=tuple(dict.fromkeys((*plain.fixed, *covariates))), random=random)


def _refuse_outcome(model: MixedModel, lagged: dict[str, Lagged]) -> None:
    """Refuse earlier values of the outcome."""
    for made in lagged.values():
        if made.of in variables(model.response):
            why = (
                "an earlier outcome has an error of its own that the later one shares: no linear "
                "mixed model says its effect"
            )
            raise UnsupportedError(
                f"{made.name} is an earlier value of the outcome {made.of}.",
                losses=[Loss(made.name, why, "residuals that are correlated: residual=ar1, say")],
                hint="As SEM text, with a path between the outcomes, the engine wide fits it.",
            )


def _known(known: Schema | None, lagged: dict[str, Lagged]) -> Schema:
    """The given facts with the lagged columns."""
    if known is None:
        raise UnboundError(
            f"What is an earlier value of {', '.join(m.of for m in lagged.values())} is not known.",
            missing=tuple(
                f"role and levels of {made.of} (data= or --data)" for made in lagged.values()
            ),
            hint="Give data, or a schema with person, time, occasions and these variables.",
        )
    for made in lagged.values():
        _refuse(made, known)
    held = {v.name for v in known.variables}
    new = tuple(Variable(name, "time_varying") for name in lagged if name not in held)
    said = {made.name: made for made in known.lagged} | lagged
    return replace(known, variables=(*known.variables, *new), lagged=tuple(said.values()))


def _refuse(lagged: Lagged, schema: Schema) -> None:
    """Refuse a lag of what does not vary within persons, or without occasions to look back to."""
    if not schema.shared_times and lagged.by < 0:
        why = (
            "times differ between persons, and so does the number of their visits: which is the "
            "last, and has no later value, no column of wide data says"
        )
        raise UnsupportedError(
            f"{lagged.name} needs a visit after.",
            losses=[Loss(lagged.name, why, "a data column that holds the later values")],
        )
    variable = schema.variable(lagged.of)
    if variable is None and lagged.of in (schema.time, schema.person):
        raise SpecificationError(
            f"{lagged.name} is an earlier value of {lagged.of}, which is no covariate.",
            hint="Lag a numeric column that varies within persons over time.",
        )
    if variable is None:
        raise UnboundError(
            f"What {lagged.of} is, is not known.",
            missing=(f"role and levels of {lagged.of} (data= or --data)",),
            hint="Give data, or add it to the schema.",
        )
    if variable.role != "time_varying" or variable.levels is not None:
        role = variable.role.replace("_", "-")
        what = "categorical" if variable.levels is not None else role
        raise SpecificationError(
            f"{lagged.name} is an earlier value of {lagged.of}, which is {what}.",
            hint="Lag a numeric column that varies within persons over time.",
        )
    by, n = abs(lagged.by), len(schema.times if schema.shared_times else schema.outcome_columns)
    if by >= n:
        way = "back" if lagged.by > 0 else "ahead"
        raise SpecificationError(
            f"{lagged.name} looks {way} {by} occasions, and there are {n}.",
            hint="Use a smaller lag.",
        )


def with_named_lags(
    model: MixedModel,
    frame: pd.DataFrame | None,
    *,
    id: str | None = None,
    time: str | None = None,
    known: Schema | None = None,
) -> tuple[MixedModel, Schema, tuple[Assumption, ...]]:
    """A formula with columns in place of ``lag(x)``, and the facts by which a script computes them.

    Parameters
    ----------
    model : MixedModel
        With ``lag(x)``.
    frame, id, time, known
        As :func:`with_lag_columns` takes them.
    """
    model, frame, time, known = with_lag_columns(model, frame, id=id, time=time, known=known)
    bound = with_lag_facts(bind_mixed(model, frame, id=id, time=time, known=known), frame)
    notes = tuple(lag_note(lagged, bound.schema) for lagged in bound.schema.lagged)
    return model, bound.schema, notes


def with_lag_facts(bound: BoundMixed, frame: pd.DataFrame | None) -> BoundMixed:
    """The bound model with what its columns of earlier values are, where data or facts say it.

    Parameters
    ----------
    bound : BoundMixed
        The model.
    frame : DataFrame, optional
        Long data: a column ``x_lagk`` whose values are those of ``x``, k occasions earlier, and 0
        at the first, is one.
    """
    schema = bound.schema
    notes: list[Assumption] = []
    if frame is not None:
        schema, notes = _recognised(schema, frame)
    if not schema.lagged:
        return replace(bound, assumptions=(*bound.assumptions, *notes)) if notes else bound
    notes += [lag_note(lagged, schema) for lagged in schema.lagged]
    return replace(bound, schema=schema, assumptions=(*bound.assumptions, *notes))


def _recognised(schema: Schema, frame: pd.DataFrame) -> tuple[Schema, list[Assumption]]:
    found: list[Lagged] = []
    notes: list[Assumption] = []
    for variable in schema.variables:
        said = named_lag(variable.name)
        if said is None or said[0] not in frame.columns or variable.role != "time_varying":
            continue
        if said[0] in (schema.outcome, schema.time, schema.person):
            continue
        if said[1] < 0 and not schema.shared_times:
            # Which of a person's visits is the last, no column of wide data says.
            continue
        try:
            own = numeric_column(frame, variable.name)
            meant = lagged_values(frame, schema, *said)
        except DataError:
            # A column of text is no earlier value of anything.
            continue
        if np.array_equal(own, meant, equal_nan=True):
            found.append(Lagged(variable.name, *said))
        else:
            notes.append(
                Assumption(
                    f"{variable.name} is a covariate of its own",
                    f"its values are not those of {said[0]} {abs(said[1])} "
                    f"{'before' if said[1] > 0 else 'after'} in time, with 0 at "
                    f"the {'first' if said[1] > 0 else 'last'}; leave it out of the data to have "
                    "it computed",
                )
            )
    if found and not schema.shared_times:
        schema = _with_every_visit(schema, frame)
    return lagged_schema(schema, found), notes


def _with_every_visit(schema: Schema, frame: pd.DataFrame) -> Schema:
    """The schema with a column for each row that has a time, whether or not its outcome is known.

    What stood at the visit before does not depend on what is known of the outcome there.
    """
    assert schema.time is not None
    longest, _ = visits_of(frame, schema.person, schema.time, ())
    if longest <= len(schema.outcome_columns):
        return schema
    stem = common_stem(schema.outcome_columns) or "outcome"
    return with_visits(replace(schema, outcome_columns=(), varying_columns=()), stem, longest)


def lagged_schema(schema: Schema, lagged: Sequence[Lagged]) -> Schema:
    """The schema with lagged columns, whose wide columns are those of their covariates."""
    if not lagged:
        return schema
    from growthmm.data.names import wide_columns

    names = {made.name for made in lagged}
    kept = {name: columns for name, columns in schema.varying_columns if name not in names}
    sources = [made.of for made in lagged if made.of not in kept]
    among = [schema.outcome, *kept, *sources]
    numbers = schema.times if schema.shared_times else schema.numbers
    own = schema.occasions if schema.shared_times else schema.numbers
    for name in sources:
        at = dict(zip(numbers, wide_columns(name, numbers, among=among), strict=True))
        kept[name] = tuple(at[number] for number in own)
    return replace(schema, lagged=tuple(lagged), varying_columns=tuple(kept.items()))
