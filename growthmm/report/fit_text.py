"""A fit as text."""

from __future__ import annotations

from growthmm.inference.result import FitResult
from growthmm.report.text_table import figure, p_text, table

__all__ = ["fit_summary"]


def fit_summary(result: FitResult) -> str:
    """Header, estimates, derived parameters, and what to know about the fit."""
    lines = [
        f"{result.label or 'model'}",
        f"{result.estimator.upper()} by {result.engine}"
        + (f" {result.fit.version}" if result.fit.version else "")
        + f"; {result.n_subjects} persons, {result.n_rows} rows",
        f"log-likelihood {result.log_likelihood:.3f}, {result.n_parameters} parameters, "
        f"AIC {result.aic:.3f}, BIC {result.bic:.3f} (rows), {result.bic_subjects:.3f} (persons)",
        "",
    ]
    frame = result.estimates
    rows = [
        [
            str(row["name"]),
            str(row["kind"]),
            figure(float(row["estimate"]), 4),
            figure(float(row["std_error"]), 4),
            figure(float(row["statistic"]), 2),
            p_text(float(row["p_value"])),
            figure(float(row["ci_low"]), 4),
            figure(float(row["ci_high"]), 4),
        ]
        for row in frame.to_dict("records")
    ]
    headers = ["parameter", "kind", "estimate", "SE", "z", "p", "2.5%", "97.5%"]
    lines.append(table(headers, rows, left=2))
    derived = result.derived
    if len(derived):
        lines += ["", "Standard deviations and correlations"]
        lines.append(
            table(
                ["", "estimate", "SE"],
                [
                    [
                        str(r["name"]),
                        figure(float(r["estimate"]), 4),
                        figure(float(r["std_error"]), 4),
                    ]
                    for r in derived.to_dict("records")
                ],
            )
        )
    lines += ["", _ending(result)]
    lines += [f"Assumed: {note}" for note in result.assumptions]
    lines += [f"Warning: {text}" for text in result.fit.warnings]
    return "\n".join(lines)


def _ending(result: FitResult) -> str:
    convergence = result.convergence
    ended = "Converged" if convergence.converged else "Did not converge"
    text = f"{ended}: {convergence.message}" if convergence.message else f"{ended}."
    if result.boundary.description:
        text += f"\nBoundary: {result.boundary.description}"
    return text
