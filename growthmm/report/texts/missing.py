"""A look at missing data, as text."""

from __future__ import annotations

from growthmm.inference.missingness.result import TITLES, MissingData
from growthmm.report.text_columns import GAP, display_width, page_width
from growthmm.report.text_table import figure, paragraph, table

__all__ = ["missing_summary"]

MOST = 12
"""Patterns that are listed."""


def missing_summary(found: MissingData) -> str:
    """Patterns, who is dropped, dropout, both sides, estimates.

    Parameters
    ----------
    found : MissingData
        What was found.
    """
    lines = [paragraph(found.model), "", *_patterns(found), "", *_rules(found), ""]
    lines += ["Does dropout go with the outcome before?"]
    lines += [paragraph(one.message, indent="  ") for one in found.dropout]
    lines += [
        "",
        "Both sides use what is there in the same way",
        paragraph(_both(found), indent="  "),
    ]
    lines += ["", *_estimates(found)]
    told = [
        f"{TITLES[a.method]}: {a.reason or a.note}" for a in found.analyses if a.reason or a.note
    ]
    told += found.notes
    lines += ["", *(paragraph(text, indent="  ") for text in told)] if told else []
    return "\n".join(lines)


def _patterns(found: MissingData) -> list[str]:
    patterns = found.patterns
    columns = [name for name in patterns.columns if name not in ("n_observed", "count")]
    rows = [
        [*("x" if row[name] else "." for name in columns), str(row["count"])]
        for row in patterns.head(MOST).to_dict("records")
    ]
    shares = found.occasions["share_missing"]
    rows.append([*(f"{100 * share:.0f}%" for share in shares), "missing"])
    headers, legend = _numbered(columns)
    more = len(patterns) - MOST
    several = "s" if len(patterns) > 1 else ""
    head = f"{len(patterns)} pattern{several} of observed outcomes (x observed, . missing)"
    if more > 0:
        head += f", the {MOST} most frequent"
    return [paragraph(head), table([*headers, "persons"], rows, left=0), *legend]


def _numbered(columns: list[str]) -> tuple[list[str], list[str]]:
    """Names of outcomes as they are, or numbers that a legend explains where they are too wide."""
    if sum(display_width(name) + GAP for name in columns) + len("persons") <= page_width():
        return columns, []
    numbers = [str(k) for k in range(1, len(columns) + 1)]
    said = ", ".join(f"{k} is {name}" for k, name in zip(numbers, columns, strict=True))
    return numbers, [paragraph(f"Outcomes: {said}.")]


def _rules(found: MissingData) -> list[str]:
    rows = [
        [
            rule.title,
            str(rule.n_subjects),
            str(rule.n_rows),
            str(rule.dropped_subjects),
            str(rule.dropped_rows),
            ", ".join(rule.programs),
        ]
        for rule in found.rules
    ]
    headers = ["keeps", "persons", "outcomes", "persons lost", "outcomes lost", "programs"]
    return ["Who is dropped by whom", table(headers, rows, note=True)]


def _both(found: MissingData) -> str:
    both = found.both
    if both.verdict == "unavailable":
        return f"There is one form: {both.reason}."
    return (
        f"The mixed model on all rows has log-likelihood {both.log_likelihood_long:.6f}, the "
        f"growth curve by full information {both.log_likelihood_wide:.6f}; estimates differ by "
        f"{both.max_difference_in_se:.1e} standard errors at most ({both.verdict}). Both are right "
        "where what is missing depends on observed values (missing at random)."
    )


def _estimates(found: MissingData) -> list[str]:
    rows, last = [], None
    frame = found.estimates
    order = {name: k for k, name in enumerate(dict.fromkeys(frame["name"]))}
    for row in sorted(frame.to_dict("records"), key=lambda r: order[r["name"]]):
        name = str(row["name"])
        base = row["method"] == "maximum_likelihood"
        rows.append(
            [
                "" if name == last else name,
                TITLES[str(row["method"])],
                figure(row["estimate"], 4),
                figure(row["std_error"], 4),
                "" if base else figure(row["difference_in_se"], 2),
                "" if base else figure(row["relative_std_error"], 2),
            ]
        )
        last = name
    headers = ["parameter", "by", "estimate", "SE", "away, in SE", "SE ratio"]
    return ["Estimates by each way (SE by observed information)", table(headers, rows, left=2)]
