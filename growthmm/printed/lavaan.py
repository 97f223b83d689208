"""What ``summary()`` prints of a lavaan fit (the layout of lavaan 0.6)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from growthmm.errors import NotationError
from growthmm.printed.figures import NUMBER, after, figure, refuse, whole
from growthmm.printed.results import PrintedFigure, PrintedResults, PrintedRow, RowKind

__all__ = ["read_output"]

_HEAD = re.compile(r"^\s*lavaan\s+\(?(\d[\w.-]*)\)?\s+([^\n]*)", re.M)
_SECTIONS = {
    "Latent Variables": "=~",
    "Composites": None,
    "Regressions": "~",
    "Covariances": "~~",
    "Intercepts": "~1",
    "Variances": "~~",
    "Defined Parameters": ":=",
    "Thresholds": None,
    "Scales y*": None,
}
_TITLE = re.compile(r"^([A-Z][\w* ()-]*):\s*$")
_GROUP = re.compile(r"^Group (\d{1,4}) \[(.*)\]:\s*$")
_LEFT = re.compile(r"\s+\.?(\S+)\s+(=~|~~|~|<~|\|)\s*")
_ROW = re.compile(
    rf"\s+(\.?)(?P<name>\S+)(?:\s+\((?P<label>[^()]*)\))?\s+(?P<estimate>{NUMBER})(?P<rest>(?:\s+\S+)*)\s*"
)


def read_output(text: str) -> PrintedResults:
    """Read a summary of ``growth()``, ``sem()``, ``cfa()`` or ``lavaan()``.

    Parameters
    ----------
    text : str
        The summary, with or without fit measures, standardised columns and intervals.

    Returns
    -------
    PrintedResults
        The unstandardised estimates, group by group, and fit.

    Raises
    ------
    NotationError
        If the text is none, has no estimates, or has thresholds, composites or levels.

    Examples
    --------
    >>> found = read_output('''lavaan 0.6.14 ended normally after 51 iterations
    ...
    ...   Number of observations                           200
    ...
    ... Covariances:
    ...                    Estimate  Std.Err  z-value  P(>|z|)
    ...   i ~~
    ...     s                -0.001    0.002   -0.834    0.404
    ... ''')
    >>> found.rows[0].name, found.rows[0].std_error, found.n_subjects
    ('i~~s', 0.002, 200)
    """
    head = _HEAD.search(text)
    if head is None:
        raise refuse(
            "This is no summary of a lavaan fit.",
            text,
            0,
            "It begins with lavaan, its version, and how it ended.",
        )
    rows = list(_Rows(text).all())
    if not rows:
        raise refuse(
            "The summary has no estimates.", text, head.start(), "Give all that summary() printed."
        )
    if all(row.std_error is None for row in rows):
        rows = [replace(row, fixed=False) for row in rows]
    fit = text[: text.find("Parameter Estimates:")] if "Parameter Estimates:" in text else text
    used, given = _persons(text)
    patterns = "Number of missing patterns" in text
    free = whole(fit, "Number of (?:free|model) parameters")
    equal = whole(fit, r"Number of equality constraints") or 0
    return PrintedResults(
        program=f"lavaan {head[1]}",
        notation="lavaan",
        family="sem",
        rows=tuple(rows),
        log_likelihood=after(fit, r"Loglikelihood user model \(H0\)"),
        unrestricted_log_likelihood=after(fit, r"Loglikelihood unrestricted model \(H1\)"),
        aic=after(fit, r"Akaike \(AIC\)"),
        bic=after(fit, r"^\s*Bayesian \(BIC\)"),
        chi_square=_test(fit),
        rmsea=after(fit, r"^\s*RMSEA"),
        cfi=after(fit, r"^\s*Comparative Fit Index \(CFI\)"),
        tli=after(fit, r"^\s*Tucker-Lewis Index \(TLI\)"),
        srmr=after(fit, r"^\s*SRMR"),
        n_parameters=None if free is None else free - equal,
        n_subjects=used,
        df=_degrees(fit),
        estimator=next(iter(re.findall(r"^\s+Estimator\s+(\w+)", fit, re.M)), None),
        information=_information(text),
        robust=re.search(r"Standard errors\s+(?:Robust|Sandwich)", text, re.I) is not None,
        listwise=not patterns,
        n_given=given,
        terminated_normally="ended normally" in head[2],
    )


def _persons(text: str) -> tuple[int | None, int | None]:
    """Persons used, and persons in the data where the summary says both."""
    alone = re.search(
        r"^\s*Number of observations[ \t]+(\d{1,12})(?:[ \t]+(\d{1,12}))?\s*$", text, re.M
    )
    if alone is not None:
        return int(alone[1]), int(alone[2]) if alone[2] else None
    groups = re.search(
        r"Number of observations per group:[^\n]*\n((?:\s+\S.*\s\d+[ \t]*\n)+)", text
    )
    if groups is None:
        return None, None
    found = re.findall(r"\s(\d{1,12})(?:[ \t]+(\d{1,12}))?[ \t]*$", groups[1], re.M)
    given = [int(total) for _, total in found if total]
    return sum(int(n) for n, _ in found), sum(given) if given else None


def _test(fit: str) -> PrintedFigure | None:
    match = re.search(rf"Model Test User Model:[\s\S]*?Test [Ss]tatistic\s+({NUMBER})", fit)
    return figure(match[1]) if match else None


def _degrees(fit: str) -> int | None:
    match = re.search(r"Model Test User Model:[\s\S]*?Degrees of freedom\s+(\d{1,9})", fit)
    return int(match[1]) if match else None


def _information(text: str) -> Literal["expected", "observed"] | None:
    match = re.search(r"^\s+Information(?: bread)?\s+(Expected|Observed)", text, re.M)
    if match is None:
        return None
    return "expected" if match[1] == "Expected" else "observed"


@dataclass
class _Rows:
    """Reads the tables line by line: titles and left sides say what the names below them are."""

    text: str
    op: str = ""
    left: str = ""
    group: int = 0

    def all(self) -> Iterator[PrintedRow]:
        """The rows of all tables."""
        position = 0
        for line in self.text.split("\n"):
            row = self._line(line, position)
            position += len(line) + 1
            if row is not None:
                yield row

    def _line(self, line: str, position: int) -> PrintedRow | None:
        group = _GROUP.match(line)
        title = _TITLE.match(line)
        if group is not None:
            self.group, self.op = int(group[1]) - 1, ""
        elif line.startswith("Level "):
            raise self._refused("Levels", position)
        elif title is not None:
            self.left = ""
            self.op = _SECTIONS.get(title[1], "") or ""
            if title[1] in _SECTIONS and _SECTIONS[title[1]] is None:
                raise self._refused(title[1], position)
        elif self.op:
            left = _LEFT.fullmatch(line)
            if left is not None:
                self.left = left[1]
                return None
            return self._row(line)
        return None

    def _refused(self, what: str, position: int) -> NotationError:
        return refuse(
            f"{what} are not supported.",
            self.text,
            position,
            "growthmm reads results of linear Gaussian models of one level.",
        )

    def _row(self, line: str) -> PrintedRow | None:
        match = _ROW.fullmatch(line)
        if match is None:
            return None
        estimate = figure(match["estimate"])
        # A line of numbers alone is a continuation: columns that did not fit.
        if estimate is None or figure(match["name"]) is not None:
            return None
        cells = match["rest"].split()
        error = figure(cells[0]) if cells else None
        # A fixed row has no standard error: what follows far to the right are intervals.
        gap = len(match["rest"]) - len(match["rest"].lstrip())
        fixed = error is None or gap > 12
        name = match["name"]
        kind: RowKind = "defined" if self.op == ":=" else "path"
        if self.op == ":=":
            shown = name
        elif self.op == "~1":
            shown = f"{name}~1"
        else:
            shown = f"{self.left}{self.op}{name}" if self.left else f"{name}~~{name}"
        return PrintedRow(
            shown,
            estimate.value,
            None if fixed or error is None else error.value,
            estimate.decimals,
            fixed and kind == "path",
            f"{shown} ({match['label']})" if match["label"] else shown,
            self.group,
            kind,
            error_decimals=3 if error is None else error.decimals,
        )
