"""What factor scores are expected to be, given covariates."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from growthmm.engines.wide.problem import WideGroup, WideProblem

__all__ = ["expected_scores", "own_deviations"]

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


def own_deviations(problem: WideProblem, values: FloatArray, scores: FloatArray) -> FloatArray:
    """What is each latent variable's own in its factor score: random effects on the mixed side.

    Parameters
    ----------
    problem : WideProblem
        Model and data.
    values : (n_parameters,) ndarray
        Parameter values.
    scores : (n_subjects, n_latent) ndarray
        Factor scores.

    Returns
    -------
    (n_subjects, n_latent) ndarray
        Scores less their expectation, and less what fixed paths bring from other latent
        variables: a state of second-order growth without the growth.
    """
    model = problem.model
    at = {name: k for k, name in enumerate(model.latent)}
    off = scores - expected_scores(problem, values)
    made = off.copy()
    for path in model.paths:
        if path.op not in ("=~", "~") or path.free or path.group or not path.value:
            continue
        left, right = (path.left, path.right) if path.op == "~" else (path.right, path.left)
        if left in at and right in at and path.definition is None:
            made[:, at[left]] -= path.value * off[:, at[right]]
    return made
