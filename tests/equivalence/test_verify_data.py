"""Verification on data as they come: gaps, odd units, awkward designs, few persons."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import growthmm as gm
from growthmm.equivalence.result import Equivalence
from growthmm.errors import NotEquivalentError

FORMULA = "y ~ time * x + w + (time | id)"


def frame(
    n: int = 60, times: tuple[float, ...] = (0, 1, 2, 3), *, slope: float = 0.3, seed: int = 1
) -> pd.DataFrame:
    """Persons with a covariate x, a group g, a time-varying w; ids are strings."""
    rng = np.random.default_rng(seed)
    t, size = np.array(times, dtype=float), len(times)
    since = t - t[0]
    x, w = rng.normal(size=(n, 1)), rng.normal(size=(n, size))
    y = 10 + 1.5 * since + 0.8 * x + 0.3 * x * since + 0.4 * w
    y = y + rng.normal(size=(n, 1)) + slope**0.5 * rng.normal(size=(n, 1)) * since
    y = y + 0.7 * rng.normal(size=(n, size))
    return pd.DataFrame(
        {
            "id": np.repeat([f"p{k:03d}" for k in range(n)], size),
            "time": np.tile(t, n),
            "y": y.ravel(),
            "x": np.repeat(x.ravel(), size),
            "g": np.repeat(np.array(["a", "b", "c"])[rng.integers(0, 3, n)], size),
            "w": w.ravel(),
        }
    )


def verified(formula: str, data: pd.DataFrame, **options: Any) -> Equivalence:
    return gm.verify(formula, data, id="id", **({"engines": ["long"]} | options))


def emptied(column: str, rows: object) -> pd.DataFrame:
    data = frame()
    data.loc[rows, column] = np.nan
    return data


def persons(*wanted: str) -> pd.Series:
    return frame()["id"].isin(wanted)


def near_collinear() -> pd.DataFrame:
    data = frame()
    noise = np.repeat(np.random.default_rng(3).normal(size=60), 4)
    return data.assign(x2=data["x"] + 1e-5 * noise)


CASES: dict[str, tuple[str, Any, dict[str, Any]]] = {
    "plain": (FORMULA, frame, {}),
    "person covariate missing": (FORMULA, lambda: emptied("x", persons("p003", "p010")), {}),
    "person covariate missing in some rows": (FORMULA, lambda: emptied("x", [6, 18]), {}),
    "time-varying covariate missing": (FORMULA, lambda: emptied("w", [5, 17, 33]), {}),
    "persons without outcomes": (FORMULA, lambda: emptied("y", persons("p003", "p010")), {}),
    "outcomes missing": (FORMULA, lambda: emptied("y", slice(None, None, 7)), {}),
    "rows in any order": (FORMULA, lambda: frame().sample(frac=1, random_state=3), {}),
    "outcome in millions": (FORMULA, lambda: frame().assign(y=lambda d: d["y"] * 1e6), {}),
    "outcome in millionths": (FORMULA, lambda: frame().assign(y=lambda d: d["y"] * 1e-6), {}),
    "outcome far from zero": (FORMULA, lambda: frame().assign(y=lambda d: d["y"] + 1e6), {}),
    "years": (FORMULA, lambda: frame(times=(2008, 2009, 2010, 2011)), {}),
    "years, restricted": (
        FORMULA,
        lambda: frame(times=(2008, 2009, 2010, 2011)),
        {"estimator": "reml"},
    ),
    "covariate in odd units": (FORMULA, lambda: frame().assign(x=lambda d: d["x"] * 1e5), {}),
    "months of years, quadratic, restricted": (
        "y ~ time + I(time^2) + x + (time | id)",
        lambda: frame().assign(time=lambda d: 2008 + d["time"] / 12),
        {"estimator": "reml"},
    ),
    "time in thousandths of a day": (
        "y ~ time + I(time^2) + x + (time | id)",
        lambda: frame().assign(time=lambda d: -300 + d["time"] / 100),
        {},
    ),
    "near collinear": ("y ~ time + x + x2 + (time | id)", near_collinear, {}),
    "more times than persons": (
        "y ~ time + (1 | id)",
        lambda: frame(6, tuple(range(8))),
        {"time": "time"},
    ),
    "restricted": (FORMULA, frame, {"estimator": "reml"}),
    "bounded": (FORMULA, frame, {"bounds": "psd"}),
    "unbounded": (FORMULA, frame, {"bounds": "none"}),
    "groups": ("y ~ time * g + (time | id)", frame, {}),
    "categorical time": ("y ~ factor(time) + (1 | id)", frame, {}),
    "categorical time without intercept": (
        "y ~ 0 + factor(time) + (time | id)",
        frame,
        {"time": "time"},
    ),
    "covariate by occasion": ("y ~ time + factor(time):w + (time | id)", frame, {"time": "time"}),
    "residuals by occasion": (FORMULA, frame, {"residual": "by_occasion"}),
    "residuals by occasion, restricted": (
        FORMULA,
        frame,
        {"residual": "by_occasion", "estimator": "reml"},
    ),
    "no random effects": ("y ~ time * x", frame, {"time": "time"}),
    "no random effects, restricted": ("y ~ time * x", frame, {"time": "time", "estimator": "reml"}),
}


@pytest.mark.parametrize("case", CASES)
def test_identical(case: str) -> None:
    formula, data, options = CASES[case]
    result = verified(formula, data(), **options)
    assert result.verdict == "identical", result.reason
    without = case.startswith("no random")
    same_space = without or "bounds" in options
    assert result.model_verdict == ("identical" if same_space else "identical_if")
    passed = [level.passed for level in result.levels]
    assert passed == [True] * 5 + [None if without else True]


def test_rows_without_a_covariate_are_left_out_of_both_forms() -> None:
    result = verified(FORMULA, emptied("x", [6, 18]))
    assert result.mixed_fit.n_rows == result.sem_fit.n_rows == 238
    assert any("2 rows with y" in str(note) for note in result.assumptions)
    assert result.mixed_fit.log_likelihood == pytest.approx(
        gm.fit(FORMULA, emptied("x", [6, 18])).log_likelihood, abs=1e-9
    )


def test_distant_origin_of_time_changes_the_parameters_only() -> None:
    near, far = verified(FORMULA, frame()), verified(FORMULA, frame(times=(2008, 2009, 2010, 2011)))
    assert far.mixed_fit.log_likelihood == pytest.approx(near.mixed_fit.log_likelihood, abs=1e-8)
    errors = [
        dict(zip(r.sem_fit.fit.names, r.sem_fit.fit.standard_errors, strict=True))
        for r in (near, far)
    ]
    # The slope's mean and variance do not depend on the origin.
    for name in ("s~1", "s~~s", "s~x"):
        assert errors[1][name] == pytest.approx(errors[0][name], rel=1e-6)


def test_few_persons_and_an_optimum_outside() -> None:
    data = frame(6, tuple(range(8)), slope=0.0, seed=4)
    result = verified("y ~ time + (time | id)", data)
    assert result.verdict == "different_estimator"
    assert result.optima[1].log_likelihood["wide"] > result.optima[0].log_likelihood["long"]


def singular_moments(cov: list[list[float]]) -> pd.DataFrame:
    """Data whose moments are those of random effects with exactly this covariance matrix."""
    loads = np.array([[1.0, t] for t in range(4)])
    names = [f"y_{t}" for t in range(4)]
    S = loads @ np.array(cov) @ loads.T + 0.7 * np.eye(4)
    wide = gm.Moments(loads @ [2.0, 0.3], S, 200, names=names).draw()
    return pd.DataFrame(
        {
            "id": np.repeat(np.arange(200), 4),
            "time": np.tile(np.arange(4.0), 200),
            "y": wide[names].to_numpy().ravel(),
        }
    )


@pytest.mark.parametrize(
    ("formula", "cov"),
    [
        ("y ~ time + (time || id)", [[1.0, 0.0], [0.0, 0.0]]),
        ("y ~ time + (time | id)", [[1.0, 0.5], [0.5, 0.25]]),
    ],
)
def test_optimum_exactly_on_the_boundary_is_shared(formula: str, cov: list[list[float]]) -> None:
    result = verified(formula, singular_moments(cov))
    assert result.sem_fit.boundary.at_boundary or result.mixed_fit.boundary.at_boundary
    assert result.verdict == "identical", result.reason
    assert result.model_verdict == "identical_if"


def test_reason_says_that_no_witness_could_be_used() -> None:
    gaps = verified(FORMULA, emptied("y", [3]), engines=["semopy"])
    assert "no witness could be used (semopy: semopy needs complete data" in gaps.reason
    assert "none was asked for" in verified(FORMULA, frame()).reason
    assert verified(FORMULA, frame(), engines=["semopy"]).reason.endswith("witness: semopy")


def test_unused_witness_stands_with_its_reason() -> None:
    data = emptied("y", [3])
    result = verified(FORMULA, data, engines=["semopy"])
    found = {row["name"]: row for row in result.to_dict()["engines"]}
    assert "complete data" in found["semopy"]["reason"]
    assert found["statsmodels"]["reason"] == "not asked for"
    assert result.to_dict()["log_likelihood"]["semopy"] is None


def test_check_raises_where_the_verdict_is_not_identity() -> None:
    data = frame(6, tuple(range(8)), slope=0.0, seed=4)
    with pytest.raises(NotEquivalentError, match="different_estimator"):
        verified("y ~ time + (time | id)", data).check()
    result = verified(FORMULA, frame())
    assert result.check() is result
