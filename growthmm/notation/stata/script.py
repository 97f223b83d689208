"""Complete do-files: import the CSV file, reshape where needed, fit, print."""

from __future__ import annotations

from dataclasses import replace

from growthmm.errors import UnsupportedError
from growthmm.model.expression import canonical, quote
from growthmm.model.mixed import MixedModel
from growthmm.model.schema import Schema
from growthmm.model.sem import SemModel
from growthmm.model.terms import Term
from growthmm.notation.base import ScriptContext
from growthmm.notation.command_languages.columns import (
    derived_columns,
    occasion_columns,
    schema_names,
    schema_of,
)
from growthmm.notation.command_languages.names import Names
from growthmm.notation.command_languages.sheet import with_levels
from growthmm.notation.lag_lines import stata_lags
from growthmm.notation.residual_columns import placed
from growthmm.notation.sem.text import number_text
from growthmm.notation.stata.mixed_write import mixed_lines
from growthmm.notation.stata.names import STATA_NAMES, string
from growthmm.notation.stata.sem_write import sem_lines

__all__ = ["mixed_script", "sem_script"]


def _reading(context: ScriptContext) -> list[str]:
    path = context.data if context.data is not None else "data.csv"
    asked = [] if context.data is not None else ["* Put the path of the data (CSV) here."]
    return [
        "version 14",
        "clear all",
        *asked,
        f"import delimited using {string(path)}, clear varnames(1) case(preserve)",
    ]


def mixed_script(model: MixedModel, context: ScriptContext) -> str:
    """A do-file around ``mixed``.

    Parameters
    ----------
    model : MixedModel
        The model.
    context : ScriptContext
        Where the data are and what they look like.

    Raises
    ------
    UnboundError
        If the data are wide and `context` has no schema.
    UnsupportedError
        If Stata cannot say the model.
    """
    lines = _reading(context)
    if context.layout == "wide":
        lines += _lengthening(schema_of(context))
    made = placed(model, context)
    if context.schema is not None:
        lines += stata_lags(context.schema, _names(context.schema))
        made, encoded = _encoded(made, context.schema)
        lines += encoded
    text, losses = mixed_lines(made)
    if losses:
        raise UnsupportedError("Stata cannot say all of this model.", losses=losses)
    shown = ["display %21.0g e(ll)", "matrix list e(b), format(%21.0g)"]
    shown += ["matrix list e(V), format(%21.0g)", "estat ic", "estat recovariance"]
    if not made.random:
        shown.pop()
    return "\n".join([*lines, text, *shown]) + "\n"


def _encoded(model: MixedModel, schema: Schema) -> tuple[MixedModel, list[str]]:
    """Text columns as numbered ones, the first level lowest; Stata's factors are numbers."""
    lines = []
    numbered: dict[str, str] = {}
    columns = [variable.name for variable in schema.variables]
    names = _names(schema)
    for variable in schema.variables:
        if not variable.levels or not all(isinstance(x, (str, bool)) for x in variable.levels):
            continue
        name = names(variable.name)
        made = f"{name[:26]}_coded"
        while made in columns:
            made += "_"
        lines.append(f"generate byte {made} = .")
        for k, level in enumerate(variable.levels):
            lines.append(f"replace {made} = {k + 1} if {name} == {string(str(level))}")
        numbered[variable.name] = made
    plain = with_levels(model, schema)

    def recoded(factor: str) -> str:
        for column, made in numbered.items():
            if factor.startswith(f"C({quote(column)}, Treatment(") or factor == quote(column):
                return canonical(f"C({made})")
        return factor

    def terms(given: tuple[Term, ...]) -> tuple[Term, ...]:
        return tuple(Term(tuple(recoded(f) for f in term.factors)) for term in given)

    blocks = tuple(replace(b, terms=terms(b.terms)) for b in plain.random)
    return replace(plain, fixed=terms(plain.fixed), random=blocks), lines


def _names(schema: Schema, more: tuple[str, ...] = ()) -> Names:
    return schema_names(STATA_NAMES, schema, (*more, *(v.name for v in schema.variables)))


def _lengthening(schema: Schema) -> list[str]:
    """Wide columns under names that end in the occasion's number, then ``reshape long``."""
    names = _names(schema)
    stems = []
    lines = []
    for k, (_, wide) in enumerate(occasion_columns(schema)):
        stem = f"growthmm_{k}_"
        stems.append(stem)
        for j, column in enumerate(wide, 1):
            first = wide.index(column) + 1
            moved = f"rename {names(column)} {stem}{j}"
            lines.append(moved if first == j else f"generate double {stem}{j} = {stem}{first}")
    person = names(schema.person)
    lines.append(f"capture drop {names(schema.time or '')}")
    lines.append(f"reshape long {' '.join(stems)}, i({person}) j(growthmm_occasion)")
    for stem, (name, _) in zip(stems, occasion_columns(schema), strict=True):
        lines.append(f"rename {stem} {names(name)}")
    time = names(schema.time or "")
    lines.append(f"generate double {time} = .")
    for k, occasion in enumerate(schema.occasions, 1):
        lines.append(f"replace {time} = {number_text(occasion)} if growthmm_occasion == {k}")
    return lines


def sem_script(model: SemModel, context: ScriptContext) -> str:
    """A do-file around ``sem``, by full-information maximum likelihood.

    Raises
    ------
    UnboundError
        If the data are long and `context` has no schema.
    UnsupportedError
        If Stata cannot say the model, or compute its columns.
    """
    said = replace(model, missing="ml") if model.likelihood == "normal" else model
    text, losses = sem_lines(said)
    if losses:
        raise UnsupportedError("Stata cannot say all of this model.", losses=losses)
    lines = _reading(context)
    schema = context.schema
    if context.layout == "long":
        lines += _derived(context, schema_of(context))
        lines += _widening(model, schema_of(context))
    elif schema is not None:
        lines += _derived(context, schema)
    shown = ["display %21.0g e(ll)", "matrix list e(b), format(%21.0g)"]
    shown += ["matrix list e(V), format(%21.0g)", "estat gof, stats(all)"]
    return "\n".join([*lines, text, *shown]) + "\n"


def _derived(context: ScriptContext, schema: Schema) -> list[str]:
    names = _names(schema, tuple(derived.name for derived in context.derived))
    wide = context.layout == "wide"
    found = derived_columns(context, schema, names, "stata", string, wide=wide)
    return [f"generate double {name} = {code}" for name, code in found]


def _widening(model: SemModel, schema: Schema) -> list[str]:
    """One row a person: each wide column is the value at its time, others the first present."""
    names = _names(schema, (*model.outcomes, *model.covariates))
    person, time = names(schema.person), names(schema.time or "")
    lines = []
    made = []
    for stem, columns in occasion_columns(schema):
        for column, occasion in zip(columns, schema.occasions, strict=False):
            shown = number_text(occasion)
            near = f"abs({time} - ({shown})) <= 1e-9"
            lines.append(f"generate double growthmm_x = {names(stem)} if {near}")
            lines.append(f"egen double {names(column)} = max(growthmm_x), by({person})")
            lines.append("drop growthmm_x")
            made.append(column)
    for name in dict.fromkeys((*model.outcomes, *model.covariates)):
        if name not in made:
            lines.append(f"egen double growthmm_x = max({names(name)}), by({person})")
            lines.append(f"drop {names(name)}\nrename growthmm_x {names(name)}")
    return [*lines, f"bysort {person}: keep if _n == 1"]
