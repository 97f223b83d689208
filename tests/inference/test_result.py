"""What users read off a fit, against lavaan's and lme4's golden numbers."""

from __future__ import annotations

import json
from functools import cache

import numpy as np
import pytest
from reference import CASES, case, exact

import growthmm as gm
from growthmm.errors import SpecificationError, UnsupportedEngineError
from growthmm.inference.result import FitResult

SLOPE = "gpa ~ occasion + (1 + occasion | student)"
FULL = "gpa ~ occasion * sex + lib_hours + (occasion | student)"


@cache
def lavaan_fit(name: str, robust: str | None = None) -> FitResult:
    return gm.fit(CASES[name].lavaan, CASES[name].wide_frame(), robust=robust)


@cache
def built_in(formula: str, engine: str = "auto", **options: str) -> FitResult:
    return gm.fit(formula, gm.datasets.gpa(), engine=engine, **options)


def errors_by_path(result: FitResult) -> dict[str, float]:
    frame = result.estimates
    return dict(zip(frame["name"], frame["std_error"], strict=True))


@pytest.mark.parametrize("name", ["A02", "A04", "A05", "A08"])
def test_fit_measures_by_lavaans_conventions(name: str) -> None:
    golden = case(name)["sem"]["fit_measures"]
    found = lavaan_fit(name).fit_measures
    names = {
        "chi_square": "chisq",
        "df": "df",
        "cfi": "cfi",
        "tli": "tli",
        "rmsea": "rmsea",
        "rmsea_ci_low": "rmsea.ci.lower",
        "rmsea_ci_high": "rmsea.ci.upper",
        "srmr": "srmr",
        "baseline_chi_square": "baseline.chisq",
        "baseline_df": "baseline.df",
        "unrestricted_log_likelihood": "unrestricted.logl",
    }
    # lavaan's search for the unrestricted model ends some 1e-8 short where outcomes are missing.
    for ours, theirs in names.items():
        assert found[ours] == pytest.approx(golden[theirs], rel=2e-6), ours


def test_fit_measures_against_no_growth() -> None:
    found = lavaan_fit("A02").fit_measures
    assert f"{found['growth_baseline_chi_square']:.4f}" == "1108.4529"
    assert found["growth_baseline_df"] == 25
    # By hand: 1 - (191.4089 - 21) / (1108.4529 - 25), and chi-squares over df.
    assert found["growth_cfi"] == pytest.approx(0.842717, abs=1e-6)
    assert found["growth_tli"] == pytest.approx(0.812758, abs=1e-6)


def test_fit_measures_are_not_a_mixed_models() -> None:
    with pytest.raises(SpecificationError, match="saturated model"):
        _ = built_in(SLOPE).fit_measures
    with pytest.raises(UnsupportedEngineError, match="REML"):
        _ = built_in(SLOPE, "wide", estimator="reml").fit_measures


@pytest.mark.parametrize("formula", [SLOPE, FULL, "gpa ~ occasion + (1 | student)"])
@pytest.mark.parametrize("level", ["person", "population"])
def test_both_families_predict_the_same(formula: str, level: str) -> None:
    mixed, sem = (
        built_in(formula).predict(level=level),
        built_in(formula, "wide").predict(level=level),
    )
    assert sem.shape == (200, 6)
    np.testing.assert_allclose(sem.ravel(), mixed, rtol=0, atol=1e-9)


def test_predictions_where_cells_are_missing() -> None:
    data = gm.datasets.gpa()
    data.loc[::7, "gpa"] = np.nan
    data.loc[1::11, "lib_hours"] = np.nan
    mixed, sem = gm.fit(FULL, data), gm.fit(FULL, data, engine="wide")
    table = sem.predict().ravel()
    np.testing.assert_allclose(table[mixed.data.rows], mixed.predict(), rtol=0, atol=1e-9)
    # An outcome that is missing is predicted; one whose covariate is missing is not.
    assert np.array_equal(np.isnan(table), data["lib_hours"].isna().to_numpy())
    population = sem.predict(level="population").ravel()
    assert np.array_equal(np.isnan(population), np.isnan(table))


