"""Parameters that constraints give outright: exact at the optimum, whatever the chain."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from growthmm.engines import wide
from growthmm.engines.outcome import EngineFit
from growthmm.engines.wide.constraints import relations
from growthmm.engines.wide.problem import WideMoments, WideProblem
from growthmm.engines.wide.substitution import settled, substitution
from growthmm.model.sem import Constraint, Defined, Path, SemModel

NAMES = ("a", "b", "c", "d")


def _model(*constraints: Constraint, defined: tuple[Defined, ...] = ()) -> SemModel:
    rows = [Path(y, "~1", free=False, value=0.0) for y in NAMES]
    rows += [Path(y, "~~", y, label="v") for y in NAMES]
    rows += [
        Path(NAMES[j], "~~", NAMES[k], label=f"c{k - j}") for j in range(4) for k in range(j + 1, 4)
    ]
    return SemModel(tuple(rows), (), NAMES, constraints=constraints, defined=defined)


def _problem(model: SemModel) -> WideProblem:
    lag = np.abs(np.subtract.outer(np.arange(4), np.arange(4)))
    cov = 2.0 * 0.6**lag + 0.1 * np.array([[0, 1, 0, 0], [1, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 0]])
    return WideProblem(model, (WideMoments(np.zeros(4), cov, 100),))


PLAIN = (Constraint("c2", "==", "c1^2/v"), Constraint("c3", "==", "c1^3/v^2"))
CHAIN = (Constraint("c1*c2/v", "==", "c3"), Constraint("c2", "==", "c1*c1/v"))
RATIO = (Constraint("c2", "==", "v*r^2"), Constraint("c3", "==", "v*r^3"))


def _fits() -> list[EngineFit]:
    models = [_model(*PLAIN), _model(*CHAIN), _model(*RATIO, defined=(Defined("r", "c1/v"),))]
    return [wide.fit(_problem(model)) for model in models]


def test_the_same_constraints_written_otherwise_give_the_same_maximum() -> None:
    fits = _fits()
    assert all(fit.convergence.converged for fit in fits)
    for fit in fits[1:]:
        np.testing.assert_allclose(fit.estimates, fits[0].estimates, rtol=1e-9)
        np.testing.assert_allclose(fit.covariance, fits[0].covariance, rtol=1e-7)


def test_constraints_hold_to_rounding_and_the_score_along_them_is_zero() -> None:
    model = _model(*PLAIN)
    fit = wide.fit(_problem(model))
    for relation in relations(model, fit.estimates):
        assert abs(relation.jet.value) < 1e-14
    assert wide.distance(_problem(model), fit.estimates) < 1e-8


def test_derivatives_of_the_substitution_are_exact() -> None:
    model = _model(*CHAIN)
    start = np.array([2.0, 1.2, 0.7, 0.5])
    given = substitution(lambda x: relations(model, x), start)
    assert given is not None
    z = start[given.kept]
    first, second = given.derivatives(given.point(z))  # type: ignore[arg-type]
    for k in range(len(z)):
        step = 1e-5 * np.eye(len(z))[k]
        above, below = given.point(z + step), given.point(z - step)
        assert above is not None
        assert below is not None
        np.testing.assert_allclose(first[:, k], (above - below) / 2e-5, atol=1e-8)
        turn = (given.derivatives(above)[0] - given.derivatives(below)[0]) / 2e-5
        np.testing.assert_allclose(second[:, :, k], turn, atol=1e-8)


def test_a_circle_of_constraints_is_left_to_the_general_search() -> None:
    circle = (Constraint("c2", "==", "c3*c1/v"), Constraint("c3", "==", "c2*c1/v"))
    model = _model(*circle)
    assert substitution(lambda x: relations(model, x), np.array([2.0, 1.0, 0.5, 0.4])) is None


def test_values_are_put_in_or_said_to_be_none() -> None:
    model = _model(Constraint("c3", "==", "c2^2/c1"))

    def at(x: np.ndarray) -> list:
        return relations(model, x)

    put_in = settled(at, np.array([2.0, 1.0, 0.5, 9.0]))
    assert put_in is not None
    np.testing.assert_allclose(put_in, [2.0, 1.0, 0.5, 0.25])
    assert settled(at, np.array([2.0, 0.0, 0.5, 9.0])) is None


def test_a_root_of_a_negative_number_is_no_start() -> None:
    model = _model(Constraint("c3", "==", "c1^1.5/v^0.5"))
    point = np.array([2.0, -1.0, 0.5, 0.25])
    assert settled(lambda x: relations(model, x), point) is None
    fit = wide.fit(_problem(model))
    assert fit.convergence.converged
    value = dict(zip(fit.names, fit.estimates, strict=True))
    assert value["c3"] == pytest.approx(value["c1"] ** 1.5 / value["v"] ** 0.5, rel=1e-12)


def test_variances_of_residuals_that_covary_are_bounded_too() -> None:
    lag = np.abs(np.subtract.outer(np.arange(4), np.arange(4)))
    cov = np.where(lag == 0, 2.0, 1.0)
    cov[3, 3] = 0.9
    rows = [Path("f", "=~", y, free=False, value=1.0) for y in NAMES]
    rows += [Path("f", "~~", "f"), Path("f", "~1", free=False, value=0.0)]
    rows += [Path(y, "~1", free=False, value=0.0) for y in NAMES]
    rows += [Path(y, "~~", y) for y in NAMES]
    rows += [Path(first, "~~", second) for first, second in itertools.pairwise(NAMES)]
    problem = WideProblem(
        SemModel(tuple(rows), ("f",), NAMES), (WideMoments(np.zeros(4), cov, 100),)
    )
    free, bounded = wide.fit(problem), wide.fit(problem, bounds="psd")
    assert min(free.value(f"{y}~~{y}") for y in NAMES) < 0
    assert min(bounded.value(f"{y}~~{y}") for y in NAMES) >= 0
    assert bounded.log_likelihood < free.log_likelihood - 0.01


def test_equal_models_in_another_order_have_constraints_of_their_own() -> None:
    """What a constraint solves for is told by position, which the order of rows decides."""
    rows = [
        Path("y", "~1"),
        Path("y", "~~", "y", label="a"),
        Path("x", "~1"),
        Path("x", "~~", "x", label="b"),
    ]
    tie = (Constraint("b", "==", "2*a"),)
    data = np.random.default_rng(3).normal(size=(50, 2))
    ends = []
    for order in (rows, rows[::-1]):
        model = SemModel(tuple(order), (), ("y", "x"), constraints=tie)
        fit = wide.fit(
            WideProblem(model, (WideMoments(data.mean(axis=0), np.cov(data.T, bias=True), 50),))
        )
        ends.append({name: fit.value(name) for name in ("a", "b")})
        assert fit.value("b") == pytest.approx(2 * fit.value("a"), rel=1e-12)
    assert ends[0] == pytest.approx(ends[1], rel=1e-9)
