"""What SPSS MIXED prints, exported as text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from growthmm.printed.figures import NUMBER, after, figure, refuse, whole
from growthmm.printed.r_tables import covariance_row
from growthmm.printed.results import PrintedFigure, PrintedResults, PrintedRow

__all__ = ["read_output"]

_KINDS = (
    r"UN \(\d+,\d+\)|UNR \(\d+,\d+\)|Var\s?\(\d+\)|Var: \[[^\]]*\]|Variance|AR1 diagonal|AR1 rho"
    r"|ARH1 rho|CS diagonal offset|CS covariance|CSR diagonal|CSR rho|CSH rho|TP rho \d+"
)
_CELL = rf"(?:<\s?{NUMBER}|{NUMBER}[a-z]?|\.[a-z]?)"
_LINE = re.compile(rf"(?P<label>.*?)(?P<kind>{_KINDS})?(?P<cells>(?:\s+{_CELL})+)\s*")


def read_output(text: str) -> PrintedResults:
    """Read a listing of SPSS MIXED, its tables framed by bars or not.

    Parameters
    ----------
    text : str
        The listing.

    Returns
    -------
    PrintedResults
        Fixed effects, covariance parameters and information criteria.

    Raises
    ------
    NotationError
        If the text has neither table.

    Examples
    --------
    >>> found = read_output('''Estimates of Covariance Parameters(a)
    ... |Parameter                              |        |Estimate|Std. Error|
    ... |Residual                               |        |.042388 |.002119   |
    ... |Intercept + occasion [subject=student] |UN (1,1)|.044856 |.006797   |
    ... |                                       |UN (2,1)|-.001364|.001636   |
    ... ''')
    >>> [row.name for row in found.rows][1:]
    ['var(Intercept|student)', 'cov(Intercept,occasion|student)']
    """
    text = re.sub(r"[|\N{BOX DRAWINGS LIGHT VERTICAL}\N{BROKEN BAR}]", "  ", text)
    text = re.sub(r"[-=\N{BOX DRAWINGS LIGHT HORIZONTAL}]{3,}", lambda m: " " * len(m[0]), text)
    fixed = _body(text, "Estimates of Fixed Effects")
    covariances = _body(text, "Estimates of Covariance Parameters")
    rows = [*_fixed(fixed), *_covariances(covariances)]
    if not rows:
        raise refuse(
            "The listing has neither fixed effects nor covariance parameters.",
            text,
            0,
            "Ask for them with /PRINT = SOLUTION TESTCOV, and give the whole listing.",
        )
    criteria = _flat(_body(text, "Information Criteria"))
    restricted = after(criteria, "-2 Restricted Log Likelihood")
    ordinary = after(criteria, "-2 Log Likelihood")
    estimator = None
    if restricted is not None or ordinary is not None:
        estimator = "REML" if restricted is not None else "ML"
    return PrintedResults(
        program="SPSS MIXED",
        notation="spss",
        family="mixed",
        rows=tuple(rows),
        deviance=restricted or ordinary,
        aic=after(criteria, r"Akaike's Information Criterion \(AIC\)"),
        bic=after(criteria, r"Schwarz's Bayesian Criterion \(BIC\)"),
        n_parameters=whole(_flat(_body(text, "Model Dimension")), r"Total\s+\d+"),
        estimator=estimator,
        terminated_normally="failed to converge" not in text.lower(),
    )


_TITLES = (
    *("Model Dimension", "Information Criteria", "Type III Tests", "Type I Tests"),
    *("Estimates of Fixed Effects", "Estimates of Covariance Parameters", "Fixed Effects"),
    *("Covariance Parameters", "Random Effect", "Residual Covariance", "Correlation Matrix"),
    *("Covariance Matrix", "Descriptive Statistics", "Case Processing"),
)


def _body(text: str, title: str) -> str:
    """What stands between a title and the next one."""
    start = re.search(rf"^\s*{title}(?:\s*\(?[a-z,]*\)?)?\s*$", text, re.M)
    if start is None:
        return ""
    others = "|".join(re.escape(name) for name in _TITLES)
    stop = re.compile(rf"^\s*(?:{others})\b[^\n\d.]*$", re.M).search(text, start.end())
    return text[start.end() : stop.start() if stop else len(text)]


def _flat(body: str) -> str:
    """A table without line breaks inside its labels."""
    return re.sub(r"[ ]{2,}", " ", re.sub(r"\s+", " ", body))


def _fixed(body: str) -> Iterator[PrintedRow]:
    started = False
    pending = ""
    for line in body.split("\n"):
        if re.search(r"\bEstimate\b", line):
            started = True
            continue
        parts = _numbers(line) if started else None
        if parts is None:
            named = re.match(r"\s*([\w\[(][^.]*[*=\w\])])\s*$", line)
            pending = named[1] if started and named and "Bound" not in line else ""
            continue
        label, cells = parts
        name = " ".join(f"{pending} {label}".split())
        pending = ""
        estimate = figure(cells[0])
        if estimate is None or not name or (estimate.value == 0 and len(cells) < 3):
            continue
        error = figure(cells[1]) if len(cells) > 1 else None
        row = PrintedRow(name, estimate.value, None, estimate.decimals, printed=name, kind="fixed")
        yield _with_error(replace(row, effects=(name,)), error)


def _numbers(line: str) -> tuple[str, list[str]] | None:
    match = re.fullmatch(rf"(.*?)((?:\s+{_CELL})+)\s*", line)
    return (match[1].strip(), match[2].split()) if match else None


def _with_error(row: PrintedRow, error: PrintedFigure | None) -> PrintedRow:
    if error is None:
        return row
    return replace(row, std_error=error.value, error_decimals=error.decimals)


@dataclass
class _Block:
    """Rows of one structure, and the pieces of its label, which may stand beside any of them."""

    label: str = ""
    rows: list[tuple[str, list[str]]] = field(default_factory=list)


def _covariances(body: str) -> Iterator[PrintedRow]:
    blocks: list[_Block] = []
    started = False
    for line in body.split("\n"):
        if re.search(r"\bEstimate\b", line):
            started = True
            continue
        if not started or re.match(r"\s*[a-z]\. ", line):
            continue
        match = _LINE.fullmatch(line)
        if match is None:
            if blocks and re.search(r"[\w\]]", line) and "Bound" not in line:
                blocks[-1].label += " " + line.strip()
            continue
        kind, label = match["kind"] or "", match["label"].strip()
        first = not kind or "1,1" in kind or kind in ("Variance", "AR1 diagonal", "CSR diagonal")
        first = first or re.search(r"^(?:Var\s?\(1\)|CS diagonal)", kind) is not None
        if first or not blocks:
            blocks.append(_Block())
        blocks[-1].label += f" {label}"
        blocks[-1].rows.append((kind, match["cells"].split()))
    for block in blocks:
        for kind, cells in block.rows:
            estimate = figure(re.sub(r"[a-z]$", "", cells[0]))
            if estimate is None:
                continue
            row = _parameter(" ".join(block.label.split()), kind, estimate)
            error = figure(cells[1]) if len(cells) > 1 else None
            yield _with_error(row, error)


def _parameter(label: str, kind: str, found: PrintedFigure) -> PrintedRow:
    """One covariance parameter; ``Intercept + t [subject = id]`` lists a block's effects."""
    printed = f"{label} {kind}".strip()
    subject = re.search(r"\[\s*subject\s*=\s*([^\]]+?)\s*\]", label, re.I)
    listed = re.sub(r"\[\s*subject[^\]]*\]", "", label, flags=re.I)
    if subject is None or label.startswith(("Repeated", "Residual")):
        return _residual(kind, found, printed)
    effects = [piece.strip() for piece in listed.split(" + ")]
    block = subject[1]
    entry = re.fullmatch(r"UNR? \((\d+),(\d+)\)", kind)
    if entry is not None:
        at = [int(entry[2]) - 1, int(entry[1]) - 1]
        names = [effects[k] if k < len(effects) else f"#{k + 1}" for k in at]
        if at[0] == at[1]:
            return covariance_row("variance", (names[0],), block, found, printed)
        which = "correlation" if kind.startswith("UNR") else "covariance"
        return covariance_row(which, (names[0], names[1]), block, found, printed)
    position = re.fullmatch(r"Var\s?\((\d+)\)", kind)
    at_one = int(position[1]) - 1 if position else 0
    name = effects[at_one] if at_one < len(effects) else f"#{at_one + 1}"
    return covariance_row("variance", (name,), block, found, printed)


