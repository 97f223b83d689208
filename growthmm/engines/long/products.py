"""Per-person cross-products for independent residuals with one variance.

With ``Z_i = Q_i B_i'`` (orthonormal columns, lower triangular `B_i`) a person's rows enter
``V_i = s I + Z_i G Z_i'`` only through ``B_i``, ``Q_i'[X_i, y_i]`` and what the projection leaves
(Lindstrom & Bates 1988, doi:10.1080/01621459.1988.10478693). Persons with the same ``Z'Z`` share
``B``; of them only the sum of outer products matters, which a few pseudo-persons carry.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from growthmm.engines.long.problem import LongProblem, refuse_infinite
from growthmm.engines.long.rows import Rows, distinct, ordered, transformed
from growthmm.engines.long.scaling import Scaling

__all__ = [
    "Products",
    "collect",
    "person_products",
    "semi_cholesky",
    "solve_lower",
    "square",
    "square_root",
]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.intp]

CHUNK_ROWS = 16_384


@dataclass(frozen=True)
class Products:
    """Sufficient statistics in structure-of-arrays form.

    Parameters
    ----------
    factor : (n_random, n_random, n_designs) ndarray
        ``B`` of each distinct design.
    counts : (n_designs,) ndarray
        Persons that have it.
    data : (n_fixed + 1, n_random, n_vectors) ndarray
        ``Q'[X, y]`` of (pseudo-)persons.
    design : (n_vectors,) ndarray of int, optional
        Design of each; None where they are the same, one by one.
    within : (n_fixed + 1, n_fixed + 1) ndarray
        Cross-products of ``[X, y]`` orthogonal to every person's `Z`.
    total : (n_fixed + 1, n_fixed + 1) ndarray
        All of them.
    n_rows, n_subjects : int
        Rows and persons.
    """

    factor: FloatArray
    counts: FloatArray
    data: FloatArray
    design: IntArray | None
    within: FloatArray
    total: FloatArray
    n_rows: int
    n_subjects: int

    @property
    def spare(self) -> int:
        """Rows beyond `n_random` a person (may be negative)."""
        return int(self.n_rows - self.factor.shape[0] * self.n_subjects)

    def part(self, chosen: IntArray) -> Products:
        """Some of the persons, where none share a design."""
        share = len(chosen) / self.n_subjects
        return replace(
            self,
            factor=np.ascontiguousarray(self.factor[:, :, chosen]),
            counts=self.counts[chosen],
            data=np.ascontiguousarray(self.data[:, :, chosen]),
            within=self.within * share,
            total=self.total * share,
            n_rows=round(self.n_rows * share),
            n_subjects=len(chosen),
        )


def collect(problem: LongProblem, scaling: Scaling) -> Products:
    """Take the cross-products, once."""
    rows = ordered(problem)
    q = problem.random.shape[1]
    squares, vectors, total = person_products(problem, scaling, rows)
    if not (np.isfinite(total).all() and np.isfinite(squares).all()):
        refuse_infinite(problem)
    first, place = distinct(squares)
    factor = semi_cholesky(square(squares[:, first], q))
    design: IntArray | None = None
    if len(first) < squares.shape[1]:
        counts = np.bincount(place, minlength=len(first)).astype(float)
        vectors, design = _compress(vectors, place, counts)
        factor_of = factor[:, :, design]
    else:
        counts, factor_of = np.ones(len(first)), factor
    data = solve_lower(factor_of, vectors)
    flat = data.reshape(data.shape[0], -1)
    return Products(
        factor,
        counts,
        data,
        design,
        total - flat @ flat.T,
        total,
        len(problem.outcome),
        len(rows.present),
    )


def person_products(
    problem: LongProblem, scaling: Scaling, rows: Rows
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """``Z'Z`` and ``Z'[X, y]`` person by person, and ``[X, y]'[X, y]``.

    Returns
    -------
    squares : (n_random * (n_random + 1) / 2, n_subjects) ndarray
        Lower triangles, row by row.
    vectors : (n_fixed + 1, n_random, n_subjects) ndarray
    total : (n_fixed + 1, n_fixed + 1) ndarray
    """
    q, c = problem.random.shape[1], problem.fixed.shape[1] + 1
    n = len(rows.present)
    pairs = [(a, b) for a in range(q) for b in range(a + 1)]
    squares, vectors = np.empty((len(pairs), n)), np.empty((c, q, n))
    total = np.zeros((c, c))
    for low, high in _chunks(rows.starts):
        first, last = int(rows.starts[low]), int(rows.starts[high])
        data, design = transformed(problem, scaling, _select(rows, first, last))
        total += data.T @ data
        z = np.ascontiguousarray(design.T)
        w = np.ascontiguousarray(data.T)
        at = rows.starts[low:high] - first
        for index, (a, b) in enumerate(pairs):
            squares[index, low:high] = np.add.reduceat(z[a] * z[b], at)
        for a in range(q):
            vectors[:, a, low:high] = np.add.reduceat(w * z[a], at, axis=1)
    return squares, vectors, total


def _chunks(starts: IntArray) -> list[tuple[int, int]]:
    """Ranges of persons with about `CHUNK_ROWS` rows each."""
    edges = np.arange(0, int(starts[-1]), CHUNK_ROWS)
    cuts = np.unique(np.append(np.searchsorted(starts[:-1], edges), len(starts) - 1))
    return [(int(a), int(b)) for a, b in pairwise(cuts)]


def _select(rows: Rows, first: int, last: int) -> slice | IntArray:
    return slice(first, last) if rows.order is None else rows.order[first:last]


def square_root(gram: FloatArray) -> FloatArray:
    """Rows whose outer products sum to `gram`."""
    values, vectors = np.linalg.eigh(gram)
    kept = values > 1e-17 * max(float(values[-1]), 0.0)
    return np.asarray((vectors[:, kept] * np.sqrt(values[kept])).T, dtype=float)


def _compress(
    vectors: FloatArray, place: IntArray, counts: FloatArray
) -> tuple[FloatArray, IntArray]:
    """Replace the persons of a large group by pseudo-persons with the same sum of products."""
    c, q, n = vectors.shape
    small = np.int16 if len(counts) < 2**15 else np.intp
    order = np.argsort(place.astype(small), kind="stable")
    edges = np.concatenate([[0], np.cumsum(counts)]).astype(np.intp)
    large = counts > c * q
    flat = vectors.reshape(c * q, n)
    alone = order[~large[place[order]]]
    parts, designs = [flat[:, alone]], [place[alone]]
    for group in np.flatnonzero(large):
        members = flat[:, order[edges[group] : edges[group + 1]]]
        root = square_root(members @ members.T)
        parts.append(root.T)
        designs.append(np.full(len(root), group, dtype=np.intp))
    design = np.concatenate(designs)
    return np.concatenate(parts, axis=1).reshape(c, q, -1), design


def square(lower: FloatArray, q: int) -> FloatArray:
    """Symmetric matrices (q, q, n) from their lower triangles, row by row."""
    out = np.empty((q, q, lower.shape[1]))
    index = 0
    for a in range(q):
        for b in range(a + 1):
            out[a, b] = out[b, a] = lower[index]
            index += 1
    return out


def semi_cholesky(squares: FloatArray) -> FloatArray:
    """Lower triangular `B` with ``B B' = squares`` for positive semi-definite matrices.

    Parameters
    ----------
    squares : (q, q, n) ndarray
        The matrices, last axis first in memory order of the batch.

    Returns
    -------
    (q, q, n) ndarray
        With zero columns where a pivot vanishes.
    """
    q = squares.shape[0]
    out = np.zeros(squares.shape)
    for a in range(q):
        for b in range(a):
            left = squares[a, b] - np.einsum("kg,kg->g", out[a, :b], out[b, :b])
            pivot = out[b, b]
            out[a, b] = np.where(pivot > 0, left / np.where(pivot > 0, pivot, 1.0), 0.0)
        left = squares[a, a] - np.einsum("kg,kg->g", out[a, :a], out[a, :a])
        out[a, a] = np.sqrt(np.where(left > 1e-13 * squares[a, a], left, 0.0))
    return out


def solve_lower(factor: FloatArray, right: FloatArray) -> FloatArray:
    """``B^-1 right`` over arrays (c, q, n), zero where `B` has a zero pivot."""
    out = np.empty(right.shape)
    for a in range(right.shape[1]):
        left = right[:, a].copy()
        for b in range(a):
            left -= factor[a, b] * out[:, b]
        pivot = factor[a, a]
        out[:, a] = left * np.where(pivot > 0, 1.0 / np.where(pivot > 0, pivot, 1.0), 0.0)
    return out
