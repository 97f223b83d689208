"""An explanation as HTML, for notebooks."""

from __future__ import annotations

from html import escape

from growthmm.equivalence.explaining.result import Explanation, Step

__all__ = ["explanation_html"]


def explanation_html(found: Explanation) -> str:
    """The verdict and a table of the steps."""
    head = f"<p><strong>{escape(found.verdict)}</strong>: {escape(found.reason)}</p>"
    titles = ("", "cause", "what differs", "log-likelihood before", "after", "what to write")
    heads = "".join(f"<th>{title}</th>" for title in titles)
    rows = "\n".join(_row(number, step) for number, step in enumerate(found.steps, 1))
    return f"{head}\n<table><thead><tr>{heads}</tr></thead><tbody>\n{rows}\n</tbody></table>"


def _row(number: int, step: Step) -> str:
    likelihoods = [
        "" if value is None else f"{value:.4f}"
        for value in (step.log_likelihood_before, step.log_likelihood_after)
    ]
    lines = "; ".join(f"{notation}: {text}" for notation, text in step.remedies)
    cells = [str(number), step.cause, step.description, *likelihoods, lines]
    return "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>"
