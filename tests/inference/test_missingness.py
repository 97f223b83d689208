"""Dropout, Rubin's rules and imputation, against R's glm and mice."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from conftest import examples
from hypothesis import given, settings
from hypothesis import strategies as st
from r_reference import differences, kept, live
from reference import reference_folder
from scipy.stats import chi2

import growthmm as gm
from growthmm.data.person_table import PersonTable, table_of_wide
from growthmm.errors import SpecificationError, UnsupportedEngineError
from growthmm.inference.missingness.drawing import DrawnRegression, Draws
from growthmm.inference.missingness.dropout import dropout_check, last_seen, means_by_dropout
from growthmm.inference.missingness.imputation import chained, forest
from growthmm.inference.missingness.rubin import pool_fits, rubin
from growthmm.inference.missingness.rules import kept_persons

NAMES = [f"gpa_{t}" for t in range(6)]
R_PACKAGES = ("mice", "lavaan", "semTools", "lme4", "jsonlite")


def gpa() -> np.ndarray:
    frame = pd.read_csv(reference_folder() / "data" / "A08_gpa_missing_wide.csv")
    return frame[NAMES].to_numpy(float)


def filled(k: int) -> np.ndarray:
    """The data that the R script completes by the same rule."""
    values = gpa()
    middle, spread = np.nanmean(values, axis=0), np.nanstd(values, axis=0, ddof=1)
    made = values[np.isfinite(values).any(axis=1)].copy()
    for i, t in np.argwhere(np.isnan(made)):
        made[i, t] = middle[t] + spread[t] * np.sin(7 * (i + 1) + 3 * (t + 1) + 11 * k)
    return made


def test_dropout_is_rs_logistic_regression() -> None:
    found, reference = dropout_check(gpa(), "gpa"), kept("missing")["dropout"]
    assert (found.n_at_risk, found.n_dropouts) == (
        reference["n_at_risk"],
        reference["n_dropouts"],
    )
    for name in ("coefficient", "std_error", "statistic"):
        assert getattr(found, name) == pytest.approx(reference[name], rel=1e-7)
    assert found.p_value == pytest.approx(reference["p_value"], rel=1e-5)
    assert found.depends is True
    assert "not missing completely at random" in found.message


def test_dropout_by_chance_is_not_taken_for_more() -> None:
    rng = np.random.default_rng(4)
    hits = 0
    for _ in range(60):
        y = rng.normal(size=(150, 1)) + rng.normal(size=(150, 4))
        last = rng.integers(0, 4, size=150)
        y[np.arange(4) > last[:, None]] = np.nan
        hits += bool(dropout_check(y, "y").depends)
    assert hits <= 9  # 3 are expected; 10 or more have probability .001


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ([[1.0, 2.0], [2.0, 3.0]], "nobody drops out"),
        ([[1.0, np.nan], [2.0, np.nan]], "after every occasion"),
        ([[1.0, np.nan], [2.0, np.nan], [3.0, 1.0], [4.0, 2.0]], "tells all dropouts"),
    ],
)
def test_dropout_without_a_regression_says_why(rows: list[list[float]], reason: str) -> None:
    found = dropout_check(np.array(rows), "y")
    assert reason in found.message
    assert found.depends is None
    assert found.to_dict()["p_value"] is None


def test_intermittent_gaps_are_no_dropout() -> None:
    rows = np.array([[1.0, np.nan, 2.0], [1.0, 2.0, np.nan], [np.nan, np.nan, np.nan]])
    assert last_seen(rows).tolist() == [2, 1, -1]
    found = means_by_dropout(rows)
    assert [(last, n) for last, n, _, _ in found] == [(1, 1), (2, 1)]
    assert np.isnan(found[1][2][1])


def test_rubins_rules_are_mices_on_the_same_estimates() -> None:
    """R's pool() of linear regressions, with their degrees of freedom."""
    reference = kept("missing")["rubin_lm"]
    found = rubin(
        np.array(reference["coefficients"]),
        np.array(reference["errors"]) ** 2,
        reference["dfcom"],
    )
    theirs = reference["pooled"]
    for name, ours in (
        ("estimate", found.estimates),
        ("std.error", found.errors),
        ("df", found.df),
        ("riv", found.increase),
        ("lambda", found.fraction),
        ("fmi", found.missing_information),
        ("ubar", found.within),
        ("b", found.between),
        ("t", found.total),
    ):
        np.testing.assert_allclose(ours, theirs[name], rtol=1e-10, err_msg=name)


def test_pooled_mixed_models_are_mices_on_the_same_data() -> None:
    reference = kept("missing")["rubin"]
    frames = [pd.DataFrame(filled(k), columns=NAMES).assign(id=range(194)) for k in range(1, 6)]
    longs = [gm.to_long(f, id="id", time="t", values=["gpa"]) for f in frames]
    fits = [gm.fit("gpa ~ t + (t | id)", long) for long in longs]
    pooled = gm.pool(fits, complete_df=192)
    table = pooled.estimates.set_index("name")
    for name, theirs in reference["pooled"].items():
        row = table.loc[name]
        each = [fit.estimates.set_index("name").loc[name, "estimate"] for fit in fits]
        error = np.sqrt(theirs["t"])
        assert np.abs(np.array(each) - reference["estimates"][name]).max() / error < 1e-6
        assert abs(row["estimate"] - theirs["qbar"]) / error < 1e-6
        # lmer stops some 1e-5 short in the variances, which standard errors depend on.
        assert row["std_error"] == pytest.approx(error, rel=5e-5)
        for ours, key in (("between", "b"), ("df", "df"), ("missing_information", "fmi")):
            assert row[ours] == pytest.approx(theirs[key], rel=1e-4), key


