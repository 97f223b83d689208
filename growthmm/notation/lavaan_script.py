"""A complete R program: read the data, bring them into wide form, fit with lavaan, print."""

from __future__ import annotations

from growthmm.errors import UnboundError
from growthmm.model.schema import Schema
from growthmm.model.sem import SemModel
from growthmm.notation.base import ScriptContext
from growthmm.notation.lavaan_columns import column_code, level_text
from growthmm.notation.lavaan_write import write_model
from growthmm.notation.sem_text import is_syntactic, number_text, r_string

__all__ = ["script"]

_PRINT = """\
cat(sprintf("logLik %.10f\\n", as.numeric(logLik(fit))))
cat(sprintf("npar %d\\n", as.integer(fitMeasures(fit, "npar"))))
cat(sprintf("nobs %d\\n", as.integer(lavInspect(fit, "ntotal"))))
cat(sprintf("converged %s\\n", lavInspect(fit, "converged")))
estimates <- parameterEstimates(fit)
free <- parTable(fit)$free[seq_len(nrow(estimates))] > 0
for (k in which(free)) {
  cat(sprintf("estimate\\t%s%s%s\\t%.12g\\t%.12g\\n",
    estimates$lhs[k], estimates$op[k], estimates$rhs[k], estimates$est[k], estimates$se[k]))
}
"""


def script(model: SemModel, context: ScriptContext) -> str:
    """A complete R program.

    It prints lines ``logLik``, ``npar``, ``nobs``, ``converged`` with a value each, and one line
    ``estimate`` for each free row with name, estimate and standard error, separated by tabs.

    Parameters
    ----------
    model : SemModel
        The model.
    context : ScriptContext
        Where the data are and what they look like.

    Returns
    -------
    str
        R code that needs lavaan alone.

    Raises
    ------
    UnboundError
        If the data are long and `context` has no schema.
    """
    schema = context.schema
    lines = ["library(lavaan)", "", *_reading(context)]
    if context.layout == "long":
        if schema is None or not schema.occasions:
            raise UnboundError(
                "A script that brings long data into wide form needs to know them.",
                missing=("person", "time", "outcome", "occasions"),
                hint="Give the data, or person, time and time values.",
            )
        lines += _derived_long(context) + _reshaping(model, schema)
    else:
        lines += ["wide <- d", *_derived_wide(context)]
    shown = ", ".join(r_string(name) for name in model.outcomes)
    lines.append(f"wide <- wide[rowSums(!is.na(wide[c({shown})])) > 0, ]")
    lines += _filled(model, schema)
    return "\n".join([*lines, *_fitting(model), "", _PRINT])


def _reading(context: ScriptContext) -> list[str]:
    if context.data is None:
        return [
            "path <- commandArgs(trailingOnly = TRUE)[1]",
            'if (is.na(path)) stop("Give the path of the data (CSV): Rscript script.R data.csv")',
            "d <- read.csv(path, check.names = FALSE)",
        ]
    return [f"d <- read.csv({r_string(context.data)}, check.names = FALSE)"]


def _column(name: str) -> str:
    return f"d[[{r_string(name)}]]"


def _derived_long(context: ScriptContext) -> list[str]:
    return [
        f"{_column(derived.name)} <- {column_code(derived.column, context.schema, 'd')}"
        for derived in context.derived
    ]


def _derived_wide(context: ScriptContext) -> list[str]:
    """Derived columns of a wide file; those that vary are computed occasion by occasion."""
    schema = context.schema
    lines = []
    for derived in context.derived:
        columns = schema.wide_columns(derived.name) if schema is not None else None
        if schema is None or columns is None:
            code = column_code(derived.column, schema, "wide")
            lines.append(f"wide[[{r_string(derived.name)}]] <- {code}")
            continue
        for k, target in enumerate(columns):
            at = ", ".join(
                f"{name} = wide[[{r_string(stem[k])}]]"
                for name, stem in schema.varying_columns
                if name != derived.name and is_syntactic(name)
            )
            if schema.time is not None and is_syntactic(schema.time):
                time = number_text(schema.occasions[k])
                at = ", ".join(part for part in (at, f"{schema.time} = {time}") if part)
            frame = f"modifyList(as.list(wide), list({at}))"
            code = column_code(derived.column, schema, frame)
            lines.append(f"wide[[{r_string(target)}]] <- {code}")
    return lines