def test_prediction_levels_are_two() -> None:
    with pytest.raises(SpecificationError, match="no prediction level 'group'"):
        built_in(SLOPE).predict(level="group")


def test_random_effects_are_lme4s() -> None:
    entry = CASES["A02"]
    result = gm.fit(SLOPE, entry.long_frame())
    golden = case("A02")["mixed"]["ml"]["blup_first"]["student"]
    for row in golden:
        found = result.random_effects.loc[int(row["id"])]
        assert found["(Intercept)"] == pytest.approx(row["(Intercept)"], abs=1e-6)
        assert found["occasion"] == pytest.approx(row["occasion"], abs=1e-6)


def test_covariance_matrices_are_labelled() -> None:
    mixed, sem = built_in(SLOPE), built_in(SLOPE, "wide")
    assert list(mixed.factor_cov.columns) == ["(Intercept)", "occasion"]
    assert list(sem.factor_cov.columns) == ["i", "s"]
    np.testing.assert_allclose(mixed.factor_cov, sem.factor_cov, atol=1e-9)
    residual = sem.residual_cov
    assert residual.shape == (6, 6)
    assert np.count_nonzero(residual) == 6
    assert residual.iloc[3, 3] == pytest.approx(float(mixed.residual_cov.iloc[0, 0]), abs=1e-9)


@pytest.mark.parametrize("engine", ["long", "wide"])
def test_icc_of_a_random_intercept_model(engine: str) -> None:
    derived = built_in("gpa ~ occasion + (1 | student)", engine).derived.set_index("name")
    golden = exact("A01b", "ml")
    (between,), (within,) = golden["covariance"].values(), golden["residual"].values()
    row = derived.loc["icc"]
    assert row["estimate"] == pytest.approx(between / (between + within), abs=1e-6)
    assert row["std_error"] > 0
    residual = derived.loc["sd(Residual)" if engine == "long" else "sd(v)"]
    assert residual["estimate"] == pytest.approx(within**0.5, abs=1e-6)


def test_icc_of_a_restricted_fit_is_the_r_packages() -> None:
    result = built_in("gpa ~ occasion + (1 | student)", estimator="reml")
    golden = case("N01_extras")["performance"]["A01b"]["ICC_adjusted"]
    assert result.derived.set_index("name").loc["icc", "estimate"] == pytest.approx(
        golden, abs=1e-6
    )


def test_icc_is_of_random_intercept_models_alone() -> None:
    for formula in (SLOPE, "gpa ~ occasion + (0 + occasion | student)"):
        for engine in ("long", "wide"):
            assert "icc" not in set(built_in(formula, engine).derived["name"])


def test_defined_parameters_have_delta_method_errors() -> None:
    text = CASES["A02"].lavaan + "\ni ~ mi*1\ns ~ ms*1\ntotal := mi + 5*ms"
    result = gm.fit(text, CASES["A02"].wide_frame())
    row = result.derived.set_index("name").loc["total"]
    names = list(result.fit.names)
    weights = np.zeros(len(names))
    weights[names.index("mi")], weights[names.index("ms")] = 1.0, 5.0
    assert row["estimate"] == pytest.approx(weights @ result.fit.estimates)
    assert row["std_error"] == pytest.approx((weights @ result.fit.covariance @ weights) ** 0.5)


def test_labelled_parameters_stand_once_for_each_path() -> None:
    frame = lavaan_fit("A02").estimates
    shared = frame[frame["kind"] == "residual"]
    assert len(shared) == 6
    assert shared["estimate"].nunique() == 1


def test_mlr_is_the_observed_sandwich() -> None:
    golden = case("A02b_gpa_lavaan_variants")["MLR"]["estimates"]
    found = errors_by_path(lavaan_fit("A02", "observed"))
    compared = 0
    for row in golden:
        name = f"{row['lhs']}{row['op']}{row['rhs']}"
        if row["se"] and name in found:
            assert found[name] == pytest.approx(row["se"], rel=1e-5), name
            compared += 1
    assert compared == 11


