"""What another choice would have given: the other parameter space, the joint likelihood."""

from __future__ import annotations

import pytest
from reference import CASES

import growthmm as gm
from growthmm.errors import DataError, SpecificationError


def test_joint_likelihood_of_time_varying_covariates() -> None:
    case = CASES["A05"]
    result = gm.fit(case.lavaan, case.wide_frame())
    golden = CASES["A05b"].golden
    assert result.joint.log_likelihood == pytest.approx(-3152.562084, abs=1e-5)
    assert result.joint.covariate_log_likelihood == pytest.approx(-3141.293886, abs=1e-5)
    assert result.joint.n_parameters == 34
    assert golden["case"] == "A05b_gpa_fixedx_accounting"


def test_joint_likelihood_is_refused_where_it_is_not_defined() -> None:
    case = CASES["A05"]
    with pytest.raises(SpecificationError, match="conditional on its covariates"):
        _ = gm.fit(case.formula, case.long_frame()).joint
    wide = case.wide_frame()
    wide["lib_hours_0"] = wide["lib_hours_0"].astype(float)
    wide.loc[3, "lib_hours_0"] = None
    with pytest.raises(DataError, match="1 persons lack a covariate"):
        _ = gm.fit(case.lavaan, wide).joint
    twice = case.wide_frame()
    twice["lib_hours_1"] = 2.0 * twice["lib_hours_0"]
    with pytest.raises(DataError, match="linearly dependent"):
        _ = gm.fit(case.lavaan, twice).joint


def test_other_bounds_at_the_boundary_and_inside() -> None:
    case = CASES["K01"]
    bounded = gm.fit(case.formula, case.long_frame())
    free = bounded.other_bounds
    assert free is not None
    assert bounded.log_likelihood == pytest.approx(-639.146273, abs=1e-5)
    assert free.log_likelihood == pytest.approx(-638.970138, abs=1e-5)
    assert free.boundary.beyond
    assert "Without bounds: log-likelihood -638.970138" in bounded.summary()
    back = free.other_bounds
    assert back is not None
    assert back.log_likelihood == pytest.approx(bounded.log_likelihood, abs=1e-7)
    inside = CASES["A02"]
    assert gm.fit(inside.formula, inside.long_frame()).other_bounds is None
