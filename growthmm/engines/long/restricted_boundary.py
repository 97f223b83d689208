"""Which blocks of a restricted fit are singular, or no covariance matrices."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from growthmm.engines.long.boundary import describe, touched
from growthmm.engines.long.cones import SINGULAR, Cone, null_vectors
from growthmm.engines.long.parametrisation import Block
from growthmm.engines.long.prepared import Prepared
from growthmm.engines.outcome import Boundary

__all__ = ["describe_boundary"]

FloatArray = NDArray[np.float64]


def describe_boundary(
    cones: tuple[Cone, ...],
    point: FloatArray,
    *,
    labels: tuple[tuple[str, ...], ...],
    columns: tuple[tuple[int, ...], ...],
    ready: Prepared,
    user: FloatArray,
    barred: bool,
) -> tuple[Boundary, NDArray[np.bool_]]:
    """Look at every cone.

    Parameters
    ----------
    cones : tuple of Cone
        The blocks that are not fixed.
    point : (n_free,) ndarray
        Where the search ended.
    labels, columns : tuple of tuple
        Names of each block's rows and their random-effects columns.
    ready : Prepared
        The problem.
    user : (n_covariance,) ndarray
        All covariance parameters in the user's units.
    barred : bool
        Whether the point was found beside a barrier.

    Returns
    -------
    Boundary
    affected : (n_free,) ndarray of bool
        Parameters without a standard error.
    """
    restriction = ready.restriction
    assert restriction is not None
    affected = np.zeros(len(restriction.names), dtype=bool)
    direction = np.zeros(len(ready.scaling.random))
    said: list[str] = []
    beyond = False
    for cone in cones:
        null = null_vectors(cone, point, barred=barred)
        if not null.shape[1]:
            continue
        values = np.linalg.eigvalsh(cone.matrix(point))
        below = bool(values[0] < -SINGULAR * max(float(values[-1]), 1e-3))
        beyond = beyond or below
        block, own = ready.blocks[cone.block], columns[cone.block]
        null = cone.basis @ null
        if own:
            null = np.asarray(
                np.linalg.solve(ready.scaling.random[np.ix_(own, own)].T, null), dtype=float
            )
            null /= np.linalg.norm(null, axis=0)
        rows = _moving_rows(block, restriction.matrix, restriction.constant)
        null[~rows] = 0.0
        if own and not np.any(direction):
            direction[list(own)] = null[:, 0]
        support = touched(null)
        for (a, b), place in zip(block.entries, block.places, strict=True):
            if support[a] or support[b]:
                affected |= restriction.matrix[place] != 0.0
        shown = _without(block, rows)
        names = tuple(n for n, keep in zip(labels[cone.block], rows, strict=True) if keep)
        said.append(describe(shown, shown.matrix(user), names, below))
    if not said:
        return Boundary(), affected
    return (
        Boundary(
            at_boundary=True,
            beyond=beyond,
            parameters=tuple(n for n, hit in zip(restriction.names, affected, strict=True) if hit),
            direction=tuple(float(v) for v in direction) if np.any(direction) else (),
            description="; ".join(said),
        ),
        affected,
    )


def _moving_rows(block: Block, matrix: FloatArray, constant: FloatArray) -> NDArray[np.bool_]:
    """Rows of a block that are not all zero."""
    out = np.zeros(block.size, dtype=bool)
    for (a, b), place in zip(block.entries, block.places, strict=True):
        if constant[place] or matrix[place].any():
            out[a] = out[b] = True
    return out


def _without(block: Block, rows: NDArray[np.bool_]) -> Block:
    """The block of some of the rows."""
    at = np.cumsum(rows) - 1
    kept = [
        ((int(at[a]), int(at[b])), place)
        for (a, b), place in zip(block.entries, block.places, strict=True)
        if rows[a] and rows[b]
    ]
    return Block(tuple(e for e, _ in kept), tuple(p for _, p in kept), int(rows.sum()))
