"""Each person's design, covariance matrix and residuals, in the user's units."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from growthmm.engines.long.effects import whitened_persons
from growthmm.engines.long.evaluation import admissible
from growthmm.engines.long.prepared import prepare
from growthmm.engines.long.problem import LongProblem

__all__ = ["person_equations"]

FloatArray = NDArray[np.float64]


def person_equations(
    problem: LongProblem, values: FloatArray
) -> Iterator[tuple[FloatArray, FloatArray, FloatArray]]:
    """``y_i = X_i beta + r_i`` with ``Cov(r_i) = V_i``, persons with as many rows together.

    Parameters
    ----------
    problem : LongProblem
        Model and data.
    values : (n_parameters,) ndarray
        In the order of `parameter_names`.

    Yields
    ------
    design : (n_persons, n_times, n_fixed) ndarray
    covariance : (n_persons, n_times, n_times) ndarray
    residual : (n_persons, n_times) ndarray
    """
    ready = prepare(problem)
    admissible(ready, values)
    internal = ready.internal(values)
    p, unit = ready.n_fixed, ready.scaling.unit
    fixed, parameters = internal[:p], internal[p:]
    forward = np.linalg.inv(ready.jacobian[:p, :p]) * unit
    for _, inverse, _, data in whitened_persons(problem, ready, parameters):
        lower = np.linalg.inv(inverse)
        residual = unit * (data @ np.append(-fixed, 1.0))
        yield data[..., :p] @ forward, unit**2 * lower @ lower.transpose(0, 2, 1), residual
