"""Slopes of a mixed model's moments in the parameters of its loadings."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from growthmm.engines.long.problem import LongProblem

__all__ = ["design_slopes"]

FloatArray = NDArray[np.float64]


def design_slopes(
    problem: LongProblem, loadings: FloatArray, rows: NDArray[np.integer[Any]]
) -> tuple[FloatArray, FloatArray]:
    """Derivatives of some rows of both designs by each loading parameter.

    Parameters
    ----------
    problem : LongProblem
        With loadings.
    loadings : (n_loadings,) ndarray
        Values of their parameters.
    rows : (n,) ndarray of int
        The rows.

    Returns
    -------
    fixed : (n_loadings, n, n_fixed) ndarray
    random : (n_loadings, n, n_random) ndarray
    """
    curves = problem.loadings
    assert curves is not None
    slopes = curves.evaluate(loadings).first
    at = curves.at[rows]
    made = []
    for design, which in ((problem.fixed, curves.fixed), (problem.random, curves.random)):
        out = np.zeros((len(curves.names), len(rows), len(which)))
        columns = np.asarray(design[rows])
        for column, place in enumerate(which):
            if place >= 0:
                out[:, :, column] = slopes[place][:, at] * columns[:, column]
        made.append(out)
    return made[0], made[1]
