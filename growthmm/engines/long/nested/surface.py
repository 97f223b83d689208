"""The likelihood of persons within clusters, with exact first and second derivatives.

With `s` the residual variance, ``Z_i`` and ``W_c`` the random-effects designs of persons and of
clusters, and ``D_i = (I + Z_i Gamma Z_i')``, the covariance matrix of a cluster is
``V_c = s (blockdiag D_i + W_c Omega W_c')``. Woodbury's identity is used twice: for every person,
``A_i' D_i^-1 A_i`` from cross-products, whose sum over a cluster's persons then takes the place of
the cross-products in the second step (Pinheiro & Bates 2000, section 2.2,
doi:10.1007/b98882; Longford 1987, doi:10.1093/biomet/74.4.817). All derivatives are those in
``Gamma`` and ``Omega`` at ``s = 1``, from which those at another `s` follow.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from growthmm.engines.long.nested.statistics import Nested
from growthmm.engines.long.surface import Surface, solve_fixed

__all__ = ["Solved", "nested_surface", "solve_nested"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Solved:
    """Both levels solved at relative covariances.

    Parameters
    ----------
    inner, outer : ndarray
        ``Gamma`` and ``Omega``.
    log_det : float
        ``log|V|`` at unit residual variance.
    reduced : (n_present, n_inner, m) ndarray
        ``B_i = Z_i' D_i^-1 A_i``.
    own : (n_present, n_inner, n_inner) ndarray
        ``T_i = Z_i' D_i^-1 Z_i``.
    weighted : (n_clusters, m, m) ndarray
        ``S_c``, sums of ``A_i' D_i^-1 A_i``.
    shrink : (n_clusters, n_outer, n_outer) ndarray
        ``(I + S_WW Omega)^-1``.
    spread : (n_clusters, n_outer, n_outer) ndarray
        ``H = Omega (I + S_WW Omega)^-1``.
    reach : (n_clusters, m, n_fixed + 1) ndarray
        ``N``, for which ``[X, y]' V_c^-1 [X, y] = N' S_c N``.
    cross : (n_fixed + 1, n_fixed + 1) ndarray
        Its sum over clusters.
    """

    inner: FloatArray
    outer: FloatArray
    log_det: float
    reduced: FloatArray
    own: FloatArray
    weighted: FloatArray
    shrink: FloatArray
    spread: FloatArray
    reach: FloatArray
    cross: FloatArray


def solve_nested(data: Nested, covariance: FloatArray) -> Solved | None:
    """Solve both levels; None where a person's or a cluster's matrix is not positive definite.

    Parameters
    ----------
    data : Nested
        The statistics.
    covariance : (n_random, n_random) ndarray
        Covariance of all random effects over the residual variance.
    """
    inner = covariance[np.ix_(data.inner, data.inner)]
    outer = covariance[np.ix_(data.outer, data.outer)]
    root = data.root
    turned = root.swapaxes(1, 2)
    small = np.eye(len(inner)) + turned @ inner @ root
    log_det = _log_det(small)
    if log_det is None:
        return None
    solved = np.linalg.solve(small, np.concatenate([data.turned, turned], axis=2))
    whole = root @ solved
    m = data.turned.shape[2]
    reduced, own = whole[:, :, :m], whole[:, :, m:]
    # A'D^-1A = A'A - (Z'A)' Gamma B, and (Z'A) = root turned.
    lost = (root @ data.turned).swapaxes(1, 2) @ inner @ reduced
    weighted = data.total - data.by_cluster(lost)
    weighted = 0.5 * (weighted + weighted.swapaxes(1, 2))
    k = data.n_fixed + 1
    squares = weighted[:, k:, k:]
    sizes, basis = np.linalg.eigh(squares)
    half = basis * np.sqrt(np.maximum(sizes, 0.0))[:, None, :]
    between = _log_det(np.eye(len(outer)) + half.swapaxes(1, 2) @ outer @ half)
    if between is None:
        return None
    shrink = np.linalg.inv(np.eye(len(outer)) + squares @ outer)
    spread = outer @ shrink
    spread = 0.5 * (spread + spread.swapaxes(1, 2))
    reach = np.concatenate(
        [np.broadcast_to(np.eye(k), (len(weighted), k, k)), -spread @ weighted[:, k:, :k]], axis=1
    )
    # The rows of S N that belong to W do not enter: N' S N = S_RR - S_RW H S_WR.
    cross = weighted[:, :k, :k] + weighted[:, :k, k:] @ reach[:, k:]
    total = cross.sum(axis=0)
    return Solved(
        inner=inner,
        outer=outer,
        log_det=log_det + between,
        reduced=reduced,
        own=0.5 * (own + own.swapaxes(1, 2)),
        weighted=weighted,
        shrink=np.asarray(shrink, dtype=float),
        spread=spread,
        reach=reach,
        cross=0.5 * (total + total.T),
    )


def _log_det(matrices: FloatArray) -> float | None:
    symmetric = 0.5 * (matrices + matrices.swapaxes(1, 2))
    try:
        lower = np.linalg.cholesky(symmetric)
    except np.linalg.LinAlgError:
        return None
    diagonal = np.einsum("nii->ni", lower)
    if not bool(np.all(np.isfinite(diagonal))):
        return None
    return 2.0 * float(np.sum(np.log(diagonal)))


def nested_surface(
    data: Nested,
    ratios: FloatArray,
    entries: tuple[tuple[int, int], ...],
    *,
    fixed: FloatArray | None = None,
) -> Surface | None:
    """The surface at a covariance of the random effects, at residual variance 1.

    Parameters
    ----------
    data : Nested
        The statistics.
    ratios : (n_random, n_random) ndarray
        Covariance of all random effects, persons' and clusters', over the residual variance.
    entries : tuple of (int, int)
        Free entries of `ratios`.
    fixed : (n_fixed,) ndarray, optional
        Where second derivatives are taken; the generalised least squares solution where None.

    Returns
    -------
    Surface or None
        Covariance parameters are the entries.
    """
    if not np.isfinite(ratios).all():
        return None
    found = solve_nested(data, ratios)
    if found is None:
        return None
    solution = solve_fixed(found.cross)
    if solution is None:
        return None
    own, gls, log_det_gls = solution
    if fixed is not None:
        own = fixed
    slopes = _slopes(data, found, entries, own, gls)
    return Surface(
        n_rows=data.n_rows,
        cross=found.cross,
        log_det=found.log_det,
        fixed=own,
        gls=gls,
        log_det_gls=log_det_gls,
        d_cross=slopes.d_cross,
        d_log_det=slopes.d_log_det,
        dd_log_det=slopes.dd_log_det,
        dd_residual=slopes.dd_residual,
        dd_fixed=slopes.dd_fixed,
        # V is linear in its parameters, so that both are second derivatives already taken.
        traces=-slopes.dd_log_det,
        restricted_traces=0.5 * slopes.dd_fixed,
    )


@dataclass(frozen=True)
class _Slopes:
    """Derivatives at unit residual variance, in the relative covariances."""

    d_cross: FloatArray
    d_log_det: FloatArray
    dd_log_det: FloatArray
    dd_residual: FloatArray
    dd_fixed: FloatArray


def _slopes(
    data: Nested,
    found: Solved,
    entries: tuple[tuple[int, int], ...],
    fixed: FloatArray,
    gls: FloatArray,
) -> _Slopes:
    p, k, n = data.n_fixed, data.n_fixed + 1, len(entries)
    place = {int(c): (False, i) for i, c in enumerate(data.inner)}
    place |= {int(c): (True, i) for i, c in enumerate(data.outer)}
    is_outer = np.array([place[a][0] for a, _ in entries], dtype=bool)
    sides = {
        level: _bases(
            [(place[a][1], place[b][1]) for a, b in entries if place[a][0] is level], size
        )
        for level, size in ((False, len(data.inner)), (True, len(data.outer)))
    }
    low, high = np.flatnonzero(~is_outer), np.flatnonzero(is_outer)
    # Columns along which N'SN is looked at: the residuals, and a root of (X'V^-1X)^-1.
    columns = np.zeros((k, 1 + p))
    columns[:, 0] = np.append(-fixed, 1.0)
    columns[:p, 1:] = np.linalg.cholesky(gls) if p else 0.0
    inner = _inner_slopes(data, found, sides[False], columns)
    outer = _outer_slopes(data, found, sides[True], columns)
    d_cross, d_log_det = np.zeros((n, k, k)), np.zeros(n)
    d_cross[low], d_log_det[low] = inner.d_cross, inner.d_log_det
    d_cross[high], d_log_det[high] = outer.d_cross, outer.d_log_det
    log_det, residual, restricted = (np.zeros((n, n)) for _ in range(3))
    corner = np.ix_(low, low), np.ix_(high, high), np.ix_(low, high)
    mixed = _mixed_slopes(sides[True], inner, outer)
    for target, one, two, both in (
        (log_det, inner.dd_log_det, outer.dd_log_det, mixed[0]),
        (residual, inner.dd_along[0], outer.dd_along[0], mixed[1][0]),
        (restricted, inner.dd_along[1], outer.dd_along[1], mixed[1][1]),
    ):
        target[corner[0]], target[corner[1]] = one, two
        target[corner[2]] = both
        target[np.ix_(high, low)] = both.T
    return _Slopes(d_cross, d_log_det, log_det, residual, restricted)


def _bases(places: list[tuple[int, int]], size: int) -> FloatArray:
    out = np.zeros((len(places), size, size))
    for index, (a, b) in enumerate(places):
        out[index, a, b] = out[index, b, a] = 1.0
    return out


@dataclass(frozen=True)
class _Level:
    """Derivatives by the entries of one level.

    `dd_along` holds second derivatives along the residuals, and summed over the other columns.
    `turned` and `moved` are what the mixed derivatives need of the level.
    """

    d_cross: FloatArray
    d_log_det: FloatArray
    dd_log_det: FloatArray
    dd_along: FloatArray
    turned: FloatArray
    moved: FloatArray


def _along(values: FloatArray) -> FloatArray:
    """Sums (n, n, 1 + p) over columns: the first alone, the others together."""
    return np.stack([values[..., 0], values[..., 1:].sum(axis=-1)])


def _inner_slopes(data: Nested, found: Solved, bases: FloatArray, columns: FloatArray) -> _Level:
    """``dS = -B'EB`` and ``d2S = B'(E T F + F T E)B`` for every person, through the clusters."""
    k = data.n_fixed + 1
    reduced, own = found.reduced, found.own
    through = reduced @ found.reach[data.cluster]
    wide = reduced[:, :, k:]
    d_cross = -_quadratic(bases, through)
    # S_a's rows and columns of W, and its products with the columns, cluster by cluster.
    side = np.einsum("aij,njw->naiw", bases, wide)
    moved_w = -data.by_cluster(np.einsum("niw,naiv->nawv", wide, side))
    seen = through @ columns
    moved = -data.by_cluster(np.einsum("naiw,niu->nawu", side, seen))
    spread = found.spread
    d_log_det = np.einsum("nij,aji->a", own, bases) + np.einsum("cwv,cavw->a", spread, moved_w)
    lifted = np.einsum("nij,ajk->naik", own, bases)
    dd = -np.einsum("naij,nbji->ab", lifted, lifted)
    hidden = wide @ spread[data.cluster] @ wide.swapaxes(1, 2)
    dd += 2.0 * _twice(bases, own, hidden)
    twisted = np.einsum("cwv,cavu->cawu", spread, moved_w)
    dd -= np.einsum("cawv,cbvw->ab", twisted, twisted)
    weights = np.stack(
        [
            seen[:, :, 0][:, :, None] * seen[:, :, 0][:, None, :],
            seen[:, :, 1:] @ seen[:, :, 1:].swapaxes(1, 2),
        ]
    )
    second = np.stack([2.0 * _twice(bases, own, weight) for weight in weights])
    second -= 2.0 * _along(np.einsum("cawu,cwv,cbvu->abu", moved, spread, moved))
    return _Level(d_cross, d_log_det, dd, second, moved_w, moved)


def _quadratic(bases: FloatArray, through: FloatArray) -> FloatArray:
    """Sums over persons of ``C' E_a C``, (n_entries, k, k)."""
    n, q, k = through.shape
    flat = through.reshape(n, q * k)
    products = (flat.T @ flat).reshape(q, k, q, k)
    return np.asarray(np.einsum("aij,ixjy->axy", bases, products), dtype=float)


