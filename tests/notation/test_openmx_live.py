"""The R programs that OpenMx models come with, run: they give our estimates."""

from __future__ import annotations

import subprocess
from functools import cache
from pathlib import Path as File

import numpy as np
import pandas as pd
import pytest
from reference import CASES, FOLDER, reference_folder

import growthmm as gm
from growthmm.engines import wide
from growthmm.engines.outcome import EngineFit
from growthmm.engines.wide.problem import WideGroup, WideProblem
from growthmm.model.sem import Path, SemModel
from growthmm.notation.base import ScriptContext
from growthmm.notation.lavaan.read import read as read_lavaan
from growthmm.notation.openmx.notation import NOTATION
from growthmm.notation.openmx.read import read

pytestmark = pytest.mark.r("OpenMx")


def _group(frame: pd.DataFrame, model: SemModel) -> WideGroup:
    definitions = {path.definition for path in model.paths if path.definition is not None}
    return WideGroup(
        frame[list(model.outcomes)].to_numpy(float),
        frame[list(model.covariates)].to_numpy(float).reshape(len(frame), -1),
        tuple((name, frame[name].to_numpy(float)) for name in definitions),
    )


def _individual_times() -> SemModel:
    outcomes = [f"y_{k}" for k in range(1, 8)]
    rows = [Path("i", "=~", y, free=False, value=1.0) for y in outcomes]
    rows += [Path("s", "=~", y, free=False, definition=f"time_{y[2:]}") for y in outcomes]
    rows += [Path(y, "~~", y, label="r") for y in outcomes]
    rows += [Path("i", "~~", "i"), Path("i", "~~", "s"), Path("s", "~~", "s")]
    return SemModel((*rows, Path("i", "~1"), Path("s", "~1")), ("i", "s"), tuple(outcomes))


@cache
def _case(name: str) -> tuple[SemModel, EngineFit]:
    """A reference model and our fit of it, with observed information as OpenMx has it."""
    case = CASES[name]
    frame = case.wide_frame()
    if name == "E02":
        model = _individual_times()
        groups: tuple[WideGroup, ...] = (_group(frame, model),)
    elif name == "H01":
        call = f"growth('{case.lavaan}', group = 'sex', group.label = c('female', 'male'))"
        model = read_lavaan(call)
        groups = tuple(_group(frame[frame["sex"] == g], model) for g in model.group_labels)
    else:
        model = read_lavaan(case.lavaan)
        groups = (_group(frame, model),)
    return model, wide.fit(WideProblem(model, groups), information="observed")


def _run(script: str, folder: File, *arguments: str) -> dict[str, float]:
    file = folder / "script.R"
    file.write_text(script, encoding="utf-8")
    answer = subprocess.run(
        ["Rscript", "--vanilla", str(file), *arguments],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        cwd=folder,
    )
    assert answer.returncode == 0, answer.stderr
    found = {}
    for line in answer.stdout.splitlines():
        if line.startswith("estimate\t"):
            _, name, estimate, error = line.split("\t")
            found[name] = float(estimate)
            found[f"se {name}"] = float("nan") if error == "NA" else float(error)
        elif line.startswith(("logLik", "npar", "nobs")):
            name, value = line.split()
            found[name] = float(value)
        elif line.startswith("converged"):
            assert line.endswith("TRUE")
    return found


def _agrees(found: dict[str, float], model: SemModel, ours: EngineFit, errors: float) -> None:
    assert found["logLik"] == pytest.approx(ours.log_likelihood, abs=1e-5)
    assert found["npar"] == len(ours.names)
    assert found["nobs"] == ours.n_subjects
    known = dict(zip(ours.names, ours.standard_errors, strict=True))
    free = [path for path in model.paths if path.free]
    assert free
    for path in free:
        own, error = ours.value(path.parameter), known[path.parameter]
        assert abs(found[path.name] - own) < 1e-3 * error, path.name
        assert np.isnan(errors) or found[f"se {path.name}"] == pytest.approx(error, rel=errors)


DEFAULT = ("A02", "A03", "A04", "A05", "A08", "E02")
NIGHTLY = ("A01", "A01b", "A07", "A08c", "B01", "D01", "F01", "F02", "F03", "G01", "H01", "L01")


@pytest.mark.parametrize(
    "name", [*DEFAULT, *(pytest.param(name, marks=pytest.mark.nightly) for name in NIGHTLY)]
)
def test_wide_data_give_our_estimates(name: str, tmp_path: File) -> None:
    model, ours = _case(name)
    written = read(NOTATION.write(model).text)
    assert written == model
    context = ScriptContext(str(FOLDER / "data" / CASES[name].wide), "wide")
    found = _run(NOTATION.script(written, context), tmp_path)
    _agrees(found, model, ours, 5e-3)


@pytest.mark.nightly
@pytest.mark.parametrize(("name", "errors"), [("A09", float("nan")), ("M01", 5e-3)])
def test_constraints_and_defined_parameters(name: str, errors: float, tmp_path: File) -> None:
    model, ours = _case(name)
    context = ScriptContext(str(FOLDER / "data" / CASES[name].wide), "wide")
    _agrees(_run(NOTATION.script(model, context), tmp_path), model, ours, errors)


def test_long_data_from_a_formula(tmp_path: File) -> None:
    case = CASES["A08c"]
    file = reference_folder() / "data" / case.long
    made = gm.translate("gpa ~ occasion * sex + (occasion | student)", "openmx", data=str(file))
    found = _run(made.script, tmp_path)
    ours = gm.fit("gpa ~ occasion * sex + (occasion | student)", str(file), id="student")
    assert found["logLik"] == pytest.approx(ours.log_likelihood, abs=1e-5)
    assert found["nobs"] == 194
    table = ours.estimates.set_index("name")
    for ours_name, name in (("occasion:sexmale", "s~sexmale"), ("(Intercept)", "i~1")):
        row = table.loc[ours_name]
        assert abs(found[name] - row["estimate"]) < 1e-3 * row["std_error"]


def test_the_text_itself_runs_and_names_are_no_code(tmp_path: File) -> None:
    """Hostile column names and labels, in the text (its own R) and in the script."""
    rng = np.random.default_rng(3)
    witness = tmp_path / "touched"
    x = f'x"); system("touch {witness}"); c("'
    y = f"y'); system('touch {witness}'); c('"
    t = "a.b [1]\\"
    model = SemModel(
        (
            Path(y, "~", x),
            Path(y, "~1"),
            Path(y, "~~", y, label=f"v\nsystem('touch {witness}')"),
            Path("f", "=~", y, free=False, definition=t),
            Path("f", "~~", "f", free=False, value=0.25),
        ),
        ("f",),
        (y,),
        (x,),
    )
    columns = {x: rng.normal(size=60), t: rng.normal(size=60)}
    columns[y] = 1 + 0.5 * columns[x] + rng.normal(size=60)
    frame = pd.DataFrame(columns)
    frame.loc[:4, t] = np.nan
    frame.to_csv(tmp_path / "d'a\"ta.csv", index=False)
    context = ScriptContext(str(tmp_path / "d'a\"ta.csv"), "wide")
    found = _run(NOTATION.script(model, context), tmp_path)
    ours = wide.fit(WideProblem(model, (_group(frame, model),)))
    assert found["logLik"] == pytest.approx(ours.log_likelihood, abs=1e-5)
    assert found["nobs"] == 55
    assert found[f"{y}~1"] == pytest.approx(ours.value(f"{y}~1"), abs=1e-4)
    _run("library(OpenMx)\n" + NOTATION.write(model).text, tmp_path)
    assert not witness.exists()
