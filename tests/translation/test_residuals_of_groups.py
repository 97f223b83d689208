"""Correlated residuals of each group: there and back, against each group apart, and in R."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
from two_sides import back, formula, long_frame, mixed_pair, sem_pair

import growthmm as gm
from growthmm.equivalence import evidence
from growthmm.errors import UnsupportedError
from growthmm.translation.pair import pair_from_mixed, same_growth

FACTS: dict[str, Any] = {"id": "id", "time": "t"}

WORDS = [
    ("y ~ t * sex + (1 | id)", "by_group:sex:ar1"),
    ("y ~ t * arm + (1 | id)", "by_group:arm:ar1:c|a"),
    ("y ~ t + (1 | id)", "by_group:arm:ar1+common"),
    ("y ~ t + x:sex", "by_group:sex:arh1"),
    ("y ~ t + w", "by_group:sex:csh"),
    ("y ~ t + (0 + t | id)", "by_group:arm:cs:b|c"),
    ("y ~ t", "by_group:sex:toeplitz"),
    ("y ~ t + (1 | id)", "by_group:sex:banded:1"),
    ("y ~ factor(t) * sex", "by_group:sex:unstructured"),
    ('y ~ t + (0 + I(1 * (sex == "male")) | id)', "by_group:sex:ar1"),
    ("y ~ t", "by_group:cohort:cs"),
]


@cache
def _frame() -> pd.DataFrame:
    return long_frame(n_persons=36)


@pytest.mark.parametrize(("text", "residual"), WORDS)
def test_formula_to_lavaan_to_formula(text: str, residual: str) -> None:
    there = mixed_pair(text, _frame(), residual=residual, **FACTS)
    structure = evidence.structure(there)
    assert structure.passed, structure.note
    comparison = evidence.compare_pair_moments(there, draws=2)
    assert evidence.moments(comparison).passed, comparison
    again = back(there, _frame())
    assert same_growth(there.growth, again.growth) is None
    assert again.growth.residual == there.growth.residual
    own = [[pair for pair in o.mixed_names if pair[0].startswith("res")] for o in (there, again)]
    assert own[0] == own[1]
    third = mixed_pair(formula(again), _frame(), residual=residual, **FACTS)
    assert third.sem.model == there.sem.model


@cache
def _uneven(missing: float = 0.1) -> pd.DataFrame:
    """Residuals that are AR(1) with another correlation in each arm, at uneven times."""
    rng = np.random.default_rng(5)
    times = np.array([0.0, 1.0, 2.0, 4.0])
    gap = np.abs(times[:, None] - times)
    rows = []
    for person in range(180):
        arm = "abc"[person % 3]
        rho, v = {"a": (0.7, 1.0), "b": (0.2, 2.0), "c": (0.7, 1.0)}[arm]
        e = np.linalg.cholesky(v * rho**gap) @ rng.standard_normal(4)
        y = 1 + 0.4 * times + rng.normal() * 0.8 + e
        rows += [(person, arm, t, value) for t, value in zip(times, y, strict=True)]
    frame = pd.DataFrame(rows, columns=["id", "arm", "t", "y"])
    return frame[rng.random(len(frame)) > missing].reset_index(drop=True)


@pytest.mark.parametrize("residual", ["ar1", "ar1:a|c", "arh1", "unstructured"])
def test_both_engines_fit_the_same(residual: str) -> None:
    formula = "y ~ t" if residual == "unstructured" else "y ~ t + (1 | id)"
    found = gm.verify(formula, _uneven(), residual=f"by_group:arm:{residual}", **FACTS)
    assert found.verdict == "identical"
    assert all(level.passed is not False for level in found.levels)
    used = found.engines[found.engines["used"]]
    assert np.ptp(used["log_likelihood"].to_numpy(dtype=float)) < 1e-6


@pytest.mark.parametrize("estimator", ["ml", "reml"])
@pytest.mark.parametrize("inner", ["ar1", "arh1", "cs", "toeplitz", "banded:1", "unstructured"])
def test_groups_that_share_nothing_are_fits_apart(inner: str, estimator: Any) -> None:
    frame = _uneven(0.0)
    whole = gm.fit(
        "y ~ 0 + arm + t:arm", frame, residual=f"by_group:arm:{inner}", estimator=estimator, **FACTS
    )
    parts = [
        gm.fit("y ~ t", own, residual=inner, estimator=estimator, **FACTS)
        for _, own in frame.groupby("arm")
    ]
    assert whole.n_parameters == sum(part.n_parameters for part in parts)
    assert whole.log_likelihood == pytest.approx(sum(p.log_likelihood for p in parts), abs=1e-7)


def test_sharing_groups_are_one_group() -> None:
    frame = _uneven()
    shared = gm.fit("y ~ t + (1 | id)", frame, residual="by_group:arm:ar1:a|c", **FACTS)
    frame = frame.assign(two=np.where(frame["arm"] == "b", "b", "other"))
    same = gm.fit("y ~ t + (1 | id)", frame, residual="by_group:two:ar1", **FACTS)
    assert shared.log_likelihood == pytest.approx(same.log_likelihood, abs=1e-9)
    names = list(shared.estimates["name"])
    assert "rho(Residual[a|c])" in names
    assert "rho(Residual[b])" in names
    assert shared.residual_cov.shape == (8, 8)
    assert shared.residual_cov.loc["a|c,0", "b,0"] == 0.0


LOADINGS = "i =~ 1*y_0 + 1*y_1 + 1*y_2 + 1*y_4\ns =~ 0*y_0 + 1*y_1 + 2*y_2 + 4*y_4\n"
WIDE = ("y_0", "y_1", "y_2", "y_4")


def _curve(variances: str, covariances: str, more: str = "") -> str:
    lines = [f"{y} ~~ {variances}*{y}" for y in WIDE]
    pairs = [(a, b) for k, a in enumerate(WIDE) for b in WIDE[k + 1 :]]
    lines += [f"{a} ~~ {covariances}*{b}" for a, b in pairs]
    zero = "i ~~ 0*i\ni ~~ 0*s\ns ~~ 0*s\n"
    return f"growth('{LOADINGS}{zero}" + "\n".join([*lines, more]) + '\', group = "arm")'


def test_it_is_recognised_whatever_its_labels_are_called() -> None:
    pair = sem_pair(_curve("c(e, f, e)", "c(g, h, g)"), _uneven(), outcome="y", **FACTS)[0]
    assert str(pair.growth.residual) == "by_group:arm:cs:a|c"
    assert dict(pair.sem.rules)["residual:rho@0+2"] == "g/e"
    assert dict(pair.sem.names)["residual@1"] == "f"


def test_groups_that_share_half_of_it_are_refused_by_the_labels() -> None:
    text = _curve("c(e, e, e)", "c(g, h, g)")
    with pytest.raises(UnsupportedError) as refused:
        sem_pair(text, _uneven(), outcome="y", **FACTS)
    (loss,) = refused.value.losses
    assert loss.what == "e among the residuals cs of a, c and of b, which differ otherwise"
    assert "on all residual (co)variances" in loss.nearest
    assert gm.fit(text, _uneven(), engine="wide", outcome="y", **FACTS).n_parameters == 9


def test_other_structures_in_other_groups_are_refused() -> None:
    text = _curve("c(e, f, d)", "c(g, h, k)").replace("growth('", "growth('d == 2*k\n")
    text = text.replace("y_0 ~~ c(g, h, k)*y_4", "y_0 ~~ c(g, q, k)*y_4")
    with pytest.raises(UnsupportedError) as refused:
        sem_pair(text, _uneven(), outcome="y", **FACTS)
    assert refused.value.losses


def test_a_person_who_changes_groups_is_refused() -> None:
    frame = _uneven().assign(mood=lambda d: np.where(d["t"] > 1, "high", "low"))
    with pytest.raises(gm.errors.DataError, match="more than one value of mood"):
        gm.fit("y ~ t + (1 | id)", frame, residual="by_group:mood:ar1", **FACTS)


def test_it_can_be_simulated_and_found_again() -> None:
    fitted = gm.fit("y ~ t", _uneven(0.0), residual="by_group:arm:ar1", **FACTS)
    drawn = [gm.simulate(fitted, seed=seed) for seed in range(6)]
    again = pd.concat([d.assign(id=d["id"] + 1000 * k) for k, d in enumerate(drawn)])
    refit = gm.fit("y ~ t", again, residual="by_group:arm:ar1", **FACTS)
    both = fitted.estimates.merge(refit.estimates, on="name")
    gap = (both["estimate_x"] - both["estimate_y"]) / both["std_error_y"]
    assert len(both) == refit.n_parameters == 8
    assert np.abs(gap).max() < 4


def test_names_of_effects_in_one_group_are_the_same_from_both_sides() -> None:
    more = "i ~ x\ns ~ c(0, NA, 0)*x"
    frame = _uneven().assign(x=lambda d: np.sin(d["id"].to_numpy(dtype=float)))
    pair = sem_pair(_curve("c(e, f, d)", "c(g, h, k)", more), frame, outcome="y", **FACTS)[0]
    again = pair_from_mixed(pair.mixed)
    assert {c.name for c in again.growth.covariates} == {c.name for c in pair.growth.covariates}
    assert set(again.mixed_names) == set(pair.mixed_names)
    row = next(row for row in pair.parameters if row.sem_name == "s~x.g2")
    assert row.sem_syntax == "s ~ x in b"
    assert row.rule.startswith("s on x in b = ")


@pytest.mark.parametrize(
    ("residual", "word"),
    [
        ("by_group:of:a|b", "by_group:of:a|b"),
        ("by_group:of:c|a", "by_group:of:a|c"),
        ("by_group:of:by_occasion:a|b", "by_group:of:by_occasion:a|b"),
        ("by_group:of:by_occasion:a,1|c,2", "by_group:of:by_occasion:a,1|c,2"),
        ("by_group:of:a|b|c", "common"),
        ("by_group:of:by_occasion:a|b|c", "by_occasion"),
    ],
)
def test_outcomes_may_share_residual_variances(residual: str, word: str) -> None:
    text = "y ~ 0 + of + of:t + (0 + of | id)"
    there = mixed_pair(text, _stacked(), residual=residual, **FACTS)
    assert str(there.growth.residual) == word
    structure = evidence.structure(there)
    assert structure.passed, structure.note
    assert evidence.moments(evidence.compare_pair_moments(there, draws=2)).passed
    found = gm.verify(text, _stacked(), residual=residual, **FACTS)
    assert found.verdict == "identical"
    again = back(there, _stacked())
    assert same_growth(there.growth, again.growth) is None


@cache
def _stacked() -> pd.DataFrame:
    rng = np.random.default_rng(2)
    rows = [
        (person, t, of, k + 0.3 * t + level[k] + rng.normal())
        for person in range(80)
        for level in [rng.standard_normal(4)]
        for k, of in enumerate("abc")
        for t in range(4)
        if of != "c" or t
    ]
    return pd.DataFrame(rows, columns=["id", "t", "of", "y"])


def test_sharing_what_is_no_outcome_is_refused() -> None:
    with pytest.raises(gm.errors.SpecificationError, match="share variances of d"):
        gm.fit("y ~ 0 + of + (1 | id)", _stacked(), residual="by_group:of:a|d", **FACTS)


def test_what_nlme_has_is_named_as_another_model() -> None:
    model = mixed_pair("y ~ t + (1 | id)", _frame(), residual="by_group:sex:ar1", **FACTS)
    (loss,) = gm.write(model.mixed.model, "nlme", on_loss="keep").losses
    assert "corAR1(form = ~ t | id), weights = varIdent(form = ~ 1 | sex)" in loss.nearest
    assert "another model" in loss.nearest
    shared = replace(model.mixed.model.residual, shared=(("female", "male"),))
    kept = gm.write(replace(model.mixed.model, residual=shared), "sas", on_loss="keep").losses
    assert [loss.what for loss in kept] == ["ar1 residuals of each sex with female = male"]


@pytest.mark.r
def test_r_finds_the_same() -> None:
    frame = _uneven(0.0)
    each = " + ".join(f'(0 + I(1 * (arm == "{arm}")) | id)' for arm in "abc")
    whole = gm.fit(f"y ~ 0 + arm + t:arm + {each}", frame, residual="by_group:arm:ar1", **FACTS)
    parts = [
        gm.fit("y ~ t + (1 | id)", own, residual="ar1", engine="nlme", **FACTS)
        for _, own in frame.groupby("arm")
    ]
    assert whole.n_parameters == sum(part.n_parameters for part in parts)
    assert whole.log_likelihood == pytest.approx(sum(p.log_likelihood for p in parts), abs=1e-4)
    found = gm.verify(
        "y ~ t",
        frame,
        residual="by_group:arm:ar1:a|c",
        engines=["long", "wide", "lavaan"],
        **FACTS,
    )
    lavaan = found.engines.set_index("name").loc["lavaan"]
    assert lavaan["used"]
    assert lavaan["log_likelihood"] == pytest.approx(
        found.engines.set_index("name").loc["long", "log_likelihood"], abs=1e-6
    )
