"""A model comparison as text."""

from __future__ import annotations

from growthmm.inference.comparison import Comparison, ComparisonRow
from growthmm.report.text_table import figure, p_text, paragraph, table

__all__ = ["comparison_summary"]


def comparison_summary(comparison: Comparison) -> str:
    """The table, with what was refused and why below it."""
    flagged = any(not row.comparable for row in comparison.rows)
    names = [_parted(row) for row in comparison.rows]
    how = "maximum likelihood" if comparison.estimator == "ml" else "REML, as fitted"
    if comparison.refitted:
        how += " (refitted)"
    lines = [f"Compared by {how}", ""]
    if any(text for _, text in names):
        lines += [paragraph(f"{letter}  {text}") for letter, text in names] + [""]
    headers = ["model", "npar", "AIC", "BIC rows", "BIC persons", "logLik"]
    # Beside the ML values there is no room for twice the log-likelihood.
    headers += ["Chisq", "Df", "p", "dAIC"] if flagged else ["deviance", "Chisq", "Df", "p", "dAIC"]
    weighed = all(row.weight is not None for row in comparison.rows)
    if weighed:
        headers.append("weight")
    if flagged:
        headers += ["comparable", "ML AIC", "ML logLik"]
    body = [
        _cells(name, row, flagged) for (name, _), row in zip(names, comparison.rows, strict=True)
    ]
    lines.append(table(headers, body))
    reasons = dict.fromkeys(row.reason for row in comparison.rows if row.reason)
    lines += ["", *(paragraph(f"Note: {reason}.") for reason in reasons)] if reasons else []
    edges = [
        _edge(f"Model {name}" if text else name, row)
        for (name, text), row in zip(names, comparison.rows, strict=True)
        if row.boundary_distribution
    ]
    lines += ["", *(paragraph(text) for text in edges)] if edges else []
    return "\n".join(lines)


def _parted(row: ComparisonRow) -> tuple[str, str]:
    """The letter, and what it stands for; the name alone where no letter is needed."""
    if row.name in ("", row.model):
        return row.model, ""
    letter, _, text = row.name.partition(": ")
    return letter, text


def _edge(name: str, row: ComparisonRow) -> str:
    """What is said where a variance under test lies on its boundary."""
    if row.boundary_p_value is None:
        return (
            f"{name}: a variance of zero lies on the boundary, so that p is too large; no other "
            f"is given ({row.boundary_distribution})."
        )
    return (
        f"{name}: a variance of zero lies on the boundary, so that p is too large; under "
        f"{row.boundary_distribution} p = {row.boundary_p_value:.3g}."
    )


def _cells(name: str, row: ComparisonRow, flagged: bool) -> list[str]:
    cells = [
        name,
        str(row.n_parameters),
        f"{row.aic:.3f}",
        f"{row.bic:.3f}",
        f"{row.bic_subjects:.3f}",
        f"{row.log_likelihood:.3f}",
        *([] if flagged else [f"{row.deviance:.3f}"]),
        figure(row.chi_square),
        figure(row.df),
        p_text(row.p_value),
        f"{row.delta_aic:.3f}",
    ]
    if row.weight is not None:
        cells.append(f"{row.weight:.3f}")
    if flagged:
        cells += [
            "yes" if row.comparable else "NO",
            figure(row.ml_aic),
            figure(row.ml_log_likelihood),
        ]
    return cells
