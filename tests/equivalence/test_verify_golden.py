"""Verification of the reference cases: verdicts, and every engine against the golden numbers."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Literal

import numpy as np
import pytest
from reference import CASES, Case, case, exact, reference_folder

import growthmm as gm
from growthmm.cli import main
from growthmm.equivalence.result import Equivalence

reference_folder()

IDENTICAL = (
    *("A01", "A01b", "A02", "A03", "A04", "A05", "A06b", "A07", "A08", "A08c"),
    *("B01", "D01", "F03"),
)
BOUNDARY = ["A06", "K01", "K02"]
SLOW_WITNESS = {"D01", "F03"}
"""Where MixedLM alone takes seconds; it is asked there by the nightly run."""

Source = Literal["formula", "wide", "long"]
OURS = ("long",)


@cache
def verified(
    name: str,
    source: Source = "formula",
    estimator: str = "ml",
    bounds: str | None = None,
    engines: tuple[str, ...] | None = OURS,
) -> Equivalence:
    """One verification, shared by the tests; by our engines alone unless told otherwise."""
    entry = CASES[name]
    options = {"id": entry.id, "estimator": estimator, "bounds": bounds, "engines": engines}
    if source == "formula":
        return gm.verify(
            entry.formula, entry.long_frame(), time=entry.time, residual=entry.residual, **options
        )
    if source == "wide":
        return gm.verify(entry.lavaan, entry.wide_frame(), **options)
    return gm.verify(
        entry.lavaan, entry.long_frame(), time=entry.time, outcome=entry.outcome, **options
    )


def witnessed(name: str) -> Equivalence:
    return verified(name, engines=("semopy",) if name in SLOW_WITNESS else None)


def our_name(golden: str, entry: Case) -> str:
    """A golden parameter's name in the mixed model."""
    found = re.fullmatch(r"G\[(.+),(.+?)\]", golden)
    if found:
        a, b = found.groups()
        inner = a if a == b else f"{a},{b}"
        return f"{'var' if a == b else 'cov'}({inner}|{entry.id})"
    found = re.fullmatch(r"R\[(.+)\]", golden)
    if found:
        level = found.group(1)
        return "var(Residual)" if level == "resid" else f"var(Residual[{level}])"
    return golden


def assert_close(
    result: Equivalence, entry: Case, engine: str, golden: dict[str, float], what: str
) -> None:
    rows = {row["mixed_name"]: row for row in result.to_dict()["parameters"]}
    assert golden
    for name, value in golden.items():
        found = rows[our_name(name, entry)][what][engine]
        assert found == pytest.approx(value, rel=1e-5, abs=1e-12), (engine, what, name)


@pytest.mark.parametrize("name", IDENTICAL)
def test_identical_from_the_formula(name: str) -> None:
    result = witnessed(name)
    assert (result.verdict, result.model_verdict) == ("identical", "identical_if")
    assert [level.passed for level in result.levels] == [True] * 6
    assert "positive semi-definite" in result.conditions[0]


@pytest.mark.parametrize("source", ["wide", "long"])
@pytest.mark.parametrize("name", IDENTICAL)
def test_identical_from_lavaan_text(name: str, source: Source) -> None:
    result = verified(name, source)
    assert (result.verdict, result.model_verdict) == ("identical", "identical_if")
    assert result.mixed_fit.log_likelihood == pytest.approx(
        exact(name, "ml")["log_likelihood"], abs=1e-6
    )


@pytest.mark.parametrize("estimator", ["ml", "reml"])
@pytest.mark.parametrize("name", IDENTICAL)
def test_our_engines_against_the_dense_referee(name: str, estimator: str) -> None:
    result = witnessed(name) if estimator == "ml" else verified(name, estimator=estimator)
    golden = exact(name, estimator)  # type: ignore[arg-type]
    assert result.verdict == "identical"
    for engine, fit in (("long", result.mixed_fit), ("wide", result.sem_fit)):
        assert fit.log_likelihood == pytest.approx(golden["log_likelihood"], abs=1e-6)
        assert_close(result, CASES[name], engine, golden["estimates"], "estimate")
        assert_close(result, CASES[name], engine, golden["se_expected"], "std_error")


@pytest.mark.parametrize("name", IDENTICAL)
def test_semopy_agrees_where_it_can_fit(name: str) -> None:
    result = witnessed(name)
    report = next(r for r in result.reports if r.name == "semopy")
    if not CASES[name].complete:
        assert not report.used
        assert "complete data" in report.reason
        return
    assert report.used, report.reason
    assert_within(result, "semopy", 1e-3)
    assert report.se_difference is not None
    assert report.se_difference < 1e-5


@pytest.mark.parametrize(
    "name",
    [pytest.param(n, marks=pytest.mark.nightly if n in SLOW_WITNESS else ()) for n in IDENTICAL],
)
def test_statsmodels_agrees_where_it_can_fit(name: str) -> None:
    result = verified(name, engines=None)
    report = next(r for r in result.reports if r.name == "statsmodels")
    if name == "A03":
        assert not report.used
        assert "one residual variance" in report.reason
        return
    assert report.used, report.reason
    assert_within(result, "statsmodels", 1e-2)
    assert report.se_difference is not None
    assert report.se_difference < 1e-3


