"""Condition 16: AR(1) residuals, what identifies them, and AR(1) plus measurement error."""

from __future__ import annotations

import pytest

import growthmm as gm
from growthmm.engines import long as long_engine
from growthmm.engines import wide as wide_engine
from growthmm.engines.prepare import long_data, wide_data
from growthmm.errors import NotIdentifiedError
from tests.equivalence.residual_pairs import INTERCEPT, SLOPE, crossed, gpa, pair_of
from tests.reference import case, exact, reference_folder, wide_frame

reference_folder()


def test_a_slope_and_ar1_are_identical_with_all_evidence() -> None:
    """A09, from the formula."""
    found = gm.verify(SLOPE, gpa(), time="occasion", residual="ar1", engines=["long", "wide"])
    assert found.verdict == "identical"
    assert [level.passed for level in found.levels] == [True] * 6
    rows = found.parameters.set_index("mixed_name")
    truth = exact("A09", "ml")["estimates"]
    golden = {
        "(Intercept)": truth["(Intercept)"],
        "occasion": truth["occasion"],
        "var((Intercept)|student)": truth["G11"],
        "cov((Intercept),occasion|student)": truth["G21"],
        "var(occasion|student)": truth["G22"],
        "var(Residual)": truth["sigma2"],
        "rho(Residual)": truth["rho"],
    }
    for name, value in golden.items():
        for engine in ("long", "wide"):
            assert rows.loc[name, f"estimate_{engine}"] == pytest.approx(value, rel=1e-5)
    assert rows.loc["rho(Residual)", "rule"] == "rho = c1/v, the correlation at time distance 1"


def test_lavaans_own_text_is_the_same_model_and_its_maximum_exact() -> None:
    """A09, from lavaan, whose own optimiser meets the constraints only to 7e-7 (remark R13)."""
    text = case("A09")["sem"]["lavaan"]["model"]
    wide = wide_frame("A_gpa_wide.csv")
    found = gm.verify(text, wide, id="student", time="occasion", engines=["long", "wide"])
    assert found.verdict == "identical"
    fit = gm.fit(text, wide)
    golden = case("A09")["exact"]["logLik"]
    assert fit.log_likelihood == pytest.approx(golden, abs=1e-6)
    assert case("A09")["sem"]["lavaan"]["logLik"] > golden + 5e-4


def test_reml_agrees_as_well() -> None:
    found = gm.verify(
        SLOPE,
        gpa(),
        time="occasion",
        residual="ar1",
        estimator="reml",
        engines=["long", "wide"],
    )
    assert found.verdict == "identical"
    fit = gm.fit(SLOPE, gpa(), time="occasion", residual="ar1", estimator="reml")
    assert fit.log_likelihood == pytest.approx(case("A09")["mixed"]["reml"]["logLik"], abs=1e-6)


def test_ar1_is_nested_in_ar1_plus_measurement_error_by_one() -> None:
    alone, plus = pair_of(INTERCEPT, "ar1"), pair_of(INTERCEPT, "ar1+common")
    assert crossed(alone, plus) == (
        "nested",
        ("the structural equation model is the larger one, by 1 degrees of freedom",),
    )
    assert crossed(plus, alone)[0] == "nested"
    for pair, golden in ((alone, -154.6770528), (plus, -139.2309578)):
        ours = long_engine.fit(long_data(pair.mixed, gpa()).problem)
        other = wide_engine.fit(wide_data(pair.sem, gpa()).problem, bounds="psd")
        assert ours.log_likelihood == pytest.approx(golden, abs=1e-6)
        assert other.log_likelihood == pytest.approx(golden, abs=1e-6)


def test_glmmtmbs_ar1_says_which_of_the_two_it_is() -> None:
    made = {
        text: gm.translate(text, "lavaan", data=gpa(), id="student", time="occasion").text
        for text in (
            "glmmTMB(gpa ~ occasion + ar1(0 + factor(occasion) | student))",
            "glmmTMB(gpa ~ occasion + ar1(0 + factor(occasion) | student), dispformula = ~ 0)",
        )
    }
    plus, alone = made.values()
    assert "c3 == c2^2/c1" in plus
    assert "c2 == c1^2/v" in alone


@pytest.mark.parametrize(
    ("formula", "residual"),
    [(SLOPE, "unstructured"), (INTERCEPT, "unstructured"), (INTERCEPT, "toeplitz")],
)
def test_random_effects_beside_a_residual_that_covers_them_are_refused(
    formula: str, residual: str
) -> None:
    pair = pair_of(formula, residual)
    for engine, problem in (
        (long_engine, long_data(pair.mixed, gpa()).problem),
        (wide_engine, wide_data(pair.sem, gpa()).problem),
    ):
        with pytest.raises(NotIdentifiedError) as caught:
            engine.fit(problem)  # type: ignore[attr-defined]
        assert caught.value.parameters
    with pytest.raises(NotIdentifiedError, match="cannot be told apart"):
        gm.verify(formula, gpa(), id="student", time="occasion", residual=residual)


def test_a_marginal_model_without_random_effects_is_identical() -> None:
    found = gm.verify(
        "gpa ~ factor(occasion)",
        gpa(),
        id="student",
        time="occasion",
        residual="unstructured",
        engines=["long", "wide"],
    )
    assert (found.verdict, found.model_verdict) == ("identical", "identical")


def test_counting_occasions_is_not_enough() -> None:
    """Three occasions, free residuals, intercept and slope: 6 moments, 6 parameters, they fit."""
    three = gpa()[gpa()["occasion"] < 3]
    found = gm.verify(
        SLOPE,
        three,
        time="occasion",
        residual="by_occasion",
        bounds="none",
        engines=["long", "wide"],
    )
    assert found.levels[1].passed
    assert found.levels[2].passed
