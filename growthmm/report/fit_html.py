"""A fit as HTML, for notebooks."""

from __future__ import annotations

from html import escape
from textwrap import shorten

from growthmm.inference.result import FitResult
from growthmm.report.text_columns import WIDTH

__all__ = ["fit_html"]


def fit_html(result: FitResult) -> str:
    """A heading, one line on the fit, and the table of estimates."""
    line = (
        f"{result.estimator.upper()} by {result.engine}: log-likelihood "
        f"{result.log_likelihood:.3f}, {result.n_parameters} parameters, "
        f"{result.n_subjects} persons, {result.n_rows} rows"
    )
    table = result.estimates.to_html(index=False, na_rep="", float_format="{:.4g}".format)
    boundary = result.boundary.description
    label = shorten(result.label or "model", WIDTH, placeholder=" ...")
    parts = [f"<p><strong>{escape(label)}</strong><br>{escape(line)}</p>", table]
    if boundary:
        parts.append(f"<p>Boundary: {escape(boundary)}</p>")
    return "\n".join(parts)
