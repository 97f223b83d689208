"""What ``summary()`` prints of an OpenMx model of type RAM."""

from __future__ import annotations

import re
from collections.abc import Iterator

from growthmm.printed.figures import NUMBER, after, figure, refuse
from growthmm.printed.results import PrintedResults, PrintedRow

__all__ = ["read_output"]

_ROW = re.compile(
    rf"\s*\d+\s+(?P<name>\S+)\s+(?P<matrix>(?:[\w.]+\.)?[ASM])\s+(?P<row>\S+)\s+(?P<col>\S+)\s+"
    rf"(?P<estimate>{NUMBER})\s+(?P<error>{NUMBER}|NA|NaN)(?P<rest>.*)"
)


def read_output(text: str) -> PrintedResults:
    """Read a summary of ``mxRun()`` of a RAM model.

    Parameters
    ----------
    text : str
        The summary.

    Returns
    -------
    PrintedResults
        A row a free parameter: entries of A, S and M in lavaan's names.

    Raises
    ------
    NotationError
        If the text is none, or its parameters are no entries of the matrices A, S and M.
    """
    start = re.search(r"^free parameters:[^\n]*\n", text, re.M)
    if start is None:
        raise refuse(
            "This is no summary of an OpenMx model.", text, 0, "It has a list of free parameters."
        )
    rows = tuple(_rows(text[start.end() :]))
    if not rows:
        raise refuse(
            "The free parameters are no entries of the matrices A, S and M.",
            text,
            start.start(),
            'Summaries of models with type="RAM" are read.',
        )
    counts = re.search(r"observations/statistics:\s*(\d{1,15})/(\d{1,15})", text)
    model = re.search(rf"^\s*Model:\s+(\d{{1,9}})\s+-?\d+\s+({NUMBER})", text, re.M)
    aic, bic = (re.search(rf"^{n}:\s+\S+\s+({NUMBER})", text, re.M) for n in ("AIC", "BIC"))
    version = re.search(r"OpenMx version number:\s*([\w.]+)", text)
    return PrintedResults(
        program=f"OpenMx {version[1]}" if version else "OpenMx",
        notation="openmx",
        family="sem",
        rows=rows,
        deviance=figure(model[2]) if model else None,
        aic=figure(aic[1]) if aic else None,
        bic=figure(bic[1]) if bic else None,
        cfi=after(text, r"^CFI:"),
        tli=after(text, r"^TLI:"),
        rmsea=after(text, r"^RMSEA:"),
        n_parameters=int(model[1]) if model else None,
        n_subjects=int(counts[1]) if counts else None,
        n_rows=int(counts[2]) if counts else None,
        estimator="ML",
        information="observed",
        listwise=False,
        terminated_normally="Mx status RED" not in text,
    )


def _rows(body: str) -> Iterator[PrintedRow]:
    for line in body.split("\n"):
        if not line.strip():
            return
        match = _ROW.fullmatch(line)
        if match is None:
            continue
        estimate = figure(match["estimate"])
        if estimate is None:
            continue
        error = figure(match["error"])
        row, col, matrix = match["row"], match["col"], match["matrix"][-1]
        name = {"S": f"{row}~~{col}", "M": f"{col}~1", "A": f"{row}~{col}"}[matrix]
        yield PrintedRow(
            name,
            estimate.value,
            None if error is None else error.value,
            estimate.decimals,
            printed=f"{match['name']} ({matrix}[{row},{col}])",
            error_decimals=3 if error is None else error.decimals,
        )
