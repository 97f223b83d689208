"""The facts of data that stand in for data: which a model needs, and which are missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from growthmm.data.names import wide_columns
from growthmm.errors import SpecificationError, TooFewOccasionsError, UnboundError
from growthmm.model.defaults import Assumption
from growthmm.model.expression import quote, tree, variables
from growthmm.model.expression_functions import FUNCTIONS
from growthmm.model.expression_tree import Call, Name, Negative, Node, Operation, Truth
from growthmm.model.mixed import MixedModel
from growthmm.model.schema import Schema
from growthmm.model.terms import Term
from growthmm.translation.binding.time_scores import checked_times
from growthmm.translation.binding.visits import with_visits
from growthmm.translation.outcomes.tables import with_indicator
from growthmm.translation.tabulate import TABULATED

__all__ = ["model_variables", "response_column", "schema_from_facts", "slope_variables"]


def model_variables(model: MixedModel) -> tuple[str, ...]:
    """The data columns of the fixed and random terms, in order of appearance."""
    terms = (*model.fixed, *(t for block in model.random for t in block.terms))
    return _columns_of(terms, model.loading_names)


def slope_variables(model: MixedModel) -> tuple[str, ...]:
    """The data columns of the random terms, in order of appearance."""
    terms = [term for block in model.random for term in block.terms]
    return _columns_of(terms, model.loading_names)


def _columns_of(terms: Sequence[Term], parameters: Sequence[str]) -> tuple[str, ...]:
    names = (v for term in terms for factor in term.factors for v in variables(factor))
    return tuple(name for name in dict.fromkeys(names) if name not in parameters)


def response_column(model: MixedModel) -> str:
    """The outcome's column, or the text of its expression where it is computed."""
    names = variables(model.response)
    return names[0] if names and model.response == quote(names[0]) else model.response


def schema_from_facts(
    model: MixedModel,
    person: str,
    time: str | None,
    time_values: Sequence[float] | None,
    known: Schema | None,
) -> tuple[Schema, list[Assumption]]:
    """The schema of a mixed model without data.

    Parameters
    ----------
    model : MixedModel
        The model.
    person : str
        The column of persons.
    time : str, optional
        The column of times; None where the model or `known` says it.
    time_values : sequence of float, optional
        The occasions; None where `known` has them.
    known : Schema, optional
        Roles, levels, constants, occasions.

    Returns
    -------
    schema : Schema
        Complete for this model.
    notes : list of Assumption
        What was guessed.

    Raises
    ------
    UnboundError
        If facts are missing; all of them, by name.
    SpecificationError
        If facts contradict the model or one another.
    """
    notes: list[Assumption] = []
    outcome = response_column(model)
    schema = known or Schema(person, None, outcome)
    _agree(schema, person, time, outcome)
    if schema.series:
        schema = with_indicator(schema)
    names = model_variables(model)
    time = schema.time or time
    if time is None:
        time = _guessed_time(model, schema)
        if time is not None:
            why = "the formula uses no other variable for it; --time says otherwise"
            notes.append(Assumption(f"time is {time}", why))
    elif known is None and time not in names:
        notes.append(Assumption(f"time is {time}", "it was given; the formula does not use it"))
    occasions = schema.occasions
    if time_values is not None and not schema.series:
        occasions = tuple(sorted(checked_times(time_values)))
    missing = [] if time is not None else ["time (time= or --time)"]
    if not schema.shared_times:
        if not schema.outcome_columns:
            missing.append("the outcome's columns, one for each visit (outcome_columns)")
    elif not occasions:
        missing.append("the times (time_values= or --time-values)")
    missing += _missing(model, schema, time)
    if missing or time is None:
        raise UnboundError(
            "The translation needs facts that the formula does not hold: "
            + "; ".join(missing)
            + ".",
            missing=tuple(missing),
            hint="Give data, or the facts themselves (a schema).",
        )
    schema = replace(schema, time=time, occasions=occasions)
    if not schema.shared_times:
        return with_visits(schema, outcome), notes
    if len(occasions) < 2:
        raise TooFewOccasionsError(
            f"There is one occasion: {time} {occasions[0]:g}.",
            hint="A growth model needs at least two.",
        )
    return _with_columns(schema), notes


