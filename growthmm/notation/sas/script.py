"""Complete SAS programs: import the CSV file, reshape where needed, fit, print."""

from __future__ import annotations

from dataclasses import replace

from growthmm.errors import UnsupportedError
from growthmm.model.mixed import MixedModel
from growthmm.model.schema import Schema
from growthmm.model.sem import SemModel
from growthmm.notation.base import ScriptContext
from growthmm.notation.command_languages.columns import (
    derived_columns,
    occasion_columns,
    schema_names,
    schema_of,
)
from growthmm.notation.command_languages.names import Names
from growthmm.notation.command_languages.sheet import with_levels
from growthmm.notation.lag_lines import sas_lags
from growthmm.notation.residual_columns import placed
from growthmm.notation.sas.calis_write import calis_lines
from growthmm.notation.sas.mixed_write import mixed_lines
from growthmm.notation.sas.names import SAS_NAMES, string
from growthmm.notation.sem.text import number_text

__all__ = ["calis_script", "mixed_script"]


def _reading(context: ScriptContext, made: str) -> list[str]:
    path = context.data if context.data is not None else "data.csv"
    asked = [] if context.data is not None else ["/* Put the path of the data (CSV) here. */"]
    return [
        "options validvarname=any;",
        *asked,
        f"proc import datafile={string(path)} out={made} dbms=csv replace;",
        "  guessingrows=max;",
        "run;",
    ]


def mixed_script(model: MixedModel, context: ScriptContext) -> str:
    """A program around PROC MIXED.

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
        If SAS cannot say the model.
    """
    made = placed(with_levels(model, context.schema), context)
    lines = _reading(context, "growthmm_data")
    source = "growthmm_data"
    if context.layout == "wide":
        source = "growthmm_long"
        lines += _lengthening(schema_of(context))
    if context.schema is not None and context.schema.lagged:
        more, source = sas_lags(context.schema, source, _names(context.schema))
        lines += more
    listed = " data=growthmm_model"
    text, losses = mixed_lines(made, source, "growthmm_model", listed)
    if losses:
        raise UnsupportedError("SAS cannot say all of this model.", losses=losses)
    if "data growthmm_model;" not in text:
        text = text.replace(listed, f" data={source}", 1)
    tables = {"FitStatistics": "fit", "SolutionF": "fixed", "CovParms": "covariances"}
    shown = " ".join(f"{table}=growthmm_{name}" for table, name in tables.items())
    lines.append(f"ods output {shown};")
    lines.append(text.replace(" method=", " covtest method=", 1))
    for name in tables.values():
        lines += [f"proc print data=growthmm_{name};", "  format _numeric_ best16.;", "run;"]
    return "\n".join(lines) + "\n"


def _names(schema: Schema, more: tuple[str, ...] = ()) -> Names:
    return schema_names(SAS_NAMES, schema, (*more, *(v.name for v in schema.variables)))


def _lengthening(schema: Schema) -> list[str]:
    names = _names(schema)
    lines = ["data growthmm_long;", "  set growthmm_data;"]
    for k, occasion in enumerate(schema.occasions):
        pieces = [f"{names(schema.time or '')} = {number_text(occasion)};"]
        pieces += [f"{names(s)} = {names(w[k])};" for s, w in occasion_columns(schema)]
        lines.append(f"  {' '.join(pieces)} output;")
    gone = [names(column) for _, wide in occasion_columns(schema) for column in wide]
    return [*lines, f"  drop {' '.join(dict.fromkeys(gone))};", "run;"]


def calis_script(model: SemModel, context: ScriptContext) -> str:
    """A program around PROC CALIS, by full-information maximum likelihood.

    Raises
    ------
    UnboundError
        If the data are long and `context` has no schema.
    UnsupportedError
        If SAS cannot say the model, or compute its columns.
    """
    said = replace(model, missing="ml") if model.likelihood == "normal" else model
    text, losses = calis_lines(said, " data=growthmm_wide")
    if losses:
        raise UnsupportedError("SAS cannot say all of this model.", losses=losses)
    lines = _reading(context, "growthmm_data")
    if context.layout == "long":
        lines += _widening(model, context)
    else:
        lines += ["data growthmm_wide;", "  set growthmm_data;", *_derived_wide(context), "run;"]
    return "\n".join([*lines, text]) + "\n"


def _derived_wide(context: ScriptContext) -> list[str]:
    schema = context.schema
    if not context.derived or schema is None:
        return []
    names = _names(schema, tuple(derived.name for derived in context.derived))
    found = derived_columns(context, schema, names, "sas", string, wide=True)
    return [f"  {name} = {code};" for name, code in found]


def _widening(model: SemModel, context: ScriptContext) -> list[str]:
    """One row a person; a column without a value in any row stays missing."""
    schema = schema_of(context)
    names = _names(schema, (*model.outcomes, *model.covariates, *(d.name for d in context.derived)))
    person, time = names(schema.person), names(schema.time or "")
    placed_columns = {column for _, wide in occasion_columns(schema) for column in wide}
    of_person = [n for n in (*model.outcomes, *model.covariates) if n not in placed_columns]
    kept = {name: names.free(f"growthmm_{k}") for k, name in enumerate(of_person)}
    wide = [names(column) for _, columns in occasion_columns(schema) for column in columns]
    wide = list(dict.fromkeys(wide))
    lines = [f"proc sort data=growthmm_data;\n  by {person};\nrun;"]
    lines += ["data growthmm_wide;", "  set growthmm_data;", f"  by {person};"]
    found = derived_columns(context, schema, names, "sas", string, wide=False)
    lines += [f"  {name} = {code};" for name, code in found]
    held = [*wide, *kept.values()]
    lines.append(f"  retain {' '.join(held)};")
    lines.append(f"  if first.{person} then call missing({', '.join(held)});")
    for stem, columns in occasion_columns(schema):
        for column, occasion in zip(columns, schema.occasions, strict=False):
            near = f"abs({time} - {_signed(occasion)}) <= 1e-9"
            lines.append(f"  if {near} then {names(column)} = {names(stem)};")
    for name, held_as in kept.items():
        lines.append(f"  if not missing({names(name)}) then {held_as} = {names(name)};")
    lines.append(f"  if last.{person} then do;")
    lines += [f"    {names(name)} = {held_as};" for name, held_as in kept.items()]
    shown = " ".join(dict.fromkeys([person, *wide, *(names(name) for name in of_person)]))
    return [*lines, "    output;", "  end;", f"  keep {shown};", "run;"]


def _signed(value: float) -> str:
    text = number_text(value)
    return f"({text})" if text.startswith("-") else text