def _reshaping(model: SemModel, schema: Schema) -> list[str]:
    """One row a person, whatever order the rows are in and whichever are missing."""
    person = r_string(schema.person)
    lines = [
        "",
        f"d <- d[!is.na(d[[{person}]]), ]",
        f"wide <- data.frame(.person = unique(d[[{person}]]))",
        "at_time <- function(column, time) {",
        f"  rows <- which({_same_time(schema)})",
        f"  d[[column]][rows][match(wide$.person, d[[{person}]][rows])]",
        "}",
        "of_person <- function(column) {",
        "  rows <- which(!is.na(d[[column]]))",
        f"  d[[column]][rows][match(wide$.person, d[[{person}]][rows])]",
        "}",
    ]
    placed: set[str] = set()
    stems = [(schema.outcome, schema.outcome_columns), *schema.varying_columns]
    for stem, columns in stems:
        for column, time in zip(columns, schema.occasions, strict=False):
            lines.append(
                f"wide[[{r_string(column)}]] <- at_time({r_string(stem)}, {level_text(time)})"
            )
            placed.add(column)
    variables = [*model.outcomes, *model.covariates]
    if model.group_variable is not None:
        variables.append(model.group_variable)
    for name in dict.fromkeys(variables):
        if name not in placed:
            lines.append(f"wide[[{r_string(name)}]] <- of_person({r_string(name)})")
    return lines


def _same_time(schema: Schema) -> str:
    column = _column(schema.time or "")
    return f"abs({column} - time) <= 1e-9 * max(1, abs(time))"


def _filled(model: SemModel, schema: Schema | None) -> list[str]:
    """A covariate whose outcome is missing never enters the likelihood, so any number will do.

    lavaan would drop the whole person for it.
    """
    if schema is None:
        return []
    lines = []
    for _, columns in schema.varying_columns:
        for covariate, outcome in zip(columns, schema.outcome_columns, strict=False):
            if covariate in model.covariates:
                x, y = f"wide[[{r_string(covariate)}]]", f"wide[[{r_string(outcome)}]]"
                lines.append(f"{x}[is.na({x}) & is.na({y})] <- 0")
    if lines:
        lines.insert(0, "# a covariate of a missing outcome never enters its likelihood")
    return lines


def _fitting(model: SemModel) -> list[str]:
    text = write_model(model).text
    formulas = text
    if "('\n" in text:
        formulas = text[text.index("('\n") + 3 : text.index("\n'", text.index("('\n") + 3)]
    arguments = ["data = wide"]
    if model.group_variable is not None:
        arguments.append(f"group = {r_string(model.group_variable)}")
    if model.group_labels:
        arguments.append(f"group.label = c({', '.join(map(r_string, model.group_labels))})")
    arguments.append("meanstructure = TRUE")
    if model.likelihood == "normal":
        arguments.append('missing = "ml"')
    else:
        arguments.append(f"likelihood = {r_string(model.likelihood)}")
    if not model.fixed_x:
        arguments.append("fixed.x = FALSE")
    arguments.append("information = information")
    outcomes = ", ".join(r_string(name) for name in model.outcomes)
    chosen = (
        r_string(model.information)
        if model.information is not None
        else f'if (anyNA(wide[c({outcomes})])) "observed" else "expected"'
    )
    return [
        "",
        f"model <- '\n{formulas}\n'",
        f"information <- {chosen}",
        f"fit <- {model.function}(model, {', '.join(arguments)})",
    ]
