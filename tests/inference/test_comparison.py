"""Comparisons, digit by digit as lme4's anova prints them, on original and built-in data."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from functools import cache

import pandas as pd
import pytest
from reference import CASES, case
from scipy.stats import chi2

import growthmm as gm
from growthmm.cli import main
from growthmm.errors import DataError, SpecificationError
from growthmm.inference.comparison import Comparison
from growthmm.inference.result import FitResult
from growthmm.inference.short_names import short_names

INTERCEPT = "gpa ~ occasion + (1 | student)"
SLOPE = "gpa ~ occasion + (1 + occasion | student)"
SEX = "gpa ~ occasion + sex + (1 + occasion | student)"


@cache
def data(which: str) -> pd.DataFrame:
    return gm.datasets.gpa() if which == "built-in" else CASES["A02"].long_frame()


@cache
def fitted(formula: str, estimator: str, which: str = "built-in") -> FitResult:
    return gm.fit(formula, data(which), estimator=estimator)


def compared(*formulas: str, refit: bool | None = None, which: str = "built-in") -> Comparison:
    return gm.compare(*(fitted(f, "reml", which) for f in formulas), refit=refit)


def printed(values: list[float | None], digits: int = 3) -> list[str | None]:
    return [None if v is None else f"{v:.{digits}f}" for v in values]


@pytest.mark.parametrize("which", ["built-in", "original"])
def test_refitted_by_ml(which: str) -> None:
    found = compared(SLOPE, SEX, which=which)
    rows = found.rows
    assert (found.estimator, found.refitted) == ("ml", True)
    assert [row.n_parameters for row in rows] == [6, 7]
    assert printed([row.aic for row in rows]) == ["258.234", "250.068"]
    assert printed([row.bic for row in rows]) == ["288.775", "285.699"]
    assert printed([row.log_likelihood for row in rows]) == ["-123.117", "-118.034"]
    assert printed([row.chi_square for row in rows]) == [None, "10.166"]
    assert [row.df for row in rows] == [None, 1]
    assert f"{rows[1].p_value:.3f}" == "0.001"
    assert all(row.comparable for row in rows)


@pytest.mark.parametrize("which", ["built-in", "original"])
def test_as_fitted_by_reml(which: str) -> None:
    rows = compared(INTERCEPT, SLOPE, refit=False, which=which).rows
    assert printed([row.aic for row in rows]) == ["416.893", "272.957"]
    assert printed([row.log_likelihood for row in rows]) == ["-204.446", "-130.478"]
    assert printed([row.chi_square for row in rows]) == [None, "147.936"]
    assert [row.df for row in rows] == [None, 2]
    assert all(row.comparable for row in rows)


@pytest.mark.parametrize("which", ["built-in", "original"])
def test_table_across_fixed_effects_is_flagged_and_untested(which: str) -> None:
    rows = compared(INTERCEPT, SLOPE, SEX, refit=False, which=which).rows
    assert printed([row.aic for row in rows]) == ["416.893", "272.957", "269.785"]
    assert printed([row.delta_aic for row in rows]) == ["147.108", "3.171", "0.000"]
    assert [row.comparable for row in rows] == [False] * 3
    assert printed([row.chi_square for row in rows]) == [None, "147.936", None]
    assert rows[2].p_value is None
    assert "recoded" in rows[2].reason
    assert printed([row.ml_aic for row in rows]) == ["401.649", "258.234", "250.068"]


def test_original_digits_are_lme4s() -> None:
    golden = case("A10_gpa_comparison")["models"]
    for name, formula in (("slope", SLOPE), ("slope_sex", SEX)):
        found = fitted(formula, "reml", "original")
        for ours, theirs in (("log_likelihood", "logLik"), ("aic", "AIC"), ("bic", "BIC")):
            assert getattr(found, ours) == pytest.approx(golden[name][theirs], abs=1e-5)


def test_recoding_a_covariate_moves_reml_and_not_ml() -> None:
    recoded = data("built-in").assign(sex=lambda d: 10.0 * (d["sex"] == "male"))
    again = {m: gm.fit(SEX, recoded, estimator=m) for m in ("ml", "reml")}
    first = {m: fitted(SEX, m) for m in ("ml", "reml")}
    assert (f"{first['reml'].aic:.3f}", f"{again['reml'].aic:.3f}") == ("269.785", "274.391")
    assert again["ml"].log_likelihood == pytest.approx(first["ml"].log_likelihood, abs=1e-9)
    # Against the model without sex (272.957) the ranking turns.
    slope = fitted(SLOPE, "reml").aic
    assert first["reml"].aic < slope < again["reml"].aic


def test_recoded_fixed_effects_are_not_comparable() -> None:
    shifted = data("built-in").assign(later=lambda d: d["occasion"] - 1)
    a = gm.fit("gpa ~ occasion + (1 | student)", shifted, estimator="reml")
    b = gm.fit("gpa ~ later + (1 + later | student)", shifted, estimator="reml", time="later")
    assert [row.comparable for row in gm.compare(a, b, refit=False).rows] == [False, False]


def test_command_line_prints_the_three_models(tmp_path, capsys) -> None:
    data("built-in").to_csv(tmp_path / "gpa.csv", index=False)
    words = [INTERCEPT, SLOPE, SEX, "--data", str(tmp_path / "gpa.csv"), "--estimator", "reml"]
    assert main(["compare", *words, "--no-refit", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert printed([row["aic"] for row in rows]) == ["416.893", "272.957", "269.785"]
    assert [row["comparable"] for row in rows] == [False] * 3
    fields = "model n_parameters aic bic log_likelihood deviance chi_square df p_value delta_aic"
    assert set(fields.split()) <= set(rows[0])
    assert main(["compare", *words[1:], "--refit", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert printed([row["chi_square"] for row in rows]) == [None, "10.166"]


def test_mixed_estimators_need_a_refit() -> None:
    a, b = fitted(SLOPE, "ml"), fitted(SEX, "reml")
    with pytest.raises(SpecificationError, match="some by REML"):
        gm.compare(a, b, refit=False)
    assert gm.compare(a, b).refitted


def test_one_model_is_no_comparison() -> None:
    with pytest.raises(SpecificationError, match="at least two"):
        gm.compare(fitted(SLOPE, "ml"))


def test_other_data_are_refused() -> None:
    fewer = gm.fit(SLOPE, data("built-in").iloc[6:])
    with pytest.raises(DataError, match=r"1200 values.*1194"):
        gm.compare(fitted(SLOPE, "ml"), fewer)


def test_as_many_parameters_give_no_test() -> None:
    other = gm.fit("gpa ~ lib_hours + (1 + occasion | student)", data("built-in"), time="occasion")
    rows = gm.compare(fitted(SLOPE, "ml"), other).rows
    assert rows[1].df == 0
    assert rows[1].p_value is None
    assert "no test" in rows[1].reason


def test_criteria_by_rows_and_persons_and_weights() -> None:
    found = compared(SLOPE, SEX)
    rows = found.rows
    assert printed([row.bic_subjects for row in rows]) == ["278.024", "273.156"]
    for row in rows:
        k = row.n_parameters
        assert row.aicc == pytest.approx(row.aic + 2 * k * (k + 1) / (1200 - k - 1), abs=1e-12)
        assert row.aicc_subjects == pytest.approx(
            row.aic + 2 * k * (k + 1) / (200 - k - 1), abs=1e-12
        )
    assert rows[0].weight / rows[1].weight == pytest.approx(math.exp(-rows[0].delta_aic / 2))
    assert sum(row.weight for row in rows) == pytest.approx(1)
    assert printed([row.delta_bic for row in rows]) == ["3.076", "0.000"]
    assert found.fits[0].n_parameters == 6
    assert all(row.weight is None for row in compared(SLOPE, SEX, refit=False).rows)


def test_a_variance_under_test_has_its_mixture_beside() -> None:
    row = compared(INTERCEPT, SLOPE, refit=False).rows[1]
    assert row.boundary_distribution == "0.5*chi2(1) + 0.5*chi2(2)"
    assert row.boundary_p_value == pytest.approx(
        (chi2.sf(row.chi_square, 1) + chi2.sf(row.chi_square, 2)) / 2, rel=1e-9
    )
    assert row.boundary_p_value < row.p_value
    assert compared(SLOPE, SEX).rows[1].boundary_distribution == ""


def test_models_that_are_not_nested_have_no_test() -> None:
    hours = gm.fit("gpa ~ lib_hours + (1 | student)", data("built-in"), time="occasion")
    row = gm.compare(hours, fitted(SLOPE, "ml")).rows[1]
    assert (row.chi_square, row.p_value) == (None, None)
    assert "not nested" in row.reason
    assert row.comparable


def test_growth_curves_have_short_names() -> None:
    frame = data("built-in")
    facts = {"id": "student", "time": "occasion"}
    texts = [gm.translate(f, "lavaan", data=frame).text for f in (SEX, SLOPE)]
    other = texts[1].replace("s =~", "# of growth\ns =~")
    fits = [gm.fit(text, frame, **facts) for text in (*texts, other)]
    found = gm.compare(*fits)
    assert [row.model for row in found.rows] == [fit.label for fit in (fits[1], fits[2], fits[0])]
    assert [row.name[:10] for row in found.rows] == ["B: i =~ 1*", "C: i =~ 1*", "A: i =~ 1*"]
    text = found.summary()
    assert max(map(len, text.splitlines())) < 110
    assert [line[0] for line in text.splitlines()[2:5]] == ["B", "C", "A"]
    assert "…" in found.to_markdown()
    assert "i ~ sexmale" in found.to_dict()["rows"][2]["name"]


def test_short_names_differ_and_stay_as_they_are() -> None:
    plain = [
        row.name for row in compared(INTERCEPT, INTERCEPT.replace("1 |", "0 + occasion |")).rows
    ]
    assert plain[0].startswith("A: ")
    same = short_names(["y ~ t"] * 28)
    assert len(set(map(str, same))) == 28
    assert [name.brief for name in same[25:]] == ["Z", "AA", "AB"]
    assert [str(name) for name in short_names(["y ~ t", "y ~ x"])] == ["y ~ t", "y ~ x"]


def test_criteria_over_rows_and_persons_are_both_shown() -> None:
    found = compared(SLOPE, SEX)
    assert (
        f"{found.rows[0].bic:.3f}",
        f"{found.rows[0].bic_subjects:.3f}",
    ) == ("288.775", "278.024")
    assert all(word in found.summary() for word in ("BIC rows", "BIC persons", "278.024"))
    assert "278.024" in found.to_markdown()


def test_other_persons_are_refused() -> None:
    frame = data("built-in").copy()
    frame["student"] = frame["student"].sample(frac=1, random_state=1).to_numpy()
    other = gm.fit("gpa ~ occasion + (1 | student)", frame)
    with pytest.raises(DataError, match="not fitted to the same persons"):
        gm.compare(fitted(SLOPE, "ml"), other)


def test_fits_that_did_not_converge_are_not_tested() -> None:
    fit = fitted(SEX, "ml")
    stopped = replace(fit.fit.convergence, converged=False)
    astray = replace(fit, fit=replace(fit.fit, convergence=stopped))
    row = gm.compare(fitted(SLOPE, "ml"), astray).rows[1]
    assert row.p_value is None
    assert "not converged" in row.reason