def test_condition_25_the_sandwiches_differ_where_outcomes_are_missing() -> None:
    mlr = errors_by_path(lavaan_fit("A08", "observed"))["s~1"]
    cr0 = errors_by_path(lavaan_fit("A08", "cr0"))["s~1"]
    long = gm.fit(SLOPE, CASES["A08"].long_frame(), robust="cr0").estimates
    assert (f"{mlr:.6f}", f"{cr0:.6f}") == ("0.008010", "0.007787")
    assert long.set_index("name").loc["occasion", "std_error"] == pytest.approx(cr0, rel=1e-6)
    assert long.set_index("name").loc["var(Residual)", ["std_error"]].isna().all()


@pytest.mark.parametrize("estimator", ["ml", "reml"])
def test_cr0_is_one_for_both_families(estimator: str) -> None:
    errors = []
    for engine in ("long", "wide"):
        result = built_in(FULL, engine, estimator=estimator, robust="cr0")
        fixed = result.fit.standard_errors
        errors.append(np.sort(fixed[np.isfinite(fixed)]))
        assert result.robust == "cr0"
    np.testing.assert_allclose(errors[0], errors[1], rtol=1e-6)


def test_observed_information_is_asked_for_by_name() -> None:
    golden = case("A08c")["exact"]["ml"]["se_observed"]
    entry = CASES["A08c"]
    result = gm.fit(entry.formula, entry.long_frame(), information="observed")
    found = errors_by_path(result)
    for name in ("(Intercept)", "occasion", "sexmale", "occasion:sexmale"):
        assert found[name] == pytest.approx(golden[name], rel=1e-5)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"robust": "hc3"}, SpecificationError, "hc3"),
        ({"robust": "observed"}, UnsupportedEngineError, "wide engine"),
        ({"robust": "cr0", "engine": "statsmodels"}, UnsupportedEngineError, "our engines"),
        (
            {"robust": "observed", "engine": "wide", "estimator": "reml"},
            UnsupportedEngineError,
            "restricted likelihood",
        ),
        ({"df": "kenward-roger"}, UnsupportedEngineError, "derived for REML"),
        ({"information": "fisher"}, SpecificationError, "fisher"),
    ],
)
def test_options_that_are_not(options: dict, error: type, message: str) -> None:
    with pytest.raises(error, match=message):
        gm.fit(SLOPE, gm.datasets.gpa(), **options)


def test_no_degrees_of_freedom_may_be_said() -> None:
    assert built_in(SLOPE, df="none").estimates["df"].isna().all()


@pytest.mark.parametrize("engine", ["long", "wide"])
def test_plain_values_hold_no_nan(engine: str) -> None:
    values = built_in(SLOPE, engine).to_dict()
    found = json.loads(json.dumps(values, allow_nan=False))
    fields = (
        "engine estimator log_likelihood n_parameters aic bic bic_subjects n_subjects n_rows "
        "converged at_boundary estimates"
    )
    assert set(fields.split()) <= set(found)
    row = {row["name"]: row for row in found["estimates"]}[
        "var(Residual)" if engine == "long" else "s~~s"
    ]
    assert row["p_value"] is None
    assert (found["fit_measures"] is None) == (engine == "long")


def test_refit_keeps_the_parameter_space() -> None:
    entry = CASES["K02"]
    free = gm.fit(entry.formula, entry.long_frame(), bounds="none", estimator="reml")
    again = free.refit("ml")
    assert (again.estimator, again.fit.bounds) == ("ml", "none")
    assert again.log_likelihood == pytest.approx(
        case("K02")["sem"]["lavaan_unconstrained"]["logLik"], abs=1e-6
    )
    assert free.refit("reml") is free


def test_witnesses_answer_in_their_own_order() -> None:
    ours, theirs = built_in(FULL), built_in(FULL, "statsmodels")
    np.testing.assert_allclose(theirs.predict(), ours.predict(), atol=1e-5)


def test_html_is_one_table() -> None:
    entry = CASES["K02"]
    page = gm.fit(entry.formula, entry.long_frame())._repr_html_()
    assert page.count("<table") == 1
    assert "Boundary: var(time|id)" in page
