"""A verification as text."""

from __future__ import annotations

from growthmm.equivalence.fits import EngineReport
from growthmm.equivalence.result import Equivalence
from growthmm.report.text_table import figure, paragraph, table
from growthmm.report.texts.evidence import engines_table, levels_table, not_asked

__all__ = ["equivalence_summary"]


def equivalence_summary(result: Equivalence) -> str:
    """Verdict first, then evidence, engines, parameters and what was assumed."""
    lines = [
        f"Verdict: {result.verdict}",
        paragraph(result.reason, indent="  "),
        f"Model verdict (without data): {result.model_verdict}",
        *(
            paragraph(f"{'if ' * (result.model_verdict == 'identical_if')}{text}", indent="  ")
            for text in result.conditions
        ),
        "",
        "The other side, written out:",
        *("  " + line for line in result.text.splitlines()),
        "",
        "Evidence",
        levels_table(result.levels),
        "",
        "Engines",
        engines_table(result.reports, _found),
        *_not_asked(result),
        "",
        "Parameters",
        _parameters(result),
    ]
    if result.optima:
        lines.append("")
    for optimum in result.optima:
        values = ", ".join(f"{k} {v:.6f}" for k, v in optimum.log_likelihood.items())
        space = "positive semi-definite" if optimum.bounds == "psd" else "unbounded"
        lines.append(paragraph(f"Optimum, {space}: {values}; {optimum.description}"))
    lines += ["", *(paragraph(f"Assumed: {note}") for note in result.assumptions)]
    return "\n".join(lines).rstrip()


def _not_asked(result: Equivalence) -> list[str]:
    names = not_asked(result.reports)
    return [paragraph(f"Not asked for (--engines NAME): {', '.join(names)}")] if names else []


def _found(report: EngineReport) -> str:
    """How near a witness came, and how its standard errors compare."""
    said = []
    if report.distance:
        said.append(f"{report.distance:.0e} SE from ours")
    if report.se_difference is not None and report.fit is not None:
        said.append(
            f"its SEs within {report.se_difference:.0e} of ours from {report.fit.information} "
            "information"
        )
    return "; ".join(said)


def _parameters(result: Equivalence) -> str:
    rows = result.to_dict()["parameters"]
    engines = list(rows[0]["estimate"]) if rows else []
    body = [
        [
            row["mixed_name"],
            row["sem_name"],
            *(figure(row["estimate"][engine], 4) for engine in engines),
            figure(row["std_error"].get("long"), 4),
            "" if row["max_difference_in_se"] is None else f"{row['max_difference_in_se']:.0e}",
        ]
        for row in rows
    ]
    return table(["mixed", "SEM", *engines, "SE", "max diff / SE"], body, left=2)
