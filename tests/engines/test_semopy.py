"""semopy on augmented moments, against lavaan's golden numbers."""

import json
import logging
import re
import warnings
from dataclasses import replace
from pathlib import Path as FilePath

import numpy as np
import pytest

from growthmm.engines.limits import TimeLimitError
from growthmm.engines.semopy import fit
from growthmm.engines.semopy_text import describe
from growthmm.engines.wide.problem import WideGroup, WideMoments, WideProblem
from growthmm.errors import UnsupportedEngineError
from growthmm.model.sem import Constraint, Path, SemModel

REFERENCE = FilePath(__file__).resolve().parents[2] / ".." / "shared" / "reference"
needs_reference = pytest.mark.skipif(
    not REFERENCE.exists(), reason="the folder shared/reference is not beside the project"
)


def growth_model(loadings, *, equal=True, fixed_zero=(), predictors=(), varying=(), effect="b"):
    """A growth model: `loadings` of each factor by outcome; None is free."""
    outcomes = tuple(next(iter(loadings.values())))
    rows = []
    for factor, column in loadings.items():
        for outcome, value in column.items():
            rows.append(Path(factor, "=~", outcome, free=value is None, value=value))
    label = "r" if equal else None
    rows += [Path(y, "~~", y, label=label) for y in outcomes]
    factors = tuple(loadings)
    for k, a in enumerate(factors):
        for b in factors[k:]:
            zero = (a, b) in fixed_zero
            rows.append(Path(a, "~~", b, free=not zero, value=0.0 if zero else None))
        rows.append(Path(a, "~1"))
    rows += [Path(f, "~", x) for x in predictors for f in factors]
    rows += [Path(y, "~", x, label=effect) for y, x in zip(outcomes, varying, strict=bool(varying))]
    return SemModel(tuple(rows), factors, outcomes, (*predictors, *varying))


def polynomial(outcomes, degree):
    names = ("i", "s", "q")[: degree + 1]
    return {
        f: {y: float(t**power) for t, y in enumerate(outcomes)} for power, f in enumerate(names)
    }


GPA = [f"gpa_{t}" for t in range(6)]
HOURS = [f"lib_hours_{t}" for t in range(6)]
REACTION = [f"Reaction_{t}" for t in range(10)]
SIMULATED = [f"y_{t}" for t in range(6)]
DEMO = [f"t{t}" for t in range(1, 5)]
FLAT = (("q", "q"), ("i", "q"), ("s", "q"))
BASIS = {"i": dict.fromkeys(DEMO, 1.0), "s": {"t1": 0.0, "t2": None, "t3": None, "t4": 1.0}}

CASES = {
    "A01_gpa_intercept_only": ("A_gpa", growth_model(polynomial(GPA, 0))),
    "A02_gpa_slope_homosced": ("A_gpa", growth_model(polynomial(GPA, 1))),
    "A03_gpa_slope_heterosced": ("A_gpa", growth_model(polynomial(GPA, 1), equal=False)),
    "A04_gpa_sex_covariate": (
        "A_gpa", growth_model(polynomial(GPA, 1), predictors=("sexmale",)),
    ),
    "A05_gpa_tvc_equal": ("A_gpa", growth_model(polynomial(GPA, 1), varying=HOURS)),
    "A06_gpa_quadratic": ("A_gpa", growth_model(polynomial(GPA, 2))),
    "A06b_gpa_quadratic_fixed": ("A_gpa", growth_model(polynomial(GPA, 2), fixed_zero=FLAT)),
    "A07_gpa_uncorrelated": ("A_gpa", growth_model(polynomial(GPA, 1), fixed_zero=(("i", "s"),))),
    "B01_sleepstudy_full": ("B_sleepstudy", growth_model(polynomial(REACTION, 1))),
    "D01_demogrowth_linear_homosced": ("D_demogrowth", growth_model(polynomial(DEMO, 1))),
    "F02_demogrowth_latent_basis": ("D_demogrowth", growth_model(BASIS)),
    "F03_quadratic_sim": ("F_quad_sim", growth_model(polynomial(SIMULATED, 2))),
}  # fmt: skip


def build(case):
    import pandas as pd

    name, model = CASES[case]
    frame = pd.read_csv(REFERENCE / "data" / f"{name}_wide.csv")
    outcomes = frame[list(model.outcomes)].to_numpy(float)
    return WideProblem(model, (WideGroup(outcomes, frame[list(model.covariates)].to_numpy(float)),))


