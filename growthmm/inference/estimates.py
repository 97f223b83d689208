"""Tables of estimates: standard errors, tests, intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from growthmm.engines.outcome import EngineFit

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["estimates_table"]

FloatArray = NDArray[np.float64]

LOCATION = frozenset({"fixed", "mean", "regression", "loading"})


def estimates_table(
    fit: EngineFit,
    rows: tuple[tuple[str, str], ...],
    level: float = 0.95,
    degrees: FloatArray | None = None,
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
    degrees : (n_parameters,) ndarray, optional
        Degrees of freedom of each parameter's test, normal where NaN; all normal where None.

    Returns
    -------
    DataFrame
        Columns ``name, kind, estimate, std_error, statistic, df, p_value, ci_low, ci_high``.
    """
    import pandas as pd
    from scipy.special import ndtr, ndtri, stdtr, stdtrit

    normal = float(ndtri(0.5 + level / 2))
    position = {name: k for k, name in enumerate(fit.names)}
    errors = fit.standard_errors
    records = []
    for name, parameter in rows:
        k = position[parameter]
        estimate, error, kind = float(fit.estimates[k]), float(errors[k]), fit.kinds[k]
        testable = kind in LOCATION or kind == "covariance"
        statistic = estimate / error if testable and error > 0 else np.nan
        df = np.nan if degrees is None else float(degrees[k])
        of_t = bool(df < np.inf)
        tail = stdtr(df, -abs(statistic)) if of_t else ndtr(-abs(statistic))
        quantile = float(stdtrit(df, 0.5 + level / 2)) if of_t else normal
        records.append(
            {
                "name": name,
                "kind": kind,
                "estimate": estimate,
                "std_error": error,
                "statistic": statistic,
                "df": df,
                "p_value": float(2 * tail),
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
