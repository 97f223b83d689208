"""Which contrasts of the coefficients a term of a formula stands for: sums of types I, II, III."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["TermColumns", "type_1", "type_2", "type_3"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.intp]

NEGLIGIBLE = 1e-9


@dataclass(frozen=True)
class TermColumns:
    """Where a term's columns stand in the design, and in that with every level written out.

    Parameters
    ----------
    numeric : frozenset of str
        Its factors that are numbers.
    categorical : frozenset of str
        Its factors that are categories.
    columns : (n_own,) ndarray of int
        Its columns of the fitted design.
    indicators : (n_indicators,) ndarray of int
        Its columns of the design in which every category has an indicator a level.
    free : (n_own,) ndarray of int
        Those of them that remain where first levels are the reference.
    """

    numeric: frozenset[str]
    categorical: frozenset[str]
    columns: IntArray
    indicators: IntArray
    free: IntArray

    def contains(self, other: TermColumns) -> bool:
        """Whether `other` is marginal to this term: same numbers, fewer categories."""
        return self.numeric == other.numeric and other.categorical < self.categorical


def type_1(design: FloatArray, terms: Sequence[TermColumns], which: int) -> FloatArray:
    """Contrasts of a term given those that stand before it alone.

    ``X_k' M X`` with `M` the projection off the columns of earlier terms.

    Parameters
    ----------
    design : (n_rows, n_fixed) ndarray
        The fitted design, of full column rank.
    terms : sequence of TermColumns
        All terms in the order of the formula, the intercept among them.
    which : int
        Whose contrasts.

    Returns
    -------
    (n_contrasts, n_fixed) ndarray
        Linearly independent rows.

    Examples
    --------
    >>> one, two = (TermColumns(frozenset(n), frozenset(), *[np.array([k])] * 3)
    ...             for k, n in enumerate(("a", "b")))
    >>> design = np.array([[1.0, 1.0], [1.0, 3.0], [0.0, 1.0]])
    >>> type_1(design, (one, two), 0).round(3).tolist()
    [[1.0, 2.0]]
    """
    return _given(design, [term.columns for term in terms[:which]], terms[which].columns)


def type_2(design: FloatArray, terms: Sequence[TermColumns], which: int) -> FloatArray:
    """Contrasts of a term given all terms that do not contain it.

    Parameters are those of :func:`type_1`.

    Examples
    --------
    >>> one, two = (TermColumns(frozenset(n), frozenset(), *[np.array([k])] * 3)
    ...             for k, n in enumerate(("a", "b")))
    >>> design = np.array([[1.0, 1.0], [1.0, 3.0], [0.0, 1.0]])
    >>> type_2(design, (one, two), 0).tolist()
    [[1.0, 0.0]]
    """
    own = terms[which]
    before = [t.columns for t in terms if t is not own and not t.contains(own)]
    if len(before) == len(terms) - 1:
        return np.asarray(np.eye(design.shape[1])[own.columns])
    return _given(design, before, own.columns)


def type_3(
    design: FloatArray, indicators: FloatArray, terms: Sequence[TermColumns], which: int
) -> FloatArray:
    """Contrasts of a term that hold all others, at equal weights for the levels of categories.

    Let ``D = X M`` be the design with an indicator for every level. A contrast `k` is an estimable
    function ``M' k`` of the levels' effects. Those of a term involve it and the terms that contain
    it alone, and are orthogonal to all that involve only the latter (SAS Institute 1978, Tests of
    hypotheses in fixed-effects linear models; Goodnight 1980, doi:10.1080/03610928008827869).
    They depend on no coding of the categories.

    Parameters
    ----------
    design : (n_rows, n_fixed) ndarray
        The fitted design `X`, of full column rank.
    indicators : (n_rows, n_indicators) ndarray
        The design `D`, which spans the same columns.
    terms : sequence of TermColumns
        All terms.
    which : int
        Whose contrasts.

    Returns
    -------
    (n_contrasts, n_fixed) ndarray
        Linearly independent rows.

    Examples
    --------
    The mean of two groups' slopes, and their difference:

    >>> t, group = np.array([0.0, 1.0, 0.0, 1.0]), np.array([0.0, 0.0, 1.0, 1.0])
    >>> slope = TermColumns(frozenset("t"), frozenset(), *[np.array([0])] * 3)
    >>> both = TermColumns(frozenset("t"), frozenset("g"), *map(np.array, ([1], [1, 2], [2])))
    >>> indicators = np.column_stack([t, t * (1 - group), t * group])
    >>> type_3(np.column_stack([t, t * group]), indicators, (slope, both), 0).round(6).tolist()
    [[1.0, 0.5]]
    """
    own = terms[which]
    above = [t.indicators for t in terms if t is not own and t.contains(own)]
    higher = np.concatenate([np.empty(0, dtype=np.intp), *above])
    made = _solved(design, indicators)
    others = np.setdiff1d(np.arange(made.shape[1]), np.concatenate([own.indicators, higher]))
    allowed = _null_space(made[:, others].T)
    functions = allowed.T @ made
    marginal = _null_space(functions[:, own.indicators].T)
    inner = _null_space((functions @ functions.T @ marginal).T)
    rows = (allowed @ inner).T
    return _stated(rows, rows @ made, own.free)


def _solved(design: FloatArray, indicators: FloatArray) -> FloatArray:
    """The matrix `M` of ``D = X M``."""
    q, r = np.linalg.qr(design)
    made = np.linalg.solve(r, q.T @ indicators)
    return np.where(np.abs(made) < NEGLIGIBLE, 0.0, made)


def _given(design: FloatArray, before: Sequence[IntArray], own: IntArray) -> FloatArray:
    """A row a column, given the columns before and the term's own earlier ones; 1 at its own.

    Satterthwaite's denominator depends on which rows say a hypothesis; these are lmerTest's.
    """
    known = np.concatenate([*before, own[:-1]]).astype(np.intp)
    q, r = np.linalg.qr(design[:, [*known, own[-1]]])
    lengths = np.linalg.norm(design, axis=0)
    rows = []
    for k, column in enumerate(own):
        place = len(known) - len(own) + 1 + k
        left = q[:, place] * r[place, place]
        row = left @ design
        # As cosines, so that no unit of a column decides what counts as zero.
        small = np.abs(row) < NEGLIGIBLE * np.linalg.norm(left) * lengths
        rows.append(np.where(small, 0.0, row / row[column]))
    return np.array(rows)


def _null_space(matrix: FloatArray) -> FloatArray:
    """An orthonormal basis of the vectors that a matrix takes to zero, (n_columns, n_basis)."""
    if matrix.size == 0:
        return np.eye(matrix.shape[1])
    _, sizes, vectors = np.linalg.svd(matrix)
    rank = int(np.sum(sizes > 1e-8 * max(1.0, float(sizes[0]))))
    return np.asarray(vectors[rank:].T)


def _stated(rows: FloatArray, functions: FloatArray, free: IntArray) -> FloatArray:
    """The rows that are 1 at one free effect each and 0 at the others; as they are where none are.

    Such are lmerTest's rows: each level against the reference.
    """
    picked = functions[:, free]
    if picked.shape[0] == picked.shape[1] and np.linalg.cond(picked) < 1 / NEGLIGIBLE:
        rows = np.asarray(np.linalg.solve(picked, rows), dtype=float)
    return np.where(np.abs(rows) < NEGLIGIBLE * np.abs(rows).max(), 0.0, rows)
