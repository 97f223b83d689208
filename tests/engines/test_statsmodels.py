"""MixedLM as a witness, against the golden `exact` blocks."""

import json
import warnings
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from growthmm.engines import statsmodels as witness
from growthmm.engines.limits import TimeLimitError
from growthmm.engines.long.problem import LongProblem, RandomEffects
from growthmm.engines.statsmodels import fit
from growthmm.errors import UnsupportedEngineError
from growthmm.model.residual import ResidualStructure

REFERENCE = Path(__file__).resolve().parents[2] / ".." / "shared" / "reference"
needs_reference = pytest.mark.skipif(
    not REFERENCE.exists(), reason="the folder shared/reference is not beside the project"
)
ONE = "(Intercept)"
APART = (RandomEffects((ONE,), (0,)), RandomEffects(("occasion",), (1,)))
DIAGONAL = (RandomEffects((ONE, "occasion"), (0, 1), diagonal=True),)

CASES = {
    "A01b_gpa_random_intercept": ("A_gpa", "gpa", "student", [ONE, "occasion"], [ONE], None),
    "A02_gpa_slope_homosced": (
        "A_gpa", "gpa", "student", [ONE, "occasion"], [ONE, "occasion"], None,
    ),
    "A05_gpa_tvc_equal": (
        "A_gpa", "gpa", "student", [ONE, "occasion", "lib_hours"], [ONE, "occasion"], None,
    ),
    "A07_gpa_uncorrelated": (
        "A_gpa", "gpa", "student", [ONE, "occasion"], [ONE, "occasion"], APART,
    ),
    "A08_gpa_missing": (
        "A08_gpa_missing", "gpa", "student", [ONE, "occasion"], [ONE, "occasion"], None,
    ),
    "B01_sleepstudy_full": (
        "B_sleepstudy", "Reaction", "Subject", [ONE, "Days"], [ONE, "Days"], None,
    ),
}  # fmt: skip


def build(case, blocks=None):
    import pandas as pd

    name, outcome, person, fixed, random, own = CASES[case]
    frame = pd.read_csv(REFERENCE / "data" / f"{name}_long.csv").dropna(subset=[outcome])
    frame[ONE] = 1.0
    codes = pd.factorize(frame[person])[0]
    return LongProblem(
        outcome=frame[outcome].to_numpy(float),
        fixed=frame[fixed].to_numpy(float),
        fixed_names=tuple(fixed),
        random=frame[random].to_numpy(float),
        blocks=blocks or own or (RandomEffects(tuple(random), tuple(range(len(random)))),),
        subject=codes,
        n_subjects=int(codes.max()) + 1,
        group=person,
        occasion=np.zeros(len(frame), dtype=np.intp),
    )


@cache
def fitted(case, estimator):
    return fit(build(case), estimator=estimator)


def golden(case, estimator):
    return json.loads((REFERENCE / "golden" / f"{case}.json").read_text())["exact"][estimator]


def small_problem():
    rng = np.random.default_rng(3)
    person = np.repeat(np.arange(40), 4)
    time = np.tile(np.arange(4.0), 40)
    slope = 0.5 + 0.6 * rng.normal(size=40)[person]
    y = 1 + slope * time + rng.normal(size=40)[person] + rng.normal(size=160)
    design = np.column_stack([np.ones(160), time])
    block = RandomEffects((ONE, "t"), (0, 1))
    nothing = np.zeros(160, dtype=np.intp)
    return LongProblem(y, design, (ONE, "t"), design, (block,), person, 40, "id", nothing)


@needs_reference
@pytest.mark.parametrize("estimator", ["ml", "reml"])
@pytest.mark.parametrize("case", CASES)
def test_golden(case, estimator):
    exact = golden(case, estimator)
    truth = np.array([*exact["fixef"].values(), *exact["theta"].values()])
    result = fitted(case, estimator)
    assert result.convergence.converged
    assert result.log_likelihood == pytest.approx(exact["logLik"], abs=1e-7)
    np.testing.assert_allclose(result.estimates, truth, rtol=2e-6)
    if estimator == "ml":
        # Observed information, carried to the natural scale by the delta method.
        errors = list(exact["se_observed"].values())
        np.testing.assert_allclose(result.standard_errors, errors, rtol=1e-5)


@needs_reference
def test_diagonal_block_is_two_blocks():
    case = "A07_gpa_uncorrelated"
    one, two = fit(build(case, DIAGONAL)), fitted(case, "ml")
    assert one.names == two.names
    np.testing.assert_allclose(one.estimates, two.estimates, rtol=1e-6)


def test_rows_in_any_order():
    problem = small_problem()
    order = np.random.default_rng(2).permutation(problem.outcome.size)
    shuffled = replace(
        problem,
        outcome=problem.outcome[order],
        fixed=problem.fixed[order],
        random=problem.random[order],
        subject=problem.subject[order],
    )
    np.testing.assert_allclose(fit(shuffled).estimates, fit(problem).estimates, rtol=1e-6)


def test_restart_from_the_start_given(monkeypatch):
    problem = small_problem()
    own = fit(problem)
    # Nothing is good enough, so that the start given is tried too.
    monkeypatch.setattr(witness, "ACCEPTED", -1.0)
    monkeypatch.setattr(witness, "METHODS", (witness.METHODS[0],) * 2)
    again = fit(problem, start=own.estimates * 1.05)
    assert again.log_likelihood == pytest.approx(own.log_likelihood, abs=1e-8)
    np.testing.assert_allclose(again.estimates, own.estimates, rtol=1e-4)


def test_boundary_is_reported_and_nothing_leaks():
    rng = np.random.default_rng(5)
    problem = small_problem()
    y = problem.fixed @ [1.0, 0.5] + rng.normal(size=40)[problem.subject] + rng.normal(size=160)
    noise = np.random.default_rng(3).normal(size=160)
    tried = replace(
        problem,
        outcome=y + 2 * noise,
        blocks=(RandomEffects((ONE, "t"), (0, 1), diagonal=True),),
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = fit(tried, time_limit=30.0)
    assert result.boundary.at_boundary
    assert all(name.startswith("var(") for name in result.boundary.parameters)
    assert np.all(np.isnan(result.standard_errors[2:]))
    assert np.all(np.isfinite(result.standard_errors[:2]))
    assert result.warnings


def test_refusals_name_the_reason():
    problem = small_problem()
    with pytest.raises(UnsupportedEngineError, match="by_occasion"):
        fit(replace(problem, residual=ResidualStructure("by_occasion")))
    with pytest.raises(UnsupportedEngineError, match="without random effects"):
        fit(replace(problem, random=np.empty((160, 0)), blocks=()))


def test_time_limit():
    with pytest.raises(TimeLimitError, match=r"MixedLM did not finish within 0\.01 s"):
        fit(small_problem(), time_limit=0.01)
