"""Semi-partial R2 of fixed effects (Edwards; Jaeger)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from growthmm.engines.long import residual_places
from growthmm.engines.long.problem import LongProblem
from growthmm.errors import SpecificationError, UnsupportedEngineError
from growthmm.inference.degrees.method import degrees_of
from growthmm.inference.estimated_loadings import refuse_estimated_loadings
from growthmm.inference.penalised import refuse_penalised
from growthmm.inference.result import FitResult
from growthmm.inference.variance.rows import ModelRows, model_rows

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["METHODS", "semipartial"]

FloatArray = NDArray[np.float64]

METHODS = ("kenward-roger", "nsj", "sgv")
"""How the outcome's covariance matrix enters, by name."""


def semipartial(fit: FitResult, method: str = "kenward-roger", level: float = 0.95) -> pd.DataFrame:
    """R2 of the whole model and of each fixed effect, given the others.

    ``R2 = (q F / d) / (1 + q F / d)`` for the Wald statistic F of q coefficients. By
    ``"kenward-roger"`` F and d are Kenward and Roger's (Edwards et al. 2008,
    doi:10.1002/sim.3429). By ``"nsj"`` F takes the mean variance ``tr(V) / n`` for the outcome's
    variance and d is n - 1, so that the whole model's R2 is the marginal one; by ``"sgv"`` it
    takes the geometric mean of the persons' standardised generalised variances
    ``|V_i|^(1 / n_i)`` (Jaeger et al. 2017, doi:10.1080/02664763.2016.1193725). As r2glmm's
    ``r2beta()``.

    Parameters
    ----------
    fit : FitResult
        By the engine long.
    method : {"kenward-roger", "nsj", "sgv"}
        Which.
    level : float
        Coverage of the intervals, from the noncentral beta distribution.

    Returns
    -------
    DataFrame
        Columns ``effect, r_squared, ci_low, ci_high, f, df, df_denominator``; the first row is
        the whole model's.

    Raises
    ------
    SpecificationError
        If the method is unknown or there is no fixed effect beside an intercept.
    UnsupportedEngineError
        If it is no mixed model fitted by the engine long, for Kenward and Roger's if it is no
        REML fit.
    """
    if method not in METHODS:
        raise SpecificationError(
            f"There is no semi-partial R2 {method!r}.", hint=f"Use one of {', '.join(METHODS)}."
        )
    problem = fit.data.problem
    if not isinstance(problem, LongProblem) or fit.engine != "long":
        raise UnsupportedEngineError(
            "The semi-partial R2 is of a mixed model's fixed effects, fitted by the engine long; "
            f"this is a fit by {fit.engine}.",
            hint="Use engine='long', which fits the translation.",
        )
    refuse_estimated_loadings(problem, "The semi-partial R2")
    tested = _slopes(problem)
    effects = {"Model": tested} | {problem.fixed_names[k]: [k] for k in tested}
    estimates = fit.fit.estimates[: problem.fixed.shape[1]]
    unit = np.eye(len(estimates))
    records = []
    if method == "kenward-roger":
        refuse_penalised(fit.penalty, "Kenward and Roger's F test")
        found = degrees_of(fit.fit, problem, method)
        for name, at in effects.items():
            statistic, df = found.f_test(estimates[at], unit[at])
            records.append(_row(name, statistic, len(at), df, level))
    else:
        variance, df = _scale(fit, problem, method)
        x = np.asarray(problem.fixed, dtype=float)
        spread = np.linalg.inv(x.T @ x) * variance
        for name, at in effects.items():
            inner = np.linalg.solve(spread[np.ix_(at, at)], estimates[at])
            records.append(_row(name, float(estimates[at] @ inner) / len(at), len(at), df, level))
    import pandas as pd

    return pd.DataFrame.from_records(records)


def _slopes(problem: LongProblem) -> list[int]:
    x = np.asarray(problem.fixed, dtype=float)
    varying = [k for k in range(x.shape[1]) if np.ptp(x[:, k]) > 0]
    if not varying or len(varying) == x.shape[1]:
        raise SpecificationError(
            f"The fixed effects {', '.join(problem.fixed_names)} hold no "
            f"{'slopes' if not varying else 'intercept'}, and an R2 compares slopes with an "
            "intercept alone.",
            hint="Fit a model with an intercept and at least one predictor.",
        )
    return varying


def _row(
    name: str, statistic: float, df: int, denominator: float, level: float
) -> dict[str, float | str]:
    from scipy.special import ncfdtri

    odds = df * statistic / denominator
    tail = 0.5 - level / 2
    ends = [float(ncfdtri(df, denominator, df * statistic, p)) for p in (tail, 1 - tail)]
    low, high = (df * f / (df * f + denominator) for f in ends)
    return {
        "effect": name,
        "r_squared": odds / (1 + odds),
        "ci_low": low,
        "ci_high": high,
        "f": statistic,
        "df": float(df),
        "df_denominator": denominator,
    }


def _scale(fit: FitResult, problem: LongProblem, method: str) -> tuple[float, float]:
    """The outcome's one variance, and the denominator's degrees of freedom."""
    if method == "sgv" and problem.clusters is not None:
        raise UnsupportedEngineError(
            "The standardised generalised variance is taken person by person; here persons stand "
            "in clusters and are not independent.",
            hint="Use method='nsj'.",
        )
    rows = model_rows(fit)
    n = len(rows.mean)
    if method == "nsj":
        return float(np.mean(rows.random + rows.residual)), n - 1.0
    sizes = np.bincount(rows.person)
    size = n / np.count_nonzero(sizes)
    m = np.count_nonzero(sizes) - size - 1
    df = n - 1.0 if m <= 0 else size * (m + 1) + (size - 1) * (size - 2) / 2
    return float(np.exp(np.mean(_log_variances(fit, problem, rows)))), float(df)


def _log_variances(fit: FitResult, problem: LongProblem, rows: ModelRows) -> list[float]:
    """``log|V_i| / n_i`` of every person."""
    own = fit.residual_cov.to_numpy()
    crossed = len(own) > 1 and problem.residual.kind != "by_group"
    places = residual_places(problem)
    order = np.argsort(rows.person, kind="stable")
    found = []
    for at in np.split(order, np.flatnonzero(np.diff(rows.person[order])) + 1):
        residual = np.diag(rows.residual[at])
        if crossed:
            place = places[at]
            residual = own[np.ix_(place, place)]
        whole = rows.design[at] @ rows.factor_cov[0] @ rows.design[at].T + residual
        found.append(float(np.linalg.slogdet(whole)[1]) / len(at))
    return found
