"""The long engine's likelihood and derivatives against a person-by-person dense one."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from growthmm.engines.long import (
    LongProblem,
    RandomEffects,
    information,
    log_likelihood,
    parameter_kinds,
    parameter_names,
    random_effects,
    sandwich,
    score,
)
from growthmm.errors import SpecificationError
from growthmm.model.residual import ResidualStructure

KINDS = (
    "common",
    "by_occasion",
    "by_group:sex",
    "ar1",
    "ar1+common",
    "arh1",
    "cs",
    "csh",
    "toeplitz",
    "banded:2",
    "unstructured",
    "by_group:sex:ar1",
    "by_group:sex:csh",
    "by_group:sex:banded:1",
)
TIMES = (0.0, 1.0, 2.0, 4.0)


def _problem(
    kind: str, *, seed: int = 1, random: int = 2, vary: bool = False, complete: bool = False
) -> LongProblem:
    rng = np.random.default_rng(seed)
    n, m = 40, len(TIMES)
    subject, occasion = np.repeat(np.arange(n), m), np.tile(np.arange(m), n)
    person = rng.standard_normal(n)
    sex = rng.integers(0, 2, n)
    keep = np.ones(n * m, bool) if complete else rng.uniform(size=n * m) > 0.25
    keep[::m] = True
    subject, occasion = subject[keep], occasion[keep]
    t = np.asarray(TIMES)[occasion] + (rng.uniform(-0.3, 0.3, len(subject)) if vary else 0.0)
    x = person[subject]
    y = (
        2.0
        + 0.5 * t
        + 0.3 * x
        + (rng.standard_normal((n, 2)) @ [[0.9, 0.2], [0, 0.4]])[subject][:, 0] * (1 + 0.3 * t)
    )
    y += rng.standard_normal(len(t))
    one = np.ones(len(t))
    fixed = np.column_stack([one, t, x, rng.standard_normal(len(t))])
    names = ("(Intercept)", "t", "t2")[:random]
    return LongProblem(
        outcome=y,
        fixed=fixed,
        fixed_names=("(Intercept)", "t", "x", "z"),
        random=np.column_stack([one, t, t**2])[:, :random],
        blocks=(RandomEffects(names, tuple(range(random))),) if random else (),
        subject=subject,
        n_subjects=n,
        group="id",
        occasion=occasion,
        occasions=TIMES,
        residual=ResidualStructure.parse(kind),
        strata=sex[subject],
        strata_names=("female", "male"),
    )


def _values(problem: LongProblem, seed: int = 3) -> np.ndarray:
    """Admissible parameters; the random-effects covariance is positive definite."""
    rng = np.random.default_rng(seed)
    q = problem.random.shape[1]
    root = np.diag([1.0, 0.4, 0.1][:q]) @ (np.eye(q) + 0.3 * rng.standard_normal((q, q)))
    g = root @ root.T
    out = [*rng.standard_normal(problem.fixed.shape[1])]
    out += [g[a, b] for a, b in problem.covariance_entries]
    for name in parameter_names(problem)[len(out) :]:
        if name.startswith("rho"):
            out.append(0.35)
        elif name.startswith("var"):
            out.append(0.8 + 0.4 * rng.uniform())
        else:
            out.append(0.1 * rng.uniform())
    return np.array(out)


def _residual(problem: LongProblem, own: np.ndarray, occasion, stratum) -> np.ndarray:
    """Residual covariance of one person's rows, written entry by entry."""
    kind, n, m = problem.residual.kind, len(occasion), len(problem.occasions)
    if problem.residual.within is not None:
        inner = dataclasses.replace(problem, residual=problem.residual.within)
        return _residual(inner, np.split(own, 2)[stratum[0]], occasion, stratum)
    out = np.zeros((n, n))
    upper = [(a, b) for a in range(m) for b in range(a, m)]
    for i in range(n):
        for j in range(n):
            a, b = sorted((int(occasion[i]), int(occasion[j])))
            gap = abs(problem.occasions[a] - problem.occasions[b])
            same = float(i == j)
            if kind == "common":
                value = same * own[0]
            elif kind == "by_occasion":
                value = same * own[a]
            elif kind == "by_group":
                value = same * own[stratum[i]]
            elif kind == "ar1":
                value = own[0] * own[1] ** gap
            elif kind == "ar1+common":
                value = own[0] * own[1] ** gap + same * own[2]
            elif kind == "arh1":
                value = np.sqrt(own[a] * own[b]) * own[-1] ** gap
            elif kind == "cs":
                value = own[0] * (1.0 if same else own[1])
            elif kind == "csh":
                value = np.sqrt(own[a] * own[b]) * (1.0 if same else own[-1])
            elif kind == "toeplitz":
                value = own[b - a]
            else:
                bands = problem.residual.bands if kind == "banded" else m
                cells = [cell for cell in upper if cell[1] - cell[0] <= bands]
                value = own[cells.index((a, b))] if (a, b) in cells else 0.0
            out[i, j] = value
    return out


