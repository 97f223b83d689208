"""R programs as processes: files in, JSON out, killed at their time limit."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from math import isnan
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from growthmm.engines.limits import Deadline
from growthmm.errors import EngineNotInstalledError, FitFailedError
from growthmm.progress import FRAME, stepped, stepping

__all__ = ["PACKAGES", "available", "csv", "require", "run"]

FloatArray = NDArray[np.float64]

PACKAGES = ("lme4", "nlme", "glmmTMB", "lavaan", "OpenMx")
"""The R packages that have a witness."""

PROBE_SECONDS = 30.0


def csv(names: Sequence[str], columns: FloatArray) -> str:
    """Write numeric columns as CSV text with full precision; NaN is R's ``NA``.

    Parameters
    ----------
    names : sequence of str
        Names of the columns, made by this package.
    columns : (n_rows, n_columns) ndarray
        Their values.

    Returns
    -------
    str
        The text.

    Examples
    --------
    >>> print(csv(["y"], np.array([[0.5], [np.nan]])))
    y
    0.5
    NA
    <BLANKLINE>
    """
    rows = [",".join("NA" if isnan(v) else repr(v) for v in row) for row in columns.tolist()]
    return "\n".join([",".join(names), *rows, ""])


def run(
    script: str,
    arguments: Sequence[str],
    inputs: Mapping[str, str],
    deadline: Deadline,
) -> dict[str, Any]:
    """Run one of the R programs of this package.

    Parameters
    ----------
    script : str
        Its name: ``"lme4"``.
    arguments : sequence of str
        Its arguments after the directory.
    inputs : mapping of str to str
        Files it reads: name and text.
    deadline : Deadline
        When it is killed.

    Returns
    -------
    dict
        What it reported; every vector is a list.

    Raises
    ------
    EngineNotInstalledError
        If there is no Rscript.
    TimeLimitError
        If it did not end in time.
    FitFailedError
        If it ended without a result.
    """
    program = shutil.which("Rscript")
    if program is None:
        raise EngineNotInstalledError(
            "Rscript is not on this machine's PATH.",
            hint="Install R (Debian: apt install r-base-core).",
        )
    folder = files("growthmm.engines.r").joinpath("scripts")
    text = "\n".join(folder.joinpath(f"{name}.R").read_text() for name in ("prelude", script))
    with tempfile.TemporaryDirectory(prefix="growthmm-") as place:
        directory = Path(place)
        (directory / "program.R").write_text(text, encoding="utf-8")
        for name, content in inputs.items():
            (directory / name).write_text(content, encoding="utf-8")
        command = [program, "--vanilla", str(directory / "program.R"), place, *arguments]
        errors = _execute(command, deadline)
        answer = directory / "result.json"
        if not answer.exists():
            raise FitFailedError(
                f"The R program {script} ended without a result: {errors.strip() or 'no message'}.",
                hint="Run it by hand to see why, or leave the witness out.",
            )
        result: dict[str, Any] = json.loads(answer.read_text(encoding="utf-8"))
    if "error" in result:
        raise FitFailedError(
            f"R's {script} stopped: {result['error'][0]}",
            hint="Leave it out of the witnesses, or look at the model in R.",
        )
    return result


def _execute(command: Sequence[str], deadline: Deadline) -> str:
    """Run a command to its end or the deadline; what it wrote on standard error."""
    environment = os.environ | {"LC_ALL": "C.UTF-8", "LANGUAGE": "en"}
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        env=environment,
        start_new_session=os.name == "posix",
    )
    try:
        return _waited(process, deadline)
    except subprocess.TimeoutExpired:
        if os.name == "posix":
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
        process.communicate()
        raise deadline.error() from None


def _waited(process: subprocess.Popen[str], deadline: Deadline) -> str:
    """What a process wrote on standard error, when it has ended."""
    while stepping() and deadline.remaining > FRAME:
        try:
            return process.communicate(timeout=FRAME)[1]
        except subprocess.TimeoutExpired:
            stepped()
    return process.communicate(timeout=deadline.remaining)[1]


@cache
def available() -> dict[str, str | None]:
    """Versions of R and of the packages behind the witnesses.

    Returns
    -------
    dict of str to (str or None)
        ``"R"`` and each of :data:`PACKAGES`; None where it is not installed. Asked once a
        process.

    Examples
    --------
    >>> sorted(available())
    ['OpenMx', 'R', 'glmmTMB', 'lavaan', 'lme4', 'nlme']
    """
    nothing: dict[str, str | None] = dict.fromkeys(("R", *PACKAGES))
    if shutil.which("Rscript") is None:
        return nothing
    try:
        found = run("versions", PACKAGES, {}, Deadline("Rscript", PROBE_SECONDS))
    except FitFailedError:
        return nothing
    return {name: found[name][0] if found.get(name) else None for name in nothing}


def require(package: str) -> str:
    """Return the version of an R package.

    Raises
    ------
    EngineNotInstalledError
        If R or the package is not installed.
    """
    version = available()[package]
    if version is None:
        lacking = "R" if available()["R"] is None else f"the R package {package}"
        raise EngineNotInstalledError(
            f"The witness {package} cannot run: {lacking} is not installed.",
            hint=f"Debian: apt install r-base-core r-cran-{package.lower()}.",
        )
    return version
