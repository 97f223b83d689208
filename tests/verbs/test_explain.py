"""The verb explain: layouts, missing data, what is said without data, printed results, errors."""

from __future__ import annotations

from functools import cache

import pandas as pd
import pytest
from printed_cases import OUTPUTS
from reference import long_frame

import growthmm as gm
from growthmm.data.reshape import to_wide

STEM = range(6)
SHAPE = (
    "i =~ " + " + ".join(f"1*gpa_{j}" for j in STEM) + "\n"
    "s =~ " + " + ".join(f"{j}*gpa_{j}" for j in STEM) + "\n"
)
EQUAL = "".join(f"gpa_{j} ~~ v*gpa_{j}\n" for j in STEM)
LMER = "lmer(gpa ~ occasion + (occasion | student), d)"
PRINTING = {"tests", "bic", "parametrisation"}


@cache
def gpa() -> pd.DataFrame:
    return gm.datasets.gpa()


def test_without_data_differences_are_listed() -> None:
    found = gm.explain(LMER, SHAPE)
    assert set(found.causes) - PRINTING == {"estimator", "listwise", "residual_variances", "bounds"}
    assert all(step.log_likelihood_before is None for step in found.steps)
    assert (found.verdict, found.nested_df) == ("nested", 5)
    assert found.first is None


def test_without_data_a_space_is_a_condition() -> None:
    lmer = "lmer(gpa ~ occasion + (occasion | student), d, REML = FALSE)"
    whole = f"m <- '{SHAPE}{EQUAL}'\nfit <- growth(m, d, missing = 'ml')"
    found = gm.explain(lmer, whole)
    assert found.verdict == "identical_if"
    assert "lme4 keeps" in found.reason


def test_two_formulas_without_data() -> None:
    found = gm.explain("y ~ t + (t || id)", "y ~ t + (t | id)")
    assert found.causes == ("random_covariances",)
    assert (found.verdict, found.nested_df) == ("nested", 1)


def test_wide_data_for_a_formula() -> None:
    wide = to_wide(gpa(), id="student", time="occasion", values=["gpa", "lib_hours"])
    long = gm.explain(LMER, SHAPE, gpa())
    found = gm.explain(LMER, SHAPE, wide)
    assert found.causes == long.causes
    assert found.last.log_likelihood == pytest.approx(long.last.log_likelihood, abs=1e-7)


def test_two_sems_on_wide_data() -> None:
    wide = to_wide(gpa(), id="student", time="occasion", values=["gpa", "lib_hours"])
    found = gm.explain(SHAPE + EQUAL, SHAPE, wide)
    assert found.causes == ("residual_variances",)
    assert found.steps[0].log_likelihood_after == pytest.approx(-49.385246, abs=1e-6)


def test_latent_basis() -> None:
    basis = SHAPE.replace("2*gpa_2", "gpa_2", 2).replace("1*gpa_2", "1*gpa_2")
    basis = "\n".join(line.replace(" gpa_2", " NA*gpa_2") for line in basis.splitlines()) + "\n"
    found = gm.explain(SHAPE, basis, gpa(), id="student", time="occasion")
    assert found.causes == ("latent_basis",)
    assert (found.verdict, found.nested_df) == ("nested", 1)
    assert found.steps[0].log_likelihood_after > found.steps[0].log_likelihood_before


def test_order_matters_under_reml() -> None:
    """Coding moves the restricted likelihood by the logarithm of the unit."""
    found = gm.explain(LMER, LMER.replace("occasion", "I(occasion / 10)"), gpa(), time="occasion")
    assert found.causes == ("time_unit",)
    assert found.verdict == "identical"
    (step,) = found.steps
    assert step.log_likelihood_after - step.log_likelihood_before == pytest.approx(
        2.302585, abs=1e-6
    )


def test_an_origin_is_a_model_without_covariances() -> None:
    bars = "lmer(gpa ~ occasion + (occasion || student), d, REML = FALSE)"
    found = gm.explain(bars, bars.replace("occasion", "I(occasion - 2)"), gpa(), time="occasion")
    assert found.causes == ("time_origin",)
    assert found.verdict == "different"
    assert found.steps[0].log_likelihood_before == pytest.approx(-123.4874, abs=1e-4)


def test_times_of_everyones_own() -> None:
    frame = gpa().copy()
    frame["age"] = frame["occasion"] + (frame["student"].astype("category").cat.codes % 97) / 100
    text = "lmer(gpa ~ age + (age | student), d{})"
    found = gm.explain(text.format(""), text.format(", REML = FALSE"), frame)
    assert found.causes == ("estimator",)
    expected = gm.fit(text.format(", REML = FALSE"), frame).log_likelihood
    assert found.steps[0].log_likelihood_after == pytest.approx(expected, abs=1e-6)


def test_options_say_how_a_program_was_run() -> None:
    found = gm.explain(LMER, LMER, gpa(), options_b={"tests": "t satterthwaite"})
    assert found.causes == ("tests",)
    with pytest.raises(gm.errors.SpecificationError, match="no value 'some'"):
        gm.explain(LMER, LMER, gpa(), options_a={"missing": "some"})
    with pytest.raises(gm.errors.SpecificationError, match="no option 'mising'"):
        gm.explain(LMER, LMER, gpa(), options_a={"mising": "all"})


def test_renderings() -> None:
    found = gm.explain(LMER, SHAPE, gpa())
    text = found.summary()
    assert "log-likelihood -130.478281 to -123.117105" in text
    assert "REML = FALSE" in text
    assert max(map(len, text.splitlines())) <= 120
    assert "<td>residual_variances</td>" in found._repr_html_()
    plain = found.to_dict()
    assert {"cause", "description", "log_likelihood_before", "log_likelihood_after"} <= set(
        plain["steps"][0]
    )


class TestPrinted:
    """Results that one side's program printed."""

    def test_the_output_says_how_it_was_run(self) -> None:
        frame = long_frame("A_gpa_long.csv")
        formula = "gpa ~ occasion + (1 + occasion | student)"
        found = gm.explain(formula, SHAPE + EQUAL, frame, printed_a=OUTPUTS / "lme4_a02_ml.txt")
        assert set(found.causes) == PRINTING
        (against,) = found.printed
        assert against.agrees
        assert "agrees" in found.summary()

    def test_both_sides(self) -> None:
        frame = long_frame("A08_gpa_missing_long.csv")
        found = gm.explain(
            "gpa ~ occasion + (1 + occasion | student)",
            SHAPE + EQUAL,
            frame,
            printed_a=OUTPUTS / "lme4_a08_ml.txt",
            printed_b=OUTPUTS / "lavaan_a08_listwise.txt",
        )
        assert set(found.causes) - PRINTING == {"listwise"}
        assert found.last.n_persons == 23
        assert [against.agrees for against in found.printed] == [True, True]
