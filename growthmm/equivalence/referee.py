"""The referee's log-likelihood of a mixed model: dense, person by person, nothing profiled."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from growthmm.engines.long.problem import LongProblem
from growthmm.equivalence.moment_functions import MixedMoments
from growthmm.moments.gaussian import GaussianGroup, grouped_log_likelihood
from growthmm.moments.restricted import RestrictedGroup, restricted_log_likelihood

__all__ = ["referee_log_likelihood", "subset"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.intp]


def referee_log_likelihood(
    problem: LongProblem, values: FloatArray, estimator: str = "ml"
) -> float:
    """Log-likelihood by the definition of the multivariate normal density.

    For REML the fixed effects in `values` play no part: they are profiled out by generalised
    least squares, as the restricted likelihood is defined.

    Parameters
    ----------
    problem : LongProblem
        The model and data.
    values : (n_parameters,) ndarray
        In the order of the long engine's parameters.
    estimator : {"ml", "reml"}
        Which likelihood.
    """
    beta, G, residual = MixedMoments(problem).matrices(values)
    plain: list[GaussianGroup] = []
    restricted: list[RestrictedGroup] = []
    for rows in _alike(problem):
        Z = problem.random[rows[0]]
        covariance = Z @ G @ Z.T + np.diag(residual[rows[0]])
        if estimator == "reml":
            restricted.append(
                RestrictedGroup(problem.outcome[rows], problem.fixed[rows], covariance)
            )
        else:
            means = problem.fixed[rows] @ beta
            plain.append(GaussianGroup(problem.outcome[rows], means, covariance))
    if estimator == "reml":
        return restricted_log_likelihood(restricted).log_likelihood
    return grouped_log_likelihood(plain)


def _alike(problem: LongProblem) -> list[IntArray]:
    """Rows of persons who share a covariance matrix, (n_persons, n_times) for each group."""
    order = np.lexsort((problem.occasion, problem.subject))
    counts = np.bincount(problem.subject, minlength=problem.n_subjects)
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    groups: list[IntArray] = []
    for size in np.unique(counts[counts > 0]):
        persons = np.flatnonzero(counts == size)
        rows = order[starts[persons][:, None] + np.arange(size)]
        design = np.concatenate(
            [problem.random[rows].reshape(len(persons), -1), problem.occasion[rows]], axis=1
        )
        _, which = np.unique(design, axis=0, return_inverse=True)
        which = np.asarray(which).ravel()
        groups += [rows[which == k] for k in range(int(which.max()) + 1)]
    return groups


def subset(problem: LongProblem, persons: IntArray) -> LongProblem:
    """The problem of some of the persons."""
    from dataclasses import replace

    new = np.full(problem.n_subjects, -1, dtype=np.intp)
    new[persons] = np.arange(len(persons))
    rows = np.flatnonzero(new[problem.subject] >= 0)
    return replace(
        problem,
        outcome=problem.outcome[rows],
        fixed=problem.fixed[rows],
        random=problem.random[rows],
        subject=new[problem.subject[rows]],
        n_subjects=len(persons),
        occasion=problem.occasion[rows],
        strata=None if problem.strata is None else problem.strata[rows],
    )
