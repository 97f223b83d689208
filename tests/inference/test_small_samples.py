"""REML on both sides, by the determinant and in closed form; samples and studies."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from reference import CASES, long_frame

import growthmm as gm
from growthmm.errors import SpecificationError, UnsupportedEngineError
from growthmm.inference.closed_form import closed_form_reml

SLOPE = "gpa ~ occasion + (1 + occasion | student)"
BALANCED = {"A02": 1, "A04": 2, "B01": 1, "D01": 1, "F01": 1, "F03": 1}


@pytest.mark.parametrize("name", BALANCED)
def test_restricted_estimates_three_ways(name: str) -> None:
    entry = CASES[name]
    frame = entry.long_frame()
    ml = gm.fit(entry.formula, frame)
    found = closed_form_reml(ml)
    assert found.predictors == BALANCED[name]
    for engine in ("long", "wide"):
        fit = gm.fit(entry.formula, frame, estimator="reml", engine=engine, time=entry.time)
        scale = np.sqrt(np.diag(found.factor_cov))
        gap = (fit.factor_cov.to_numpy() - found.factor_cov) / np.outer(scale, scale)
        assert np.abs(gap).max() < 1e-7
        errors = fit.fit.standard_errors[np.isin(fit.fit.kinds, ["fixed", "mean", "regression"])]
        np.testing.assert_allclose(sorted(errors), sorted(found.std_error), rtol=1e-7)
        residual = float(fit.residual_cov.iloc[0, 0])
        assert residual == pytest.approx(found.residual, rel=1e-8)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("A05", "varies within persons"),
        ("A06", "boundary"),
        ("A06b", "varies within persons"),
        ("A07", "do not all covary"),
        ("A08", "number of rows"),
        ("A03", "common variance"),
        ("K01", "boundary"),
    ],
)
def test_no_closed_form_elsewhere(name: str, reason: str) -> None:
    entry = CASES[name]
    fit = gm.fit(entry.formula, entry.long_frame(), residual=entry.residual)
    with pytest.raises(UnsupportedEngineError, match=reason):
        closed_form_reml(fit)


def test_no_closed_form_with_a_covariate_on_the_level_alone() -> None:
    fit = gm.fit("gpa ~ occasion + sexmale + (occasion | student)", long_frame("A_gpa_long.csv"))
    with pytest.raises(UnsupportedEngineError, match="not every random effect"):
        closed_form_reml(fit)


@pytest.mark.parametrize("residual", ["common", "by_occasion", "ar1", "by_group:sex"])
def test_large_samples_have_the_models_parameters(residual: str) -> None:
    fit = gm.fit(SLOPE, gm.datasets.gpa(), residual=residual)
    sample = gm.simulate(fit, 3000, parameters={"occasion": 0.3}, seed=8)
    again = gm.fit(SLOPE, sample, residual=residual)
    gap = again.fit.estimates - fit.fit.estimates
    gap[1] = again.fit.value("occasion") - 0.3
    assert np.abs(gap / again.fit.standard_errors).max() < 4


def test_a_sample_keeps_designs_and_missing_values() -> None:
    frame = long_frame("A08_gpa_missing_long.csv")
    fit = gm.fit("gpa ~ occasion * sexmale + (occasion | student)", frame)
    sample = gm.simulate(fit, seed=3)
    assert sample["gpa"].isna().sum() == frame["gpa"].isna().sum()
    assert sample.drop(columns="gpa").equals(frame.drop(columns="gpa"))
    assert not np.allclose(sample["gpa"].dropna(), frame["gpa"].dropna())
    assert gm.simulate(fit, 20, seed=3).equals(gm.simulate(fit, 20, seed=3))


def test_a_growth_curves_sample_is_wide() -> None:
    fit = gm.fit("gpa ~ occasion * sex + (occasion | student)", gm.datasets.gpa(), engine="wide")
    sample = gm.simulate(fit, 2000, seed=1)
    assert len(sample) == 2000
    again = gm.fit(fit.model, sample)
    gap = (again.fit.estimates - fit.fit.estimates) / again.fit.standard_errors
    assert np.abs(gap).max() < 4


@pytest.mark.parametrize("engine", ["long", "wide"])
def test_a_study_counts(engine: str) -> None:
    fit = gm.fit(SLOPE, gm.datasets.gpa(), engine=engine)
    found = gm.study(fit, 40, n_simulations=60, seed=2, workers=1)
    table = found.table
    assert (found.n_subjects, found.n_simulations, found.n_failed) == (40, 60, 0)
    assert (np.abs(table["bias"]) < 5 * table["bias_error"] + 0.03 * table["true"].abs()).all()
    assert table["power"].iloc[:2].tolist() == [1.0, 1.0]
    assert table["rmse"].to_numpy() == pytest.approx(
        np.sqrt(table["bias"] ** 2 + table["sd"] ** 2 * 59 / 60)
    )
    same = gm.study(fit, 40, n_simulations=60, seed=2, workers=2).table
    assert same.equals(table)


def test_without_an_effect_power_is_the_level() -> None:
    fit = gm.fit(SLOPE, gm.datasets.gpa(), estimator="reml", df="satterthwaite")
    found = gm.study(fit, 12, parameters={"occasion": 0.0}, n_simulations=150, seed=4, workers=1)
    power = found.table.set_index("name").loc["occasion", "power"]
    assert power == pytest.approx(0.05, abs=4 * np.sqrt(0.05 * 0.95 / 150))


def test_refusals() -> None:
    fit = gm.fit(SLOPE, gm.datasets.gpa())
    with pytest.raises(SpecificationError, match="no parameter 'week'"):
        gm.simulate(fit, parameters={"week": 1.0})
    with pytest.raises(SpecificationError, match="1 persons"):
        gm.simulate(fit, 1)
    with pytest.raises(SpecificationError, match="robust"):
        gm.study(gm.fit(SLOPE, gm.datasets.gpa(), robust="cr0"))


def test_a_design_with_parameters_is_refused_by_name() -> None:
    rng = np.random.default_rng(12)
    frame = pd.DataFrame({"id": np.repeat(np.arange(40), 5), "t": np.tile(np.arange(5.0), 40)})
    own = rng.normal(0, 1, (40, 2))[frame["id"]]
    curve = 1 - np.exp(-0.6 * frame["t"])
    frame["y"] = 3 + own[:, 0] + (5 + own[:, 1]) * curve + rng.normal(0, 0.5, len(frame))
    text = (
        "nlme(y ~ b0 + b1 * (1 - exp(-g * t)), fixed = b0 + b1 + g ~ 1, "
        "random = b0 + b1 ~ 1 | id, start = c(b0 = 3, b1 = 5, g = 0.6))"
    )
    fit = gm.fit(text, frame, estimator="ml")
    for asked in (
        lambda: gm.fit(text, frame, estimator="ml", df="satterthwaite"),
        lambda: gm.fit(text, frame, estimator="ml", robust="cr2"),
        lambda: gm.fit(text, frame, estimator="ml", penalty="wishart"),
        lambda: gm.test(fit, "g = 0.6", kind="lrt"),
        lambda: gm.test_variance(fit, "(Intercept)"),
        lambda: gm.simulate(fit),
        lambda: gm.study(fit, n_simulations=2, workers=1),
        lambda: fit.confidence_intervals("profile"),
        lambda: fit.confidence_intervals("bootstrap", n_simulations=2, workers=1),
    ):
        with pytest.raises(UnsupportedEngineError, match="depends on g"):
            asked()
    assert gm.test(fit, "I(1 - exp(-g * t)) = 5, g = 0.6").p_value > 0.001