def assert_within(result: Equivalence, engine: str, units: float) -> None:
    for row in result.to_dict()["parameters"]:
        difference = abs(row["estimate"][engine] - row["estimate"]["long"])
        assert difference < units * row["std_error"]["long"], row["mixed_name"]


def test_every_observed_outcome_is_used_whatever_the_program_drops() -> None:
    result = verified("A08", "wide")
    assert (result.sem_fit.n_subjects, result.sem_fit.n_rows) == (194, 699)
    assert result.mixed_fit.n_rows == 699


OFFENDERS = {
    "A06": ("cor(occasion|student, I(occasion^2)|student) = -0.99984", "s and q is -1.00698"),
    "K01": ("cor((Intercept)|id, time|id) = -1", "s~~s is negative (-0.01114"),
    "K02": ("var(time|id) = 0", "s~~s is negative (-0.005314"),
}


@pytest.mark.parametrize("name", BOUNDARY)
def test_boundary_names_both_optima(name: str) -> None:
    result = verified(name, engines=None)
    assert (result.verdict, result.model_verdict) == ("different_estimator", "identical_if")
    bounded, unbounded = result.optima
    for optimum, golden in (
        (bounded, case(name)["mixed"]["ml"]["logLik"]),
        (unbounded, exact(name, "ml")["log_likelihood"]),
    ):
        assert set(optimum.log_likelihood) == {"long", "wide"}
        for value in optimum.log_likelihood.values():
            assert value == pytest.approx(golden, abs=1e-6)
            assert f"{golden:.6f}" in result.reason
    for offender in OFFENDERS[name]:
        assert offender in result.reason
    assert [level.passed for level in result.levels] == [True, True, True, False, False, True]
    assert "different parameter spaces" in result.levels[3].note


@pytest.mark.parametrize("name", BOUNDARY)
@pytest.mark.parametrize("source", ["wide", "long"])
def test_boundary_from_the_other_side(name: str, source: Source) -> None:
    result = verified(name, source)
    assert (result.verdict, result.model_verdict) == ("different_estimator", "identical_if")


@pytest.mark.parametrize("name", BOUNDARY)
def test_restricted_boundary(name: str) -> None:
    result = verified(name, estimator="reml")
    golden = case(name)["mixed"]["reml"]["logLik"]
    assert result.verdict == "different_estimator"
    assert result.mixed_fit.log_likelihood == pytest.approx(golden, abs=1e-6)
    assert result.sem_fit.log_likelihood > golden + 1e-3


@pytest.mark.parametrize("bounds", ["psd", "none"])
@pytest.mark.parametrize("name", BOUNDARY)
def test_one_space_for_both_is_one_model(name: str, bounds: str) -> None:
    result = verified(name, bounds=bounds)
    golden = (
        case(name)["mixed"]["ml"]["logLik"]
        if bounds == "psd"
        else exact(name, "ml")["log_likelihood"]
    )
    assert (result.verdict, result.model_verdict) == ("identical", "identical")
    assert result.optima == ()
    for fit in (result.mixed_fit, result.sem_fit):
        assert fit.log_likelihood == pytest.approx(golden, abs=1e-6)
    errors = [f.fit.standard_errors for f in (result.mixed_fit, result.sem_fit)]
    assert np.isnan(errors[0]).sum() == np.isnan(errors[1]).sum()
    assert np.isnan(errors[0]).any() == (bounds == "psd")


def test_estimates_beyond_the_boundary_are_the_golden_ones() -> None:
    result = verified("A06", bounds="none")
    for engine in ("long", "wide"):
        assert_close(result, CASES["A06"], engine, exact("A06", "ml")["estimates"], "estimate")


def answer(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, dict]:
    status = main(list(words))
    return status, json.loads(capsys.readouterr().out)


def test_command_line_from_the_formula(tmp_path, capsys) -> None:
    CASES["A02"].long_frame().to_csv(tmp_path / "gpa.csv", index=False)
    status, found = answer(
        capsys,
        "verify",
        "gpa ~ occasion + (1 + occasion | student)",
        *("--data", str(tmp_path / "gpa.csv"), "--engines", "semopy", "--json"),
    )
    assert status == 0
    assert (found["verdict"], found["model_verdict"]) == ("identical", "identical_if")
    assert found["log_likelihood"]["wide"] == pytest.approx(-123.117105481461, abs=1e-6)
    assert found["log_likelihood"]["lme4"] is None
    assert [level["passed"] for level in found["levels"]] == [True] * 6
    assert {"name", "passed", "figure", "tolerance"} <= set(found["levels"][0])
    assert {"name", "used", "reason", "version"} <= set(found["engines"][0])
    assert {"mixed_name", "sem_name", "estimate"} <= set(found["parameters"][0])


def test_command_line_from_lavaan_text(tmp_path, capsys) -> None:
    CASES["K02"].wide_frame().to_csv(tmp_path / "wide.csv", index=False)
    (tmp_path / "model.lav").write_text(CASES["K02"].lavaan, encoding="utf-8")
    status, found = answer(
        capsys,
        "verify",
        str(tmp_path / "model.lav"),
        *("--data", str(tmp_path / "wide.csv"), "--engines", "semopy", "--json"),
    )
    assert status == 1
    assert found["verdict"] == "different_estimator"
    assert [optimum["bounds"] for optimum in found["optima"]] == ["psd", "none"]
