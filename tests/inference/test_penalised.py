"""Penalised fits against blme, and on both sides."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from r_reference import differences, kept, live
from reference import long_frame

import growthmm as gm
from growthmm.errors import SpecificationError, UnsupportedEngineError

INTERACTION = "gpa ~ occasion * sexmale + (1 + occasion | student)"
CASES = {
    "few_wishart": (INTERACTION, "ml", "wishart"),
    "few_wishart_reml": (INTERACTION, "reml", "wishart"),
    "singular_wishart": ("y ~ time + (time | id)", "ml", "wishart"),
    "singular_wishart_reml": ("y ~ time + (time | id)", "reml", "wishart"),
    "singular_gamma": ("y ~ time + (1 | id) + (0 + time | id)", "ml", "gamma"),
    "gpa_gamma": ("gpa ~ occasion + (1 | student)", "reml", "gamma"),
}


def data(name: str) -> pd.DataFrame:
    if name.startswith("singular"):
        return long_frame("K_singular_long.csv")
    if name.startswith("gpa"):
        return long_frame("A_gpa_long.csv")
    frame = long_frame("A08_gpa_missing_long.csv")
    return frame[frame["student"] <= 36]


@pytest.mark.parametrize("name", CASES)
def test_estimates_are_blmes(name: str) -> None:
    formula, estimator, penalty = CASES[name]
    fit = gm.fit(formula, data(name), estimator=estimator, penalty=penalty)
    assert fit.convergence.converged
    golden = kept("penalties")[name]
    p = len(golden["fixed"])
    # blme's search ends some 1e-5 of a standard error away.
    errors = dict(zip(fit.fit.names, fit.fit.standard_errors, strict=True))
    for coefficient, value in golden["fixed"].items():
        assert abs(fit.fit.value(coefficient) - value) < 1e-3 * errors[coefficient]
        assert errors[coefficient] == pytest.approx(golden["error"][coefficient], rel=1e-4)
    ours = [k for k, _ in enumerate(fit.fit.names)][p:]
    covariance = sorted(fit.fit.estimates[ours])
    theirs = sorted(golden["covariance"].values())
    scale = fit.fit.standard_errors[ours].min()
    np.testing.assert_allclose(covariance, theirs, rtol=1e-3, atol=1e-3 * scale)
    assert not fit.boundary.at_boundary


@pytest.mark.parametrize("estimator", ["ml", "reml"])
def test_both_families_have_the_same_penalised_fit(estimator: str) -> None:
    frame = long_frame("K_singular_long.csv")
    formula = "y ~ time + (time | id)"
    mixed = gm.fit(formula, frame, penalty="wishart", estimator=estimator)
    sem = gm.fit(formula, frame, penalty="wishart", estimator=estimator, engine="wide")
    np.testing.assert_allclose(mixed.factor_cov, sem.factor_cov, rtol=1e-6)
    assert mixed.log_likelihood == pytest.approx(sem.log_likelihood, abs=1e-8)
    assert np.linalg.eigvalsh(mixed.factor_cov)[0] > 1e-3


def test_a_penalty_costs_little_likelihood() -> None:
    plain = gm.fit(INTERACTION, data("few"))
    found = gm.fit(INTERACTION, data("few"), penalty="wishart")
    assert 0 < plain.log_likelihood - found.log_likelihood < 1
    assert found.to_dict()["penalty"] == "wishart"
    assert "penalty wishart" in found.summary()


def test_refusals() -> None:
    frame = data("few")
    with pytest.raises(SpecificationError, match="uncorrelated"):
        gm.fit(INTERACTION, frame, penalty="gamma")
    with pytest.raises(SpecificationError, match="no penalty 'ridge'"):
        gm.fit(INTERACTION, frame, penalty="ridge")  # type: ignore[arg-type]
    with pytest.raises(SpecificationError, match="does not go with"):
        gm.fit(INTERACTION, frame, penalty="wishart", robust="cr0")
    with pytest.raises(SpecificationError, match="does not go with"):
        gm.fit(INTERACTION, frame, penalty="wishart", bounds="none")
    with pytest.raises(UnsupportedEngineError, match="no penalty"):
        gm.fit(INTERACTION, frame, penalty="wishart", engine="statsmodels")
    found = gm.fit(INTERACTION, frame, penalty="wishart")
    with pytest.raises(SpecificationError, match="Penalised"):
        gm.compare(found, gm.fit(INTERACTION, frame))
    with pytest.raises(SpecificationError, match="plain maxima"):
        found.confidence_intervals("profile")


@pytest.mark.r("blme", "jsonlite")
@pytest.mark.nightly
def test_the_kept_output_is_what_r_says() -> None:
    assert differences(kept("penalties"), live("penalties"), 1e-3) == []
