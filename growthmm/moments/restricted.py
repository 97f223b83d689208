"""The referee's restricted likelihood (REML), dense and with exact derivatives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from growthmm.errors import SpecificationError
from growthmm.moments.gaussian import LOG_2PI, ScoreAndInformation
from growthmm.moments.normal import Factor, factorise

__all__ = [
    "RestrictedGroup",
    "RestrictedLikelihood",
    "restricted_log_likelihood",
    "restricted_score_and_information",
]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class RestrictedGroup:
    """Persons who share one covariance matrix, with their mean designs.

    Parameters
    ----------
    outcomes : (n_subjects, n_times) ndarray
        Their outcomes, complete.
    design : (n_subjects, n_times, n_fixed) ndarray
        Design of the means, person by person.
    covariance : (n_times, n_times) ndarray
        Covariance matrix of each person's outcomes.
    """

    outcomes: FloatArray
    design: FloatArray
    covariance: FloatArray


@dataclass(frozen=True)
class RestrictedLikelihood:
    """A restricted log-likelihood and the fixed effects that it profiles out.

    Parameters
    ----------
    log_likelihood : float
        With lme4's constant.
    fixed_effects : (n_fixed,) ndarray
        Generalised least-squares estimates.
    fixed_covariance : (n_fixed, n_fixed) ndarray
        Their covariance matrix, ``(sum X' V^-1 X)^-1``.
    """

    log_likelihood: float
    fixed_effects: FloatArray
    fixed_covariance: FloatArray


def restricted_log_likelihood(groups: Sequence[RestrictedGroup]) -> RestrictedLikelihood:
    r"""Restricted log-likelihood at given covariance matrices.

    .. math::

        \ell_R = -\tfrac{n - p}{2} \log 2\pi - \tfrac12 \sum_i \log|V_i|
                 - \tfrac12 \log\Big|\sum_i X_i' V_i^{-1} X_i\Big|
                 - \tfrac12 \sum_i r_i' V_i^{-1} r_i

    which is lme4's constant (no ``log |X'X|``).

    Parameters
    ----------
    groups : sequence of RestrictedGroup
        Persons by covariance matrix.

    Returns
    -------
    RestrictedLikelihood
        The value is ``-inf`` where a covariance matrix is not positive definite.

    Raises
    ------
    SpecificationError
        If the fixed-effects design has linearly dependent columns.

    References
    ----------
    Harville, D. A. (1977). https://doi.org/10.1080/01621459.1977.10480998

    Examples
    --------
    >>> group = RestrictedGroup(np.array([[1.0], [3.0]]), np.ones((2, 1, 1)), np.eye(1))
    >>> result = restricted_log_likelihood([group])
    >>> result.fixed_effects, round(result.log_likelihood, 6)
    (array([2.]), -2.265512)
    """
    n_fixed = groups[0].design.shape[2]
    factors = [factorise(group.covariance) for group in groups]
    complete = [factor for factor in factors if factor is not None]
    if len(complete) < len(factors):
        nothing = np.full(n_fixed, np.nan)
        return RestrictedLikelihood(-np.inf, nothing, np.full((n_fixed, n_fixed), np.nan))
    return _least_squares(groups, complete)[0]


def _least_squares(
    groups: Sequence[RestrictedGroup], factors: Sequence[Factor]
) -> tuple[RestrictedLikelihood, list[FloatArray]]:
    """Generalised least squares; the value and the residuals of every group."""
    rows, targets, log_determinants, n_rows = [], [], 0.0, 0
    for group, factor in zip(groups, factors, strict=True):
        white = np.einsum("st,ntp->nsp", factor.whiten, group.design)
        rows.append(white.reshape(-1, white.shape[2]))
        targets.append((group.outcomes @ factor.whiten.T).ravel())
        log_determinants += group.outcomes.shape[0] * factor.log_determinant
        n_rows += group.outcomes.size
    stacked, target = np.concatenate(rows), np.concatenate(targets)
    norms = np.sqrt(np.sum(stacked**2, axis=0))
    orthogonal, triangle = np.linalg.qr(stacked / np.where(norms > 0, norms, 1.0))
    pivots = np.abs(np.diag(triangle))
    if pivots.size and pivots.min() < 1e-12:
        raise SpecificationError(
            f"Column {int(np.argmin(pivots))} of the fixed-effects design depends on the others.",
            hint="Drop the redundant column.",
        )
    projected = orthogonal.T @ target
    inverse = np.linalg.inv(triangle) / norms[:, None]
    beta = inverse @ projected
    rest = target - orthogonal @ projected
    log_information = 2.0 * float(np.sum(np.log(pivots * norms)))
    value = -0.5 * (
        (n_rows - beta.size) * LOG_2PI + log_determinants + log_information + float(rest @ rest)
    )
    residuals = [group.outcomes - group.design @ beta for group in groups]
    return RestrictedLikelihood(value, beta, inverse @ inverse.T), residuals


def restricted_score_and_information(
    groups: Sequence[RestrictedGroup],
    derivatives: Sequence[FloatArray],
    second: Sequence[FloatArray] | None = None,
) -> ScoreAndInformation:
    r"""Exact REML score, expected and observed information of covariance parameters.

    With :math:`P = V^{-1} - V^{-1}X(X'V^{-1}X)^{-1}X'V^{-1}`, which is never formed,

    .. math::

        \ell_a &= -\tfrac12 \operatorname{tr}(P V_a) + \tfrac12 y' P V_a P y \\
        I_{ab} &= \tfrac12 \operatorname{tr}(P V_a P V_b) \\
        J_{ab} &= -\tfrac12 \operatorname{tr}(P V_a P V_b) + y' P V_a P V_b P y
                  + \tfrac12 \operatorname{tr}(P V_{ab}) - \tfrac12 y' P V_{ab} P y

    Parameters
    ----------
    groups : sequence of RestrictedGroup
        Persons by covariance matrix.
    derivatives : sequence of (n_parameters, n_times, n_times) ndarray
        First derivatives of each group's covariance matrix.
    second : sequence of (n_parameters, n_parameters, n_times, n_times) ndarray, optional
        Second derivatives; None where the structure is linear.

    Returns
    -------
    ScoreAndInformation
        Over the covariance parameters alone; the fixed effects are profiled out.

    Raises
    ------
    SpecificationError
        If a covariance matrix is not positive definite or the design is deficient.

    References
    ----------
    Harville, D. A. (1977). https://doi.org/10.1080/01621459.1977.10480998

    Examples
    --------
    The REML variance of two independent observations around a common mean is exact at 2:

    >>> group = RestrictedGroup(np.array([[1.0], [3.0]]), np.ones((2, 1, 1)), 2.0 * np.eye(1))
    >>> result = restricted_score_and_information([group], [np.ones((1, 1, 1))])
    >>> result.score.round(12) + 0.0, result.expected
    (array([0.]), array([[0.125]]))
    """
    factors = []
    for group in groups:
        factor = factorise(group.covariance)
        if factor is None:
            raise SpecificationError(
                "A covariance matrix is not positive definite here.",
                hint="Derivatives exist only at admissible parameter values.",
            )
        factors.append(factor)
    fit, residuals = _least_squares(groups, factors)
    n_parameters, n_fixed = derivatives[0].shape[0], fit.fixed_effects.size
    trace, squares = np.zeros(n_parameters), np.zeros(n_parameters)
    pairs, products = (np.zeros((n_parameters, n_parameters)) for _ in range(2))
    designs = np.zeros((n_parameters, n_fixed, n_fixed))  # X' W V_a W X
    mixed = np.zeros((n_parameters, n_fixed))  # X' W V_a W r
    triples = np.zeros((n_parameters, n_parameters, n_fixed, n_fixed))  # X' W V_a W V_b W X
    curvature = np.zeros((n_parameters, n_parameters))
    for index, (group, factor, residual, dcov) in enumerate(
        zip(groups, factors, residuals, derivatives, strict=True)
    ):
        n_subjects, weight = residual.shape[0], factor.inverse
        weighted = residual @ weight
        scatter = weighted.T @ weighted
        weighted_dcov = weight @ dcov
        white_design = np.einsum("st,ntp->nsp", weight, group.design)  # W X
        moved = np.einsum("ats,nsp->antp", dcov, white_design)  # V_a W X
        trace += n_subjects * np.trace(weighted_dcov, axis1=1, axis2=2)
        squares += np.einsum("ats,ts->a", dcov, scatter)
        pairs += n_subjects * np.einsum("ats,bst->ab", weighted_dcov, weighted_dcov)
        products += np.einsum("ats,bsu,ut->ab", dcov, weighted_dcov, scatter)
        designs += np.einsum("ntp,antq->apq", white_design, moved)
        mixed += np.einsum("antp,nt->ap", moved, weighted)
        triples += np.einsum("antp,ts,bnsq->abpq", moved, weight, moved, optimize=True)
        if second is not None:
            gram = np.einsum("ntp,pq,nsq->ts", white_design, fit.fixed_covariance, white_design)
            gap = 0.5 * (n_subjects * weight - gram - scatter)
            curvature += np.einsum("abts,ts->ab", second[index], gap)
    inverse = fit.fixed_covariance
    score = 0.5 * (squares - trace + np.einsum("pq,aqp->a", inverse, designs))
    reduced = inverse @ designs
    trace_pairs = pairs - 2.0 * np.einsum("pq,abqp->ab", inverse, triples)
    trace_pairs += np.einsum("apq,bqp->ab", reduced, reduced)
    quadratic = products - mixed @ inverse @ mixed.T
    expected = 0.25 * (trace_pairs + trace_pairs.T)
    observed = 0.5 * (quadratic + quadratic.T) - expected + curvature
    return ScoreAndInformation(fit.log_likelihood, score, expected, observed)