def _twice(bases: FloatArray, own: FloatArray, weight: FloatArray) -> FloatArray:
    """Sums over persons of ``tr(E_a T E_b Y)``."""
    q = own.shape[1]
    products = own.reshape(len(own), q * q).T @ weight.reshape(len(own), q * q)
    products = products.reshape(q, q, q, q)
    return np.asarray(np.einsum("ali,ijkl,bjk->ab", bases, products, bases), dtype=float)


def _outer_slopes(data: Nested, found: Solved, bases: FloatArray, columns: FloatArray) -> _Level:
    """By entries of ``Omega``: as for persons, with sums over persons for cross-products."""
    k = data.n_fixed + 1
    squares = found.weighted[:, k:, k:]
    own = found.shrink @ squares
    own = 0.5 * (own + own.swapaxes(1, 2))
    through = found.shrink @ found.weighted[:, k:, :k]
    d_cross = -_quadratic(bases, through)
    d_log_det = np.einsum("cij,aji->a", own, bases)
    lifted = np.einsum("cij,ajk->caik", own, bases)
    dd = -np.einsum("caij,cbji->ab", lifted, lifted)
    seen = through @ columns
    weights = (
        seen[:, :, 0][:, :, None] * seen[:, :, 0][:, None, :],
        seen[:, :, 1:] @ seen[:, :, 1:].swapaxes(1, 2),
    )
    second = np.stack([2.0 * _twice(bases, own, weight) for weight in weights])
    return _Level(d_cross, d_log_det, dd, second, found.shrink, seen)


def _mixed_slopes(bases: FloatArray, inner: _Level, outer: _Level) -> tuple[FloatArray, FloatArray]:
    """Second derivatives by an entry of each level, (n_inner_entries, n_outer_entries)."""
    shrink, seen = outer.turned, outer.moved
    turned = np.einsum("cij,cajk,clk->cail", shrink, inner.turned, shrink)
    log_det = np.einsum("cail,eli->ae", turned, bases)
    carried = np.einsum("cij,caju->caiu", shrink, inner.moved)
    along = -2.0 * _along(np.einsum("ciu,eij,caju->aeu", seen, bases, carried))
    return log_det, along
