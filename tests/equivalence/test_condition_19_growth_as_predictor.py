"""Condition 19: growth factors that predict an outcome are random effects that covary with it."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pytest
from reference import case, wide_frame

import growthmm as gm
from growthmm.errors import UnsupportedError

FORMULA = "value ~ 0 + outcome + y:time + outcome:x + y:time:x + (0 + outcome + y:time | id)"


@functools.cache
def verified() -> Any:
    golden = case("M01")
    return gm.verify(golden["sem"]["model"], wide_frame("M_mediation_wide.csv"), id="id")


def test_the_just_identified_model_is_identical() -> None:
    found = verified()
    assert (found.verdict, found.model_verdict) == ("identical", "identical_if")
    assert all(level.passed for level in found.levels)
    assert found.conditions[0].startswith("the optimum lies inside the parameter space")
    exact = case("M01")["exact"]["logLik"]
    assert found.mixed_fit.log_likelihood == pytest.approx(exact, abs=1e-6)
    assert found.sem_fit.log_likelihood == pytest.approx(exact, abs=1e-6)
    assert found.text == FORMULA


def test_paths_are_covariances_over_variances() -> None:
    rows = verified().parameters.set_index("sem_name")
    golden = {(row["lhs"], row["op"], row["rhs"]): row for row in case("M01")["sem"]["estimates"]}
    for name, key in {
        "bi": ("z", "~", "i"),
        "b": ("z", "~", "s"),
        "cp": ("z", "~", "x"),
        "z~1": ("z", "~1", ""),
        "z~~z": ("z", "~~", "z"),
    }.items():
        row, expected = rows.loc[name], golden[key]
        # The mixed engine's numbers are functions of its own parameters, by the delta method.
        for engine in ("long", "wide"):
            error = expected["se_expected"]
            assert abs(row[f"estimate_{engine}"] - expected["est"]) < 1e-3 * error
            assert row[f"std_error_{engine}"] == pytest.approx(error, rel=1e-4)
    assert rows.loc["b", "rule"].startswith("b = G[i, s]^-1 G[i, s; z]")


def test_paths_follow_from_the_covariance_matrix() -> None:
    fit = verified().mixed_fit
    G = np.asarray(fit.factor_cov)
    names = [str(name) for name in fit.factor_cov.index]
    y, slope, z = (
        next(k for k, name in enumerate(names) if name.startswith(start))
        for start in ("outcomey", "y:time", "outcomez")
    )
    b = np.linalg.solve(G[np.ix_([y, slope], [y, slope])], G[[y, slope], z])
    rows = verified().parameters.set_index("sem_name")
    assert b == pytest.approx(rows.loc[["bi", "b"], "estimate_wide"].to_numpy(float), rel=1e-6)


def test_the_indirect_effect_has_its_delta_method_error() -> None:
    derived = verified().sem_fit.derived.set_index("name")
    exact = case("M01")["exact"]
    assert derived.loc["ind", "estimate"] == pytest.approx(exact["indirect"], rel=1e-6)
    assert derived.loc["ind", "std_error"] == pytest.approx(exact["indirect_se_observed"], rel=1e-5)


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (("z ~ cp*x + bi*i + b*s", "z ~ cp*x + b*s\ni ~~ 0*z"), "no path from i to z"),
        (("z ~ cp*x + bi*i + b*s", "z ~ bi*i + b*s"), "no direct path from x to z"),
        (("z ~ 1", "z ~ 0*1"), "the intercept of z fixed"),
        (("bi*i", "0.5*i"), "z~i fixed"),
    ],
)
def test_restrictions_are_no_random_effects(change: tuple[str, str], what: str) -> None:
    text = case("M01")["sem"]["model"].partition("ind :=")[0].replace(*change)
    frame = wide_frame("M_mediation_wide.csv")
    with pytest.raises(UnsupportedError) as refused:
        gm.translate(text, "lme4", data=frame, id="id")
    assert what in str(refused.value)
    assert "growthmm fit" in str(refused.value)
    # Each is a model all the same: the SEM engine fits it, and what has all paths is its nearest.
    found = gm.verify(text, frame, id="id", engines=["long"])
    assert found.verdict == found.model_verdict == "not_representable"
    assert found.losses == refused.value.losses  # type: ignore[union-attr]
    assert [level.passed for level in found.levels[1:]] == [True] * 5
    assert found.nearest is not None  # type: ignore[union-attr]
    assert found.nearest.found.text == FORMULA  # type: ignore[union-attr]


def test_missing_outcomes_change_nothing() -> None:
    frame = wide_frame("M_mediation_missing_wide.csv")
    found = gm.verify(case("M01")["sem"]["model"], frame, id="id")
    assert (found.verdict, found.model_verdict) == ("identical", "identical_if")


def test_free_loadings_of_a_program_that_writes_paths_alone_are_regressions() -> None:
    text = gm.translate(case("M01")["sem"]["model"].partition("ind :=")[0], "sas:sem").text
    frame = wide_frame("M_mediation_wide.csv")
    found = gm.verify(text, frame, id="id", notation="sas", engines=["semopy"])
    assert (found.verdict, found.model_verdict) == ("identical", "identical_if")
    assert found.text == FORMULA
    rows = found.parameters.set_index("sem_name")
    assert rows.loc["b", "rule"].startswith("b = G[i, s]^-1 G[i, s; z]")
