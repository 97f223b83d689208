"""The scripts that translate writes, run as they are, give our estimates."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import cache
from pathlib import Path

import pandas as pd
import pytest
from study import NASTY, long_data, wide_frame

import growthmm as gm

LOG_LIKELIHOOD = 1e-5
ESTIMATES = 1e-3
"""In standard errors."""

MODELS = {
    "intercept": "score ~ 1 + (1 | person)",
    "random intercept": "score ~ wave + (1 | person)",
    "linear": "score ~ wave + (1 + wave | person)",
    "uncorrelated": "score ~ wave + (1 | person) + (0 + wave | person)",
    "quadratic": "score ~ wave + I(wave^2) + (1 + wave | person)",
    "orthogonal": "score ~ poly(wave, 2) + (1 | person)",
    "categorical": "score ~ wave * school + coach + iq + (1 + wave | person)",
    "sum contrasts": "score ~ wave + C(school, Sum) + (1 | person)",
    "time-varying": "score ~ wave + mood + (1 + wave | person)",
    "free means": "score ~ factor(wave) + (1 | person)",
    "years": "score ~ I((year - 2010)/10) + iq + (1 + I((year - 2010)/10) | person)",
    "computed outcome": "log(score) ~ wave + (1 + wave | person)",
    "hostile name": f"score ~ wave + `{NASTY}` + (1 + wave | person)",
}
WIDE = ("linear", "quadratic", "time-varying", "uncorrelated", "numeric", "intercept")
MODELS_OF_WIDE = {
    "numeric": "score ~ wave * iq + (1 + wave | person)",
    **{name: MODELS[name] for name in WIDE if name in MODELS},
}


def time_of(name: str) -> str:
    return "year" if name == "years" else "wave"


@cache
def data() -> pd.DataFrame:
    return long_data()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data as files, whose names need quoting."""
    place = tmp_path_factory.mktemp("scripts") / 'a "folder"'
    place.mkdir()
    data().to_csv(place / "long.csv", index=False)
    wide_frame(data()).to_csv(place / "wide.csv", index=False)
    return place


