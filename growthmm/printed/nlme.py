"""What ``summary()`` prints of nlme's ``lme`` and ``gls``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from growthmm.printed.figures import after, figure, refuse, whole
from growthmm.printed.r_tables import Line, coefficients, covariance_row, criteria, lines_of
from growthmm.printed.results import PrintedResults, PrintedRow

__all__ = ["read_output"]

_METHOD = re.compile(
    r"^(Linear mixed-effects model|Generalized least squares) fit by (REML|maximum\s+likelihood)",
    re.M,
)


def read_output(text: str) -> PrintedResults:
    """Read a summary of ``lme()`` or ``gls()``.

    Parameters
    ----------
    text : str
        The summary.

    Returns
    -------
    PrintedResults
        Fixed effects, standard deviations and correlations of the random effects, ratios of
        standard deviations between strata, parameters of the residual correlation.

    Raises
    ------
    NotationError
        If the text is none, or has no coefficients.

    Examples
    --------
    >>> found = read_output('''Linear mixed-effects model fit by maximum likelihood
    ...  Data: d
    ... Random effects:
    ...  Formula: ~occasion | student
    ...             StdDev     Corr
    ... (Intercept) 0.21179410 (Intr)
    ... occasion    0.06685397 -0.096
    ... Residual    0.20588262
    ... Fixed effects:  gpa ~ occasion
    ...                 Value   Std.Error  DF   t-value p-value
    ... occasion    0.1063143 0.005874994 999  18.09607       0
    ... Number of Observations: 1200
    ... Number of Groups: 200
    ... ''')
    >>> [row.name for row in found.rows][1:3]
    ['sd((Intercept)|student)', 'sd(occasion|student)']
    """
    method = _METHOD.search(text)
    if method is None:
        raise refuse(
            "This is no summary of lme() or gls().",
            text,
            0,
            "It begins with 'Linear mixed-effects model fit by' or 'Generalized least squares'.",
        )
    lines = lines_of(text)
    heading = re.compile(r"(?:Fixed effects|Coefficients):")
    start = next((k for k, line in enumerate(lines) if heading.match(line.text)), -1)
    rows = coefficients(lines, start + 1) if start >= 0 else []
    if not rows:
        raise refuse(
            "The summary has no table of coefficients.",
            text,
            method.start(),
            "Give all that summary() printed.",
        )
    residual = after(text, "^Residual standard error")
    made = [*rows, *_random(lines, start)]
    if residual is not None:
        made.append(covariance_row("residual sd", (), "", residual, "Residual standard error"))
    ratios = list(_ratios(lines, start))
    if ratios:
        # The residual's standard deviation is that of the reference stratum, which comes first.
        first = ratios[0].effects
        made = [replace(r, effects=first) if r.kind == "residual sd" else r for r in made]
    made += [*ratios, *_correlations(lines, start)]
    known = criteria(lines)
    return PrintedResults(
        program="nlme",
        notation="nlme",
        family="mixed",
        rows=tuple(made),
        log_likelihood=known.get("log_likelihood"),
        aic=known.get("aic"),
        bic=known.get("bic"),
        n_subjects=_groups(text),
        n_rows=whole(text, "Number of Observations") or whole(text, "^Degrees of freedom"),
        estimator="REML" if method[2] == "REML" else "ML",
    )


def _groups(text: str) -> int | None:
    alone = whole(text, "Number of Groups")
    if alone is not None:
        return alone
    several = re.search(r"Number of Groups:\s*\n[^\n]*\n([\d ]+)", text)
    counts = [int(n) for n in several[1].split() if len(n) < 16] if several else []
    return max(counts) if counts else None


def _random(lines: list[Line], stop: int) -> Iterator[PrintedRow]:
    """Standard deviations and correlations, level by level."""
    block = ""
    names: list[str] = []
    table = False
    for line in lines[: max(stop, 0)]:
        shown = line.text
        formula = re.match(r"\s+Formula:.*\|\s*(.*\S)\s*$", shown)
        if re.match(r"(?:Correlation Structure|Variance function)", shown):
            return
        if formula is not None:
            block = re.sub(r"\s*%in%.*", "", formula[1])
            names, table = [], False
        elif re.match(r"\s*StdDev\b(?!:)", shown):
            names, table = [], True
        elif shown.startswith("StdDev:"):
            for name, cell in zip(names, shown.split()[1:], strict=False):
                yield from _deviation(name, block, cell)
            names = []
        elif table:
            row = _row(shown)
            if row is None:
                table = False
                continue
            name, cells = row
            yield from _deviation(name, block, cells[0])
            for other, cell in zip(names, cells[1:], strict=False):
                found = figure(cell)
                if found is not None:
                    printed = f"Corr({other}, {name})"
                    yield covariance_row("correlation", (other, name), block, found, printed)
            names.append(name)
        elif shown.strip() and block and not shown.lstrip().startswith(("Structure", "Formula")):
            names = shown.split()


def _row(shown: str) -> tuple[str, list[str]] | None:
    match = re.fullmatch(r"(\S.*?)\s+([-+.\deE]+)((?:\s+\S+)*)\s*", shown)
    if match is None or figure(match[2]) is None:
        return None
    return match[1], [match[2], *match[3].split()]


def _deviation(name: str, block: str, cell: str) -> Iterator[PrintedRow]:
    found = figure(cell)
    if found is None:
        return
    if name == "Residual":
        yield covariance_row("residual sd", (), "", found, "Residual StdDev")
    else:
        yield covariance_row("sd", (name,), block, found, f"{name} StdDev")


def _ratios(lines: list[Line], stop: int) -> Iterator[PrintedRow]:
    """The strata's standard deviations over that of the first (varIdent)."""
    start = next((k for k, ln in enumerate(lines) if ln.text.startswith("Variance function:")), -1)
    if start < 0 or "per stratum" not in lines[min(start + 1, len(lines) - 1)].text:
        return
    names: list[str] | None = None
    for line in lines[start + 3 : stop if stop > start else len(lines)]:
        shown = line.text
        if not shown.strip() or shown.startswith(("Fixed effects", "Coefficients", "Correlation")):
            return
        if "Parameter estimates" in shown:
            continue
        if names is None:
            names = shown.split()
            continue
        for name, cell in zip(names, shown.split(), strict=False):
            found = figure(cell)
            if found is not None:
                label = f"ratio {name}"
                yield covariance_row("residual ratio", (name,), "", found, label)
        names = None


def _correlations(lines: list[Line], stop: int) -> Iterator[PrintedRow]:
    """Parameters of the residual correlation: Phi, Rho, or a lower triangle."""
    heading = re.compile(r"Correlation Structure:\s*(.*\S)")
    start = next((k for k, line in enumerate(lines) if heading.match(line.text)), -1)
    if start < 0:
        return
    body = lines[start + 1 : stop if stop > start else len(lines)]
    for k, line in enumerate(body[:-1]):
        shown = line.text.strip()
        if shown in ("Phi", "Rho"):
            found = figure(body[k + 1].text)
            if found is not None:
                yield covariance_row("residual correlation", (), "", found, shown)
            return
        if shown == "Correlation:":
            yield from _triangle(body[k + 2 :])
            return


def _triangle(body: list[Line]) -> Iterator[PrintedRow]:
    for line in body:
        cells = line.text.split()
        if not cells or not cells[0].isdigit():
            return
        for j, cell in enumerate(cells[1:], 1):
            found = figure(cell)
            if found is not None:
                effects = (f"#{j}", f"#{cells[0]}")
                printed = f"Correlation {j}, {cells[0]}"
                yield covariance_row("residual correlation", effects, "", found, printed)
