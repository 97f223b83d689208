"""Condition 14: estimated loadings are no linear mixed model, yet have nlme's likelihood."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from reference import case, long_frame

import growthmm as gm
from growthmm.equivalence.result import Equivalence
from growthmm.errors import UnsupportedError

NAME = "F02_demogrowth_latent_basis"
FACTS = {"id": "id", "time": "time", "outcome": "y"}


@cache
def verified() -> Equivalence:
    text = case(NAME)["sem"]["model"]
    return gm.verify(text, long_frame("D_demogrowth_long.csv"), engines=("statsmodels",), **FACTS)


def test_a_latent_basis_is_not_representable_with_all_evidence() -> None:
    found = verified()
    assert found.verdict == found.model_verdict == "not_representable"
    assert all(level.passed for level in found.levels)
    (condition,) = found.conditions
    assert "a linear mixed model's design is fixed numbers" in condition
    assert "with 2 parameters more than lmer counts" in condition
    assert "nlme::nlme()" in condition
    assert found.text.startswith("nlme(y ~ b0 + b1 * (l2 * (time == 1) + l3 * (time == 2) +")


def test_both_engines_reach_lavaan_and_the_profile_of_lmer() -> None:
    found, golden = verified(), case(NAME)
    for fit in (found.mixed_fit, found.sem_fit):
        assert fit.log_likelihood == pytest.approx(golden["sem"]["logLik"], abs=1e-6)
        assert fit.log_likelihood == pytest.approx(golden["profile_lmer"]["logLik"], abs=1e-6)
        assert fit.n_parameters == golden["sem"]["npar"] == 8
    rows = found.parameters.set_index("mixed_name")
    for name in ("l2", "l3"):
        for column in ("estimate_long", "estimate_wide"):
            expected = golden["profile_lmer"][name]
            assert rows.loc[name, column] == pytest.approx(expected, rel=1e-5)


def test_free_residual_variances_agree_too() -> None:
    golden = case(NAME)["free_residuals"]
    frame = long_frame("D_demogrowth_long.csv")
    for engine in ("long", "wide"):
        fit = gm.fit(golden["model"], frame, engine=engine, **FACTS)
        assert fit.log_likelihood == pytest.approx(golden["logLik"], abs=1e-6)
        kinds = fit.estimates["kind"] == "loading"
        loadings = fit.estimates.loc[kinds, "estimate"].to_numpy()
        expected = [e["est"] for e in golden["estimates"] if e["label"] in ("l2", "l3")]
        np.testing.assert_allclose(loadings, expected, rtol=1e-5)
        errors = [e["se_expected"] for e in golden["estimates"] if e["label"] in ("l2", "l3")]
        np.testing.assert_allclose(fit.estimates.loc[kinds, "std_error"], errors, rtol=1e-4)


def test_lme4_is_refused_with_its_profile_as_the_nearest_form() -> None:
    text = case(NAME)["sem"]["model"]
    with pytest.raises(UnsupportedError) as caught:
        gm.translate(text, "lme4", data=long_frame("D_demogrowth_long.csv"), **FACTS)
    (loss,) = caught.value.losses
    assert loss.what == "the loading parameters l2, l3"
    assert "lmer(y ~ basis + (1 + basis | id), REML = FALSE), profiled over them" in loss.nearest
    assert "2 parameters more than lmer counts" in loss.nearest
