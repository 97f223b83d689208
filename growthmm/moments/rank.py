"""Numerical rank and null space of a Jacobian of moments."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from growthmm.errors import SpecificationError

__all__ = ["DEFAULT_TOLERANCE", "mixed_columns", "null_space", "rank"]

FloatArray = NDArray[np.float64]

DEFAULT_TOLERANCE = 1e-11
"""Smallest singular value, relative to the largest, that counts as not zero.

Columns are scaled to unit length first, so that units of the parameters do not matter. Entries of
an analytic Jacobian are right to a few units of rounding times the condition of ``I - A``, about
1e-14, and so (Weyl's inequality) are the singular values times the root of the number of entries:
below 1e-12. Real but weak identification lies above: columns 1, t, t^2 with t in 2008 ... 2013
have a smallest singular value near 1e-6. A Jacobian by finite differences needs 1e-6.
"""


def _singular(jacobian: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Singular values (padded to the columns), right vectors and scales of the columns."""
    matrix = np.asarray(jacobian, dtype=float)
    if matrix.ndim != 2 or not np.all(np.isfinite(matrix)):
        raise SpecificationError(
            f"A Jacobian, {matrix.shape}, is not a finite matrix.",
            hint="Evaluate it at admissible parameter values.",
        )
    largest = np.abs(matrix).max(axis=0, initial=0.0)
    scaled = matrix / np.where(largest > 0, largest, 1.0)
    lengths = np.sqrt(np.sum(scaled**2, axis=0))
    scaled = scaled / np.where(lengths > 0, lengths, 1.0)
    n_columns = matrix.shape[1]
    if matrix.shape[0] < n_columns:
        scaled = np.vstack([scaled, np.zeros((n_columns - matrix.shape[0], n_columns))])
    _, values, vectors = np.linalg.svd(scaled, full_matrices=False)
    scales = np.where(largest > 0, largest, 1.0) * np.where(lengths > 0, lengths, 1.0)
    return values, vectors, scales


def rank(jacobian: FloatArray, *, tolerance: float = DEFAULT_TOLERANCE) -> int:
    """Count the parameters, or combinations of them, that the moments can tell apart.

    Parameters
    ----------
    jacobian : (n_moments, n_parameters) ndarray
        Derivatives of the moments.
    tolerance : float
        Smallest relative singular value that counts.

    Returns
    -------
    int
        The numerical rank after scaling every column to unit length.

    Raises
    ------
    SpecificationError
        If it is no finite matrix.

    Examples
    --------
    >>> rank(np.array([[1.0, 1e-9], [1.0, 1e-9], [1.0, 0.0]]))
    2
    >>> rank(np.array([[1.0, 2.0], [2.0, 4.0]]))
    1
    """
    values, _, _ = _singular(jacobian)
    if not values.size or values[0] == 0.0:
        return 0
    return int(np.sum(values > tolerance * values[0]))


def null_space(jacobian: FloatArray, *, tolerance: float = DEFAULT_TOLERANCE) -> FloatArray:
    """Directions in the parameters that leave the moments alone.

    Parameters
    ----------
    jacobian : (n_moments, n_parameters) ndarray
        Derivatives of the moments.
    tolerance : float
        As in :func:`rank`.

    Returns
    -------
    (n_parameters, n_parameters - rank) ndarray
        Unit vectors, in the parameters' own units.

    Raises
    ------
    SpecificationError
        If it is no finite matrix.

    Examples
    --------
    >>> null_space(np.array([[1.0, 1.0], [2.0, 2.0]])).round(3).ravel()
    array([-0.707,  0.707])
    """
    values, vectors, scales = _singular(jacobian)
    found = rank(jacobian, tolerance=tolerance) if values.size else 0
    basis = vectors[found:].T / scales[:, None]
    basis = basis / np.sqrt(np.sum(basis**2, axis=0, keepdims=True))
    first = np.argmax(np.abs(basis) > 1e-8, axis=0)
    signs = np.sign(basis[first, np.arange(basis.shape[1])])
    return np.asarray(-basis * np.where(signs == 0, 1.0, signs), dtype=float)


def mixed_columns(jacobian: FloatArray, *, tolerance: float = DEFAULT_TOLERANCE) -> tuple[int, ...]:
    """Find the parameters that the null space mixes.

    Parameters
    ----------
    jacobian : (n_moments, n_parameters) ndarray
        Derivatives of the moments.
    tolerance : float
        As in :func:`rank`.

    Returns
    -------
    tuple of int
        Columns that have a part in some null direction.

    Raises
    ------
    SpecificationError
        If it is no finite matrix.

    Examples
    --------
    >>> mixed_columns(np.array([[1.0, 1.0, 0.0], [0.0, 0.0, 1.0]]))
    (0, 1)
    """
    values, vectors, _ = _singular(jacobian)
    found = rank(jacobian, tolerance=tolerance) if values.size else 0
    share = np.sqrt(np.sum(vectors[found:] ** 2, axis=0))
    return tuple(int(column) for column in np.flatnonzero(share > 1e-6))
