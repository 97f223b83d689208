"""The long engine against the golden numbers of lme4, nlme and the dense referee."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from growthmm.engines.long import (
    LongProblem,
    RandomEffects,
    fit,
    log_likelihood,
    parameter_names,
    random_effects,
    score,
)
from growthmm.model.residual import ResidualStructure

FOLDER = Path(__file__).resolve().parents[2] / ".." / "shared" / "reference"
pytestmark = pytest.mark.skipif(
    not FOLDER.is_dir(), reason="the reference data are not beside the project"
)


@dataclass(frozen=True)
class Golden:
    stem: str
    data: str
    outcome: str
    person: str
    time: str
    fixed: tuple[str, ...]
    random: tuple[str, ...]
    diagonal: bool = False
    residual: str = "common"
    boundary: bool = False


def _gpa(stem: str, fixed: str, random: str, **more: Any) -> Golden:
    data = more.pop("data", "A_gpa_long")
    return Golden(
        stem,
        data,
        "gpa",
        "student",
        "occasion",
        tuple(fixed.split()),
        tuple(random.split()),
        **more,
    )


def _other(stem: str, data: str, words: str, columns: str, **more: Any) -> Golden:
    outcome, person, time = words.split()
    names = tuple(columns.split())
    return Golden(stem, data, outcome, person, time, names, names, **more)


ONE = "(Intercept)"
LINEAR, SQUARE = f"{ONE} occasion", f"{ONE} occasion I(occasion^2)"
MISSING = "A08_gpa_missing_long"
CASES = {
    "A01": _gpa("A01_gpa_intercept_only", ONE, ONE),
    "A01b": _gpa("A01b_gpa_random_intercept", LINEAR, ONE),
    "A02": _gpa("A02_gpa_slope_homosced", LINEAR, LINEAR),
    "A03": _gpa("A03_gpa_slope_heterosced", LINEAR, LINEAR, residual="by_occasion"),
    "A04": _gpa("A04_gpa_sex_covariate", f"{LINEAR} sexmale occasion:sexmale", LINEAR),
    "A05": _gpa("A05_gpa_tvc_equal", f"{LINEAR} lib_hours", LINEAR),
    "A06": _gpa("A06_gpa_quadratic", SQUARE, SQUARE, boundary=True),
    "A06b": _gpa("A06b_gpa_quadratic_fixed", SQUARE, LINEAR),
    "A07": _gpa("A07_gpa_uncorrelated", LINEAR, LINEAR, diagonal=True),
    "A08": _gpa("A08_gpa_missing", LINEAR, LINEAR, data=MISSING),
    "A08c": _gpa(
        "A08c_gpa_missing_sex", f"{LINEAR} sexmale occasion:sexmale", LINEAR, data=MISSING
    ),
    "A09": _gpa("A09_gpa_slope_ar1", LINEAR, LINEAR, residual="ar1"),
    "B01": _other(
        "B01_sleepstudy_full", "B_sleepstudy_long", "Reaction Subject Days", f"{ONE} Days"
    ),
    "D01": _other(
        "D01_demogrowth_linear_homosced", "D_demogrowth_long", "y id time", f"{ONE} time"
    ),
    "E02": _other("E02_sim_unbalanced", "E02_unbalanced_long", "y id time", f"{ONE} time"),
    "F01": _other(
        "F01_gpa_piecewise", "F_gpa_piecewise_long", "gpa student occasion", f"{ONE} t1 t2"
    ),
    "F03": _other("F03_quadratic_sim", "F_quad_sim_long", "y id time", f"{ONE} time I(time^2)"),
    "K01": _other(
        "K01_singular_full", "K_singular_long", "y id time", f"{ONE} time", boundary=True
    ),
    "K02": _other(
        "K02_singular_uncorrelated",
        "K_singular_long",
        "y id time",
        f"{ONE} time",
        diagonal=True,
        boundary=True,
    ),
}
INTERIOR = [name for name, case in CASES.items() if not case.boundary]
BOUNDARY = [name for name, case in CASES.items() if case.boundary]


@cache
def _content(stem: str) -> dict[str, Any]:
    with (FOLDER / "golden" / f"{stem}.json").open(encoding="utf-8") as stream:
        found: dict[str, Any] = json.load(stream)
    return found


def _column(frame: pd.DataFrame, name: str) -> np.ndarray:
    if name == ONE:
        return np.ones(len(frame))
    if ":" in name:
        return np.prod([_column(frame, part) for part in name.split(":")], axis=0)
    power = re.fullmatch(r"I\((\w+)\^2\)", name)
    if power:
        return frame[power[1]].to_numpy(float) ** 2
    return frame[name].to_numpy(float)


@cache
def _problem(name: str) -> LongProblem:
    case = CASES[name]
    frame = pd.read_csv(FOLDER / "data" / f"{case.data}.csv").dropna(subset=[case.outcome])
    subject, labels = pd.factorize(frame[case.person])
    times, occasion = np.unique(frame[case.time].to_numpy(float), return_inverse=True)
    needs_time = case.residual != "common"
    return LongProblem(
        outcome=frame[case.outcome].to_numpy(float),
        fixed=np.column_stack([_column(frame, c) for c in case.fixed]),
        fixed_names=case.fixed,
        random=np.column_stack([_column(frame, c) for c in case.random]),
        blocks=(RandomEffects(case.random, tuple(range(len(case.random))), case.diagonal),),
        subject=subject.astype(np.intp),
        n_subjects=len(labels),
        group=case.person,
        occasion=occasion if needs_time else np.zeros(len(frame), dtype=np.intp),
        occasions=tuple(times.tolist()) if needs_time else (0.0,),
        residual=ResidualStructure.parse(case.residual),
    )


def _exact(name: str, method: str) -> dict[str, Any]:
    content = _content(CASES[name].stem)
    block = content.get("exact", content.get("exact_unconstrained"))
    if method in block:
        return dict(block[method])
    return dict(block) if method == "ml" else {}


def _pairs(name: str, numbers: dict[str, float]) -> dict[str, float]:
    """Golden numbers under the engine's parameter names."""
    case, problem = CASES[name], _problem(name)
    out: dict[str, float] = {}
    for key, value in numbers.items():
        entry = re.fullmatch(r"G\[(.+),(.+)\]", key)
        short = re.fullmatch(r"G(\d)(\d)", key)
        level = re.fullmatch(r"R\[(.+)\]", key)
        if entry or short:
            if entry:
                a, b = entry[1], entry[2]
            else:
                assert short is not None
                a, b = (case.random[int(digit) - 1] for digit in short.groups())
            both = {f"cov({x},{y}|{case.person})" for x, y in ((a, b), (b, a))}
            both |= {f"var({a}|{case.person})"} if a == b else set()
            (own,) = both & set(problem.covariance_names)
            out[own] = value
        elif level and level[1] != "resid":
            out[f"var(Residual[{level[1]}])"] = value
        elif level or key == "sigma2":
            out["var(Residual)"] = value
        else:
            out["rho(Residual)" if key == "rho" else key] = value
    return out


