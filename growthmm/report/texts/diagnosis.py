"""A diagnosis as text."""

from __future__ import annotations

from growthmm.inference.diagnostics.diagnosis import Diagnosis
from growthmm.report.text_table import paragraph, table

__all__ = ["diagnosis_summary"]

VERDICTS = {
    "ok": "Nothing is wrong with this fit.",
    "note": "The fit is sound; some things are worth knowing.",
    "warning": "The fit is a maximum; some of it is poorly determined.",
    "problem": "These estimates are not the maximum of the likelihood.",
}


def diagnosis_summary(found: Diagnosis) -> str:
    """The verdict, a row a check, and what to do."""
    lines = [
        paragraph(found.model),
        paragraph(
            f"{found.estimator.upper()} by {found.engine}, "
            f"log-likelihood {found.log_likelihood:.3f}"
        ),
        "",
        VERDICTS[found.status],
        "",
        table(
            ["check", "status", "found"],
            [[f.check.replace("_", " "), f.status, f.message] for f in found.findings],
            left=2,
            note=True,
        ),
    ]
    todo = [f for f in found.findings if f.remedy and f.status != "ok"]
    if todo:
        lines += ["", "What to do"]
        lines += [paragraph(f"{f.check.replace('_', ' ')}: {f.remedy}", indent="  ") for f in todo]
    return "\n".join(lines)
