"""The likelihood of a curved problem, with exact first and second derivatives.

With ``r = y - X(l) b`` and ``V = Z(l) G Z(l)' + R`` the derivatives of the Gaussian
log-likelihood in any parameters of mean and covariance are sums of products of the whitened
residuals, mean slopes and covariance slopes (Magnus & Neudecker 2019, Matrix Differential
Calculus, chapter 15; Jennrich & Schluchter 1986, doi:10.2307/2530695).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from growthmm.engines.long.curved.statistics import Group, Statistics
from growthmm.engines.long.loadings import Curves, Loadings
from growthmm.engines.long.problem import LongProblem
from growthmm.engines.long.scaling import entry_bases

__all__ = ["CurvedSurface", "Split", "curved_surface", "split"]

FloatArray = NDArray[np.float64]

LOG_2PI = float(np.log(2.0 * np.pi))

CHUNK_VALUES = 400_000


@dataclass(frozen=True)
class CurvedSurface:
    """The likelihood at one point.

    Parameters
    ----------
    value : float
        Log-likelihood with all constants.
    gradient : (n_parameters,) ndarray
        In fixed effects, loading parameters, random-effects and residual covariance parameters.
    hessian : (n_parameters, n_parameters) ndarray
        Second derivatives.
    expected : (n_parameters, n_parameters) ndarray
        Expected information.
    """

    value: float
    gradient: FloatArray
    hessian: FloatArray
    expected: FloatArray


@dataclass(frozen=True)
class Split:
    """Parameters by what they are: a point cut into its parts."""

    fixed: FloatArray
    loadings: FloatArray
    covariance: FloatArray
    residual: FloatArray


def split(problem: LongProblem, values: FloatArray) -> Split:
    """Cut parameter values into fixed effects, loadings, covariances and residual parameters."""
    assert problem.loadings is not None
    p, n_loadings = problem.fixed.shape[1], len(problem.loadings.names)
    k = len(problem.block_entries)
    edges = (p, p + n_loadings, p + n_loadings + k)
    return Split(*np.split(np.asarray(values, dtype=float), edges))


@dataclass(frozen=True)
class _Design:
    """Multipliers of columns by their curves, with derivatives, for one group's rows.

    ``value`` is (n_patterns, n_times, n_columns); derivatives have the parameters in front.
    """

    value: FloatArray
    first: FloatArray
    second: FloatArray


def _design(curves: Curves, which: tuple[int, ...], point: NDArray[np.intp]) -> _Design:
    n = curves.first.shape[1]
    shape = (*point.shape, len(which))
    value = np.ones(shape)
    first, second = np.zeros((n, *shape)), np.zeros((n, n, *shape))
    for column, place in enumerate(which):
        if place >= 0:
            value[..., column] = curves.value[place][point]
            first[..., column] = curves.first[place][:, point]
            second[..., column] = curves.second[place][:, :, point]
    return _Design(value, first, second)


def curved_surface(
    problem: LongProblem, statistics: Statistics, values: FloatArray
) -> CurvedSurface | None:
    """Evaluate the likelihood; None where it has no value.

    Parameters
    ----------
    problem : LongProblem
        With loadings.
    statistics : Statistics
        Its data.
    values : (n_parameters,) ndarray
        Fixed effects, loading parameters, entries of the random-effects covariance matrix,
        residual parameters.
    """
    at = split(problem, values)
    curves = statistics.loadings.evaluate(at.loadings)
    if not (np.isfinite(curves.value).all() and np.isfinite(curves.second).all()):
        return None
    bases = entry_bases(problem.block_entries, problem.random.shape[1])
    n = len(values)
    value, gradient = -0.5 * statistics.n_rows * LOG_2PI, np.zeros(n)
    hessian, expected = np.zeros((n, n)), np.zeros((n, n))
    for group in _pieces(statistics, n):
        piece = _Piece.make(group, statistics, at, bases, curves)
        if piece is None:
            return None
        value += piece.add(gradient, hessian, expected)
    return CurvedSurface(value, gradient, hessian, expected)


def _pieces(statistics: Statistics, n_parameters: int) -> Iterator[Group]:
    """Groups, in pieces that stay in cache."""
    for group in statistics.groups:
        patterns, size, vectors, columns = group.data.shape
        own = size * (n_parameters * (size + vectors) + vectors * columns)
        step = max(1, CHUNK_VALUES // max(own, 1))
        for low in range(0, patterns, step):
            yield group.part(slice(low, low + step))


@dataclass(frozen=True)
class _Piece:
    """Patterns seen through the Cholesky factors of their covariance matrices.

    Parameters
    ----------
    counts : (n_patterns,) ndarray
    log_det : (n_patterns,) ndarray
    left : (n_patterns, n_times, n_vectors) ndarray
        Whitened residuals.
    means : (n_mean, n_patterns, n_times, n_vectors) ndarray
        Whitened slopes of the mean in fixed effects and loading parameters.
    bends : list of (a, b, ndarray)
        Whitened second derivatives of the mean, a <= b.
    slopes : (n_parameters - n_fixed, n_patterns, n_times, n_times) ndarray
        Whitened slopes of the covariance in all parameters but fixed effects.
    curves : list of (a, b, ndarray)
        Whitened second derivatives of the covariance, a <= b.
    """

    counts: FloatArray
    log_det: FloatArray
    left: FloatArray
    means: FloatArray
    bends: list[tuple[int, int, FloatArray]]
    slopes: FloatArray
    curves: list[tuple[int, int, FloatArray]]

    @classmethod
    def make(
        cls, group: Group, statistics: Statistics, at: Split, bases: FloatArray, curves: Curves
    ) -> _Piece | None:
        """Whiten a group; None where a covariance matrix is not positive definite."""
        own = statistics.structure.evaluate(at.residual, group.pattern)
        if own is None:
            return None
        loadings = statistics.loadings
        own_curves = _design(curves, loadings.random, group.point)
        design = group.design * own_curves.value
        first, second = group.design * own_curves.first, group.design * own_curves.second
        covariance = np.tensordot(at.covariance, bases, axes=1)
        try:
            lower = np.linalg.cholesky(_between(design, covariance, design) + own.matrix)
        except np.linalg.LinAlgError:
            return None
        inverse = np.linalg.inv(lower)
        z = inverse @ design, inverse @ first, inverse @ second
        slopes, bent = _covariance_slopes(z, covariance, bases)
        shift = len(slopes)
        back = inverse.transpose(0, 2, 1)
        slopes = np.concatenate([slopes, inverse @ own.first @ back])
        bent += [(a + shift, b + shift, inverse @ m @ back) for (a, b), m in own.second]
        left, means, bends = _mean_slopes(group, loadings, curves, at.fixed, inverse)
        log_det = 2.0 * np.sum(np.log(np.einsum("gii->gi", lower)), axis=1)
        return cls(group.counts, log_det, left, means, bends, slopes, bent)

    def add(self, gradient: FloatArray, hessian: FloatArray, expected: FloatArray) -> float:
        """Add this piece's derivatives in place; its log-likelihood without constants."""
        n_mean, n_cov = len(self.means), len(self.slopes)
        p = len(gradient) - n_cov
        mean, cov = slice(0, n_mean), slice(p, None)
        flat = self.means.reshape(n_mean, -1)
        left = self.left.ravel()
        turned = (self.slopes @ self.left).reshape(n_cov, -1)
        gradient[mean] += flat @ left
        gradient[cov] += 0.5 * turned @ left
        gradient[cov] -= 0.5 * np.einsum("agii,g->a", self.slopes, self.counts)
        squares = flat @ flat.T
        rooted = (self.slopes * np.sqrt(self.counts)[:, None, None]).reshape(n_cov, -1)
        traces = rooted @ rooted.T
        expected[mean, mean] += squares
        expected[cov, cov] += 0.5 * traces
        hessian[mean, mean] -= squares
        hessian[cov, cov] += 0.5 * traces - turned @ turned.T
        cross = flat @ turned.T
        hessian[mean, cov] -= cross
        hessian[cov, mean] -= cross.T
        for a, b, bend in self.bends:
            _put(hessian, a, b, float(np.sum(bend * self.left)))
        for a, b, matrix in self.curves:
            amount = float(np.sum(self.left * (matrix @ self.left)))
            amount -= float(np.einsum("gii,g->", matrix, self.counts))
            _put(hessian, p + a, p + b, 0.5 * amount)
        return -0.5 * float(self.counts @ self.log_det + left @ left)


