"""REML from ML in closed form, for complete balanced growth curves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from growthmm.engines.long.problem import LongProblem
from growthmm.errors import UnsupportedEngineError
from growthmm.inference.resampling.outcomes import random_covariance
from growthmm.inference.result import FitResult

__all__ = ["ClosedForm", "closed_form_reml"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class ClosedForm:
    """The REML estimates.

    Parameters
    ----------
    fixed : (n_fixed,) ndarray
        Fixed effects, the same as by ML.
    std_error : (n_fixed,) ndarray
        Their standard errors.
    factor_cov : (n_random, n_random) ndarray
        Covariance matrix of the random effects.
    residual : float
        Residual variance, the same as by ML.
    predictors : int
        Between-person predictors of each random effect, the constant included.
    """

    fixed: FloatArray
    std_error: FloatArray
    factor_cov: FloatArray
    residual: float
    predictors: int


def closed_form_reml(fit: FitResult) -> ClosedForm:
    """REML estimates from the ML fit of a balanced growth curve.

    With N persons of one design `Z`, residuals of one variance and a mean that is `Z` times q
    between-person predictors, fixed effects and residual variance are those of ML and
    ``G_reml = G_ml + (G_ml + s2 (Z'Z)^-1) q / (N - q)``; standard errors grow by
    ``(N / (N - q))^(1/2)``. It follows from the distribution of ``(Z'Z)^-1 Z'y_i``, whose
    covariance matrix ``G + s2 (Z'Z)^-1`` REML divides by ``N - q`` in place of N, as in
    multivariate regression (Anderson 2003, An Introduction to Multivariate Statistical Analysis,
    section 8.2).

    Parameters
    ----------
    fit : FitResult
        ML fit of a mixed model by the long engine.

    Raises
    ------
    UnsupportedEngineError
        Where the conditions do not hold, naming the one that fails.

    Examples
    --------
    >>> import growthmm as gm
    >>> fit = gm.fit("gpa ~ occasion + (occasion | student)", gm.datasets.gpa())
    >>> restricted = gm.fit("gpa ~ occasion + (occasion | student)", gm.datasets.gpa(),
    ...                     estimator="reml")
    >>> bool(np.allclose(closed_form_reml(fit).factor_cov, restricted.factor_cov))
    True
    """
    problem = fit.data.problem
    if not isinstance(problem, LongProblem) or fit.engine != "long" or fit.estimator != "ml":
        raise _refused("it is not an ML fit of a mixed model by the engine long")
    if problem.residual.kind != "common" or problem.restricted:
        raise _refused("the residuals have no common variance, or covariances are held")
    if len(problem.blocks) != 1 or (problem.blocks[0].diagonal and problem.random.shape[1] > 1):
        raise _refused("the random effects do not all covary")
    if fit.boundary.at_boundary or fit.boundary.beyond:
        raise _refused("the estimates lie on the boundary")
    design, n = _common_design(problem)
    q = _predictors(problem, n)
    values = fit.fit.estimates
    residual = fit.fit.value("var(Residual)")
    inner = np.linalg.inv(design.T @ design)
    matrix = random_covariance(problem, values)
    p = problem.fixed.shape[1]
    return ClosedForm(
        values[:p].copy(),
        fit.fit.standard_errors[:p] * np.sqrt(n / (n - q)),
        matrix + (matrix + residual * inner) * q / (n - q),
        residual,
        q,
    )


def _refused(reason: str) -> UnsupportedEngineError:
    return UnsupportedEngineError(
        f"REML has no closed form here: {reason}.", hint="Fit with estimator='reml'."
    )


def _common_design(problem: LongProblem) -> tuple[FloatArray, int]:
    n = problem.n_subjects
    order = np.argsort(problem.subject, kind="stable")
    random = np.asarray(problem.random)[order]
    if len(random) % n or np.any(np.bincount(problem.subject) != len(random) // n):
        raise _refused("persons differ in their number of rows")
    stacked = random.reshape(n, len(random) // n, -1)
    keys = np.array([part[np.lexsort(part.T)] for part in stacked])
    if not np.all(np.abs(keys - keys[0]) < 1e-12 * (1.0 + np.abs(keys[0]))):
        raise _refused("persons differ in their times")
    return stacked[0], n


def _predictors(problem: LongProblem, n: int) -> int:
    """How many between-person predictors `Z` is multiplied by in the mean."""
    width = problem.random.shape[1]
    order = np.argsort(problem.subject, kind="stable")
    fixed = np.asarray(problem.fixed)[order].reshape(n, -1, problem.fixed.shape[1])
    random = np.asarray(problem.random)[order].reshape(n, -1, width)
    coefficients = np.linalg.pinv(random) @ fixed
    if not np.allclose(random @ coefficients, fixed, rtol=0, atol=1e-9 * np.abs(fixed).max()):
        raise _refused("a fixed effect varies within persons otherwise than the random effects do")
    # The mean space must be all of Z times the predictors' space.
    between = np.linalg.matrix_rank(coefficients.transpose(1, 0, 2).reshape(width * n, -1))
    spaces = [coefficients[:, k, :] for k in range(width)]
    q = int(np.linalg.matrix_rank(np.concatenate(spaces, axis=1)))
    if between != q * width or problem.fixed.shape[1] != q * width:
        raise _refused("not every random effect has all between-person predictors")
    if n <= q:
        raise _refused(f"{n} persons for {q} between-person predictors")
    return q
