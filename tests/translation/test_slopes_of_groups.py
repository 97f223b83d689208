"""Random slopes of covariates in groups of persons: loadings that are columns in every group."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest
from random_growth import evidence_against
from two_sides import long_frame, mixed_pair

import growthmm as gm
from growthmm.errors import UnsupportedError
from growthmm.model.sem import SemModel
from growthmm.notation import notation
from growthmm.translation.pair import same_growth
from growthmm.verbs.binding import Facts, paired


@cache
def _frame() -> pd.DataFrame:
    """Persons whose slopes on ``w`` differ, and males with more noise."""
    frame = long_frame(n_persons=60, missing=0.1)
    rng = np.random.default_rng(3)
    frame["y"] += frame["w"] * np.repeat(1.5 * rng.normal(size=60), 5)
    return frame.assign(y=frame["y"] + (frame["sex"] == "male") * rng.normal(size=len(frame)))


FEMALE, MALE = (f'I(1 * (sex == "{sex}"))' for sex in ("female", "male"))

OWN = [
    ("y ~ t + (1 + w | id)", "by_group:sex"),
    ("y ~ t + w + (1 + w | id)", "by_group:sex:ar1"),
    ("y ~ t * w + x + (t + w || id)", "by_group:arm"),
    ("y ~ t + (1 | id) + (0 + t:w | id)", "by_group:sex:by_occasion"),
    ("y ~ t + (1 | id) + (0 + x | id)", "by_group:sex"),
    ("y ~ t + (1 | id) + (0 + mood | id)", "by_group:sex"),
    (f"y ~ t + (0 + {FEMALE} + {FEMALE}:w | id) + (0 + {MALE} + {MALE}:w | id)", "common"),
    (f"y ~ t + w:sex + (1 | id) + (0 + {FEMALE}:w | id)", "ar1"),
]
"""Formulas, and residual structures."""


@pytest.mark.parametrize(("text", "residual"), OWN)
def test_slopes_of_covariates_go_with_groups_both_ways(text: str, residual: str) -> None:
    pair = mixed_pair(text, _frame(), residual=residual, time="t")
    assert pair.growth.schema.grouping is not None
    assert pair.sem.model.n_groups > 1
    assert any(path.definition for path in pair.sem.model.paths)
    assert evidence_against(pair, _frame()) is None
    written = notation("openmx").write(pair.sem.model)
    assert {loss.what for loss in written.losses} <= {"estimator = reml"}
    facts = Facts(id="id", time="t", outcome="y", layout="long")
    again = paired(notation("openmx").read(written.text), _frame(), facts)[0]
    different = same_growth(pair.growth, again.growth)
    assert different is None, different
    assert evidence_against(again, _frame()) is None


@pytest.mark.parametrize("slope", ["t", "w"])
def test_a_group_with_more_variance_than_all_has_a_column_for_it(slope: str) -> None:
    """Nobody has the effect twice but who is in the group: no block of each group says it."""
    text = f"y ~ t + (0 + {slope} | id) + (0 + {FEMALE}:{slope} | id)"
    pair = mixed_pair(text, _frame(), time="t")
    assert pair.growth.schema.grouping is None
    assert evidence_against(pair, _frame()) is None


def test_all_levels_hold_where_groups_have_slopes_of_a_covariate() -> None:
    found = gm.verify(
        "y ~ t + w + (1 + w | id)", _frame(), time="t", residual="by_group:sex", engines=["long"]
    )
    assert found.verdict == "identical", found.reason
    assert all(level.passed for level in found.levels)


@pytest.mark.r("nlme", "OpenMx")
@pytest.mark.nightly
def test_programs_find_the_same_slopes_of_groups() -> None:
    found = gm.verify(
        "y ~ t + w + (1 + w | id)",
        _frame(),
        time="t",
        residual="by_group:sex",
        engines=["nlme", "openmx"],
    )
    engines = found.engines.set_index("name")
    for name in ("nlme", "openmx"):
        assert engines.loc[name, "used"], engines.loc[name, "reason"]
        assert abs(engines.loc[name, "log_likelihood"] - found.mixed_fit.log_likelihood) < 1e-4


def test_columns_in_the_loadings_of_groups_with_times_of_their_own_are_refused() -> None:
    text = """growth('
    i =~ c(1, 1, 1)*y1 + c(1, 1, 1)*y2
    s =~ c(0, 1, 2)*y1 + c(1, 2, 3)*y2
    v =~ c(1, 1, 1)*y1 + c(1, 1, 1)*y2
    i ~~ c(a, a, a)*i
    s ~~ c(0, 0, 0)*s + c(0, 0, 0)*i
    v ~~ c(b, b, b)*v + c(0, 0, 0)*i + c(0, 0, 0)*s
    i ~ c(m, m, m)*1
    s ~ c(n, n, n)*1
    v ~ c(0, 0, 0)*1
    y1 ~~ c(r, r, r)*y1
    y2 ~~ c(r, r, r)*y2', group = "cohort", group.label = c("1", "2", "3"))"""
    model = gm.read(text)
    assert isinstance(model, SemModel)
    paths = tuple(
        replace(path, definition=f"w{path.right[-1]}", value=None)
        if path.left == "v" and path.op == "=~"
        else path
        for path in model.paths
    )
    with pytest.raises(UnsupportedError, match="data column w1 as a path: the translation of such"):
        gm.translate(replace(model, paths=paths), "lme4", data=_frame(), id="id", time="t")


def test_mplus_does_not_get_groups_beside_random_slopes() -> None:
    pair = mixed_pair("y ~ t + (1 + w | id)", _frame(), residual="by_group:sex", time="t")
    losses = notation("mplus").write(pair.sem.model).losses
    refused = {loss.what for loss in losses if "no GROUPING beside TYPE = RANDOM" in loss.why}
    assert refused == {f"{path.name} = data.{path.definition}" for path in pair.sem.model.paths
                       if path.definition}  # fmt: skip
