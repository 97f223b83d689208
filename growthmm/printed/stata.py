"""What Stata's ``mixed`` prints."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from growthmm.printed.figures import NUMBER, after, figure, refuse, whole
from growthmm.printed.r_tables import covariance_row
from growthmm.printed.results import PrintedFigure, PrintedResults, PrintedRow

__all__ = ["read_output"]

_HEAD = re.compile(r"^\s*Mixed-effects (ML|REML) regression", re.M)
_CELLS = rf"(?P<cells>\s+{NUMBER}(?:\s+(?:{NUMBER}|\.))*)"
_ROW = re.compile(rf"(?P<name>[^|]*)\|{_CELLS}\s*")
_PARAMETER = re.compile(r"(var|sd|cov|corr|rho|theta|phi\d*|ratio)(?:\((.*)\))?\d*")


def read_output(text: str) -> PrintedResults:
    """Read the log of one ``mixed`` command, with ``estat ic`` below it or not.

    Parameters
    ----------
    text : str
        The log.

    Returns
    -------
    PrintedResults
        Coefficients, random-effects parameters (variances, or standard deviations with
        ``stddeviations``) and the log-likelihood.

    Raises
    ------
    NotationError
        If the text is none, or has no table of coefficients.

    Examples
    --------
    >>> found = read_output('''Mixed-effects ML regression    Number of obs    =  1,200
    ... Group variable: student          Number of groups =    200
    ... Log likelihood = -123.11710
    ... ------------------------------------------------
    ...          gpa | Coefficient  Std. err.      z
    ... -------------+----------------------------------
    ...     occasion |   .1063143   .0058700    18.11
    ...        _cons |   2.599214   .0183111   141.95
    ... ------------------------------------------------
    ... ''')
    >>> [row.name for row in found.rows], found.n_rows, found.log_likelihood.decimals
    (['occasion', '_cons'], 1200, 5)
    """
    head = _HEAD.search(text)
    if head is None:
        raise refuse(
            "This is no log of mixed.",
            text,
            0,
            "It has the title 'Mixed-effects ML regression' or 'Mixed-effects REML regression'.",
        )
    body = text[head.start() :]
    rows = [*_fixed(body), *_Random().rows(body)]
    if not rows:
        raise refuse("The log has no table of coefficients.", text, head.start(), "Give all of it.")
    criteria = re.search(
        rf"^\s*\S+\s+\|\s+[\d,]+\s+(?:{NUMBER}|\.)\s+{NUMBER}\s+(\d+)\s+({NUMBER})\s+({NUMBER})\s*$",
        body,
        re.M,
    )
    groups = [
        int(n.replace(",", ""))
        for n in re.findall(
            r"(?:Number of groups\s*=|^\s*\w+ \|)\s+([\d,]{1,15})(?=\s|$)", body, re.M
        )
    ]
    several = "No. of" in body or "Grouping information" in body
    found = after(body, r"^\s*Log (?:restricted-)?likelihood")
    return PrintedResults(
        program="Stata mixed",
        notation="stata",
        family="mixed",
        rows=tuple(rows),
        log_likelihood=found,
        aic=figure(criteria[2]) if criteria else None,
        bic=figure(criteria[3]) if criteria else None,
        n_parameters=int(criteria[1]) if criteria and len(criteria[1]) < 9 else None,
        n_subjects=(max(groups) if several else groups[0]) if groups else None,
        n_rows=whole(body, r"Number of obs"),
        estimator=head[1],
        robust=re.search(r"Robust\s*\n?", body) is not None,
        terminated_normally="convergence not achieved" not in text,
    )


def _fixed(body: str) -> Iterator[PrintedRow]:
    """The coefficients; factor variables are named as Stata does, ``1.sex#c.t``."""
    start = re.search(r"^[^|\n]*\|\s+Coef(?:\.|ficient)[^\n]*\n", body, re.M)
    if start is None:
        return
    heading, dashes = "", 0
    for line in body[start.end() :].split("\n"):
        if re.match(r"\s*-{5,}", line):
            dashes += 1
            if dashes > 1:
                return
            continue
        match = _ROW.fullmatch(line)
        label = line.partition("|")[0].strip()
        if match is None:
            heading = heading + label if heading.endswith("#") else label
            continue
        name = _name(heading, label)
        if heading.endswith("#"):
            heading = ""
        cells = match["cells"].split()
        estimate = figure(cells[0])
        if estimate is None:
            continue
        error = figure(cells[1]) if len(cells) > 1 else None
        row = PrintedRow(name, estimate.value, None, estimate.decimals, printed=name, kind="fixed")
        yield _with_error(replace(row, effects=(name,)), error)


