"""Variance of each variable that a structural equation model's equations account for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from growthmm.engines.prepare import WideData
from growthmm.engines.wide import ram as r
from growthmm.engines.wide.problem import WideGroup, WideMoments
from growthmm.errors import UnsupportedEngineError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["covariate_covariance", "explained_variance", "refuse_definitions", "refuse_levels"]

FloatArray = NDArray[np.float64]


def covariate_covariance(group: WideGroup | WideMoments, n_outcomes: int) -> FloatArray:
    """Covariance matrix of the covariates, divisor n, over persons who have them all."""
    if isinstance(group, WideMoments):
        return np.asarray(group.cov[n_outcomes:, n_outcomes:])
    x = group.covariates[np.all(np.isfinite(group.covariates), axis=1)]
    q = group.covariates.shape[1]
    return np.cov(x, rowvar=False, ddof=0).reshape(q, q) if q and len(x) else np.zeros((q, q))


def refuse_definitions(data: WideData, what: str) -> None:
    """Raise the error where moments differ from person to person.

    Raises
    ------
    UnsupportedEngineError
        If the model has definition variables.
    """
    if any(path.definition for path in data.problem.model.paths):
        raise UnsupportedEngineError(
            f"{what} has no one value here: variances differ from person to person, since the "
            "model has definition variables.",
            hint="Take gm.r_squared(fit).marginal and .conditional, which average over persons.",
        )


def refuse_levels(data: WideData, what: str) -> None:
    """Raise the error for a structural equation model of two levels.

    Raises
    ------
    UnsupportedEngineError
        If persons stand in clusters.
    """
    if any(isinstance(g, WideGroup) and g.clusters is not None for g in data.problem.groups):
        raise UnsupportedEngineError(
            f"{what} is not made for structural equation models of two levels.",
            hint="Fit the translation, engine='long': gm.r_squared and gm.icc take its levels "
            "together.",
        )


def explained_variance(data: WideData, values: FloatArray) -> pd.DataFrame:
    """R2 of every variable that something explains.

    ``1 - residual variance / implied variance``, the covariates with their variances in the
    sample: lavaan's ``lavInspect(fit, "r2")``. For an outcome it is the share that growth factors
    and covariates account for at that occasion (its reliability as an indicator of the curve);
    for a factor the share that covariates account for.

    Parameters
    ----------
    data : WideData
        Model and data.
    values : (n_parameters,) ndarray
        Estimates.

    Returns
    -------
    DataFrame
        Columns ``name, kind, r_squared``, and ``group`` where there are several; kind is
        ``outcome`` or ``factor``.

    Raises
    ------
    UnsupportedEngineError
        If the model has definition variables or two levels.
    """
    import pandas as pd

    refuse_levels(data, "The R2 of a variable")
    refuse_definitions(data, "The R2 of a variable")
    model = data.problem.model
    records = []
    for g, (ram, group) in enumerate(
        zip(r.compile_groups(model), data.problem.groups, strict=True)
    ):
        at = r.implied(ram, values)
        assert at is not None
        a, s, k = r.matrices(ram, values, None)
        x = covariate_covariance(group, ram.n_outcomes)
        slopes = at.mean[0, :, 1:]
        total = np.diag(at.sigma[0]) + np.einsum("ij,jk,ik->i", slopes, x, slopes)
        caused = np.any(a[0] != 0, axis=1) | np.any(k[0, :, 1:] != 0, axis=1)
        left = np.diag(s[0])
        for i, name in enumerate((*model.outcomes, *model.latent)):
            if caused[i]:
                kind = "outcome" if i < ram.n_outcomes else "factor"
                share = 1.0 - left[i] / total[i] if total[i] > 0 else np.nan
                records.append((name, kind, share, _label(model.group_labels, g)))
    made = pd.DataFrame(records, columns=["name", "kind", "r_squared", "group"])
    return made if model.n_groups > 1 else made.drop(columns="group")


def _label(labels: tuple[str, ...], group: int) -> str:
    return labels[group] if labels else str(group + 1)
