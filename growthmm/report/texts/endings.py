"""Searches of one likelihood as text."""

from __future__ import annotations

from growthmm.inference.optimisers.ending import Endings
from growthmm.report.text_table import figure, paragraph, table

__all__ = ["endings_summary"]


def endings_summary(found: Endings) -> str:
    """The verdict and a row a search."""
    head = (
        "Confirmed: other searches end at the same maximum, none above it."
        if found.confirmed
        else "Not confirmed by another search."
    )
    rows = [
        [
            row.name,
            figure(row.log_likelihood, 6),
            _short(row.shortfall),
            _short(row.max_difference_in_se),
            _short(row.to_gain),
            "" if row.time_ratio is None else f"{row.time_ratio:.1f}",
            row.verdict + (f": {row.reason}" if row.reason else ""),
        ]
        for row in found.rows
    ]
    headers = ["search", "logLik", "below", "max diff/SE", "to gain", "time", "verdict"]
    return "\n".join([paragraph(found.model), head, "", table(headers, rows, note=True)])


def _short(value: float | None) -> str:
    return "" if value is None else f"{value:.1e}"
