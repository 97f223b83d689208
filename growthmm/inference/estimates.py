"""Tables of estimates: standard errors, tests, intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from growthmm.engines.outcome import EngineFit

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["estimates_table"]

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
    from scipy.special import ndtr, ndtri

    quantile = float(ndtri(0.5 + level / 2))
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
                "p_value": float(2 * ndtr(-abs(statistic))),
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
