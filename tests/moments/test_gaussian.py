"""The referee against scipy, finite differences and the golden `exact` blocks."""

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from growthmm.errors import SpecificationError
from growthmm.moments import (
    GaussianGroup,
    GroupDerivatives,
    RestrictedGroup,
    covariance_derivatives,
    grouped_log_likelihood,
    log_likelihood,
    mixed_moments,
    restricted_log_likelihood,
    restricted_score_and_information,
    score_and_information,
)

REFERENCE = Path(__file__).resolve().parents[2] / ".." / "shared" / "reference"
needs_reference = pytest.mark.skipif(
    not REFERENCE.exists(), reason="the folder shared/reference is not beside the project"
)


def curved_group(theta, outcomes, design):
    """Moments that are not linear in three parameters, with both derivatives."""
    b, s, r = theta
    n, t = outcomes.shape
    lag = np.abs(np.subtract.outer(np.arange(t), np.arange(t))).astype(float)
    mean = np.exp(b * design)
    first = np.zeros((n, t, 3))
    first[..., 0] = design * mean
    second = np.zeros((n, t, 3, 3))
    second[..., 0, 0] = design**2 * mean
    power = r**lag
    down = np.where(lag > 0, lag * r ** np.maximum(lag - 1, 0), 0.0)
    twice = np.where(lag > 1, lag * (lag - 1) * r ** np.maximum(lag - 2, 0), 0.0)
    cov = s**2 * power
    dcov = np.stack([np.zeros((t, t)), 2 * s * power, s**2 * down])
    d2cov = np.zeros((3, 3, t, t))
    d2cov[1, 1], d2cov[2, 2] = 2 * power, s**2 * twice
    d2cov[1, 2] = d2cov[2, 1] = 2 * s * down
    return GaussianGroup(outcomes, mean, cov), GroupDerivatives(first, dcov, second, d2cov)


def difference(function, point, step=1e-5):
    """Central differences, row by row."""
    return np.array(
        [
            (function(point + step * e) - function(point - step * e)) / (2 * step)
            for e in np.eye(point.size)
        ]
    )


def test_log_likelihood_is_scipys():
    rng = np.random.default_rng(3)
    outcomes, means, covariances, total = [], [], [], 0.0
    for size in (1, 2, 5, 5, 3):
        root = rng.normal(size=(size, size))
        y, m, v = rng.normal(size=size), rng.normal(size=size), root @ root.T + np.eye(size)
        total += multivariate_normal(m, v).logpdf(y)
        outcomes.append(y)
        means.append(m)
        covariances.append(v)
    assert log_likelihood(outcomes, means, covariances) == pytest.approx(total, rel=1e-13)


def test_groups_are_persons_one_by_one():
    rng = np.random.default_rng(4)
    y, m = rng.normal(size=(7, 4)), rng.normal(size=(7, 4))
    v = 0.5 * np.eye(4) + 1.0
    one_by_one = log_likelihood(list(y), list(m), [v] * 7)
    assert grouped_log_likelihood([GaussianGroup(y, m, v)]) == pytest.approx(one_by_one, rel=1e-13)


def test_no_density_where_the_covariance_is_indefinite():
    group = GaussianGroup(np.zeros((1, 2)), np.zeros(2), np.array([[1.0, 2.0], [2.0, 1.0]]))
    assert grouped_log_likelihood([group]) == -np.inf
    with pytest.raises(SpecificationError, match="not positive definite"):
        score_and_information([group], [GroupDerivatives(np.zeros((1, 2, 1)), np.eye(2)[None])])


def test_bad_shapes_and_values_are_refused():
    with pytest.raises(SpecificationError, match="do not fit together"):
        log_likelihood([np.zeros(2)], [np.zeros(3)], [np.eye(2)])
    with pytest.raises(SpecificationError, match="not finite"):
        log_likelihood([np.array([np.nan, 0.0])], [np.zeros(2)], [np.eye(2)])
    with pytest.raises(SpecificationError, match="not symmetric"):
        log_likelihood([np.zeros(2)], [np.zeros(2)], [np.array([[1.0, 0.5], [0.0, 1.0]])])


