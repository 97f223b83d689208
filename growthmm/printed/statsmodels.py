"""What ``summary()`` prints of a statsmodels MixedLM fit."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from growthmm.printed.figures import NUMBER, after, figure, refuse, whole
from growthmm.printed.r_tables import covariance_row
from growthmm.printed.results import PrintedFigure, PrintedResults, PrintedRow

__all__ = ["read_output"]

_ROW = re.compile(rf"(\S.*?)\s+({NUMBER})(?:\s+({NUMBER}))?((?:\s+{NUMBER})*)\s*")


def read_output(text: str) -> PrintedResults:
    """Read a summary of ``mixedlm().fit()``.

    Parameters
    ----------
    text : str
        The summary.

    Returns
    -------
    PrintedResults
        Fixed effects, (co)variances, and the residual variance, which it calls the scale.

    Raises
    ------
    NotationError
        If the text is none, or has no table of coefficients.
    """
    title = re.search("Mixed Linear Model Regression Results", text)
    table = re.search(r"^\s+Coef\.\s+Std\.Err\.[^\n]*\n-+\n", text, re.M)
    if title is None or table is None:
        raise refuse(
            "This is no summary of a MixedLM fit.",
            text,
            0 if title is None else title.start(),
            "It has the title 'Mixed Linear Model Regression Results' and a table of coefficients.",
        )
    rows = list(_rows(text[table.end() :]))
    scale = after(text, r"Scale:")
    if scale is not None:
        rows.append(covariance_row("residual variance", (), "", scale, "Scale"))
    method = re.search(r"Method:\s+(REML|ML)\b", text)
    converged = re.search(r"Converged:\s+(Yes|No)\b", text)
    return PrintedResults(
        program="statsmodels",
        notation="statsmodels",
        family="mixed",
        rows=tuple(rows),
        log_likelihood=after(text, r"(?:Log-)?Likelihood:"),
        n_subjects=whole(text, r"No\. Groups:"),
        n_rows=whole(text, r"No\. Observations:"),
        estimator=method[1] if method else None,
        terminated_normally=converged is None or converged[1] == "Yes",
    )


def _rows(body: str) -> Iterator[PrintedRow]:
    first = ""
    for line in body.split("\n"):
        if line.startswith(("=", "-")):
            return
        match = _ROW.fullmatch(line)
        estimate = figure(match[2]) if match else None
        if match is None or estimate is None:
            continue
        error = figure(match[3]) if match[3] else None
        name, word = match[1], match[1].rpartition(" ")[2]
        if match[4].strip() or word not in ("Var", "Cov"):
            row = PrintedRow(
                name, estimate.value, None, estimate.decimals, printed=name, kind="fixed"
            )
            yield _with_error(replace(row, effects=(name,)), error)
            continue
        effects = tuple(name.removesuffix(f" {word}").split(" x "))
        # The random intercept goes by the name of the grouping column, or Group.
        first = first or effects[0]
        effects = tuple("Intercept" if effect == first else effect for effect in effects)
        kind = "variance" if word == "Var" else "covariance"
        yield _with_error(covariance_row(kind, effects, "", estimate, name), error)


def _with_error(row: PrintedRow, error: PrintedFigure | None) -> PrintedRow:
    if error is None:
        return row
    return replace(row, std_error=error.value, error_decimals=error.decimals)
