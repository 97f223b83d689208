"""The likelihood's surface for two random effects of individual designs, in closed form.

For a person with ``A = Z'Z = B B'``, ``a = Z'y = B d`` and residual variance 1, with adj the
adjugate and ``k = adj(B)'d``::

    D         = |V| = 1 + tr(G A) + |G| |A|
    M         = Z'V^-1 Z = (A + |A| adj(G)) / D
    u         = Z'V^-1 y = (a + |B| adj(G) k) / D
    y'V^-1 y  = (d'd + k' adj(G) k) / D + what Z leaves of y

so that all of it is one matrix product of a few functions of G and ``PHI``, twelve numbers a
person. Fixed effects are person-level factors times the columns of Z: a person's design is
``X = Z E`` with ``E = sum_v w_v C_v``, and every sum over persons is a sum of ``w_v w_t`` or
``w_v`` times products of the entries of M and u.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from growthmm.engines.long.surface import Surface, solve_fixed

__all__ = ["PHI", "TwoEffects", "unit_surface"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.intp]
Entries = tuple[tuple[int, int], ...]

CHUNK = 16_384
"""Persons at a time: what is made of them stays in cache."""

PHI = ("A00", "A01", "A11", "|A|", "a0", "a1", "|B|k0", "|B|k1", "d'd", "k0k0", "k0k1", "k1k1")
"""What is kept of a person, in the order of the rows of ``TwoEffects.phi``."""

PLACE = np.array([[0, 1], [1, 2]])
"""Of the entries of a symmetric 2 x 2 matrix among its three."""

SQUARES = np.array([[0, 1, 2], [1, 3, 4], [2, 4, 5]])
"""Of the products of two of the three entries of M among their six."""

_I, _J, _X, _Y = np.indices((2, 2, 2, 2))
OUTER = 3 + SQUARES[PLACE[_X, _I], PLACE[_J, _Y]]
"""Where the sums of ``M[x, i] M[j, y]`` are, by i, j, x and y."""

SIDE = 2 + 3 * _J[..., 0] + PLACE[_X[..., 0], _I[..., 0]]
"""Where the sums of ``M[x, i] u_j`` are, by i, j and x."""


@dataclass(frozen=True)
class TwoEffects:
    """Sufficient statistics, a column for each person.

    Parameters
    ----------
    phi : (12, n_subjects) ndarray
        See ``PHI``.
    weights : (n_weights, n_subjects) ndarray
        Person-level factors of the fixed effects' columns, of unit mean square and uncorrelated;
        the first is 1.
    pairs : (n_weights * (n_weights + 1) / 2, n_subjects) ndarray
        Products of two weights, rows as in ``tril_indices``.
    coefficients : (n_weights, 2, n_fixed) ndarray
        ``C_v``.
    within : float
        Sum of squares that the persons' Z leave of the outcome.
    n_rows, n_subjects : int
        Rows and persons.
    """

    phi: FloatArray
    weights: FloatArray
    pairs: FloatArray
    coefficients: FloatArray
    within: float
    n_rows: int
    n_subjects: int

    @property
    def spare(self) -> int:
        """Rows beyond two a person."""
        return self.n_rows - 2 * self.n_subjects

    @cached_property
    def stacked(self) -> FloatArray:
        """The coefficients one below the other, (2 n_weights, n_fixed)."""
        return self.coefficients.reshape(2 * len(self.coefficients), -1)

    def part(self, chosen: IntArray) -> TwoEffects:
        """Some of the persons."""
        share = len(chosen) / self.n_subjects
        return replace(
            self,
            phi=np.ascontiguousarray(self.phi[:, chosen]),
            weights=np.ascontiguousarray(self.weights[:, chosen]),
            pairs=np.ascontiguousarray(self.pairs[:, chosen]),
            within=self.within * share,
            n_rows=round(self.n_rows * share),
            n_subjects=len(chosen),
        )


@dataclass(frozen=True)
class _Sums:
    """Sums over persons.

    Parameters
    ----------
    squares : (n_pairs, 9) ndarray
        Pairs of weights times the entries of M and the products of two of them.
    mixed : (n_weights, 8) ndarray
        Weights times u0, u1 and the products of M00, M01, M11 with them.
    outcome : (3,) ndarray
        ``u u'``.
    quadratic, log_det : float
        The outcome's square in the metric of V^-1, but for what Z leaves; ``sum log D``.
    """

    squares: FloatArray
    mixed: FloatArray
    outcome: FloatArray
    quadratic: float
    log_det: float


def unit_surface(
    data: TwoEffects,
    covariance: FloatArray,
    entries: Entries,
    *,
    restricted: bool,
    fixed: FloatArray | None,
) -> Surface | None:
    """The surface at residual variance 1; None where some person's V is not positive definite.

    Parameters
    ----------
    data : TwoEffects
        The statistics.
    covariance : (2, 2) ndarray
        `G`, in units of the residual variance; not necessarily positive semi-definite.
    entries : tuple of (int, int)
        Its free entries.
    restricted : bool
        Whether second derivatives that only the restricted likelihood needs are taken.
    fixed : (n_fixed,) ndarray, optional
        Fixed effects; generalised least squares where None.
    """
    rows = np.empty((5, data.n_subjects))
    sums = _sums(data, covariance, rows)
    if sums is None:
        return None
    cross = _cross(data, sums)
    solved = solve_fixed(cross)
    if solved is None:
        return None
    best, gls, log_det_gls = solved
    fixed = best if fixed is None else fixed
    means = sums.squares[0, :3]
    gram = sums.squares[0, 3:][SQUARES]
    residual, spread = _curvature(data, rows, fixed, gls if restricted else None)
    traces = _seconds(gram, entries)
    dd_fixed = np.zeros(traces.shape) if spread is None else 2.0 * _seconds(spread, entries)
    return Surface(
        n_rows=data.n_rows,
        cross=cross,
        log_det=sums.log_det,
        fixed=fixed,
        gls=gls,
        log_det_gls=log_det_gls,
        d_cross=_d_cross(data, sums, entries),
        d_log_det=np.array([(1.0 if a == b else 2.0) * means[PLACE[a, b]] for a, b in entries]),
        dd_log_det=-traces,
        dd_residual=2.0 * _seconds(residual, entries),
        dd_fixed=dd_fixed,
        traces=traces,
        restricted_traces=0.5 * dd_fixed,
    )


def _sums(data: TwoEffects, g: FloatArray, rows: FloatArray) -> _Sums | None:
    """All first sums; `rows` is filled with M and u."""
    trace = np.array([g[0, 0], 2.0 * g[0, 1], g[1, 1]])
    growth = np.append(trace, g[0, 0] * g[1, 1] - g[0, 1] ** 2)
    adjugate = np.array([[g[1, 1], -g[0, 1]], [-g[0, 1], g[0, 0]]])
    entries = adjugate[[0, 0, 1], [0, 1, 1]][:, None]
    indefinite = bool(np.linalg.eigvalsh(g)[0] < 0)
    squares = np.zeros((len(data.pairs), 9))
    mixed = np.zeros((len(data.weights), 8))
    outcome, quadratic = np.zeros(3), np.zeros(4)
    log_det = 0.0
    made, more = np.empty((9, CHUNK)), np.empty((8, CHUNK))
    for low in range(0, data.n_subjects, CHUNK):
        part = slice(low, min(data.n_subjects, low + CHUNK))
        phi = data.phi[:, part]
        nine, eight = made[:, : phi.shape[1]], more[:, : phi.shape[1]]
        determinant = growth @ phi[:4]
        determinant += 1.0
        # A matrix I + B'GB is positive definite where its determinant and its trace are positive.
        if indefinite and not (
            bool((determinant > 0).all()) and bool((trace @ phi[:3] > -2.0).all())
        ):
            return None
        log_det += _log_sum(determinant)
        shares = 1.0 / determinant
        quadratic += phi[8:] @ shares
        m, u = nine[:3], eight[:2]
        np.multiply(phi[3], entries, out=m)
        m += phi[:3]
        m *= shares
        np.matmul(adjugate, phi[6:8], out=u)
        u += phi[4:6]
        u *= shares
        rows[:3, part], rows[3:, part] = m, u
        np.multiply(m[0], m, out=nine[3:6])
        np.multiply(m[1], m[1:], out=nine[6:8])
        np.multiply(m[2], m[2], out=nine[8])
        np.multiply(m, u[0], out=eight[2:5])
        np.multiply(m, u[1], out=eight[5:8])
        squares += data.pairs[:, part] @ nine.T
        mixed += data.weights[:, part] @ eight.T
        outcome += (u @ u.T)[[0, 0, 1], [0, 1, 1]]
    of_k = np.array([1.0, adjugate[0, 0], 2.0 * adjugate[0, 1], adjugate[1, 1]])
    return _Sums(squares, mixed, outcome, float(of_k @ quadratic), log_det)


def _log_sum(values: FloatArray) -> float:
    """``sum log values``, by logarithms of products of four where these can't overflow."""
    whole = len(values) // 4 * 4
    if not whole or not 1e-70 < float(values.min()) <= float(values.max()) < 1e70:
        return float(np.log(values).sum())
    four = values[:whole].reshape(4, -1)
    product = four[0] * four[1] * four[2] * four[3]
    return float(np.log(product).sum() + np.log(values[whole:]).sum())