def test_derivatives_of_curved_moments():
    rng = np.random.default_rng(5)
    data = [(rng.normal(size=(6, 4)), rng.normal(size=(6, 4))) for _ in range(2)]
    point = np.array([0.3, 1.2, 0.4])

    def parts(theta):
        return tuple(zip(*(curved_group(theta, y, x) for y, x in data), strict=True))

    result = score_and_information(*parts(point))
    value = grouped_log_likelihood(parts(point)[0])
    assert result.log_likelihood == pytest.approx(value, rel=1e-13)
    numeric = difference(lambda p: np.array(grouped_log_likelihood(parts(p)[0])), point)
    np.testing.assert_allclose(result.score, numeric, rtol=1e-7, atol=1e-7)
    hessian = difference(lambda p: score_and_information(*parts(p)).score, point)
    np.testing.assert_allclose(result.observed, -hessian, rtol=1e-7, atol=1e-7)


def test_expected_information_is_the_mean_of_the_observed():
    rng = np.random.default_rng(6)
    design, point = rng.normal(size=(4, 3)), np.array([0.2, 0.9, 0.5])
    group, _ = curved_group(point, np.zeros((4, 3)), design)
    root, total, draws = np.linalg.cholesky(group.covariance), np.zeros((3, 3)), 4000
    for _ in range(draws):
        y = group.means + rng.normal(size=(4, 3)) @ root.T
        result = score_and_information(*([p] for p in curved_group(point, y, design)))
        total += result.observed
    scale = np.sqrt(np.outer(np.diag(result.expected), np.diag(result.expected)))
    assert np.abs((total / draws - result.expected) / scale).max() < 0.06


def restricted_problem(theta, data):
    groups, first, second = [], [], []
    for y, x in data:
        group, change = curved_group(np.array([0.0, *theta]), y, np.zeros(y.shape))
        groups.append(RestrictedGroup(y, x, group.covariance))
        first.append(change.covariance[1:])
        second.append(change.second_covariance[1:, 1:])
    return groups, first, second


def test_restricted_derivatives():
    rng = np.random.default_rng(7)
    data = [(rng.normal(size=(5, t)), rng.normal(size=(5, t, 2))) for t in (3, 4)]
    point = np.array([1.1, 0.35])
    result = restricted_score_and_information(*restricted_problem(point, data))

    def value(p):
        return np.array(restricted_log_likelihood(restricted_problem(p, data)[0]).log_likelihood)

    def score(p):
        return restricted_score_and_information(*restricted_problem(p, data)).score

    np.testing.assert_allclose(result.score, difference(value, point), rtol=1e-7, atol=1e-7)
    np.testing.assert_allclose(result.observed, -difference(score, point), rtol=1e-7, atol=1e-7)


def test_restricted_information_against_the_full_projection():
    rng = np.random.default_rng(8)
    data = [(rng.normal(size=(3, t)), rng.normal(size=(3, t, 2))) for t in (3, 4)]
    groups, first, _ = restricted_problem(np.array([0.8, 0.3]), data)
    v, d, x = [], [], []
    for group, change in zip(groups, first, strict=True):
        for k in range(3):
            v.append(group.covariance)
            d.append(change)
            x.append(group.design[k])
    size = sum(len(m) for m in v)
    V, D, X = np.zeros((size, size)), np.zeros((2, size, size)), np.vstack(x)
    at = 0
    for m, c in zip(v, d, strict=True):
        V[at : at + len(m), at : at + len(m)] = m
        D[:, at : at + len(m), at : at + len(m)] = c
        at += len(m)
    W = np.linalg.inv(V)
    P = W - W @ X @ np.linalg.solve(X.T @ W @ X, X.T @ W)
    expected = 0.5 * np.array([[np.trace(P @ a @ P @ b) for b in D] for a in D])
    result = restricted_score_and_information(groups, first)
    np.testing.assert_allclose(result.expected, expected, rtol=1e-10)


