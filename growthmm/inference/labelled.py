"""A fit's covariance matrices of growth factors and of residuals, labelled."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from growthmm.engines import long as long_engine
from growthmm.engines.outcome import EngineFit
from growthmm.engines.prepare import LongData, WideData
from growthmm.inference.derived import covariance_entries
from growthmm.model.sem import SemModel

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["factor_covariance", "residual_covariance"]


def factor_covariance(fit: EngineFit, data: LongData | WideData) -> pd.DataFrame:
    """Covariance matrix of the random effects or growth factors at the estimates.

    Parameters
    ----------
    fit : EngineFit
        The estimates.
    data : LongData or WideData
        What was fitted.
    """
    import pandas as pd

    found = covariance_entries(fit, data.problem)
    labels = list(found.labels)
    matrix = np.zeros((len(labels), len(labels)))
    if isinstance(data, WideData):
        order = {name: k for k, name in enumerate(labels)}
        for path in data.problem.model.paths:
            if path.op == "~~" and path.left in order and path.right in order and not path.free:
                a, b = order[path.left], order[path.right]
                matrix[a, b] = matrix[b, a] = path.value or 0.0
    else:
        for a, b, value in data.problem.fixed_entries:
            matrix[a, b] = matrix[b, a] = value
    for a, b, k in found.entries:
        matrix[a, b] = matrix[b, a] = fit.estimates[k]
    return pd.DataFrame(matrix, index=labels, columns=labels)


def residual_covariance(
    fit: EngineFit, data: LongData | WideData, ordered: NDArray[np.float64]
) -> pd.DataFrame:
    """Covariance matrix of the residuals at the estimates.

    Parameters
    ----------
    fit : EngineFit
        The estimates.
    data : LongData or WideData
        What was fitted.
    ordered : (n_parameters,) ndarray
        The estimates in the order of our engine's parameters.
    """
    if isinstance(data, LongData):
        return long_engine.residual_matrix(data.problem, ordered)
    return _of_outcomes(data.problem.model, fit)


def _of_outcomes(model: SemModel, fit: EngineFit) -> pd.DataFrame:
    import pandas as pd

    values = dict(zip(fit.names, fit.estimates.tolist(), strict=True))
    labels = list(model.outcomes)
    order = {name: k for k, name in enumerate(labels)}
    matrix = np.zeros((len(labels), len(labels)))
    for path in model.paths:
        if path.op == "~~" and path.left in order and path.right in order:
            a, b = order[path.left], order[path.right]
            value = values[path.parameter] if path.free else path.value or 0.0
            matrix[a, b] = matrix[b, a] = value
    return pd.DataFrame(matrix, index=labels, columns=labels)
