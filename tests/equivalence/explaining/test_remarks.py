"""Every remark on where programs disagree: the cause named, no other, and the golden numbers."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import pytest
from reference import case, long_frame, wide_frame

import growthmm as gm
from growthmm.equivalence.explaining.result import Explanation

STEM = range(6)
SHAPE = (
    "i =~ " + " + ".join(f"1*gpa_{j}" for j in STEM) + "\n"
    "s =~ " + " + ".join(f"{j}*gpa_{j}" for j in STEM) + "\n"
)
EQUAL = "".join(f"gpa_{j} ~~ v*gpa_{j}\n" for j in STEM)
LMER = "lmer(gpa ~ occasion + (occasion | student), d)"
LMER_ML = "lmer(gpa ~ occasion + (occasion | student), d, REML = FALSE)"
KEYS = {"id": "student", "time": "occasion"}
PRINTING = {"tests", "bic", "parametrisation"}
"""Between lme4 and lavaan these always differ."""


def growth(text: str, arguments: str = "") -> str:
    """A call of lavaan's growth()."""
    return f"m <- '{text}'\nfit <- growth(m, data = d{arguments})"


@cache
def gpa() -> pd.DataFrame:
    return gm.datasets.gpa()


def walked(found: Explanation, cause: str) -> tuple[float, float]:
    """Log-likelihood before and after the step of a cause."""
    (step,) = [step for step in found.steps if step.cause == cause]
    assert step.log_likelihood_before is not None
    assert step.log_likelihood_after is not None
    return step.log_likelihood_before, step.log_likelihood_after


def errors(found: Explanation, cause: str, name: str) -> tuple[float, float]:
    """Standard error of a parameter before and after the step of a cause."""
    (step,) = [step for step in found.steps if step.cause == cause]
    (change,) = [change for change in step.changes if change.name == name]
    assert change.error_before is not None
    assert change.error_after is not None
    return change.error_before, change.error_after


def close(found: tuple[float, ...], *expected: float, tolerance: float = 1e-5) -> None:
    np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance)


@pytest.fixture(scope="module")
def story() -> Explanation:
    return gm.explain(LMER, SHAPE, gpa())


class TestSupplement:
    """The chapter's supplement as a story."""

    def test_steps(self, story: Explanation) -> None:
        assert story.causes[:2] == ("estimator", "residual_variances")
        assert set(story.causes[2:]) == PRINTING
        close(walked(story, "estimator"), -130.478281, -123.117105, tolerance=1e-6)
        close(walked(story, "residual_variances"), -123.117105, -49.385246, tolerance=1e-6)

    def test_verdict(self, story: Explanation) -> None:
        assert (story.verdict, story.nested_df) == ("nested", 5)
        assert story.smallest == ("estimator", "residual_variances")

    def test_parameters_are_counted(self, story: Explanation) -> None:
        assert [step.before.n_parameters for step in story.steps[:2]] == [6, 6]
        assert story.last.n_parameters == 11

    def test_the_two_interact(self, story: Explanation) -> None:
        (one,) = story.interactions
        assert (one.first, one.second) == ("estimator", "residual_variances")
        close((one.alone, one.after), -56.837807 + 130.478281, -49.385246 + 123.117105)

    def test_idle_defaults_are_told_apart(self, story: Explanation) -> None:
        assert [note.split(":")[0] for note in story.left_out] == ["listwise", "bounds"]

    def test_other_way_round(self) -> None:
        back = gm.explain(SHAPE, LMER, gpa())
        assert back.causes[:2] == ("residual_variances", "estimator")
        close(walked(back, "estimator"), -123.117105, -130.478281, tolerance=1e-6)
        assert (back.verdict, back.nested_df) == ("nested", 5)

    def test_effects_over_time(self) -> None:
        mixed = "lmer(gpa ~ occasion + lib_hours + (occasion | student), d, REML = FALSE)"
        free = "".join(f"gpa_{j} ~ lib_hours_{j}\n" for j in STEM)
        found = gm.explain(mixed, SHAPE + EQUAL + free, gpa())
        assert set(found.causes) - PRINTING == {"effects_over_time"}
        assert walked(found, "effects_over_time")[0] == pytest.approx(-11.268198, abs=1e-6)
        assert (found.verdict, found.nested_df) == ("nested", 5)


