"""The sandwich for few persons: bias-reduced linearisation, with degrees of freedom."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

__all__ = ["bias_reduced"]

FloatArray = NDArray[np.float64]


def bias_reduced(
    equations: Iterable[tuple[FloatArray, FloatArray, FloatArray]], gls: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Sandwich covariance CR2 of generalised least squares, and each coefficient's df.

    The residuals of person i are multiplied by ``A_i = L (L'(V_i - X_i M X_i')L)^(-1/2) L'`` with
    ``V_i = L L'`` and ``M = (X'V^-1X)^-1``, so that the sandwich is unbiased where the working
    model `V` is right (Bell & McCaffrey 2002; Pustejovsky & Tipton 2018,
    doi:10.1080/07350015.2016.1247004). The degrees of freedom match the first two moments of the
    variance estimate under the working model to those of a chi-square.

    Parameters
    ----------
    equations : iterable of (design, covariance, residual)
        Persons in batches: (n, n_times, n_fixed), (n, n_times, n_times) and (n, n_times).
    gls : (n_fixed, n_fixed) ndarray
        `M`.

    Returns
    -------
    covariance : (n_fixed, n_fixed) ndarray
    degrees : (n_fixed,) ndarray
    """
    p = len(gls)
    meat = np.zeros((p, p))
    first, second, mixed = np.zeros(p), np.zeros(p), np.zeros(p)
    outer = np.zeros((p, p, p))
    for design, covariance, residual in equations:
        lower = np.linalg.cholesky(covariance)
        upper = lower.transpose(0, 2, 1)
        left = covariance - design @ gls @ design.transpose(0, 2, 1)
        root = _inverse_root(upper @ left @ lower)
        white = np.linalg.solve(lower, design)
        influence = lower @ root @ white @ gls
        scores = np.einsum("gnp,gn->gp", influence, residual)
        meat += scores.T @ scores
        # Under the working model the persons' scores covary as P = diag(own) - b M b'.
        own = np.einsum("gnp,gnm,gmp->gp", influence, covariance, influence)
        b = np.einsum("gnq,gnp->gpq", design, influence)
        shared = np.einsum("gpq,qr,gpr->gp", b, gls, b)
        first += (own - shared).sum(axis=0)
        second += (own**2).sum(axis=0)
        mixed += (own * shared).sum(axis=0)
        outer += np.einsum("gpq,gpr->pqr", b, b)
    turned = outer @ gls
    squares = second - 2.0 * mixed + np.einsum("pqr,prq->p", turned, turned)
    return meat, first**2 / squares


def _inverse_root(matrices: FloatArray) -> FloatArray:
    """Inverse symmetric square roots over the positive directions, (n, m, m)."""
    values, vectors = np.linalg.eigh(matrices)
    largest = values[:, -1:]
    solid = values > 1e-10 * largest
    powers = np.where(solid, 1.0 / np.sqrt(np.where(solid, values, 1.0)), 0.0)
    return np.asarray((vectors * powers[:, None, :]) @ vectors.transpose(0, 2, 1))