def _dense(problem: LongProblem, values: np.ndarray):
    """Every person's rows, design and covariance matrix."""
    p, k = problem.fixed.shape[1], len(problem.covariance_entries)
    q = problem.random.shape[1]
    g = np.zeros((q, q))
    for (a, b), value in zip(problem.covariance_entries, values[p : p + k], strict=True):
        g[a, b] = g[b, a] = value
    for person in range(problem.n_subjects):
        rows = np.flatnonzero(problem.subject == person)
        z = problem.random[rows]
        r = _residual(problem, values[p + k :], problem.occasion[rows], problem.strata[rows])
        yield person, rows, z @ g @ z.T + r, g


def _reference(problem: LongProblem, values: np.ndarray, estimator: str) -> float:
    p = problem.fixed.shape[1]
    total, cross, n = 0.0, np.zeros((p, p)), 0
    for _, rows, v, _ in _dense(problem, values):
        x = problem.fixed[rows]
        left = problem.outcome[rows] - x @ values[:p]
        total += np.linalg.slogdet(v)[1] + left @ np.linalg.solve(v, left)
        cross += x.T @ np.linalg.solve(v, x)
        n += len(rows)
    if estimator == "reml":
        total += np.linalg.slogdet(cross)[1]
        n -= p
    return -0.5 * (n * np.log(2 * np.pi) + total)


CASES = [
    *((kind, 2 if kind != "unstructured" else 1, False) for kind in KINDS),
    ("common", 3, False),
    ("common", 1, True),
    ("common", 3, True),
    ("by_group:sex", 2, True),
    ("ar1", 0, False),
    ("unstructured", 0, False),
]


@pytest.mark.parametrize("estimator", ["ml", "reml"])
@pytest.mark.parametrize(("kind", "random", "vary"), CASES)
def test_log_likelihood_is_the_dense_one(
    kind: str, random: int, vary: bool, estimator: str
) -> None:
    problem = _problem(kind, random=random, vary=vary)
    values = _values(problem)
    expected = _reference(problem, values, estimator)
    assert log_likelihood(problem, values, estimator) == pytest.approx(expected, rel=1e-12)
    shuffled = np.random.default_rng(5).permutation(len(problem.outcome))
    mixed = dataclasses.replace(
        problem,
        **{
            name: getattr(problem, name)[shuffled]
            for name in ("outcome", "fixed", "random", "subject", "occasion", "strata")
        },
    )
    assert log_likelihood(mixed, values, estimator) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("estimator", ["ml", "reml"])
@pytest.mark.parametrize(("kind", "random", "vary"), CASES)
def test_score_and_information_are_derivatives(
    kind: str, random: int, vary: bool, estimator: str
) -> None:
    problem = _problem(kind, random=random, vary=vary)
    values = _values(problem)
    slope = score(problem, values, estimator)
    observed = information(problem, values, "observed", estimator)
    steps = 1e-4 * np.maximum(np.abs(values), 0.05)
    for index, step in enumerate(steps):
        moved = [values.copy() for _ in range(4)]
        for copy, factor in zip(moved, (-2, -1, 1, 2), strict=True):
            copy[index] += factor * step
        far_low, low, high, far_high = (log_likelihood(problem, v, estimator) for v in moved)
        numeric = (8 * (high - low) - (far_high - far_low)) / (12 * step)
        assert slope[index] == pytest.approx(numeric, rel=1e-6, abs=1e-5 * np.abs(slope).max())
        far_low, low, high, far_high = (score(problem, v, estimator) for v in moved)
        bend = -(8 * (high - low) - (far_high - far_low)) / (12 * step)
        np.testing.assert_allclose(
            observed[index], bend, rtol=1e-7, atol=1e-8 * np.abs(observed).max()
        )