def test_r1_estimator() -> None:
    found = gm.explain(LMER, SHAPE + EQUAL, gpa())
    assert set(found.causes) - PRINTING == {"estimator"}
    assert found.verdict == "different_estimator"
    sizes = case("O_verify_remarks")["ml_vs_reml"]
    (step, *_) = found.steps
    moved = {c.name: (c.before, c.after) for c in step.changes}
    close(moved["cov:i:i"], sizes["G_reml"][0][0], sizes["G_ml"][0][0], tolerance=1e-7)
    assert "residual" not in moved


def test_r2_divisor() -> None:
    text = SHAPE + EQUAL
    wishart = growth(text, ', likelihood = "wishart"')
    found = gm.explain(growth(text), wishart, gpa(), **KEYS)
    assert found.causes == ("divisor",)
    assert found.verdict == "different_estimator"
    close(walked(found, "divisor"), -123.117105, -126.122557, tolerance=1e-6)
    golden = case("O_verify_remarks")["wishart"]
    (step,) = found.steps
    after = {c.name: (c.after, c.error_after) for c in step.changes}
    assert after["residual"][0] == pytest.approx(golden["resid"], abs=1e-7)
    assert after["mean:i"][1] == pytest.approx(golden["se_i"], abs=1e-7)
    assert after["mean:s"][1] == pytest.approx(golden["se_s"], abs=1e-7)


class TestR3:
    def test_information(self) -> None:
        data = long_frame("A08_gpa_missing_long.csv")
        found = gm.explain(LMER_ML, growth(SHAPE + EQUAL, ', missing = "ml"'), data)
        assert set(found.causes) - PRINTING == {"information"}
        assert found.verdict == "identical"
        close(errors(found, "information", "mean:s"), 0.0077874, 0.0079444, tolerance=5e-8)

    def test_no_difference_on_complete_data(self) -> None:
        found = gm.explain(LMER_ML, growth(SHAPE + EQUAL, ', missing = "ml"'), gpa())
        assert set(found.causes) == PRINTING
        assert found.verdict == "identical"

    def test_adjusted_errors(self) -> None:
        lme = 'lme(gpa ~ occasion, d, ~ occasion | student, method = "ML")'
        found = gm.explain(LMER_ML, lme, gpa())
        assert set(found.causes) - PRINTING == {"adjusted_errors"}
        before, after = errors(found, "adjusted_errors", "mean:i")
        assert after / before == pytest.approx(np.sqrt(1200 / 1198), abs=1e-9)


def test_r4_pooled_covariates() -> None:
    data = long_frame("A08_gpa_missing_long.csv")
    mixed = "lmer(gpa ~ occasion * sexmale + (occasion | student), d, REML = FALSE)"
    text = SHAPE + EQUAL + "i ~ sexmale\ns ~ sexmale\n"
    expected = ', missing = "ml", information = "expected"'
    found = gm.explain(mixed, growth(text, expected), data)
    assert set(found.causes) - PRINTING == {"pooled_covariates"}
    golden = case("O_verify_remarks")["expected_se_missing_covariate"]
    pairs = (("mean:i", "(Intercept)"), ("mean:s", "occasion"))
    for name, theirs in pairs:
        expected_errors = golden["actual_x"][theirs], golden["pooled_x_moments"][theirs]
        close(errors(found, "pooled_covariates", name), *expected_errors, tolerance=1e-8)
    found = gm.explain(mixed, growth(text, ', missing = "ml"'), data)
    assert set(found.causes) - PRINTING == {"information"}


