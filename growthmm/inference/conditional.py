"""The conditional AIC: how well a model predicts new outcomes of the same persons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from growthmm.engines.long.problem import LongProblem
from growthmm.engines.prepare import LongData
from growthmm.errors import UnsupportedEngineError
from growthmm.inference.result import FitResult
from growthmm.rendering import Shown

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ConditionalAIC", "conditional_aic", "conditional_table"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ConditionalAIC(Shown):
    """A conditional AIC and its parts.

    Parameters
    ----------
    log_likelihood : float
        Of the outcomes given the predicted random effects.
    df : float
        Effective degrees of freedom: the trace of the derivatives of fitted by observed outcomes,
        and 1 for the residual variance.
    caic : float
        ``-2 log_likelihood + 2 df``.
    """

    log_likelihood: float
    df: float
    caic: float

    def __repr__(self) -> str:
        return (
            f"conditional AIC {self.caic:.3f} (log-likelihood {self.log_likelihood:.3f}, "
            f"effective degrees of freedom {self.df:.3f})"
        )


def conditional_aic(fit: FitResult) -> ConditionalAIC:
    """Akaike's criterion given the random effects, their variances' estimation allowed for.

    The AIC of the marginal likelihood asks how well new persons are predicted, this one how well
    the same persons are. Its degrees of freedom are ``tr(d y_hat / d y) + 1`` with the dependence
    of the variances' estimates on the data included, in closed form (Greven & Kneib 2010,
    doi:10.1093/biomet/asq042, theorem 3; Vaida & Blanchard 2005, doi:10.1093/biomet/92.2.351,
    leave it out), as R's cAIC4 has it.

    Parameters
    ----------
    fit : FitResult
        A mixed model by our long engine, by ML or REML, with independent residuals of one variance.

    Returns
    -------
    ConditionalAIC

    Raises
    ------
    UnsupportedEngineError
        For other models and fits, and on the boundary, where a variance has no derivative.

    Examples
    --------
    >>> import growthmm as gm
    >>> fit = gm.fit("gpa ~ occasion + (1 | student)", gm.datasets.gpa())
    >>> found = gm.conditional_aic(fit)
    >>> round(found.caic, 3), round(found.df, 3)
    (167.616, 175.911)
    """
    problem = _checked(fit)
    known = dict(zip(fit.fit.names, fit.fit.estimates.tolist(), strict=True))
    kinds = dict(zip(fit.fit.names, fit.fit.kinds, strict=True))
    (residual,) = (known[name] for name, kind in kinds.items() if kind == "residual")
    q = problem.random.shape[1]
    ratios = np.zeros((q, q))
    bases = []
    for (a, b), name in zip(problem.covariance_entries, problem.covariance_names, strict=True):
        ratios[a, b] = ratios[b, a] = known[name] / residual
        basis = np.zeros((q, q))
        basis[a, b] = basis[b, a] = 1.0
        bases.append(basis)
    outcome = np.asarray(problem.outcome)
    rest, df = _freedom(problem, ratios, bases, restricted=fit.estimator == "reml")
    n = len(outcome)
    value = -0.5 * n * np.log(2 * np.pi * residual) - 0.5 * float(rest @ rest) / residual
    return ConditionalAIC(float(value), df + 1.0, float(-2.0 * value + 2.0 * (df + 1.0)))


def _checked(fit: FitResult) -> LongProblem:
    problem = fit.data.problem
    reason = ""
    if not isinstance(fit.data, LongData) or not isinstance(problem, LongProblem):
        reason = "it is of a structural equation model"
    elif fit.engine != "long" or fit.penalty is not None:
        reason = "it is penalised, or not by the long engine"
    elif problem.loadings is not None or problem.restricted:
        reason = "its loadings are estimated, or covariances held or shared"
    elif problem.residual.kind != "common":
        reason = f"its residuals are {problem.residual.kind}, not independent with one variance"
    elif fit.boundary.at_boundary or fit.boundary.beyond:
        reason = f"it lies on or beyond the boundary ({fit.boundary.description})"
    elif problem.clusters is not None:
        reason = "its persons stand in clusters"
    elif not problem.random.shape[1]:
        reason = "it has no random effects"
    if reason:
        raise UnsupportedEngineError(
            f"The conditional AIC has no closed form for this fit: {reason}.",
            hint="Use a mixed model by engine='long' with common residuals, inside its boundary.",
        )
    assert isinstance(problem, LongProblem)
    return problem


def _freedom(
    problem: LongProblem, ratios: FloatArray, bases: list[FloatArray], *, restricted: bool
) -> tuple[FloatArray, float]:
    """Residuals given the random effects, and ``tr(d y_hat / d y)``.

    In units of the residual variance ``V = I + Z D Z'``, ``A = V^-1 - V^-1 X M X'V^-1`` with
    ``M = (X'V^-1X)^-1``, and the residuals are ``A y``.
    """
    X, Z = np.asarray(problem.fixed, dtype=float), np.asarray(problem.random, dtype=float)
    y = np.asarray(problem.outcome, dtype=float)
    n, p, k = len(y), X.shape[1], len(bases)
    order = np.argsort(problem.subject, kind="stable")
    edges = np.searchsorted(np.asarray(problem.subject)[order], np.arange(problem.n_subjects + 1))
    persons = [order[a:b] for a, b in pairwise(edges) if b > a]
    inverses = [np.linalg.inv(np.eye(len(r)) + Z[r] @ ratios @ Z[r].T) for r in persons]

    def solve(v: FloatArray) -> FloatArray:
        out = np.empty_like(v)
        for rows, inverse in zip(persons, inverses, strict=True):
            out[rows] = inverse @ v[rows]
        return out

    half = solve(X)
    M = np.linalg.inv(X.T @ half)

    def project(v: FloatArray) -> FloatArray:
        return solve(v) - half @ (M @ (half.T @ v))

    def turned(v: FloatArray, basis: FloatArray) -> FloatArray:
        out = np.empty_like(v)
        for rows in persons:
            out[rows] = Z[rows] @ (basis @ (Z[rows].T @ v[rows]))
        return out

    rest = project(y)
    s = float(y @ rest)
    moved = [project(turned(rest, basis)) for basis in bases]
    slopes = np.array([rest @ turned(rest, basis) for basis in bases])
    traces = np.zeros((k, k))
    whole = 0.0
    inner = [np.zeros((p, p)) for _ in bases]
    mixed = np.zeros((k, k))
    for rows, inverse in zip(persons, inverses, strict=True):
        whole += float(np.trace(inverse))
        W = [Z[rows] @ basis @ Z[rows].T for basis in bases]
        U = [inverse @ w for w in W]
        h = half[rows]
        for j in range(k):
            inner[j] += h.T @ W[j] @ h
            for m in range(k):
                traces[j, m] += float(np.sum(U[j] * U[m].T))
                mixed[j, m] += float(np.sum(M * (h.T @ W[j] @ inverse @ W[m] @ h)))
    if restricted:
        both = np.array([[np.sum((M @ a) * (M @ b).T) for b in inner] for a in inner])
        traces = traces - mixed - mixed.T + both
    size = n - p if restricted else n
    bend = np.array([[turned(rest, basis) @ v for v in moved] for basis in bases])
    hessian = 0.5 * size * (-2.0 * bend / s + np.outer(slopes, slopes) / s**2) + 0.5 * traces
    drift = size * (np.array(moved) / s - np.outer(slopes, rest) / s**2)
    direct = n - whole + float(np.trace(M @ (half.T @ half)))
    return rest, direct + float(np.sum(np.array(moved) * np.linalg.solve(-hessian, drift)))


def conditional_table(fits: Sequence[FitResult]) -> pd.DataFrame:
    """Conditional AICs side by side.

    Parameters
    ----------
    fits : sequence of FitResult
        Of the same outcomes.

    Returns
    -------
    DataFrame
        Columns ``model, log_likelihood, df, caic, delta_caic, reason``; NaN and the reason where
        a fit has none.
    """
    import pandas as pd

    records = []
    for fit in fits:
        row = {"model": fit.label, "log_likelihood": np.nan, "df": np.nan, "caic": np.nan}
        reason = ""
        try:
            found = conditional_aic(fit)
        except UnsupportedEngineError as error:
            reason = str(error).partition("\n")[0]
        else:
            row |= {"log_likelihood": found.log_likelihood, "df": found.df, "caic": found.caic}
        records.append(row | {"reason": reason})
    table = pd.DataFrame.from_records(records)
    table.insert(4, "delta_caic", table["caic"] - table["caic"].min())
    return table
