"""The likelihood's surface from cross-products: ``V = s I + Z G Z'``, with arrays over designs.

In the basis of a person's design ``V`` is ``S = s I + B' G B`` beside ``s I``. Every derivative
comes from ``D = L^-1 Q'[X, y]``, ``N = L^-1 B'`` with ``S = L L'``, and sums over persons of
products of their rows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from growthmm.engines.long.products import Products
from growthmm.engines.long.surface import Surface, solve_fixed

__all__ = ["cholesky", "narrow_surface", "small_covariance", "solve"]

FloatArray = NDArray[np.float64]
Entries = tuple[tuple[int, int], ...]

CHUNK = 8192


def small_covariance(factor: FloatArray, covariance: FloatArray, scale: float) -> FloatArray:
    """``s I + B' G B`` over designs (q, q, n)."""
    q = len(covariance)
    turned = (covariance @ factor.reshape(q, -1)).reshape(factor.shape)
    out = np.einsum("kig,kjg->ijg", factor, turned)
    for a in range(q):
        out[a, a] += scale
    return np.asarray(out, dtype=float)


def cholesky(matrices: FloatArray) -> FloatArray | None:
    """Lower Cholesky factors of (q, q, n); None where one is not positive definite."""
    q = matrices.shape[0]
    out = np.zeros(matrices.shape)
    for b in range(q):
        pivot = matrices[b, b] - np.einsum("kg,kg->g", out[b, :b], out[b, :b])
        if not bool(np.all(pivot > 0)):
            return None
        out[b, b] = np.sqrt(pivot)
        for a in range(b + 1, q):
            left = matrices[a, b] - np.einsum("kg,kg->g", out[a, :b], out[b, :b])
            out[a, b] = left / out[b, b]
    return out


def solve(lower: FloatArray, right: FloatArray) -> FloatArray:
    """``L^-1 right`` over arrays (c, q, n)."""
    out = np.empty(right.shape)
    for a in range(lower.shape[0]):
        left = right[:, a]
        for b in range(a):
            left = left - lower[a, b] * out[:, b]
        np.divide(left, lower[a, a], out=out[:, a])
    return out


def narrow_surface(
    products: Products,
    covariance: FloatArray,
    scale: float,
    entries: Entries,
    *,
    with_scale: bool,
    restricted: bool = True,
    fixed: FloatArray | None = None,
) -> Surface | None:
    """The surface at one covariance; None where some person's `V` is not positive definite.

    Parameters
    ----------
    products : Products
        The data.
    covariance : (n_random, n_random) ndarray
        `G`, not necessarily positive semi-definite.
    scale : float
        Residual variance `s`.
    entries : tuple of (int, int)
        Free entries of `G`.
    with_scale : bool
        Whether `s` is the last of the covariance parameters.
    restricted : bool
        Whether second derivatives that only the restricted likelihood needs are taken; zero
        otherwise.
    fixed : (n_fixed,) ndarray, optional
        Fixed effects; generalised least squares where None.
    """
    if not scale > 0:
        return None
    c, q = products.data.shape[:2]
    sums = _Sums(c, q, len(entries) + int(with_scale))
    whole: _Designs | None = None
    if products.design is not None:
        whole = _designs(products.factor, covariance, scale, with_scale)
        if whole is None:
            return None
        _add_designs(whole, products.counts, entries, sums)
    vectors: list[_Vectors] = []
    n_vectors = products.data.shape[2]
    for low in range(0, n_vectors, CHUNK):
        part = slice(low, min(n_vectors, low + CHUNK))
        if whole is not None and products.design is not None:
            designs = whole.take(products.design[part])
        else:
            own = _designs(products.factor[:, :, part], covariance, scale, with_scale)
            if own is None:
                return None
            _add_designs(own, products.counts[part], entries, sums)
            designs = own
        vectors.append(_first_orders(designs, products.data[:, :, part], sums))
    _finish_slopes(sums, entries)
    return _assemble(
        products, sums, vectors, entries, scale=scale, restricted=restricted, fixed=fixed
    )


@dataclass(frozen=True)
class _Designs:
    """``L``, ``L^-1``, ``N = L^-1 B'`` (column, row, n) and, for the scale, ``L^-1 L^-T``."""

    lower: FloatArray
    back: FloatArray
    bases: FloatArray
    inverse: FloatArray | None

    def take(self, index: NDArray[np.intp]) -> _Designs:
        inverse = None if self.inverse is None else self.inverse[:, :, index]
        return _Designs(
            self.lower[:, :, index], self.back[:, :, index], self.bases[:, :, index], inverse
        )


