"""What PROC MIXED prints in its listing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from growthmm.printed.figures import NUMBER, after, figure, refuse, whole
from growthmm.printed.r_tables import covariance_row
from growthmm.printed.results import PrintedFigure, PrintedResults, PrintedRow

__all__ = ["read_output"]

_HEADINGS = (
    *("Model Information", "Class Level Information", "Dimensions", "Number of Observations"),
    *("Iteration History", "Covariance Parameter Estimates", "Fit Statistics"),
    *("Null Model Likelihood Ratio Test", "Solution for Fixed Effects", "Solution for Random"),
    *("Type 1 Tests", "Type 2 Tests", "Type 3 Tests", "Estimated G", "Estimated R", "Estimated V"),
    *("Least Squares Means", "Estimates", "Contrasts", "Asymptotic", "Covariance Matrix for"),
    *("Correlation Matrix for", "Convergence criteria", "Information Criteria", "CovParms"),
)
_CELL = rf"(?:<\s?{NUMBER}|{NUMBER}|\.)"


def read_output(text: str) -> PrintedResults:
    """Read a listing of PROC MIXED.

    Parameters
    ----------
    text : str
        The listing.

    Returns
    -------
    PrintedResults
        Solution for fixed effects, covariance parameters and fit statistics.

    Raises
    ------
    NotationError
        If the text has neither table.

    Examples
    --------
    >>> found = read_output('''The Mixed Procedure
    ...      Covariance Parameter Estimates
    ...                                     Standard     Z
    ... Cov Parm   Subject   Estimate      Error   Value     Pr > Z
    ... UN(1,1)    student    0.04486   0.006797    6.60     <.0001
    ... UN(2,1)    student   -0.00136   0.001636   -0.83     0.4045
    ... ''')
    >>> [row.name for row in found.rows], found.rows[0].std_error
    (['var(#1|student)', 'cov(#1,#2|student)'], 0.006797)
    """
    sections = dict(_sections(text))
    rows = [*_fixed(sections.get("Solution for Fixed Effects", ""))]
    rows += _with_offset(list(_covariances(sections.get("Covariance Parameter Estimates", ""))))
    if not rows:
        raise refuse(
            "The listing has neither fixed effects nor covariance parameters.",
            text,
            0,
            "Ask for them with model ... / solution; and give the whole listing.",
        )
    statistics = sections.get("Fit Statistics", "")
    restricted = after(statistics, "-2 Res(?:idual)? Log Likelihood")
    ordinary = after(statistics, "-2 Log Likelihood")
    method = re.search(r"Estimation Method\s+(REML|ML)\b", text)
    told = method[1] if method else None
    if told is None and (restricted or ordinary):
        told = "REML" if restricted else "ML"
    smaller = r"\s*(?:\((?:S|s)maller is (?:B|b)etter\))?"
    observed = re.search(r"^\s*Asymptotic|Fixed Effects SE Method\s+(\S+)", text, re.M)
    return PrintedResults(
        program="SAS PROC MIXED",
        notation="sas",
        family="mixed",
        rows=tuple(rows),
        deviance=restricted or ordinary,
        aic=after(statistics, rf"^\s*AIC{smaller}"),
        bic=after(statistics, rf"^\s*BIC{smaller}"),
        n_subjects=whole(sections.get("Dimensions", ""), r"^\s*Subjects"),
        n_rows=whole(text, r"Number of Observations Used"),
        estimator=told,
        robust=observed is not None and observed[1] == "Empirical",
        terminated_normally="did not converge" not in text.lower(),
    )


def _sections(text: str) -> Iterator[tuple[str, str]]:
    """Headings and what stands below them; the first of a name counts."""
    marks: list[tuple[str, int, int]] = []
    for match in re.finditer(r"^[ ]*(\S[^\n]*?)[ ]*$", text, re.M):
        shown = " ".join(match[1].split())
        name = next((h for h in _HEADINGS if shown.startswith(h) and len(shown) < 60), None)
        if name is not None and not re.search(r"\d$", shown):
            marks.append((name, match.start(), match.end()))
    seen: set[str] = set()
    for k, (name, _, end) in enumerate(marks):
        if name not in seen:
            seen.add(name)
            yield name, text[end : marks[k + 1][1] if k + 1 < len(marks) else len(text)]


@dataclass(frozen=True, slots=True)
class _Table:
    """A table: which columns of numbers it has, and its lines."""

    words: tuple[str, ...]
    lines: tuple[str, ...]


def _table(body: str, first: str) -> _Table | None:
    lines = body.split("\n")
    for k, line in enumerate(lines):
        if re.match(rf"\s*{first}\b", line) and "Estimate" in line:
            words = tuple(re.findall(r"Estimate|Error|Value|DF|Pr\b|Alpha|Lower|Upper", line))
            return _Table(words, (line, *lines[k + 1 :]))
    return None


def _split(line: str, columns: int) -> tuple[list[str], list[str]] | None:
    """The words before the numbers and the numbers, taken from the right."""
    shown = re.sub(r"<\s+\.", "<.", line.rstrip())
    cells = shown.split()
    for count in range(min(columns, len(cells)), 0, -1):
        numbers = cells[len(cells) - count :]
        if all(re.fullmatch(_CELL, cell) for cell in numbers) and len(cells) > count:
            return cells[: len(cells) - count], numbers
    return None


def _error(words: tuple[str, ...], numbers: list[str]) -> PrintedFigure | None:
    at = words.index("Error") - words.index("Estimate") if "Error" in words else 0
    return figure(numbers[at]) if at and at < len(numbers) else None


def _fixed(body: str) -> Iterator[PrintedRow]:
    table = _table(body, "Effect")
    if table is None:
        return
    for line in table.lines[1:]:
        parts = _split(line, len(table.words))
        if parts is None:
            if line.strip():
                return
            continue
        words, numbers = parts
        estimate = figure(numbers[0])
        error = _error(table.words, numbers)
        if estimate is None or (len(numbers) > 1 and error is None and estimate.value == 0):
            continue
        name = " ".join(words)
        yield PrintedRow(
            name,
            estimate.value,
            None if error is None else error.value,
            estimate.decimals,
            printed=name,
            kind="fixed",
            effects=(name,),
            error_decimals=3 if error is None else error.decimals,
        )


def _covariances(body: str) -> Iterator[PrintedRow]:
    table = _table(body, "Cov Parm")
    if table is None:
        return
    seen: set[tuple[str, str]] = set()
    repeated = False
    subject_column = "Subject" in table.lines[0]
    for line in table.lines[1:]:
        parts = _split(line, len(table.words))
        if parts is None:
            if line.strip():
                return
            continue
        words, numbers = parts
        if figure(numbers[0]) is None:
            numbers = numbers[1:]
        estimate = figure(numbers[0]) if numbers else None
        if estimate is None:
            continue
        word, rest = words[0], words[1:]
        block = rest[0] if subject_column and rest else ""
        level = rest[-1] if len(rest) > 2 else ""
        # The parameters of REPEATED stand below those of RANDOM, and begin again.
        repeated = repeated or (word, block + level) in seen
        seen.add((word, block + level))
        row = _parameter(word, block, level, estimate, repeated)
        error = _error(table.words, numbers)
        printed = " ".join(words)
        if error is not None:
            row = replace(row, std_error=error.value, error_decimals=error.decimals)
        yield replace(row, printed=printed)


def _with_offset(rows: list[PrintedRow]) -> list[PrintedRow]:
    """With compound symmetry, the residual's row is the variance less the covariance."""
    if not any(row.printed.split()[0] == "CS" for row in rows):
        return rows
    return [
        replace(row, kind="residual covariance", effects=("offset",), name="cov(offset)")
        if row.kind == "residual variance"
        else row
        for row in rows
    ]


