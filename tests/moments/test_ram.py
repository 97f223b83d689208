"""RAM moments and their derivatives; ranks and null spaces."""

import numpy as np
import pytest

from growthmm.errors import SpecificationError
from growthmm.moments import (
    ParameterEntries,
    mixed_columns,
    mixed_moments,
    null_space,
    ram_derivatives,
    ram_moments,
    rank,
    reduced_form,
)

# y0 y1 y2 | factor i, s | covariate x: variables 0-2, 3-4, 5
TIMES = np.array([0.0, 1.0, 2.0])
ENTRIES = ParameterEntries(
    8,
    directed=[(0, 2, 4), (1, 3, 5), (2, 4, 3), (7, 1, 5), (7, 2, 5)],
    symmetric=[(3, 3, 3), (4, 3, 4), (5, 0, 0), (5, 1, 1), (5, 2, 2)],
    means=[(6, 3), (0, 4)],
)
POINT = np.array([1.7, 0.4, 0.3, 1.1, 0.2, 0.6, 2.0, -0.5])


def matrices(point):
    A, S, m = np.zeros((6, 6)), np.zeros((6, 6)), np.zeros(6)
    A[:3, 3], A[1, 4], S[4, 4] = 1.0, 1.0, 0.9
    for a, i, j in ENTRIES.directed:
        A[i, j] = point[a]
    for a, i, j in ENTRIES.symmetric:
        S[i, j] = S[j, i] = point[a]
    for a, i in ENTRIES.means:
        m[i] = point[a]
    return A, S, m


def form(point):
    return reduced_form(*matrices(point), [0, 1, 2], [5])


def first(point):
    return ram_derivatives(*matrices(point), [0, 1, 2], ENTRIES, exogenous=[5])


def test_growth_model_has_the_mixed_models_moments():
    A, S, m = np.zeros((5, 5)), np.zeros((5, 5)), np.zeros(5)
    A[:3, 3], A[:3, 4] = 1.0, TIMES
    S[:3, :3] = 0.5 * np.eye(3)
    G = np.array([[1.0, 0.2], [0.2, 0.3]])
    S[3:, 3:] = G
    m[3:] = [2.0, -0.4]
    design = np.column_stack([np.ones(3), TIMES])
    mean, cov = mixed_moments(design, m[3:], design, G, 0.5 * np.eye(3))
    got_mean, got_cov = ram_moments(A, S, m, [0, 1, 2])
    np.testing.assert_allclose(got_mean, mean, rtol=1e-14)
    np.testing.assert_allclose(got_cov, cov, rtol=1e-14)


def test_reduced_form_is_the_conditional_of_the_joint():
    A, S, m = matrices(POINT)
    S[5, 5], m[5] = 1.3, 0.7
    mean, cov = ram_moments(A, S, m, [0, 1, 2, 5])
    slopes = cov[:3, 3] / cov[3, 3]
    given = form(POINT)
    np.testing.assert_allclose(given.slopes[:, 0], slopes, rtol=1e-12)
    np.testing.assert_allclose(given.intercept, mean[:3] - slopes * mean[3], rtol=1e-12)
    expected = cov[:3, :3] - np.outer(slopes, slopes) * cov[3, 3]
    np.testing.assert_allclose(given.covariance, expected, rtol=1e-12)


@pytest.mark.parametrize("part", ["intercept", "slopes", "covariance"])
def test_derivatives_are_central_differences(part):
    exact, step = first(POINT), 1e-5
    for a, e in enumerate(np.eye(8)):
        up, down = POINT + step * e, POINT - step * e
        slope = (getattr(form(up), part) - getattr(form(down), part)) / (2 * step)
        np.testing.assert_allclose(getattr(exact, part)[a], slope, atol=2e-8)
        bend = (getattr(first(up), part) - getattr(first(down), part)) / (2 * step)
        np.testing.assert_allclose(getattr(exact, f"second_{part}")[a], bend, atol=2e-8)


def test_what_cannot_be_is_refused():
    A, S, m = matrices(POINT)
    S[5, 5] = 1.0
    with pytest.raises(SpecificationError, match="exogenous"):
        reduced_form(A, S, m, [0, 1, 2], [5])
    loop = np.array([[0.0, 1.0], [1.0, 0.0]])
    with pytest.raises(SpecificationError, match="loop"):
        ram_moments(loop, np.eye(2), np.zeros(2), [0])
    with pytest.raises(SpecificationError, match="do not fit together"):
        mixed_moments(np.ones((3, 1)), np.zeros(2), np.ones((3, 1)), np.eye(1), np.eye(3))


def test_rank_ignores_units_and_finds_redundancy():
    rng = np.random.default_rng(2)
    jacobian = rng.normal(size=(9, 4)) * 10.0 ** np.array([-12, 0, 6, 12])
    assert rank(jacobian) == 4
    assert null_space(jacobian).shape == (4, 0)
    redundant = np.column_stack([jacobian, jacobian[:, 0] * 3e9 - jacobian[:, 2] * 1e-9])
    assert rank(redundant) == 4
    direction = null_space(redundant)
    assert np.abs(redundant @ direction).max() < 1e-6 * np.abs(direction).max()
    assert mixed_columns(redundant) == (0, 2, 4)


def test_rank_of_late_calendar_years_is_full():
    years = np.arange(2008.0, 2014.0)
    columns = [np.ones(6), years, years**2]
    assert rank(np.column_stack(columns)) == 3
    assert rank(np.column_stack([*columns, years + 2 * years**2])) == 3


def test_rank_of_wide_empty_and_bad_matrices():
    assert rank(np.ones((1, 3))) == 1
    assert null_space(np.ones((1, 3))).shape == (3, 2)
    assert rank(np.zeros((3, 2))) == 0
    assert rank(np.empty((3, 0))) == 0
    with pytest.raises(SpecificationError, match="finite"):
        rank(np.array([[np.nan]]))
