"""An explanation as text."""

from __future__ import annotations

from growthmm.equivalence.explaining.result import Explanation, Step
from growthmm.report.text_columns import page_width
from growthmm.report.text_table import figure, paragraph, table

__all__ = ["explanation_summary"]

MOST_CHANGES = 12

PRINTED = (
    ("log_likelihood", "log-likelihood"),
    ("n_parameters", "parameters"),
    ("aic", "AIC"),
    ("bic", "BIC"),
    ("n_persons", "persons"),
    ("n_rows", "rows"),
)


def explanation_summary(found: Explanation) -> str:
    """Verdict, both ends, the steps in order, and what would make the two the same."""
    df = "" if found.nested_df is None else f", {found.nested_df} df"
    lines = [
        paragraph(f"Verdict: {found.verdict}{df} ({found.reason})"),
        "",
        paragraph(f"a: {found.labels[0]}", indent="   "),
        paragraph(f"b: {found.labels[1]}", indent="   "),
    ]
    if found.first is not None and found.last is not None:
        rows = [
            [title, figure(getattr(found.first, name)), figure(getattr(found.last, name))]
            for name, title in PRINTED
        ]
        lines += ["", table(["as its program prints it", "a", "b"], rows)]
    for number, step in enumerate(found.steps, 1):
        lines += ["", *_step(number, step)]
    if found.interactions:
        lines.append("")
    lines += [
        paragraph(
            f"{i.first} and {i.second} interact: {i.second} alone moves the log-likelihood by "
            f"{i.alone:.4f}, after {i.first} by {i.after:.4f}."
        )
        for i in found.interactions
    ]
    if found.left_out:
        lines.append("")
    lines += [paragraph(note, indent="  ") for note in found.left_out]
    lines += ["", paragraph(_last(found))]
    for against in found.printed:
        lines += ["", against.summary()]
    if found.assumptions:
        lines.append("")
    lines += [paragraph(f"Assumed: {note}") for note in found.assumptions]
    return "\n".join(lines).rstrip()


def _step(number: int, step: Step) -> list[str]:
    lines = [paragraph(f"{number}. {step.cause}: {step.description}")]
    lines.append(paragraph(f"By default: {step.by_default}", indent="   "))
    if step.before is not None and step.after is not None and step.effect != "printing":
        said = (
            f"log-likelihood {step.before.log_likelihood:.6f} to "
            f"{step.after.log_likelihood:.6f}; parameters {step.before.n_parameters} to "
            f"{step.after.n_parameters}"
        )
        lines.append(paragraph(said, indent="   "))
    if step.cause == "bic" and step.before is not None and step.after is not None:
        said = (
            f"BIC {step.before.bic:.3f} to {step.after.bic:.3f} ({step.before.n_rows} rows, "
            f"{step.before.n_persons} persons)"
        )
        lines.append(paragraph(said, indent="   "))
    changes = step.changes
    if changes:
        rows = [
            [c.name, *(figure(v, 5) for v in (c.before, c.after, c.error_before, c.error_after))]
            for c in changes[:MOST_CHANGES]
        ]
        headers = ["parameter", "before", "after", "SE before", "SE after"]
        shown = table(headers, rows, width=page_width() - 3)
        lines += ["   " + line for line in shown.splitlines()]
        if len(changes) > MOST_CHANGES:
            lines.append(f"   and {len(changes) - MOST_CHANGES} more")
    lines += [paragraph(f"In {notation}: {text}", indent="   ") for notation, text in step.remedies]
    return lines


def _last(found: Explanation) -> str:
    if not found.steps:
        return "In one line: identical; nothing differs."
    if not found.smallest:
        return f"In one line: {found.verdict}; nothing but printing differs."
    changes = ", ".join(dict.fromkeys(found.smallest))
    count = len(found.smallest)
    return (
        f"In one line: {found.verdict}; the same numbers after {count} "
        f"change{'s' if count > 1 else ''}: {changes}."
    )