def _parameter(
    word: str, block: str, level: str, found: PrintedFigure, repeated: bool
) -> PrintedRow:
    entry = re.fullmatch(
        r"(?:UN|FA\d*|VAR|CORR?|ARH|TOEPH?|CSH?|Var|Corr)\((\d+)(?:,(\d+))?\)", word
    )
    strata = (level,) if level else ()
    if word == "Residual":
        return covariance_row("residual variance", strata, "", found)
    if word in ("AR(1)", "CS", "Rho", "ARH(1)", "CSH"):
        kind = "residual covariance" if word == "CS" else "residual correlation"
        return covariance_row(kind, strata, "", found)
    if word == "Variance":
        return covariance_row("residual variance", strata, "", found)
    if entry is not None and word.startswith("TOEP"):
        return covariance_row("residual covariance", (f"#{entry[1]}",), "", found)
    if entry is not None and word.startswith("Var("):
        return covariance_row("residual variance", (f"#{entry[1]}",), "", found)
    if entry is not None and entry[2] is not None:
        high, low = entry[1], entry[2]
        within = "" if repeated else block
        if high == low:
            kind = "residual variance" if repeated else "variance"
            return covariance_row(kind, (f"#{high}",), within, found)
        kind = "residual covariance" if repeated else "covariance"
        return covariance_row(kind, (f"#{low}", f"#{high}"), within, found)
    return covariance_row("variance", (word,), block, found)