def _agree(schema: Schema, person: str, time: str | None, outcome: str) -> None:
    """Refuse facts that contradict the model or one another."""
    for what, said, meant in (
        ("person", schema.person, person),
        ("outcome", schema.outcome, outcome),
        ("time", schema.time, time),
    ):
        if said is not None and meant is not None and said != meant:
            raise SpecificationError(
                f"The schema's {what} is {said!r}, the model's {meant!r}.",
                hint="Use one name for it.",
            )
    if not _ascending(schema):
        raise SpecificationError(
            f"The schema's occasions {', '.join(f'{v:g}' for v in schema.occasions)} are not in "
            "ascending order.",
            hint="Sort them, and the wide columns with them.",
        )
    if not schema.shared_times:
        return
    n = len(schema.occasions)
    counts = [(schema.outcome, len(schema.outcome_columns))]
    counts += [(name, len(columns)) for name, columns in schema.varying_columns]
    counts += [(c.expression, len(dict(c.values).get(TABULATED, ()))) for c in schema.constants]
    for name, count in counts:
        if count and count != n:
            raise SpecificationError(
                f"The schema has {count} columns or values of {name} for {n} occasions.",
                hint="Give one for each occasion.",
            )


def _ascending(schema: Schema) -> bool:
    """Whether the occasions ascend, of several outcomes within each."""
    if not schema.series:
        return schema.occasions == tuple(sorted(checked_times(schema.occasions)))
    if schema.indicator is None or len(schema.series) != len(schema.occasions):
        raise SpecificationError(
            f"The schema has {len(schema.series)} entries of series for {len(schema.occasions)} "
            f"occasions, told apart by {schema.indicator}.",
            hint="Name the indicator, and for each occasion the outcome that it is of.",
        )
    for outcome in schema.outcomes:
        own = [schema.occasions[j] for j in schema.cells_of(outcome)]
        if own != sorted(checked_times(own)):
            return False
    return True


def _guessed_time(model: MixedModel, schema: Schema) -> str | None:
    """The one variable without another role that has a random slope, or that there is."""
    unknown = [name for name in model_variables(model) if schema.variable(name) is None]
    slopes = [name for name in slope_variables(model) if name in unknown]
    for candidates in (slopes, unknown):
        if len(candidates) == 1:
            return candidates[0]
    return None


def _missing(model: MixedModel, schema: Schema, time: str | None) -> list[str]:
    """Facts about variables and expressions that the schema lacks, as messages name them."""
    missing = []
    for name in model_variables(model):
        if name in (time, schema.person):
            continue
        variable = schema.variable(name)
        if variable is None:
            missing.append(f"role and levels of {name} (data= or --data)")
        elif variable.role == "time_function":
            constants = schema.constants_of(name)
            if constants is None or TABULATED not in dict(constants.values):
                missing.append(f"values of {name} at the occasions (data= or --data)")
    terms = (*model.fixed, *(t for block in model.random for t in block.terms))
    factors = dict.fromkeys(factor for term in terms for factor in term.factors)
    for factor in factors:
        for expression, what in _stateful(tree(factor), schema, time):
            if schema.constants_of(expression) is None:
                missing.append(f"{what} of {expression} (data= or --data)")
    return list(dict.fromkeys(missing))


def _stateful(node: Node, schema: Schema, time: str | None) -> list[tuple[str, str]]:
    """Expressions within a factor that have constants of the data, and what these are."""
    from growthmm.model.expression_print import show

    if isinstance(node, Negative):
        return _stateful(node.operand, schema, time)
    if isinstance(node, Operation):
        sides = [side for side in (node.left, node.right) if side is not None]
        return [found for side in sides for found in _stateful(side, schema, time)]
    if not isinstance(node, Call):
        return []
    text = show(node, "canonical")
    if FUNCTIONS[node.function].kind == "basis":
        raw = any(name == "raw" and value == Truth(True) for name, value in node.keywords)
        return [] if raw else [(text, "constants")]
    if node.function == "C":
        inner = node.args[0]
        written = any(name == "levels" for name, _ in node.keywords)
        variable = schema.variable(inner.name) if isinstance(inner, Name) else None
        has_levels = variable is not None and variable.levels is not None
        unknown = isinstance(inner, Name) and variable is None
        if written or has_levels or unknown or inner == Name(time or ""):
            return []
        return [(text, "levels")]
    return [found for argument in node.args for found in _stateful(argument, schema, time)]


def _with_columns(schema: Schema) -> Schema:
    """The schema with wide columns for the outcome and every varying covariate that lacks them."""
    numbers = [v.name for v in schema.variables if v.role == "time_varying" and v.levels is None]
    lagged = {lagged.name: lagged.of for lagged in schema.lagged}
    varying = list(dict.fromkeys(lagged.get(name, name) for name in numbers))
    among = [schema.outcome, *varying]
    known = dict(schema.varying_columns)
    # Of several outcomes those at one time share a covariate's value, unless its columns differ.
    made = {
        name: dict(zip(schema.times, wide_columns(name, schema.times, among=among), strict=True))
        for name in varying
        if name not in known
    }
    return replace(
        schema,
        outcome_columns=schema.outcome_columns
        or wide_columns(schema.outcome, schema.occasions, among=among),
        varying_columns=tuple(
            (name, known.get(name) or tuple(made[name][t] for t in schema.occasions))
            for name in varying
        ),
    )
