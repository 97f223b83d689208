"""Seeded simulations: intervals cover and tests err as often as they say."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import growthmm as gm
from growthmm.engines.registry import run
from growthmm.inference.hypotheses.exact import exact_draws
from growthmm.inference.intervals.bootstrap import bootstrap
from growthmm.inference.intervals.profile import profile_of, targets
from growthmm.inference.resampling.outcomes import draw_outcomes
from growthmm.inference.resampling.persons import take_persons
from growthmm.inference.result import FitResult

pytestmark = pytest.mark.nightly

SLOPE = "gpa ~ occasion + (1 + occasion | student)"
NORMAL = 1.959963984540054


def first(fit: FitResult, n: int) -> FitResult:
    """The fit with the designs of the first persons alone."""
    problem = take_persons(fit.data.problem, (np.arange(n),))
    return replace(fit, data=replace(fit.data, problem=problem))


def again(fit: FitResult, values: np.ndarray, rng: np.random.Generator) -> FitResult:
    """The fit to new outcomes."""
    problem = draw_outcomes(fit.data.problem, values, rng)
    found = run("long", problem, estimator=fit.estimator)
    return replace(fit, fit=found, data=replace(fit.data, problem=problem))


@pytest.mark.parametrize("df", ["satterthwaite", "kenward-roger"])
def test_intervals_of_few_persons_cover(df: str) -> None:
    formula = "gpa ~ occasion * sex + (1 + occasion | student)"
    fit = gm.fit(formula, gm.datasets.gpa(), estimator="reml")
    table = gm.study(fit, 20, df=df, n_simulations=3000, seed=1).table
    coverage = table.loc[table["kind"] == "fixed", "coverage"]
    assert coverage.between(0.935, 0.965).all()


def test_corrected_sandwiches_cover_where_the_plain_ones_fall_short() -> None:
    # Random slopes that the working model leaves out.
    formula = "gpa ~ occasion + (1 | student)"
    truth = gm.fit(SLOPE, gm.datasets.gpa())
    rng = np.random.default_rng(2)
    inside = {"cr0": 0, "cr2": 0}
    n = 1000
    for seed in rng.integers(2**31, size=n):
        sample = gm.simulate(truth, 15, seed=int(seed))
        for kind in inside:
            row = gm.fit(formula, sample, robust=kind).estimates.set_index("name").loc["occasion"]
            inside[kind] += row["ci_low"] <= truth.fit.value("occasion") <= row["ci_high"]
    assert 0.935 < inside["cr2"] / n < 0.965
    assert inside["cr0"] / n < 0.935


def test_profile_intervals_cover() -> None:
    fit = first(gm.fit(SLOPE, gm.datasets.gpa()), 100)
    truth = fit.fit.estimates
    rng = np.random.default_rng(3)
    wanted, _ = targets(fit)
    names = ("occasion", "sd(occasion)", "var(Residual)")
    inside, n = dict.fromkeys(names, 0), 1000
    for _ in range(n):
        found = again(fit, truth, rng)
        own, blocks = targets(found)
        for name in names:
            # A value is inside where twice the fall of the likelihood is below the quantile.
            profile = profile_of(found, own[name], blocks)
            value, _ = profile.at(wanted[name].value(truth), found.fit.estimates)
            inside[name] += 2 * (found.log_likelihood - value) <= NORMAL**2
    for name in names:
        assert 0.935 < inside[name] / n < 0.965, name


def test_bootstrap_intervals_cover_about_as_often() -> None:
    fit = first(gm.fit("gpa ~ occasion + (1 | student)", gm.datasets.gpa()), 60)
    rng = np.random.default_rng(4)
    truth, inside, n = fit.fit.estimates, 0, 120
    for _ in range(n):
        found = bootstrap(again(fit, truth, rng), n_simulations=99, seed=5, workers=1)
        low, high = found.interval(0.95, "percentile")
        inside += low[1] <= truth[1] <= high[1]
    assert inside / n == pytest.approx(0.95, abs=4 * np.sqrt(0.95 * 0.05 / n))


def test_the_boundary_test_has_its_size() -> None:
    data = gm.datasets.gpa()
    null = gm.fit("gpa ~ occasion + (1 | student)", data, estimator="reml")
    full = gm.fit(SLOPE, data, estimator="reml")
    values = np.array(
        [null.fit.value(name) if name in null.fit.names else 0.0 for name in full.fit.names]
    )
    rng = np.random.default_rng(6)
    wrong = {0.05: 0, 0.2: 0}
    n = 2000
    for _ in range(n):
        p_value = gm.test_variance(again(full, values, rng), "occasion").p_value
        for level in wrong:
            wrong[level] += p_value < level
    for level, count in wrong.items():
        assert count / n == pytest.approx(level, abs=4 * np.sqrt(level * (1 - level) / n))


def test_the_exact_test_has_its_size_with_few_persons() -> None:
    fit = gm.fit("gpa ~ occasion + (1 | student)", gm.datasets.gpa(), estimator="reml")
    fit = first(fit, 8)
    draws = exact_draws(fit, ["(Intercept)"], n_simulations=50_000, seed=7)
    values = fit.fit.estimates.copy()
    values[list(fit.fit.names).index("var((Intercept)|student)")] = 0.0
    rng = np.random.default_rng(8)
    n = 2000
    cuts = {level: float(np.quantile(draws, 1 - level)) for level in (0.05, 0.2)}
    wrong = dict.fromkeys(cuts, 0)
    for _ in range(n):
        found = again(fit, values, rng)
        design = np.asarray(found.data.problem.fixed)
        outcome = found.data.problem.outcome
        left = outcome - design @ np.linalg.lstsq(design, outcome, rcond=None)[0]
        rows, p = design.shape
        scale = float(left @ left) / (rows - p)
        bare = -0.5 * (
            (rows - p) * (np.log(2 * np.pi * scale) + 1.0) + np.linalg.slogdet(design.T @ design)[1]
        )
        statistic = 2 * (found.log_likelihood - bare)
        for level, cut in cuts.items():
            wrong[level] += statistic > cut + 1e-9
    for level, count in wrong.items():
        assert count / n == pytest.approx(level, abs=4 * np.sqrt(level * (1 - level) / n))