def run_r(scripts: dict[str, str], folder: Path) -> dict[str, list[list[str]]]:
    """What each script prints, field by field; one R session runs them all."""
    lines = []
    for k, (name, script) in enumerate(scripts.items()):
        path = folder / f"script{k}.R"
        path.write_text(script, encoding="utf-8")
        lines += [
            f"cat({json.dumps('## ' + name)}, sep = '\\n')",
            f"invisible(parse({json.dumps(str(path))}))",
            f"tryCatch(source({json.dumps(str(path))}, local = new.env()),"
            ' error = function(e) cat("error", conditionMessage(e), "\\n"))',
        ]
    program = folder / "all.R"
    program.write_text("\n".join(lines), encoding="utf-8")
    answer = subprocess.run(
        ["Rscript", "--vanilla", str(program)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr[-3000:]
    assert "uid=" not in answer.stdout
    found = {}
    for section in answer.stdout.split("## ")[1:]:
        name, _, body = section.partition("\n")
        found[name] = [line.split("\t") for line in body.splitlines() if line.strip()]
    return found


def rows(lines: list[list[str]], word: str) -> list[list[str]]:
    return [line[1:] for line in lines if line[0] == word]


def value(lines: list[list[str]], word: str) -> float:
    """The number behind a word, tab or blank between."""
    joined = [" ".join(line).split() for line in lines]
    (found,) = [line[1] for line in joined if line[0] == word]
    return float(found)


def compare(theirs: dict[str, float], fit: object, names: dict[str, str]) -> None:
    """Their estimates against ours: `names` maps theirs to ours."""
    ours = fit.estimates.set_index("name")  # type: ignore[attr-defined]
    assert set(theirs) == set(names)
    gaps = {
        name: abs(estimate - ours.loc[names[name], "estimate"]) / ours.loc[names[name], "std_error"]
        for name, estimate in theirs.items()
    }
    assert max(gaps.values()) < ESTIMATES, gaps


@pytest.fixture(scope="module")
def lavaan_answers(folder: Path) -> dict[str, list[list[str]]]:
    scripts = {
        name: gm.translate(
            formula, "lavaan", data=folder / "long.csv", id="person", time=time_of(name)
        ).script
        for name, formula in MODELS.items()
    }
    return run_r(scripts, folder)


@pytest.mark.r("lavaan")
@pytest.mark.parametrize("name", MODELS)
def test_lavaan_script_from_formula(
    name: str, folder: Path, lavaan_answers: dict[str, list[list[str]]]
) -> None:
    lines = lavaan_answers[name]
    fit = gm.fit(MODELS[name], folder / "long.csv", engine="wide", id="person", time=time_of(name))
    mixed = gm.fit(MODELS[name], folder / "long.csv")
    assert value(lines, "logLik") == pytest.approx(fit.log_likelihood, abs=LOG_LIKELIHOOD)
    assert value(lines, "logLik") == pytest.approx(mixed.log_likelihood, abs=LOG_LIKELIHOOD)
    assert value(lines, "npar") == mixed.n_parameters
    theirs = {row[0]: float(row[1]) for row in rows(lines, "estimate")}
    compare(theirs, fit, {name: name for name in theirs})


def lme4_names(lines: list[list[str]]) -> dict[str, float]:
    """What an lme4 script prints, under our names."""
    unquoted = [[json.loads(word) if word[:1] == '"' else word for word in row] for row in lines]
    found = {name: float(estimate) for name, estimate, _ in rows(unquoted, "fixef")}
    for _, row, column, estimate in rows(unquoted, "cov"):
        kind = f"var({row}|person)" if row == column else f"cov({column},{row}|person)"
        found[kind] = float(estimate)
    return found | {"var(Residual)": value(lines, "sigma2")}


@pytest.fixture(scope="module")
def lme4_answers(folder: Path) -> dict[str, list[list[str]]]:
    scripts = {}
    for name, formula in MODELS_OF_WIDE.items():
        text = gm.translate(formula, "lavaan", data=data(), id="person", time="wave").text
        made = gm.translate(text, "lme4", data=folder / "wide.csv", id="person", time="wave")
        scripts[f"wide {name}"] = made.script
    for name in LONG:
        scripts[name] = gm.translate(MODELS[name], "lme4", data=folder / "long.csv").script
    return run_r(scripts, folder)


LONG = ("linear", "uncorrelated", "quadratic", "orthogonal", "time-varying", "hostile name")


@pytest.mark.r("lme4")
@pytest.mark.parametrize("name", MODELS_OF_WIDE)
def test_lme4_script_from_lavaan(name: str, lme4_answers: dict[str, list[list[str]]]) -> None:
    lines = lme4_answers[f"wide {name}"]
    fit = gm.fit(MODELS_OF_WIDE[name], data())
    assert value(lines, "logLik") == pytest.approx(fit.log_likelihood, abs=LOG_LIKELIHOOD)
    theirs = lme4_names(lines)
    theirs = {k: v for k, v in theirs.items() if k in set(fit.estimates["name"])}
    assert len(theirs) >= fit.n_parameters - 1
    compare(theirs, fit, {k: k for k in theirs})


@pytest.mark.r("lme4")
@pytest.mark.parametrize("name", LONG)
def test_lme4_script_from_formula(name: str, lme4_answers: dict[str, list[list[str]]]) -> None:
    lines = lme4_answers[name]
    fit = gm.fit(MODELS[name], data(), estimator="reml")
    assert value(lines, "logLik") == pytest.approx(fit.log_likelihood, abs=LOG_LIKELIHOOD)
    theirs = lme4_names(lines)
    compare(theirs, fit, {k: k for k in theirs})


def test_statsmodels_script_runs(folder: Path) -> None:
    text = gm.translate(MODELS["time-varying"], "lavaan", data=data()).text
    made = gm.translate(text, "statsmodels", data=folder / "wide.csv", id="person", time="wave")
    answer = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", made.script],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr
    lines = [line.split("\t") for line in answer.stdout.splitlines()]
    fit = gm.fit(MODELS["time-varying"], data())
    assert value(lines, "logLik") == pytest.approx(fit.log_likelihood, abs=1e-4)
    ours = fit.estimates.set_index("name")
    for name, estimate, _ in rows(lines, "fixef"):
        spelled = {"Intercept": "(Intercept)"}.get(name.strip("'"), name.strip("'"))
        gap = abs(float(estimate) - ours.loc[spelled, "estimate"])
        assert gap / ours.loc[spelled, "std_error"] < 1e-2


def test_semopy_script_runs(folder: Path) -> None:
    complete = long_data(gaps=False)
    complete.to_csv(folder / "complete.csv", index=False)
    formula = f"score ~ wave * school + coach + iq + `{NASTY}` + (1 + wave | person)"
    made = gm.translate(formula, "semopy", data=folder / "complete.csv")
    answer = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", made.script],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr
    fit = gm.fit(formula, complete, engine="wide")
    words = [line.split() for line in answer.stdout.splitlines()]
    (chi_square,) = [float(word[1]) for word in words if word[0] == "chi_square"]
    assert chi_square == pytest.approx(fit.fit_measures["chi_square"], abs=1e-3)
    regressions = {(w[1], w[3]): float(w[4]) for w in words if len(w) > 4 and w[2] == "~"}
    ours = fit.estimates.set_index("name")
    for left, right in (("i", "iq"), ("i", "schoolwest"), ("s", "schoolsouth")):
        row = ours.loc[f"{left}~{right}"]
        assert abs(regressions[left, right] - row["estimate"]) / row["std_error"] < ESTIMATES
