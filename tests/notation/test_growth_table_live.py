"""The programs of the golden table, run by R: they give our engines' estimates."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest
from conftest import PROFILE
from growth_table import (
    FACTS,
    Entry,
    canonical,
    entries,
    family,
    frame,
    reason,
    schema,
    wide_frame,
)

import growthmm as gm
from growthmm.engines import wide as wide_engine
from growthmm.engines.prepare import sem_data, wide_data
from growthmm.errors import UnsupportedError
from growthmm.model.mixed import MixedModel
from growthmm.model.schema import Schema
from growthmm.model.sem import SemModel
from growthmm.notation import notation
from growthmm.verbs.binding import Facts, paired

WITNESSES = {
    "lme4": "lme4",
    "nlme": "nlme",
    "glmmtmb": "glmmTMB",
    "lavaan": "lavaan",
    "openmx": "OpenMx",
}
"""Notations that R runs, and the package of each."""

STACKED = ("distal", "parallel")
"""Growth curves whose mixed form stacks several outcomes."""

SLOW = ("glmmtmb", "openmx")
"""Notations whose programs take longest: a quarter of them is run by day."""


def _at_night(column: str, number: int) -> bool:
    return column in SLOW and number % 4 != 0


PROGRAMS = [
    pytest.param(
        entry,
        column,
        id=f"{entry.name}-{column}",
        marks=[pytest.mark.r(package), *[pytest.mark.nightly] * _at_night(column, number)],
    )
    for column, package in WITNESSES.items()
    for number, entry in enumerate(entries().values())
    if column in entry.texts
]


@dataclass(frozen=True)
class Answer:
    """What a program printed, or why it failed."""

    log_likelihood: float
    estimates: Mapping[str, float]
    failed: str = ""


@dataclass(frozen=True)
class Ours:
    """Our engine's answer."""

    log_likelihood: float
    estimates: Mapping[str, float]
    errors: Mapping[str, float]


