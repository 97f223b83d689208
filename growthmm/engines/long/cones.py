"""Blocks that must be positive semi-definite, as affine functions of the free parameters."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from growthmm.engines.long.parametrisation import Block
from growthmm.errors import SpecificationError

__all__ = ["Cone", "barrier", "cones_of", "inside", "null_vectors"]

FloatArray = NDArray[np.float64]

SINGULAR = 1e-8
BARRED = 1e-6
"""Share of the largest eigenvalue that counts as zero: exactly, and beside a barrier."""


@dataclass(frozen=True)
class Cone:
    """``constant + sum_k point_k slopes_k`` is positive semi-definite.

    Parameters
    ----------
    constant : (n_rows, n_rows) ndarray
    slopes : (n_free, n_rows, n_rows) ndarray
    basis : (n_block_rows, n_rows) ndarray
        Orthonormal; the block's rows in which the matrix ever differs from zero.
    block : int
        Which block it is.
    """

    constant: FloatArray
    slopes: FloatArray
    basis: FloatArray
    block: int

    def matrix(self, point: FloatArray) -> FloatArray:
        """The matrix at a point."""
        return np.asarray(self.constant + np.tensordot(point, self.slopes, axes=1), dtype=float)

    def holds(self, point: FloatArray) -> bool:
        """Whether the matrix is positive semi-definite, to rounding."""
        values = np.linalg.eigvalsh(self.matrix(point))
        return bool(values[0] >= -1e-10 * max(float(values[-1]), 1e-3))


def cones_of(
    blocks: tuple[Block, ...], constant: FloatArray, slope: FloatArray, *, bounded: bool
) -> tuple[Cone, ...]:
    """The cones of all blocks that are not fixed altogether.

    Parameters
    ----------
    blocks : tuple of Block
        Matrices among the covariance parameters.
    constant : (n_covariance,) ndarray
    slope : (n_covariance, n_free) ndarray
        The covariance parameters are ``constant + slope @ point``.
    bounded : bool
        Whether a fixed block has to be a covariance matrix.

    Raises
    ------
    SpecificationError
        If a block is fixed at a matrix that is none.
    """
    out = []
    for index, block in enumerate(blocks):
        fixed = block.matrix(constant)
        slopes = np.array([block.matrix(column) for column in slope.T])
        slopes = slopes.reshape(slope.shape[1], block.size, block.size)
        if not slopes.any():
            values = np.linalg.eigvalsh(fixed)
            if bounded and values[0] < -1e-10 * max(float(values[-1]), 1e-300):
                raise SpecificationError(
                    "A block is fixed at a matrix that is no covariance matrix: its smallest "
                    f"eigenvalue is {values[0] / abs(values).max():.3g} of its largest.",
                    hint="Fix covariances within their variances, or use bounds='none'.",
                )
            continue
        size = max(float(np.abs(fixed).max()), 1e-300)
        stacked = np.concatenate([fixed / size, *slopes])
        _, values, vectors = np.linalg.svd(stacked, full_matrices=True)
        basis = vectors[: int(np.sum(values > 1e-9 * float(values[0])))].T
        out.append(Cone(basis.T @ fixed @ basis, basis.T @ slopes @ basis, basis, index))
    return tuple(out)


def barrier(
    cones: tuple[Cone, ...], point: FloatArray
) -> tuple[float, FloatArray, FloatArray] | None:
    """``sum log|matrix|`` with gradient and Hessian; None outside the cones."""
    n = len(point)
    value, gradient, curvature = 0.0, np.zeros(n), np.zeros((n, n))
    for cone in cones:
        try:
            lower = np.linalg.cholesky(cone.matrix(point))
        except np.linalg.LinAlgError:
            return None
        root = np.linalg.inv(lower)
        turned = root @ cone.slopes @ root.T
        flat = turned.reshape(n, -1)
        value += 2.0 * float(np.sum(np.log(np.diag(lower))))
        gradient += np.einsum("kii->k", turned)
        curvature -= flat @ flat.T
    return value, gradient, curvature


def inside(cones: tuple[Cone, ...], point: FloatArray) -> FloatArray | None:
    """A point near `point` well inside every cone, by alternating projections.

    Von Neumann's projections onto the cones and onto the affine set of the pattern, with margins
    that fall until they meet (Bauschke & Borwein 1996, doi:10.1137/S0036144593251710).
    """
    if not cones:
        return point
    design = np.concatenate([cone.slopes.reshape(len(point), -1) for cone in cones], axis=1).T
    solve = np.linalg.pinv(design, rcond=1e-12)
    for margin in (0.05, 1e-2, 1e-3, 1e-5):
        trial = np.array(point, dtype=float)
        for _ in range(300):
            missing, far = [], False
            for cone in cones:
                matrix = cone.matrix(trial)
                values, vectors = np.linalg.eigh(matrix)
                floor = margin * max(float(np.abs(values).max()), 0.1)
                far = far or bool(values[0] < 0.2 * floor)
                lifted = np.maximum(values, floor)
                missing.append(((vectors * lifted) @ vectors.T - matrix).ravel())
            if not far:
                return trial
            trial = trial + solve @ np.concatenate(missing)
    return None


def null_vectors(cone: Cone, point: FloatArray, *, barred: bool) -> FloatArray:
    """Directions without variance, (n_rows, n_null), of no or negative variance."""
    values, vectors = np.linalg.eigh(cone.matrix(point))
    share = BARRED if barred else SINGULAR
    return np.asarray(vectors[:, values <= share * max(float(values[-1]), 1e-3)], dtype=float)
