"""Variance accounted for against performance, lavaan, pbkrtest and published formulas."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from clustered import schools
from r_reference import differences, kept, live
from reference import case, long_frame, wide_frame

import growthmm as gm
from growthmm.errors import SpecificationError, UnsupportedEngineError
from growthmm.inference.result import FitResult
from growthmm.inference.variance.rows import model_rows

MODELS = {
    "intercept": ("gpa ~ occasion + (1 | student)", "A_gpa_long.csv"),
    "slope": ("gpa ~ occasion + (occasion | student)", "A_gpa_long.csv"),
    "sex": ("gpa ~ occasion * sexmale + (occasion | student)", "A_gpa_long.csv"),
    "missing": ("gpa ~ occasion * sexmale + (occasion | student)", "A08_gpa_missing_long.csv"),
    "sleep": ("Reaction ~ Days + (Days | Subject)", "B_sleepstudy_long.csv"),
    "unbalanced": ("y ~ time + (time | id)", "E02_unbalanced_long.csv"),
}
CURVE = (
    "i =~ 1*gpa_0 + 1*gpa_1 + 1*gpa_2 + 1*gpa_3 + 1*gpa_4 + 1*gpa_5\n"
    "s =~ 0*gpa_0 + 1*gpa_1 + 2*gpa_2 + 3*gpa_3 + 4*gpa_4 + 5*gpa_5\n"
)
SAME = "\n".join(f"gpa_{t} ~~ v*gpa_{t}" for t in range(6)) + "\n"
CURVES = {
    "sem_equal": CURVE + SAME,
    "sem_free": CURVE,
    "sem_sex": CURVE + SAME + "i + s ~ sexmale\n",
}


@cache
def fitted(name: str, estimator: str = "reml", engine: str = "auto") -> FitResult:
    formula, file = MODELS[name]
    return gm.fit(formula, long_frame(file), estimator=estimator, engine=engine)


@cache
def curve(name: str) -> FitResult:
    return gm.fit(CURVES[name], wide_frame("A_gpa_wide.csv"))


@pytest.mark.parametrize(
    ("name", "golden"), [("intercept", "A01b"), ("slope", "A02"), ("sex", "A04")]
)
def test_golden_r_squared_and_icc(name: str, golden: str) -> None:
    expected = case("N01_extras")["performance"][golden]
    found, ratio = gm.r_squared(fitted(name)), gm.icc(fitted(name))
    assert found.marginal == pytest.approx(expected["R2_marginal"], rel=1e-7)
    assert found.conditional == pytest.approx(expected["R2_conditional"], rel=1e-7)
    assert ratio.adjusted == pytest.approx(expected["ICC_adjusted"], rel=1e-7)
    assert ratio.unadjusted == pytest.approx(expected["ICC_unadjusted"], rel=1e-7)


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("estimator", ["ml", "reml"])
def test_r_squared_and_icc_of_performance(name: str, estimator: str) -> None:
    golden = kept("variance")[name][estimator]
    found, ratio = gm.r_squared(fitted(name, estimator)), gm.icc(fitted(name, estimator))
    # lme4's search ends at 1e-5 of a standard error.
    assert found.marginal == pytest.approx(golden["marginal"], rel=5e-5)
    assert found.conditional == pytest.approx(golden["conditional"], rel=5e-5)
    assert ratio.adjusted == pytest.approx(golden["adjusted"], rel=5e-5)
    assert ratio.unadjusted == pytest.approx(golden["unadjusted"], rel=5e-5)


@pytest.mark.parametrize("name", MODELS)
def test_the_partition_is_that_of_the_published_formulas(name: str) -> None:
    parts = gm.r_squared(fitted(name)).partition
    assert parts is not None
    for source, value in kept("variance")[name]["partition"].items():
        assert getattr(parts, source) == pytest.approx(value, rel=5e-5, abs=1e-9)


def test_shares_and_measures_of_the_partition() -> None:
    found = gm.r_squared(fitted("unbalanced"))
    assert found.partition is not None
    shares, measures = found.partition.shares, found.partition.measures
    np.testing.assert_allclose(shares.sum().to_numpy(), 1.0, rtol=1e-12)
    n = fitted("unbalanced").n_rows
    assert measures.loc["f", "total"] == pytest.approx(found.marginal, rel=1 / n)
    assert measures.loc["fvm", "total"] == pytest.approx(found.conditional, rel=1 / n)
    parts = found.partition
    assert measures.loc["fv", "within"] == pytest.approx((parts.f1 + parts.v1) / parts.within)
    assert parts.v2 > 0  # persons differ in their mean times


@pytest.mark.parametrize("name", ["intercept", "slope", "sex", "missing"])
def test_both_forms_of_a_model_have_one_r_squared(name: str) -> None:
    mixed, sem = fitted(name, "ml"), fitted(name, "ml", "wide")
    one, two = gm.r_squared(mixed), gm.r_squared(sem)
    assert two.marginal == pytest.approx(one.marginal, rel=1e-7)
    assert two.conditional == pytest.approx(one.conditional, rel=1e-7)
    assert one.partition is not None
    assert two.partition is not None
    np.testing.assert_allclose(two.partition.shares, one.partition.shares, rtol=1e-6, atol=1e-9)
    assert gm.icc(sem).adjusted == pytest.approx(gm.icc(mixed).adjusted, rel=1e-7)


def test_residual_variances_that_differ_are_averaged_over_rows() -> None:
    frame = long_frame("A08_gpa_missing_long.csv")
    by_time = gm.fit("gpa ~ occasion + (1 | student)", frame, residual="by_occasion")
    rows = model_rows(by_time)
    own = dict(zip(by_time.residual_cov.index, np.diag(by_time.residual_cov), strict=True))
    kept_rows = frame["occasion"].to_numpy()[by_time.data.rows]
    np.testing.assert_allclose(rows.residual, [own[t] for t in kept_rows])
    assert "time" in gm.icc(by_time).note
    by_sex = gm.fit("gpa ~ occasion + (1 | student)", frame, residual="by_group:sexmale")
    assert len(np.unique(model_rows(by_sex).residual)) == 2


def test_the_icc_by_occasion() -> None:
    fit = fitted("slope")
    found = gm.icc(fit)
    g, r = fit.factor_cov.to_numpy(), float(fit.residual_cov.to_numpy()[0, 0])
    for row in found.by_occasion.itertuples():
        z = np.array([1.0, row.occasion])
        assert row.icc == pytest.approx(z @ g @ z / (z @ g @ z + r), rel=1e-12)
    assert "by_occasion" in found.note
    assert "by_occasion" in found.summary()
    assert gm.icc(fitted("intercept")).note == ""
    assert found.to_dict()["by_occasion"][0]["occasion"] == 0.0


@pytest.mark.parametrize("name", CURVES)
def test_r_squared_of_variables_is_lavaans(name: str) -> None:
    table = gm.r_squared(curve(name)).by_variable
    assert table is not None
    golden = kept("variance")[name]["r2"]
    assert set(table["name"]) == set(golden)
    for row in table.itertuples():
        assert row.r_squared == pytest.approx(golden[row.name], abs=2e-6)


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("method", ["kenward-roger", "nsj", "sgv"])
def test_semi_partial_r_squared(name: str, method: str) -> None:
    golden = kept("variance")[name]["r2beta"][method]
    table = gm.r2beta(fitted(name), method).set_index("effect")
    assert list(table.index) == list(golden)
    for effect, row in golden.items():
        for column, value in row.items():
            assert table.loc[effect, column] == pytest.approx(value, rel=1e-4)


def test_the_mean_variance_gives_the_marginal_r_squared() -> None:
    fit = fitted("missing")
    whole = gm.r2beta(fit, "nsj")["r_squared"].iloc[0]
    assert whole == pytest.approx(gm.r_squared(fit).marginal, rel=1e-12)


def test_moments_have_variables_but_no_rows() -> None:
    frame = wide_frame("A_gpa_wide.csv")[[f"gpa_{t}" for t in range(6)]]
    moments = gm.Moments(frame.mean(), frame.cov(), len(frame))
    found = gm.r_squared(gm.fit(CURVES["sem_equal"], moments))
    assert found.partition is None
    assert "Moments" in found.note
    assert found.by_variable is not None
    assert gm.r_squared(curve("sem_equal")).by_variable is not None
    with pytest.raises(UnsupportedEngineError, match="no partition"):
        found.plot()
    assert found.to_dict()["marginal"] is None


def test_several_outcomes_have_no_common_r_squared() -> None:
    frame = wide_frame("A_gpa_wide.csv")
    first = "i =~ 1*gpa_0 + 1*gpa_1 + 1*gpa_2\n"
    second = "j =~ 1*gpa_3 + 1*gpa_4 + 1*gpa_5\n"
    fit = gm.fit(first + second, frame, function="growth")
    found = gm.r_squared(fit)
    assert np.isnan(found.marginal)
    assert "several outcomes" in found.summary()
    with pytest.raises(UnsupportedEngineError, match="several outcomes"):
        gm.icc(fit)


def test_clusters_count_as_between_and_have_no_partition() -> None:
    fit = gm.fit("y ~ t * x + (t | child) + (t | school)", schools(), estimator="reml")
    found = gm.r_squared(fit)
    frame, g = schools(), fit.factor_cov.to_numpy()
    z = np.column_stack([np.ones(len(frame)), frame["t"]])
    pairs = [g[:2, :2], g[2:, 2:]]
    random = sum(float(np.mean(np.einsum("ni,ij,nj->n", z, part, z))) for part in pairs)
    fixed = float(np.var(fit.predict(level="population"), ddof=1))
    total = fixed + random + float(fit.residual_cov.to_numpy()[0, 0])
    assert found.marginal == pytest.approx(fixed / total, rel=1e-9)
    assert found.conditional == pytest.approx((fixed + random) / total, rel=1e-9)
    assert found.partition is None
    assert "clusters" in found.summary()
    with pytest.raises(UnsupportedEngineError, match="person by person"):
        gm.r2beta(fit, "sgv")
    wide = gm.fit("y ~ t * x + (t | child) + (t | school)", schools(), engine="wide")
    for ask in (gm.r_squared, gm.icc, gm.standardized):
        with pytest.raises(UnsupportedEngineError, match="two levels"):
            ask(wide)
    with pytest.raises(UnsupportedEngineError, match="in clusters"):
        fit.predict(frame.head(2), "person")
    again = fit.predict(frame, "population", interval="prediction")
    np.testing.assert_allclose(again["estimate"], fit.predict(level="population"))


def test_strata_tell_rows_apart_where_occasions_do_not() -> None:
    frame = long_frame("A_gpa_long.csv")
    crossed = "by_group:sexmale:by_occasion"
    fit = gm.fit("gpa ~ occasion + (1 | student)", frame, residual=crossed)
    found = gm.icc(fit)
    assert len(found.by_occasion) == 12
    assert found.note


def test_refusals_say_why() -> None:
    with pytest.raises(SpecificationError, match="'r2'"):
        gm.r2beta(fitted("sleep"), "r2")
    with pytest.raises(UnsupportedEngineError, match="REML"):
        gm.r2beta(fitted("sleep", "ml"))
    with pytest.raises(UnsupportedEngineError, match="fit by wide"):
        gm.r2beta(curve("sem_equal"), "nsj")
    empty = gm.fit("gpa ~ 1 + (1 | student)", long_frame("A_gpa_long.csv"))
    with pytest.raises(SpecificationError, match="no slopes"):
        gm.r2beta(empty, "nsj")


def test_the_figure_shows_the_shares() -> None:
    pytest.importorskip("matplotlib")
    found = gm.r_squared(fitted("sex"))
    axes = found.plot().axes[0]
    assert found.partition is not None
    heights = np.array([[bar.get_height() for bar in part] for part in axes.containers])
    np.testing.assert_allclose(heights, np.nan_to_num(found.partition.shares), atol=1e-12)


@pytest.mark.r("lme4", "performance", "pbkrtest", "lavaan", "emmeans", "jsonlite")
@pytest.mark.nightly
def test_the_kept_output_is_what_r_says() -> None:
    assert differences(kept("variance"), live("variance"), 1e-4) == []
