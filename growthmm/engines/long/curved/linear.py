"""A curved problem at values of its loading parameters, where it is linear."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from growthmm.engines.long.problem import LongProblem

__all__ = ["at_loadings", "at_values"]

FloatArray = NDArray[np.float64]


def at_loadings(problem: LongProblem, loadings: FloatArray) -> LongProblem:
    """The linear mixed model that a problem is at values of its loading parameters.

    Parameters
    ----------
    problem : LongProblem
        With loadings.
    loadings : (n_loadings,) ndarray
        Their values.
    """
    curves = problem.loadings
    assert curves is not None
    return replace(
        problem,
        fixed=curves.multiplied(problem.fixed, curves.fixed, loadings),
        random=curves.multiplied(problem.random, curves.random, loadings),
        loadings=None,
    )


def at_values(problem: LongProblem, values: FloatArray) -> tuple[LongProblem, FloatArray]:
    """The linear problem at a point of all parameters, and the point in its own parameters.

    A problem without loadings is returned as it is.

    Parameters
    ----------
    problem : LongProblem
        Any problem.
    values : (n_parameters,) ndarray
        In the order of ``parameter_names(problem)``.
    """
    if problem.loadings is None:
        return problem, np.asarray(values, dtype=float)
    p = problem.fixed.shape[1]
    n = len(problem.loadings.names)
    point = np.asarray(values, dtype=float)
    return at_loadings(problem, point[p : p + n]), np.delete(point, np.s_[p : p + n])