def _residual(kind: str, found: PrintedFigure, printed: str) -> PrintedRow:
    level = re.fullmatch(r"Var: \[(?:[^=\]]*=)?\s*([^\]]*?)\s*\]", kind)
    position = re.fullmatch(r"Var\s?\((\d+)\)", kind)
    entry = re.fullmatch(r"(UNR?) \((\d+),(\d+)\)", kind)
    if kind.endswith("rho") or kind.startswith("TP"):
        return covariance_row("residual correlation", (), "", found, printed)
    if kind == "CS covariance":
        return covariance_row("residual covariance", (), "", found, printed)
    if kind == "CS diagonal offset":
        return covariance_row("residual covariance", ("offset",), "", found, printed)
    if level is not None:
        return covariance_row("residual variance", (level[1],), "", found, printed)
    if position is not None:
        return covariance_row("residual variance", (f"#{position[1]}",), "", found, printed)
    if entry is not None and entry[2] != entry[3]:
        which = "residual correlation" if entry[1] == "UNR" else "residual covariance"
        return covariance_row(which, (f"#{entry[3]}", f"#{entry[2]}"), "", found, printed)
    if entry is not None:
        return covariance_row("residual variance", (f"#{entry[2]}",), "", found, printed)
    return covariance_row("residual variance", (), "", found, printed)
