"""Each person's mean equation: design of the parameters of the means, covariance, residuals."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from growthmm.engines.wide import ram as r
from growthmm.engines.wide.problem import WideGroup, WideProblem
from growthmm.engines.wide.statistics import Persons, persons
from growthmm.engines.wide.system import compile_problem
from growthmm.errors import FitFailedError, UnsupportedEngineError

__all__ = ["person_equations"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.intp]

CHUNK = 2048


def person_equations(
    problem: WideProblem, values: FloatArray, fixed: IntArray
) -> Iterator[tuple[FloatArray, FloatArray, FloatArray]]:
    """``y_i = X_i theta + r_i`` with ``Cov(r_i) = V_i``, persons of one pattern together.

    Parameters
    ----------
    problem : WideProblem
        Model and data (persons, not moments).
    values : (n_parameters,) ndarray
        The estimates.
    fixed : (n_fixed,) ndarray of int
        Parameters in which the means are linear.

    Yields
    ------
    design : (n_persons, n_observed, n_fixed) ndarray
    covariance : (n_persons, n_observed, n_observed) ndarray
    residual : (n_persons, n_observed) ndarray

    Raises
    ------
    UnsupportedEngineError
        If a group is given by its moments.
    FitFailedError
        If the likelihood does not exist at `values`.
    """
    values = np.asarray(values, dtype=float)
    for (ram, _), data in zip(compile_problem(problem).groups, problem.groups, strict=True):
        if not isinstance(data, WideGroup):
            raise UnsupportedEngineError(
                "Moments hold no persons, and robust standard errors need them.",
                hint="Give the rows of the data.",
            )
        rows = persons(ram, data)
        patterns, place = np.unique(rows.observed, axis=0, return_inverse=True)
        place = place.reshape(-1)
        for k, seen in enumerate(patterns):
            members = np.flatnonzero(place == k)
            if not seen.any():
                continue
            for start in range(0, len(members), CHUNK):
                yield _equations(
                    ram, rows, members[start : start + CHUNK], seen, values=values, fixed=fixed
                )


def _equations(
    ram: r.Ram,
    rows: Persons,
    members: IntArray,
    seen: NDArray[np.bool_],
    *,
    values: FloatArray,
    fixed: IntArray,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    t, n = ram.n_outcomes, len(members)
    at = r.implied(ram, values, None if rows.designs is None else rows.designs[members])
    if at is None:
        raise FitFailedError(
            "The likelihood does not exist at these values.",
            hint="Take values from a fit that converged.",
        )
    w = rows.regressors[members]
    slopes = r.jacobian(ram, at).mean
    design = np.zeros((n, t, len(fixed)))
    place = {int(k): c for c, k in enumerate(fixed)}
    for index, parameter in enumerate(ram.mean_parameters):
        if int(parameter) in place:
            moved = np.broadcast_to(slopes[:, index], (n, *slopes.shape[2:]))
            design[:, :, place[int(parameter)]] = np.einsum("ntw,nw->nt", moved, w)
    mean = np.broadcast_to(at.mean[:, :t], (n, *at.mean[:, :t].shape[1:]))
    residual = rows.outcomes[members] - np.einsum("ntw,nw->nt", mean, w)
    sigma = np.broadcast_to(at.sigma[:, :t, :t], (n, t, t))
    return design[:, seen], sigma[:, seen][:, :, seen], residual[:, seen]
