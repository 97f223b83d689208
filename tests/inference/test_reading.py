"""Reading a fit: standardised solutions, contrasts, simple slopes, predictions, courses."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import pytest
from r_reference import kept
from reference import long_frame, wide_frame

import growthmm as gm
from growthmm.errors import DataError, SpecificationError, UnsupportedEngineError
from growthmm.inference.reading.region import _solve
from growthmm.inference.result import FitResult

SEX = "gpa ~ occasion * sexmale + (occasion | student)"
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
def mixed(estimator: str = "reml", df: str = "none") -> FitResult:
    return gm.fit(SEX, long_frame("A08_gpa_missing_long.csv"), estimator=estimator, df=df)


@cache
def curve(name: str) -> FitResult:
    return gm.fit(CURVES[name], wide_frame("A_gpa_wide.csv"))


def new_rows() -> pd.DataFrame:
    frame = long_frame("A08_gpa_missing_long.csv")
    persons = [1, 2, 3, 3]
    sex = frame.drop_duplicates("student").set_index("student")["sexmale"].loc[persons]
    return pd.DataFrame(
        {"student": persons, "occasion": [0.0, 7.0, 2.5, 5.0], "sexmale": sex.to_numpy()}
    )


@pytest.mark.parametrize("name", CURVES)
@pytest.mark.parametrize("kind", ["all", "lv"])
def test_standardised_solutions_are_lavaans(name: str, kind: str) -> None:
    table = gm.standardized(curve(name), kind).set_index("name")
    for path, row in kept("variance")[name][kind].items():
        # lavaan's search ends at 1e-6 of an estimate or so.
        assert table.loc[path, "estimate"] == pytest.approx(row["est"], rel=2e-5, abs=2e-6)
        assert table.loc[path, "std_error"] == pytest.approx(row["se"], rel=2e-5, abs=2e-6)


@pytest.mark.parametrize("kind", ["all", "lv"])
def test_a_mixed_model_has_the_standardised_solution_of_its_curve(kind: str) -> None:
    frame = long_frame("A_gpa_long.csv")
    one = gm.standardized(gm.fit(SEX, frame), kind)
    two = gm.standardized(gm.fit(SEX, frame, engine="wide"), kind)
    assert list(one["name"]) == list(two["name"])
    for column in ("estimate", "std_error"):
        np.testing.assert_allclose(one[column], two[column], rtol=1e-5, atol=1e-7)


def test_a_mapped_residual_structure_is_standardised_too() -> None:
    frame = long_frame("A_gpa_long.csv")
    ar1 = {"residual": "ar1"}
    formula = "gpa ~ occasion + (1 | student)"
    one = gm.standardized(gm.fit(formula, frame, **ar1))
    two = gm.standardized(gm.fit(formula, frame, engine="wide", **ar1))
    assert list(one["name"]) == list(two["name"])
    for column in ("estimate", "std_error"):
        np.testing.assert_allclose(one[column], two[column], rtol=1e-4, atol=1e-6)


def test_simple_slopes_and_their_region() -> None:
    frame = long_frame("A08_gpa_missing_long.csv")
    remainder = frame["student"] % 7
    frame["high"] = (remainder - remainder.mean()) / remainder.std()
    golden = kept("variance")["slopes"]
    formula = "gpa ~ occasion * high + (occasion | student)"
    fit = gm.fit(formula, frame, estimator="reml")
    table = gm.simple_slopes(fit, "occasion", "occasion:high", [-1, 0, 2])
    for column, key in (("estimate", "slope"), ("std_error", "se"), ("ci_low", "low")):
        np.testing.assert_allclose(table[column], golden[key], rtol=2e-5)
    region = gm.significance_region(fit, "occasion", "occasion:high")
    np.testing.assert_allclose(region.bounds, golden["bounds"], rtol=1e-5)
    assert region.where == "inside"
    at_bounds = gm.simple_slopes(fit, "occasion", "occasion:high", region.bounds)
    np.testing.assert_allclose(at_bounds["p_value"], 0.05, rtol=1e-7)


def test_slopes_of_a_growth_curve_are_those_of_its_mixed_model() -> None:
    fit = gm.fit(SEX, long_frame("A_gpa_long.csv"))
    one = gm.simple_slopes(fit, "occasion", "occasion:sexmale", [0, 1])
    two = gm.simple_slopes(curve("sem_sex"), "s~1", "s~sexmale", [0, 1])
    np.testing.assert_allclose(two.to_numpy(), one.to_numpy(), rtol=1e-6)
    regions = [
        gm.significance_region(fit, "occasion", "occasion:sexmale"),
        gm.significance_region(curve("sem_sex"), "s~1", "s~sexmale"),
    ]
    np.testing.assert_allclose(regions[0].bounds, regions[1].bounds, rtol=1e-6)


@pytest.mark.parametrize(
    ("coefficients", "bounds", "where"),
    [
        ((1.0, 0.0, -4.0), (-2.0, 2.0), "outside"),
        ((-1.0, 0.0, 4.0), (-2.0, 2.0), "inside"),
        ((1.0, 0.0, 4.0), (), "everywhere"),
        ((-1.0, 0.0, -4.0), (), "nowhere"),
        ((0.0, 2.0, -4.0), (2.0,), "above"),
        ((0.0, -2.0, 4.0), (2.0,), "below"),
        ((1.0, -1e8, 1.0), (1e-8, 1e8), "outside"),
    ],
)
def test_regions_of_every_kind(
    coefficients: tuple[float, float, float], bounds: tuple[float, ...], where: str
) -> None:
    found, place = _solve(*coefficients)
    assert found == pytest.approx(bounds)
    assert place == where


def test_contrasts_agree_with_tests() -> None:
    fit = mixed(df="satterthwaite")
    text = "occasion + occasion:sexmale"
    row = gm.contrasts(fit, {"boys": text}).iloc[0]
    tested = gm.test(fit, text)
    assert row["name"] == "boys"
    assert row["statistic"] ** 2 == pytest.approx(tested.statistic)
    assert row["df"] == pytest.approx(tested.df_denominator)
    assert row["p_value"] == pytest.approx(tested.p_value)
    with pytest.raises(SpecificationError, match="no single combination"):
        gm.contrasts(fit, ["occasion = 0"])


@pytest.mark.parametrize("level", ["population", "person"])
@pytest.mark.parametrize("interval", ["confidence", "prediction"])
def test_predictions_have_hendersons_errors(level: str, interval: str) -> None:
    golden = kept("variance")["predictions"]
    found = mixed().predict(new_rows(), level, interval=interval)
    middle = "_prediction" if interval == "prediction" else ""
    np.testing.assert_allclose(found["estimate"], golden[level], rtol=1e-5)
    np.testing.assert_allclose(found["std_error"], golden[f"{level}{middle}_se"], rtol=2e-5)
    half = 1.959963984540054 * found["std_error"]
    np.testing.assert_allclose(found["ci_high"] - found["estimate"], half, rtol=1e-9)


@pytest.mark.parametrize("residual", ["common", "ar1", "by_occasion"])
def test_the_data_given_again_are_predicted_as_fitted(residual: str) -> None:
    frame = (
        long_frame("A08_gpa_missing_long.csv").dropna(subset=["gpa"]).sample(frac=1, random_state=3)
    )
    fit = gm.fit("gpa ~ occasion + (1 | student)", frame, residual=residual)
    for level in ("person", "population"):
        again = fit.predict(frame, level)
        np.testing.assert_allclose(again["estimate"], fit.predict(level=level), rtol=1e-10)
        assert again.index.equals(frame.index)


def test_the_levels_of_the_fit_hold_in_new_rows() -> None:
    fit = gm.fit("gpa ~ occasion * sex + (occasion | student)", gm.datasets.gpa())
    new = pd.DataFrame({"occasion": [1.0], "sex": ["male"], "student": [1]})
    values = fit.estimates.set_index("name")["estimate"]
    expected = values[["(Intercept)", "occasion", "sexmale", "occasion:sexmale"]].sum()
    assert fit.predict(new, "population")["estimate"].iloc[0] == pytest.approx(expected)


def test_intervals_take_the_fits_degrees_of_freedom() -> None:
    found = mixed(df="satterthwaite").predict(new_rows(), "population", interval="confidence")
    plain = mixed().predict(new_rows(), "population", interval="confidence")
    assert np.all(found["ci_high"] > plain["ci_high"])


@pytest.mark.parametrize("interval", ["confidence", "prediction"])
def test_a_curves_predictions_are_its_mixed_models(interval: str) -> None:
    fit = gm.fit(SEX, long_frame("A_gpa_long.csv"))
    rows = pd.DataFrame({"occasion": range(6), "sexmale": 1, "student": 1})
    one = fit.predict(rows, "population", interval=interval)
    two = curve("sem_sex").predict(pd.DataFrame({"sexmale": [1]}), "population", interval=interval)
    np.testing.assert_allclose(two.to_numpy(), one.to_numpy(), rtol=1e-6)
    assert two.index[1] == (0, "gpa_1")


def test_new_persons_are_scored_from_their_outcomes() -> None:
    frame = wide_frame("A_gpa_wide.csv")
    fit = curve("sem_sex")
    found = fit.predict(frame.head(3))["estimate"].to_numpy().reshape(3, 6)
    np.testing.assert_allclose(found, fit.predict()[:3], rtol=1e-9)
    with pytest.raises(UnsupportedEngineError, match="engine long"):
        fit.predict(frame.head(3), interval="confidence")
    with pytest.raises(DataError, match="none of the outcomes"):
        fit.predict(frame[["sexmale"]].head(3))


def test_courses_over_time() -> None:
    fit = mixed()
    found = gm.trajectories(fit, {"sexmale": [0, 1]}, times=[0.0, 5.0])
    assert found.table["course"].tolist() == ["sexmale = 0"] * 2 + ["sexmale = 1"] * 2
    again = fit.predict(found.table[["occasion", "sexmale"]], "population", interval="confidence")
    np.testing.assert_allclose(found.table[again.columns], again, rtol=1e-12)
    held = gm.trajectories(fit)
    mean = long_frame("A08_gpa_missing_long.csv")["sexmale"].mean()
    assert held.held == pytest.approx({"sexmale": mean})
    assert len(held.table) == 25
    wide = gm.trajectories(curve("sem_sex"), {"sexmale": [0, 1]})
    assert wide.table["outcome"].tolist() == [f"gpa_{t}" for t in range(6)] * 2
    with pytest.raises(SpecificationError, match="'age'"):
        gm.trajectories(fit, {"age": [1]})


def test_pictures_show_what_the_tables_say() -> None:
    pytest.importorskip("matplotlib")
    courses = gm.trajectories(mixed(), {"sexmale": [0, 1]}, times=[0.0, 2.0, 5.0])
    lines = courses.plot().axes[0].lines
    table = courses.table
    for line, (_, part) in zip(lines, table.groupby("course", sort=False), strict=True):
        np.testing.assert_allclose(line.get_ydata(), part["estimate"])
    region = gm.significance_region(mixed(), "occasion", "occasion:sexmale")
    drawn = region.plot(-1, 3).axes[0].lines[0].get_ydata()
    np.testing.assert_allclose(drawn, region.slopes(-1, 3)["estimate"])


def test_refusals_say_why() -> None:
    fit, rows = mixed(), new_rows()
    with pytest.raises(DataError, match="not in the fit: 9999"):
        fit.predict(rows.assign(student=9999))
    with pytest.raises(SpecificationError, match="'wide'"):
        fit.predict(rows, interval="wide")
    with pytest.raises(SpecificationError, match="rows that are given"):
        fit.predict(interval="confidence")
    with pytest.raises(SpecificationError, match="cannot cover 2"):
        fit.predict(rows, interval="confidence", coverage=2)
    with pytest.raises(SpecificationError, match="'std'"):
        gm.standardized(curve("sem_equal"), "std")  # type: ignore[arg-type]
    with pytest.raises(SpecificationError, match="no parameter 'slope'"):
        gm.simple_slopes(fit, "slope", "occasion:sexmale", [0])
    frame = long_frame("A08_gpa_missing_long.csv")
    ar1 = gm.fit("gpa ~ occasion + (1 | student)", frame, residual="ar1")
    with pytest.raises(UnsupportedEngineError, match="correlated"):
        ar1.predict(rows, interval="prediction")
    by_time = gm.fit("gpa ~ occasion + (1 | student)", frame, residual="by_occasion")
    with pytest.raises(DataError, match="no residual variance"):
        by_time.predict(rows, interval="prediction")
