"""A fit's covariance matrices of growth factors and of residuals, labelled."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from growthmm.engines import long as long_engine
from growthmm.engines import wide as wide_engine
from growthmm.engines.outcome import EngineFit
from growthmm.engines.prepare import LongData, WideData
from growthmm.inference.derived import covariance_entries
from growthmm.model.sem import SemModel

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["factor_covariance", "ordered_estimates", "residual_covariance"]


def ordered_estimates(fit: EngineFit, data: LongData | WideData) -> NDArray[np.float64]:
    """The estimates in the order of our engine's parameters.

    Parameters
    ----------
    fit : EngineFit
        By any engine of the family.
    data : LongData or WideData
        What was fitted.
    """
    if isinstance(data, LongData):
        names = long_engine.parameter_names(data.problem)
    else:
        names = wide_engine.parameter_names(data.problem)
    return fit.estimates[[fit.names.index(name) for name in names]]


def factor_covariance(fit: EngineFit, data: LongData | WideData) -> pd.DataFrame:
    """Covariance matrix of the random effects or growth factors at the estimates.

    One below the other, group and factor in the index, for a model of several groups.

    Parameters
    ----------
    fit : EngineFit
        The estimates.
    data : LongData or WideData
        What was fitted.
    """
    import pandas as pd

    if isinstance(data, WideData):
        return _covariances(data.problem.model, data.problem.model.latent, fit)
    found = covariance_entries(fit, data.problem)
    labels = list(found.labels)
    matrix = np.zeros((len(labels), len(labels)))
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
    return _covariances(data.problem.model, data.problem.model.outcomes, fit)


def _covariances(model: SemModel, names: tuple[str, ...], fit: EngineFit) -> pd.DataFrame:
    """The (co)variances of some variables, group by group."""
    import pandas as pd

    values = dict(zip(fit.names, fit.estimates.tolist(), strict=True))
    order = {name: k for k, name in enumerate(names)}
    matrices = np.zeros((model.n_groups, len(names), len(names)))
    for path in model.paths:
        if path.op == "~~" and path.left in order and path.right in order:
            a, b = order[path.left], order[path.right]
            value = values[path.parameter] if path.free else path.value or 0.0
            matrices[path.group, [a, b], [b, a]] = value
    frames = [pd.DataFrame(m, index=list(names), columns=list(names)) for m in matrices]
    if model.n_groups == 1:
        return frames[0]
    labels = model.group_labels or tuple(str(g + 1) for g in range(model.n_groups))
    return pd.concat(frames, keys=list(labels))
