"""Other programs, kept open between runs so that each of theirs can follow one of ours."""

from __future__ import annotations

import shutil
import subprocess
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pandas as pd
from scenarios import Scenario
from simulate import wide_form

import growthmm as gm

__all__ = ["AbsentError", "FailedError", "Peer", "Run", "Stored", "open_peer"]

SCRIPT = Path(__file__).with_name("peers.R")


class AbsentError(Exception):
    """The program is not installed here."""


class FailedError(Exception):
    """The program gave no fit."""


@dataclass(frozen=True)
class Run:
    """One fit: seconds, log-likelihood (NaN where it has another meaning), memory in MB."""

    seconds: float
    log_likelihood: float = np.nan
    memory: float = np.nan


class Peer(Protocol):
    """A program with its data loaded."""

    version: str

    def run(self) -> Run:
        """Fit once."""

    def close(self) -> None:
        """End it."""


@dataclass(frozen=True)
class Stored:
    """Data of one scenario and size, in memory and as raw columns for programs outside."""

    scenario: Scenario
    n_subjects: int
    frame: pd.DataFrame
    folder: Path

    @staticmethod
    def make(scenario: Scenario, n_subjects: int, folder: Path) -> Stored:
        """Simulate, and write the columns."""
        frame = scenario.frame(n_subjects)
        folder.mkdir(parents=True, exist_ok=True)
        for name in frame:
            frame[name].to_numpy(dtype=float).tofile(folder / f"{name}.bin")
        if scenario.peers:
            wide = wide_form(frame, scenario.n_times)
            for name in wide:
                wide[name].to_numpy(dtype=float).tofile(folder / f"wide_{name}.bin")
        return Stored(scenario, n_subjects, frame, folder)

    def wide(self) -> pd.DataFrame:
        """Person rows, with the outcomes and the covariate."""
        wide = wide_form(self.frame, self.scenario.n_times)
        return wide[[f"y{j}" for j in range(self.scenario.n_times)] + ["x"]].copy()


class RPeer:
    """A program of R, timed inside R around the fit alone."""

    def __init__(self, program: str, data: Stored) -> None:
        rscript = shutil.which("Rscript")
        if rscript is None:
            raise AbsentError("Rscript is not installed")
        numbers = (data.n_subjects, len(data.frame), data.scenario.n_times)
        self._process = subprocess.Popen(
            [rscript, SCRIPT, program, data.scenario.name, data.folder, *map(str, numbers)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        word, *rest = self._line().split()
        if word != "ready":
            raise AbsentError(f"the R package {program} is not installed")
        self.version = rest[0]

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline() or "ended"

    def run(self) -> Run:
        """Fit once."""
        assert self._process.stdin is not None
        self._process.stdin.write("fit\n")
        self._process.stdin.flush()
        word, *rest = self._line().split()
        if word != "seconds":
            raise FailedError(" ".join(rest) or "the process ended")
        numbers = [float(text) if text != "NA" else np.nan for text in rest]
        return Run(*numbers)

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()


@dataclass
class PythonPeer:
    """A program of Python, in this process."""

    version: str
    fit: Callable[[], Any]
    value: Callable[[Any], float]

    def run(self) -> Run:
        """Fit once; what its log-likelihood is, is asked after the clock has stopped."""
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            start = time.perf_counter()
            try:
                found = self.fit()
            except (ValueError, np.linalg.LinAlgError) as error:
                raise FailedError(str(error)) from error
            return Run(time.perf_counter() - start, self.value(found))

    def close(self) -> None:
        """Nothing to end."""


def _mixedlm(data: Stored) -> PythonPeer:
    try:
        import statsmodels
        import statsmodels.formula.api as smf
    except ModuleNotFoundError:
        raise AbsentError("statsmodels is not installed") from None
    model = smf.mixedlm("y ~ t * x", data.frame, groups="id", re_formula="~t")
    return PythonPeer(
        statsmodels.__version__, lambda: model.fit(reml=False), lambda result: float(result.llf)
    )


def _semopy(data: Stored) -> PythonPeer:
    """The augmented moment matrix, means as regressions on a constant; SEs included.

    Its log-likelihood is that of its estimates, computed by ours, so that both have one meaning.
    """
    try:
        from importlib.metadata import version

        from semopy import Model
    except ModuleNotFoundError:
        raise AbsentError("semopy is not installed") from None
    wide = data.wide()
    values = np.column_stack([wide.to_numpy(), np.ones(len(wide))])
    names = [*wide.columns, "one"]
    moments = pd.DataFrame(values.T @ values / len(wide), index=names, columns=names)
    text = data.scenario.sem + "\ni ~ one\ns ~ one\ni ~~ s"

    def fit() -> Any:
        model: Any = Model(text)
        model.load(cov=moments, n_samples=len(wide))
        model.fit(obj="MLW", solver="SLSQP", options={"ftol": 1e-13})
        model.calc_fim(inverse=True)
        return model

    sample = gm.Moments(wide.mean(), wide.cov(), len(wide), ddof=1)

    def value(model: Any) -> float:
        rows = model.inspect()
        found = dict(zip(rows["lval"] + rows["op"] + rows["rval"], rows["Estimate"], strict=True))
        place = {"i~1": "i~one", "s~1": "s~one", "r": "y0~~y0"}
        names = gm.fit(data.scenario.sem, sample).estimates["name"]
        values = {name: float(found[place.get(name, name)]) for name in names}
        return gm.log_likelihood(data.scenario.sem, sample, values)

    return PythonPeer(version("semopy"), fit, value)


def open_peer(name: str, data: Stored) -> Peer:
    """The program called `name` with the data loaded.

    Raises
    ------
    AbsentError
        If it is not installed.
    """
    if name == "MixedLM":
        return _mixedlm(data)
    if name == "semopy":
        return _semopy(data)
    return RPeer(name, data)
