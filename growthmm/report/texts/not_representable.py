"""The verdict ``not_representable`` on a structural equation model, as text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from growthmm.equivalence.not_representable import NotRepresentable
from growthmm.model.defaults import Loss
from growthmm.report.text_table import figure, paragraph, table
from growthmm.report.texts.evidence import engines_table, levels_table

__all__ = ["curved_lines", "nearest_lines", "not_representable_summary"]


def not_representable_summary(result: NotRepresentable) -> str:
    """Verdict first, then what no mixed model says, the nearest model, evidence and our fit."""
    fit = result.sem_fit
    lines = [
        f"Verdict: {result.verdict}",
        paragraph(result.reason, indent="  "),
        "",
        "What no linear mixed model says",
        *(paragraph(f"- {text}", indent="  ") for text in _together(result.losses)),
        "",
        *curved_lines(result),
        *nearest_lines(result),
        "Evidence on the fit of the model itself",
        levels_table(result.levels),
        "",
        "Engines",
        engines_table(result.reports),
        "",
        f"Parameters ({fit.n_parameters}; {fit.n_subjects} persons, {fit.n_rows} outcomes)",
        _parameters(result),
        "",
        *(paragraph(f"Assumed: {note}") for note in result.assumptions),
    ]
    return "\n".join(lines).rstrip()


def _together(losses: Sequence[Loss]) -> list[str]:
    """Losses in words, those of one reason in one sentence."""
    made: dict[tuple[str, str], list[Loss]] = {}
    for loss in losses:
        made.setdefault((loss.why, loss.nearest), []).append(loss)
    return [
        str(replace(own[0], what=", ".join(loss.what for loss in own))) for own in made.values()
    ]


def curved_lines(result: NotRepresentable) -> list[str]:
    """The mixed form that is linear given its loadings."""
    if result.curved is None:
        return []
    text = result.curved.text
    shown = ["  " + line for line in text.splitlines()]
    said = "fitted by the engine long"
    if text:
        said = "a row a person, time and item, fitted by the engine long; as a call of nlme"
    return ["The same model, linear given its loadings", paragraph(said, indent="  "), *shown, ""]


def nearest_lines(result: NotRepresentable) -> list[str]:
    """The nearest model with a mixed form, and how far it is."""
    if result.nearest is None:
        return ["No near model with a mixed form was found.", ""]
    near = result.nearest.to_dict(result.sem_fit)
    own = near["log_likelihood"]
    said = (
        f"{near['what']}; log-likelihood {own['long']:.6f} (long), {own['wide']:.6f} (wide) with "
        f"{near['n_parameters']} parameters, against {result.sem_fit.log_likelihood:.6f} with "
        f"{result.sem_fit.n_parameters}; the two forms of it: {near['verdict']}"
    )
    if near["df"] is not None:
        nested = (
            "nested in this one" if near["relation"] == "smaller" else "with this one nested in it"
        )
        said += f"; {nested}, chi-square {near['chi_square']:.3f} on {near['df']} df"
    return [
        "Nearest model with a mixed form",
        paragraph(said, indent="  "),
        *("  " + line for line in near["text"].splitlines()),
        "",
    ]


def _parameters(result: NotRepresentable) -> str:
    rows = result.to_dict()["parameters"]
    engines = list(rows[0]["estimate"]) if rows else []
    body = [
        [
            row["sem_name"],
            *(figure(row["estimate"][engine], 4) for engine in engines),
            figure(next(iter(row["std_error"].values()), None), 4),
        ]
        for row in rows
    ]
    return table(["SEM", *engines, "SE"], body)
