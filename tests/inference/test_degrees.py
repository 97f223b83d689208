"""Degrees of freedom against lmerTest and pbkrtest, sandwiches against clubSandwich."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
from r_reference import differences, kept, live
from reference import case, long_frame

import growthmm as gm
from growthmm.errors import SpecificationError, UnsupportedEngineError
from growthmm.inference.degrees.method import degrees_of
from growthmm.inference.result import FitResult

MODELS = {
    "sleep": ("Reaction ~ Days + (Days | Subject)", "B_sleepstudy_long.csv"),
    "sleep_intercept": ("Reaction ~ Days + (1 | Subject)", "B_sleepstudy_long.csv"),
    "missing": (
        "gpa ~ occasion * sexmale + (1 + occasion | student)",
        "A08_gpa_missing_long.csv",
    ),
    "tvc": ("gpa ~ occasion + lib_hours + (1 + occasion | student)", "A_gpa_long.csv"),
    "few": ("gpa ~ occasion * sexmale + (1 + occasion | student)", "A08_gpa_missing_long.csv"),
    "uncorrelated": (
        "gpa ~ occasion + sexmale + (1 + occasion || student)",
        "A08_gpa_missing_long.csv",
    ),
    "unbalanced": ("y ~ time + (time | id)", "E02_unbalanced_long.csv"),
}
SLEEP = "Reaction ~ Days + (Days | Subject)"


def data(name: str) -> pd.DataFrame:
    frame = long_frame(MODELS[name][1])
    return frame[frame["student"] <= 36] if name in ("few", "uncorrelated") else frame


@cache
def fitted(name: str, **options: Any) -> FitResult:
    return gm.fit(MODELS[name][0], data(name), **options)


def column(result: FitResult, what: str) -> dict[str, float]:
    frame = result.estimates
    return dict(zip(frame["name"], frame[what], strict=True))


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize(
    ("key", "method", "estimator"),
    [
        ("satterthwaite", "satterthwaite", "reml"),
        ("satterthwaite_ml", "satterthwaite", "ml"),
        ("kenward_roger", "kenward-roger", "reml"),
    ],
)
def test_coefficients(name: str, key: str, method: str, estimator: str) -> None:
    result = fitted(name, df=method, estimator=estimator)
    df, error, p_value = (column(result, c) for c in ("df", "std_error", "p_value"))
    for coefficient, row in kept("degrees")[name][key].items():
        # lme4's search ends at 1e-5 of a standard error, its p-values far out at 1e-3.
        assert df[coefficient] == pytest.approx(row["df"], rel=1e-4)
        assert error[coefficient] == pytest.approx(row["Std. Error"], rel=5e-5)
        assert p_value[coefficient] == pytest.approx(row["Pr(>|t|)"], rel=5e-3)


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("method", ["satterthwaite", "kenward-roger"])
def test_f_tests_of_all_slopes(name: str, method: str) -> None:
    result = fitted(name, estimator="reml")
    found = degrees_of(result.fit, result.data.problem, method)
    contrasts = np.eye(len(found.covariance))[1:]
    estimates = result.fit.estimates[1 : 1 + len(contrasts)]
    statistic, df = found.f_test(estimates, contrasts)
    golden = kept("degrees")[name]["f_" + method.replace("-", "_")]
    assert statistic == pytest.approx(golden["F value"], rel=1e-4)
    assert df == pytest.approx(golden["DenDF"], rel=1e-4)


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("kind", ["cr0", "cr2"])
def test_sandwiches(name: str, kind: str) -> None:
    result = fitted(name, robust=kind, estimator="reml")
    golden = kept("degrees")[name]
    error, df = column(result, "std_error"), column(result, "df")
    for coefficient, value in golden[kind].items():
        assert error[coefficient] == pytest.approx(value, rel=2e-5)
        if kind == "cr2":
            assert df[coefficient] == pytest.approx(golden["cr2_df"][coefficient], rel=5e-5)


@pytest.mark.parametrize("name", ["missing", "few", "uncorrelated"])
def test_the_corrected_sandwich_is_the_same_for_a_growth_curve(name: str) -> None:
    mixed, sem = fitted(name, robust="cr2"), fitted(name, robust="cr2", engine="wide")
    means = sem.estimates["kind"].isin(["mean", "regression"])
    for what in ("std_error", "df"):
        ours = sorted(sem.estimates.loc[means, what])
        theirs = sorted(mixed.estimates.loc[mixed.estimates["kind"] == "fixed", what])
        np.testing.assert_allclose(ours, theirs, rtol=1e-8)


@pytest.mark.parametrize(("name", "formula"), [("B01", SLEEP), ("A04", None)])
def test_golden_satterthwaite(name: str, formula: str | None) -> None:
    golden = case("N01_extras")["satterthwaite"][name]
    if formula is None:
        formula = "gpa ~ occasion * sexmale + (1 + occasion | student)"
        frame = long_frame("A_gpa_long.csv")
    else:
        frame = long_frame("B_sleepstudy_long.csv")
    result = gm.fit(formula, frame, estimator="reml", df="satterthwaite")
    df, p_value = column(result, "df"), column(result, "p_value")
    for coefficient, row in golden.items():
        assert df[coefficient] == pytest.approx(row["df"], rel=1e-6)
        assert p_value[coefficient] == pytest.approx(row["Pr(>|t|)"], rel=1e-4)


def test_intervals_and_plain_values_follow() -> None:
    result = fitted("sleep", estimator="reml", df="kenward-roger")
    row = result.estimates.set_index("name").loc["Days"]
    assert row["df"] == pytest.approx(17.0)
    assert row["ci_high"] - row["estimate"] == pytest.approx(2.1098156 * row["std_error"], rel=1e-6)
    plain = {r["name"]: r for r in result.to_dict()["estimates"]}
    assert plain["Days"]["df"] == pytest.approx(17.0)
    assert plain["var(Days|Subject)"]["df"] is None
    assert result.to_dict()["df"] == "kenward-roger"
    assert " df " in result.summary()


def test_residual_structures_and_held_parameters_have_degrees_of_freedom() -> None:
    frame = data("few")
    for method in ("satterthwaite", "kenward-roger"):
        ar1 = gm.fit(MODELS["few"][0], frame, residual="ar1", estimator="reml", df=method)
        assert np.all(ar1.degrees[:4] > 4)
    fit = fitted("sleep", estimator="reml")
    variance = fit.fit.value("var(Residual)")
    held = gm.fit(
        SLEEP,
        data("sleep"),
        estimator="reml",
        df="satterthwaite",
        fixed={"var(Residual)": variance},
    )
    # Balanced data: the variance of either effect is estimated by the persons' own alone.
    assert held.degrees[:2] == pytest.approx([17.0, 17.0], rel=1e-6)


def test_a_singular_fit_has_degrees_of_freedom() -> None:
    frame = long_frame("K_singular_long.csv")
    found = gm.fit("y ~ time + (time | id)", frame, estimator="reml", df="satterthwaite")
    assert found.boundary.at_boundary
    assert np.all(found.degrees[:2] > 10)


def test_refusals_say_why() -> None:
    frame = data("sleep")
    with pytest.raises(UnsupportedEngineError, match="REML"):
        gm.fit(SLEEP, frame, df="kenward-roger")
    with pytest.raises(UnsupportedEngineError, match="fit by wide"):
        gm.fit(SLEEP, frame, df="satterthwaite", engine="wide")
    with pytest.raises(SpecificationError, match="'kr'"):
        gm.fit(SLEEP, frame, df="kr")  # type: ignore[arg-type]
    with pytest.raises(SpecificationError, match="robust='cr0'"):
        gm.fit(SLEEP, frame, df="satterthwaite", robust="cr0")


@pytest.mark.r("lmerTest", "pbkrtest", "clubSandwich", "jsonlite")
@pytest.mark.nightly
def test_the_kept_output_is_what_r_says() -> None:
    assert differences(kept("degrees"), live("degrees"), 1e-4) == []
