"""The R programs that lavaan models come with, run."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from reference import reference_folder

from growthmm.errors import UnboundError
from growthmm.model.schema import Column, ColumnPart, Schema, Variable
from growthmm.model.terms import Term
from growthmm.notation.base import DerivedColumn, ScriptContext
from growthmm.notation.lavaan.notation import NOTATION
from growthmm.notation.lavaan.read import read

OCCASIONS = tuple(float(k) for k in range(6))
GPA = tuple(f"gpa_{k}" for k in range(6))
LIB = tuple(f"lib_hours_{k}" for k in range(6))

LINEAR = (
    f"i =~ {' + '.join(f'1*{name}' for name in GPA)}\n"
    f"s =~ {' + '.join(f'{k}*{name}' for k, name in enumerate(GPA))}\n"
    + "\n".join(f"{name} ~~ r*{name}" for name in GPA)
)
VARYING = "\n".join(f"{y} ~ b*{x}" for y, x in zip(GPA, LIB, strict=True))


def _schema(*, varying: bool = False) -> Schema:
    return Schema(
        person="student",
        time="occasion",
        outcome="gpa",
        occasions=OCCASIONS,
        variables=(Variable("sex", "person_level", ("female", "male")),),
        outcome_columns=GPA,
        varying_columns=(("lib_hours", LIB),) if varying else (),
    )


def _run(script: str, folder: Path) -> dict[str, float]:
    file = folder / "script.R"
    file.write_text(script, encoding="utf-8")
    answer = subprocess.run(
        ["Rscript", "--vanilla", str(file)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr
    found = {}
    for line in answer.stdout.splitlines():
        if line.startswith("estimate\t"):
            _, name, estimate, error = line.split("\t")
            found[name], found[f"se {name}"] = float(estimate), float(error)
        elif line.startswith(("logLik", "npar", "nobs")):
            name, value = line.split()
            found[name] = float(value)
    return found


def _golden(case: str) -> dict[str, float]:
    import json

    file = reference_folder() / "golden" / f"{case}.json"
    sem = json.loads(file.read_text())["sem"]
    return {"logLik": sem["logLik"], "npar": sem["npar"], "nobs": sem["nobs"]}


CASES = {
    "A02_gpa_slope_homosced": ("A_gpa_long.csv", LINEAR, False),
    "A05_gpa_tvc_equal": ("A_gpa_long.csv", f"{LINEAR}\n{VARYING}", True),
    "A08_gpa_missing": ("A08_gpa_missing_long.csv", LINEAR, False),
}


@pytest.mark.r("lavaan")
@pytest.mark.parametrize("case", CASES)
def test_long_data_give_the_golden_likelihood(
    case: str, tmp_path: Path, reference_data: Path
) -> None:
    import pandas as pd

    file, text, varying = CASES[case]
    shuffled = pd.read_csv(reference_data / file).sample(frac=1, random_state=3)
    shuffled = shuffled[shuffled["gpa"].notna()]
    path = tmp_path / 'da"ta \\n.csv'
    shuffled.to_csv(path, index=False)
    context = ScriptContext(str(path), "long", _schema(varying=varying))
    found = _run(NOTATION.script(read(text), context), tmp_path)
    golden = _golden(case)
    assert found["logLik"] == pytest.approx(golden["logLik"], abs=1e-6)
    assert found["npar"] == golden["npar"]
    assert found["nobs"] == golden["nobs"]


@pytest.mark.r("lavaan")
def test_wide_data_and_derived_columns(tmp_path: Path, reference_data: Path) -> None:
    part = ColumnPart("C(sex)", 0, "male", "contrast")
    derived = (DerivedColumn("dummy", Column(Term(("C(sex)",)), (part,))),)
    model = read(f"{LINEAR}\ni + s ~ dummy")
    golden = _golden("A04_gpa_sex_covariate")["logLik"]
    for layout, file in (("wide", "A_gpa_wide.csv"), ("long", "A_gpa_long.csv")):
        context = ScriptContext(str(reference_data / file), layout, _schema(), derived)
        found = _run(NOTATION.script(model, context), tmp_path)
        assert found["logLik"] == pytest.approx(golden, abs=1e-6)


@pytest.mark.r("lavaan")
def test_a_varying_covariate_missing_with_its_outcome_costs_no_person(
    tmp_path: Path, reference_data: Path
) -> None:
    import pandas as pd

    data = pd.read_csv(reference_data / "A08_gpa_missing_long.csv")
    data.loc[data["gpa"].isna(), "lib_hours"] = None
    model = read(f"{LINEAR}\n{VARYING}")
    likelihoods = []
    for k, frame in enumerate((data, data[data["gpa"].notna()])):
        path = tmp_path / f"{k}.csv"
        frame.to_csv(path, index=False)
        context = ScriptContext(str(path), "long", _schema(varying=True))
        found = _run(NOTATION.script(model, context), tmp_path)
        assert found["nobs"] == 194
        likelihoods.append(found["logLik"])
    assert likelihoods[0] == pytest.approx(likelihoods[1], abs=1e-8)


def test_long_data_need_a_schema() -> None:
    with pytest.raises(UnboundError, match="long data"):
        NOTATION.script(read(LINEAR), ScriptContext("d.csv", "long"))
