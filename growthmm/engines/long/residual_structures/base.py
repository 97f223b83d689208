"""What a residual structure is: a covariance matrix of a person's rows, with derivatives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from growthmm.engines.long.parametrisation import Block

__all__ = ["Evaluated", "Pattern", "Structure", "variance_blocks"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.intp]


@dataclass(frozen=True)
class Pattern:
    """The rows of persons who have the same number of them.

    Parameters
    ----------
    occasion : (n_patterns, n_times) ndarray of int
        Index of each row's time.
    stratum : (n_patterns, n_times) ndarray of int
        Level of each row's grouping column.
    """

    occasion: IntArray
    stratum: IntArray


@dataclass(frozen=True)
class Evaluated:
    """Residual covariance matrices and their derivatives.

    Parameters
    ----------
    matrix : (n_patterns, n_times, n_times) ndarray
    first : (n_parameters, n_patterns, n_times, n_times) ndarray
    second : tuple of ((int, int), ndarray)
        Second derivatives that are not zero, a <= b, each (n_patterns, n_times, n_times).
    """

    matrix: FloatArray
    first: FloatArray
    second: tuple[tuple[tuple[int, int], FloatArray], ...] = ()


class Structure(Protocol):
    """A residual structure, bound to a problem.

    Attributes
    ----------
    names : tuple of str
        Its parameters.
    powers : tuple of int
        Power of the outcome's unit in each: 2 for variances and covariances, 0 for correlations.
    blocks : tuple of Block
        Parameters that are (entries of) positive semi-definite matrices, by own index.
    linear : bool
        Whether the matrix is linear in the parameters.
    by_occasion, by_stratum : bool
        What of a row it depends on.
    """

    names: tuple[str, ...]
    powers: tuple[int, ...]
    blocks: tuple[Block, ...]
    linear: bool
    by_occasion: bool
    by_stratum: bool

    def start(self, variance: float) -> FloatArray:
        """Admissible parameters with about this variance, at no special point."""

    def evaluate(self, parameters: FloatArray, pattern: Pattern) -> Evaluated | None:
        """Matrices and derivatives; None outside the parameters' domain."""


def variance_blocks(places: tuple[int, ...]) -> tuple[Block, ...]:
    """One 1 x 1 block for each variance."""
    return tuple(Block(((0, 0),), (place,), 1) for place in places)
