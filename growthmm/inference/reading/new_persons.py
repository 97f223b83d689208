"""Outcomes that a structural equation model expects of new persons."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from growthmm.data.frames import numeric_column, require_columns
from growthmm.engines import wide as wide_engine
from growthmm.engines.prepare import WideData
from growthmm.engines.wide import ram as r
from growthmm.engines.wide.problem import WideGroup, WideProblem
from growthmm.errors import DataError, UnsupportedEngineError
from growthmm.inference.labelled import ordered_estimates
from growthmm.inference.result import FitResult
from growthmm.inference.variance.explained import refuse_levels

if TYPE_CHECKING:
    import pandas as pd

    from growthmm.model.sem import SemModel

__all__ = ["predict_wide"]

FloatArray = NDArray[np.float64]


def predict_wide(
    fit: FitResult,
    data: WideData,
    frame: pd.DataFrame,
    *,
    level: str,
    interval: str | None,
    coverage: float,
) -> pd.DataFrame:
    """Expected outcomes of new persons.

    With ``E(y | x) = M w``, w = (1, x), the squared standard error is ``g' V g`` for the slopes
    g of ``M w`` by the parameters; for a prediction the outcome's variance given x is added.

    Parameters
    ----------
    fit : FitResult
        A structural equation model.
    data : WideData
        What was fitted.
    frame : DataFrame
        A row a person.
    level, interval, coverage
        As for :func:`~growthmm.inference.reading.prediction.predict_new`.

    Returns
    -------
    DataFrame
        A row a person and outcome.

    Raises
    ------
    UnsupportedEngineError
        If the model has several groups or two levels, or intervals are asked for persons' own
        curves.
    DataError
        If columns are absent.
    """
    import pandas as pd
    from scipy.special import ndtri

    refuse_levels(data, "A prediction for new persons")
    model = data.problem.model
    if model.n_groups > 1:
        raise UnsupportedEngineError(
            f"The model has {model.n_groups} groups, and new persons are of none.",
            hint="Fit the translation: engine='long'.",
        )
    group = _group(model, frame, level)
    values = ordered_estimates(fit.fit, data)
    index = pd.MultiIndex.from_product([frame.index, list(model.outcomes)], names=[None, "outcome"])
    if level == "person":
        if interval is not None:
            raise UnsupportedEngineError(
                "Intervals of persons' own curves are made by the engine long.",
                hint="Fit the translation, engine='long', or take level='population'.",
            )
        made = wide_engine.fitted(WideProblem(model, (group,)), values, "person")
        return pd.DataFrame({"estimate": made.ravel()}, index=index)
    mean, error = _population(fit, model, group, values, interval == "prediction")
    table = pd.DataFrame({"estimate": mean.ravel()}, index=index)
    if interval is None:
        return table
    half = float(ndtri(0.5 + coverage / 2)) * error.ravel()
    return table.assign(
        std_error=error.ravel(), ci_low=mean.ravel() - half, ci_high=mean.ravel() + half
    )


def _group(model: SemModel, frame: pd.DataFrame, level: str) -> WideGroup:
    definitions = dict.fromkeys(p.definition for p in model.paths if p.definition is not None)
    require_columns(frame, [*model.covariates, *definitions])
    seen = [name for name in model.outcomes if name in frame.columns]
    if level == "person" and not seen:
        raise DataError(
            f"The new data have none of the outcomes {', '.join(model.outcomes)}, from which "
            "persons' curves are told.",
            hint="Use level='population', or give some of the outcomes.",
        )
    outcomes = np.full((len(frame), len(model.outcomes)), np.nan)
    for j, name in enumerate(model.outcomes):
        if name in seen:
            outcomes[:, j] = numeric_column(frame, name)
    covariates = np.empty((len(frame), len(model.covariates)))
    for j, name in enumerate(model.covariates):
        covariates[:, j] = numeric_column(frame, name)
    held = tuple((name, numeric_column(frame, name)) for name in definitions)
    return WideGroup(outcomes, covariates, held)


def _population(
    fit: FitResult, model: SemModel, group: WideGroup, values: FloatArray, prediction: bool
) -> tuple[FloatArray, FloatArray]:
    """Expected outcomes and their errors, (n_subjects, n_outcomes)."""
    ram = r.compile_group(model, 0)
    t, n = ram.n_outcomes, len(group.outcomes)
    designs = None
    if ram.definitions:
        table = dict(group.definitions)
        designs = np.stack([table[name] for *_, name in ram.definitions], axis=1)
    at = r.implied(ram, values, designs)
    assert at is not None  # the fit has looked
    w = np.hstack([np.ones((n, 1)), group.covariates])
    mean = np.einsum("nij,nj->ni", np.broadcast_to(at.mean[:, :t], (n, t, w.shape[1])), w)
    slopes = r.jacobian(ram, at).mean
    full = np.broadcast_to(slopes, (n, *slopes.shape[1:]))
    gradient = np.einsum("nktw,nw->ntk", full, w)
    order = [fit.fit.names.index(model.free_parameters[k]) for k in ram.mean_parameters]
    spread = fit.fit.covariance[np.ix_(order, order)]
    square = np.einsum("ntk,kl,ntl->nt", gradient, spread, gradient)
    if prediction:
        square = square + np.einsum("nii->ni", at.sigma[:, :t, :t])
    return mean, np.sqrt(square)
