"""Printed numbers and ours, one by one, under given rules of a program."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from growthmm.equivalence.printed.result import ComparedFigure
from growthmm.equivalence.printed.values import Quantity, Values
from growthmm.inference.result import FitResult
from growthmm.model.sem import SemModel
from growthmm.printed.conventions import CONVENTIONS, Errors
from growthmm.printed.results import PrintedResults, PrintedRow

__all__ = ["Fits", "Setting", "compare", "first_setting", "not_printed"]

FloatArray = NDArray[np.float64]

ROUNDING = 1e-6
"""Room for the sum of two roundings, in units of the printed precision."""

SATURATED = 1e-3
"""How far a program's saturated model of incomplete data may stop short, in chi-square."""


@dataclass(frozen=True, slots=True)
class Setting:
    """The rules under which a comparison is made.

    Parameters
    ----------
    estimator : {"ml", "reml"}
        What is maximised.
    listwise : bool
        Whether incomplete persons are dropped.
    fixed_errors, variance_errors : str
        Information matrices behind the standard errors.
    robust : bool
        Whether they are of the sandwich kind.
    wishart : bool
        Whether the covariances' divisor is N - 1.
    bounds : {"psd", "none"}
        The parameter space.
    adjusted, aic, bic, early, error_slack
        See :class:`growthmm.printed.conventions.Convention`.
    deviations : bool
        Whether what is printed as a variance is a standard deviation, and the reverse.
    residual : str, optional
        Another residual structure than the model's.
    diagonal : bool, optional
        Whether the random effects are uncorrelated, where that is not the model's.
    """

    estimator: Literal["ml", "reml"]
    listwise: bool
    fixed_errors: Literal["expected", "observed"]
    variance_errors: Errors
    robust: bool
    wishart: bool
    bounds: Literal["psd", "none"]
    adjusted: bool
    aic: Literal["all", "covariances"]
    bic: Literal["rows", "subjects", "residual_rows"]
    early: float
    error_slack: float
    deviations: bool = False
    residual: str | None = None
    diagonal: bool | None = None

    @property
    def fit_key(self) -> tuple[object, ...]:
        """What of it takes a fit of its own."""
        return (
            *(self.estimator, self.listwise, self.robust, self.wishart, self.bounds),
            *(self.residual, self.diagonal),
        )


@dataclass(frozen=True)
class Fits:
    """One fit under both information matrices (the same estimates).

    Parameters
    ----------
    expected, observed : FitResult
        By one of our engines.
    """

    expected: FitResult
    observed: FitResult

    def covariance(self, kind: Errors) -> FloatArray:
        """The estimates' covariance matrix."""
        fit = self.expected if kind == "expected" else self.observed
        return np.asarray(fit.fit.covariance, dtype=float)


def first_setting(printed: PrintedResults, estimator: Literal["ml", "reml"] | None) -> Setting:
    """The rules that the output states, else the program's defaults.

    Parameters
    ----------
    printed : PrintedResults
        The output.
    estimator : {"ml", "reml"}, optional
        What was asked for or what the model states, which wins.
    """
    habit = CONVENTIONS[printed.notation]
    said = (printed.estimator or "").lower()
    chosen: Literal["ml", "reml"] = habit.estimator
    if said:
        chosen = "reml" if said == "reml" else "ml"
    told = printed.information
    variance: Errors = told or habit.variance_errors
    return Setting(
        estimator=estimator or chosen,
        listwise=bool(printed.listwise),
        fixed_errors=told or habit.fixed_errors,
        variance_errors=variance,
        robust=printed.robust,
        wishart=False,
        bounds=habit.bounds,
        adjusted=habit.adjusted,
        aic=habit.aic,
        bic=habit.bic,
        early=habit.early,
        error_slack=habit.error_slack,
    )


_SWAPPED = {
    "variance": "sd",
    "sd": "variance",
    "residual variance": "residual sd",
    "residual sd": "residual variance",
    "covariance": "correlation",
    "correlation": "covariance",
}


def compare(printed: PrintedResults, fits: Fits, setting: Setting) -> tuple[ComparedFigure, ...]:
    """Every printed number beside ours.

    A number agrees where the two differ by no more than half a unit of its last printed digit
    and the allowance: a program that stops `early` log-likelihood units below its maximum is off
    by up to ``sqrt(2 early)`` standard errors.

    Parameters
    ----------
    printed : PrintedResults
        What the program printed.
    fits : Fits
        Our fit.
    setting : Setting
        Under which rules.
    """
    values = Values(fits.expected, printed)
    rows: list[ComparedFigure] = []
    for row in printed.rows:
        rows += _row(row, values, fits, setting)
    rows += _figures(printed, fits.expected, setting)
    return tuple(rows)