def _paired(data: TwoEffects, sums: FloatArray) -> FloatArray:
    """Sums (n_pairs, ..., 2, 2) over pairs of weights as (..., 2 n_weights, 2 n_weights)."""
    n = len(data.weights)
    left, right = np.indices((n, n))
    high, low = np.maximum(left, right), np.minimum(left, right)
    found = np.moveaxis(sums[high * (high + 1) // 2 + low], (0, 1), (-4, -2))
    return np.asarray(found.reshape(*found.shape[:-4], 2 * n, 2 * n))


def _bordered(fixed: FloatArray, mixed: FloatArray, outcome: FloatArray) -> FloatArray:
    p = fixed.shape[-1]
    out = np.empty((*fixed.shape[:-2], p + 1, p + 1))
    out[..., :p, :p], out[..., :p, p], out[..., p, :p], out[..., p, p] = (
        fixed,
        mixed,
        mixed,
        outcome,
    )
    return out


def _cross(data: TwoEffects, sums: _Sums) -> FloatArray:
    """``[X, y]'V^-1[X, y]``."""
    c = data.stacked
    fixed = c.T @ _paired(data, sums.squares[:, PLACE]) @ c
    mixed = sums.mixed[:, :2].ravel() @ c
    return _bordered(fixed, mixed, np.asarray(sums.quadratic + data.within))


def _d_cross(data: TwoEffects, sums: _Sums, entries: Entries) -> FloatArray:
    """Its derivatives, ``-U_a'U_b - U_b'U_a`` with ``U = Z'V^-1[X, y]``."""
    c = data.stacked
    # sums over persons of M[:, i] M[j, :] and of M[:, i] u_j, for i and j
    fixed = c.T @ _paired(data, sums.squares[:, OUTER]) @ c
    mixed = np.moveaxis(sums.mixed[:, SIDE], 0, 2).reshape(2, 2, -1) @ c
    found = _bordered(fixed, mixed, sums.outcome[PLACE])
    found = found + found.swapaxes(2, 3)
    first, second = np.array(entries, dtype=np.intp).reshape(-1, 2).T
    whole = found[first, second] + found[second, first]
    return np.asarray(np.where(first == second, -0.25, -0.5)[:, None, None] * whole)


def _curvature(
    data: TwoEffects, rows: FloatArray, fixed: FloatArray, gls: FloatArray | None
) -> tuple[FloatArray, FloatArray | None]:
    """Sums of ``u_r u_r'`` by M for the residuals r, and of ``M E gls E' M`` by M."""
    shift = -(data.coefficients @ fixed).T
    inner = None
    if gls is not None:
        c = data.coefficients
        pairs = list(zip(*np.tril_indices(len(c)), strict=True))
        whole = [c[v] @ gls @ c[t].T for v, t in pairs]
        whole = [w + w.T if v != t else w for w, (v, t) in zip(whole, pairs, strict=True)]
        inner = np.array(whole)[:, [0, 0, 1], [0, 1, 1]].T
    residual = np.zeros((3, 3))
    spread = None if inner is None else np.zeros((3, 3))
    products = np.empty((3, CHUNK))
    for low in range(0, data.n_subjects, CHUNK):
        part = slice(low, min(data.n_subjects, low + CHUNK))
        m, u = rows[:3, part], rows[3:, part]
        e = shift @ data.weights[:, part]
        left = u[0] + m[0] * e[0] + m[1] * e[1]
        right = u[1] + m[1] * e[0] + m[2] * e[1]
        made = products[:, : m.shape[1]]
        np.multiply(left, left, out=made[0])
        np.multiply(left, right, out=made[1])
        np.multiply(right, right, out=made[2])
        residual += made @ m.T
        if inner is not None and spread is not None:
            k = inner @ data.pairs[:, part]
            one, two = m[0] * k[0] + m[1] * k[1], m[0] * k[1] + m[1] * k[2]
            three, four = m[1] * k[0] + m[2] * k[1], m[1] * k[1] + m[2] * k[2]
            np.add(one * m[0], two * m[1], out=made[0])
            np.add(one * m[1], two * m[2], out=made[1])
            np.add(three * m[1], four * m[2], out=made[2])
            spread += made @ m.T
    return residual, spread


def _seconds(gram: FloatArray, entries: Entries) -> FloatArray:
    """``sum P_im M_jk`` over both orders of the entries (i, j) and (k, m)."""
    i, j, k, m = np.indices((2, 2, 2, 2))
    four = gram[PLACE[i, m], PLACE[j, k]]
    four = four + four.swapaxes(0, 1)
    four = four + four.swapaxes(2, 3)
    first, second = np.array(entries, dtype=np.intp).reshape(-1, 2).T
    once = np.where(first == second, 0.5, 1.0)
    out = four[first[:, None], second[:, None], first, second] * np.outer(once, once)
    return np.asarray(0.5 * (out + out.T))