def test_deficient_design_is_refused():
    x = np.ones((2, 3, 2))
    with pytest.raises(SpecificationError, match="depends on the others"):
        restricted_log_likelihood([RestrictedGroup(np.zeros((2, 3)), x, np.eye(3))])


CASES = {
    "A02_gpa_slope_homosced": (False, False),
    "A03_gpa_slope_heterosced": (True, False),
    "A05_gpa_tvc_equal": (False, True),
    "A08_gpa_missing": (False, False),
}


def golden_groups(case):
    """Persons by pattern, with designs built by hand."""
    import pandas as pd

    free_residual, covariate = CASES[case]
    name = "A08_gpa_missing_long" if case.startswith("A08") else "A_gpa_long"
    frame = pd.read_csv(REFERENCE / "data" / f"{name}.csv").dropna(subset=["gpa"])
    patterns = {}
    for _, rows in frame.groupby("student"):
        times = tuple(int(t) for t in rows["occasion"])
        columns = [np.ones(len(rows)), rows["occasion"]] + [rows["lib_hours"]] * covariate
        y, x = patterns.setdefault(times, ([], []))
        y.append(rows["gpa"].to_numpy(float))
        x.append(np.column_stack(columns).astype(float))
    golden = json.loads((REFERENCE / "golden" / f"{case}.json").read_text())["exact"]
    groups = []
    for times, (y, x) in patterns.items():
        t = np.array(times)
        z = np.column_stack([np.ones(t.size), t]).astype(float)
        levels = range(6) if free_residual else [None]
        residual = np.array([np.diag([float(k is None or k == v) for v in t]) for k in levels])
        derivatives = covariance_derivatives(z, [(0, 0), (0, 1), (1, 1)], residual)
        groups.append((np.array(y), np.array(x), z, derivatives))
    return golden, groups


def values(block):
    return np.array(list(block.values()), dtype=float)


@needs_reference
@pytest.mark.parametrize("case", CASES)
def test_golden_ml(case):
    golden, groups = golden_groups(case)
    exact = golden["ml"]
    beta, theta = values(exact["fixef"]), values(exact["theta"])
    built, changes = [], []
    for y, x, z, derivatives in groups:
        residual = np.einsum("a,ats->ts", theta[3:], derivatives[3:])
        g = np.array([[theta[0], theta[1]], [theta[1], theta[2]]])
        mean, cov = mixed_moments(x, beta, z, g, residual)
        built.append(GaussianGroup(y, mean, cov))
        first = np.concatenate([x, np.zeros((*y.shape, theta.size))], axis=2)
        padded = np.concatenate([np.zeros((beta.size, *cov.shape)), derivatives])
        changes.append(GroupDerivatives(first, padded))
    result = score_and_information(built, changes)
    assert result.log_likelihood == pytest.approx(exact["logLik"], abs=1e-9)
    for kind in ("expected", "observed"):
        errors = np.sqrt(np.diag(np.linalg.inv(getattr(result, kind))))
        np.testing.assert_allclose(errors, values(exact[f"se_{kind}"]), rtol=1e-7)
        assert np.abs(result.score * errors).max() < 1e-6


@needs_reference
@pytest.mark.parametrize("case", CASES)
def test_golden_reml(case):
    golden, groups = golden_groups(case)
    exact = golden["reml"]
    theta = values(exact["theta"])
    built = [
        RestrictedGroup(y, x, np.einsum("a,ats->ts", theta, derivatives))
        for y, x, _, derivatives in groups
    ]
    fit = restricted_log_likelihood(built)
    assert fit.log_likelihood == pytest.approx(exact["logLik"], abs=1e-9)
    np.testing.assert_allclose(fit.fixed_effects, values(exact["fixef"]), rtol=1e-9)
    np.testing.assert_allclose(np.sqrt(np.diag(fit.fixed_covariance)), values(exact["se"]), 1e-7)
    result = restricted_score_and_information(built, [group[3] for group in groups])
    errors = np.sqrt(np.diag(np.linalg.inv(result.expected)))
    assert np.abs(result.score * errors).max() < 1e-6
