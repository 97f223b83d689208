"""Moments of a linear mixed model."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from growthmm.errors import SpecificationError

__all__ = ["covariance_derivatives", "mixed_moments"]

FloatArray = NDArray[np.float64]


def mixed_moments(
    fixed: FloatArray,
    fixed_effects: FloatArray,
    random: FloatArray,
    random_cov: FloatArray,
    residual_cov: FloatArray,
) -> tuple[FloatArray, FloatArray]:
    """Marginal mean ``X b`` and covariance ``Z G Z' + R`` of one person, or of many.

    Parameters
    ----------
    fixed : (..., n_times, n_fixed) ndarray
        Fixed-effects design X.
    fixed_effects : (n_fixed,) ndarray
        Fixed effects b.
    random : (..., n_times, n_random) ndarray
        Random-effects design Z; n_random may be 0.
    random_cov : (n_random, n_random) ndarray
        Covariance G of the random effects.
    residual_cov : (n_times, n_times) ndarray
        Covariance R of the residuals.

    Returns
    -------
    mean : (..., n_times) ndarray
        Marginal means.
    cov : (..., n_times, n_times) ndarray
        Marginal covariance matrices.

    Raises
    ------
    SpecificationError
        If shapes do not fit together.

    References
    ----------
    Laird, N. M., & Ware, J. H. (1982). https://doi.org/10.2307/2529876

    Examples
    --------
    >>> X = np.array([[1.0, 0.0], [1.0, 1.0]])
    >>> mean, cov = mixed_moments(X, np.array([2.0, 0.5]), X, np.eye(2), 0.1 * np.eye(2))
    >>> mean
    array([2. , 2.5])
    >>> cov
    array([[1.1, 1. ],
           [1. , 2.1]])
    """
    X, Z = np.asarray(fixed, dtype=float), np.asarray(random, dtype=float)
    G, R = np.asarray(random_cov, dtype=float), np.asarray(residual_cov, dtype=float)
    n_times = X.shape[-2]
    if (
        Z.shape[-2] != n_times
        or X.shape[-1:] != np.shape(fixed_effects)
        or G.shape != (Z.shape[-1], Z.shape[-1])
        or R.shape[-2:] != (n_times, n_times)
    ):
        raise SpecificationError(
            f"Designs {X.shape} and {Z.shape}, effects {np.shape(fixed_effects)}, G {G.shape} and "
            f"R {R.shape} do not fit together.",
            hint="Rows of the designs are occasions; G is square in the columns of Z.",
        )
    return X @ fixed_effects, Z @ G @ np.swapaxes(Z, -1, -2) + R


def covariance_derivatives(
    random: FloatArray, entries: Sequence[tuple[int, int]], residual: FloatArray
) -> FloatArray:
    """Differentiate ``Z G Z' + R`` where both are linear in their parameters.

    Parameters
    ----------
    random : (n_times, n_random) ndarray
        Random-effects design Z.
    entries : sequence of (int, int)
        Free entries of G, each once.
    residual : (n_residual, n_times, n_times) ndarray
        Derivatives of R with respect to its own parameters.

    Returns
    -------
    (n_entries + n_residual, n_times, n_times) ndarray
        One matrix for each parameter.

    Examples
    --------
    >>> Z = np.array([[1.0, 0.0], [1.0, 2.0]])
    >>> covariance_derivatives(Z, [(0, 1)], np.eye(2)[None])[0]
    array([[0., 2.],
           [2., 4.]])
    """
    blocks = []
    for a, b in entries:
        outer = np.outer(random[:, a], random[:, b])
        blocks.append(outer if a == b else outer + outer.T)
    n_times = random.shape[0]
    stacked = np.array(blocks).reshape(-1, n_times, n_times)
    return np.concatenate([stacked, np.asarray(residual, dtype=float)])