@dataclass(frozen=True)
class _Vectors:
    """A chunk of persons: designs, ``D = L^-1 Q'[X, y]`` (q, c, n) for the scale, ``U = N' D``."""

    designs: _Designs
    whitened: FloatArray | None
    turned: FloatArray


class _Sums:
    """Accumulators over chunks of persons."""

    def __init__(self, c: int, q: int, k: int) -> None:
        self.cross = np.zeros((c, c))
        self.turned = np.zeros((q * c, q * c))
        self.d_cross = np.zeros((k, c, c))
        self.log_det = 0.0
        self.d_log_det = np.zeros(k)
        self.traces = np.zeros((k, k))


def _designs(
    factor: FloatArray, covariance: FloatArray, scale: float, with_scale: bool
) -> _Designs | None:
    q = len(covariance)
    lower = cholesky(small_covariance(factor, covariance, scale))
    if lower is None:
        return None
    eye = np.broadcast_to(np.eye(q)[:, :, None], lower.shape)
    columns = solve(lower, eye)
    back = columns.transpose(1, 0, 2)
    inverse = np.einsum("rjg,sjg->rsg", back, back) if with_scale else None
    bases = np.empty(factor.shape)
    for row in range(q):
        # B is lower triangular, so that B' has nothing below its diagonal.
        for column in range(q):
            inner = range(min(row, column) + 1)
            _combine(back[row], factor[column], inner, bases[column, row])
    return _Designs(lower, back, bases, inverse)


def _combine(
    weights: FloatArray, columns: FloatArray, indices: range, out: FloatArray
) -> FloatArray:
    """``sum_i weights_i columns_i`` over arrays whose last axis is the person."""
    np.multiply(columns[indices[0]], weights[indices[0]], out=out)
    for index in indices[1:]:
        out += columns[index] * weights[index]
    return out


def _slopes(
    designs: _Designs, entries: Entries, turned: FloatArray, right: FloatArray | None
) -> FloatArray:
    """``T_a = L^-1 V_a L^-T`` times some columns, for every covariance parameter.

    Parameters
    ----------
    designs : _Designs
        ``N`` and ``L^-1 L^-T``.
    entries : tuple of (int, int)
        Free entries of `G`.
    turned : (q, n_columns, n) ndarray
        ``N'`` times the columns.
    right : (n_columns, q, n) ndarray, optional
        The columns; None for those of the identity.

    Returns
    -------
    (n_covariance, n_columns, q, n) ndarray
    """
    bases, inverse = designs.bases, designs.inverse
    q, n = bases.shape[1:]
    out = np.empty((len(entries) + int(inverse is not None), turned.shape[1], q, n))
    for index, (a, b) in enumerate(entries):
        np.multiply(turned[b][:, None], bases[a][None], out=out[index])
        if a != b:
            out[index] += turned[a][:, None] * bases[b][None]
    if inverse is not None:
        out[-1] = inverse if right is None else np.einsum("rsg,csg->crg", inverse, right)
    return out


def _add_designs(designs: _Designs, counts: FloatArray, entries: Entries, sums: _Sums) -> None:
    q = designs.lower.shape[0]
    volume = designs.lower[0, 0].copy() if q else np.ones(len(counts))
    for a in range(1, q):
        volume *= designs.lower[a, a]
    sums.log_det += 2.0 * float(counts @ np.log(volume))
    if designs.inverse is None:
        _add_traces(designs.bases, counts, entries, sums)
        return
    slopes = _slopes(designs, entries, designs.bases, None)
    k = len(slopes)
    for a in range(q):
        sums.d_log_det += slopes[:, a, a] @ counts
    flat = slopes.reshape(k, -1)
    alone = bool(np.all(counts == 1.0))
    weighted = flat if alone else (slopes * counts).reshape(k, -1)
    sums.traces += weighted @ flat.T


