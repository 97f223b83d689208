"""Second derivatives and expected information of a block of cells.

But for the moments' own curvature, with V_k = W dSigma_k and S = W R W::

    fisher_kl =   n tr(V_k V_l) / 2
    mixed_kl  =   tr(V_k S dSigma_l)
    means_jk  =   tr(dM_j' W dM_k ww)
    cross_kj  =   tr(dM_j' V_k G)

Where cells share the derivatives of the moments, the cells' part of each is summed first,
``sum_c W_ab S_cd`` and the like, which is one matrix product over cells; the derivatives then meet
the sum once. That costs T^4 a cell in place of k T^3 in pieces too small for a processor.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from growthmm.engines.wide.ram import Jacobian
from growthmm.engines.wide.statistics import Cells

__all__ = ["Second", "gram", "second"]

FloatArray = NDArray[np.float64]

MANY_OUTCOMES = 24
"""Outcomes beyond which the sum over cells, T^4 numbers, is larger than what it saves."""


@dataclass(frozen=True)
class Second:
    """The four parts, k over parameters of covariances, j over those of means.

    Parameters
    ----------
    fisher, mixed : (n_cov, n_cov) ndarray
        `mixed` is not yet symmetric.
    means : (n_mean, n_mean) ndarray
        The means' information.
    cross : (n_cov, n_mean) ndarray
        Covariances by means.
    """

    fisher: FloatArray
    mixed: FloatArray
    means: FloatArray
    cross: FloatArray


def gram(left: FloatArray, right: FloatArray) -> FloatArray:
    """Sum over cells of ``sum_xy left[c, i, x, y] right[c, j, x, y]``."""
    if len(left) == len(right) == 1:
        # Counted, since with no parameters there is nothing to count from.
        size = left.shape[2] * left.shape[3]
        one = left[0].reshape(left.shape[1], size)
        return np.asarray(one @ right[0].reshape(right.shape[1], size).T)
    return np.asarray(np.tensordot(left, right, axes=([0, 2, 3], [0, 2, 3])))


def second(cells: Cells, w: FloatArray, spread: FloatArray, g: FloatArray, jac: Jacobian) -> Second:
    """The parts, summed over cells.

    Parameters
    ----------
    cells : Cells
        Statistics.
    w : (n_cells, T, T) ndarray
        Inverse covariance matrices, zero where not observed.
    spread : (n_cells, T, T) ndarray
        ``W R W``.
    g : (n_cells, T, 1 + q) ndarray
        ``W C``.
    jac : Jacobian
        Derivatives of the moments, of one design or one for each cell.
    """
    slope = jac.mean @ cells.transform
    if len(jac.sigma) == 1 and len(w) > 1 and w.shape[1] <= MANY_OUTCOMES:
        return _pooled(cells, w, spread, g, (jac.sigma[0], slope[0]))
    slope = np.broadcast_to(slope, (len(w), *slope.shape[1:]))
    v = w[:, None] @ jac.sigma
    return Second(
        gram(0.5 * cells.n[:, None, None, None] * v, v.swapaxes(2, 3)),
        gram(v, (spread[:, None] @ jac.sigma).swapaxes(2, 3)),
        gram(slope @ cells.ww[:, None], w[:, None] @ slope),
        gram(v @ g[:, None], slope),
    )


def _pooled(
    cells: Cells,
    w: FloatArray,
    spread: FloatArray,
    g: FloatArray,
    derivatives: tuple[FloatArray, FloatArray],
) -> Second:
    count, t, r = g.shape
    sigma = derivatives[0].reshape(-1, t * t)
    slope = derivatives[1].reshape(-1, t * r)
    flat = w.reshape(count, t * t)
    turned = flat.T

    def around(right: FloatArray) -> FloatArray:
        """``sum_abcd A_ab J_bc B_cd J_da`` from ``sum_c A_ab B_cd``."""
        four = (turned @ right).reshape(t, t, t, t).transpose(1, 2, 3, 0)
        return np.asarray(sigma @ four.reshape(t * t, t * t) @ sigma.T)

    ww = (turned @ cells.ww.reshape(count, r * r)).reshape(t, t, r, r).transpose(0, 2, 1, 3)
    across = (turned @ g.reshape(count, t * r)).reshape(t, t, t, r).transpose(1, 2, 0, 3)
    return Second(
        around((0.5 * cells.n)[:, None] * flat),
        around(spread.reshape(count, t * t)),
        slope @ ww.reshape(t * r, t * r) @ slope.T,
        sigma @ across.reshape(t * t, t * r) @ slope.T,
    )