def _row(row: PrintedRow, values: Values, fits: Fits, setting: Setting) -> list[ComparedFigure]:
    asked = row
    if setting.deviations and row.kind in _SWAPPED:
        asked = replace(row, kind=_SWAPPED[row.kind])  # type: ignore[arg-type]
    shown = row.printed or row.name
    quantity = values.quantity(asked)
    if quantity is None:
        if row.fixed and row.estimate == 0:
            return []
        room = row.tolerance * (1 + ROUNDING)
        return [ComparedFigure(shown, "", "estimate", row.estimate, None, room, False, row.group)]
    error = _error(asked, quantity, values, fits, setting)
    drift = float(np.sqrt(2 * setting.early))
    size = error if np.isfinite(error) else abs(quantity.value)
    room = row.tolerance * (1 + ROUNDING) + drift * size
    near = abs(quantity.value - row.estimate) <= room
    if row.fixed and near and not np.any(quantity.gradient):
        return []
    made = [
        ComparedFigure(
            shown,
            quantity.name,
            "estimate",
            row.estimate,
            _plain(quantity.value),
            room,
            near,
            row.group,
        )
    ]
    if row.std_error is not None and np.isfinite(error):
        room = row.error_tolerance * (1 + ROUNDING) + setting.error_slack * error
        near = abs(error - row.std_error) <= room
        made.append(
            ComparedFigure(
                shown, quantity.name, "std_error", row.std_error, error, room, near, row.group
            )
        )
    return made


def _error(
    row: PrintedRow, quantity: Quantity, values: Values, fits: Fits, setting: Setting
) -> float:
    kind = setting.fixed_errors if quantity.location else setting.variance_errors
    if kind == "ratio" and not row.kind.startswith("residual"):
        quantity = values.ratio(quantity)
    error = quantity.error(fits.covariance(kind))
    if setting.adjusted and setting.estimator == "ml" and quantity.location:
        fit = fits.expected
        error *= float(np.sqrt(fit.n_rows / (fit.n_rows - _n_fixed(fit))))
    return error


def _plain(value: float) -> float | None:
    return value if np.isfinite(value) else None


def _n_fixed(fit: FitResult) -> int:
    return sum(kind == "fixed" for kind in fit.fit.kinds)


def criteria(fit: FitResult, setting: Setting) -> dict[str, float]:
    """Log-likelihood, deviance, AIC and BIC by the rules of a setting."""
    restricted = setting.estimator == "reml"
    n_counted = fit.n_parameters
    if restricted and setting.aic == "covariances":
        n_counted -= _n_fixed(fit)
    n = {
        "rows": fit.n_rows,
        "subjects": _n_subjects(fit, setting),
        "residual_rows": fit.n_rows - (_n_fixed(fit) if restricted else 0),
    }[setting.bic]
    log_likelihood = fit.log_likelihood * _weight(fit, setting)
    deviance = -2.0 * log_likelihood
    return {
        "log_likelihood": log_likelihood,
        "deviance": deviance,
        "aic": deviance + 2 * n_counted,
        "bic": deviance + float(np.log(n)) * n_counted,
    }


def _n_subjects(fit: FitResult, setting: Setting) -> int:
    """Persons; a fit with the weight N - 1 counts one fewer in each group."""
    groups = fit.model.n_groups if isinstance(fit.model, SemModel) else 1
    return fit.n_subjects + groups * setting.wishart


def _weight(fit: FitResult, setting: Setting) -> float:
    """The log-likelihood that lavaan prints with likelihood wishart has the weight N all the same.

    It is the normal one of a covariance matrix with divisor N - 1, and not comparable with others.
    NaN with several groups, where it is no multiple of the one maximised.
    """
    if not setting.wishart:
        return 1.0
    if isinstance(fit.model, SemModel) and fit.model.n_groups > 1:
        return float("nan")
    return (fit.n_subjects + 1) / fit.n_subjects


_MEASURES = ("chi_square", "rmsea", "cfi", "tli", "srmr", "unrestricted_log_likelihood")


def _figures(printed: PrintedResults, fit: FitResult, setting: Setting) -> list[ComparedFigure]:
    ours = criteria(fit, setting)
    counts: dict[str, int | None] = {
        "n_parameters": fit.n_parameters,
        "n_subjects": _n_subjects(fit, setting),
        "n_rows": None if setting.wishart else fit.n_rows,
    }
    if isinstance(fit.model, SemModel) and setting.estimator == "ml":
        measures = fit.fit_measures
        ours |= {name: measures[name] for name in _MEASURES}
        ours["unrestricted_log_likelihood"] *= _weight(fit, setting)
        degrees = measures["df"]
        counts["df"] = int(degrees) if np.isfinite(degrees) else None
    made = []
    for name, figure in printed.figures().items():
        value = ours.get(name)
        if value is None or not np.isfinite(value):
            continue
        room = figure.tolerance * (1 + ROUNDING)
        if name in ("log_likelihood", "deviance", "aic", "bic", "chi_square"):
            room += setting.early * (1 if name == "log_likelihood" else 2)
        if name in _MEASURES and not setting.listwise and name != "srmr":
            room += SATURATED if name in ("chi_square", "unrestricted_log_likelihood") else 1e-5
        near = abs(value - figure.value) <= room
        made.append(ComparedFigure(name, name, "figure", figure.value, value, room, near))
    for name, count in printed.counts().items():
        known = counts.get(name)
        if known is not None:
            made.append(ComparedFigure(name, name, "count", count, known, 0.0, known == count))
    return made


def not_printed(printed: PrintedResults, fit: FitResult) -> tuple[str, ...]:
    """Our parameters on which no printed estimate depends."""
    values = Values(fit, printed)
    used = np.zeros(len(fit.fit.names), dtype=bool)
    for row in printed.rows:
        quantity = values.quantity(row)
        if quantity is not None:
            used |= quantity.gradient != 0
    return tuple(name for name, seen in zip(fit.fit.names, used, strict=True) if not seen)