@given(st.integers(0, 10_000), st.integers(2, 12))
@settings(max_examples=examples(25, 40))
def test_pooling_keeps_its_bounds(seed: int, m: int) -> None:
    rng = np.random.default_rng(seed)
    estimates, variances = rng.normal(size=(m, 3)), rng.uniform(0.1, 2.0, size=(m, 3))
    found = rubin(estimates, variances, 30.0)
    assert (found.total >= found.within).all()
    assert ((found.fraction >= 0) & (found.fraction < 1)).all()
    assert (found.df <= 30.0).all()
    more = rubin(np.concatenate([estimates] * 2), np.concatenate([variances] * 2), 30.0)
    np.testing.assert_allclose(more.estimates, found.estimates)


def test_nothing_missing_changes_nothing() -> None:
    found = rubin(np.full((4, 1), 1.5), np.full((4, 1), 0.25))
    assert found.errors.tolist() == [0.5]
    assert found.df.tolist() == [np.inf]
    assert rubin(np.full((4, 1), 1.5), np.full((4, 1), 0.25), 20).df[0] == pytest.approx(
        21 / 23 * 20
    )


def test_pooling_refuses_one_fit_and_different_models() -> None:
    data = gm.datasets.gpa()
    one = gm.fit("gpa ~ occasion + (1 | student)", data)
    other = gm.fit("gpa ~ occasion + (occasion | student)", data)
    with pytest.raises(SpecificationError, match="1 imputation"):
        pool_fits([one])
    with pytest.raises(SpecificationError, match="different parameters"):
        pool_fits([one, other])


def test_pooled_tests_take_the_fits_degrees_of_freedom() -> None:
    data = gm.datasets.gpa()
    formula = "gpa ~ occasion + (occasion | student)"
    fits = [gm.fit(formula, data, df="satterthwaite"), gm.fit(formula, data, df="satterthwaite")]
    table = pool_fits(fits).estimates.set_index("name")
    own = fits[0].estimates.set_index("name").loc["occasion", "df"]
    assert table.loc["occasion", "df"] == pytest.approx((own + 1) / (own + 3) * own)
    assert np.isinf(pool_fits([gm.fit(formula, data)] * 2).estimates["df"]).all()


def table_of(values: np.ndarray) -> PersonTable:
    names = [f"y{k}" for k in range(values.shape[1])]
    return table_of_wide(pd.DataFrame(values, columns=names), names)


@pytest.mark.parametrize("m", [8, pytest.param(80, marks=pytest.mark.nightly)])
def test_imputed_gpa_is_as_uncertain_as_mices(m: int) -> None:
    """Pooled chains against 100 of mice's method norm, within simulation error."""
    reference = kept("missing")["imputation"]
    frame = pd.read_csv(reference_folder() / "data" / "A08_gpa_missing_long.csv")
    made = gm.impute("gpa ~ occasion + (occasion | student)", frame, m, seed=7)
    table = gm.pool(made.fits(), complete_df=192).estimates.set_index("name")
    low, high = chi2.ppf([0.001, 0.999], m - 1) / (m - 1)
    for ours, theirs in (("(Intercept)", "(Intercept)"), ("occasion", "t")):
        row, mice = table.loc[ours], reference[theirs]
        noise = np.sqrt(mice["b"] * (1 / m + 1 / 100))
        assert abs(row["estimate"] - mice["qbar"]) < 4 * noise
        assert 0.8 * low < row["between"] / mice["b"] < 1.2 * high
        assert row["within"] == pytest.approx(mice["ubar"], rel=0.1)


def test_imputation_keeps_what_was_observed_and_its_seed() -> None:
    values = gpa()[:, :3]
    table = table_of(values)
    first, again, other = chained(table, 2, 5), chained(table, 3, 5), chained(table, 2, 6)
    seen = np.isfinite(table.values)
    for made in first:
        assert np.isfinite(made).all()
        assert (made[seen] == table.values[seen]).all()
    # More imputations leave the first ones as they are.
    np.testing.assert_array_equal(first[1], again[1])
    assert not np.array_equal(first[0], first[1])
    assert not np.array_equal(first[0], other[0])


def test_groups_are_imputed_by_themselves() -> None:
    rng = np.random.default_rng(2)
    x = rng.normal(size=400)
    group = np.arange(400) % 2
    y = np.where(group == 0, 3.0 * x, -3.0 * x) + 0.01 * rng.normal(size=400)
    gone = rng.random(400) < 0.3
    frame = pd.DataFrame({"x": x, "y": np.where(gone, np.nan, y), "g": group})
    made = chained(table_of_wide(frame, ["x", "y"], "g"), 1, 0)[0]
    assert np.abs(made[gone, 1] - y[gone]).max() < 0.1


