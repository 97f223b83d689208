"""Tables that R's mixed-model programs print alike."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from growthmm.printed.figures import NUMBER, figure
from growthmm.printed.results import PrintedFigure, PrintedRow

__all__ = [
    "Line",
    "coefficients",
    "covariance_row",
    "criteria",
    "group_counts",
    "lines_of",
    "variance_table",
]

_COLUMNS = re.compile(
    r"Estimate|Value|Std\. ?Error|StdError|[tz][ -]value|DF|df|Pr\(>\|[tz]\|\)|p-value"
)
_STARS = re.compile(r"\s+(?:\*{1,3}|\.)\s*$")
_CELL = rf"(?:{NUMBER}|<\s*{NUMBER}|NA|NaN)"


@dataclass(frozen=True, slots=True)
class Line:
    """A line and where it begins."""

    text: str
    position: int


def lines_of(text: str) -> list[Line]:
    """The lines of a text, with their positions."""
    found, position = [], 0
    for line in text.split("\n"):
        found.append(Line(line, position))
        position += len(line) + 1
    return found


def coefficients(lines: list[Line], start: int, kind_of_rows: str = "") -> list[PrintedRow]:
    """A table of coefficients, also where R breaks its columns into several blocks.

    Parameters
    ----------
    lines : list of Line
        The output.
    start : int
        Where to look for the table's header.
    kind_of_rows : str
        Put before each name (``"disp: "``); empty for the fixed effects.

    Returns
    -------
    list of PrintedRow
        Names as printed.
    """
    values: dict[str, dict[str, PrintedFigure]] = {}
    at, opened = start, False
    columns: list[str] = []
    while at < len(lines):
        line = lines[at].text
        at += 1
        header = [_plain(name) for name in _COLUMNS.findall(line)]
        if header and not _COLUMNS.sub("", line).strip():
            columns, opened = header, True
            continue
        if not opened:
            continue
        row = _row(line, columns)
        if row is None:
            break
        values.setdefault(row[0], {}).update(row[1])
    made = []
    for name, cells in values.items():
        estimate = cells.get("estimate")
        if estimate is None:
            continue
        error = cells.get("error")
        made.append(
            PrintedRow(
                name,
                estimate.value,
                None if error is None else error.value,
                estimate.decimals,
                printed=kind_of_rows + name,
                kind="fixed",
                effects=(name,),
                error_decimals=3 if error is None else error.decimals,
            )
        )
    return made


def _plain(column: str) -> str:
    if column in ("Estimate", "Value"):
        return "estimate"
    return "error" if column.startswith("Std") else column


def _row(line: str, columns: list[str]) -> tuple[str, dict[str, PrintedFigure]] | None:
    shown = re.sub(r"<\s+", "<", _STARS.sub("", line.rstrip()))
    match = re.fullmatch(rf"(.*?\S)((?:\s+{_CELL}){{{len(columns)}}})", shown)
    if match is None:
        return None
    cells = {}
    for column, cell in zip(columns, match[2].split(), strict=True):
        found = figure(cell)
        if found is not None:
            cells[column] = found
    return match[1].strip(), cells


def covariance_row(
    kind: str, effects: tuple[str, ...], block: str, found: PrintedFigure, printed: str = ""
) -> PrintedRow:
    """A row for a (co)variance, standard deviation or correlation."""
    short = {"variance": "var", "covariance": "cov", "correlation": "cor"}.get(kind, kind)
    within = f"|{block}" if block else ""
    name = f"{short}({','.join(effects)}{within})"
    return PrintedRow(
        name,
        found.value,
        None,
        found.decimals,
        printed=printed or name,
        kind=kind,  # type: ignore[arg-type]
        effects=effects,
        block=block,
    )


def variance_table(lines: list[Line], start: int) -> list[PrintedRow]:
    """The table of random effects of lme4 and glmmTMB, the residual's row included.

    Parameters
    ----------
    lines : list of Line
        The output.
    start : int
        Where to look for the header ``Groups Name Variance Std.Dev. Corr``.
    """
    at = next(
        (k for k in range(start, len(lines)) if re.match(r"\s*Groups\s+Name\b", lines[k].text)),
        None,
    )
    if at is None:
        return []
    header = lines[at].text
    name_at = header.index("Name")
    columns = re.findall(r"Variance|Std\.Dev\.?", header)
    made: list[PrintedRow] = []
    block, earlier = "", list[str]()
    for line in lines[at + 1 :]:
        head, rest = line.text[:name_at].strip(), line.text[name_at:]
        if head:
            block, earlier = head, []
        cells = _cells(rest if head != "Residual" else line.text.replace("Residual", "", 1))
        if cells is None or line.text.startswith("Number of obs"):
            break
        name, shown, structure = cells
        if block == "Residual":
            made += _residual(columns, shown)
            continue
        of = re.sub(r"\.\d+$", "", block)
        made += list(_effect(name, of, columns, (shown, structure), earlier))
        earlier.append(name)
    return made


def _cells(rest: str) -> tuple[str, list[str], str] | None:
    pattern = rf"(.*?)((?:\s+{_CELL})+)\s*(?:\((\w+)\))?\s*"
    match = re.fullmatch(pattern, " " + rest.strip())
    return None if match is None else (match[1].strip(), match[2].split(), match[3] or "")


def _residual(columns: list[str], shown: list[str]) -> Iterator[PrintedRow]:
    for column, cell in zip(columns, shown, strict=False):
        found = figure(cell)
        if found is not None:
            kind = "residual variance" if column == "Variance" else "residual sd"
            yield covariance_row(kind, (), "", found, f"Residual {column}")


def _effect(
    name: str, block: str, columns: list[str], cells: tuple[list[str], str], earlier: list[str]
) -> Iterator[PrintedRow]:
    """One line: variance, standard deviation, correlations with the effects above it.

    Where the line ends in the name of a structure, ``(ar1)`` say, its effects are the residuals.
    """
    shown, structure = cells
    residual = structure in ("ar1", "cs", "toep", "us", "hetar1")
    for column, cell in zip(columns, shown, strict=False):
        found = figure(cell)
        if found is None:
            continue
        kind = "variance" if column == "Variance" else "sd"
        if residual:
            yield covariance_row(f"residual {kind}", (), "", found, f"{block} {structure} {column}")
        else:
            yield covariance_row(kind, (name,), block, found, f"{block} {name} {column}")
    extra = shown[len(columns) :]
    if residual:
        found = figure(extra[0]) if extra else None
        if found is not None:
            yield covariance_row("residual correlation", (), "", found, f"{block} {structure}")
        return
    for other, cell in zip(earlier, extra, strict=False):
        found = figure(cell)
        if found is not None:
            printed = f"{block} Corr({other}, {name})"
            yield covariance_row("correlation", (other, name), block, found, printed)


def criteria(lines: list[Line]) -> dict[str, PrintedFigure]:
    """AIC, BIC, log-likelihood and deviance from the line below their names."""
    for k, line in enumerate(lines[:-1]):
        names = line.text.replace("-2*log(L)", "deviance").split()
        if names[:3] != ["AIC", "BIC", "logLik"]:
            continue
        cells = lines[k + 1].text.split()
        keys = {"AIC": "aic", "BIC": "bic", "logLik": "log_likelihood", "deviance": "deviance"}
        pairs = zip(names, cells, strict=False)
        found = {keys[n]: figure(cell) for n, cell in pairs if n in keys}
        return {key: value for key, value in found.items() if value is not None}
    return {}


def group_counts(text: str) -> tuple[int | None, int | None]:
    """Persons (of the finest grouping) and rows from ``Number of obs: ..., groups: ...``."""
    match = re.search(r"Number of obs:\s*(\d{1,15}),\s*groups:\s*([^\n]*(?:\n\s+[^\n]+)*)", text)
    if match is None:
        alone = re.search(r"Number of obs:\s*(\d{1,15})", text)
        return None, int(alone[1]) if alone else None
    groups = [int(n) for n in re.findall(r",\s*(\d{1,15})(?=\s*(?:;|\n|$))", match[2])]
    return (max(groups) if groups else None), int(match[1])
