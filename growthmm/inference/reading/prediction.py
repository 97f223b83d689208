"""Outcomes expected in new rows, with intervals."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from growthmm.data.frames import as_pandas
from growthmm.engines import long as long_engine
from growthmm.engines.prepare import LongData, WideData
from growthmm.errors import SpecificationError
from growthmm.inference.labelled import ordered_estimates
from growthmm.inference.reading.contrasts import combination
from growthmm.inference.reading.new_persons import predict_wide
from growthmm.inference.reading.new_rows import new_rows, residual_variances, subject_places
from growthmm.inference.result import FitResult

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["predict_new"]

FloatArray = NDArray[np.float64]


def predict_new(
    fit: FitResult,
    new_data: object,
    *,
    level: str = "person",
    interval: str | None = None,
    coverage: float = 0.95,
) -> pd.DataFrame:
    """Expected outcomes in new rows.

    With x and z a row of the designs, b the fixed effects with covariance matrix V_b, u a
    person's random effects with predictions of conditional covariance D, and S the slopes of
    these predictions by b, the squared standard errors are

    - ``population``: ``x' V_b x``; for a prediction ``+ z' G z + r``;
    - ``person``: ``z' D z + (x + S'z)' V_b (x + S'z)``, the prediction error of
      ``x'b + z'u`` by Henderson's mixed-model equations (Henderson 1975, doi:10.2307/2529430); for
      a prediction ``+ r``.

    The covariance parameters are taken as known.

    Parameters
    ----------
    fit : FitResult
        Of either family.
    new_data : data frame or path
        Long rows for a mixed model; a row a person for a structural equation model, with its
        covariates (and its outcomes where scores are wanted).
    level : {"person", "population"}
        Persons of the fit (for a structural equation model those of the new rows, scored from
        their outcomes), or the expectation over persons.
    interval : {"confidence", "prediction"}, optional
        For the expected outcome, or for an outcome that is yet to be seen.
    coverage : float
        Of the interval.

    Returns
    -------
    DataFrame
        Column ``estimate``; with an interval ``std_error, ci_low, ci_high`` too. Rows as in the
        data; for a structural equation model one for each person and outcome, in the index.

    Raises
    ------
    SpecificationError
        If an option is none.
    DataError
        If columns are absent or a person is unknown.
    UnsupportedEngineError
        Where it is not made, with the reason.
    """
    if level not in ("person", "population"):
        raise SpecificationError(
            f"There is no prediction level {level!r}.", hint="Use 'person' or 'population'."
        )
    if interval not in (None, "confidence", "prediction"):
        raise SpecificationError(
            f"There is no interval {interval!r}.", hint="Use 'confidence' or 'prediction'."
        )
    if not 0 < coverage < 1:
        raise SpecificationError(
            f"An interval cannot cover {coverage:g}.", hint="Give a number between 0 and 1."
        )
    frame = as_pandas(new_data)
    if isinstance(fit.data, WideData):
        return predict_wide(fit, fit.data, frame, level=level, interval=interval, coverage=coverage)
    return _long(fit, fit.data, frame, level=level, interval=interval, coverage=coverage)


def _long(
    fit: FitResult,
    data: LongData,
    frame: pd.DataFrame,
    *,
    level: str,
    interval: str | None,
    coverage: float,
) -> pd.DataFrame:
    import pandas as pd
    from scipy.special import ndtri

    rows = new_rows(data, frame)
    at = [fit.fit.names.index(name) for name in data.problem.fixed_names]
    mean = rows.fixed @ fit.fit.estimates[at]
    spread = fit.fit.covariance[np.ix_(at, at)]
    quantile = np.full(len(mean), float(ndtri(0.5 + coverage / 2)))
    if level == "population":
        square = np.einsum("ni,ij,nj->n", rows.fixed, spread, rows.fixed)
        if interval == "prediction":
            square = square + _random_variance(fit, rows.random)
        elif interval == "confidence" and fit.df is not None:
            quantile = _quantiles(fit, at, rows.fixed, coverage)
    else:
        own = subject_places(data, frame)
        values = ordered_estimates(fit.fit, data)
        modes, left = long_engine.random_effects(data.problem, values)
        mean = mean + np.einsum("ni,ni->n", rows.random, modes[own])
        square = np.zeros(len(mean))
        if interval is not None:
            slopes = _slopes(data, values, modes)[own]
            total = rows.fixed + np.einsum("ni,nik->nk", rows.random, slopes)
            square = np.einsum("ni,nij,nj->n", rows.random, left[own], rows.random)
            square = square + np.einsum("ni,ij,nj->n", total, spread, total)
    made = pd.DataFrame({"estimate": mean}, index=frame.index)
    if interval is None:
        return made
    if interval == "prediction":
        square = square + residual_variances(fit, frame, known=level == "person")
    error = np.sqrt(square)
    return made.assign(
        std_error=error, ci_low=mean - quantile * error, ci_high=mean + quantile * error
    )


def _random_variance(fit: FitResult, design: FloatArray) -> FloatArray:
    matrix = fit.factor_cov.to_numpy()
    return np.asarray(np.einsum("ni,ij,nj->n", design, matrix, design))


def _quantiles(fit: FitResult, at: list[int], fixed: FloatArray, coverage: float) -> FloatArray:
    """Critical values with each row's own degrees of freedom."""
    found = np.full(len(fixed), np.nan)
    distinct, inverse = np.unique(fixed, axis=0, return_inverse=True)
    for k, row in enumerate(distinct):
        weights = np.zeros(len(fit.fit.names))
        weights[at] = row
        if np.all(np.isfinite(row)):
            found[inverse.ravel() == k] = combination(fit, weights).quantile(coverage)
    return found


def _slopes(data: LongData, values: FloatArray, modes: FloatArray) -> FloatArray:
    """Derivatives of the predicted random effects by the fixed effects, (n_subjects, q, p).

    Predictions are linear in ``y - X b``, so that a column of X added to y moves them by minus
    the derivative.
    """
    problem = data.problem
    size = float(np.std(problem.outcome)) or 1.0
    x = np.asarray(problem.fixed, dtype=float)
    made = np.zeros((*modes.shape, x.shape[1]))
    for k in range(x.shape[1]):
        step = size / (float(np.abs(x[:, k]).max()) or 1.0)
        moved = replace(problem, outcome=problem.outcome + step * x[:, k])
        made[:, :, k] = -(long_engine.random_effects(moved, values)[0] - modes) / step
    return made
