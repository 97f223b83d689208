"""The commands test, intervals, variance, simulate and study: what they print, and refusals."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import growthmm as gm
from growthmm.cli import main

SLOPE = "gpa ~ occasion * sex + (occasion | student)"
BARE = "score ~ week * group + (1 | pupil)"
TRUE = ("(Intercept)=10", "week=1", "groupnew=0", "week:groupnew=0.5", "var((Intercept)|pupil)=4")
PLAN = [
    *("--time", "week", "--time-values", "0,1,2", "--covariate", "group=control,new"),
    *(word for text in (*TRUE, "var(Residual)=1") for word in ("--parameter", text)),
]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("inferring") / "gpa.csv"
    gm.datasets.gpa().to_csv(place, index=False)
    return place


def answered(capsys: pytest.CaptureFixture[str], *words: object) -> dict[str, Any]:
    status = main([*map(str, words), "--json"])
    said = capsys.readouterr()
    assert (status, said.err) == (0, "")
    found = json.loads(said.out, parse_constant=lambda word: pytest.fail(f"{word} in JSON"))
    assert isinstance(found, dict)
    return found


def refused(capsys: pytest.CaptureFixture[str], *words: object) -> str:
    assert main([str(word) for word in words]) == 2
    return capsys.readouterr().err


def test_tests(capsys: pytest.CaptureFixture[str], data: Path) -> None:
    words = ("--data", data, "--estimator", "reml", "--df", "satterthwaite")
    fit = gm.fit(SLOPE, gm.datasets.gpa(), estimator="reml", df="satterthwaite")
    found = answered(capsys, "test", SLOPE, *words)
    assert found["tests"] == []
    assert found["effects"] is None
    assert found["terms"] == gm.test_terms(fit).to_dict()
    asked = ("sexmale = 0, occasion:sexmale = 0", "--effects", "occasion", "--terms", "I")
    found = answered(capsys, "test", SLOPE, asked[0], *words, *asked[1:])
    assert found["tests"][0]["p_value"] == pytest.approx(gm.test(fit, asked[0]).p_value)
    assert found["terms"]["sums"] == "I"
    assert found["effects"]["distribution"] == "0.5*chi2(1) + 0.5*chi2(2)"
    assert main(["test", SLOPE, "occasion:sex", "--data", str(data), "--kind", "lrt"]) == 0
    assert "lrt statistic" in capsys.readouterr().out


def test_intervals(capsys: pytest.CaptureFixture[str], data: Path) -> None:
    fit = gm.fit(SLOPE, gm.datasets.gpa())
    for method in ("wald", "profile"):
        found = answered(capsys, "intervals", SLOPE, "--data", data, "--method", method)
        table = fit.confidence_intervals(method)
        assert [row["ci_low"] for row in found["rows"]] == pytest.approx(
            [None if pd.isna(low) else low for low in table["ci_low"]]
        )
    words = ("--method", "bootstrap", "--kind", "case", "--n-simulations", 8, "--workers", 1)
    found = answered(capsys, "intervals", SLOPE, "--data", data, *words, "--seed", 3)
    options = {"kind": "case", "n_simulations": 8, "workers": 1, "seed": 3}
    table = fit.confidence_intervals("bootstrap", **options)
    assert found["rows"][1]["ci_high"] == pytest.approx(table["ci_high"][1])


def test_variance(capsys: pytest.CaptureFixture[str], data: Path) -> None:
    words = ("--data", data, "--estimator", "reml", "--r2beta")
    found = answered(capsys, "variance", SLOPE, *words)
    fit = gm.fit(SLOPE, gm.datasets.gpa(), estimator="reml")
    assert found["r_squared"]["conditional"] == pytest.approx(gm.r_squared(fit).conditional)
    assert found["icc"]["adjusted"] == pytest.approx(gm.icc(fit).adjusted)
    assert found["r2beta"][0]["effect"] == "Model"
    assert main(["variance", SLOPE, *map(str, words)]) == 0
    assert "ICC adjusted" in capsys.readouterr().out


def test_samples(capsys: pytest.CaptureFixture[str], data: Path, tmp_path: Path) -> None:
    assert main(["simulate", BARE, "--n-subjects", "4", *PLAN]) == 0
    sample = pd.read_csv(io.StringIO(capsys.readouterr().out))
    assert list(sample) == ["pupil", "week", "group", "score"]
    assert sample["group"].tolist() == ["control"] * 3 + ["new"] * 3 + ["control"] * 3 + ["new"] * 3
    design = tmp_path / "design.csv"
    sample.drop(columns="score").to_csv(design, index=False)
    given = PLAN[6:]
    found = answered(capsys, "simulate", BARE, "--design", design, "--time", "week", *given)
    assert len(found["rows"]) == 12
    target = tmp_path / "sample.csv"
    words = ("--data", data, "--n-subjects", 20, "--seed", 2, "--parameter", "occasion=0.2")
    assert main([*map(str, ("simulate", SLOPE, *words, "--output", target))]) == 0
    fit = gm.fit(SLOPE, gm.datasets.gpa())
    own = gm.simulate(fit, 20, parameters={"occasion": 0.2}, seed=2)
    pd.testing.assert_frame_equal(pd.read_csv(target), own, check_dtype=False)


def test_studies(capsys: pytest.CaptureFixture[str], data: Path) -> None:
    words = ("--n-simulations", 10, "--workers", 1, "--estimator", "reml", "--df", "satterthwaite")
    found = answered(capsys, "study", BARE, "--n-subjects", "10,20", *PLAN, *words)
    assert [one["n_subjects"] for one in found["studies"]] == [10, 20]
    assert found["studies"][0]["rows"][3]["name"] == "week:groupnew"
    assert found["studies"][0]["rows"][4]["power"] is None
    found = answered(capsys, "study", SLOPE, "--data", data, "--n-subjects", 30, *words)
    assert found["studies"][0]["n_simulations"] == 10


def test_compare_by_prediction(capsys: pytest.CaptureFixture[str], data: Path) -> None:
    models = ("gpa ~ occasion + (1 | student)", "gpa ~ occasion + (occasion | student)")
    words = ("--data", data, "--conditional", "--folds", 3)
    found = answered(capsys, "compare", *models, *words)
    assert found["conditional"][1]["delta_caic"] == 0
    assert found["conditional"][1]["df"] == pytest.approx(
        gm.conditional_aic(gm.fit(models[1], gm.datasets.gpa())).df
    )
    assert found["cross_validation"][1]["log_score"] > found["cross_validation"][0]["log_score"]
    assert main(["compare", *models, *map(str, words), "--engine", "wide"]) == 0
    assert "is of a structural equation model" in capsys.readouterr().out
    assert "1 folds" in refused(capsys, "compare", *models, "--data", data, "--folds", 1)


def test_refusals(capsys: pytest.CaptureFixture[str], data: Path) -> None:
    where = ("--data", data)
    assert "none are named" in refused(capsys, "test", SLOPE, *where, "--exact")
    assert "'IV'" in refused(capsys, "test", SLOPE, *where, "--terms", "IV")
    assert "no test 'f'" in refused(capsys, "test", SLOPE, "occasion", *where, "--kind", "f")
    assert "no probability" in refused(capsys, "intervals", SLOPE, *where, "--level", 95)
    assert "REML" in refused(capsys, "variance", SLOPE, *where, "--r2beta")
    assert "no times" in refused(capsys, "simulate", BARE, "--n-subjects", 5, "--time", "week")
    assert "5.5" in refused(capsys, "simulate", BARE, "--n-subjects", 5.5)
    assert "one number" in refused(capsys, "simulate", BARE, "--n-subjects", "5,6", *PLAN)
    assert "no name and values" in refused(capsys, "simulate", BARE, "--covariate", "group")
    assert "--parameter 'week'" in refused(capsys, "study", BARE, "--parameter", "week")
    assert "--covariate" in refused(capsys, "study", SLOPE, *where, "--covariate", "sex=a")
    assert "--bounds" in refused(capsys, "study", BARE, *PLAN, "--bounds", "psd")
