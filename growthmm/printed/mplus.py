"""Mplus's printed output (``.out``): estimates, standard errors and fit."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Literal

from growthmm.errors import NotationError
from growthmm.model.sem import SemModel
from growthmm.notation.mplus.names import LENGTH, shortened
from growthmm.notation.mplus.text import substitutes
from growthmm.printed.results import PrintedFigure, PrintedResults, PrintedRow

__all__ = ["read_output"]

_VERSION = re.compile(r"Mplus\s+(?:VERSION|DEVELOPMENT)\s*([\d.]*)", re.I)
_HEADING = re.compile(r"[A-Z][A-Z0-9 ,/'().-]+")
_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[DEde][+-]?\d+)?|\*+"
_LINE = re.compile(
    rf"(?P<name>[A-Za-z]\S*(?: [|&]\S*)?)\s+(?P<figures>(?:{_NUMBER})(?:\s+(?:{_NUMBER}))*)"
)
_BLOCK = re.compile(r"(?P<left>[A-Za-z]\w*)\s*(?P<word>BY|ON|WITH|\|)", re.I)

_MOMENTS = {
    "means": "~1",
    "intercepts": "~1",
    "variances": "~~",
    "residual variances": "~~",
}

_REFUSED = {
    "thresholds": "Thresholds",
    "scales": "Scale factors",
    "categorical latent variables": "Classes",
    "within level": "Two levels",
    "between level": "Two levels",
}


def read_output(text: str, model: SemModel | None = None) -> PrintedResults:
    """Read the results that Mplus printed.

    Parameters
    ----------
    text : str
        The output.
    model : SemModel, optional
        The model; its names then replace the output's, which are in capitals and may be cut to
        eight characters.

    Returns
    -------
    PrintedResults
        Unstandardised estimates, group by group, and fit.

    Raises
    ------
    NotationError
        If the text is no output, has no results, or is that of a model that is not linear.

    Examples
    --------
    >>> results = read_output('''Mplus VERSION 8.4
    ... MODEL RESULTS
    ...                     Estimate       S.E.  Est./S.E.    P-Value
    ...  S        WITH
    ...     I                 -0.012      0.030     -0.400      0.689
    ... ''')
    >>> results.rows[0].name, results.rows[0].std_error, results.rows[0].decimals
    ('S~~I', 0.03, 3)
    """
    version = _VERSION.search(text)
    if version is None:
        raise NotationError(
            "This is no output of Mplus.",
            text=text,
            position=0,
            hint="It begins with Mplus VERSION and the version's number.",
        )
    sections = dict(_sections(text))
    results = sections.get("MODEL RESULTS")
    if results is None:
        raise NotationError(
            "The output has no MODEL RESULTS.",
            text=text,
            position=version.start(),
            hint="Mplus stopped before it had any: its messages in the output say why.",
        )
    start, body = results
    names = _Names(model, text)
    fit = _fit_text(text)
    figure = _figures(fit)
    counts = _counts(text)
    return PrintedResults(
        program=f"Mplus {version[1]}".strip(),
        rows=tuple(_Rows(text, names).of(body, start)),
        log_likelihood=figure("H0 Value"),
        unrestricted_log_likelihood=figure("H1 Value"),
        aic=figure(r"Akaike \(AIC\)"),
        bic=figure(r"Bayesian \(BIC\)"),
        chi_square=_after(fit, r"Chi-Square Test of Model Fit\s*\n", "Value"),
        rmsea=_after(fit, "RMSEA", "Estimate"),
        cfi=figure("CFI"),
        tli=figure("TLI"),
        srmr=_after(fit, "SRMR", "Value"),
        n_parameters=_whole(r"Number of Free Parameters\s+(\d+)", fit),
        df=_whole(
            r"Chi-Square Test of Model Fit\s*\n\s*Value\s+\S+\s+Degrees of Freedom\s+(\d+)", fit
        ),
        n_subjects=counts,
        estimator=next(iter(re.findall(r"^Estimator\s+(\w+)", text, re.M)), None),
        terminated_normally="THE MODEL ESTIMATION TERMINATED NORMALLY" in text,
        information=_information(text),
        robust=re.search(r"^Estimator\s+MLR", text, re.M) is not None,
        listwise=re.search(r"^\s*LISTWISE\s*(?:=|IS)\s*ON", text, re.M | re.I) is not None,
    )


def _sections(text: str) -> Iterator[tuple[str, tuple[int, str]]]:
    """Headings in capitals at the margin, each with where its body begins and the body.

    The first of a name counts: standardised results come later, with names of their own.
    """
    found: dict[str, tuple[int, int]] = {}
    marks: list[tuple[str, int, int]] = []
    for match in re.finditer(r"^(\S[^\n]*?)[ \t\r]*$", text, re.M):
        if _HEADING.fullmatch(match[1]):
            marks.append((match[1], match.start(), match.end()))
    for k, (name, _, end) in enumerate(marks):
        after = marks[k + 1][1] if k + 1 < len(marks) else len(text)
        found.setdefault(name, (end, after))
    for name, (start, end) in found.items():
        yield name, (start, text[start:end])


def _fit_text(text: str) -> str:
    """What stands between the heading of the fit and that of the results."""
    match = re.search(
        r"^(?:MODEL FIT INFORMATION|TESTS OF MODEL FIT)[ \t\r]*$([\s\S]*?)^MODEL RESULTS",
        text,
        re.M,
    )
    return match[1] if match else ""


def _figure(shown: str) -> PrintedFigure | None:
    shown = shown.rstrip("*")
    try:
        value = float(shown.lower().replace("d", "e"))
    except ValueError:
        return None
    return PrintedFigure(value, _decimals(shown))


def _decimals(shown: str) -> int:
    mantissa, _, exponent = shown.lower().replace("d", "e").partition("e")
    return len(mantissa.partition(".")[2]) - (int(exponent) if exponent else 0)


def _figures(fit: str) -> Callable[[str], PrintedFigure | None]:
    def find(label: str) -> PrintedFigure | None:
        match = re.search(rf"^\s*{label}\s+({_NUMBER})", fit, re.M)
        return _figure(match[1]) if match else None

    return find


def _after(fit: str, heading: str, label: str) -> PrintedFigure | None:
    match = re.search(rf"{heading}[\s\S]*?\b{label}\s+({_NUMBER})", fit)
    return _figure(match[1]) if match else None


def _information(text: str) -> Literal["expected", "observed"] | None:
    match = re.search(r"^Information matrix\s+(OBSERVED|EXPECTED)", text, re.M)
    if match is None:
        return None
    return "observed" if match[1] == "OBSERVED" else "expected"


def _whole(pattern: str, text: str) -> int | None:
    match = re.search(pattern, text)
    return int(match[1]) if match and len(match[1]) < 16 else None


def _counts(text: str) -> int | None:
    whole = _whole(r"Total sample size\s+(\d+)", text)
    return whole if whole is not None else _whole(r"Number of observations\s+(\d+)", text)


class _Names:
    """The model's names for those that Mplus prints, where there is a model."""

    def __init__(self, model: SemModel | None, text: str) -> None:
        self._variables: dict[str, str] = {}
        self._labels: dict[str, str] = {}
        self._groups: dict[str, int] = {}
        if model is not None:
            variables = (*model.latent, *model.outcomes, *model.covariates)
            self._add(self._variables, variables)
            self._add(self._labels, tuple(d.name for d in model.defined))
            for name, long in substitutes(text).variables:
                self._variables[name] = long
        self._paths = {} if model is None else {_either(p.name): p.name for p in model.paths}

    @staticmethod
    def _add(table: dict[str, str], names: tuple[str, ...]) -> None:
        for name, short in shortened(names).written.items():
            table.setdefault(short.lower(), name)
        for name in names:
            table[name.lower()] = name
        cut: dict[str, list[str]] = {}
        for name in names:
            cut.setdefault(name.lower()[:LENGTH], []).append(name)
        for short, several in cut.items():
            if len(several) == 1:
                table.setdefault(short, several[0])

    def variable(self, printed: str) -> str:
        return self._variables.get(printed.lower(), printed)

    def defined(self, printed: str) -> str:
        return self._labels.get(printed.lower(), printed)

    def path(self, left: str, op: str, right: str) -> str:
        name = f"{self.variable(left)}{op}{self.variable(right) if right else ''}"
        return self._paths.get(_either(name), name)


