"""What is wrong with a fit is found where it is, with its figures, and nowhere else."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import long_frame

import growthmm as gm
from growthmm.cli import main
from growthmm.engines.long import ending
from growthmm.engines.optimiser import Optimum, maximise
from growthmm.errors import SpecificationError, UnsupportedEngineError
from growthmm.inference.diagnostics.diagnosis import Diagnosis
from growthmm.inference.diagnostics.influence import cook_distances
from growthmm.inference.diagnostics.stationary import TOLERANCE, stationarity
from growthmm.inference.result import FitResult

SLOPE = "gpa ~ occasion + (1 + occasion | student)"
SINGULAR = "y ~ time + (time | id)"


@cache
def data() -> pd.DataFrame:
    frame = gm.datasets.gpa()
    return frame.assign(
        year=frame["occasion"] + 2000,
        tiny=frame["occasion"] * 1e-6,
        twin=frame["occasion"] + 1e-3 * np.sin(np.arange(len(frame))),
    )


@cache
def fitted(formula: str = SLOPE, **options: str) -> FitResult:
    return gm.fit(formula, data(), **options)


@cache
def singular(estimator: str = "ml", bounds: str = "psd", engine: str = "long") -> FitResult:
    frame = long_frame("K_singular_long.csv")
    return gm.fit(SINGULAR, frame, estimator=estimator, bounds=bounds, engine=engine, time="time")


def flagged(found: Diagnosis) -> set[str]:
    return {f.check for f in found.findings if f.status != "ok"}


@pytest.mark.parametrize("estimator", ["ml", "reml"])
@pytest.mark.parametrize("engine", ["long", "wide"])
def test_a_good_fit_is_not_flagged(estimator: str, engine: str) -> None:
    found = gm.diagnose(fitted(estimator=estimator, engine=engine, time="occasion"))
    assert flagged(found) == set()
    assert found.converged
    assert found["gradient"].evidence["to_gain"] < 1e-15
    assert all(not f.remedy for f in found.findings)


def test_moved_estimates_are_caught_with_the_likelihood_still_to_gain() -> None:
    fit = fitted()
    for size in (1e-3, 0.1):
        moved = fit.fit.estimates + size * fit.fit.standard_errors
        value = gm.log_likelihood(SLOPE, data(), dict(zip(fit.fit.names, moved, strict=True)))
        astray = replace(fit, fit=replace(fit.fit, estimates=moved, log_likelihood=value))
        found = gm.diagnose(astray)["gradient"]
        assert found.status == "problem"
        assert found.evidence["reported_converged"] is True
        assert found.evidence["to_gain"] == pytest.approx(
            fit.log_likelihood - value, rel=0.05 if size == 0.1 else 1e-3
        )
        assert not gm.diagnose(astray).converged


@settings(max_examples=25, deadline=None)
@given(
    numbers=st.integers(0, 10_000),
    persons=st.integers(4, 12),
    spread=st.sampled_from([0.0, 1e-4, 1.0, 1e4]),
    bounds=st.sampled_from(["psd", "none"]),
    estimator=st.sampled_from(["ml", "reml"]),
)
def test_converged_is_never_said_where_the_slope_is_not_zero(
    numbers: int, persons: int, spread: float, bounds: str, estimator: str
) -> None:
    rng = np.random.default_rng(numbers)
    time = np.tile(np.arange(4.0), persons)
    person = np.repeat(np.arange(persons), 4)
    own = spread * rng.standard_normal((persons, 2))
    outcome = own[person, 0] + own[person, 1] * time + rng.standard_normal(4 * persons)
    frame = pd.DataFrame({"id": person, "time": time, "y": outcome})
    fit = gm.fit(SINGULAR, frame, bounds=bounds, estimator=estimator)
    if fit.convergence.converged:
        assert stationarity(fit).gain <= TOLERANCE


@pytest.fixture
def cut_short(monkeypatch: pytest.MonkeyPatch) -> None:
    def hasty(*args: Any, **options: Any) -> Optimum:
        return maximise(*args, **{**options, "max_iterations": 1, "radius": 1e-3})

    monkeypatch.setattr(ending, "maximise", hasty)


@pytest.mark.usefixtures("cut_short")
def test_a_search_that_is_cut_short_is_not_called_converged() -> None:
    frame = long_frame("A08_gpa_missing_long.csv")
    fit = gm.fit(SLOPE, frame)
    found = gm.diagnose(fit)
    assert not fit.convergence.converged
    assert found.status == "problem"
    assert found["gradient"].evidence["to_gain"] > TOLERANCE


@pytest.mark.parametrize("estimator", ["ml", "reml"])
@pytest.mark.parametrize("engine", ["long", "wide"])
def test_a_maximum_on_the_boundary_is_one(estimator: str, engine: str) -> None:
    found = gm.diagnose(singular(estimator, "psd", engine))
    assert found.converged
    assert found.status == "warning"
    assert found["boundary"].evidence["at_boundary"] is True
    assert {"boundary", "variance_near_zero"} <= flagged(found)
    assert "||" in found["boundary"].remedy or "~~ 0*" in found["boundary"].remedy


def test_beyond_the_boundary() -> None:
    found = gm.diagnose(singular("ml", "none"))
    assert found.converged
    assert found["boundary"].evidence["beyond"] is True
    assert "bounds='psd'" in found["boundary"].remedy


def test_time_far_from_zero_and_its_remedy() -> None:
    far = gm.diagnose(fitted("gpa ~ year + (1 + year | student)", time="year"))
    assert {"time_origin", "correlation_near_one", "collinearity"} <= flagged(far)
    assert far["time_origin"].evidence["year"]["gap_in_ranges"] == 400
    assert "I(year - 2000)" in far["time_origin"].remedy
    cured = gm.diagnose(
        fitted("gpa ~ I(year - 2000) + (1 + I(year - 2000) | student)", time="year")
    )
    assert flagged(cured) == set()


def test_scales_and_their_remedy() -> None:
    found = gm.diagnose(fitted("gpa ~ tiny + (1 | student)", time="occasion"))["scaling"]
    assert found.status == "note"
    assert found.evidence["ratio"] == pytest.approx(1e6 / np.sqrt(55 / 6))
    assert "I(tiny/1e-06)" in found.remedy


def test_collinearity_is_measured_as_variance_inflation() -> None:
    found = gm.diagnose(fitted("gpa ~ occasion + twin + (1 | student)", time="occasion"))
    frame = data()
    r = np.corrcoef(frame["occasion"], frame["twin"])[0, 1]
    assert found["collinearity"].status == "warning"
    assert found["collinearity"].evidence["vif"]["twin"] == pytest.approx(1 / (1 - r**2), rel=1e-6)


def test_few_persons() -> None:
    few = data()[data()["student"] <= 6]
    found = gm.diagnose(gm.fit(SLOPE, few))["persons"]
    assert found.status == "warning"
    assert found.evidence["persons"] == found.evidence["parameters"] == 6
    some = gm.fit(SLOPE, data()[data()["student"] <= 20])
    assert gm.diagnose(some)["persons"].status == "note"


def test_influence_is_that_of_leaving_out() -> None:
    frame = data()[data()["student"] <= 30].copy()
    fit = gm.fit(SLOPE, frame)
    distances = cook_distances(fit)
    without = gm.fit(SLOPE, frame[frame["student"] != 7])
    move = (fit.fit.estimates - without.fit.estimates)[:2]
    by_hand = move @ np.linalg.inv(fit.fit.covariance[:2, :2]) @ move / 2
    assert distances[list(fit.data.subjects).index(7)] == pytest.approx(by_hand, rel=1e-6)
    frame.loc[frame["student"] == 7, "gpa"] += 40.0
    found = gm.diagnose(gm.fit(SLOPE, frame), influence=True)["influence"]
    assert found.status == "note"
    assert next(iter(found.evidence["cook"])) == "7"
    assert found.evidence["cook"]["7"] > found.evidence["limit"]


def test_what_cannot_be_diagnosed_is_refused() -> None:
    with pytest.raises(SpecificationError, match="penalised"):
        gm.diagnose(fitted(penalty="wishart"))
    with pytest.raises(UnsupportedEngineError, match="our engines"):
        gm.diagnose(fitted(engine="statsmodels"), influence=True)


def test_the_command_and_its_exit_status(tmp_path, capsys) -> None:
    path = tmp_path / "gpa.csv"
    data().to_csv(path, index=False)
    assert main(["diagnose", SLOPE, "--data", str(path), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["status"] == "ok"
    assert found["converged"] is True
    assert [f["check"] for f in found["findings"]][:3] == ["gradient", "curvature", "boundary"]
    assert set(found["findings"][0]) == {"check", "status", "message", "evidence", "remedy"}
    assert main(["diagnose", SLOPE]) == 2
    assert "needs data" in capsys.readouterr().err


@pytest.mark.usefixtures("cut_short")
def test_the_command_fails_where_the_slope_is_not_zero(tmp_path, capsys) -> None:
    path = tmp_path / "gpa.csv"
    long_frame("A08_gpa_missing_long.csv").to_csv(path, index=False)
    assert main(["diagnose", SLOPE, "--data", str(path)]) == 1
    assert "not the maximum" in capsys.readouterr().out
