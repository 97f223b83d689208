"""Condition 14: curves with several estimated parameters, by both engines and in both forms."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import pytest

import growthmm as gm
from growthmm.engines import long as engine
from growthmm.equivalence.result import Equivalence

GOMPERTZ = (
    "nlme(y ~ b0 + b1 * exp(-exp(-g * (t - c))), fixed = b0 + b1 + g + c ~ 1, "
    "random = b0 + b1 ~ 1 | id)"
)
JENSS_BAYLEY = (
    "nlme(y ~ b0 + b1 * t + b2 * exp(g * t), fixed = b0 + b1 + b2 + g ~ 1, "
    "random = b0 + b1 + b2 ~ 1 | id)"
)
FACTS = {"id": "id", "time": "t", "outcome": "y"}


@cache
def frame(gompertz: bool = True) -> pd.DataFrame:
    rng = np.random.default_rng(4)
    t, n = np.arange(5.0) if gompertz else np.array([0.0, 1, 2, 3, 4, 6]), 120
    low, rise, line = (
        mean + sd * rng.normal(size=(n, 1)) for mean, sd in ((10, 1.0), (6, 1.0), (-2, 0.7))
    )
    if gompertz:
        y = low + rise * np.exp(-np.exp(-1.2 * (t - 1.5)))
    else:
        y = low + rise * (1 - np.exp(-0.9 * t)) + line * t
    y = y + 0.5 * rng.normal(size=y.shape)
    y[rng.random(y.shape) < 0.1] = np.nan
    ids = np.repeat(np.arange(n), len(t))
    return pd.DataFrame({"id": ids, "t": np.tile(t, n), "y": y.ravel()})


@cache
def verified(source: str) -> Equivalence:
    if source == "nlme":
        found = gm.verify(GOMPERTZ, frame(), engines=["long"])
    else:
        text = gm.translate(GOMPERTZ, "lavaan", data=frame()).text
        found = gm.verify(text, frame(), engines=["long"], **FACTS)
    assert isinstance(found, Equivalence)
    return found


@pytest.mark.parametrize("source", ["nlme", "lavaan"])
def test_all_evidence_holds_from_either_side(source: str) -> None:
    found = verified(source)
    assert found.verdict == found.model_verdict == "not_representable"
    assert [level.passed for level in found.levels] == [True] * 6
    long, wide = found.mixed_fit, found.sem_fit
    assert long.log_likelihood == pytest.approx(wide.log_likelihood, abs=1e-6)
    assert long.n_parameters == wide.n_parameters == 8
    rows = found.parameters.set_index("mixed_name")
    for name in ("g", "c"):
        row = rows.loc[name]
        assert row["sem_name"] == name
        assert abs(row["estimate_long"] - row["estimate_wide"]) < 1e-3 * row["std_error_long"]
        assert row["std_error_long"] == pytest.approx(row["std_error_wide"], rel=1e-6)


def test_the_engine_wide_finds_a_jenss_bayley_curve() -> None:
    """From a rate of one over the span it used to end 200 lower, at a curve without a bend."""
    long = gm.fit(JENSS_BAYLEY, frame(False))
    text = gm.translate(JENSS_BAYLEY, "lavaan", data=frame(False)).text
    wide = gm.fit(text, gm.to_wide(frame(False), id="id", time="t", values="y"))
    assert wide.log_likelihood == pytest.approx(long.log_likelihood, abs=1e-6)
    assert wide.convergence.iterations < 100


def test_a_phantom_variable_without_a_start_is_found() -> None:
    """As a lavaan user writes it, who gives no starting values at all."""
    lines = [
        "i =~ 1*y_0 + 1*y_1 + 1*y_2 + 1*y_3 + 1*y_4",
        "s =~ NA*y_0 + l0*y_0 + l1*y_1 + l2*y_2 + l3*y_3 + l4*y_4",
        "rate =~ 0\nplace =~ 0\nrate ~ g*1\nplace ~ c*1\nrate ~~ 0*rate\nplace ~~ 0*place",
        "rate ~~ 0*place + 0*i + 0*s\nplace ~~ 0*i + 0*s",
        *(f"y_{k} ~~ v*y_{k}" for k in range(5)),
        *(f"l{k} == exp(-exp(-g*({k} - c)))" for k in range(5)),
    ]
    fit = gm.fit("\n".join(lines), gm.to_wide(frame(), id="id", time="t", values="y"))
    expected = verified("nlme").sem_fit.log_likelihood
    assert fit.log_likelihood == pytest.approx(expected, abs=1e-6)


NLME = """
library(nlme)
d <- na.omit(read.csv(commandArgs(TRUE)[1]))
f <- nlme(y ~ b0 + b1 * exp(-exp(-g * (t - c))), d, fixed = b0 + b1 + g + c ~ 1,
  random = b0 + b1 ~ 1 | id, start = c(10, 6, 1.1, 1.5), method = "ML",
  control = nlmeControl(maxIter = 500, tolerance = 1e-8, pnlsTol = 1e-5))
G <- as.matrix(f$modelStruct$reStruct$id) * f$sigma^2
cat(format(c(logLik(f), fixef(f), G[1, 1], G[1, 2], G[2, 2], f$sigma^2), digits = 15))
"""


@pytest.mark.r("nlme")
def test_nlme_has_this_likelihood_and_stops_below_its_maximum(tmp_path) -> None:
    import subprocess

    script, data = tmp_path / "script.R", tmp_path / "data.csv"
    script.write_text(NLME, encoding="utf-8")
    frame().to_csv(data, index=False)
    done = subprocess.run(
        ["Rscript", str(script), str(data)], capture_output=True, text=True, check=True, timeout=120
    )
    value, *point = map(float, done.stdout.split())
    fit = gm.fit(GOMPERTZ, frame())
    # Its own value is that of its last linearisation.
    there = engine.log_likelihood(fit.data.problem, np.array(point))
    assert there == pytest.approx(value, abs=1e-4)
    assert value < fit.log_likelihood


@pytest.mark.r("OpenMx", "lavaan")
def test_openmx_and_lavaan_fit_the_written_text() -> None:
    found = gm.verify(GOMPERTZ, frame(), engines=["openmx", "lavaan"])
    table = found.engines.set_index("name")
    for name in ("openmx", "lavaan"):
        assert table.loc[name, "used"], table.loc[name, "reason"]
        assert table.loc[name, "log_likelihood"] == pytest.approx(
            found.sem_fit.log_likelihood, abs=1e-5
        )
