"""``fixed=`` in ``fit`` and ``verify``, and ``--fixed`` on the command line."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import pandas as pd
import pytest

import growthmm as gm
from growthmm.cli import main
from growthmm.errors import SpecificationError, UnsupportedError

SEM = "\n".join(
    [
        "i =~ " + " + ".join(f"1*gpa_{j}" for j in range(6)),
        "s =~ " + " + ".join(f"{j}*gpa_{j}" for j in range(6)),
        *(f"gpa_{j} ~~ r*gpa_{j}" for j in range(6)),
    ]
)
FORMULA = "gpa ~ occasion + (1 + occasion | student)"


@cache
def _data() -> pd.DataFrame:
    return gm.datasets.gpa()[["student", "occasion", "gpa"]]


def _verify(fixed: dict[str, float]) -> object:
    return gm.verify(SEM, _data(), id="student", time="occasion", fixed=fixed)


def test_verify_holds_a_covariance_at_zero_on_both_sides() -> None:
    found = gm.verify(SEM, _data(), id="student", time="occasion", fixed={"i~~s": 0.0})
    plain = gm.fit("gpa ~ occasion + (1 + occasion || student)", _data())
    assert found.verdict == "identical"
    assert found.mixed_fit.log_likelihood == pytest.approx(plain.log_likelihood, abs=1e-7)
    assert found.sem_fit.n_parameters == plain.n_parameters


def test_verify_refuses_what_no_mixed_model_says() -> None:
    with pytest.raises(UnsupportedError, match="residual variances"):
        _verify({"r": 0.05})
    with pytest.raises(UnsupportedError, match="i~1 fixed at"):
        _verify({"i~1": 2.5})


def test_verify_names_a_parameter_that_is_not_there() -> None:
    with pytest.raises(SpecificationError, match="no free parameter 'nothing'"):
        _verify({"nothing": 0.0})
    with pytest.raises(SpecificationError, match="text says no fixed values"):
        gm.verify(FORMULA, _data(), fixed={"i~~s": 0.0})


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("held")
    _data().to_csv(folder / "gpa.csv", index=False)
    wide = gm.to_wide(_data(), id="student", time="occasion", values=["gpa"])
    pd.DataFrame(wide).to_csv(folder / "wide.csv", index=False)
    (folder / "model.lav").write_text(SEM, encoding="utf-8")
    return folder


def test_the_command_line_holds_parameters(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["fit", str(files / "model.lav"), "--data", str(files / "wide.csv"), "--json"]
    assert main([*words, "--fixed", "i~~s=0", "--fixed", "s~1=0.1"]) == 0
    found = json.loads(capsys.readouterr().out)
    wide = pd.read_csv(files / "wide.csv")
    expected = gm.fit(SEM, wide, fixed={"i~~s": 0.0, "s~1": 0.1})
    assert found["log_likelihood"] == pytest.approx(expected.log_likelihood, abs=1e-9)
    assert found["n_parameters"] == expected.n_parameters == 4


@pytest.mark.parametrize(
    ("pieces", "said"),
    [
        (["i~~s"], "is no parameter and value"),
        (["=0"], "is no parameter and value"),
        (["i~~s=zero"], "is no parameter and value"),
        (["i~~s=0", "i~~s=1"], "twice"),
    ],
)
def test_a_bad_value_is_one_message(
    files: Path, capsys: pytest.CaptureFixture[str], pieces: list[str], said: str
) -> None:
    words = ["fit", str(files / "model.lav"), "--data", str(files / "wide.csv")]
    for piece in pieces:
        words += ["--fixed", piece]
    assert main(words) == 2
    assert said in capsys.readouterr().err