HOURS = [f"lib_hours_{j}" for j in STEM]
TVC = SHAPE + EQUAL + "".join(f"gpa_{j} ~ b*{x}\n" for j, x in zip(STEM, HOURS, strict=True))
MOMENTS = "".join(f"{x} ~ 1\n" for x in HOURS) + "".join(
    f"{x} ~~ {y}\n" for k, x in enumerate(HOURS) for y in HOURS[k:]
)


def test_r5_joint_likelihood() -> None:
    found = gm.explain(growth(TVC), growth(TVC + MOMENTS, ", fixed.x = FALSE"), gpa(), **KEYS)
    assert found.causes == ("joint_likelihood",)
    close(walked(found, "joint_likelihood"), -11.268198, -3152.562084, tolerance=1e-6)
    (step,) = found.steps
    assert (step.before.n_parameters, step.after.n_parameters) == (7, 34)
    assert step.changes == ()
    assert found.verdict == "different_estimator"


def test_r6_covariate_means_at_zero() -> None:
    found = gm.explain(growth(TVC), growth(TVC, ", fixed.x = FALSE"), gpa(), **KEYS)
    assert found.causes == ("joint_likelihood", "covariate_moments")
    close(walked(found, "covariate_moments"), -3152.562084, -3460.646596, tolerance=1e-6)
    back = gm.explain(growth(TVC, ", fixed.x = FALSE"), growth(TVC), gpa(), **KEYS)
    assert back.causes == ("covariate_moments", "joint_likelihood")


class TestR7:
    def test_listwise(self) -> None:
        data = long_frame("A08_gpa_missing_long.csv")
        found = gm.explain(LMER_ML, growth(SHAPE + EQUAL), data)
        assert set(found.causes) - PRINTING == {"listwise"}
        close(walked(found, "listwise"), -112.109121, -4.306349, tolerance=1e-6)
        (step,) = [step for step in found.steps if step.cause == "listwise"]
        assert (step.before.n_rows, step.after.n_persons) == (699, 23)

    def test_missing_covariates(self) -> None:
        data = gpa().copy()
        lost = np.random.default_rng(1).random(len(data)) < 0.1
        data.loc[lost, ["gpa", "lib_hours"]] = np.nan
        mixed = "lmer(gpa ~ occasion + lib_hours + (occasion | student), d, REML = FALSE)"
        arguments = ', missing = "ml"'
        found = gm.explain(mixed, growth(TVC, arguments), data)
        assert set(found.causes) - PRINTING == {"missing_covariates", "information"}
        whole = data.groupby("student")["gpa"].transform("count") == 6
        expected = gm.fit(mixed, data[whole]).log_likelihood
        assert walked(found, "missing_covariates")[1] == pytest.approx(expected, abs=1e-6)
        same = gm.explain(mixed, growth(TVC, arguments), gpa())
        assert set(same.causes) - PRINTING == {"information"}


def test_r8_bic() -> None:
    found = gm.explain(LMER_ML, SHAPE + EQUAL, gpa())
    assert set(found.causes) == PRINTING
    assert found.verdict == "identical"
    (step,) = [step for step in found.steps if step.cause == "bic"]
    close((step.before.bic, step.after.bic), 288.774672, 278.024115)
    assert (step.before.n_rows, step.after.n_persons) == (1200, 200)
    lme = "lme(gpa ~ occasion, d, ~ occasion | student)"
    found = gm.explain(LMER, lme, gpa())
    assert set(found.causes) == {"bic", "tests", "parametrisation"}
    (step,) = [step for step in found.steps if step.cause == "bic"]
    close((step.before.bic, step.after.bic), 303.497023, 303.487014)


