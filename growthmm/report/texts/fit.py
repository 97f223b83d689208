"""A fit as text."""

from __future__ import annotations

from math import isnan
from textwrap import shorten

from growthmm.engines.prepare import WideData
from growthmm.engines.wide.problem import WideGroup
from growthmm.inference.result import FitResult
from growthmm.report.text_columns import page_width
from growthmm.report.text_table import figure, p_text, paragraph, table

__all__ = ["fit_summary"]


def fit_summary(result: FitResult) -> str:
    """Header, estimates, derived parameters, and what to know about the fit."""
    lines = [
        shorten(result.label or "model", page_width(), placeholder=" ..."),
        paragraph(
            f"{result.estimator.upper()} by {result.engine}"
            + (f" {result.fit.version}" if result.fit.version else "")
            + f"; {result.n_subjects} persons, {result.n_rows} rows; {_errors(result)}"
        ),
        paragraph(
            f"log-likelihood {result.log_likelihood:.3f}, {result.n_parameters} parameters, "
            f"AIC {result.aic:.3f}, BIC {result.bic:.3f} (rows), "
            f"{result.bic_subjects:.3f} (persons)"
        ),
        "",
    ]
    frame = result.estimates
    tested = result.degrees is not None
    rows = [
        [
            str(row["name"]),
            str(row["kind"]),
            figure(float(row["estimate"]), 4),
            figure(float(row["std_error"]), 4),
            figure(float(row["statistic"]), 2),
            *([figure(float(row["df"]), 1)] if tested else []),
            p_text(float(row["p_value"])),
            figure(float(row["ci_low"]), 4),
            figure(float(row["ci_high"]), 4),
        ]
        for row in frame.to_dict("records")
    ]
    test = ["t", "df"] if tested else ["z"]
    headers = ["parameter", "kind", "estimate", "SE", *test, "p", "2.5%", "97.5%"]
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
    lines += _fit_measures(result)
    lines += ["", _ending(result)]
    lines += [paragraph(f"Assumed: {note}") for note in result.assumptions]
    lines += [paragraph(f"Warning: {text}") for text in result.fit.warnings]
    return "\n".join(lines)


def _errors(result: FitResult) -> str:
    if result.robust is not None:
        return f"robust standard errors ({result.robust})"
    if result.penalty is not None:
        return f"penalty {result.penalty} on the random effects' covariances"
    if result.df is not None:
        return f"degrees of freedom by {result.df}"
    return f"standard errors from {result.fit.information} information"


def _fit_measures(result: FitResult) -> list[str]:
    """Fit against the unrestricted model, where a structural equation model has one."""
    if not isinstance(result.data, WideData) or result.estimator != "ml":
        return []
    found = result.fit_measures
    if isnan(found["chi_square"]):
        by_person = any(p.definition is not None for p in result.data.problem.model.paths)
        why = (
            "loadings differ from person to person, so that no saturated model is common to all"
            if by_person
            else _no_unrestricted(result)
        )
        return ["", paragraph(f"No chi-square: {why}.")]
    return [
        "",
        paragraph(
            f"Chi-square {found['chi_square']:.3f}, df {found['df']:.0f}, "
            f"p {p_text(found['p_value'])}; RMSEA {found['rmsea']:.3f} "
            f"[{found['rmsea_ci_low']:.3f}, {found['rmsea_ci_high']:.3f}], "
            f"SRMR {found['srmr']:.3f}"
        ),
        paragraph(
            f"CFI {found['cfi']:.3f}, TLI {found['tli']:.3f} (against uncorrelated outcomes); "
            f"{found['growth_cfi']:.3f}, {found['growth_tli']:.3f} (against no growth)"
        ),
    ]


def _no_unrestricted(result: FitResult) -> str:
    """Why there is no unrestricted model; few persons leave its covariance matrix singular."""
    assert isinstance(result.data, WideData)
    for group in result.data.problem.groups:
        if isinstance(group, WideGroup):
            n, size = group.outcomes.shape
            if n <= size:
                return (
                    f"with {n} persons and {size} outcomes the unrestricted covariance matrix is "
                    "singular; the likelihood of the growth curve is fine"
                )
    return "there is no unrestricted model to compare with"


def _ending(result: FitResult) -> str:
    convergence = result.convergence
    ended = "Converged" if convergence.converged else "Did not converge"
    message = convergence.message.removeprefix("converged: ")
    text = paragraph(f"{ended}: {message}" if message else f"{ended}.")
    if result.boundary.description:
        text += "\n" + paragraph(f"Boundary: {result.boundary.description}")
        other = result.other_bounds
        if other is not None:
            space = (
                "Without bounds" if other.fit.bounds == "none" else "Kept positive semi-definite"
            )
            detail = f"; {other.boundary.description}" if other.boundary.description else ""
            text += "\n" + paragraph(f"{space}: log-likelihood {other.log_likelihood:.6f}{detail}")
    return text
