"""Covariance matrices on the outcomes observed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["invert_patterns"]

FloatArray = NDArray[np.float64]


def invert_patterns(
    sigma: FloatArray, observed: NDArray[np.bool_]
) -> tuple[FloatArray, FloatArray] | None:
    """Inverses on the observed outcomes, zero elsewhere, and log-determinants."""
    index = np.arange(observed.shape[1])
    whole = bool(observed.all())
    both = observed[:, :, None] & observed[:, None, :]
    if whole:
        padded = np.broadcast_to(sigma, both.shape)
    else:
        padded = np.where(both, sigma, 0.0)
        padded[:, index, index] += ~observed
    try:
        factor = np.linalg.cholesky(padded)
    except np.linalg.LinAlgError:
        return None
    diagonal = factor[:, index, index]
    if not np.isfinite(diagonal).all():
        return None
    root = np.linalg.inv(factor)
    inverse = root.swapaxes(1, 2) @ root
    log_det = 2.0 * np.log(diagonal).sum(axis=1)
    return (inverse if whole else np.where(both, inverse, 0.0)), log_det
