"""The Gaussian likelihood of persons within clusters, with exact derivatives.

Person i of cluster c has ``y_i = M w_i + b_c + e_i`` on the outcomes observed, with
``b_c ~ N(0, B)`` and ``e_i ~ N(0, W)``. With P the inverse of W on a pattern (zero elsewhere),
``A_c = sum_i P_i``, ``g_c = sum_i P_i r_i`` and ``H_c = B (I + A_c B)^-1``::

    log|V_c|     = sum_i log|W_i| + log|I + B A_c|
    r' V_c^-1 r  = sum_i r_i' P_i r_i - g_c' H_c g_c

(Muthén 1994, doi:10.1177/0049124194022003006; Rosseel 2021, doi:10.1007/s11336-021-09777-y).
With ``u = V^-1 r`` and V_a, m_a the derivatives of a cluster's moments, the first derivatives are
``u'V_a u / 2 - tr(V^-1 V_a) / 2 + m_a'u`` and the second, apart from the moments' own curvature,
``tr(V^-1 V_a V^-1 V_b) / 2 - u'V_a V^-1 V_b u - m_a'V^-1 V_b u - m_b'V^-1 V_a u - m_a'V^-1 m_b``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from growthmm.engines.wide import ram as r
from growthmm.engines.wide.levels.statistics import Levels
from growthmm.engines.wide.patterns import invert_patterns

__all__ = ["evaluate_levels", "level_jacobian"]

FloatArray = NDArray[np.float64]

LOG_2PI = float(np.log(2.0 * np.pi))


@dataclass(frozen=True)
class _Point:
    """Everything that no derivative is needed for.

    Parameters
    ----------
    implied : tuple of Implied
        Moments of the two levels.
    inverse : (n_patterns, T, T) ndarray
        ``P``.
    spread : (n_clusters, T, T) ndarray
        ``H``.
    weight : (n_clusters, T, T) ndarray
        ``A``.
    between : (n_clusters, T) ndarray
        Predicted ``b = H g``.
    left : (n_clusters, T) ndarray
        Sums of u over persons.
    cell_left : (n_cells, T) ndarray
        Sums of u over a cell.
    squares : (n_patterns, T, T) ndarray
        Sums of ``u u'``.
    crossed : (n_patterns, T, 1 + q) ndarray
        Sums of ``u w'``.
    value : float
        The log-likelihood.
    """

    implied: tuple[r.Implied, r.Implied]
    inverse: FloatArray
    spread: FloatArray
    weight: FloatArray
    between: FloatArray
    left: FloatArray
    cell_left: FloatArray
    squares: FloatArray
    crossed: FloatArray
    value: float


def evaluate_levels(
    rams: tuple[r.Ram, r.Ram],
    data: Levels,
    values: FloatArray,
    order: int,
    turn: FloatArray | None,
) -> tuple[float, FloatArray, FloatArray, FloatArray]:
    """Value, score, Hessian and expected information.

    Parameters
    ----------
    rams : tuple of Ram
        Matrices of persons and of clusters.
    data : Levels
        The statistics.
    values : (n_parameters,) ndarray
        Parameter values.
    order : {0, 1, 2}
        Highest derivative wanted.
    turn : (n_parameters, n_parameters) ndarray, optional
        Directions along which to differentiate.

    Returns
    -------
    tuple
        The value is minus infinity where a covariance matrix is not positive definite.
    """
    size = rams[0].n_parameters
    score, hessian, expected = np.zeros(size), np.zeros((size, size)), np.zeros((size, size))
    point = _point(rams, data, values)
    if point is None:
        hole = np.full((size, size), np.nan)
        return -np.inf, score, hole, hole
    if order == 0:
        return point.value, score, hessian, expected
    slopes = _slopes(rams, data, point.implied)
    inner, outer, back = _weights(data, point)
    score += 0.5 * np.einsum("ab,kab->k", inner, slopes.within)
    score += 0.5 * np.einsum("ab,kab->k", outer, slopes.between)
    score += np.einsum("aw,kaw->k", back, slopes.mean)
    if order > 1:
        hessian, expected = _second(data, point, slopes)
        own = (back @ data.transform.T)[None]
        for ram, at, q in zip(rams, point.implied, (inner, outer), strict=True):
            hessian += r.curvature(ram, at, q[None], own)
    if turn is not None:
        score, hessian, expected = turn.T @ score, turn.T @ hessian @ turn, turn.T @ expected @ turn
    return point.value, score, hessian, expected


def _point(rams: tuple[r.Ram, r.Ram], data: Levels, values: FloatArray) -> _Point | None:
    t = rams[0].n_outcomes
    inner, outer = r.implied(rams[0], values), r.implied(rams[1], values)
    if inner is None or outer is None:
        return None
    found = invert_patterns(inner.sigma[:, :t, :t], data.observed)
    if found is None:
        return None
    inverse, log_det = found
    mean = (inner.mean + outer.mean)[0, :t] @ data.transform
    mean[:, 0] -= data.centre
    sigma = outer.sigma[0, :t, :t]
    each = inverse[data.pattern]
    weight = data.by_cluster(data.count[:, None, None] * each)
    sizes, basis = np.linalg.eigh(weight)
    root = basis * np.sqrt(np.maximum(sizes, 0.0))[:, None, :]
    small = np.eye(t) + root.swapaxes(1, 2) @ sigma @ root
    try:
        lower = np.linalg.cholesky(0.5 * (small + small.swapaxes(1, 2)))
    except np.linalg.LinAlgError:
        return None
    between_det = 2.0 * float(np.log(np.einsum("ctt->ct", lower)).sum())
    spread = sigma @ np.linalg.inv(np.eye(t) + weight @ sigma)
    spread = 0.5 * (spread + spread.swapaxes(1, 2))
    gap = data.y - data.w @ mean.T
    pulled = data.by_cluster((each @ gap[..., None])[..., 0])
    between = (spread @ pulled[..., None])[..., 0]
    crossed = data.yw - mean @ data.ww
    products = data.yy - mean @ data.yw.swapaxes(1, 2) - crossed @ mean.T
    quadratic = float(np.sum(inverse * products)) - float(np.sum(pulled * between))
    value = -0.5 * (data.n_rows * LOG_2PI + float(data.n @ log_det) + between_det + quadratic)
    if not np.isfinite(value):
        return None
    own = between[data.cluster]
    turned = gap[:, :, None] * own[:, None, :]
    both = own[:, :, None] * own[:, None, :]
    around = data.count[:, None, None] * both - turned - turned.swapaxes(1, 2)
    left_products = products + data.by_pattern(around)
    left_crossed = crossed - data.by_pattern(own[:, :, None] * data.w[:, None, :])
    cell_left = (each @ (gap - data.count[:, None] * own)[..., None])[..., 0]
    return _Point(
        implied=(inner, outer),
        inverse=inverse,
        spread=spread,
        weight=weight,
        between=between,
        left=data.by_cluster(cell_left),
        cell_left=cell_left,
        squares=inverse @ left_products @ inverse,
        crossed=inverse @ left_crossed,
        value=value,
    )


@dataclass(frozen=True)
class _Slopes:
    """Derivatives of W and B (n_parameters, T, T) and of M (n_parameters, T, 1 + q)."""

    within: FloatArray
    between: FloatArray
    mean: FloatArray


def level_jacobian(rams: tuple[r.Ram, r.Ram], data: Levels, values: FloatArray) -> FloatArray:
    """Jacobian of what data of two levels tell: each level's covariances, and the summed means.

    Parameters
    ----------
    rams : tuple of Ram
        Matrices of persons and of clusters.
    data : Levels
        The statistics; outcomes are taken in units of their standard deviations.
    values : (n_parameters,) ndarray
        Where to differentiate.

    Returns
    -------
    (n_rows, n_parameters) ndarray
        Empty where the paths form a cycle without a solution.
    """
    inner, outer = r.implied(rams[0], values), r.implied(rams[1], values)
    size = rams[0].n_parameters
    if inner is None or outer is None:
        return np.zeros((0, size))
    slopes = _slopes(rams, data, (inner, outer))
    n = data.n @ data.observed
    spread = np.einsum("ptt->t", data.yy) / np.maximum(n, 1.0)
    sd = np.sqrt(np.where(spread > 0, spread, 1.0))
    weights, basis = np.linalg.eigh(data.ww.sum(axis=0) / data.n_subjects)
    small = weights <= 1e-12 * weights[-1]
    root = basis * np.sqrt(np.where(small, 0.0, weights))
    pieces = [
        slopes.within / np.outer(sd, sd),
        slopes.between / np.outer(sd, sd),
        slopes.mean @ root / sd[:, None],
    ]
    stacked = np.concatenate([piece.reshape(size, -1).T for piece in pieces])
    return np.asarray(np.linalg.qr(stacked)[1]) if len(stacked) > size else stacked


def _slopes(
    rams: tuple[r.Ram, r.Ram], data: Levels, implied: tuple[r.Implied, r.Implied]
) -> _Slopes:
    size, t = rams[0].n_parameters, rams[0].n_outcomes
    sigma = np.zeros((2, size, t, t))
    mean = np.zeros((size, t, rams[0].n_regressors))
    for level, (ram, at) in enumerate(zip(rams, implied, strict=True)):
        jac = r.jacobian(ram, at)
        sigma[level, ram.cov_parameters] = jac.sigma[0]
        mean[ram.mean_parameters] += jac.mean[0] @ data.transform
    return _Slopes(sigma[0], sigma[1], mean)


def _weights(data: Levels, point: _Point) -> tuple[FloatArray, FloatArray, FloatArray]:
    """``2 dl/dW``, ``2 dl/dB`` and ``dl/dM``."""
    held = data.by_pattern(data.count[:, None, None] * point.spread[data.cluster])
    inverse = point.inverse
    inner = (point.squares - data.n[:, None, None] * inverse + inverse @ held @ inverse).sum(0)
    precision = point.weight - point.weight @ point.spread @ point.weight
    outer = point.left.T @ point.left - precision.sum(axis=0)
    return 0.5 * (inner + inner.T), 0.5 * (outer + outer.T), point.crossed.sum(axis=0)


def _second(data: Levels, point: _Point, slopes: _Slopes) -> tuple[FloatArray, FloatArray]:
    """Hessian for moments linear in the parameters, and expected information."""
    traces = _traces(data, point, slopes)
    inverse, spread = point.inverse, point.spread
    # V_a u for a person is w_a u_i + shift, and J'V^-1 of it, cluster by cluster, `pull`.
    shift = np.einsum("kab,cb->cka", slopes.between, point.left)
    turned = inverse[:, None] @ slopes.within
    pulled = data.by_cluster(
        np.einsum("nkab,nb->nka", turned[data.pattern], point.cell_left, optimize=True)
    )
    pull = pulled + np.einsum("cab,ckb->cka", point.weight, shift)
    moved = np.einsum(
        "pkab,plbc,pca->kl",
        slopes.within @ inverse[:, None],
        _wide(slopes.within, point),
        point.squares,
        optimize=True,
    )
    mixed = np.einsum("cka,cla->kl", shift, pulled)
    quadratic = (
        moved
        + mixed
        + mixed.T
        + np.einsum("cka,cab,clb->kl", shift, point.weight, shift, optimize=True)
    )
    quadratic -= np.einsum("cka,cab,clb->kl", pull, spread, pull, optimize=True)
    across = inverse[:, None] @ slopes.mean
    reach = data.by_cluster(np.einsum("nkaw,nw->nka", across[data.pattern], data.w, optimize=True))
    cross = np.einsum(
        "plaw,pkab,pbw->kl",
        np.broadcast_to(slopes.mean, (len(inverse), *slopes.mean.shape)),
        turned,
        point.crossed,
        optimize=True,
    )
    cross += np.einsum("cla,cka->kl", reach, shift)
    cross -= np.einsum("cla,cab,ckb->kl", reach, spread, pull, optimize=True)
    means = np.einsum("kaw,plav,pwv->kl", slopes.mean, across, data.ww, optimize=True)
    means -= np.einsum("cka,cab,clb->kl", reach, spread, reach, optimize=True)
    hessian = 0.5 * traces - quadratic - cross - cross.T - means
    return 0.5 * (hessian + hessian.T), 0.5 * traces + 0.5 * (means + means.T)


def _wide(within: FloatArray, point: _Point) -> FloatArray:
    return np.broadcast_to(within, (len(point.inverse), *within.shape))


def _traces(data: Levels, point: _Point, slopes: _Slopes) -> FloatArray:
    """Sums over clusters of ``tr(V^-1 V_a V^-1 V_b)``."""
    inverse, spread, weight = point.inverse, point.spread, point.weight
    inner = np.flatnonzero(np.any(slopes.within != 0, axis=(1, 2)))
    outer = np.flatnonzero(np.any(slopes.between != 0, axis=(1, 2)))
    w, b = slopes.within[inner], slopes.between[outer]
    size, t = len(slopes.within), inverse.shape[1]
    found = np.zeros((size, size))
    turned = inverse[:, None] @ w
    held = data.by_pattern(data.count[:, None, None] * spread[data.cluster])
    own = np.einsum("p,pkab,plba->kl", data.n, turned, turned, optimize=True)
    lost = np.einsum("pkab,plba->kl", turned, turned @ (inverse @ held)[:, None], optimize=True)
    # F_a = sum_i P w_a P, minus the derivative of A.
    pressed = turned @ inverse[:, None]
    moved = data.by_cluster(data.count[:, None, None, None] * pressed[data.pattern])
    lifted = spread[:, None] @ moved
    n = len(spread)
    flat, back = lifted, lifted.swapaxes(2, 3)
    both = np.tensordot(
        flat.transpose(1, 0, 2, 3).reshape(len(inner), n * t * t),
        back.transpose(1, 0, 2, 3).reshape(len(inner), n * t * t),
        axes=([1], [1]),
    )
    found[np.ix_(inner, inner)] = own - lost - lost.T + both
    left = np.eye(t) - weight @ spread
    through = (left[:, None] @ moved @ left[:, None].swapaxes(2, 3)).sum(axis=0)
    mixed = np.einsum("kab,lba->kl", through, b)
    found[np.ix_(inner, outer)] += mixed
    found[np.ix_(outer, inner)] += mixed.T
    precision = weight - weight @ spread @ weight
    seen = precision[:, None] @ b
    found[np.ix_(outer, outer)] += np.einsum("ckab,clba->kl", seen, seen, optimize=True)
    return found
