"""Whether a random-effects or residual covariance is singular, or no covariance at all."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from growthmm.engines.long.parametrisation import Block
from growthmm.engines.outcome import Boundary

__all__ = ["describe", "find_boundary", "touched"]

FloatArray = NDArray[np.float64]

SINGULAR = 1e-8


def find_boundary(
    blocks: tuple[Block, ...],
    *,
    internal: FloatArray,
    user: FloatArray,
    names: tuple[str, ...],
    labels: tuple[tuple[str, ...], ...],
    residual: float,
    transform: FloatArray,
    columns: tuple[tuple[int, ...], ...],
) -> tuple[Boundary, FloatArray]:
    """Look at every block.

    Parameters
    ----------
    blocks : tuple of Block
        Matrices among the covariance parameters.
    internal, user : (n_covariance,) ndarray
        The parameters in internal units, which judge, and in the user's, which are told.
    names : tuple of str
        Their names.
    labels : tuple of tuple of str
        Names of each block's rows.
    residual : float
        Typical residual variance, in internal units.
    transform : (n_random, n_random) ndarray
        Random-effects columns in internal units per user's column.
    columns : tuple of tuple of int
        Columns of each block, empty for residual blocks.

    Returns
    -------
    Boundary
    affected : (n_covariance,) ndarray of bool
        Parameters without a standard error.
    """
    affected = np.zeros(len(names), dtype=bool)
    beyond = False
    said: list[str] = []
    direction = np.zeros(len(transform))
    for block, rows, own in zip(blocks, labels, columns, strict=True):
        matrix = block.matrix(internal)
        values, vectors = np.linalg.eigh(matrix)
        size = max(float(values[-1]), 1e-3 * residual)
        if values[0] > SINGULAR * size:
            continue
        beyond = beyond or bool(values[0] < -SINGULAR * size)
        null = vectors[:, values <= SINGULAR * size]
        if own:
            # v in internal coordinates has the variance v'G~v; the user's G = K G~ K'.
            part = transform[np.ix_(own, own)]
            null = np.linalg.solve(part.T, null)
            null /= np.linalg.norm(null, axis=0)
            if not np.any(direction):
                direction[list(own)] = null[:, 0]
        support = touched(null)
        for (a, b), place in zip(block.entries, block.places, strict=True):
            if support[a] or support[b]:
                affected[place] = True
        said.append(describe(block, block.matrix(user), rows, bool(values[0] < -SINGULAR * size)))
    if not said:
        return Boundary(), affected
    boundary = Boundary(
        at_boundary=True,
        beyond=beyond,
        parameters=tuple(n for n, hit in zip(names, affected, strict=True) if hit),
        direction=tuple(float(v) for v in direction) if np.any(direction) else (),
        description="; ".join(said),
    )
    return boundary, affected


def touched(null: FloatArray) -> NDArray[np.bool_]:
    """Rows of a matrix on which directions without variance lie."""
    size = np.max(np.abs(null), axis=1)
    return np.asarray(size > 1e-6 * float(size.max()), dtype=bool)


def describe(block: Block, matrix: FloatArray, rows: tuple[str, ...], beyond: bool) -> str:
    """In plain words, what is at its bound (or beyond it)."""
    verdict = "is no covariance matrix" if beyond else "is at its bound"
    variances = np.diag(matrix)
    # What a variance's own scale is cannot be read off a zero; the largest of the block's is used.
    tiny = 1e-9 * float(np.max(np.abs(variances), initial=0.0))
    zero = [i for i, v in enumerate(variances) if v <= tiny]
    if zero or block.size == 1:
        shown = variances if beyond else np.zeros(len(variances))
        parts = [f"var({rows[i]}) = {shown[i]:.6g}" for i in (zero or [0])]
        return f"{', '.join(parts)} {'below' if beyond else 'at'} its bound 0"
    deviations = np.sqrt(variances)
    correlation = matrix / np.outer(deviations, deviations)
    pairs = [(a, b) for a in range(block.size) for b in range(a + 1, block.size)]
    extreme = max(pairs, key=lambda pair: abs(correlation[pair]))
    a, b = extreme
    if abs(correlation[extreme]) > 1 - 1e-6:
        where = "beyond" if beyond else "at"
        sign = "-1" if correlation[extreme] < 0 else "1"
        return f"cor({rows[a]}, {rows[b]}) = {correlation[extreme]:.6g} {where} its bound {sign}"
    return (
        f"the covariance matrix of {', '.join(rows)} {verdict}: its largest correlation is "
        f"cor({rows[a]}, {rows[b]}) = {correlation[extreme]:.6g}, its smallest eigenvalue "
        f"{np.linalg.eigvalsh(matrix)[0]:.6g}"
    )
