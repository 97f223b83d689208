"""The table of a result in LaTeX, Markdown and HTML."""

from __future__ import annotations

import re
from functools import singledispatch
from html import escape
from math import isnan
from typing import Any

from growthmm.equivalence.not_representable import NotRepresentable
from growthmm.equivalence.result import Equivalence
from growthmm.inference.alternatives.meaning import MEANINGS
from growthmm.inference.alternatives.result import Alternatives
from growthmm.inference.comparison import Comparison
from growthmm.inference.missingness.result import TITLES, MissingData
from growthmm.inference.result import FitResult
from growthmm.report.proof_text import tex_text
from growthmm.report.text_table import figure, p_text

__all__ = ["html_table", "latex_table", "markdown_table"]

Table = tuple[list[str], list[list[str]]]

_MARKUP = re.compile(r"<(?=[A-Za-z/!?])|&(?=#?\w+;)")
"""What Markdown takes for the start of a tag or for an entity."""


@singledispatch
def cells(result: Any) -> Table:
    """Headers and rows of a result's table, as text."""
    raise TypeError(f"a {type(result).__name__} has no table")


@cells.register
def _(result: FitResult) -> Table:
    headers = ["parameter", "kind", "estimate", "SE", "statistic", "df", "p", "2.5%", "97.5%"]
    rows = [
        [
            str(row["name"]),
            str(row["kind"]),
            *(figure(float(row[name]), 4) for name in ("estimate", "std_error", "statistic")),
            "" if isnan(float(row["df"])) else figure(float(row["df"]), 1),
            p_text(float(row["p_value"])),
            *(figure(float(row[name]), 4) for name in ("ci_low", "ci_high")),
        ]
        for row in result.estimates.to_dict("records")
    ]
    return headers, rows


@cells.register
def _(result: Comparison) -> Table:
    headers = ["model", "npar", "AIC", "BIC rows", "BIC persons"]
    headers += ["logLik", "Chisq", "Df", "p", "dAIC"]
    rows = [
        [
            row.name or row.model,
            str(row.n_parameters),
            *(figure(value) for value in (row.aic, row.bic, row.bic_subjects)),
            *(figure(value) for value in (row.log_likelihood, row.chi_square)),
            figure(row.df),
            p_text(row.p_value),
            figure(row.delta_aic),
        ]
        for row in result.rows
    ]
    return headers, rows


@cells.register
def _(result: Alternatives) -> Table:
    rows = [
        [
            str(row["name"]),
            MEANINGS[str(row["method"])].title,
            *(figure(float(row[name]), 4) for name in ("estimate", "std_error")),
            p_text(float(row["p_value"])),
            *(figure(float(row[name]), 4) for name in ("ci_low", "ci_high")),
        ]
        for row in result.table.to_dict("records")
    ]
    return ["effect", "by", "estimate", "SE", "p", "2.5%", "97.5%"], rows


@cells.register
def _(result: MissingData) -> Table:
    columns = ("estimate", "std_error", "difference_in_se", "relative_std_error")
    rows = [
        [
            str(row["name"]),
            TITLES[str(row["method"])],
            *(figure(float(row[name]), 4) for name in columns),
        ]
        for row in result.estimates.to_dict("records")
    ]
    return ["parameter", "by", "estimate", "SE", "away, in SE", "SE ratio"], rows


@cells.register
def _(result: Equivalence) -> Table:
    found = result.to_dict()["parameters"]
    engines = list(found[0]["estimate"]) if found else []
    rows = [
        [
            row["mixed_name"],
            row["sem_name"],
            *(figure(row["estimate"][engine], 4) for engine in engines),
            figure(row["std_error"].get("long"), 4),
            "" if row["max_difference_in_se"] is None else f"{row['max_difference_in_se']:.0e}",
        ]
        for row in found
    ]
    return ["mixed", "SEM", *engines, "SE", "max diff / SE"], rows


@cells.register
def _(result: NotRepresentable) -> Table:
    found = result.to_dict()["parameters"]
    engines = list(found[0]["estimate"]) if found else []
    rows = [
        [
            row["sem_name"],
            *(figure(row["estimate"][engine], 4) for engine in engines),
            figure(next(iter(row["std_error"].values()), None), 4),
        ]
        for row in found
    ]
    return ["SEM", *engines, "SE"], rows


def latex_table(result: Any) -> str:
    """A ``tabular`` in the style of booktabs; special letters are escaped."""
    headers, rows = cells(result)
    left = _flush(rows)
    lines = [
        rf"\begin{{tabular}}{{{''.join('l' if flush else 'r' for flush in left)}}}",
        r"\toprule",
        " & ".join(map(tex_text, headers)) + r" \\",
        r"\midrule",
        *(" & ".join(map(tex_text, row)) + r" \\" for row in rows),
        r"\bottomrule",
        r"\end{tabular}",
    ]
    return "\n".join(lines)


def markdown_table(result: Any) -> str:
    """A table in Markdown; pipes, asterisks and tags in names are escaped."""
    headers, rows = cells(result)
    rule = ["---" if flush else "---:" for flush in _flush(rows)]
    lines = [map(_markdown, headers), rule, *(map(_markdown, row) for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def html_table(result: Any) -> str:
    """A ``<table>``; everything is escaped."""
    headers, rows = cells(result)

    def line(tag: str, row: list[str]) -> str:
        shown = (escape(cell).replace("&lt; .", "&lt;&nbsp;.") for cell in row)
        return "<tr>" + "".join(f"<{tag}>{cell}</{tag}>" for cell in shown) + "</tr>"

    body = "\n".join(line("td", row) for row in rows)
    return f"<table>\n<thead>{line('th', headers)}</thead>\n<tbody>\n{body}\n</tbody>\n</table>"


def _flush(rows: list[list[str]]) -> list[bool]:
    """Which columns are text."""
    return [any(_is_text(cell) for cell in column) for column in zip(*rows, strict=True)]


def _is_text(cell: str) -> bool:
    try:
        float(cell.removeprefix("< ") or 0)
    except ValueError:
        return True
    return False


def _markdown(cell: str) -> str:
    """The cell with signs escaped where they mean something: ``< .001`` stays as it is."""
    marked = _MARKUP.sub(lambda found: escape(found[0]), cell)
    return "".join(f"\\{c}" if c in r"\`*_|[]~" else c for c in marked).replace("\n", " ")