def golden(case):
    sem = json.loads((REFERENCE / "golden" / f"{case}.json").read_text())["sem"]
    rows = {}
    for row in sem["estimates"]:
        name = f"{row['lhs']}{row['op'].strip()}{row['rhs'] if row['op'] != '~1' else ''}"
        rows[name] = row
        if row["op"] == "~~":
            rows[f"{row['rhs']}~~{row['lhs']}"] = row
        if row.get("label"):
            rows[row["label"]] = row
    return sem, rows


@needs_reference
@pytest.mark.parametrize("case", CASES)
def test_golden(case):
    sem, rows = golden(case)
    result = fit(build(case))
    assert result.convergence.converged
    assert result.log_likelihood == pytest.approx(sem["logLik"], abs=1e-6)
    labels = dict.fromkeys(("s=~t2", "s=~t3"))
    for name, value, error in zip(
        result.names, result.estimates, result.standard_errors, strict=True
    ):
        row = rows[{"s=~t2": "l2", "s=~t3": "l3"}[name]] if name in labels else rows[name]
        assert abs(value - row["est"]) < 1e-3 * row["se_expected"], name
        assert error == pytest.approx(row["se_expected"], rel=1e-5), name


@needs_reference
def test_chi_square_of_the_gpa_model():
    sem, _ = golden("A02_gpa_slope_homosced")
    result = fit(build("A02_gpa_slope_homosced"))
    saturated = sem["fit_measures"]["unrestricted.logl"]
    assert 2 * (saturated - result.log_likelihood) == pytest.approx(191.408912, abs=1e-5)


@needs_reference
def test_an_optimum_outside_the_covariance_matrices_is_said_to_be():
    assert fit(build("A06_gpa_quadratic")).boundary.beyond
    assert not fit(build("A02_gpa_slope_homosced")).boundary.beyond


@needs_reference
def test_moments_are_the_data():
    problem = build("A04_gpa_sex_covariate")
    data = np.hstack([problem.groups[0].outcomes, problem.groups[0].covariates])
    moments = WideMoments(data.mean(axis=0), np.cov(data.T, bias=True), len(data))
    a, b = fit(problem), fit(WideProblem(problem.model, (moments,)))
    assert a.log_likelihood == pytest.approx(b.log_likelihood, abs=1e-9)


@needs_reference
def test_start_is_in_the_models_order():
    problem = build("A04_gpa_sex_covariate")
    own = fit(problem)
    assert fit(problem, start=own.estimates).log_likelihood == pytest.approx(own.log_likelihood)


def small_problem(**changes):
    rng = np.random.default_rng(1)
    y = rng.normal(size=(80, 1)) + rng.normal(size=(80, 3)) + [1.0, 2.0, 3.0]
    model = growth_model(polynomial(["a b", "c", "one"], 1))
    return WideProblem(replace(model, **changes), (WideGroup(y, np.empty((80, 0))),))


def test_names_that_are_no_identifiers():
    assert fit(small_problem()).convergence.converged
    words = set(re.findall(r"[A-Za-z]\w*", describe(small_problem().model).text))
    assert {word.rstrip("0123456789") for word in words} <= {"y", "f", "p", "one"}


def test_refusals_name_the_reason():
    problem = small_problem()
    with pytest.raises(UnsupportedEngineError, match="REML"):
        fit(problem, estimator="reml")
    with pytest.raises(UnsupportedEngineError, match="constraints"):
        fit(small_problem(constraints=(Constraint("i~~i", "==", "s~~s"),)))
    with pytest.raises(UnsupportedEngineError, match="groups"):
        fit(WideProblem(problem.model, problem.groups * 2))
    holes = problem.groups[0].outcomes.copy()
    holes[3, 1] = np.nan
    with pytest.raises(UnsupportedEngineError, match="1 of 80 persons"):
        fit(WideProblem(problem.model, (WideGroup(holes, np.empty((80, 0))),)))
    few = WideGroup(problem.groups[0].outcomes[:3], np.empty((3, 0)))
    with pytest.raises(UnsupportedEngineError, match="singular"):
        fit(WideProblem(problem.model, (few,)))


def test_nothing_leaks(capfd):
    before = list(logging.getLogger().handlers)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fit(small_problem())
    assert capfd.readouterr() == ("", "")
    assert logging.getLogger().handlers == before
    assert not logging.getLogger().filters


def test_time_limit():
    with pytest.raises(TimeLimitError, match="semopy did not finish"):
        fit(small_problem(), time_limit=0.0)
