"""Searches of one likelihood: all end at the maximum, and those that don't are told apart."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from reference import case, long_frame

import growthmm as gm
from growthmm.errors import SpecificationError, UnsupportedEngineError
from growthmm.inference.optimisers.ending import Endings, ending
from growthmm.inference.optimisers.searches import METHODS
from growthmm.inference.result import FitResult

SLOPE = "gpa ~ occasion + (1 + occasion | student)"
FAST = [name for name in METHODS if name != "Nelder-Mead"]


@cache
def fitted(**options: Any) -> FitResult:
    return gm.fit(SLOPE, long_frame("A08_gpa_missing_long.csv"), time="occasion", **options)


@cache
def searched(engine: str = "long", estimator: str = "ml") -> Endings:
    return gm.all_optimizers(fitted(engine=engine, estimator=estimator), methods=FAST, programs=())


@pytest.mark.parametrize("estimator", ["ml", "reml"])
@pytest.mark.parametrize("engine", ["long", "wide"])
def test_every_gradient_method_ends_at_the_golden_maximum(engine: str, estimator: str) -> None:
    golden = case("A08")["exact"][estimator]["logLik"]
    found = searched(engine, estimator)
    assert [row.name for row in found.rows] == ["Newton", *FAST]
    assert {row.verdict for row in found.rows} == {"agrees"}
    assert found.confirmed
    for row in found.rows:
        assert row.log_likelihood == pytest.approx(golden, abs=1e-6)
        assert row.to_gain < 1e-6
        assert row.time_ratio > 0
    assert found.estimates.shape == (6, len(FAST) + 1)


def test_without_derivatives_and_by_another_program() -> None:
    found = gm.all_optimizers(fitted(), methods=["Nelder-Mead"], programs=["statsmodels"])
    assert [row.kind for row in found.rows] == ["ours", "scipy", "program"]
    assert [row.verdict for row in found.rows] == ["agrees"] * 3
    assert "Nelder-Mead" in found.summary()


@pytest.mark.parametrize("bounds", ["psd", "none"])
def test_at_and_beyond_a_boundary(bounds: str) -> None:
    fit = gm.fit("y ~ time + (time | id)", long_frame("K_singular_long.csv"), bounds=bounds)
    found = gm.all_optimizers(fit, methods=["BFGS", "trust-exact"], programs=())
    assert {row.verdict for row in found.rows} == {"agrees"}
    again = gm.restarts(fit, 5, seed=3)
    assert {row.verdict for row in again.rows} == {"agrees"}


def test_a_fit_that_is_no_maximum_is_found_out() -> None:
    fit = fitted()
    moved = fit.fit.estimates * 1.05
    value = gm.log_likelihood(
        SLOPE,
        long_frame("A08_gpa_missing_long.csv"),
        dict(zip(fit.fit.names, moved, strict=True)),
        time="occasion",
    )
    astray = replace(fit, fit=replace(fit.fit, estimates=moved, log_likelihood=value))
    found = gm.all_optimizers(astray, methods=["BFGS"], programs=())
    assert {row.verdict for row in found.rows} == {"higher"}
    assert not found.confirmed
    assert not gm.restarts(astray, 2).confirmed
    row = ending(
        fit,
        "hasty",
        "scipy",
        values=moved,
        log_likelihood=value,
        claimed=True,
        seconds=1.0,
        own_seconds=0.5,
    )
    assert (row.verdict, row.claimed, row.time_ratio) == ("stopped early", True, 2.0)


def test_programs_that_cannot_are_reported_as_failed() -> None:
    found = gm.all_optimizers(fitted(engine="wide"), methods=[], programs=["semopy"])
    assert found.rows[1].verdict == "failed"
    assert found.rows[1].reason
    assert not found.confirmed


def test_restarts_are_seeded() -> None:
    one, two = (gm.restarts(fitted(), 3, seed=5) for _ in range(2))
    assert [row.estimates for row in one.rows] == [row.estimates for row in two.rows]
    assert np.all([row.shortfall < 1e-9 for row in one.rows])


def test_what_is_refused() -> None:
    with pytest.raises(SpecificationError, match="no method 'bobyqa'"):
        gm.all_optimizers(fitted(), methods=["bobyqa"])
    with pytest.raises(SpecificationError, match="0 restarts"):
        gm.restarts(fitted(), 0)
    for options in ({"penalty": "wishart"}, {"fixed_": 1}, {"engine": "statsmodels"}):
        held = {"cov((Intercept),occasion|student)": 0.0}
        fit = (
            gm.fit(SLOPE, long_frame("A08_gpa_missing_long.csv"), fixed=held)
            if "fixed_" in options
            else fitted(**options)
        )
        with pytest.raises(UnsupportedEngineError, match="can't be searched again"):
            gm.restarts(fit)
