"""Standardised solutions of structural equation models, with standard errors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from growthmm.engines.prepare import WideData
from growthmm.engines.wide import ram as r
from growthmm.errors import SpecificationError
from growthmm.inference.variance.explained import (
    covariate_covariance,
    refuse_definitions,
    refuse_levels,
)
from growthmm.model.sem import Path

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Standard", "standardized_solution"]

FloatArray = NDArray[np.float64]
Standard = Literal["all", "lv"]

KINDS = ("all", "lv")


@dataclass(frozen=True)
class _Scales:
    """Log variances of a group's variables with their slopes, by name.

    ``total`` has the implied variances (zero slope for covariates), ``own`` those that the model
    leaves unexplained. Variables that keep their scale have logarithm zero.
    """

    total: dict[str, tuple[float, FloatArray]]
    own: dict[str, tuple[float, FloatArray]]


def standardized_solution(
    data: WideData, values: FloatArray, covariance: FloatArray, kind: Standard = "all"
) -> pd.DataFrame:
    """Every path in units of standard deviations.

    Parameters
    ----------
    data : WideData
        Model and data.
    values : (n_parameters,) ndarray
        Estimates.
    covariance : (n_parameters, n_parameters) ndarray
        Their covariance matrix.
    kind : {"all", "lv"}
        All variables have variance 1 (lavaan's ``std.all``), or latent variables alone
        (``std.lv``). Implied variances count covariates with their variances in the sample;
        covariances become correlations of what is left unexplained.

    Returns
    -------
    DataFrame
        Columns ``name, kind, estimate, std_error, statistic, p_value, ci_low, ci_high``; standard
        errors by the delta method, the covariates' variances taken as fixed; NaN statistics where
        a standardised value is known (a loading of zero).

    Raises
    ------
    SpecificationError
        If `kind` is neither.
    UnsupportedEngineError
        If the model has definition variables, so that variances differ from person to person.

    Notes
    -----
    Bollen (1989), Structural Equations with Latent Variables, pp. 349-350,
    doi:10.1002/9781118619179.
    """
    import pandas as pd
    from scipy.special import ndtr, ndtri

    if kind not in KINDS:
        raise SpecificationError(
            f"There is no standardised solution {kind!r}.",
            hint="Use 'all' or 'lv', or 'pseudo' for a mixed model's coefficients.",
        )
    refuse_levels(data, "A standardised solution")
    refuse_definitions(data, "A standardised solution")
    model = data.problem.model
    position = {name: k for k, name in enumerate(model.free_parameters)}
    scales = _scales(data, values, kind)
    quantile = float(ndtri(0.975))
    records = []
    for path in model.paths:
        raw = np.zeros(len(values))
        amount = path.value or 0.0
        if path.free:
            raw[position[path.parameter]] = 1.0
            amount = float(values[position[path.parameter]])
        factor, slope = _factor(path, scales[path.group])
        estimate = amount * factor
        gradient = raw * factor + estimate * slope
        square = _form(gradient, covariance)
        # The variance of nothing but rounding: a correlation of a variable with itself, say.
        error = 0.0 if square <= 1e-18 * max(estimate**2, 1.0) else float(np.sqrt(square))
        error = np.nan if not np.isfinite(square) else error
        statistic = estimate / error if error > 0 else np.nan
        records.append(
            {
                "name": path.name,
                "kind": path.op,
                "estimate": estimate,
                "std_error": error,
                "statistic": statistic,
                "p_value": float(2 * ndtr(-abs(statistic))),
                "ci_low": estimate - quantile * error,
                "ci_high": estimate + quantile * error,
            }
        )
    return pd.DataFrame.from_records(records)


def _form(gradient: FloatArray, covariance: FloatArray) -> float:
    used = np.flatnonzero(gradient)
    return float(gradient[used] @ covariance[np.ix_(used, used)] @ gradient[used])


def _factor(path: Path, scales: _Scales) -> tuple[float, FloatArray]:
    """What a path's value is multiplied with, and the slopes of its logarithm."""
    if path.op == "~~" and path.left != path.right:
        (a, da), (b, db) = scales.own[path.left], scales.own[path.right]
        up, down = (0.0, np.zeros_like(da)), (a + b, da + db)
    elif path.op == "~~":
        level, slope = scales.total[path.left]
        up, down = (0.0, np.zeros_like(slope)), (2 * level, 2 * slope)
    elif path.op == "~1":
        down = scales.total[path.left]
        up = (0.0, np.zeros_like(down[1]))
    else:
        cause, effect = (path.left, path.right) if path.op == "=~" else (path.right, path.left)
        up, down = scales.total[cause], scales.total[effect]
    return float(np.exp(0.5 * (up[0] - down[0]))), 0.5 * (up[1] - down[1])


def _scales(data: WideData, values: FloatArray, kind: Standard) -> list[_Scales]:
    model = data.problem.model
    made = []
    for ram, group in zip(r.compile_groups(model), data.problem.groups, strict=True):
        x = covariate_covariance(group, ram.n_outcomes)
        total, d_total = _variances(ram, values, x)
        _, s, _ = r.matrices(ram, values, None)
        own = np.diag(s[0]).copy()
        d_own = np.zeros_like(d_total)
        for row, col, k in zip(ram.s.rows, ram.s.cols, ram.s.parameters, strict=True):
            if row == col:
                d_own[row, k] = 1.0
        nothing = (0.0, np.zeros(len(values)))
        totals, owns = {}, {}
        for i, name in enumerate((*model.outcomes, *model.latent)):
            scaled = kind == "all" or i >= ram.n_outcomes
            totals[name] = _log(total[i], d_total[i]) if scaled else nothing
            owns[name] = _log(own[i], d_own[i]) if scaled else nothing
        for j, name in enumerate(model.covariates):
            totals[name] = _log(x[j, j], nothing[1]) if kind == "all" else nothing
        made.append(_Scales(totals, owns))
    return made


def _log(value: float, slope: FloatArray) -> tuple[float, FloatArray]:
    if not value > 0:
        return np.nan, np.full_like(slope, np.nan)
    return float(np.log(value)), slope / value


def _variances(ram: r.Ram, values: FloatArray, x: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Variances of outcomes and latents with the covariates', (p,), and slopes (p, n_parameters).

    With ``Q = S + K C K'``: ``T = B Q B'``, ``dT = B dA T + (.)' + B dQ B'``.
    """
    at = r.implied(ram, values)
    assert at is not None
    b, slopes = at.b[0], at.mean[0, :, 1:]
    total = at.sigma[0] + slopes @ x @ slopes.T
    out = np.zeros((ram.n_variables, ram.n_parameters))
    for row, col, k in zip(ram.a.rows, ram.a.cols, ram.a.parameters, strict=True):
        out[:, k] += 2.0 * b[:, row] * total[col]
    for row, col, k in zip(ram.s.rows, ram.s.cols, ram.s.parameters, strict=True):
        out[:, k] += b[:, row] * b[:, col] * (1.0 if row == col else 2.0)
    through = slopes @ x
    for row, col, k in zip(ram.k.rows, ram.k.cols, ram.k.parameters, strict=True):
        if col:
            out[:, k] += 2.0 * b[:, row] * through[:, col - 1]
    return np.diag(total), out
