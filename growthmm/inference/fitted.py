"""Fitted outcomes of the persons that a model was fitted to."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from growthmm.engines import long as long_engine
from growthmm.engines import wide as wide_engine
from growthmm.engines.prepare import LongData, WideData

__all__ = ["fitted_outcomes"]

FloatArray = NDArray[np.float64]


def fitted_outcomes(data: LongData | WideData, values: FloatArray, level: str) -> FloatArray:
    """``X b``, with ``Z u`` for persons.

    Parameters
    ----------
    data : LongData or WideData
        What was fitted.
    values : (n_parameters,) ndarray
        Estimates, in the engine's order.
    level : {"person", "population"}
        With the person's own random effects, or without.

    Returns
    -------
    ndarray
        (n_rows,) for a mixed model, (n_subjects, n_outcomes) for a structural equation model.
    """
    if isinstance(data, WideData):
        return wide_engine.fitted(
            data.problem, values, "person" if level == "person" else "population"
        )
    problem, values = long_engine.at_values(data.problem, values)
    mean: FloatArray = problem.fixed @ values[: problem.fixed.shape[1]]
    if level == "person" and problem.random.shape[1]:
        modes, _ = long_engine.random_effects(problem, values)
        own = modes[problem.subject]
        mean = mean + np.einsum("ij,ij->i", np.asarray(problem.random), own)
    return mean
