"""Written programs run by R itself, and our own engine's answer to the same model."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from reference import long_frame, reference_folder

from growthmm.engines import long
from growthmm.engines.prepare import long_data
from growthmm.model.mixed import MixedModel
from growthmm.model.residual import ResidualStructure
from growthmm.notation import notation
from growthmm.notation.base import ScriptContext
from growthmm.translation.binding.mixed import bind_mixed


def model_of(formula: str, residual: str, estimator: str = "ml") -> MixedModel:
    """A formula of lme4 with a residual structure."""
    read = notation("lme4").read(formula)
    assert isinstance(read, MixedModel)
    structure = ResidualStructure.parse(residual)
    return replace(read, residual=structure, estimator=estimator)  # type: ignore[arg-type]


@cache
def ours(
    formula: str,
    residual: str,
    estimator: str = "ml",
) -> tuple[float, dict[str, float], dict[str, float], Any]:
    """The long engine's log-likelihood, estimates and standard errors, and the schema."""
    frame = long_frame("A_gpa_long.csv")
    bound = bind_mixed(model_of(formula, residual), frame, id="student", time="occasion")
    fit = long.fit(long_data(bound, frame).problem, estimator=estimator)  # type: ignore[arg-type]
    errors = dict(zip(fit.names, map(float, fit.covariance.diagonal() ** 0.5), strict=True))
    estimates = dict(zip(fit.names, map(float, fit.estimates), strict=True))
    return fit.log_likelihood, estimates, errors, bound.schema


@dataclass(frozen=True)
class Printed:
    """What a program printed."""

    log_likelihood: float
    fixed: dict[str, tuple[float, float]]
    records: dict[str, list[list[str]]]

    def values(self, word: str) -> dict[str, float]:
        """Records of one word by their name: ``residual``, ``correlation``."""
        return {json.loads(r[0]): float(r[1]) for r in self.records.get(word, [])}

    @property
    def covariances(self) -> dict[str, float]:
        """Covariances of random effects in our names."""
        made = {}
        for group, row, column, value in self.records.get("cov", []):
            g, a, b = (json.loads(v) for v in (group, row, column))
            made[f"var({a}|{g})" if a == b else f"cov({b},{a}|{g})"] = float(value)
        return made


def run(scripts: Mapping[str, str], folder: Path) -> dict[str, Printed]:
    """Run programs one after the other in one process of R, and read what each printed."""
    lines = []
    for at, (name, script) in enumerate(scripts.items()):
        (folder / f"fit{at}.R").write_text(script, encoding="utf-8")
        lines.append(f'cat("program\\t{name}\\n"); source("fit{at}.R", local = new.env())')
    (folder / "all.R").write_text("\n".join(lines), encoding="utf-8")
    done = subprocess.run(
        ["Rscript", "--vanilla", "all.R"],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        timeout=600,
        env=os.environ | {"LC_ALL": "C.UTF-8", "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, dict[str, list[list[str]]]] = {}
    for line in done.stdout.strip().split("\n"):
        word, *rest = line.split("\t")
        if word == "program":
            records = found.setdefault(rest[0], {})
        else:
            records.setdefault(word, []).append(rest)
    return {name: _printed(records) for name, records in found.items()}


def _printed(records: dict[str, list[list[str]]]) -> Printed:
    fixed = {json.loads(n): (float(b), float(e)) for n, b, e in records["fixef"]}
    return Printed(float(records["logLik"][0][0]), fixed, records)


def context(schema: Any) -> ScriptContext:
    """A program's surroundings: the GPA data and what is known of them."""
    return ScriptContext(str(reference_folder() / "data" / "A_gpa_long.csv"), schema=schema)
