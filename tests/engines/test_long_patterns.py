"""Random-effects covariances of linear patterns, and parameters held at values."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

import growthmm as gm
from growthmm.engines import long, wide
from growthmm.engines.long import LongProblem, RandomEffects
from growthmm.engines.wide import WideGroup, WideProblem
from growthmm.errors import (
    FitFailedError,
    NotIdentifiedError,
    SpecificationError,
    UnsupportedEngineError,
)
from growthmm.model.residual import ResidualStructure
from growthmm.model.sem import Path, SemModel

NAMES = ("a", "b", "c")
PATTERNS = {
    "compound symmetry": RandomEffects.compound_symmetry(NAMES, (0, 1, 2), "id").pattern,
    "zero row": (("va", 0.0, "ac"), (0.0, 0.0, 0.0), ("ac", 0.0, "vc")),
    "fixed entries": ((1.0, "ab", 0.1), ("ab", "vb", 0.0), (0.1, 0.0, "vc")),
    "equalities": (("v", "k", "k"), ("k", "v", 0.0), ("k", 0.0, "vc")),
}
HELD = {
    "common": (),
    "by_occasion": (("var(Residual[1])", 0.0), ("var(Residual[3])", 0.7)),
    "ar1": (("rho(Residual)", 0.3),),
}


def _problem(
    pattern, residual: str = "common", held=(), *, covariance=None, n: int = 60, seed: int = 1
) -> LongProblem:
    rng = np.random.default_rng(seed)
    m = 6
    subject, occasion = np.repeat(np.arange(n), m), np.tile(np.arange(m), n)
    keep = rng.uniform(size=n * m) > 0.15
    keep[::m] = True
    subject, occasion = subject[keep], occasion[keep]
    t = (occasion - 2.5) / 2.5
    z = np.column_stack([np.ones(len(t)), t, t**2 - 0.4])
    g = np.diag([1.0, 0.6, 0.4]) if covariance is None else np.asarray(covariance)
    effects = rng.multivariate_normal(np.zeros(3), g, n, method="svd")
    y = 1 + 0.5 * t + np.sum(z * effects[subject], axis=1) + 0.8 * rng.standard_normal(len(t))
    return LongProblem(
        y, z[:, :2], ("one", "t"), z, (RandomEffects(NAMES, (0, 1, 2), pattern=pattern),),
        subject, n, "id", occasion, tuple(map(float, range(m))),
        ResidualStructure.parse(residual), fixed_parameters=held,
    )  # fmt: skip


def _values(problem: LongProblem) -> np.ndarray:
    known = {"va": 1.1, "vb": 0.8, "vc": 0.7, "v": 1.1, "k": 0.2, "ac": 0.3, "ab": 0.2}
    known |= {"one": 0.9, "t": 0.6, "rho(Residual)": 0.4}
    shared = RandomEffects.compound_symmetry(NAMES, (0, 1, 2), "id").pattern
    known |= {shared[0][0]: 0.8, shared[0][1]: 0.15}
    names = long.parameter_names(problem)
    return np.array([known.get(name, 0.6) for name in names])


def _dense(problem: LongProblem, values: np.ndarray, estimator: str) -> float:
    """The likelihood person by person, from the names alone."""
    known = dict(zip(long.parameter_names(problem), values, strict=True))
    known |= dict(problem.fixed_parameters)
    g = np.array(
        [[known[c] if isinstance(c, str) else c for c in row] for row in problem.blocks[0].pattern]
    )
    beta = np.array([known["one"], known["t"]])
    total, cross, n = 0.0, np.zeros((2, 2)), len(problem.outcome)
    for person in range(problem.n_subjects):
        rows = problem.subject == person
        z, x, when = problem.random[rows], problem.fixed[rows], problem.occasion[rows]
        if problem.residual.kind == "common":
            r = known["var(Residual)"] * np.eye(len(when))
        elif problem.residual.kind == "by_occasion":
            r = np.diag([known[f"var(Residual[{j}])"] for j in when])
        else:
            gap = np.abs(when[:, None] - when)
            r = known["var(Residual)"] * known["rho(Residual)"] ** gap
        v = z @ g @ z.T + r
        left = problem.outcome[rows] - x @ beta
        total += np.linalg.slogdet(v)[1] + left @ np.linalg.solve(v, left)
        cross += x.T @ np.linalg.solve(v, x)
    if estimator == "reml":
        total += np.linalg.slogdet(cross)[1]
        n -= 2
    return -0.5 * (n * np.log(2 * np.pi) + total)


def _numeric(function, values: np.ndarray) -> np.ndarray:
    columns = []
    for index in range(len(values)):
        step = np.zeros(len(values))
        step[index] = 1e-3
        near = function(values + step) - function(values - step)
        far = function(values + 2 * step) - function(values - 2 * step)
        columns.append((8 * near - far) / 12e-3)
    return np.array(columns)


@pytest.mark.parametrize("estimator", ["ml", "reml"])
@pytest.mark.parametrize("residual", HELD)
@pytest.mark.parametrize("pattern", PATTERNS)
def test_likelihood_and_derivatives_are_the_dense_ones(
    pattern: str, residual: str, estimator: str
) -> None:
    problem = _problem(PATTERNS[pattern], residual, HELD[residual])
    values = _values(problem)
    assert not {name for name, _ in HELD[residual]} & set(long.parameter_names(problem))
    found = long.log_likelihood(problem, values, estimator)
    assert found == pytest.approx(_dense(problem, values, estimator), rel=1e-11)
    slope = long.score(problem, values, estimator)
    numeric = _numeric(lambda v: _dense(problem, v, estimator), values)
    np.testing.assert_allclose(slope, numeric, rtol=1e-6, atol=1e-6 * np.abs(slope).max())
    observed = long.information(problem, values, "observed", estimator)
    bent = -_numeric(lambda v: long.score(problem, v, estimator), values)
    np.testing.assert_allclose(observed, bent, rtol=1e-6, atol=1e-6 * np.abs(bent).max())


@pytest.mark.parametrize("estimator", ["ml", "reml"])
@pytest.mark.parametrize("residual", HELD)
@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_fit_is_a_maximum(pattern: str, residual: str, estimator: str) -> None:
    problem = _problem(PATTERNS[pattern], residual, HELD[residual])
    fit = long.fit(problem, estimator=estimator, bounds="none")
    assert fit.convergence.converged
    assert fit.names == long.parameter_names(problem)
    score = long.score(problem, fit.estimates, estimator)
    assert np.abs(score * fit.standard_errors).max() < 1e-5
    expected = np.linalg.inv(long.information(problem, fit.estimates, "expected", estimator))
    part = slice(2, None) if estimator == "reml" else slice(None)
    np.testing.assert_allclose(fit.covariance[part, part], expected[part, part], rtol=1e-6)


def _as_wide(problem: LongProblem) -> WideProblem:
    n, m = problem.n_subjects, len(problem.occasions)
    outcomes = np.full((n, m), np.nan)
    outcomes[problem.subject, problem.occasion] = problem.outcome
    t = (np.arange(m) - 2.5) / 2.5
    y = [f"y{j}" for j in range(m)]
    loads = {"a": np.ones(m), "b": t, "c": t**2 - 0.4}
    paths = [
        Path(f, "=~", y[j], free=False, value=float(loads[f][j])) for f in NAMES for j in range(m)
    ]
    pattern = problem.blocks[0].pattern
    for i, f in enumerate(NAMES):
        for k in range(i, 3):
            cell = pattern[i][k]
            free = isinstance(cell, str)
            name = cell.translate(str.maketrans("(),|", "____")) if free else None
            paths.append(
                Path(f, "~~", NAMES[k], free=free, value=None if free else cell, label=name)
            )
    paths += [Path("a", "~1"), Path("b", "~1")]
    paths += [Path(name, "~~", name, label="r") for name in y]
    return WideProblem(
        SemModel(tuple(paths), NAMES, tuple(y)), (WideGroup(outcomes, np.zeros((n, 0))),)
    )


@pytest.mark.parametrize("bounds", ["none", "psd"])
@pytest.mark.parametrize("pattern", PATTERNS)
def test_labels_on_the_wide_side_give_the_same(pattern: str, bounds: str) -> None:
    problem = _problem(PATTERNS[pattern])
    mine = long.fit(problem, bounds=bounds)
    theirs = wide.fit(_as_wide(problem), bounds=bounds)
    assert mine.convergence.converged
    assert mine.log_likelihood == pytest.approx(theirs.log_likelihood, abs=1e-8)
    own = {
        name.translate(str.maketrans("(),|", "____")): (value, error)
        for name, value, error in zip(mine.names, mine.estimates, mine.standard_errors, strict=True)
    }
    for index, name in enumerate(theirs.names):
        key = {"r": "var_Residual_", "a~1": "one", "b~1": "t"}.get(name, name)
        value, error = own[key]
        scale = error if np.isfinite(error) else abs(value)
        assert value == pytest.approx(theirs.estimates[index], abs=1e-5 * scale)
        assert error == pytest.approx(theirs.standard_errors[index], rel=1e-5, nan_ok=True)
    # With an effect left out that the data have, a and c correlate beyond -1.
    assert mine.boundary.at_boundary == (pattern == "zero row")
    assert mine.boundary.beyond == (pattern == "zero row" and bounds == "none")


ONES = np.ones((3, 3))


@pytest.mark.parametrize("estimator", ["ml", "reml"])
def test_compound_symmetry_at_its_bound_is_one_random_effect(estimator: str) -> None:
    problem = _problem(PATTERNS["compound symmetry"], covariance=0.5 * ONES, n=25, seed=3)
    free = long.fit(problem, bounds="none", estimator=estimator)
    assert free.boundary.beyond
    bounded = long.fit(problem, bounds="psd", estimator=estimator)
    assert bounded.convergence.converged
    assert bounded.boundary.at_boundary
    assert not bounded.boundary.beyond
    assert set(bounded.boundary.parameters) == set(bounded.names[2:4])
    assert free.log_likelihood > bounded.log_likelihood
    # G = v 11' is a random effect of the sum of the columns.
    single = dataclasses.replace(
        problem,
        random=problem.random.sum(axis=1, keepdims=True),
        blocks=(RandomEffects(("sum",), (0,)),),
    )
    expected = long.fit(single, estimator=estimator)
    assert bounded.log_likelihood == pytest.approx(expected.log_likelihood, abs=1e-9)
    v = expected.value("var(sum|id)")
    np.testing.assert_allclose(bounded.estimates[2:4], [v, v], rtol=1e-6)
    np.testing.assert_allclose(bounded.standard_errors[:2], expected.standard_errors[:2], rtol=1e-6)
    assert np.isnan(bounded.standard_errors[2:4]).all()


@pytest.mark.parametrize("estimator", ["ml", "reml"])
def test_a_bound_with_a_parameter_held_is_the_factor_parametrisations(estimator: str) -> None:
    g = np.array([[1.0, 0.5, 0.2], [0.5, 0.25, 0.1], [0.2, 0.1, 0.04]])
    plain = dataclasses.replace(
        _problem(None, covariance=g), blocks=(RandomEffects(NAMES, (0, 1, 2)),)
    )
    expected = long.fit(plain, estimator=estimator, bounds="psd")
    assert expected.boundary.at_boundary
    held = dataclasses.replace(
        plain, fixed_parameters=(("var(Residual)", expected.value("var(Residual)")),)
    )
    found = long.fit(held, estimator=estimator, bounds="psd")
    assert found.convergence.converged
    assert found.boundary.at_boundary
    assert found.log_likelihood == pytest.approx(expected.log_likelihood, abs=1e-8)
    np.testing.assert_allclose(found.estimates, expected.estimates[:-1], atol=1e-5)
    np.testing.assert_allclose(found.standard_errors[:2], expected.standard_errors[:2], rtol=1e-4)


def test_a_row_held_at_zero_is_the_model_without_it() -> None:
    zero = _problem(PATTERNS["zero row"])
    without = dataclasses.replace(
        zero,
        random=zero.random[:, [0, 2]],
        blocks=(RandomEffects(("a", "c"), (0, 1)),),
    )
    for estimator in ("ml", "reml"):
        found, expected = (long.fit(p, estimator=estimator) for p in (zero, without))
        assert found.log_likelihood == pytest.approx(expected.log_likelihood, abs=1e-9)
        order = [found.names.index(n) for n in ("one", "t", "va", "ac", "vc", "var(Residual)")]
        np.testing.assert_allclose(found.estimates[order], expected.estimates, rtol=1e-7)
        np.testing.assert_allclose(
            found.standard_errors[order], expected.standard_errors, rtol=1e-6
        )


def test_a_distal_outcome_without_residual_is_its_regression() -> None:
    """Rows of a second outcome whose only variance is a random effect of its own."""
    rng = np.random.default_rng(5)
    n, m = 80, 5
    subject, occasion = np.repeat(np.arange(n), m), np.tile(np.arange(m), n)
    last = occasion == m - 1
    level = rng.standard_normal(n)
    distal = 2 + 0.7 * level + 0.5 * rng.standard_normal(n)
    y = np.where(last, distal[subject], level[subject] + 0.6 * rng.standard_normal(n * m))
    own = np.column_stack([~last, last]).astype(float)
    problem = LongProblem(
        y, own, ("growth", "distal"), own, (RandomEffects(("level", "distal"), (0, 1)),),
        subject, n, "id", occasion, (0.0,), ResidualStructure.parse("by_group:outcome"),
        strata=last.astype(int), strata_names=("growth", "distal"),
        fixed_parameters=(("var(Residual[distal])", 0.0),),
    )  # fmt: skip
    fit = long.fit(problem)
    assert fit.convergence.converged
    assert not fit.boundary.at_boundary
    # Closed form: complete and balanced, the distal outcome observed without error.
    means = y[~last].reshape(n, m - 1).mean(axis=1)
    within = y[~last].reshape(n, m - 1).var(axis=1).sum() * (m - 1) / (n * (m - 2))
    covariance = np.cov(means, distal, ddof=0)
    assert fit.value("var(Residual[growth])") == pytest.approx(within, rel=1e-8)
    assert fit.value("var(distal|id)") == pytest.approx(covariance[1, 1], rel=1e-8)
    assert fit.value("cov(level,distal|id)") == pytest.approx(covariance[0, 1], rel=1e-8)
    assert fit.value("var(level|id)") == pytest.approx(
        covariance[0, 0] - within / (m - 1), rel=1e-8
    )
    modes, spread = long.random_effects(problem, fit.estimates)
    np.testing.assert_allclose(modes[:, 1], distal - distal.mean(), atol=1e-9)
    np.testing.assert_allclose(spread[:, 1, 1], 0.0, atol=1e-12)
    matrix = long.residual_matrix(problem, fit.estimates)
    assert matrix.loc["distal", "distal"] == 0.0


def test_what_cannot_be_is_refused() -> None:
    problem = _problem(PATTERNS["compound symmetry"])

    def held(*pairs):
        return dataclasses.replace(problem, fixed_parameters=pairs)

    with pytest.raises(SpecificationError, match="no parameter 'nothing' to fix"):
        long.fit(held(("nothing", 1.0)))
    with pytest.raises(SpecificationError, match="one is a fixed effect"):
        long.fit(held(("one", 1.0)))
    with pytest.raises(SpecificationError, match="fixed twice"):
        long.fit(held(("var(Residual)", 1.0), ("var(Residual)", 2.0)))
    with pytest.raises(SpecificationError, match="fixed at -1"):
        long.fit(held(("var(Residual)", -1.0)))
    with pytest.raises(FitFailedError, match="singular"):
        long.fit(held(("var(Residual)", 0.0)))
    with pytest.raises(SpecificationError, match="no covariance matrix"):
        long.fit(_problem(((0.0, "k", 0.0), ("k", "v", 0.0), (0.0, 0.0, "w"))))
    with pytest.raises(SpecificationError, match=r"are 'k' and 0\.0"):
        RandomEffects(("a", "b"), (0, 1), pattern=(("v", "k"), (0.0, "v")))
    with pytest.raises(SpecificationError, match="diagonal and has a pattern"):
        RandomEffects(("a",), (0,), True, (("v",),))
    everything = np.ones((len(problem.outcome), 1))
    twice = dataclasses.replace(
        problem,
        random=np.hstack([everything, everything]),
        blocks=(RandomEffects(("a", "b"), (0, 1), pattern=(("v", 0.0), (0.0, "w"))),),
    )
    with pytest.raises(NotIdentifiedError, match="cannot be told apart"):
        long.fit(twice)


def test_the_verb_holds_parameters_in_either_family() -> None:
    data, model = gm.datasets.gpa(), "gpa ~ occasion + (1 + occasion | student)"
    mine = gm.fit(model, data, fixed={"var(Residual)": 0.05})
    theirs = gm.fit(model, data, engine="wide")
    (residual,) = (
        n for n, k in zip(theirs.fit.names, theirs.fit.kinds, strict=True) if k == "residual"
    )
    theirs = gm.fit(model, data, engine="wide", fixed={residual: 0.05})
    assert mine.log_likelihood == pytest.approx(theirs.log_likelihood, rel=1e-10)
    np.testing.assert_allclose(mine.fit.estimates, theirs.fit.estimates, rtol=1e-6)
    np.testing.assert_allclose(mine.fit.standard_errors, theirs.fit.standard_errors, rtol=1e-6)
    assert mine.n_parameters == theirs.n_parameters == 5
    assert mine.residual_cov.iloc[0, 0] == 0.05
    held = gm.fit(model, data, fixed={"var(occasion|student)": 0.004})
    assert held.factor_cov.loc["occasion", "occasion"] == 0.004
    with pytest.raises(SpecificationError, match="no free parameter 'x' to fix"):
        gm.fit(model, data, engine="wide", fixed={"x": 1.0})
    with pytest.raises(UnsupportedEngineError, match="cannot hold"):
        gm.fit(model, data, engine="statsmodels", fixed={"var(Residual)": 0.05})
