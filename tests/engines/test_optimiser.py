"""The trust-region Newton search: maxima of known functions, from good and bad starts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from growthmm.engines.optimiser import maximise


def rosenbrock(point):
    x, y = point
    value = -(100.0 * (y - x**2) ** 2 + (1.0 - x) ** 2)
    gradient = np.array([400.0 * x * (y - x**2) + 2.0 * (1.0 - x), -200.0 * (y - x**2)])
    hessian = np.array([[400.0 * (y - 3.0 * x**2) - 2.0, 400.0 * x], [400.0 * x, -200.0]])
    return value, gradient, hessian


def two_hills(point):
    """Highest at x = 1 and -1, with a valley where its slope is zero at x = 0."""
    (x,) = point
    slope, bend = np.array([x - x**3]), np.array([[1.0 - 3.0 * x**2]])
    return 0.5 * x**2 - 0.25 * x**4, slope, bend


def logarithmic(point):
    """Without a value where x <= 0; highest at 1."""
    (x,) = point
    if x <= 0:
        return -np.inf, np.zeros(1), np.zeros((1, 1))
    return np.log(x) - x, np.array([1.0 / x - 1.0]), np.array([[-1.0 / x**2]])


@given(st.tuples(st.floats(-3, 3), st.floats(-3, 3)))
def test_a_curved_ridge(start):
    found = maximise(rosenbrock, np.array(start))
    assert found.converged
    assert found.decrement < 1e-10
    np.testing.assert_allclose(found.point, 1.0, atol=1e-6)


@pytest.mark.parametrize("start", [0.0, 1e-300, -1e-12, 0.4, 30.0])
def test_a_valley_without_slope_is_left(start):
    found = maximise(two_hills, np.array([start]))
    assert found.converged
    assert abs(abs(found.point[0]) - 1.0) < 1e-8


@given(st.floats(1e-6, 1e6))
def test_steps_over_the_edge_are_taken_back(start):
    found = maximise(logarithmic, np.array([start]))
    assert found.converged
    assert abs(found.point[0] - 1.0) < 1e-5


def test_no_maximum_is_not_converged():
    def rising(point):
        return float(point[0]), np.ones(1), np.zeros((1, 1))

    assert not maximise(rising, np.zeros(1), max_iterations=20).converged


def test_a_start_without_a_value_is_refused():
    with pytest.raises(ValueError, match="not finite at the start"):
        maximise(logarithmic, np.array([-1.0]))