def test_a_drawn_regression_spreads_as_its_posterior() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(40, 2))
    y = 1.0 + x @ [2.0, -1.0] + rng.normal(size=40)
    draws = Draws(np.random.SeedSequence(1))
    lines = np.array([_line(DrawnRegression(draws).fit(x, y)) for _ in range(4000)])
    design = np.column_stack([np.ones(40), x])
    expected = np.linalg.lstsq(design, y, rcond=None)[0]
    rest = y - design @ expected
    # A t with 37 degrees of freedom has variance 37/35 of its scale's square.
    cov = np.linalg.inv(design.T @ design) * (rest @ rest / 37) * 37 / 35
    sd = np.sqrt(np.diag(cov))
    assert np.abs(lines.mean(axis=0) - expected).max() < 5 * sd.max() / np.sqrt(4000)
    np.testing.assert_allclose(np.cov(lines.T), cov, atol=0.08 * sd.max() ** 2)


def _line(fitted: DrawnRegression) -> np.ndarray:
    at = np.vstack([np.zeros(2), np.eye(2)])
    level, one, two = fitted.predict(at)
    return np.array([level, one - level, two - level])


def test_forests_find_a_bent_line_and_report_their_error() -> None:
    rng = np.random.default_rng(0)
    x = rng.uniform(-2, 2, size=500)
    y = np.abs(x) + 0.05 * rng.normal(size=500)
    gone = rng.random(500) < 0.3
    made = forest(table_of(np.column_stack([x, np.where(gone, np.nan, y)])), 1)
    error = np.sqrt(np.mean((made.values[gone, 1] - y[gone]) ** 2)) / y.std()
    assert error < 0.25
    assert made.errors["y1"] == pytest.approx(error, abs=0.12)
    assert (made.values[~gone, 1] == y[~gone]).all()
    again = forest(table_of(np.column_stack([x, np.where(gone, np.nan, y)])), 1)
    np.testing.assert_array_equal(made.values, again.values)


@pytest.mark.parametrize("how", ["chained", "forest"])
def test_imputation_refuses_what_data_do_not_say(how: str) -> None:
    rng = np.random.default_rng(0)
    apart = rng.normal(size=(60, 2))
    apart[:30, 0], apart[30:, 1] = np.nan, np.nan
    few = rng.normal(size=(60, 5))
    few[5:, 4] = np.nan
    run = (lambda t: chained(t, 2, 0)) if how == "chained" else (lambda t: forest(t, 0))
    with pytest.raises(UnsupportedEngineError, match="never seen together"):
        run(table_of(apart))
    with pytest.raises(UnsupportedEngineError, match="seen for 5 persons"):
        run(table_of(few))


def test_no_imputations_are_refused() -> None:
    with pytest.raises(SpecificationError, match="0 imputations"):
        chained(table_of(gpa()), 0, 0)


def test_fixed_covariates_cost_persons() -> None:
    y = np.array([[1.0, 2.0], [1.0, np.nan], [3.0, 4.0]])
    x = np.array([[0.0], [1.0], [np.nan]])
    assert kept_persons(y, x, "full_information").tolist() == [True, True, False]
    assert kept_persons(y, x, "listwise").tolist() == [True, False, False]


@pytest.mark.nightly
def test_imputation_covers_and_scikit_learns_own_draws_do_not() -> None:
    """A mean under dropout by the occasion before: 95% intervals of pooled estimates."""
    from scipy.special import stdtrit
    from sklearn.experimental import enable_iterative_imputer  # noqa: F401
    from sklearn.impute import IterativeImputer

    n, m, runs = 60, 10, 200
    covered, between = 0, np.zeros(2)
    for seed in range(runs):
        rng = np.random.default_rng(seed)
        first = rng.normal(size=n)
        second = 0.8 * first + 0.6 * rng.normal(size=n)
        values = np.column_stack([first, np.where(first > 0.2, np.nan, second)])
        made = chained(table_of(values), m, seed)
        means = np.array([[v[:, 1].mean()] for v in made])
        pooled = rubin(means, np.array([[v[:, 1].var(ddof=1) / n] for v in made]), n - 1)
        covered += abs(pooled.estimates[0]) < stdtrit(pooled.df[0], 0.975) * pooled.errors[0]
        plain = []
        for k in range(m):
            imputer = IterativeImputer(sample_posterior=True, random_state=seed * m + k)
            plain.append(imputer.fit_transform(values)[:, 1].mean())
        between += [means.var(ddof=1), np.var(plain, ddof=1)]
    # .95 +- 3 standard errors of the simulation.
    assert 0.904 <= covered / runs <= 0.996
    assert between[1] < 0.3 * between[0]


@pytest.mark.r(*R_PACKAGES)
@pytest.mark.nightly
def test_r_still_says_what_was_kept() -> None:
    assert differences(kept("missing"), live("missing"), 1e-5) == []
