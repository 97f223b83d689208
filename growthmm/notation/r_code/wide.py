"""R code that reads a data file and brings it into wide form, a row a person."""

from __future__ import annotations

from collections.abc import Iterable

from growthmm.errors import UnboundError
from growthmm.model.schema import Schema
from growthmm.notation.base import ScriptContext
from growthmm.notation.r_code.columns import column_code, level_text
from growthmm.notation.sem.text import is_syntactic, number_text, r_string

__all__ = ["wide_lines"]


def wide_lines(variables: Iterable[str], context: ScriptContext) -> list[str]:
    """Lines that read the data file and make the data frame ``wide``.

    Parameters
    ----------
    variables : iterable of str
        Columns that the model needs.
    context : ScriptContext
        Where the data are and what they look like.

    Returns
    -------
    list of str
        R code; a cell that the data do not have is ``NA``.

    Raises
    ------
    UnboundError
        If the data are long and `context` has no schema.

    Examples
    --------
    >>> wide_lines(["y0"], ScriptContext("d.csv", "wide"))
    ['d <- read.csv("d.csv", check.names = FALSE)', 'wide <- d']
    """
    schema = context.schema
    if context.layout == "wide":
        return [*_reading(context), "wide <- d", *_derived_wide(context)]
    if schema is None or not schema.numbers:
        raise UnboundError(
            "A script that brings long data into wide form needs to know them.",
            missing=("person", "time", "outcome", "occasions"),
            hint="Give the data, or person, time and time values.",
        )
    return [
        *_reading(context),
        *_logical(schema),
        *_person_means(context),
        *_rounding(context),
        *_derived_long(context),
        *_reshaping(variables, schema),
    ]


def _reading(context: ScriptContext) -> list[str]:
    if context.data is None:
        return [
            "path <- commandArgs(trailingOnly = TRUE)[1]",
            'if (is.na(path)) stop("Give the path of the data (CSV): Rscript script.R data.csv")',
            "d <- read.csv(path, check.names = FALSE)",
        ]
    return [f"d <- read.csv({r_string(context.data)}, check.names = FALSE)"]


def _person_means(context: ScriptContext) -> list[str]:
    schema = context.schema
    if not context.person_means or schema is None:
        return []
    person, outcome = _column(schema.person), _column(schema.outcome)
    lines = []
    for made, source in context.person_means:
        values = f"ifelse(is.na({outcome}), NA, {_column(source)})"
        mean = "function(v) mean(v, na.rm = TRUE)"
        lines.append(f"{_column(made)} <- ave({values}, {person}, FUN = {mean})")
    return lines


def _rounding(context: ScriptContext) -> list[str]:
    """Each time as the nearest shared occasion."""
    schema = context.schema
    if not context.bins or schema is None:
        return []
    time = _column(schema.time or "")
    bins = ", ".join(number_text(value) for value in context.bins)
    return [
        "# individual times, rounded to shared occasions: an approximation",
        f"bins <- c({bins})",
        f"{time} <- bins[findInterval({time}, (bins[-1] + bins[-length(bins)]) / 2) + 1]",
    ]


def _logical(schema: Schema) -> list[str]:
    """True and False as Python writes them are text to R's read.csv."""
    return [
        f"{_column(variable.name)} <- as.logical({_column(variable.name)})"
        for variable in schema.variables
        if variable.levels and all(isinstance(level, bool) for level in variable.levels)
    ]


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
            shared = schema.shared_times
            if shared and schema.time is not None and is_syntactic(schema.time):
                time = number_text(schema.occasions[k])
                at = ", ".join(part for part in (at, f"{schema.time} = {time}") if part)
            frame = f"modifyList(as.list(wide), list({at}))"
            code = column_code(derived.column, schema, frame)
            lines.append(f"wide[[{r_string(target)}]] <- {code}")
    return lines


def _reshaping(variables: Iterable[str], schema: Schema) -> list[str]:
    """One row a person, whatever order the rows are in and whichever are missing."""
    person = r_string(schema.person)
    lines = [
        "",
        f"d <- d[!is.na(d[[{person}]]), ]",
        f"wide <- data.frame(.person = unique(d[[{person}]]))",
        *_numbered(schema),
        f"at_time <- function(column, time{', outcome' if schema.series else ''}) {{",
        f"  rows <- which({_same_time(schema)}{_same_outcome(schema)})",
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
        for j, (column, time) in enumerate(zip(columns, schema.numbers, strict=False)):
            if column in placed:
                continue
            where = level_text(time)
            if schema.series:
                where += f", {_outcome(schema.series[j])}"
            lines.append(f"wide[[{r_string(column)}]] <- at_time({r_string(stem)}, {where})")
            placed.add(column)
    for name in dict.fromkeys(variables):
        if name not in placed:
            lines.append(f"wide[[{r_string(name)}]] <- of_person({r_string(name)})")
    return lines


def _numbered(schema: Schema) -> list[str]:
    """A column with the number of each visit, where times vary individually."""
    if schema.shared_times:
        return []
    time, outcome = _column(schema.time or ""), _column(schema.outcome)
    # What stood at the visit before is known whether or not the outcome is.
    known = "" if schema.lagged else f"!is.na({outcome}) & "
    return [
        "# visits are numbered by person, in order of time",
        f"d <- d[{known}!is.na({time}), ]",
        f"d <- d[order({time}), ]",
        f"d$.visit <- ave(seq_len(nrow(d)), d[[{r_string(schema.person)}]], FUN = seq_along)",
    ]


def _same_time(schema: Schema) -> str:
    if not schema.shared_times:
        return "d$.visit == time"
    column = _column(schema.time or "")
    return f"abs({column} - time) <= 1e-9 * max(1, abs(time))"


def _same_outcome(schema: Schema) -> str:
    return f" & {_column(schema.indicator or '')} == outcome" if schema.series else ""


def _outcome(outcome: str | float) -> str:
    return r_string(outcome) if isinstance(outcome, str) else number_text(float(outcome))
