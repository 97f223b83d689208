"""What complete programs in R share: reading the data, and printing the fit."""

from __future__ import annotations

import re

from growthmm.model.expression_print import number_text, r_string
from growthmm.model.mixed import MixedModel
from growthmm.model.schema import Schema
from growthmm.model.strata import outcome_indicators
from growthmm.notation.base import ScriptContext
from growthmm.notation.lag_lines import r_lags

__all__ = ["PRINTERS", "data_lines", "is_syntactic", "uses_splines"]

_RESERVED = frozenset(
    {"if", "else", "repeat", "while", "function", "for", "next", "break", "in", "TRUE", "FALSE"}
    | {"NULL", "Inf", "NaN", "NA", "NA_integer_", "NA_real_", "NA_character_", "NA_complex_"}
)
_SYNTACTIC = re.compile(r"(?:[^\W\d_]|\.(?!\d|$))[\w.]*")

PRINTERS = """
show <- function(...) { cat(..., sep = "\\t", fill = FALSE); cat("\\n") }
number <- function(x) format(as.numeric(x), digits = 15)
quoted <- function(x) encodeString(x, quote = '"')
"""
"""Lines of R that print one tab-separated record."""


def is_syntactic(name: str) -> bool:
    """Whether R takes `name` as it is, without backticks.

    Examples
    --------
    >>> is_syntactic("t.1"), is_syntactic("my column"), is_syntactic(".2")
    (True, False, False)
    """
    return _SYNTACTIC.fullmatch(name) is not None and name not in _RESERVED


def uses_splines(model: MixedModel) -> bool:
    """Whether a formula needs R's package splines."""
    terms = [*model.fixed, *(t for block in model.random for t in block.terms)]
    return any(f.startswith(("bs(", "ns(")) for term in terms for f in term.factors)


def data_lines(context: ScriptContext) -> list[str]:
    """Lines that read the data file into ``data``, a row a person and occasion.

    Parameters
    ----------
    context : ScriptContext
        The file (asked for where it is None), its layout, and what is known of its columns.

    Returns
    -------
    list of str
        Reads the file, stacks wide columns, and makes factors with their levels in order.
    """
    path = (
        r_string(context.data)
        if context.data is not None
        else "if (interactive()) file.choose() else commandArgs(trailingOnly = TRUE)[1]"
    )
    wide = context.layout == "wide" and context.schema is not None
    name = "wide" if wide else "data"
    return [
        f"{name} <- read.csv({path}, check.names = FALSE, stringsAsFactors = FALSE)",
        *(_stacking_lines(context) if wide else _outcome_lines(context.schema)),
        *_indicator_lines(context.schema),
        *r_lags(context.schema),
        *_level_lines(context),
    ]


def _stacking_lines(context: ScriptContext) -> list[str]:
    schema = context.schema
    assert schema is not None
    person, time = r_string(schema.person), r_string(schema.time or "time")
    times = ", ".join(number_text(t) for t in schema.occasions)
    stacked = ((schema.outcome, schema.outcome_columns), *schema.varying_columns)
    lines = [
        f"times <- c({times})",
        f"if (is.null(wide[[{person}]])) wide[[{person}]] <- seq_len(nrow(wide))",
        "data <- do.call(rbind, lapply(seq_along(times), function(j) {",
        "  rows <- wide",
        f"  rows[[{time}]] <- times[j]",
    ]
    if schema.series:
        own = ", ".join(r_string(str(outcome)) for outcome in schema.series)
        lines.insert(1, f"outcomes <- c({own})")
        lines.append(f"  rows[[{r_string(schema.indicator or '')}]] <- outcomes[j]")
    for name, columns in stacked:
        names = ", ".join(r_string(c) for c in columns)
        lines.append(f"  rows[[{r_string(name)}]] <- wide[[c({names})[j]]]")
    return [
        *lines,
        "  rows",
        "}))",
        f"data <- data[order(data[[{person}]], data[[{time}]]), ]",
    ]


def _outcome_lines(schema: Schema | None) -> list[str]:
    """Stack several outcomes that have a column each, where the file is not stacked already."""
    if schema is None or not schema.series or not all(isinstance(o, str) for o in schema.outcomes):
        return []
    names = ", ".join(r_string(str(outcome)) for outcome in schema.outcomes)
    once = ", ".join(r_string(str(o)) for o in schema.outcomes if len(schema.cells_of(o)) == 1)
    # The values may go by the name of one of the outcomes.
    left = ", ".join(r_string(str(o)) for o in schema.outcomes if o != schema.outcome)
    person, time = r_string(schema.person), r_string(schema.time or "time")
    return [
        f"if (is.null(data[[{r_string(schema.indicator or '')}]])) {{",
        f"  data <- do.call(rbind, lapply(c({names}), function(outcome) {{",
        "    rows <- data",
        f"    if (outcome %in% c({once})) {{",
        f"      rows <- rows[!is.na(rows[[outcome]]) & !duplicated(rows[[{person}]]), ]",
        f"      rows[[{time}]] <- rep(min(data[[{time}]], na.rm = TRUE), nrow(rows))",
        "    }",
        f"    rows[[{r_string(schema.outcome)}]] <- rows[[outcome]]",
        f"    rows[[{r_string(schema.indicator or '')}]] <- rep(outcome, nrow(rows))",
        f"    rows[setdiff(names(rows), c({left}))]",
        "  }))",
        "}",
    ]


def _indicator_lines(schema: Schema | None) -> list[str]:
    """Columns that are one in the rows of one outcome and zero in the others'."""
    if schema is None or schema.indicator is None:
        return []
    lines = []
    for name, outcome in outcome_indicators(schema):
        column, kind = f"data[[{r_string(name)}]]", f"data[[{r_string(schema.indicator)}]]"
        lines.append(f"{column} <- as.numeric({kind} == {r_string(str(outcome))})")
    return lines


def _level_lines(context: ScriptContext) -> list[str]:
    lines = []
    for variable in context.schema.variables if context.schema is not None else ():
        if variable.levels is None or variable.levels == (False, True):
            continue
        levels = ", ".join(
            r_string(level) if isinstance(level, str) else repr(level) for level in variable.levels
        )
        column = f"data[[{r_string(variable.name)}]]"
        lines.append(f"{column} <- factor({column}, levels = c({levels}))")
    return lines
