"""How far a point is from the optimum, in standard errors."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["newton_step"]

FloatArray = NDArray[np.float64]


def newton_step(score: FloatArray, information: FloatArray, turn: FloatArray) -> float:
    """The largest component of a Newton step, in standard errors.

    Parameters
    ----------
    score : (n_parameters,) ndarray
        In coordinates in which the information is well scaled.
    information : (n_parameters, n_parameters) ndarray
        Observed, in the same coordinates.
    turn : (n_user_parameters, n_parameters) ndarray
        Derivative of the user's parameters by these coordinates.

    Returns
    -------
    float
        ``max |T I^-1 s| / SE``; infinite where the information is not positive definite.

    Examples
    --------
    >>> newton_step(np.array([2.0]), np.array([[4.0]]), np.eye(1))
    1.0
    """
    if not (np.all(np.isfinite(score)) and np.all(np.isfinite(information))):
        return float("inf")
    scale = 1 / np.sqrt(np.maximum(np.abs(np.diag(information)), 1e-300))
    curvature, basis = np.linalg.eigh(information * np.outer(scale, scale))
    if curvature.min() <= 1e-14 * curvature.max():
        return float("inf")
    root = (turn * scale) @ (basis / np.sqrt(curvature))
    step = root @ (basis.T @ (scale * score) / np.sqrt(curvature))
    errors = np.linalg.norm(root, axis=1)
    return float(np.max(np.abs(step) / np.where(errors > 0, errors, np.inf)))
