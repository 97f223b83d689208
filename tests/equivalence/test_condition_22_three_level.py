"""Condition 22: persons in clusters are a two-level growth SEM, given equal residual variances."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from clustered import schools
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import growthmm as gm
from growthmm.equivalence.result import Equivalence
from growthmm.errors import UnboundError, UnsupportedError

FORMULA = "y ~ t * x + z + w + (t | child) + (t | school)"
OWN = ["long", "wide"]


@cache
def verified() -> Equivalence:
    return gm.verify(FORMULA, schools(), engines=OWN)


@cache
def back() -> Equivalence:
    return gm.verify(verified().text, schools(), id="child", time="t", engines=OWN)


@pytest.mark.parametrize("found", [verified, back], ids=["formula", "lavaan"])
def test_both_forms_are_identical(found) -> None:
    result = found()
    assert result.verdict == "identical", result.reason
    assert result.model_verdict == "identical_if"
    assert all(level.passed for level in result.levels), result.levels
    assert [level.name for level in result.levels] == [
        "structure",
        "moments",
        "likelihood",
        "estimates",
        "inference",
        "predictions",
    ]


def test_the_text_has_two_levels_and_comes_back() -> None:
    text = verified().text
    assert "level: 1" in text
    assert "level: 2" in text
    assert 'cluster = "school"' in text
    assert "ib ~ z" in text.split("level: 2")[1]
    assert "i ~ x" in text.split("level: 2")[0]
    again = gm.translate(text, "lme4", data=schools(), id="child", time="t")
    assert again.text == "y ~ t + x + z + w + t:x + (1 + t | school) + (1 + t | child)"
    nested = gm.translate(text, "nlme", data=schools(), id="child", time="t")
    assert nested.text.endswith("random = ~ 1 + t | school/child)")


def test_the_parameter_map_names_both_levels() -> None:
    rows = verified().parameters.set_index("mixed_name")
    assert rows.loc["var(t|school)", "sem_name"] == "sb~~sb.l2"
    assert rows.loc["var(t|school)", "sem_syntax"] == "level 2: sb ~~ sb"
    assert rows.loc["var(t|school)", "rule"] == "Psi[s,s] = G[s,s], both of school"
    assert rows.loc["(Intercept)", "sem_name"] == "ib~1.l2"
    assert rows.loc["z", "sem_name"] == "ib~z.l2"
    assert rows.loc["var(t|child)", "sem_name"] == "s~~s"
    assert rows["max_difference_in_se"].abs().max() < 1e-6


def test_free_residual_variances_are_no_lmer_model() -> None:
    text = verified().text.replace("v*", "")
    with pytest.raises(UnsupportedError, match=r"condition 22") as caught:
        gm.translate(text, "lme4", data=schools(), id="child", time="t")
    assert "one label for the residual variances" in str(caught.value)
    free = gm.fit(text, schools(), id="child", time="t")
    assert free.log_likelihood > verified().sem_fit.log_likelihood
    assert free.n_parameters == verified().sem_fit.n_parameters + 3


def test_between_level_residuals_are_no_lmer_model() -> None:
    text = verified().text.replace("y_1 ~~ 0*y_1", "y_1 ~~ y_1")
    with pytest.raises(UnsupportedError, match=r"y_1~~y_1\.l2.*condition 22"):
        gm.translate(text, "lme4", data=schools(), id="child", time="t")
    assert gm.fit(text, schools(), id="child", time="t").convergence.converged


def test_a_residual_structure_is_named_in_the_refusal() -> None:
    with pytest.raises(UnsupportedError, match=r"by_occasion[\s\S]*condition 22"):
        gm.translate(FORMULA, "lavaan", data=schools(), residual="by_occasion")


def test_reml_is_the_long_engine_s_alone() -> None:
    found = gm.fit(FORMULA, schools(), estimator="reml")
    assert found.convergence.converged
    with pytest.raises(gm.errors.GrowthmmError, match="maximum likelihood"):
        gm.fit(verified().text, schools(), id="child", time="t", estimator="reml")


def test_facts_in_the_place_of_data() -> None:
    made = gm.translate("y ~ t + (t | school/child)", "lavaan", time="t", time_values=[0, 1, 2])
    assert 'cluster = "school"' in made.text
    with pytest.raises(UnboundError, match="nested"):
        gm.translate("y ~ t + (t | school) + (t | child)", "lavaan", time="t", time_values=[0, 1])
    bare = made.text.split("growth('\n")[1].split("\n'")[0]
    with pytest.raises(UnboundError, match="which column holds the clusters"):
        gm.translate(bare, "lme4", time="t")


@pytest.mark.parametrize("target", ["semopy", "openmx", "ram", "dot", "stata", "sas"])
def test_notations_of_one_level_refuse(target: str) -> None:
    model = gm.read(verified().text)
    with pytest.raises(
        UnsupportedError, match=r"level 2: .*(?:one level|one text for one data set)"
    ):
        gm.write(model, target)


def _effects(intercept: bool, slope: bool) -> str:
    return " + ".join(["1"] * intercept + ["t"] * slope) if intercept else "0 + t"


@st.composite
def formulas(draw: st.DrawFn) -> str:
    fixed = ["t", *draw(st.lists(st.sampled_from(["x", "z", "w", "t:x", "t:z"]), unique=True))]
    if draw(st.booleans()):
        fixed.append("I(t^2)")
    bars = []
    for group in ("child", "school"):
        effects = draw(st.sampled_from(["1", "1 + t"]))
        double = "||" if effects == "1 + t" and draw(st.booleans()) else "|"
        bars.append(f"({effects} {double} {group})")
    return f"y ~ {' + '.join([*fixed, *bars])}"


def _agree(formula: str) -> None:
    result = gm.verify(formula, schools(30, 5), engines=OWN)
    done = {level.name: level.passed for level in result.levels}
    assert done["structure"], formula
    assert done["moments"], formula
    assert done["likelihood"], formula
    assert result.verdict in ("identical", "different_estimator"), (formula, result.reason)


@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(formulas())
def test_random_three_level_models_agree(formula: str) -> None:
    _agree(formula)


@pytest.mark.nightly
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(formulas())
def test_many_random_three_level_models_agree(formula: str) -> None:
    _agree(formula)


def test_wide_data_with_a_column_of_clusters() -> None:
    data = schools()
    text = gm.translate("y ~ t + (t | child) + (t | school)", "lavaan", data=data).text
    wide = data.pivot(index="child", columns="t", values="y").add_prefix("y_").reset_index()
    wide["school"] = wide["child"].map(data.groupby("child")["school"].first())
    found = gm.fit(text, wide, id="child")
    long = gm.fit("y ~ t + (t | child) + (t | school)", data)
    assert found.log_likelihood == pytest.approx(long.log_likelihood, abs=1e-8)
    assert np.isfinite(found.random_effects.to_numpy()).all()
    result = gm.verify(text, wide, id="child", engines=OWN)
    assert result.verdict == "identical", result.reason
