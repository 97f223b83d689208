"""Fits of the long engine: units, identification, bounds, structures, errors."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from growthmm.engines.long import (
    LongProblem,
    RandomEffects,
    fit,
    information,
    log_likelihood,
    null_space,
    random_effects,
    residual_matrix,
    score,
)
from growthmm.errors import (
    DataError,
    NotIdentifiedError,
    SpecificationError,
    ValueColumnError,
)
from growthmm.model.residual import ResidualStructure

SLOPE = RandomEffects(("(Intercept)", "t"), (0, 1))
INDEPENDENT = RandomEffects(("(Intercept)", "t"), (0, 1), diagonal=True)
CONSTANT = RandomEffects(("(Intercept)",), (0,))


def _problem(
    times: list[np.ndarray],
    block: RandomEffects | None,
    *,
    residual: str = "common",
    seed: int = 1,
    spread: tuple[float, float] = (1.0, 0.5),
) -> LongProblem:
    rng = np.random.default_rng(seed)
    n = len(times)
    subject = np.repeat(np.arange(n), [len(t) for t in times])
    t = np.concatenate(times).astype(float)
    effects = rng.standard_normal((n, 2)) * spread
    y = 1.0 + 0.4 * t + effects[subject, 0] + effects[subject, 1] * t
    y += rng.standard_normal(len(t))
    one = np.ones(len(t))
    occasions, occasion = np.unique(t, return_inverse=True)
    width = 0 if block is None else len(block.columns)
    return LongProblem(
        outcome=y,
        fixed=np.column_stack([one, t]),
        fixed_names=("(Intercept)", "t"),
        random=np.column_stack([one, t])[:, :width],
        blocks=() if block is None else (block,),
        subject=subject,
        n_subjects=n,
        group="id",
        occasion=occasion.astype(np.intp),
        occasions=tuple(occasions.tolist()),
        residual=ResidualStructure.parse(residual),
        strata=subject % 2,
        strata_names=("even", "odd"),
    )


def _shared(n: int, m: int) -> list[np.ndarray]:
    return [np.arange(m)] * n


def _own(n: int, m: int) -> list[np.ndarray]:
    rng = np.random.default_rng(9)
    return [np.sort(rng.uniform(0, m, rng.integers(1, m + 1))) for _ in range(n)]


def _missing(n: int, m: int) -> list[np.ndarray]:
    rng = np.random.default_rng(10)
    return [np.flatnonzero(np.append(True, rng.uniform(size=m - 1) > 0.3)) for _ in range(n)]


STRUCTURES = [
    ("common", SLOPE),
    ("common", INDEPENDENT),
    ("by_occasion", SLOPE),
    ("by_group:sex", SLOPE),
    ("ar1", CONSTANT),
    ("ar1+common", CONSTANT),
    ("arh1", CONSTANT),
    ("cs", None),
    ("csh", None),
    ("toeplitz", None),
    ("banded:2", CONSTANT),
    ("unstructured", None),
    ("by_group:sex:ar1", CONSTANT),
    ("by_group:sex:unstructured", None),
]


@pytest.mark.parametrize("estimator", ["ml", "reml"])
@pytest.mark.parametrize("times", [_shared, _missing])
@pytest.mark.parametrize(("residual", "block"), STRUCTURES)
def test_the_optimum_does_not_depend_on_the_start(
    residual: str, block: RandomEffects | None, times: Any, estimator: str
) -> None:
    problem = _problem(times(150, 5), block, residual=residual)
    first = fit(problem, estimator=estimator)
    assert first.convergence.converged
    assert first.convergence.decrement < 1e-10
    if not first.boundary.at_boundary:
        slope = score(problem, first.estimates, estimator) * first.standard_errors
        assert np.abs(slope).max() < 1e-6
    start = first.estimates.copy()
    for index, name in enumerate(first.names):
        if name.startswith("var"):
            start[index] = max(start[index], 0.05) * (3.0 if "Residual" in name else 2.0)
        elif name.startswith(("cov", "rho")):
            start[index] *= 0.5
    again = fit(problem, estimator=estimator, start=start)
    assert again.log_likelihood == pytest.approx(first.log_likelihood, abs=1e-8)
    np.testing.assert_allclose(again.estimates, first.estimates, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("estimator", ["ml", "reml"])
@pytest.mark.parametrize("residual", ["common", "by_occasion", "ar1"])
@pytest.mark.parametrize("unit", [1e-6, 1e6])
def test_units_of_the_outcome_change_nothing_else(
    unit: float, residual: str, estimator: str
) -> None:
    problem = _problem(_missing(120, 5), SLOPE, residual=residual)
    scaled = dataclasses.replace(problem, outcome=unit * (problem.outcome + 3.0))
    a, b = fit(problem, estimator=estimator), fit(scaled, estimator=estimator)
    n = a.n_rows - (2 if estimator == "reml" else 0)
    assert b.log_likelihood == pytest.approx(a.log_likelihood - n * np.log(unit), rel=1e-11)
    power = np.array([0 if "rho" in name else 2 if "(R" in name else 1 for name in a.names])
    power[[name.startswith(("var", "cov")) for name in a.names]] = 2
    moved = a.estimates.copy()
    moved[0] += 3.0
    np.testing.assert_allclose(b.estimates, moved * unit**power, rtol=1e-6)
    np.testing.assert_allclose(b.standard_errors, a.standard_errors * unit**power, rtol=1e-6)


@pytest.mark.parametrize("times", [_shared, _own])
def test_a_far_origin_of_time_costs_no_accuracy(times: Any) -> None:
    near = _problem(times(120, 5), SLOPE)
    far = dataclasses.replace(
        near,
        fixed=near.fixed + np.array([0.0, 2008.0]),
        random=near.random + np.array([0.0, 2008.0]),
    )
    a, b = fit(near), fit(far)
    assert b.log_likelihood == pytest.approx(a.log_likelihood, rel=1e-11)
    assert b.value("t") == pytest.approx(a.value("t"), rel=1e-9)
    assert b.value("(Intercept)") == pytest.approx(
        a.value("(Intercept)") - 2008 * a.value("t"), rel=1e-9
    )
    assert b.value("var(t|id)") == pytest.approx(a.value("var(t|id)"), rel=1e-7)
    assert b.value("cov((Intercept),t|id)") == pytest.approx(
        a.value("cov((Intercept),t|id)") - 2008 * a.value("var(t|id)"), rel=1e-7
    )


def test_persons_of_one_row_and_persons_without_rows() -> None:
    problem = _problem(_own(80, 5), SLOPE)
    wider = dataclasses.replace(problem, subject=2 * problem.subject, n_subjects=160)
    a, b = fit(problem), fit(wider)
    assert b.n_subjects == a.n_subjects == 80
    np.testing.assert_allclose(b.estimates, a.estimates, rtol=1e-9)
    modes, covariances = random_effects(wider, b.estimates)
    assert not modes[1::2].any()
    v = b.value("var((Intercept)|id)")
    np.testing.assert_allclose(covariances[1::2, 0, 0], v, rtol=1e-12)
    np.testing.assert_allclose(modes[::2], random_effects(problem, a.estimates)[0], rtol=1e-6)


def test_collapsed_persons_have_the_likelihood_of_single_ones() -> None:
    shared = _problem(_missing(300, 5), SLOPE)
    # Times moved by less than matters, by different amounts: nobody shares a design.
    nudge = 1e-13 * np.random.default_rng(3).uniform(size=len(shared.outcome))
    alone = dataclasses.replace(shared, random=shared.random + np.column_stack([0 * nudge, nudge]))
    values = fit(shared).estimates * 1.1
    for method in ("ml", "reml"):
        together = log_likelihood(shared, values, method)
        assert together == pytest.approx(log_likelihood(alone, values, method), rel=1e-11)
        np.testing.assert_allclose(
            information(shared, values, "observed", method),
            information(alone, values, "observed", method),
            rtol=1e-8,
            atol=1e-8,
        )


def test_two_shared_times_do_not_identify_a_full_covariance() -> None:
    times = [np.array([0.0, 1.0])] * 60
    problem = _problem(times, SLOPE)
    assert null_space(problem) == (
        "var((Intercept)|id)",
        "cov((Intercept),t|id)",
        "var(t|id)",
        "var(Residual)",
    )
    with pytest.raises(NotIdentifiedError, match=r"var\(t\|id\)") as caught:
        fit(problem)
    assert "var(Residual)" in caught.value.parameters
    assert null_space(_problem(times, INDEPENDENT)) == ()
    assert fit(_problem(times, INDEPENDENT)).convergence.converged
    varying = [np.array([0.0, 1.0 + 0.02 * i]) for i in range(60)]
    assert null_space(_problem(varying, SLOPE)) == ()
    assert fit(_problem(varying, SLOPE)).convergence.converged


@pytest.mark.parametrize(
    ("m", "block", "residual", "culprits"),
    [
        (1, CONSTANT, "common", {"var((Intercept)|id)", "var(Residual)"}),
        (4, CONSTANT, "cs", {"var((Intercept)|id)", "var(Residual)", "rho(Residual)"}),
        (2, SLOPE, "by_occasion", {"var(t|id)", "var(Residual[0])", "var(Residual[1])"}),
    ],
)
def test_redundant_covariances_are_refused(
    m: int, block: RandomEffects, residual: str, culprits: set[str]
) -> None:
    times = [np.array([float(i % 3)]) for i in range(50)] if m == 1 else _shared(50, m)
    problem = _problem(times, block, residual=residual)
    assert culprits <= set(null_space(problem))
    with pytest.raises(NotIdentifiedError, match="cannot be told apart"):
        fit(problem)


def test_unstructured_residuals_leave_nothing_for_random_effects() -> None:
    problem = _problem(_shared(60, 4), CONSTANT, residual="unstructured")
    assert "var((Intercept)|id)" in null_space(problem)


def test_collinear_fixed_effects_are_named() -> None:
    problem = _problem(_shared(60, 4), CONSTANT)
    other = np.random.default_rng(0).standard_normal(240)
    fixed = np.column_stack([problem.fixed, other, 2 * problem.fixed[:, 1] - 1])
    worse = dataclasses.replace(
        problem, fixed=fixed, fixed_names=("(Intercept)", "t", "x", "again")
    )
    with pytest.raises(NotIdentifiedError, match="collinear are") as caught:
        fit(worse)
    assert caught.value.parameters == ("(Intercept)", "t", "again")


def test_a_rare_level_is_no_collinear_column() -> None:
    problem = _problem(_shared(3000, 4), CONSTANT)
    rare = np.zeros(12000)
    rare[4321] = 1.0
    more = dataclasses.replace(
        problem,
        fixed=np.column_stack([problem.fixed, rare]),
        fixed_names=("(Intercept)", "t", "rare"),
    )
    found = fit(more)
    assert found.convergence.converged
    assert np.isfinite(found.standard_errors).all()


def test_no_variance_between_persons_is_at_the_bound() -> None:
    rng = np.random.default_rng(5)
    problem = _problem(_shared(60, 5), CONSTANT)
    y = rng.standard_normal((60, 5))
    y -= 0.9 * y.mean(axis=1, keepdims=True)
    problem = dataclasses.replace(problem, outcome=y.ravel())
    found = fit(problem)
    assert found.boundary.parameters == ("var((Intercept)|id)",)
    assert found.value("var((Intercept)|id)") == pytest.approx(0.0, abs=1e-12)
    left = (
        problem.outcome
        - problem.fixed @ np.linalg.lstsq(problem.fixed, problem.outcome, rcond=None)[0]
    )
    variance = np.mean(left**2)
    assert found.value("var(Residual)") == pytest.approx(variance, rel=1e-10)
    expected = -150 * (np.log(2 * np.pi * variance) + 1)
    assert found.log_likelihood == pytest.approx(expected, rel=1e-12)
    at = found.names.index("var(Residual)")
    assert found.standard_errors[at] == pytest.approx(variance * np.sqrt(2 / 300), rel=1e-8)
    below = fit(problem, bounds="none")
    assert below.boundary.beyond
    assert below.value("var((Intercept)|id)") < 0
    assert below.log_likelihood > found.log_likelihood


def test_closed_form_of_a_balanced_random_intercept() -> None:
    problem = _problem(_shared(70, 4), CONSTANT, spread=(1.5, 0.0))
    y = problem.outcome.reshape(70, 4)
    t = np.arange(4.0)
    slope = (y - y.mean()).sum(axis=0) @ (t - 1.5) / (70 * np.sum((t - 1.5) ** 2))
    within = y - y.mean(axis=1, keepdims=True) - slope * (t - 1.5)
    residual = np.sum(within**2) / (70 * 3)
    between = np.mean((y.mean(axis=1) - y.mean()) ** 2)
    found = fit(problem)
    assert found.value("t") == pytest.approx(slope, rel=1e-10)
    assert found.value("var(Residual)") == pytest.approx(residual, rel=1e-10)
    assert found.value("var((Intercept)|id)") == pytest.approx(between - residual / 4, rel=1e-10)


def test_residual_matrix_is_labelled() -> None:
    problem = _problem(_shared(80, 4), CONSTANT, residual="ar1")
    found = fit(problem)
    matrix = residual_matrix(problem, found.estimates)
    assert list(matrix.index) == [0.0, 1.0, 2.0, 3.0]
    variance, rho = found.estimates[-2:]
    assert matrix.loc[0.0, 3.0] == pytest.approx(variance * rho**3, rel=1e-12)
    common = _problem(_shared(80, 4), CONSTANT)
    assert residual_matrix(common, fit(common).estimates).shape == (1, 1)


def test_bad_input_gets_one_clear_error() -> None:
    problem = _problem(_shared(20, 4), CONSTANT)
    with pytest.raises(SpecificationError, match="estimator='mle'"):
        fit(problem, estimator="mle")  # type: ignore[arg-type]
    with pytest.raises(SpecificationError, match="4 parameters"):
        fit(problem, start=np.ones(3))
    broken = problem.outcome.copy()
    broken[7] = np.nan
    with pytest.raises(DataError, match=r"outcome holds 1 values.*row 7"):
        fit(dataclasses.replace(problem, outcome=broken))
    with pytest.raises(DataError, match="different length"):
        fit(dataclasses.replace(problem, subject=problem.subject[:-1]))
    exact = problem.fixed @ [1.0, 2.0]
    with pytest.raises(ValueColumnError, match="explain the outcome exactly"):
        fit(dataclasses.replace(problem, outcome=exact))
    with pytest.raises(DataError, match="no level of it"):
        fit(
            dataclasses.replace(
                problem, residual=ResidualStructure.parse("by_group:sex"), strata=None
            )
        )


@pytest.mark.parametrize("estimator", ["ml", "reml"])
@pytest.mark.parametrize("times", [_shared, _missing, _own])
@pytest.mark.parametrize("width", [2, 3])
def test_bounded_search_converges_where_nothing_varies(
    width: int, times: Any, estimator: str
) -> None:
    for seed in range(4):
        problem = _problem(times(60, 6), SLOPE, seed=seed, spread=(0.5 * (seed % 2), 0.0))
        random = np.column_stack([problem.random, problem.random[:, 1] ** 2])[:, :width]
        block = RandomEffects(("(Intercept)", "t", "t2")[:width], tuple(range(width)))
        problem = dataclasses.replace(problem, random=random, blocks=(block,))
        found = fit(problem, estimator=estimator)
        assert found.convergence.converged
        assert np.isfinite(found.standard_errors[:2]).all()
        start = [0.5, 0.5, *(float(a == b) for a, b in problem.covariance_entries), 1.0]
        again = fit(problem, estimator=estimator, start=np.array(start))
        assert again.log_likelihood == pytest.approx(found.log_likelihood, abs=1e-7)
