"""Free parameters of the search, of which covariance parameters are quadratic functions.

Under positive semi-definite bounds ``G = L L'`` (Pinheiro & Bates 1996, doi:10.1007/BF00140873)
and variances are squares; otherwise the search runs in the covariance parameters themselves.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Block", "FreeParameters", "free_parameters"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Block:
    """Parameters that together are one positive semi-definite matrix.

    Parameters
    ----------
    entries : tuple of (int, int)
        Row and column of each entry within the matrix, row <= column.
    places : tuple of int
        Where the entries stand among the covariance parameters.
    size : int
        Rows of the matrix.
    """

    entries: tuple[tuple[int, int], ...]
    places: tuple[int, ...]
    size: int

    def matrix(self, parameters: FloatArray) -> FloatArray:
        """The matrix at `parameters` (all covariance parameters)."""
        out = np.zeros((self.size, self.size))
        for (a, b), place in zip(self.entries, self.places, strict=True):
            out[a, b] = out[b, a] = parameters[place]
        return out


@dataclass(frozen=True)
class FreeParameters:
    """``parameters_a = linear_a . free + free' quadratic_a free / 2``.

    Parameters
    ----------
    linear : (n, n) ndarray
    quadratic : (n, n, n) ndarray
        Symmetric in the last two.
    blocks : tuple of Block
        Matrices that are written as ``L L'``.
    """

    linear: FloatArray
    quadratic: FloatArray
    blocks: tuple[Block, ...]

    def value(self, free: FloatArray) -> FloatArray:
        """The covariance parameters."""
        return np.asarray(self.linear @ free + 0.5 * (self.quadratic @ free) @ free, dtype=float)

    def jacobian(self, free: FloatArray) -> FloatArray:
        """Their derivatives, (parameter, free)."""
        return np.asarray(self.linear + self.quadratic @ free, dtype=float)

    def pull_back(
        self, free: FloatArray, gradient: FloatArray, hessian: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Gradient and Hessian in the free parameters."""
        slope = self.jacobian(free)
        curved = slope.T @ hessian @ slope + np.tensordot(gradient, self.quadratic, axes=1)
        return slope.T @ gradient, curved

    def free(self, parameters: FloatArray) -> FloatArray:
        """Free parameters that give `parameters`, whose blocks are positive semi-definite."""
        out = np.array(parameters, dtype=float)
        for block in self.blocks:
            matrix = block.matrix(parameters)
            values, vectors = np.linalg.eigh(matrix)
            root = vectors * np.sqrt(np.maximum(values, 0.0))
            lower: FloatArray = np.asarray(np.linalg.qr(root.T, mode="r")).T
            lower = lower * np.where(np.diag(lower) < 0, -1.0, 1.0)
            for (a, b), place in zip(block.entries, block.places, strict=True):
                out[place] = lower[b, a]
        return out


def free_parameters(n: int, blocks: tuple[Block, ...]) -> FreeParameters:
    """Parametrisation with the given blocks as ``L L'`` and the rest as themselves."""
    linear, quadratic = np.eye(n), np.zeros((n, n, n))
    for block in blocks:
        at = dict(zip(block.entries, block.places, strict=True))
        for (a, b), place in at.items():
            linear[place, place] = 0.0
            for c in range(a + 1):
                # G_ab = sum_c L_ac L_bc; the free parameter of entry (c, a) is L_ac.
                if (c, a) in at and (c, b) in at:
                    quadratic[place, at[c, a], at[c, b]] += 1.0
                    quadratic[place, at[c, b], at[c, a]] += 1.0
    return FreeParameters(linear, quadratic, blocks)