class TestR9:
    def test_negative_variance(self) -> None:
        text = (
            "i =~ 1*y_0 + 1*y_1 + 1*y_2 + 1*y_3 + 1*y_4\n"
            "s =~ 0*y_0 + 1*y_1 + 2*y_2 + 3*y_3 + 4*y_4\n"
        ) + "".join(f"y_{j} ~~ v*y_{j}\n" for j in range(5))
        data = long_frame("K_singular_long.csv")
        found = gm.explain("lmer(y ~ time + (time | id), d, REML = FALSE)", text, data)
        assert set(found.causes) - PRINTING == {"bounds"}
        assert found.verdict == "different_estimator"
        close(walked(found, "bounds"), -639.146273, -638.970138)

    def test_correlation_beyond_one(self) -> None:
        square = "q =~ " + " + ".join(f"{j * j}*gpa_{j}" for j in STEM) + "\n"
        mixed = (
            "lmer(gpa ~ occasion + I(occasion^2) + (occasion + I(occasion^2) | student), d, "
            "REML = FALSE)"
        )
        found = gm.explain(mixed, SHAPE + square + EQUAL, long_frame("A_gpa_long.csv"))
        assert set(found.causes) - PRINTING == {"bounds"}
        close(walked(found, "bounds"), -95.488310, -95.457821)


def test_r10_baseline() -> None:
    text = growth(SHAPE + EQUAL)
    found = gm.explain(text, text, gpa(), **KEYS, options_b={"baseline": "growth"})
    assert found.causes == ("fit_baseline",)
    assert found.verdict == "identical"
    said = "CFI 0.7861 and TLI 0.8472 become CFI 0.8427 and TLI 0.8128"
    assert said in found.steps[0].description


class TestR11:
    """Several groups are a mixed model with the group as a covariate."""

    @pytest.mark.parametrize(
        ("name", "fixed"),
        [
            ("H2_equal_residual_G", "occasion * sex"),
            ("H3_plus_equal_slope_mean", "occasion + sex"),
            ("H4_all_equal", "occasion"),
        ],
    )
    def test_groups(self, name: str, fixed: str) -> None:
        golden = case("H01_gpa_multigroup_sex")["sem"][name]
        mixed = f"lmer(gpa ~ {fixed} + (occasion | student), d, REML = FALSE)"
        for data in (gpa(), wide_frame("A_gpa_wide.csv")):
            found = gm.explain(mixed, growth(golden["model"], ', group = "sex"'), data)
            assert found.verdict == "identical"
            assert set(found.causes) == PRINTING

    def test_groups_that_differ_in_variances(self) -> None:
        golden = case("H01_gpa_multigroup_sex")["sem"]["H0_free"]
        mixed = "lmer(gpa ~ occasion * sex + (occasion | student), d, REML = FALSE)"
        found = gm.explain(mixed, growth(golden["model"], ', group = "sex"'), gpa())
        assert set(found.causes) - PRINTING == {"residual_variances", "group_covariances"}
        assert (found.verdict, found.nested_df) == ("nested", 4)
        assert walked(found, "group_covariances")[1] == pytest.approx(-113.255879, abs=1e-6)
        assert walked(found, "residual_variances")[0] == pytest.approx(-114.959462, abs=1e-6)


class TestAutoregression:
    LME = (
        "lme(gpa ~ occasion, d, ~ 1 | student, method = 'ML', "
        "correlation = corAR1(form = ~ occasion | student))"
    )
    AR1 = "glmmTMB(gpa ~ occasion + (1 | student) + ar1(0 + factor(occasion) | student), d{})"

    def test_with_a_residual(self) -> None:
        found = gm.explain(self.LME, self.AR1.format(""), gpa())
        assert (found.verdict, found.nested_df) == ("nested", 1)
        moving = [step.cause for step in found.steps if step.effect in ("model", "likelihood")]
        assert moving == ["residual_correlation"]
        close(walked(found, "residual_correlation"), -154.68, -139.23, tolerance=5e-3)
        (step,) = [step for step in found.steps if step.cause == "residual_correlation"]
        assert any("dispformula = ~ 0" in text for _, text in step.remedies)

    def test_without(self) -> None:
        found = gm.explain(self.LME, self.AR1.format(", dispformula = ~ 0"), gpa())
        assert found.verdict == "identical"
        assert found.last.log_likelihood == pytest.approx(-154.68, abs=5e-3)


def test_one_analysis_twice() -> None:
    found = gm.explain(LMER, LMER, gpa())
    assert (found.steps, found.verdict) == ((), "identical")
