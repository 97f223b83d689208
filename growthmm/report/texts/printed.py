"""A comparison with printed results as text."""

from __future__ import annotations

from growthmm.equivalence.printed.result import AgainstPrinted, ComparedFigure
from growthmm.report.text_table import paragraph, table

__all__ = ["printed_summary"]

_TITLES = {
    "log_likelihood": "log-likelihood",
    "deviance": "-2 log-likelihood",
    "aic": "AIC",
    "bic": "BIC",
    "unrestricted_log_likelihood": "unrestricted log-likelihood",
    "chi_square": "chi-square",
    "rmsea": "RMSEA",
    "cfi": "CFI",
    "tli": "TLI",
    "srmr": "SRMR",
    "n_parameters": "parameters",
    "n_subjects": "persons",
    "n_rows": "rows",
    "df": "df of chi-square",
}


def printed_summary(result: AgainstPrinted) -> str:
    """Verdict, causes, the table of printed numbers beside ours, and what was allowed."""
    agree = sum(row.agrees for row in result.rows)
    said = {
        "agrees": "agrees: every printed number is reproduced",
        "explained": "explained: some printed numbers differ, and the causes below reproduce all",
        "differs": "differs: some printed numbers are not reproduced",
    }[result.verdict]
    lines = [
        paragraph(f"Verdict: {said} ({agree} of {len(result.rows)} agree)"),
        paragraph(
            f"Printed by {result.printed.program}; growthmm's fit: {', '.join(result.settings)}"
        ),
    ]
    if not result.printed.terminated_normally:
        lines.append("The old program says that it did not end normally.")
    if result.causes:
        lines += ["", "Causes"]
    for cause in result.causes:
        left = "all agree then" if not cause.remaining else f"{cause.remaining} still differ"
        gained = f" Reproduces {len(cause.reproduced)}; {left}." if cause.reproduced else ""
        lines.append(paragraph(f"{cause.cause}: {cause.description}{gained}", indent="  "))
    body = [_cells(row) for row in result.rows]
    headers = ["printed as", "growthmm", "", "printed", "ours", "tolerance", "agrees"]
    lines += ["", table(headers, body, left=3), ""]
    lines.append(paragraph(f"Tolerance: {result.allowance}."))
    if result.not_printed:
        lines.append(paragraph(f"Not in the output: {', '.join(result.not_printed)}."))
    lines += [paragraph(f"Assumed: {note}") for note in result.assumptions]
    return "\n".join(lines).rstrip()


def _cells(row: ComparedFigure) -> list[str]:
    what = {"estimate": "", "std_error": "SE", "figure": "", "count": ""}[row.what]
    shown = _TITLES.get(row.printed_name, row.printed_name)
    if row.group:
        shown += f" (group {row.group + 1})"
    name = "" if row.name == row.printed_name or row.name in _TITLES else row.name
    ours = "-" if row.ours is None else f"{row.ours:.8g}"
    tolerance = f"{row.tolerance:.1e}" if row.tolerance else "0"
    agrees = "yes" if row.agrees else "NO"
    return [shown, name, what, f"{row.printed:.10g}", ours, tolerance, agrees]
