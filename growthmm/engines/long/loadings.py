"""Design columns that hold parameters: a loading that is a function of them, row by row."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Curves", "Loadings"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Curves:
    """Functions of some parameters at some points, with their derivatives.

    Parameters
    ----------
    value : (n_curves, n_points) ndarray
        The functions.
    first : (n_curves, n_parameters, n_points) ndarray
        First derivatives.
    second : (n_curves, n_parameters, n_parameters, n_points) ndarray
        Second derivatives.
    """

    value: FloatArray
    first: FloatArray
    second: FloatArray


@dataclass(frozen=True)
class Loadings:
    """The parameters in a problem's design, and how its columns depend on them.

    A column of the problem's `fixed` or `random` that has a curve stands there without it; the
    design is the column times the curve.

    Parameters
    ----------
    names : tuple of str
        The parameters.
    starts : (n_starts, n_parameters) ndarray
        Where a search may begin.
    at : (n_rows,) ndarray of int
        The point of each row.
    fixed, random : tuple of int
        The curve of each column; -1 where it has none.
    evaluate : callable
        From values of the parameters to the curves at all points.
    """

    names: tuple[str, ...]
    starts: FloatArray
    at: NDArray[np.intp]
    fixed: tuple[int, ...]
    random: tuple[int, ...]
    evaluate: Callable[[FloatArray], Curves]

    def multiplied(self, columns: Any, which: tuple[int, ...], values: FloatArray) -> FloatArray:
        """A design at values of the parameters, (n_rows, n_columns)."""
        made = np.array(columns[:], dtype=float)
        curves = self.evaluate(values).value
        for column, place in enumerate(which):
            if place >= 0:
                made[:, column] *= curves[place][self.at]
        return made