def _put(matrix: FloatArray, a: int, b: int, amount: float) -> None:
    matrix[a, b] += amount
    if a != b:
        matrix[b, a] += amount


def _between(left: FloatArray, middle: FloatArray, right: FloatArray) -> FloatArray:
    return np.asarray(left @ middle @ right.transpose(0, 2, 1), dtype=float)


def _covariance_slopes(
    design: tuple[FloatArray, FloatArray, FloatArray], covariance: FloatArray, bases: FloatArray
) -> tuple[FloatArray, list[tuple[int, int, FloatArray]]]:
    """Slopes of ``Z G Z'`` in loading parameters and entries of `G`, and the slopes' slopes.

    `design` holds the whitened `Z` and its first and second derivatives.
    """
    z, dz, ddz = design
    n, k = len(dz), len(bases)
    slopes = np.empty((n + k, len(z), z.shape[1], z.shape[1]))
    bent: list[tuple[int, int, FloatArray]] = []
    for a in range(n):
        half = _between(dz[a], covariance, z)
        slopes[a] = half + half.transpose(0, 2, 1)
        for b in range(a, n):
            half = _between(ddz[a, b], covariance, z) + _between(dz[a], covariance, dz[b])
            bent.append((a, b, half + half.transpose(0, 2, 1)))
        for e in range(k):
            half = _between(dz[a], bases[e], z)
            bent.append((a, n + e, half + half.transpose(0, 2, 1)))
    for e in range(k):
        slopes[n + e] = _between(z, bases[e], z)
    return slopes, bent


def _mean_slopes(
    group: Group, loadings: Loadings, curves: Curves, fixed: FloatArray, inverse: FloatArray
) -> tuple[FloatArray, FloatArray, list[tuple[int, int, FloatArray]]]:
    """Whitened residuals, and whitened first and second derivatives of the mean."""
    x = _design(curves, loadings.fixed, group.point)
    p = len(fixed)
    columns = group.data[..., :p]
    full = columns * x.value[:, :, None, :]
    left = inverse @ (group.data[..., p] - full @ fixed)
    n = len(x.first)
    means = np.empty((p + n, *left.shape))
    bends: list[tuple[int, int, FloatArray]] = []
    for j in range(p):
        means[j] = inverse @ full[..., j]
    for a in range(n):
        slope = columns * x.first[a][:, :, None, :]
        means[p + a] = inverse @ (slope @ fixed)
        for j in range(p):
            if loadings.fixed[j] >= 0:
                bends.append((j, p + a, inverse @ slope[..., j]))
        for b in range(a, n):
            bend = columns * x.second[a, b][:, :, None, :]
            bends.append((p + a, p + b, inverse @ (bend @ fixed)))
    return left, means, bends
