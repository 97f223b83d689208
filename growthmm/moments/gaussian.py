"""The referee: a plain dense Gaussian likelihood with exact derivatives.

Nothing here is profiled, pooled or reparametrised: the density is evaluated as it is defined, so
that both engines can be judged by it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from growthmm.errors import SpecificationError
from growthmm.moments.normal import factorise

__all__ = [
    "GaussianGroup",
    "GroupDerivatives",
    "ScoreAndInformation",
    "grouped_log_likelihood",
    "log_likelihood",
    "score_and_information",
]

FloatArray = NDArray[np.float64]

LOG_2PI = float(np.log(2.0 * np.pi))


@dataclass(frozen=True)
class GaussianGroup:
    """Persons who share one covariance matrix.

    Parameters
    ----------
    outcomes : (n_subjects, n_times) ndarray
        Their outcomes, complete.
    means : (n_subjects, n_times) or (n_times,) ndarray
        Their expected outcomes.
    covariance : (n_times, n_times) ndarray
        The covariance matrix of each person's outcomes.
    """

    outcomes: FloatArray
    means: FloatArray
    covariance: FloatArray

    @property
    def residuals(self) -> FloatArray:
        """Outcomes minus means, (n_subjects, n_times)."""
        outcomes = np.atleast_2d(np.asarray(self.outcomes, dtype=float))
        means = np.asarray(self.means, dtype=float)
        if outcomes.shape[1] != np.shape(self.covariance)[0] or means.shape not in (
            outcomes.shape,
            outcomes.shape[1:],
        ):
            raise SpecificationError(
                f"Outcomes {outcomes.shape}, means {means.shape} and covariance "
                f"{np.shape(self.covariance)} do not fit together.",
                hint="Give (n_subjects, n_times), the same or (n_times,), and (n_times, n_times).",
            )
        residuals: FloatArray = outcomes - means
        if not np.all(np.isfinite(residuals)):
            raise SpecificationError(
                "Outcomes or means hold values that are not finite.",
                hint="Put persons with the same missing outcomes in a group of their own.",
            )
        return residuals


@dataclass(frozen=True)
class GroupDerivatives:
    """Derivatives of one group's moments with respect to the parameters.

    Parameters
    ----------
    means : (n_subjects or 1, n_times, n_parameters) ndarray
        First derivatives of the means.
    covariance : (n_parameters, n_times, n_times) ndarray
        First derivatives of the covariance matrix.
    second_means : (n_subjects or 1, n_times, n_parameters, n_parameters) ndarray, optional
        Second derivatives of the means; None where they are linear.
    second_covariance : (n_parameters, n_parameters, n_times, n_times) ndarray, optional
        Second derivatives of the covariance matrix; None where it is linear.
    """

    means: FloatArray
    covariance: FloatArray
    second_means: FloatArray | None = None
    second_covariance: FloatArray | None = None


@dataclass(frozen=True)
class ScoreAndInformation:
    """A log-likelihood with its derivatives.

    Parameters
    ----------
    log_likelihood : float
        With all constants.
    score : (n_parameters,) ndarray
        Its gradient.
    expected : (n_parameters, n_parameters) ndarray
        Expected (Fisher) information.
    observed : (n_parameters, n_parameters) ndarray
        Observed information: the negative Hessian.
    """

    log_likelihood: float
    score: FloatArray
    expected: FloatArray
    observed: FloatArray


def log_likelihood(
    outcomes: Sequence[FloatArray], means: Sequence[FloatArray], covariances: Sequence[FloatArray]
) -> float:
    """Sum over persons of the multivariate normal log-density.

    ``-(T_i log 2 pi + log |V_i| + (y_i - mu_i)' V_i^-1 (y_i - mu_i)) / 2``, summed over i.

    Parameters
    ----------
    outcomes : sequence of (n_times_i,) ndarray
        Observed outcomes of each person.
    means : sequence of (n_times_i,) ndarray
        Their means.
    covariances : sequence of (n_times_i, n_times_i) ndarray
        Their covariance matrices.

    Returns
    -------
    float
        The log-likelihood; ``-inf`` where a covariance matrix is not positive definite.

    Raises
    ------
    SpecificationError
        If shapes do not fit or values are not finite.

    Examples
    --------
    >>> y, mean, cov = np.zeros(2), np.zeros(2), np.eye(2)
    >>> round(log_likelihood([y], [mean], [cov]), 6)
    -1.837877
    """
    return grouped_log_likelihood(
        [
            GaussianGroup(np.asarray(y, dtype=float)[None, :], np.asarray(m, dtype=float), v)
            for y, m, v in zip(outcomes, means, covariances, strict=True)
        ]
    )


def grouped_log_likelihood(groups: Sequence[GaussianGroup]) -> float:
    """Log-likelihood of persons collected by covariance matrix.

    Parameters
    ----------
    groups : sequence of GaussianGroup
        The persons.

    Returns
    -------
    float
        The sum of :func:`log_likelihood` over all persons.

    Raises
    ------
    SpecificationError
        If shapes do not fit or values are not finite.

    Examples
    --------
    >>> group = GaussianGroup(np.zeros((3, 2)), np.zeros(2), np.eye(2))
    >>> round(grouped_log_likelihood([group]), 6)
    -5.513631
    """
    total = 0.0
    for group in groups:
        residuals = group.residuals
        factor = factorise(group.covariance)
        if factor is None:
            return -np.inf
        n_subjects, n_times = residuals.shape
        total -= 0.5 * n_subjects * (n_times * LOG_2PI + factor.log_determinant)
        total -= 0.5 * float(np.sum((residuals @ factor.whiten.T) ** 2))
    return total


def score_and_information(
    groups: Sequence[GaussianGroup], derivatives: Sequence[GroupDerivatives]
) -> ScoreAndInformation:
    r"""Exact score, expected and observed information of the Gaussian log-likelihood.

    With :math:`r = y - \mu` and :math:`W = V^{-1}`, for each person

    .. math::

        \ell_a &= \mu_a' W r - \tfrac12 \operatorname{tr}(W V_a) + \tfrac12 r' W V_a W r \\
        I_{ab} &= \mu_a' W \mu_b + \tfrac12 \operatorname{tr}(W V_a W V_b) \\
        J_{ab} &= \mu_a' W \mu_b - \mu_{ab}' W r + \mu_a' W V_b W r + \mu_b' W V_a W r
                  - \tfrac12 \operatorname{tr}(W V_a W V_b) + r' W V_a W V_b W r
                  + \tfrac12 \operatorname{tr}(W V_{ab}) - \tfrac12 r' W V_{ab} W r

    Parameters
    ----------
    groups : sequence of GaussianGroup
        Persons by covariance matrix.
    derivatives : sequence of GroupDerivatives
        Derivatives of each group's moments.

    Returns
    -------
    ScoreAndInformation
        Summed over all persons.

    Raises
    ------
    SpecificationError
        If shapes do not fit, values are not finite or a covariance matrix is not positive definite.

    References
    ----------
    Magnus, J. R., & Neudecker, H. (2019). *Matrix Differential Calculus*, ch. 15.
    https://doi.org/10.1002/9781119541219

    Examples
    --------
    One parameter, the variance of independent outcomes:

    >>> group = GaussianGroup(np.array([[1.0, -1.0]]), np.zeros(2), 2.0 * np.eye(2))
    >>> change = GroupDerivatives(np.zeros((1, 2, 1)), np.eye(2)[None])
    >>> result = score_and_information([group], [change])
    >>> result.score, result.expected, abs(result.observed.round(12))
    (array([-0.25]), array([[0.25]]), array([[0.]]))
    """
    n_parameters = derivatives[0].covariance.shape[0] if derivatives else 0
    value = 0.0
    score = np.zeros(n_parameters)
    expected = np.zeros((n_parameters, n_parameters))
    observed = np.zeros((n_parameters, n_parameters))
    for group, change in zip(groups, derivatives, strict=True):
        part = _group_derivatives(group, change)
        value += part.log_likelihood
        score += part.score
        expected += part.expected
        observed += part.observed
    return ScoreAndInformation(value, score, expected, observed)


def _group_derivatives(group: GaussianGroup, change: GroupDerivatives) -> ScoreAndInformation:
    residuals = group.residuals
    n_subjects, n_times = residuals.shape
    factor = factorise(group.covariance)
    if factor is None:
        raise SpecificationError(
            "The implied covariance matrix is not positive definite here: its smallest eigenvalue "
            f"is {np.linalg.eigvalsh(group.covariance)[0]:.3g}.",
            hint="Derivatives exist only at admissible parameter values.",
        )
    weight = factor.inverse
    dmean = np.broadcast_to(change.means, (n_subjects, *change.means.shape[1:]))
    dcov = change.covariance
    weighted = residuals @ weight  # W r, person by person
    scatter = weighted.T @ weighted  # sum of W r r' W
    weighted_dcov = weight @ dcov  # W V_a
    trace = np.trace(weighted_dcov, axis1=1, axis2=2)
    score = np.einsum("nta,nt->a", dmean, weighted)
    score += 0.5 * (np.einsum("ats,ts->a", dcov, scatter) - n_subjects * trace)
    whitened = np.einsum("st,nta->nsa", factor.whiten, dmean).reshape(-1, dmean.shape[2])
    mean_information = whitened.T @ whitened
    trace_pairs = np.einsum("ats,bst->ab", weighted_dcov, weighted_dcov)
    expected = mean_information + 0.5 * n_subjects * trace_pairs
    moved = np.einsum("bts,ns->nbt", weighted_dcov, weighted)  # W V_b W r
    cross = np.einsum("nta,nbt->ab", dmean, moved)
    quadratic = np.einsum("ats,bsu,ut->ab", dcov, weighted_dcov, scatter)
    observed = mean_information + cross + cross.T - 0.5 * n_subjects * trace_pairs
    observed += 0.5 * (quadratic + quadratic.T)
    if change.second_means is not None:
        second = np.broadcast_to(change.second_means, (n_subjects, *change.second_means.shape[1:]))
        observed -= np.einsum("ntab,nt->ab", second, weighted)
    if change.second_covariance is not None:
        gap = 0.5 * (n_subjects * weight - scatter)
        observed += np.einsum("abts,ts->ab", change.second_covariance, gap)
    value = -0.5 * (
        n_subjects * (n_times * LOG_2PI + factor.log_determinant)
        + float(np.sum((residuals @ factor.whiten.T) ** 2))
    )
    return ScoreAndInformation(value, score, expected, observed)
