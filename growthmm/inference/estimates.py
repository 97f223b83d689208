"""Tables of estimates: standard errors, tests, intervals, and derived parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from growthmm.engines.outcome import EngineFit

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["derived_covariances", "estimates_table"]

FloatArray = NDArray[np.float64]

LOCATION = frozenset({"fixed", "mean", "regression", "loading"})


def estimates_table(
    fit: EngineFit, rows: tuple[tuple[str, str], ...], level: float = 0.95
) -> pd.DataFrame:
    """Estimates with standard errors, Wald tests and intervals.

    Variances have no Wald test: zero lies on the boundary of what they can be.

    Parameters
    ----------
    fit : EngineFit
        The answer of an engine.
    rows : tuple of (str, str)
        The rows wanted: name to print and the parameter it holds (several rows may hold one).
    level : float
        Coverage of the intervals.

    Returns
    -------
    DataFrame
        Columns ``name, kind, estimate, std_error, statistic, df, p_value, ci_low, ci_high``.
    """
    import pandas as pd
    from scipy.stats import norm

    quantile = float(norm.ppf(0.5 + level / 2))
    position = {name: k for k, name in enumerate(fit.names)}
    errors = fit.standard_errors
    records = []
    for name, parameter in rows:
        k = position[parameter]
        estimate, error, kind = float(fit.estimates[k]), float(errors[k]), fit.kinds[k]
        testable = kind in LOCATION or kind == "covariance"
        statistic = estimate / error if testable and error > 0 else np.nan
        records.append(
            {
                "name": name,
                "kind": kind,
                "estimate": estimate,
                "std_error": error,
                "statistic": statistic,
                "df": np.nan,
                "p_value": float(2 * norm.sf(abs(statistic))),
                "ci_low": estimate - quantile * error,
                "ci_high": estimate + quantile * error,
            }
        )
    return pd.DataFrame.from_records(
        records,
        columns=[
            "name",
            "kind",
            "estimate",
            "std_error",
            "statistic",
            "df",
            "p_value",
            "ci_low",
            "ci_high",
        ],
    )


def derived_covariances(
    values: FloatArray, covariance: FloatArray, entries: tuple[tuple[int, int, int], ...]
) -> list[tuple[str, int, int, float, float]]:
    """Standard deviations and correlations of a covariance matrix, by the delta method.

    Parameters
    ----------
    values : (n_parameters,) ndarray
        Estimates.
    covariance : (n_parameters, n_parameters) ndarray
        Their covariance matrix.
    entries : tuple of (row, column, position)
        Which estimate is which entry of the matrix, row <= column.

    Returns
    -------
    list of (kind, row, column, estimate, std_error)
        ``sd`` for variances, ``correlation`` for covariances whose variances are positive.
    """
    variance = {row: position for row, column, position in entries if row == column}
    made: list[tuple[str, int, int, float, float]] = []
    for row, column, position in entries:
        gradient = np.zeros(len(values))
        if row == column:
            value = values[position]
            if value <= 0:
                made.append(("sd", row, column, 0.0 if value == 0 else np.nan, np.nan))
                continue
            estimate = float(np.sqrt(value))
            gradient[position] = 0.5 / estimate
            kind = "sd"
        else:
            if row not in variance or column not in variance:
                continue
            a, b = values[variance[row]], values[variance[column]]
            if a <= 0 or b <= 0:
                made.append(("correlation", row, column, np.nan, np.nan))
                continue
            scale = float(np.sqrt(a * b))
            estimate = float(values[position]) / scale
            gradient[position] = 1 / scale
            gradient[variance[row]] = -0.5 * estimate / a
            gradient[variance[column]] = -0.5 * estimate / b
            kind = "correlation"
        used = np.flatnonzero(gradient)
        square = float(gradient[used] @ covariance[np.ix_(used, used)] @ gradient[used])
        made.append((kind, row, column, estimate, np.sqrt(square) if square >= 0 else np.nan))
    return made
