"""Other estimators of the fixed effects, against plm, sandwich, geepack, lme4 and clubSandwich."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from r_reference import differences, kept, live
from reference import reference_folder

import growthmm as gm
from growthmm.errors import UnsupportedEngineError
from growthmm.inference.alternatives.answer import Answer
from growthmm.inference.alternatives.result import Alternatives
from growthmm.inference.alternatives.rows import Rows, independent
from growthmm.inference.alternatives.within import extended_rows, within

CASES = {
    "missing": (
        "gpa ~ occasion * sexmale + lib_hours + (occasion | student)",
        "A08_gpa_missing_long.csv",
    ),
    "complete": ("gpa ~ occasion + lib_hours + (occasion | student)", "A_gpa_long.csv"),
    "sleep": ("Reaction ~ Days + (Days | Subject)", "B_sleepstudy_long.csv"),
}
R_PACKAGES = ("plm", "sandwich", "geepack", "lme4", "clubSandwich", "jsonlite")


@cache
def found(case: str) -> Alternatives:
    formula, file = CASES[case]
    return gm.alternatives(formula, pd.read_csv(reference_folder() / "data" / file))


def close(answer: Answer, reference: dict[str, Any], tolerance: float) -> None:
    """Estimates over standard errors, and standard errors relative."""
    assert set(answer.names) == set(reference["estimate"])
    for name, value in reference["estimate"].items():
        estimate, error = answer.coefficient(name)
        theirs = reference["std_error"][name]
        assert abs(estimate - value) / theirs < tolerance, name
        assert abs(error / theirs - 1) < tolerance, name


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("method", ["within", "pooled", "gee_ar1"])
def test_estimates_and_standard_errors_are_those_of_r(case: str, method: str) -> None:
    close(found(case)[method], kept("alternatives")[case][method], 2e-7)


@pytest.mark.parametrize("case", CASES)
def test_mundlak_is_lme4s_random_intercept_with_means(case: str) -> None:
    device, reference = found(case).mundlak, kept("alternatives")[case]["mundlak"]
    assert device is not None
    close(device.answer, reference, 1e-5)
    if reference["df"]:
        assert device.df == reference["df"]
        assert device.statistic == pytest.approx(reference["wald"], rel=1e-5)
    else:
        assert np.isnan(device.statistic)


@pytest.mark.parametrize("case", CASES)
def test_mundlak_is_the_within_estimator(case: str) -> None:
    device, fixed = found(case).mundlak, found(case)["within"]
    assert device is not None
    assert device.max_difference < 1e-10
    for name, value in zip(fixed.names, fixed.estimates, strict=True):
        assert abs(device.answer.coefficient(name)[0] - value) < 1e-10 * max(1.0, abs(value))


@pytest.mark.parametrize("case", CASES)
def test_the_working_correlation_over_time_is_geepacks(case: str) -> None:
    alpha = kept("alternatives")[case]["gee_ar1"]["alpha"]["alpha"]
    assert dict(found(case)["gee_ar1"].working)["correlation"] == pytest.approx(alpha, abs=1e-8)


@pytest.mark.parametrize("case", ["missing", "complete"])
@pytest.mark.parametrize("method", ["gee_exchangeable", "gee_unstructured"])
def test_other_equations_differ_from_geepacks_by_the_working_correlation_alone(
    case: str, method: str
) -> None:
    """statsmodels takes p off its divisors, and standardises each occasion by itself."""
    from statsmodels.genmod.cov_struct import CovStruct
    from statsmodels.genmod.generalized_estimating_equations import GEE

    reference = kept("alternatives")[case][method]
    frame = pd.read_csv(reference_folder() / "data" / CASES[case][1]).dropna(subset=["gpa"])
    names = found(case)["pooled"].names
    columns = {"(Intercept)": np.ones(len(frame)), "occasion:sexmale": 0.0}
    if "sexmale" in frame:
        columns["occasion:sexmale"] = frame["occasion"] * frame["sexmale"]
    design = np.column_stack([columns.get(n, frame.get(n)) for n in names])
    matrix = np.eye(6)
    for name, value in reference["alpha"].items():
        if name == "alpha":
            matrix[:] = np.where(np.eye(6) == 1, 1.0, value)
        else:
            a, b = (int(t) - 1 for t in name.removeprefix("alpha.").split(":"))
            matrix[a, b] = matrix[b, a] = value

    class Held(CovStruct):
        def update(self, params: np.ndarray) -> None:
            pass

        def covariance_matrix(self, _: np.ndarray, index: int) -> tuple[np.ndarray, bool]:
            at = self.model.time_li[index][:, 0].astype(int)
            return matrix[np.ix_(at, at)], True

    fit = GEE(
        frame["gpa"].to_numpy(),
        design,
        groups=frame["student"].to_numpy(),
        time=frame["occasion"].to_numpy(),
        cov_struct=Held(),
    ).fit(maxiter=200, ctol=1e-12)
    held = Answer(method, names, fit.params, fit.bse, 0, 0)
    close(held, reference, 1e-6)
    ours = found(case)[method]
    apart = [
        abs(ours.coefficient(n)[0] - v) / reference["std_error"][n]
        for n, v in reference["estimate"].items()
    ]
    assert max(apart) > 1e-6
    if method == "gee_exchangeable":
        assert max(apart) < 0.02


def test_the_curve_has_the_mixed_models_effects() -> None:
    for case in CASES:
        table = found(case).table
        gaps = table[table["method"] == "sem"]["difference_in_se"]
        assert len(gaps) == len(found(case)["mixed"].names)
        assert gaps.abs().max() < 1e-6


def test_with_one_row_short_of_balance_estimators_part() -> None:
    """On complete data without covariates that vary, all but AR(1) and unstructured agree."""
    table = gm.alternatives("gpa ~ occasion + (occasion | student)", gm.datasets.gpa()).table
    slope = table[table["name"] == "occasion"].set_index("method")["difference_in_se"]
    same = ["sem", "within", "mundlak", "pooled", "gee_exchangeable"]
    assert slope[same].abs().max() < 1e-9
    assert slope[["gee_ar1", "gee_unstructured"]].abs().min() > 0.01


def test_a_confounder_that_is_stable_hurts_all_but_within_and_mundlak() -> None:
    rng = np.random.default_rng(3)
    n, t = 120, 4
    person = np.repeat(np.arange(n), t)
    stable = rng.normal(size=n)[person]
    x = 0.8 * stable + rng.normal(size=n * t)
    time = np.tile(np.arange(float(t)), n)
    y = 1.0 + 0.2 * time + 0.5 * x + 1.5 * stable + rng.normal(size=n * t)
    data = pd.DataFrame({"id": person, "time": time, "x": x, "y": y})
    result = gm.alternatives("y ~ time + x + (1 | id)", data, time="time")
    away = {
        answer.method: (answer.coefficient("x")[0] - 0.5) / answer.coefficient("x")[1]
        for answer in result.answers
    }
    assert abs(away["within"]) < 3
    assert abs(away["mundlak"]) < 3
    assert min(away[m] for m in ("mixed", "pooled", "gee_exchangeable")) > 3
    assert result.mundlak is not None
    assert result.mundlak.p_value < 1e-6


@given(st.integers(0, 10_000))
@settings(max_examples=10)
def test_means_give_the_within_estimates_whatever_the_design(seed: int) -> None:
    """Unbalanced rows, a column collinear within persons, one that is constant in them."""
    rng = np.random.default_rng(seed)
    counts = rng.integers(1, 6, size=12)
    person = np.repeat(np.arange(12), counts)
    time = np.concatenate([np.arange(float(n)) for n in counts])
    start = rng.normal(size=12)[person]
    design = np.column_stack(
        [np.ones(len(person)), time, start + time, start**2, rng.normal(size=len(person))]
    )
    y = rng.normal(size=len(person)) + start
    rows = Rows(y, design, ("one", "time", "age", "level", "x"), person)
    fixed, extended = within(rows), extended_rows(rows)
    assert fixed.names == ("time", "x")
    solved = np.linalg.lstsq(extended.design, extended.outcome, rcond=None)[0]
    for name, value in zip(fixed.names, fixed.estimates, strict=True):
        assert solved[extended.names.index(name)] == pytest.approx(value, abs=1e-10)


def test_independent_columns_do_not_depend_on_units() -> None:
    rng = np.random.default_rng(1)
    columns = rng.normal(size=(30, 3))
    columns = np.column_stack([columns, columns @ [1.0, 2.0, 3.0]])
    assert independent(columns * [1e-8, 1.0, 1e8, 1e4]) == [0, 1, 2]


def test_a_sem_of_wide_data_gives_the_same() -> None:
    frame = pd.read_csv(reference_folder() / "data" / "A08_gpa_missing_wide.csv")
    names = [f"gpa_{t}" for t in range(6)]
    text = "i =~ " + " + ".join(f"1*{y}" for y in names) + "\ns =~ "
    text += " + ".join(f"{t}*{y}" for t, y in enumerate(names)) + "\n"
    text += "\n".join(f"{y} ~~ v*{y}" for y in names)
    wide = gm.alternatives(text, frame).table
    long = gm.alternatives(
        "gpa ~ occasion + (occasion | student)",
        pd.read_csv(reference_folder() / "data" / "A08_gpa_missing_long.csv"),
    ).table
    assert wide["method"].tolist() == long["method"].tolist()
    gap = (wide["estimate"] - long["estimate"]).abs() / long["std_error"]
    assert gap.max() < 1e-6


def test_a_model_without_a_second_form_says_why() -> None:
    data = gm.datasets.gpa()
    data = data.assign(school=data["student"] % 20, x=np.arange(1200) % 7 / 3.0)
    result = gm.alternatives(
        "gpa ~ occasion + (occasion | student) + (0 + occasion:lib_hours | student)", data
    )
    assert result["mixed"].reason == ""
    assert result["within"].reason == ""
    assert result["sem"].reason


def refused(match: str, formula: str, data: object, **options: Any) -> None:
    with pytest.raises(UnsupportedEngineError, match=match):
        gm.alternatives(formula, data, **options)


def test_refusals_say_why() -> None:
    data = gm.datasets.gpa()
    wide = gm.to_wide(data.drop(columns="lib_hours"), id="student", time="occasion", values="gpa")
    names = [f"gpa_{t}" for t in range(6)]
    moments = gm.Moments(wide[names].mean(), wide[names].cov(), len(wide))
    text = "i =~ " + " + ".join(f"1*{y}" for y in names)
    refused("Moments have no rows", text, moments)
    basis = "i =~ " + " + ".join(f"1*{y}" for y in names)
    basis += "\ns =~ 0*gpa_0 + gpa_1 + gpa_2 + gpa_3 + gpa_4 + 1*gpa_5"
    refused("estimates loadings", basis, wide)
    clustered = data.assign(school=data["student"] % 20)
    refused(
        "stand in school",
        "gpa ~ occasion + (occasion | student) + (1 | school)",
        clustered,
        id="student",
        time="occasion",
    )
    two = pd.concat(
        [data.assign(of="a"), data.assign(of="b", gpa=data["gpa"] * 2)], ignore_index=True
    )
    refused("2 outcomes", "gpa ~ 0 + of + of:occasion + (0 + of | student)", two, time="occasion")


def test_estimators_that_do_not_apply_say_why() -> None:
    rng = np.random.default_rng(5)
    n = 40
    data = pd.DataFrame(
        {
            "id": np.repeat(np.arange(n), 3),
            "age": np.sort(rng.uniform(0, 3, size=(n, 3)), axis=1).ravel(),
            "y": rng.normal(size=3 * n),
        }
    )
    result = gm.alternatives("y ~ age + (1 | id)", data)
    assert "distinct times" in result["gee_unstructured"].reason
    assert result["gee_ar1"].reason == ""
    level = data.assign(group=(data["id"] % 2).astype(float))
    nothing = gm.alternatives("y ~ group + (1 | id)", level)
    assert "no column" in nothing["within"].reason
    assert nothing.mundlak is None
    assert "time=" in nothing["gee_ar1"].reason


def test_summary_and_tables_hold_every_estimator() -> None:
    result = found("missing")
    text = result.summary()
    for answer in result.answers:
        assert answer.reason == ""
    assert "fixed effects (within)" in text
    assert "absorbed: (Intercept), sexmale" in text
    assert "34 of 194 persons have one row" in result["within"].note
    assert result.to_markdown().count("\n") >= len(result.table)
    assert set(result.methods["method"]) == {answer.method for answer in result.answers}


@pytest.mark.r(*R_PACKAGES)
@pytest.mark.nightly
def test_r_still_says_what_was_kept() -> None:
    assert differences(kept("alternatives"), live("alternatives"), 1e-6) == []
