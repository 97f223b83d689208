"""Dense factorisations of a covariance matrix, as the referee uses them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from growthmm.errors import SpecificationError

__all__ = ["Factor", "factorise"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Factor:
    """A positive definite matrix, factorised.

    Parameters
    ----------
    inverse : (n_times, n_times) ndarray
        The inverse.
    log_determinant : float
        Logarithm of the determinant.
    whiten : (n_times, n_times) ndarray
        Inverse of the lower Cholesky factor.
    """

    inverse: FloatArray
    log_determinant: float
    whiten: FloatArray


def factorise(covariance: FloatArray) -> Factor | None:
    """Cholesky-factorise a covariance matrix.

    Parameters
    ----------
    covariance : (n_times, n_times) ndarray
        A symmetric matrix.

    Returns
    -------
    Factor or None
        None where the matrix is not positive definite: no density exists there.

    Raises
    ------
    SpecificationError
        If the matrix is not square, not finite or not symmetric.

    Examples
    --------
    >>> round(factorise(np.diag([4.0, 9.0])).log_determinant, 6)
    3.583519
    >>> factorise(np.array([[1.0, 2.0], [2.0, 1.0]])) is None
    True
    """
    matrix = np.asarray(covariance, dtype=float)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise SpecificationError(
            f"A covariance matrix has the shape {matrix.shape}.", hint="It must be square."
        )
    if not np.all(np.isfinite(matrix)):
        raise SpecificationError(
            "A covariance matrix holds values that are not finite.",
            hint="Check the parameter values that it was computed from.",
        )
    size = float(np.abs(matrix).max(initial=0.0))
    gap = float(np.abs(matrix - matrix.T).max(initial=0.0))
    if gap > 1e-8 * size:
        raise SpecificationError(
            f"A covariance matrix is not symmetric: largest difference {gap:.3g}.",
            hint="Average it with its transpose if that is rounding.",
        )
    try:
        lower = np.linalg.cholesky(0.5 * (matrix + matrix.T))
    except np.linalg.LinAlgError:
        return None
    whiten: FloatArray = np.linalg.solve(lower, np.eye(lower.shape[0])).astype(float)
    return Factor(whiten.T @ whiten, float(2.0 * np.sum(np.log(np.diag(lower)))), whiten)