def _name(heading: str, label: str) -> str:
    if not heading:
        return label
    if heading.endswith("#"):
        return heading + label
    if label == "_cons":
        return label
    levels = [piece.strip() for piece in re.split(r"#|\s{2,}", label)]
    named = []
    for variable in heading.split("#"):
        plain = variable.strip()
        named.append(plain if plain.startswith("c.") or not levels else f"{levels.pop(0)}.{plain}")
    return "#".join(named)


def _with_error(row: PrintedRow, error: PrintedFigure | None) -> PrintedRow:
    if error is None:
        return row
    return replace(row, std_error=error.value, error_decimals=error.decimals)


@dataclass
class _Random:
    """Reads the table of random-effects parameters: headings say level and structure."""

    block: str = ""
    stratum: str = ""
    pending: list[str] = field(default_factory=list)

    def rows(self, body: str) -> Iterator[PrintedRow]:
        """The rows of the table."""
        start = re.search(r"^\s*Random-effects [Pp]arameters[^\n]*\n", body, re.M)
        if start is None:
            return
        for line in body[start.end() :].split("\n"):
            if not line.strip() or line.lstrip().startswith(("LR test", "Note:")):
                return
            if re.match(r"\s*-{5,}", line):
                continue
            match = _ROW.fullmatch(line)
            label = line.partition("|")[0].strip()
            if match is None:
                self._heading(label)
                continue
            cells = match["cells"].split()
            estimate = figure(cells[0])
            if estimate is None:
                continue
            row = self._parameter(label, estimate)
            error = figure(cells[1]) if len(cells) > 1 else None
            if row is not None:
                yield _with_error(row, error)

    def _heading(self, label: str) -> None:
        level = re.match(r"([\w.]+): [A-Z]", label)
        if level is not None:
            self.block, self.stratum = level[1], ""
        elif label.endswith(":") and self.block == "Residual":
            self.stratum = label[:-1].strip()

    def _parameter(self, label: str, found: PrintedFigure) -> PrintedRow | None:
        inline = re.match(r"(\S+): (.*)", label)
        if inline is not None and self.block == "Residual":
            self.stratum, label = inline[1], inline[2]
        match = _PARAMETER.fullmatch(label)
        if match is None:
            return None
        word, inside = match[1], match[2] or ""
        residual = self.block == "Residual" or inside == "Residual"
        effects = tuple(piece.strip() for piece in inside.split(",") if piece.strip())
        kind = {"var": "variance", "sd": "sd", "cov": "covariance", "corr": "correlation"}.get(word)
        printed = " ".join(f"{self.block} {self.stratum} {label}".split())
        if not residual:
            if kind is None:
                return None
            return covariance_row(kind, effects[::-1], self.block, found, printed)
        strata: tuple[str, ...] = (self.stratum,) if self.stratum else ()
        within = re.findall(r"(?<=e)\d+", inside)
        if within:
            strata = tuple(f"#{n}" if not self.stratum else n for n in dict.fromkeys(within))
        known = "residual " + (kind or "correlation")
        return covariance_row(known, strata, "", found, printed)
