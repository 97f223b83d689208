"""All that follows from a fit's estimates, as a table."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from growthmm.engines import wide as wide_engine
from growthmm.engines.outcome import EngineFit
from growthmm.engines.prepare import LongData, WideData
from growthmm.inference.derived import Derived, icc, random_deviations, residual_deviations

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["derived_table"]


def derived_table(
    fit: EngineFit, data: LongData | WideData, values: NDArray[np.float64]
) -> pd.DataFrame:
    """Standard deviations, correlations, the intraclass correlation, and defined parameters.

    Parameters
    ----------
    fit : EngineFit
        The fit.
    data : LongData or WideData
        What was fitted.
    values : (n_parameters,) ndarray
        The estimates in the order of our engine's parameters.

    Returns
    -------
    DataFrame
        Columns ``name, kind, estimate, std_error``.
    """
    import pandas as pd

    rows = random_deviations(fit, data.problem) + residual_deviations(fit, data.problem)
    ratio = icc(fit, data.problem)
    rows += [] if ratio is None else [ratio]
    rows += _defined(fit, data, values) if isinstance(data, WideData) else []
    return pd.DataFrame(
        [asdict(row) for row in rows], columns=["name", "kind", "estimate", "std_error"]
    )


def _defined(fit: EngineFit, data: WideData, values: NDArray[np.float64]) -> list[Derived]:
    """The parameters that a structural equation model defines (``:=``)."""
    if not data.problem.model.defined:
        return []
    order = [fit.names.index(name) for name in wide_engine.parameter_names(data.problem)]
    names, found, covariance = wide_engine.defined_values(
        data.problem, values, fit.covariance[np.ix_(order, order)]
    )
    squares = np.diag(covariance)
    errors = np.where(squares >= 0, np.sqrt(np.abs(squares)), np.nan)
    return [
        Derived(name, "defined", float(value), float(error))
        for name, value, error in zip(names, found, errors, strict=True)
    ]