def _either(name: str) -> str:
    """A covariance's name whichever way round it is written."""
    if "~~" in name:
        left, _, right = name.partition("~~")
        return "~~".join(sorted((left, right)))
    return name


@dataclass
class _Rows:
    """Reads MODEL RESULTS line by line: headings say which parameter the names under them are."""

    text: str
    names: _Names
    left: str = ""
    op: str = ""
    group: int = 0
    groups: dict[str, int] = field(default_factory=dict)

    def of(self, body: str, start: int) -> Iterator[PrintedRow]:
        """The rows of the section."""
        position = start
        for line in body.split("\n"):
            row = self._line(line.strip(), position)
            position += len(line) + 1
            if row is not None:
                yield row

    def _line(self, line: str, position: int) -> PrintedRow | None:
        if not line:
            return None
        if line.lower().startswith("group "):
            name = line[6:].strip().lower()
            self.group = self.groups.setdefault(name, len(self.groups))
            self.op = ""
            return None
        kind = " ".join(line.lower().split())
        for sign, what in _REFUSED.items():
            if kind.startswith(sign):
                raise NotationError(
                    f"{what} are not supported.",
                    text=self.text,
                    position=position,
                    hint="growthmm reads results of linear Gaussian models of one level.",
                )
        if kind in _MOMENTS:
            self.left, self.op = "", _MOMENTS[kind]
            return None
        if kind.startswith("new/additional parameters"):
            self.left, self.op = "", "new"
            return None
        block = _BLOCK.fullmatch(line)
        if block is not None:
            word = block["word"].upper()
            self.left = block["left"]
            self.op = {"BY": "=~", "|": "=~", "ON": "~", "WITH": "~~"}[word]
            return None
        match = _LINE.fullmatch(line)
        return self._row(match["name"], match["figures"].split()) if match and self.op else None

    def _row(self, name: str, figures: list[str]) -> PrintedRow | None:
        estimate = _figure(figures[0])
        if estimate is None:
            return None
        error = _figure(figures[1]) if len(figures) > 1 else None
        fixed = error is not None and error.value == 0.0
        if self.op == "new":
            row_name, printed = self.names.defined(name), name
        elif self.left:
            row_name = self.names.path(self.left, self.op, name)
            word = {"=~": "BY", "~": "ON", "~~": "WITH"}[self.op]
            printed = f"{self.left} {word} {name}"
        else:
            row_name = self.names.path(name, self.op, name if self.op == "~~" else "")
            printed = f"[{name}]" if self.op == "~1" else name
        return PrintedRow(
            row_name,
            estimate.value,
            None if fixed or error is None else error.value,
            estimate.decimals,
            fixed,
            printed,
            self.group,
            "defined" if self.op == "new" else "path",
            error_decimals=3 if error is None else error.decimals,
        )
