"""The referee's log-likelihood of a mixed model: dense, person by person, nothing profiled."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from growthmm.engines.long import at_values
from growthmm.engines.long.problem import LongProblem
from growthmm.equivalence.moment_functions import MixedMoments
from growthmm.moments.gaussian import GaussianGroup, grouped_log_likelihood
from growthmm.moments.restricted import RestrictedGroup, restricted_log_likelihood

__all__ = ["referee_log_likelihood", "rounding", "subset"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.intp]


def referee_log_likelihood(
    problem: LongProblem, values: FloatArray, estimator: str = "ml"
) -> float:
    """Log-likelihood by the definition of the multivariate normal density.

    The restricted one, ``l(b, v) + p log(2 pi) / 2 - log|X'V^-1X| / 2`` at the given fixed effects
    b, is what restricts the likelihood maximised over b (Harville 1977,
    doi:10.1080/01621459.1977.10480998) with the full density at b in the place of the one at its
    maximum.

    Parameters
    ----------
    problem : LongProblem
        The model and data.
    values : (n_parameters,) ndarray
        In the order of the long engine's parameters.
    estimator : {"ml", "reml"}
        Which likelihood.

    Returns
    -------
    float
        Minus infinity where a person's covariance matrix is not positive definite.
    """
    problem, values = at_values(problem, values)
    beta = values[: problem.fixed.shape[1]]
    groups = list(_groups(problem, values))

    def density(effects: FloatArray) -> float:
        return grouped_log_likelihood(
            [
                GaussianGroup(problem.outcome[rows], problem.fixed[rows] @ effects, covariance)
                for rows, covariance in groups
            ]
        )

    value = density(beta)
    if estimator != "reml" or not np.isfinite(value):
        return value
    restricted = restricted_log_likelihood(
        [
            RestrictedGroup(problem.outcome[rows], problem.fixed[rows], covariance)
            for rows, covariance in groups
        ]
    )
    return restricted.log_likelihood + value - density(restricted.fixed_effects)


def rounding(problem: LongProblem, values: FloatArray) -> float:
    """How far rounding to double precision alone can move the log-likelihood at these values.

    Where time counts from a distant origin, ``Z G Z'`` is a small difference of large products;
    where covariates are near collinear, so are the means. A program that is given these values and
    works on sums of squares and products of centred columns can do no better than this.

    Parameters
    ----------
    problem : LongProblem
        The model and data.
    values : (n_parameters,) ndarray
        In the order of the long engine's parameters.

    Returns
    -------
    float
        First-order bound, in log-likelihood units: one rounding in each of the products that are
        summed.
    """
    problem, values = at_values(problem, values)
    mixed = MixedMoments(problem)
    beta, G = mixed.matrices(values)
    fixed = np.asarray(problem.fixed)
    design = np.abs(fixed - fixed.mean(axis=0)) @ np.abs(beta)
    products = design + np.abs(problem.outcome - problem.outcome.mean())
    total = 0.0
    for rows, covariance in _groups(problem, values):
        Z = np.abs(np.asarray(problem.random[rows[0]]))
        size = mixed.shared(Z, np.abs(G), rows[0]) + np.abs(mixed.residual(values, rows[0]))
        inverse = np.linalg.inv(covariance)
        weighted = (problem.outcome[rows] - problem.fixed[rows] @ beta) @ inverse
        moved = np.abs(np.einsum("ns,nt->nst", weighted, weighted) - inverse)
        total += 0.5 * float(np.einsum("nst,st->", moved, size))
        total += float(np.sum((products[rows] @ np.abs(inverse)) * products[rows]))
    return float(np.finfo(float).eps) * total


def _groups(problem: LongProblem, values: FloatArray) -> Iterator[tuple[IntArray, FloatArray]]:
    """Rows (n_persons, n_times) of persons alike, and the covariance matrix of each of them."""
    mixed = MixedMoments(problem)
    for rows in _alike(problem):
        yield rows, mixed.covariance(values, rows[0])


def _alike(problem: LongProblem) -> list[IntArray]:
    """Rows of persons who share a covariance matrix, (n_persons, n_times) for each group.

    Of clusters of persons each is a group of its own.
    """
    if problem.clusters is not None:
        code = np.asarray(problem.clusters.code)
        return [np.flatnonzero(code == k)[None] for k in np.unique(code)]
    order = np.lexsort((problem.occasion, problem.subject))
    counts = np.bincount(problem.subject, minlength=problem.n_subjects)
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    groups: list[IntArray] = []
    for size in np.unique(counts[counts > 0]):
        persons = np.flatnonzero(counts == size)
        rows = order[starts[persons][:, None] + np.arange(size)]
        parts = [problem.random[rows].reshape(len(persons), -1), problem.occasion[rows]]
        if problem.strata is not None:
            parts.append(problem.strata[rows])
        design = np.concatenate(parts, axis=1)
        _, which = np.unique(design, axis=0, return_inverse=True)
        which = np.asarray(which).ravel()
        groups += [rows[which == k] for k in range(int(which.max()) + 1)]
    return groups


def subset(problem: LongProblem, persons: IntArray) -> LongProblem:
    """The problem of some of the persons."""
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
        loadings=None
        if problem.loadings is None
        else replace(problem.loadings, at=problem.loadings.at[rows]),
    )
