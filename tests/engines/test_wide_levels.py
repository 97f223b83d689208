"""Structural equation models of two levels: dense algebra, differences, the long engine, lavaan."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import pytest
from clustered import schools

import growthmm as gm
from growthmm.engines import wide
from growthmm.engines.wide.problem import WideGroup, WideMoments, WideProblem
from growthmm.errors import DataError, TooFewSubjectsError, UnsupportedEngineError
from growthmm.model.sem import Path, SemModel

OUTCOMES = tuple(f"y{t}" for t in range(4))


def model(*, curved: bool) -> SemModel:
    """Growth within and between; `curved` has free loadings and residuals at both levels."""
    rows: list[Path] = []
    for level, (i, s) in ((1, ("i", "s")), (2, ("ib", "sb"))):
        rows += [Path(i, "=~", y, free=False, value=1.0, level=level) for y in OUTCOMES]
        for t, y in enumerate(OUTCOMES):
            free = curved and t in (1, 2)
            label = f"l{t}" if free else None
            value = None if free else float(t)
            rows.append(Path(s, "=~", y, free=free, value=value, label=label, level=level))
        rows += [Path(i, "~~", i, level=level), Path(s, "~~", s, level=level)]
        rows.append(Path(i, "~~", s, level=level))
    for y in OUTCOMES:
        rows.append(Path(y, "~~", y, label=None if curved else "e"))
        if curved:
            rows.append(Path(y, "~~", y, label="eb", level=2))
    rows += [Path("i", "~", "x"), Path("ib", "~", "z", level=2)]
    rows += [Path("ib", "~1", level=2), Path("sb", "~1", level=2)]
    return SemModel(tuple(rows), ("i", "s", "ib", "sb"), OUTCOMES, ("x", "z"))


@cache
def problem(curved: bool = False, lost: bool = False) -> WideProblem:
    data = schools(30, 6)
    table = data.pivot(index="child", columns="t", values="y")
    persons = data.groupby("child")[["school", "x", "z"]].first()
    covariates = persons[["x", "z"]].to_numpy().copy()
    if lost:
        covariates[:5, 0] = np.nan
    codes = pd.factorize(persons["school"])[0]
    group = WideGroup(table.to_numpy(), covariates, clusters=codes)
    return WideProblem(model(curved=curved), (group,))


@cache
def fitted(curved: bool = False):
    return wide.fit(problem(curved))


def level_moments(p: WideProblem, values, level: int):
    """Slopes on (1, x, z) and covariance matrix of outcomes and latents, by the definition."""
    m = p.model
    known = dict(zip(m.free_parameters, values, strict=True))
    at = {name: k for k, name in enumerate((*m.outcomes, *m.latent))}
    x = {"1": 0} | {name: k + 1 for k, name in enumerate(m.covariates)}
    A, S, K = np.zeros((8, 8)), np.zeros((8, 8)), np.zeros((8, 3))
    for path in m.paths:
        if path.level != level:
            continue
        value = known[path.parameter] if path.free else path.value
        if path.op == "=~":
            A[at[path.right], at[path.left]] = value
        elif path.op == "~~":
            S[at[path.left], at[path.right]] = S[at[path.right], at[path.left]] = value
        elif path.op == "~1":
            K[at[path.left], 0] = value
        else:
            K[at[path.left], x[path.right]] = value
    B = np.linalg.inv(np.eye(8) - A)
    return B @ K, B @ S @ B.T


def whole(p: WideProblem, values):
    """Outcomes present, their means and covariance matrix over all persons, and their places."""
    (one, within), (two, between) = (level_moments(p, values, level) for level in (1, 2))
    group = p.groups[0]
    seen = np.isfinite(group.outcomes)
    person, column = np.nonzero(seen)
    w = np.column_stack([np.ones(len(seen)), group.covariates])
    mean = np.einsum("rw,rw->r", (one + two)[column], w[person])
    home = group.clusters[person]
    V = (home[:, None] == home) * between[np.ix_(column, column)]
    V = V + (person[:, None] == person) * within[np.ix_(column, column)]
    return group.outcomes[seen], mean, V, person, column


@pytest.mark.parametrize("curved", [False, True])
def test_likelihood_is_that_of_dense_algebra(curved):
    p = problem(curved)
    values = fitted(curved).estimates * 1.05
    y, mean, V, _, _ = whole(p, values)
    left = y - mean
    value = -0.5 * (
        len(y) * np.log(2 * np.pi) + np.linalg.slogdet(V)[1] + left @ np.linalg.solve(V, left)
    )
    assert wide.log_likelihood(p, values) == pytest.approx(value, rel=1e-12)


@pytest.mark.parametrize("curved", [False, True])
@pytest.mark.parametrize("shift", [1.0, 1.08])
def test_derivatives_are_differences(curved, shift):
    p = problem(curved)
    values = fitted(curved).estimates * shift
    step = 1e-5 * np.eye(len(values))
    found = [
        (wide.log_likelihood(p, values + h) - wide.log_likelihood(p, values - h)) / 2e-5
        for h in step
    ]
    assert wide.score(p, values) == pytest.approx(found, abs=1e-5, rel=1e-6)
    slopes = [(wide.score(p, values + h) - wide.score(p, values - h)) / 2e-5 for h in step]
    information = wide.information(p, values, "observed")
    assert information == pytest.approx(-np.array(slopes), abs=1e-6 * np.abs(information).max())


def test_expected_information_is_that_of_dense_algebra():
    p = problem(True)
    values = fitted(True).estimates * 1.02
    _, _, V, _, _ = whole(p, values)
    inverse = np.linalg.inv(V)
    means, spreads = [], []
    for h in 1e-6 * np.eye(len(values)):
        up, down = whole(p, values + h), whole(p, values - h)
        means.append((up[1] - down[1]) / 2e-6)
        spreads.append(inverse @ (up[2] - down[2]) / 2e-6)
    expected = np.array([[0.5 * np.sum(a * b.T) for a in spreads] for b in spreads])
    expected += np.array(means) @ inverse @ np.array(means).T
    found = wide.information(p, values, "expected")
    assert found == pytest.approx(expected, abs=1e-6 * np.abs(expected).max())


@pytest.mark.parametrize("curved", [False, True])
@pytest.mark.parametrize("bounds", ["none", "psd"])
def test_a_fit_ends_where_the_score_is_zero(curved, bounds):
    found = wide.fit(problem(curved), bounds=bounds)
    assert found.convergence.converged
    if not found.boundary.at_boundary:
        assert wide.distance(problem(curved), found.estimates) < 1e-6


def test_scores_are_conditional_moments():
    p = problem()
    values = fitted().estimates
    y, mean, V, person, column = whole(p, values)
    (one, within), (two, between) = (level_moments(p, values, level) for level in (1, 2))
    group = p.groups[0]
    scores, spread = wide.factor_scores(p, values)
    weight = np.linalg.inv(V)
    for who in (0, 7, 20):
        w = np.append(1.0, group.covariates[who])
        cross = (person == who) * within[4:, column]
        cross = cross + (group.clusters[person] == group.clusters[who]) * between[4:, column]
        expected = ((one + two) @ w)[4:] + cross @ weight @ (y - mean)
        assert scores[who] == pytest.approx(expected, abs=1e-9)
        total = (within + between)[4:, 4:] - cross @ weight @ cross.T
        assert spread[who] == pytest.approx(total, abs=1e-9)


def test_a_missing_covariate_takes_its_outcomes_along():
    found = wide.fit(problem(lost=True))
    assert found.n_subjects == fitted().n_subjects - 5
    scores, _ = wide.factor_scores(problem(lost=True), found.estimates)
    assert np.isnan(scores[:5, 0]).all()
    assert np.isfinite(scores[5:]).all()


def test_what_has_no_form_here_is_refused():
    p = problem()
    with pytest.raises(UnsupportedEngineError, match="maximum likelihood"):
        wide.fit(p, estimator="reml")
    moments = WideMoments(np.zeros(6), np.eye(6), 20)
    with pytest.raises(UnsupportedEngineError, match="needs persons"):
        wide.fit(WideProblem(p.model, (moments,)))
    with pytest.raises(UnsupportedEngineError, match="scores of their own"):
        wide.sandwich(p, fitted().estimates)
    group = p.groups[0]
    alone = WideGroup(group.outcomes, group.covariates, clusters=np.zeros_like(group.clusters))
    with pytest.raises(TooFewSubjectsError, match="1 cluster"):
        wide.fit(WideProblem(p.model, (alone,)))
    wild = group.covariates.copy()
    wild[:, 1] = np.arange(len(wild))
    with pytest.raises(DataError, match="level 2"):
        wide.fit(WideProblem(p.model, (WideGroup(group.outcomes, wild, clusters=group.clusters),)))


def test_means_at_both_levels_are_not_identified():
    text = gm.translate("y ~ t + (t | child) + (t | school)", "lavaan", data=schools()).text
    both = "\n".join(line for line in text.splitlines() if not line.endswith("~ 0*1"))
    with pytest.raises(gm.errors.NotIdentifiedError, match=r"i~1"):
        gm.fit(both, schools(), id="child", time="t")


@pytest.mark.r("lavaan")
@pytest.mark.nightly
def test_lavaan_agrees_from_our_starts_and_not_from_its_own():
    """R14: from its default starts lavaan 0.6 may stay where it is; ours must not."""
    data = schools(30, 6)
    found = gm.verify(
        "y ~ t + x + (t | child) + (t | school)", data, engines=["long", "wide", "lavaan"]
    )
    witness = found.engines.set_index("name").loc["lavaan"]
    assert witness["used"]
    assert abs(witness["log_likelihood"] - found.sem_fit.log_likelihood) < 1e-4
