"""Every method of inference refuses where it does not apply, with the reason and what to do."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import pytest

import growthmm as gm
from growthmm.errors import GrowthmmError
from growthmm.inference.result import FitResult

SLOPE = "gpa ~ occasion * sex + (occasion | student)"
TIMES = range(6)
CURVE = " + ".join(f"1*gpa_{t}" for t in TIMES).join(("i =~ ", "\n")) + " + ".join(
    f"{t}*gpa_{t}" for t in TIMES
).join(("s =~ ", "\n"))


@cache
def fit(kind: str) -> FitResult:
    data = gm.datasets.gpa()
    if kind == "moments":
        wide = data.pivot(index="student", columns="occasion", values="gpa")
        wide.columns = [f"gpa_{t}" for t in TIMES]
        return gm.fit(CURVE, gm.Moments(wide.mean(), wide.cov(), 200))
    if kind == "clusters":
        school = data["student"] % 20
        rng = np.random.default_rng(1)
        data["gpa"] += 0.3 * rng.standard_normal(20)[school]
        model = "gpa ~ occasion + (1 | school/student)"
        return gm.fit(model, data.assign(school=school), time="occasion")
    options = {
        "mixed": {},
        "reml": {"estimator": "reml"},
        "curve": {"engine": "wide"},
        "penalised": {"penalty": "wishart"},
        "penalised curve": {"penalty": "wishart", "engine": "wide"},
        "robust": {"robust": "cr2"},
        "other program": {"engine": "statsmodels"},
        "ar1": {"residual": "ar1"},
    }
    return gm.fit(SLOPE, data, **options[kind])  # type: ignore[arg-type]


Call = Callable[[FitResult], object]

REFUSALS: dict[str, list[tuple[str, Call, str]]] = {
    "test": [
        ("penalised", lambda f: gm.test(f, "sexmale = 0", kind="lrt"), "penalised"),
        ("penalised", lambda f: gm.test(f, "sexmale = 0", kind="score"), "penalised"),
        ("penalised", lambda f: gm.test(f, "sexmale = 0", df="satterthwaite"), "penalised"),
        ("reml", lambda f: gm.test(f, "sexmale = 0", kind="lrt"), "restricted likelihoods"),
        ("mixed", lambda f: gm.test(f, "var(Residual) = 0"), "boundary"),
        ("curve", lambda f: gm.test(f, "i~1 = 0", df="satterthwaite"), "fit by wide"),
        ("other program", lambda f: gm.test(f, "sexmale = 0", kind="lrt"), "statsmodels"),
    ],
    "test_terms": [
        ("curve", gm.test_terms, "structural equation model"),
        ("penalised", lambda f: gm.test_terms(f, df="satterthwaite"), "penalised"),
        ("mixed", lambda f: gm.test_terms(f, df="kenward-roger"), "REML"),
        ("other program", lambda f: gm.test_terms(f, df="satterthwaite"), "statsmodels"),
    ],
    "test_variance": [
        ("penalised", lambda f: gm.test_variance(f, "occasion"), "penalised"),
        ("other program", lambda f: gm.test_variance(f, "occasion"), "statsmodels"),
        ("mixed", lambda f: gm.test_variance(f, "occasion", method="exact"), "covaries"),
        ("mixed", lambda f: gm.test_variance(f, "week"), "no random effect 'week'"),
    ],
    "confidence_intervals": [
        ("penalised", lambda f: f.confidence_intervals("profile"), "penalised"),
        ("other program", lambda f: f.confidence_intervals("bootstrap"), "statsmodels"),
        ("moments", lambda f: f.confidence_intervals("bootstrap", workers=1), "no persons"),
        ("clusters", lambda f: f.confidence_intervals("bootstrap", kind="case"), "clusters"),
    ],
    "r_squared": [],
    "icc": [("moments", gm.icc, "no persons")],
    "r2beta": [
        ("mixed", gm.r2beta, "REML"),
        ("curve", lambda f: gm.r2beta(f, "nsj"), "fit by wide"),
        ("clusters", lambda f: gm.r2beta(f, "sgv"), "clusters"),
    ],
    "contrasts": [
        ("mixed", lambda f: gm.contrasts(f, ["occasion = 0"]), "no single combination"),
        ("robust", lambda f: gm.contrasts(f, ["occasion + sexmale"]), "each coefficient"),
    ],
    "simple_slopes": [
        ("mixed", lambda f: gm.simple_slopes(f, "week", "occasion:sexmale", [0]), "no parameter"),
    ],
    "significance_region": [
        ("mixed", lambda f: gm.significance_region(f, "occasion", "week"), "no parameter"),
    ],
    "trajectories": [
        ("mixed", lambda f: gm.trajectories(f, {"age": [1]}), "no covariate 'age'"),
        ("curve", lambda f: gm.trajectories(f, times=[0, 1]), "those of its outcomes"),
    ],
    "standardized": [
        ("curve", lambda f: gm.standardized(f, "pseudo"), "mixed model's fixed effects"),
        ("clusters", gm.standardized, "two levels"),
    ],
    "predict": [
        ("ar1", lambda f: f.predict(gm.datasets.gpa(), interval="prediction"), "correlated"),
        ("moments", lambda f: f.predict(), "no persons"),
        ("clusters", lambda f: f.predict(gm.datasets.gpa()), "clusters"),
    ],
    "compare": [
        ("penalised", lambda f: gm.compare(f, f), "maximised likelihood"),
        ("reml", lambda f: gm.compare(f, fit("mixed"), refit=False), "some by REML"),
        ("mixed", gm.compare, "One fit|at least two"),
    ],
    "conditional_aic": [
        ("curve", gm.conditional_aic, "structural equation model"),
        ("ar1", gm.conditional_aic, "residuals are ar1"),
        ("clusters", gm.conditional_aic, "clusters"),
        ("penalised", gm.conditional_aic, "penalised"),
    ],
    "cross_validate": [
        ("clusters", lambda f: gm.cross_validate(f, n_folds=2), "clusters"),
        ("moments", lambda f: gm.cross_validate(f, n_folds=2), "rows"),
        ("penalised", lambda f: gm.cross_validate(f, n_folds=2), "unpenalised"),
    ],
    "modification_indices": [
        ("mixed", gm.modification_indices, "structural equation model's"),
        ("penalised curve", gm.modification_indices, "penalised"),
    ],
    "diagnose": [("penalised", gm.diagnose, "penalised")],
    "all_optimizers": [
        ("penalised", gm.all_optimizers, "penalised"),
        ("other program", gm.all_optimizers, "statsmodels"),
    ],
    "restarts": [("penalised", gm.restarts, "penalised")],
    "simulate": [
        ("moments", gm.simulate, "no persons"),
        ("clusters", lambda f: gm.simulate(f, 50), "clusters"),
        ("other program", gm.simulate, "statsmodels"),
    ],
    "study": [
        ("penalised", gm.study, "penalised"),
        ("robust", gm.study, "robust"),
        ("clusters", lambda f: gm.study(f, 50, workers=1), "clusters"),
    ],
}
"""By method: the fit, the call, the reason. ``r_squared`` says what is missing in ``.note``."""

CASES = [(name, *case) for name, cases in REFUSALS.items() for case in cases]


@pytest.mark.parametrize(
    ("name", "kind", "call", "reason"), CASES, ids=[f"{name}-{kind}" for name, kind, *_ in CASES]
)
def test_where_a_method_does_not_apply(name: str, kind: str, call: Call, reason: str) -> None:
    with pytest.raises(GrowthmmError, match=reason) as raised:
        call(fit(kind))
    assert "Hint: " in str(raised.value)


def test_what_r_squared_cannot_say_is_said() -> None:
    found = gm.r_squared(fit("moments"))
    assert np.isnan(found.marginal)
    assert found.note
    assert gm.r_squared(fit("clusters")).partition is None


def test_the_list_is_complete() -> None:
    homes = {module for name, (module, _) in gm._HOMES.items() if name in REFUSALS}
    methods = {name for name, (module, _) in gm._HOMES.items() if module in homes}
    assert methods <= set(REFUSALS)
    assert len(methods) == len(REFUSALS) - len(("confidence_intervals", "predict"))