@pytest.mark.parametrize("method", ["ml", "reml"])
@pytest.mark.parametrize("name", INTERIOR)
def test_interior_optimum_is_the_golden_one(name: str, method: str) -> None:
    problem, golden = _problem(name), _exact(name, method)
    found = fit(problem, estimator=method)
    assert found.convergence.converged
    assert found.convergence.decrement < 1e-10
    assert not found.boundary.at_boundary
    program = _content(CASES[name].stem)["mixed"][method]
    assert found.log_likelihood == pytest.approx(program["logLik"], abs=1e-6)
    if golden:
        assert found.log_likelihood == pytest.approx(golden["logLik"], abs=1e-7)
        numbers = golden.get("estimates") or {**golden["fixef"], **golden["theta"]}
        expected = _pairs(name, numbers)
        assert set(expected) == set(parameter_names(problem))
        for parameter, value in expected.items():
            assert found.value(parameter) == pytest.approx(value, rel=1e-6), parameter


@pytest.mark.parametrize("kind", ["expected", "observed"])
@pytest.mark.parametrize("name", INTERIOR)
def test_standard_errors_are_the_golden_ones(name: str, kind: str) -> None:
    golden = _exact(name, "ml")
    if f"se_{kind}" not in golden:
        pytest.skip(f"the golden file of {name} has no {kind} standard errors")
    found = fit(_problem(name), information=kind)
    errors = dict(zip(found.names, found.standard_errors, strict=True))
    for parameter, value in _pairs(name, golden[f"se_{kind}"]).items():
        assert errors[parameter] == pytest.approx(value, rel=1e-5), parameter


