"""Condition 24: a multi-group growth curve is a mixed model with parts of its own by group."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
from reference import case, long_frame, wide_frame

import growthmm as gm
from growthmm.equivalence.result import Equivalence
from growthmm.errors import UnsupportedError

NAME = "H01_gpa_multigroup_sex"

FEMALE = '(0 + I(1 * (sex == "female")) + I(1 * (sex == "female")):occasion | student)'
MALE = '(0 + I(1 * (sex == "male")) + I(1 * (sex == "male")):occasion | student)'

TWINS = {
    "H0_free": f"gpa ~ occasion + sex + occasion:sex + {FEMALE} + {MALE}",
    "H1_equal_residual": f"gpa ~ occasion + sex + occasion:sex + {FEMALE} + {MALE}",
    "H2_equal_residual_G": "gpa ~ occasion + sex + occasion:sex + (1 + occasion | student)",
    "H3_plus_equal_slope_mean": "gpa ~ occasion + sex + (1 + occasion | student)",
    "H4_all_equal": "gpa ~ occasion + (1 + occasion | student)",
}


def text_of(name: str) -> str:
    return f"growth('{case(NAME)['sem'][name]['model']}', group = 'sex')"


@cache
def verified(name: str) -> Equivalence:
    data = long_frame("A_gpa_long.csv")
    return gm.verify(text_of(name), data, id="student", time="occasion", engines=["semopy"])


@pytest.mark.parametrize("name", list(TWINS))
def test_each_step_of_equality_is_identical_to_its_mixed_model(name: str) -> None:
    found, golden = verified(name), case(NAME)["sem"][name]
    assert found.verdict == "identical", found.reason
    assert found.model_verdict == "identical_if"
    assert all(level.passed for level in found.levels)
    assert found.text == TWINS[name]
    by = "by_group:sex" if name == "H0_free" else "common"
    assert str(found.pair.mixed.model.residual) == by
    for fit in (found.mixed_fit, found.sem_fit):
        assert fit.log_likelihood == pytest.approx(golden["logLik"], abs=1e-6)
        assert fit.n_parameters == golden["npar"]
        assert fit.aic == pytest.approx(golden["AIC"], abs=1e-5)


@pytest.mark.parametrize("name", list(TWINS))
def test_estimates_errors_and_fit_are_lavaan_s(name: str) -> None:
    golden = case(NAME)["sem"][name]
    fit = verified(name).sem_fit
    for row in golden["estimates"]:
        if row["se_expected"] and row["op"] in ("~1", "~~"):
            suffix = "" if row["group"] == 1 else f".g{row['group']}"
            own = fit.estimates.set_index("name").loc[
                f"{row['lhs']}{row['op']}{row['rhs']}{suffix}"
            ]
            assert abs(own["estimate"] - row["est"]) < 1e-4 * row["se_expected"]
            assert own["std_error"] == pytest.approx(row["se_expected"], rel=1e-5)
    for ours, theirs in [("rmsea", "rmsea"), ("cfi", "cfi"), ("tli", "tli"), ("srmr", "srmr")]:
        assert fit.fit_measures[ours] == pytest.approx(golden["fit_measures"][theirs], abs=1e-6)


def test_all_free_is_a_model_for_each_group() -> None:
    data = long_frame("A_gpa_long.csv")
    apart = [gm.fit(TWINS["H4_all_equal"], part) for _, part in data.groupby("sex")]
    together = verified("H0_free").mixed_fit
    assert together.log_likelihood == pytest.approx(sum(f.log_likelihood for f in apart), abs=1e-8)
    assert together.n_parameters == sum(f.n_parameters for f in apart)


def test_lavaan_s_own_defaults_are_variances_by_group_and_occasion() -> None:
    """Nothing equal, residual variances free: the model of condition 3 in each group."""
    loadings = case(NAME)["sem"]["H0_free"]["model"].split("gpa_0 ~~")[0]
    data = long_frame("A_gpa_long.csv")
    text = f"growth('{loadings}', group = 'sex')"
    found = gm.verify(text, data, id="student", time="occasion", engines=["semopy"])
    assert found.verdict == "identical", found.reason
    assert str(found.pair.mixed.model.residual) == "by_group:sex:by_occasion"
    apart = [
        gm.fit(TWINS["H4_all_equal"], part, residual="by_occasion")
        for _, part in data.groupby("sex")
    ]
    total = sum(f.log_likelihood for f in apart)
    assert found.mixed_fit.log_likelihood == pytest.approx(total, abs=1e-6)
    assert found.sem_fit.log_likelihood == pytest.approx(total, abs=1e-6)
    assert found.sem_fit.n_parameters == 22
    written = gm.translate(text, "nlme", data=data, id="student", time="occasion").text
    assert "weights = varIdent(form = ~ 1 | sex * occasion)" in written
    again = gm.fit(written, data, estimator="ml")
    assert again.log_likelihood == pytest.approx(total, abs=1e-6)


def test_equal_covariances_are_the_group_as_a_covariate() -> None:
    """H2 is A04 and H4 is A02: the ordinary models, with nothing of groups left in them."""
    twins = {
        "H2_equal_residual_G": "A04_gpa_sex_covariate",
        "H4_all_equal": "A02_gpa_slope_homosced",
    }
    for name, twin in twins.items():
        found = verified(name)
        assert found.pair.growth.by_group is False
        golden = case(twin)["mixed"]["ml"]["logLik"]
        assert found.mixed_fit.log_likelihood == pytest.approx(golden, abs=1e-6)


@pytest.mark.parametrize("side", ["mixed", "sem"])
def test_tests_between_steps_are_the_same_on_either_side(side: str) -> None:
    fits = [getattr(verified(name), f"{side}_fit") for name in reversed(TWINS)]
    rows = gm.compare(*fits).to_dict()["rows"]
    assert rows[1]["chi_square"] == pytest.approx(10.165999, abs=1e-6)
    assert [row["df"] for row in rows[1:]] == [1, 1, 3, 1]


def test_a_difference_between_groups_is_an_interaction() -> None:
    found = verified("H0_free").parameters.set_index("mixed_name")
    rows = {"sexmale": ("i~1.g2", "i~1"), "occasion:sexmale": ("s~1.g2", "s~1")}
    coefficients = case(NAME)["sem"]["H0_free"]["coef"]
    for name, (male, female) in rows.items():
        row = found.loc[name]
        assert row["sem_name"] == f"{male} - {female}"
        difference = coefficients[male] - coefficients[female]
        assert row["estimate_wide"] == pytest.approx(difference, abs=1e-7)
        assert row["estimate_long"] == pytest.approx(difference, abs=1e-7)
        assert row["std_error_wide"] == pytest.approx(row["std_error_long"], rel=1e-6)
    assert found.loc["var(Residual[male])", "sem_name"] == "r2"


def test_lme4_has_one_residual_variance_and_says_who_has_more() -> None:
    facts: dict[str, Any] = {"data": long_frame("A_gpa_long.csv"), "id": "student"}
    with pytest.raises(UnsupportedError) as caught:
        gm.translate(text_of("H0_free"), "lme4", time="occasion", **facts)
    (loss,) = caught.value.losses
    assert loss.what == "residual variance by sex"
    assert "varIdent(form = ~ 1 | sex)" in loss.nearest
    text = gm.translate(text_of("H0_free"), "nlme", time="occasion", **facts).text
    assert "pdBlocked(list(pdSymm(" in text
    assert "weights = varIdent(form = ~ 1 | sex)" in text


PARTLY = {
    "one intercept variance": ("i ~~ c(v, v)*i", {}),
    "one slope variance": ("s ~~ c(v, v)*s", {}),
    "one covariance, residuals": (
        "i ~~ c(v, v)*s",
        {j: f"c(e{j}, {'e' if j % 2 else 'f'}{j})" for j in range(6)},
    ),
}
"""Equalities beside which all else differs between the sexes; residual variances by occasion."""


def partly(name: str) -> str:
    equal, residuals = PARTLY[name]
    loadings = case(NAME)["sem"]["H0_free"]["model"].split("gpa_0 ~~")[0]
    lines = [equal, *(f"gpa_{j} ~~ {c}*gpa_{j}" for j, c in residuals.items())]
    lines += [] if residuals else [f"gpa_{j} ~~ c(r1, r2)*gpa_{j}" for j in range(6)]
    return f"growth('{loadings}\n" + "\n".join(lines) + "', group = 'sex')"


@cache
def verified_partly(name: str) -> Equivalence:
    data = long_frame("A_gpa_long.csv")
    return gm.verify(partly(name), data, id="student", time="occasion", engines=["semopy"])


@pytest.mark.parametrize("name", list(PARTLY))
def test_equality_in_part_is_identical_too(name: str) -> None:
    found = verified_partly(name)
    assert found.verdict == "identical", found.reason
    assert found.model_verdict == "identical_if"
    assert all(level.passed for level in found.levels)
    free = verified("H0_free").sem_fit.log_likelihood
    if name != "one covariance, residuals":
        assert found.sem_fit.n_parameters == verified("H0_free").sem_fit.n_parameters - 1
        assert found.sem_fit.log_likelihood < free - 1e-3
    block = found.pair.mixed.model.random[0]
    assert block.covariance == "patterned"


@pytest.mark.r("lavaan")
@pytest.mark.nightly
@pytest.mark.parametrize("name", list(PARTLY))
def test_lavaan_fits_equality_in_part(name: str) -> None:
    found = verified_partly(name)
    data = long_frame("A_gpa_long.csv")
    there = gm.fit(partly(name), data, id="student", time="occasion", engine="lavaan")
    assert there.log_likelihood == pytest.approx(found.mixed_fit.log_likelihood, abs=1e-6)
    ours = found.sem_fit.estimates.set_index("name")
    for row in there.estimates.itertuples():
        if np.isfinite(row.std_error):
            own = ours.loc[row.name]
            assert abs(own["estimate"] - row.estimate) < 1e-3 * row.std_error


@pytest.mark.r("lme4", "nlme", "lavaan", "OpenMx", "glmmTMB")
@pytest.mark.nightly
@pytest.mark.parametrize("name", list(TWINS))
@pytest.mark.parametrize("engine", ["lavaan", "openmx", "lme4", "nlme", "glmmtmb"])
def test_r_fits_what_is_written(name: str, engine: str) -> None:
    if (name, engine) == ("H0_free", "lme4"):
        pytest.skip("lme4 has one residual variance")
    data = long_frame("A_gpa_long.csv")
    fit = gm.fit(text_of(name), data, id="student", time="occasion", engine=engine)
    golden = case(NAME)["sem"][name]["logLik"]
    assert fit.log_likelihood == pytest.approx(golden, abs=1e-6)


def test_groups_are_numbered_as_lavaan_does_and_matched_by_label() -> None:
    """By first appearance: with the rows turned round males are the first group."""
    wide = wide_frame("A_gpa_wide.csv")
    turned = wide.sort_values("sex", ascending=False, kind="stable")
    fit = gm.fit(text_of("H0_free"), turned)
    assert fit.model.group_labels == ("male", "female")
    golden = case(NAME)["sem"]["H0_free"]["coef"]
    for label, name in [("female", "i~~i"), ("male", "i~~i.g2")]:
        assert fit.factor_cov.loc[(label, "i"), "i"] == pytest.approx(golden[name], rel=1e-5)
    rows = gm.translate(text_of("H0_free"), "nlme", data=turned).parameters.set_index("mixed_name")
    assert rows.loc["(Intercept)", "sem_name"] == "i~1.g2"
    assert rows.loc["sexmale", "sem_name"] == "i~1 - i~1.g2"
    assert rows.loc["var(Residual[male])", "sem_name"] == "r1"
