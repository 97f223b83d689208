"""What factor scores are expected to be, given covariates."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from growthmm.engines.wide.problem import WideGroup, WideProblem

__all__ = ["expected_scores"]

FloatArray = NDArray[np.float64]


def expected_scores(problem: WideProblem, values: FloatArray) -> FloatArray:
    """Means of the latent variables of every person, given covariates.

    Parameters
    ----------
    problem : WideProblem
        Model and data; definition variables among latent variables and covariates are used.
    values : (n_parameters,) ndarray
        Parameter values.

    Returns
    -------
    (n_subjects, n_latent) ndarray
        Persons group after group; a covariate that is missing counts as zero.
    """
    model = problem.model
    known = dict(zip(model.free_parameters, values.tolist(), strict=True))
    at = {name: k for k, name in enumerate(model.latent)}
    column = {name: k for k, name in enumerate(model.covariates)}
    made = []
    for g, group in enumerate(problem.groups):
        assert isinstance(group, WideGroup)
        held = dict(group.definitions)
        n = len(group.covariates)
        means = np.zeros((n, len(at)))
        among = np.zeros((n, len(at), len(at)))
        filled = np.nan_to_num(group.covariates)
        for path in model.paths:
            if path.group != g or path.op == "~~":
                continue
            left, right = (path.left, path.right) if path.op != "=~" else (path.right, path.left)
            if left not in at:
                continue
            value: FloatArray | float
            if path.free:
                value = known[path.parameter]
            elif path.definition is not None:
                value = np.nan_to_num(held[path.definition])
            else:
                value = path.value or 0.0
            if path.op == "~1":
                means[:, at[left]] += value
            elif right in at:
                among[:, at[left], at[right]] = value
            elif right in column:
                means[:, at[left]] += value * filled[:, column[right]]
        made.append(np.linalg.solve(np.eye(len(at)) - among, means[..., None])[..., 0])
    return np.concatenate(made)