def _add_traces(bases: FloatArray, counts: FloatArray, entries: Entries, sums: _Sums) -> None:
    """``tr(V^-1 V_a)`` and ``tr(V^-1 V_a V^-1 V_b)`` from the entries of ``M = N'N``.

    With ``V_a = Z (e_i e_j' + e_j e_i') Z'`` both are sums of entries of `M` and of their products.
    """
    q = len(bases)
    pairs = [(a, b) for a in range(q) for b in range(a + 1)]
    place = {pair: index for index, pair in enumerate(pairs)}
    place |= {(b, a): index for (a, b), index in place.items()}
    inner = np.empty((len(pairs), len(counts)))
    for index, (a, b) in enumerate(pairs):
        _combine(bases[a], bases[b], range(q), inner[index])
    total = inner @ counts
    products = (inner * counts) @ inner.T
    for row, (a, b) in enumerate(entries):
        sums.d_log_det[row] += (1.0 if a == b else 2.0) * total[place[a, b]]
        for column, (c, d) in enumerate(entries):
            first = {(a, b), (b, a)}
            second = {(c, d), (d, c)}
            sums.traces[row, column] += sum(
                products[place[j, k], place[m, i]] for i, j in first for k, m in second
            )


def _first_orders(designs: _Designs, data: FloatArray, sums: _Sums) -> _Vectors:
    c, q, n = data.shape
    columns = data.transpose(1, 0, 2)
    whitened, turned = np.empty((q, c, n)), np.empty((q, c, n))
    for row in range(q):
        _combine(designs.back[row], columns, range(row + 1), whitened[row])
        sums.cross += whitened[row] @ whitened[row].T
    for row in range(q):
        _combine(designs.bases[row], whitened, range(q), turned[row])
    lined = turned.reshape(q * c, n)
    sums.turned += lined @ lined.T
    if designs.inverse is None:
        return _Vectors(designs, None, turned)
    scaled = np.empty((c, n))
    for row in range(q):
        _combine(designs.inverse[row], whitened, range(q), scaled)
        sums.d_cross[-1] -= scaled @ whitened[row].T
    return _Vectors(designs, whitened, turned)


def _finish_slopes(sums: _Sums, entries: Entries) -> None:
    """``-U_a'U_b - U_b'U_a``, from the products of all of ``U``."""
    c = len(sums.cross)
    for index, (a, b) in enumerate(entries):
        block = sums.turned[a * c : (a + 1) * c, b * c : (b + 1) * c]
        sums.d_cross[index] = -block if a == b else -(block + block.T)


def _second_orders(vectors: list[_Vectors], entries: Entries, columns: FloatArray) -> FloatArray:
    """Second derivatives of ``tr(columns' Q columns)``, but for what lies outside all designs."""
    total: FloatArray | None = None
    for part in vectors:
        turned = columns.T @ part.turned
        right = None
        if part.whitened is not None:
            right = (columns.T @ part.whitened).transpose(1, 0, 2)
        slopes = _slopes(part.designs, entries, turned, right)
        flat = slopes.reshape(len(slopes), -1)
        own = flat @ flat.T
        total = own if total is None else total + own
    assert total is not None
    return 2.0 * total


def _assemble(
    products: Products,
    sums: _Sums,
    vectors: list[_Vectors],
    entries: Entries,
    *,
    scale: float,
    restricted: bool,
    fixed: FloatArray | None,
) -> Surface | None:
    within, spare = products.within / scale, products.spare
    cross = sums.cross + within
    solved = solve_fixed(cross)
    if solved is None:
        return None
    best, gls, log_det_gls = solved
    fixed = best if fixed is None else fixed
    contrast = np.append(-fixed, 1.0)
    p = len(fixed)
    d_cross, d_log_det, traces = sums.d_cross, sums.d_log_det, sums.traces
    dd_residual = _second_orders(vectors, entries, contrast[:, None])
    dd_fixed = np.zeros(traces.shape)
    if restricted and p:
        root = np.vstack([np.linalg.cholesky(gls), np.zeros((1, p))])
        dd_fixed = _second_orders(vectors, entries, root)
    if len(d_log_det) > len(entries):
        d_cross[-1] -= within / scale
        d_log_det[-1] += spare / scale
        traces[-1, -1] += spare / scale**2
        left = 2.0 * within / scale**2
        dd_residual[-1, -1] += contrast @ left @ contrast
        if restricted:
            dd_fixed[-1, -1] += float(np.sum(left[:p, :p] * gls))
    return Surface(
        n_rows=products.n_rows,
        cross=cross,
        log_det=sums.log_det + spare * float(np.log(scale)),
        fixed=fixed,
        gls=gls,
        log_det_gls=log_det_gls,
        d_cross=d_cross,
        d_log_det=d_log_det,
        dd_log_det=-traces,
        dd_residual=dd_residual,
        dd_fixed=dd_fixed,
        traces=traces,
        restricted_traces=0.5 * dd_fixed,
    )
