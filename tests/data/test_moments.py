"""Moments that stand in for data."""

from __future__ import annotations

import numpy as np
import pandas
import pytest
from hypothesis import given
from hypothesis import strategies as st

from growthmm.data.moments import Moments
from growthmm.errors import ColumnNotFoundError, DataError, ValueColumnError


def sample(width, seed, n=60):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, width)) @ rng.normal(size=(width, width)) + rng.normal(size=width)


def assert_exact(drawn, moments):
    """Means within 1e-12 standard deviations, covariances within 1e-12 of sd times sd."""
    values = drawn.to_numpy()
    sd = np.sqrt(np.diag(moments.cov))
    sd[sd == 0] = 1.0
    np.testing.assert_allclose((values.mean(axis=0) - moments.mean) / sd, 0, atol=1e-12)
    centred = values - values.mean(axis=0)
    cov = centred.T @ centred / (moments.n - moments.ddof)
    np.testing.assert_allclose((cov - moments.cov) / np.outer(sd, sd), 0, atol=1e-12)


@given(st.integers(1, 12), st.integers(0, 1), st.integers(0, 2**32 - 1))
def test_drawn_data_have_exactly_these_moments(width, ddof, seed):
    values = sample(width, seed)
    cov = np.atleast_2d(np.cov(values.T, ddof=ddof))
    moments = Moments(values.mean(axis=0), cov, 50, ddof=ddof)
    drawn = moments.draw(seed=seed)
    assert drawn.shape == (50, width)
    assert_exact(drawn, moments)


def test_draws_repeat_and_differ_by_seed():
    moments = Moments([1.0, 2.0], np.eye(2), 10)
    pandas.testing.assert_frame_equal(moments.draw(), moments.draw(0))
    assert (moments.draw(1) != moments.draw(0)).all(axis=None)


def test_singular_and_constant_variables():
    loadings = np.array([[1.0, 0], [1, 1], [1, 2], [0, 0]])
    moments = Moments([0, 1, 2, 3], loadings @ loadings.T, 3, names=list("abcd"))
    assert_exact(moments.draw(), moments)
    assert (moments.draw().iloc[:, 3] == 3).all()
    with pytest.raises(DataError, match="2 persons cannot have a covariance matrix of rank 2"):
        Moments([0, 1, 2, 3], loadings @ loadings.T, 2).draw()


def test_variables_of_very_different_scale():
    moments = Moments([1e3, 1e-3], [[1e6, 0.5], [0.5, 1e-6]], 100)
    assert_exact(moments.draw(), moments)


def test_divisors():
    moments = Moments([0.0], [[2.0]], 10, ddof=1)
    assert moments.ml_cov[0, 0] == pytest.approx(1.8, rel=1e-15)
    assert Moments([0.0], [[2.0]], 10).ml_cov[0, 0] == 2.0


def test_moments_of_data():
    frame = pandas.DataFrame(sample(3, 1), columns=["a", "b", "c"]).assign(sex="f")
    found = Moments.of(frame, ["c", "a"])
    assert found.names == ("c", "a")
    assert found.n == 60
    np.testing.assert_allclose(found.mean, frame[["c", "a"]].mean(), rtol=1e-14)
    np.testing.assert_allclose(found.cov, frame[["c", "a"]].cov(ddof=0), rtol=1e-12)
    chosen = found.select(["a"])
    assert chosen.cov.tolist() == [[found.cov[1, 1]]]
    with pytest.raises(ColumnNotFoundError, match="no variable 'A'"):
        found.select(["A"])
    with pytest.raises(ValueColumnError, match="must hold numbers"):
        Moments.of(frame)
    with pytest.raises(DataError, match="'b' has 1 missing values"):
        Moments.of(frame.assign(b=frame["b"].where(frame.index != 4)), ["a", "b"])


def test_names_come_from_labels():
    cov = pandas.DataFrame([[2.0, 1], [1, 3]], index=["a", "b"], columns=["a", "b"])
    assert Moments([0, 0], cov, 9).names == ("a", "b")
    assert Moments(pandas.Series([0, 0], ["a", "b"]), cov, 9).names == ("a", "b")
    assert Moments([0, 0], cov.to_numpy(), 9).names == ("x1", "x2")
    with pytest.raises(DataError, match="do not agree: b, a against a, b"):
        Moments(pandas.Series([0, 0], ["b", "a"]), cov, 9)


def test_a_lower_triangle_is_enough():
    found = Moments([0, 0, 0], [[4], [2, 5], [1, 2, 6]], 9)
    assert found.cov.tolist() == [[4, 2, 1], [2, 5, 2], [1, 2, 6]]


def test_values_are_frozen():
    moments = Moments([0.0], [[1.0]], 5)
    with pytest.raises(ValueError, match="read-only"):
        moments.cov[0, 0] = 2
    with pytest.raises(AttributeError):
        moments.n = 3
    assert repr(moments) == "<Moments of 5 persons: 1 variable, x1>"


@pytest.mark.parametrize(
    ("mean", "cov", "n", "options", "message"),
    [
        ([0, 0], np.eye(3), 9, {}, r"shape \(2,\) and a covariance matrix of shape \(3, 3\)"),
        ([[0]], np.eye(1), 9, {}, r"shape \(1, 1\)"),
        ([], np.zeros((0, 0)), 9, {}, "do not belong together"),
        ([0, np.nan], np.eye(2), 9, {}, "mean has values that are not finite"),
        ([0, 0], [[1, np.inf], [np.inf, 1]], 9, {}, "covariance matrix has values that are not"),
        ([0, "x"], np.eye(2), 9, {}, "mean cannot be read as numbers"),
        ([0, 0], [[1, 0.5], [0.4, 1]], 9, {}, "not symmetric: 0.5 for 'x1' and 'x2', 0.4"),
        ([0, 0], [[1, 1.1], [1.1, 1]], 9, {}, "smallest eigenvalue is -0.1"),
        ([0, 0], [[1, 0], [0, -2]], 9, {}, r"variance of 'x2' is -2\.0"),
        ([0, 0], np.eye(2), 0, {}, "number of persons is 0"),
        ([0, 0], np.eye(2), 9.5, {}, r"number of persons is 9\.5"),
        ([0, 0], np.eye(2), 1, {"ddof": 1}, "divisor 0"),
        ([0, 0], np.eye(2), 9, {"names": ["a"]}, "1 names for 2 variables"),
        ([0, 0], np.eye(2), 9, {"names": ["a", "a"]}, "'a' is named twice"),
        ([0, 0], np.eye(2), 9, {"names": "ab"}, "is the text 'ab'"),
    ],
)
def test_figures_that_are_no_moments(mean, cov, n, options, message):
    with pytest.raises(DataError, match=message) as caught:
        Moments(mean, cov, n, **options)
    assert caught.value.hint


def test_singular_moments_pass_despite_rounding():
    values = np.outer([1.0, 3.0, 0.1], [1.0, 3.0, 0.1])
    assert Moments([0, 0, 0], values, 9).n == 9