@pytest.mark.parametrize("name", [n for n in INTERIOR if n != "A09"])
def test_restricted_standard_errors_of_fixed_effects(name: str) -> None:
    found = fit(_problem(name), estimator="reml")
    errors = dict(zip(found.names, found.standard_errors, strict=True))
    for parameter, value in _exact(name, "reml")["se"].items():
        assert errors[parameter] == pytest.approx(value, rel=1e-5), parameter


@pytest.mark.parametrize("method", ["ml", "reml"])
@pytest.mark.parametrize("name", list(CASES))
def test_random_effects_are_the_golden_ones(name: str, method: str) -> None:
    case, problem = CASES[name], _problem(name)
    found = fit(problem, estimator=method)
    modes, covariances = random_effects(problem, found.estimates)
    rows = _content(case.stem)["mixed"][method]["blup_first"]
    from_nlme = isinstance(rows, list)
    rows = rows if from_nlme else rows[case.person]
    # nlme and, at the boundary, lme4 stop short of the optimum.
    loose = 3e-3 if case.boundary else 2e-5
    tolerance = 1e-3 if from_nlme else loose
    spread = float(np.abs(modes).max())
    for index, row in enumerate(rows):
        expected = [row[column] for column in case.random]
        np.testing.assert_allclose(modes[index], expected, rtol=tolerance, atol=tolerance * spread)
        if "cond_var" in row:
            np.testing.assert_allclose(
                covariances[index],
                row["cond_var"],
                rtol=max(tolerance, 1e-4),
                atol=tolerance * float(np.max(np.abs(row["cond_var"]))),
            )


@pytest.mark.parametrize("method", ["ml", "reml"])
@pytest.mark.parametrize("name", BOUNDARY)
def test_bounded_optimum_is_lme4s(name: str, method: str) -> None:
    found = fit(_problem(name), estimator=method)
    program = _content(CASES[name].stem)["mixed"][method]
    assert found.convergence.converged
    assert found.log_likelihood == pytest.approx(program["logLik"], abs=1e-6)
    assert found.log_likelihood >= program["logLik"] - 1e-9
    assert found.boundary.at_boundary
    assert not found.boundary.beyond
    assert found.boundary.parameters
    errors = dict(zip(found.names, found.standard_errors, strict=True))
    assert all(np.isnan(errors[parameter]) for parameter in found.boundary.parameters)
    assert np.isfinite(errors["var(Residual)"])
    for parameter, value in program["se"].items():
        assert errors[parameter] == pytest.approx(value, rel=1e-3), parameter


@pytest.mark.parametrize("name", BOUNDARY)
def test_unbounded_optimum_is_the_dense_referees(name: str) -> None:
    problem, golden = _problem(name), _exact(name, "ml")
    found = fit(problem, bounds="none")
    assert found.convergence.converged
    assert found.log_likelihood == pytest.approx(golden["logLik"], abs=1e-7)
    expected = _pairs(name, {**golden["fixef"], **golden["theta"]})
    for parameter, value in expected.items():
        assert found.value(parameter) == pytest.approx(value, rel=1e-6), parameter
    assert found.boundary.beyond
    assert np.abs(score(problem, found.estimates)).max() < 1e-5
    for kind in ("expected", "observed"):
        found = fit(problem, bounds="none", information=kind)
        errors = dict(zip(found.names, found.standard_errors, strict=True))
        for parameter, value in _pairs(name, golden[f"se_{kind}"]).items():
            assert errors[parameter] == pytest.approx(value, rel=1e-5), parameter


def test_what_lies_at_the_bound_is_said() -> None:
    slope = fit(_problem("K02")).boundary
    assert slope.parameters == ("var(time|id)",)
    assert slope.description.startswith("var(time|id) = 0 at its bound 0")
    assert slope.direction == (0.0, 1.0)
    full = fit(_problem("K01"), bounds="none").boundary
    assert "var(time|id) = -0.0111404 below its bound 0" in full.description


@pytest.mark.parametrize("name", list(CASES))
def test_log_likelihood_at_the_estimates_is_the_fits(name: str) -> None:
    problem = _problem(name)
    for method in ("ml", "reml"):
        found = fit(problem, estimator=method)
        again = log_likelihood(problem, found.estimates, method)
        assert again == pytest.approx(found.log_likelihood, rel=1e-12)