RUNNER = """
run <- function(file, name) {
  cat(sprintf("program\\t%s\\n", name))
  tryCatch(suppressWarnings(suppressMessages(source(file, local = new.env()))),
    error = function(e) cat(sprintf("failed\\t%s\\n", gsub("\\\\s+", " ", conditionMessage(e)))))
}
"""


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Answer]:
    """Every program of one witness after the other, in one process of R."""
    folder = tmp_path_factory.mktemp("programs")
    for kind in FACTS:
        frame(kind).to_csv(folder / f"{kind}.csv", index=False)
    wide_frame().to_csv(folder / "wide.csv", index=False)
    lines = [RUNNER]
    for at, (entry, column) in enumerate(_programs()):
        (folder / f"fit{at}.R").write_text(_script(entry, column, folder), encoding="utf-8")
        lines.append(f'run("fit{at}.R", "{entry.name}-{column}")')
    (folder / "all.R").write_text("\n".join(lines), encoding="utf-8")
    done = subprocess.run(
        ["Rscript", "--vanilla", "all.R"],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        timeout=1200,
        env=os.environ | {"LC_ALL": "C.UTF-8", "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
    return dict(map(_answer, done.stdout.split("program\t")[1:]))


def _programs() -> list[tuple[Entry, str]]:
    """What is run: all at night, else what is not left to the night."""
    return [
        (param.values[0], param.values[1])  # type: ignore[misc]
        for param in PROGRAMS
        if PROFILE == "nightly" or all(mark.name != "nightly" for mark in param.marks)
    ]


def _script(entry: Entry, column: str, folder: Path) -> str:
    model = canonical(entry)
    if isinstance(model, SemModel):
        name = "growth" if column in ("lme4", "nlme", "glmmtmb") else "wide"
        known = schema(entry)
        if name == "growth":
            assert isinstance(known, Schema)
            return gm.translate(
                model, column, data=folder / "growth.csv", outcome="y", **FACTS[entry.data]
            ).script
        return gm.translate(model, column, data=folder / "wide.csv").script
    return gm.translate(model, column, data=folder / f"{entry.data}.csv", **_facts(entry)).script


def _facts(entry: Entry) -> dict[str, str]:
    return {} if entry.name == "school" else dict(FACTS[entry.data])


def _answer(printed: str) -> tuple[str, Answer]:
    name, *lines = printed.strip().split("\n")
    logarithm, found, failed = float("nan"), {}, ""
    for line in lines:
        word, *rest = line.replace(" ", "\t", 1).split("\t") if " " in line else line.split("\t")
        if line.startswith("estimate\t"):
            _, key, value, *_ = line.split("\t")
            found[key] = float(value)
        elif word == "logLik":
            logarithm = float(rest[0])
        elif line.startswith("fixef\t"):
            found[json.loads(line.split("\t")[1])] = float(line.split("\t")[2])
        elif line.startswith("cov\t"):
            group, a, b = map(json.loads, line.split("\t")[1:4])
            key = f"var({a}|{group})" if a == b else f"cov({b},{a}|{group})"
            found[key] = float(line.split("\t")[4])
        elif line.startswith("failed\t"):
            failed = line.split("\t", 1)[1]
    return name, Answer(logarithm, found, failed)


def _curved(entry: Entry) -> bool:
    """Whether a parameter stands in its loadings, so that the mixed model is not linear."""
    model = notation("nlme").read(entry.texts["nlme"])
    return isinstance(model, MixedModel) and bool(model.loading_parameters)


@cache
def _ours(entry: Entry, side: str) -> Ours:
    if side == "mixed" and family(entry) == "mixed":
        facts = _facts(entry)
        fit = gm.fit(canonical(entry), frame(entry.data), estimator=entry.estimator, **facts)
        rows = fit.estimates
        names = rows["name"].tolist()
        return Ours(
            fit.log_likelihood,
            dict(zip(names, rows["estimate"], strict=True)),
            dict(zip(names, rows["std_error"], strict=True)),
        )
    if side == "mixed" and entry.name in STACKED:
        # Their own parameter space: as a mixed model its covariances are positive semi-definite.
        facts = {"id": "id", "time": "t", "outcome": "y"}
        long = gm.fit(canonical(entry), wide_frame(), engine="long", **facts)
        return Ours(long.log_likelihood, {}, {})
    fit = wide_engine.fit(_problem(entry), information="observed")
    return Ours(
        fit.log_likelihood,
        dict(zip(fit.names, fit.estimates, strict=True)),
        dict(zip(fit.names, fit.standard_errors, strict=True)),
    )


def _problem(entry: Entry):  # type: ignore[no-untyped-def]
    model = canonical(entry)
    if isinstance(model, SemModel):
        return sem_data(model, wide_frame(), id="id").problem
    facts = Facts(**_facts(entry))
    return wide_data(paired(model, frame(entry.data), facts)[0].sem, frame(entry.data)).problem


@pytest.mark.parametrize(("entry", "column"), PROGRAMS)
def test_gives_our_estimates(entry: Entry, column: str, answers: Mapping[str, Answer]) -> None:
    answer = answers[f"{entry.name}-{column}"]
    if "needs glmmTMB" in answer.failed:
        pytest.skip(answer.failed)
    assert not answer.failed
    side = "sem" if column in ("lavaan", "openmx") else "mixed"
    try:
        ours = _ours(entry, side)
    except UnsupportedError as error:
        pytest.skip(f"no engine of ours fits it: {reason(error)}")
    if column == "nlme" and _curved(entry):
        # nlme() linearises, and does not end at the maximum: docs/where-programs-disagree.md.
        assert 0 < ours.log_likelihood - answer.log_likelihood < 5
        return
    assert answer.log_likelihood == pytest.approx(ours.log_likelihood, abs=1e-5)
    shared = [name for name in answer.estimates if name in ours.estimates]
    if family(entry) == side:
        assert len(shared) >= 2
    for name in shared:
        error = ours.errors[name]
        assert abs(answer.estimates[name] - ours.estimates[name]) < 1e-3 * error, name
