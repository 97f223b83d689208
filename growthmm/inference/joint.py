"""The joint likelihood of outcomes and covariates, beside the conditional one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from growthmm.engines.wide.problem import WideGroup, WideProblem
from growthmm.errors import DataError
from growthmm.rendering import Brief

__all__ = ["JointLikelihood", "joint_likelihood"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, repr=False)
class JointLikelihood(Brief):
    """What a program reports that does not condition on covariates.

    Parameters
    ----------
    log_likelihood : float
        Of outcomes and covariates, the latter saturated and normal.
    covariate_log_likelihood : float
        The part that is the covariates' alone.
    n_parameters : int
        The model's, plus means, variances and covariances of the covariates.
    """

    log_likelihood: float
    covariate_log_likelihood: float
    n_parameters: int


def joint_likelihood(
    problem: WideProblem, log_likelihood: float, n_parameters: int
) -> JointLikelihood:
    """Add the saturated normal log-likelihood of the covariates to a conditional one.

    ``log L(y, x) = log L(y | x) + log L(x)``; fixed covariates' moments are estimated apart from
    the model, so that both parts are maximised on their own (equivalence condition 9).

    Parameters
    ----------
    problem : WideProblem
        The model and data.
    log_likelihood : float
        The conditional log-likelihood.
    n_parameters : int
        The conditional model's parameters.

    Returns
    -------
    JointLikelihood
        The sum, and its parts.

    Raises
    ------
    DataError
        If a covariate has missing values, or the covariates are linearly dependent.
    """
    added, counted = 0.0, 0
    for group in problem.groups:
        if isinstance(group, WideGroup):
            x = group.covariates[np.isfinite(group.outcomes).any(axis=1)]
            if not np.all(np.isfinite(x)):
                raise DataError(
                    f"{int((~np.isfinite(x)).any(axis=1).sum())} persons lack a covariate, so the "
                    "covariates' own likelihood is not defined by complete cases.",
                    hint="Use the conditional log-likelihood, or complete covariates.",
                )
            n, covariance = len(x), np.atleast_2d(np.cov(x, rowvar=False, ddof=0))
        else:
            first = len(problem.model.outcomes)
            n, covariance = group.n, np.asarray(group.cov)[first:, first:]
        q = len(problem.model.covariates)
        if q:
            added += _saturated(covariance, n, q)
            counted += q * (q + 3) // 2
    return JointLikelihood(log_likelihood + added, added, n_parameters + counted)


def _saturated(covariance: FloatArray, n: int, q: int) -> float:
    scale = np.sqrt(np.diag(covariance))
    if np.any(scale == 0):
        raise DataError(
            "A covariate is the same for everyone, so it has no likelihood of its own.",
            hint="Leave it out.",
        )
    sign, logdet = np.linalg.slogdet(covariance / np.outer(scale, scale))
    if sign <= 0 or logdet < -30 * q:
        raise DataError(
            "The covariates are linearly dependent, so they have no likelihood of their own.",
            hint="Leave one of them out.",
        )
    return float(-0.5 * n * (q * np.log(2 * np.pi) + logdet + 2 * np.log(scale).sum() + q))
