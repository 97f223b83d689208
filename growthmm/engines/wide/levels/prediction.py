"""Latent variables and fitted outcomes of persons within clusters."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from growthmm.engines.wide import ram as r
from growthmm.engines.wide.patterns import invert_patterns
from growthmm.engines.wide.problem import WideGroup
from growthmm.engines.wide.statistics import persons, reach
from growthmm.errors import FitFailedError

__all__ = ["LevelScores", "level_scores"]

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]


@dataclass(frozen=True)
class LevelScores:
    """What both levels say of each person.

    Parameters
    ----------
    scores : (n_subjects, n_latent) ndarray
        Conditional means of the latent variables, those of clusters repeated for its persons.
    covariances : (n_subjects, n_latent, n_latent) ndarray
        Conditional covariance matrices.
    population, person : (n_subjects, T) ndarray
        Expected outcomes given the covariates, and given the scores too.
    """

    scores: FloatArray
    covariances: FloatArray
    population: FloatArray
    person: FloatArray


def level_scores(rams: tuple[r.Ram, r.Ram], data: WideGroup, values: FloatArray) -> LevelScores:
    """Conditional moments of the latent variables of both levels.

    Parameters
    ----------
    rams : tuple of Ram
        Matrices of persons and of clusters.
    data : WideGroup
        Persons with their clusters.
    values : (n_parameters,) ndarray
        Parameter values.

    Returns
    -------
    LevelScores
        Persons in the order of the data, those without outcomes too; NaN where a covariate that
        acts is missing.

    Raises
    ------
    FitFailedError
        If an outcomes' covariance matrix is not positive definite.
    """
    t = rams[0].n_outcomes
    rows = persons(rams[0], data)
    acts = reach(rams[0])[0] | reach(rams[1])[0]
    unknown = ~rows.known @ acts
    observed = rows.observed & ~unknown[:, :t]
    inner, outer = r.implied(rams[0], values), r.implied(rams[1], values)
    found = None
    if inner is not None and outer is not None:
        found = invert_patterns(inner.sigma[:, :t, :t], observed)
    if inner is None or outer is None or found is None:
        raise FitFailedError(
            "The covariance matrix of the outcomes is not positive definite at these values.",
            hint="Take values from a fit that converged.",
        )
    inverse = found[0]
    means = rows.regressors @ (inner.mean + outer.mean)[0].T
    gap = np.where(observed, rows.outcomes - means[:, :t], 0.0)
    codes = np.unique(np.asarray(data.clusters), return_inverse=True)[1].reshape(-1)
    n = int(codes.max()) + 1
    weight, pulled = np.zeros((n, t, t)), np.zeros((n, t))
    np.add.at(weight, codes, inverse)
    np.add.at(pulled, codes, np.einsum("nab,nb->na", inverse, gap))
    between = outer.sigma[0, :t, :t]
    spread = between @ np.linalg.inv(np.eye(t) + weight @ between)
    own = np.einsum("cab,cb->ca", spread, pulled)[codes]
    left = np.einsum("nab,nb->na", inverse, gap - own)
    total = np.zeros((n, t))
    np.add.at(total, codes, left)
    low, high = inner.sigma[0, t:, :t], outer.sigma[0, t:, :t]
    scores = means[:, t:] + left @ low.T + total[codes] @ high.T
    held, weights = spread[codes], weight[codes]
    alone = inverse - inverse @ held @ inverse
    across = inverse - inverse @ held @ weights
    both = weights - weights @ held @ weights
    covariances = (inner.sigma + outer.sigma)[:, t:, t:] - low @ alone @ low.T
    mixed = low @ across @ high.T
    covariances = covariances - mixed - mixed.swapaxes(1, 2) - high @ both @ high.T
    lost = unknown[:, t:]
    population = np.where(unknown[:, :t], np.nan, means[:, :t])
    return LevelScores(
        np.where(lost, np.nan, scores),
        covariances,
        population,
        population + _carried(rams, values, scores - means[:, t:]),
    )


def _carried(rams: tuple[r.Ram, r.Ram], values: FloatArray, deviation: FloatArray) -> FloatArray:
    """What the latent variables' deviations from their means do to the outcomes."""
    t = rams[0].n_outcomes
    found = np.zeros((len(deviation), t))
    for ram in rams:
        a = r.matrices(ram, values, None)[0][0]
        loads = np.linalg.solve(np.eye(t) - a[:t, :t], a[:t, t:])
        found += deviation @ loads.T
    return found