@pytest.mark.parametrize(("kind", "random", "vary"), CASES)
def test_expected_information_is_the_dense_one(kind: str, random: int, vary: bool) -> None:
    problem = _problem(kind, random=random, vary=vary)
    values = _values(problem)
    p = problem.fixed.shape[1]
    k = len(values) - p
    fixed, plain = np.zeros((p, p)), np.zeros((k, k))
    step = 1e-5
    moved = []
    for index in range(k):
        up, down = values.copy(), values.copy()
        up[p + index] += step
        down[p + index] -= step
        pairs = zip(_dense(problem, up), _dense(problem, down), strict=True)
        moved.append([(a[2] - b[2]) / (2 * step) for a, b in pairs])
    inverses, designs = [], []
    for person, rows, v, _ in _dense(problem, values):
        inverse = np.linalg.inv(v)
        x = problem.fixed[rows]
        fixed += x.T @ inverse @ x
        slopes = [inverse @ moved[index][person] for index in range(k)]
        plain += 0.5 * np.array([[np.trace(a @ b) for b in slopes] for a in slopes])
        inverses.append(inverse)
        designs.append(x)
    found = information(problem, values, "expected")
    np.testing.assert_allclose(found[:p, :p], fixed, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(found[p:, p:], plain, rtol=1e-6, atol=1e-8 * plain.max())
    assert not found[:p, p:].any()
    # Restricted: tr(P V_a P V_b) / 2 with the whole sample's matrices.
    n = len(problem.outcome)
    whole, x = np.zeros((n, n)), np.concatenate(designs)
    blocks = [np.zeros((n, n)) for _ in range(k)]
    start = 0
    for person, inverse in enumerate(inverses):
        part = slice(start, start + len(inverse))
        whole[part, part] = inverse
        for index in range(k):
            blocks[index][part, part] = moved[index][person]
        start = part.stop
    project = whole - whole @ x @ np.linalg.inv(x.T @ whole @ x) @ x.T @ whole
    turned = [project @ block for block in blocks]
    restricted = 0.5 * np.array([[np.sum(a * b.T) for b in turned] for a in turned])
    found = information(problem, values, "expected", "reml")
    np.testing.assert_allclose(found[p:, p:], restricted, rtol=1e-6, atol=1e-8 * plain.max())


@pytest.mark.parametrize("kind", ["common", "by_occasion", "ar1"])
def test_a_covariance_that_is_none_still_has_a_likelihood(kind: str) -> None:
    problem = _problem(kind)
    values = _values(problem)
    at = parameter_names(problem).index("var(t|id)")
    values[at] = -0.01
    values[at - 1] = 0.02
    expected = _reference(problem, values, "ml")
    assert log_likelihood(problem, values) == pytest.approx(expected, rel=1e-12)
    slope = score(problem, values)[at]
    step = 1e-5
    values[at] += step
    high = _reference(problem, values, "ml")
    values[at] -= 2 * step
    assert slope == pytest.approx((high - _reference(problem, values, "ml")) / (2 * step), rel=1e-5)
    values[at] = -5.0
    assert log_likelihood(problem, values) == -np.inf
    with pytest.raises(SpecificationError, match="not positive definite"):
        score(problem, values)


@pytest.mark.parametrize("complete", [True, False])
@pytest.mark.parametrize("kind", ["common", "by_occasion", "ar1", "by_group:sex"])
def test_random_effects_and_sandwich_are_the_dense_ones(kind: str, complete: bool) -> None:
    problem = _problem(kind, complete=complete)
    values = _values(problem)
    p = problem.fixed.shape[1]
    modes, covariances = random_effects(problem, values)
    bread, meat = np.zeros((p, p)), np.zeros((p, p))
    for person, rows, v, g in _dense(problem, values):
        x, z = problem.fixed[rows], problem.random[rows]
        left = problem.outcome[rows] - x @ values[:p]
        np.testing.assert_allclose(
            modes[person], g @ z.T @ np.linalg.solve(v, left), rtol=1e-9, atol=1e-12
        )
        np.testing.assert_allclose(
            covariances[person], g - g @ z.T @ np.linalg.solve(v, z @ g), rtol=1e-9, atol=1e-12
        )
        own = x.T @ np.linalg.solve(v, left)
        bread += x.T @ np.linalg.solve(v, x)
        meat += np.outer(own, own)
    expected = np.linalg.inv(bread) @ meat @ np.linalg.inv(bread)
    np.testing.assert_allclose(sandwich(problem, values), expected, rtol=1e-8, atol=1e-14)


def test_names_follow_the_order_of_the_values() -> None:
    problem = _problem("by_occasion")
    assert parameter_names(problem) == (
        "(Intercept)",
        "t",
        "x",
        "z",
        "var((Intercept)|id)",
        "cov((Intercept),t|id)",
        "var(t|id)",
        "var(Residual[0])",
        "var(Residual[1])",
        "var(Residual[2])",
        "var(Residual[4])",
    )
    assert parameter_names(_problem("by_group:sex"))[-2:] == (
        "var(Residual[female])",
        "var(Residual[male])",
    )
    kinds = parameter_kinds(problem)
    assert kinds[:4] == ("fixed",) * 4
    assert kinds[4:7] == ("variance", "covariance", "variance")
    assert set(kinds[7:]) == {"residual"}


def test_values_of_the_wrong_shape_are_refused() -> None:
    problem = _problem("common")
    with pytest.raises(SpecificationError, match=r"shape \(3,\) for 8 parameters"):
        log_likelihood(problem, np.ones(3))
