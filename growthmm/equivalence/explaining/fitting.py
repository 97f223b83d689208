"""An analysis fitted as its program would, and what it would print."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from growthmm.data.design.evaluation import evaluate
from growthmm.data.frames import codes, numeric_column
from growthmm.engines import wide as wide_engine
from growthmm.engines.outcome import EngineFit
from growthmm.engines.prepare import LongData, WideData, long_data, outcome_values, wide_data
from growthmm.engines.registry import run
from growthmm.engines.wide.problem import WideGroup, WideMoments, WideProblem
from growthmm.equivalence.explaining.analysis import Analysis
from growthmm.errors import DataError, SpecificationError, UnsupportedError
from growthmm.inference.counted import n_free
from growthmm.inference.criteria import aic, bic
from growthmm.inference.joint import joint_likelihood
from growthmm.inference.robust import with_robust_errors
from growthmm.model.growth import Covariate, GrowthModel
from growthmm.rendering import Brief
from growthmm.translation.to_mixed import mixed_from_growth
from growthmm.translation.to_sem import sem_from_growth

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Figures", "Fitter", "selected_persons"]

FloatArray = NDArray[np.float64]

WIDEST = 40
"""Occasions up to which the wide form is fitted."""


@dataclass(frozen=True, repr=False)
class Figures(Brief):
    """What a program would print of an analysis.

    Parameters
    ----------
    log_likelihood : float
        Maximised, with all constants.
    n_parameters : int
        Counted by the program.
    n_persons, n_rows : int
        That were used.
    aic, bic : float
        By the program's rule.
    names : tuple of str
        Growth parameters: ``mean:i``, ``cov:i:s``, ``residual`` and so on.
    estimates, errors : tuple of float
        Of each; NaN where there is no standard error.
    beyond : bool
        Whether the estimates are no covariance matrix.
    """

    log_likelihood: float
    n_parameters: int
    n_persons: int
    n_rows: int
    aic: float
    bic: float
    names: tuple[str, ...]
    estimates: tuple[float, ...]
    errors: tuple[float, ...]
    beyond: bool = False

    def value(self, name: str) -> tuple[float, float] | None:
        """Estimate and standard error of a parameter, None where there is none of that name."""
        if name not in self.names:
            return None
        at = self.names.index(name)
        return self.estimates[at], self.errors[at]


@dataclass
class Fitter:
    """Fits analyses of one data set, each once.

    Parameters
    ----------
    frame : DataFrame
        Long data.
    """

    frame: pd.DataFrame
    _known: dict[tuple[object, ...], Figures] = field(default_factory=dict)
    _fits: dict[tuple[object, ...], tuple[EngineFit, tuple[tuple[str, str], ...], Any]] = field(
        default_factory=dict
    )

    def __call__(self, analysis: Analysis) -> Figures:
        """What the program of an analysis would print.

        Raises
        ------
        GrowthmmError
            If the analysis cannot be fitted to these data.
        """
        key = (*_fit_key(analysis), _error_key(analysis), analysis.habits.bic)
        if key not in self._known:
            self._known[key] = self._figures(analysis)
        return self._known[key]

    def fit_indices(self, analysis: Analysis) -> tuple[float, float] | None:
        """CFI and TLI against the analysis' baseline; None where there are none."""
        fit, _, arrays = self._fitted(analysis)
        if not isinstance(arrays, WideData) or fit.estimator != "ml":
            return None
        baseline: Any = "growth" if analysis.habits.baseline == "growth" else "independence"
        order = [fit.names.index(n) for n in wide_engine.parameter_names(arrays.problem)]
        plain = replace(fit, estimates=fit.estimates[order])
        found = wide_engine.fit_measures(arrays.problem, plain, baseline=baseline)
        return found["cfi"], found["tli"]

    def _fitted(
        self, analysis: Analysis
    ) -> tuple[EngineFit, tuple[tuple[str, str], ...], LongData | WideData]:
        key = (*_fit_key(analysis), _error_key(analysis))
        if key not in self._fits:
            self._fits[key] = _fit(analysis, self._data(analysis))
        return self._fits[key]

    def _data(self, analysis: Analysis) -> pd.DataFrame:
        frame, schema = self.frame, analysis.growth.schema
        keep = selected_persons(analysis, frame)
        if not keep.all():
            frame = frame[keep].reset_index(drop=True)
        if not len(frame):
            raise DataError(
                "No person has a value of every variable at every occasion.",
                hint="Use all observed outcomes.",
            )
        lacking = np.any(np.isnan(_covariate_values(analysis.growth, frame)), axis=1)
        if lacking.any() and schema.outcome in frame.columns:
            frame = frame.assign(
                **{schema.outcome: frame[schema.outcome].mask(np.asarray(lacking))}
            )
        return frame

    def _figures(self, analysis: Analysis) -> Figures:
        habits = analysis.habits
        fit, names, data = self._fitted(analysis)
        value, count = fit.log_likelihood, n_free(fit, data)
        if habits.covariates == "joint":
            added, parameters = self._covariates(analysis)
            value, count = value + added, count + parameters
        errors = fit.standard_errors
        fixed = np.array([kind in ("fixed", "mean", "regression") for kind in fit.kinds])
        if habits.adjusted == "yes":
            spread = fit.n_rows / (fit.n_rows - int(fixed.sum()))
            errors = np.where(fixed, errors * np.sqrt(spread), errors)
        counted = {"rows": fit.n_rows, "subjects": fit.n_subjects}.get(
            habits.bic, fit.n_rows - int(fixed.sum())
        )
        keys = {name: key for key, name in names}
        return Figures(
            log_likelihood=float(value),
            n_parameters=count,
            n_persons=fit.n_subjects,
            n_rows=fit.n_rows,
            aic=aic(value, count),
            bic=bic(value, count, counted),
            names=tuple(keys.get(name, f"residual:{name}") for name in fit.names),
            estimates=tuple(float(v) for v in fit.estimates),
            errors=tuple(float(v) for v in errors),
            beyond=fit.boundary.beyond or not fit.convergence.converged,
        )

    def _covariates(self, analysis: Analysis) -> tuple[float, int]:
        """Log-likelihood and parameters of the covariates' own model."""
        own = analysis.covariate_model
        frame = self._data(analysis)
        if own is None:
            wide = wide_data(sem_from_growth(_conditional(analysis.growth)), frame)
            joint = joint_likelihood(wide.problem, 0.0, 0)
            return joint.log_likelihood, joint.n_parameters
        values = _wide_columns(analysis.growth, analysis.covariate_columns, frame, own.outcomes)
        problem = WideProblem(own, (WideGroup(values, np.empty((len(values), 0))),))
        fit = run("wide", problem)
        return fit.log_likelihood, len(fit.names)


def _fit_key(analysis: Analysis) -> tuple[object, ...]:
    habits = analysis.habits
    return (
        *(analysis.growth, habits.estimator, habits.bounds),
        *(habits.missing, habits.missing_covariates, habits.covariates, habits.divisor),
        analysis.covariate_model,
    )


def _error_key(analysis: Analysis) -> tuple[str, str, str]:
    habits = analysis.habits
    return habits.information, habits.robust, habits.adjusted


def _conditional(growth: GrowthModel) -> GrowthModel:
    """The growth model with residuals that the wide form has, where only its data are wanted."""
    from growthmm.model.residual import COMMON

    return replace(growth, residual=COMMON)


def _in_wide_form(analysis: Analysis) -> bool:
    growth, habits = analysis.growth, analysis.habits
    if not growth.schema.shared_times:
        return False
    if any(factor.cells for factor in growth.factors) or habits.divisor == "n-1":
        return True
    if growth.by_group or growth.residual.kind not in ("common", "by_occasion"):
        return False
    if len(growth.schema.occasions) > WIDEST or not growth.schema.outcome_columns:
        return False
    return habits.estimator == "ml" and habits.bounds == "none"


def _fit(
    analysis: Analysis, frame: pd.DataFrame
) -> tuple[EngineFit, tuple[tuple[str, str], ...], LongData | WideData]:
    habits = analysis.habits
    options: dict[str, Any] = {
        "estimator": habits.estimator,
        "bounds": habits.bounds,
        "information": "observed" if habits.information == "observed" else "expected",
    }
    wide = _in_wide_form(analysis)
    if not wide:
        try:
            bound, names = mixed_from_growth(analysis.growth)
            bound = replace(bound, model=replace(bound.model, estimator=habits.estimator))
            long = long_data(bound, frame)
        except UnsupportedError:
            if not analysis.growth.schema.shared_times:
                raise
        else:
            fit = run("long", long.problem, **options)
            if habits.robust == "yes":
                fit, _ = with_robust_errors(fit, long.problem, "cr0")
            return fit, names, long
    sem = sem_from_growth(analysis.growth)
    arrays, names = wide_data(sem, frame), sem.names
    if habits.divisor == "n-1":
        fit, problem = _wishart(arrays.problem, options)
        return fit, names, WideData(problem, arrays.subjects)
    fit = run("wide", arrays.problem, **options)
    if habits.robust == "yes":
        fit, _ = with_robust_errors(fit, arrays.problem, "observed")
    if habits.information == "pooled":
        fit = _with_pooled_covariates(fit, arrays.problem)
    return fit, names, arrays


def _with_pooled_covariates(fit: EngineFit, problem: WideProblem) -> EngineFit:
    """Standard errors from the information that lavaan expects where outcomes are missing.

    Every pattern of missing outcomes has the covariates' moments of all persons: with ``I_g`` the
    expected information if all N persons had pattern g, the sum of ``n_g / N I_g``.
    """
    (group,) = problem.groups
    if not isinstance(group, WideGroup) or not group.covariates.shape[1]:
        return fit
    if fit.boundary.at_boundary or fit.boundary.beyond:
        return fit
    there = np.isfinite(group.outcomes)
    used = there.any(axis=1)
    patterns, counts = np.unique(there[used], axis=0, return_counts=True)
    order = [fit.names.index(name) for name in wide_engine.parameter_names(problem)]
    total = np.zeros((len(order), len(order)))
    covariates = group.covariates[used]
    values = np.zeros((len(covariates), there.shape[1]))
    for pattern, count in zip(patterns, counts.tolist(), strict=True):
        outcomes = np.where(pattern, values, np.nan)
        same = WideProblem(problem.model, (WideGroup(outcomes, covariates),))
        whole = wide_engine.information(same, fit.estimates[order])
        total += count / len(covariates) * whole
    scale = 1.0 / np.sqrt(np.diag(total))
    inverse = np.linalg.inv(total * np.outer(scale, scale)) * np.outer(scale, scale)
    covariance = np.empty_like(inverse)
    covariance[np.ix_(order, order)] = inverse
    return replace(fit, covariance=covariance)


def _wishart(problem: WideProblem, options: dict[str, Any]) -> tuple[EngineFit, WideProblem]:
    """The fit of covariances with divisor N - 1, and the log-likelihood that lavaan prints for it.

    Estimates maximise the likelihood of the covariance matrix with divisor N - 1 at weight N - 1;
    the log-likelihood is that of N persons at the same matrix.
    """
    (group,) = problem.groups
    assert isinstance(group, WideGroup)
    values = np.column_stack([group.outcomes, group.covariates])
    if not np.all(np.isfinite(values)):
        raise SpecificationError(
            "The divisor N - 1 is a matter of complete data.", hint="Use the divisor N."
        )
    n = len(values)
    cov = np.atleast_2d(np.cov(values, rowvar=False))
    mean = values.mean(axis=0)
    fitted = WideProblem(problem.model, (WideMoments(mean, cov, n - 1),))
    fit = run("wide", fitted, **options)
    printed = WideProblem(problem.model, (WideMoments(mean, cov, n),))
    order = [fit.names.index(name) for name in wide_engine.parameter_names(printed)]
    value = wide_engine.log_likelihood(printed, fit.estimates[order])
    rows = len(problem.model.outcomes) * n
    return replace(fit, log_likelihood=value, n_subjects=n, n_rows=rows), fitted


def _used(growth: GrowthModel) -> list[Covariate]:
    names = {e.covariate for e in growth.predictor_effects}
    names |= {e.covariate for e in growth.direct_effects}
    return [c for c in growth.covariates if c.name in names]


def _covariate_values(growth: GrowthModel, frame: pd.DataFrame) -> FloatArray:
    """Values of the covariates in each row; a person's own where another row knows it."""
    used = _used(growth)
    made = np.zeros((len(frame), len(used)))
    person, labels = codes(frame, growth.schema.person)
    for k, covariate in enumerate(used):
        values = evaluate((covariate.column,), frame, growth.schema)[:, 0]
        made[:, k] = values
        if not covariate.time_varying and growth.schema.outcome_columns:
            known = np.full(len(labels), np.nan)
            good = np.isfinite(values) & (person >= 0)
            known[person[good]] = values[good]
            made[:, k] = np.where(person >= 0, known[person], np.nan)
    return made


def selected_persons(analysis: Analysis, frame: pd.DataFrame) -> NDArray[np.bool_]:
    """The rows of the persons whom the program keeps.

    Parameters
    ----------
    analysis : Analysis
        With its rules for missing values.
    frame : DataFrame
        Long data.

    Returns
    -------
    (n_rows,) ndarray of bool
        All true where nobody is dropped.
    """
    growth, habits = analysis.growth, analysis.habits
    schema = growth.schema
    keep = np.ones(len(frame), dtype=bool)
    drop_covariates = habits.missing_covariates == "persons" or habits.missing == "listwise"
    if (habits.missing == "all" and not drop_covariates) or not schema.shared_times:
        return keep
    person, labels = codes(frame, schema.person)
    n_occasions = len(schema.occasions)
    time = numeric_column(frame, schema.time or "")
    at = np.isin(time, np.asarray(schema.occasions)) & (person >= 0)
    good = np.ones(len(labels), dtype=bool)
    if habits.missing == "listwise":
        seen = np.isfinite(outcome_values(schema, frame)) & at
        counts = np.bincount(person[seen], minlength=len(labels))
        good &= counts >= n_occasions
    used = _used(growth)
    if drop_covariates and used:
        values = _covariate_values(growth, frame)
        for k, covariate in enumerate(used):
            known = np.isfinite(values[:, k]) & at
            counts = np.bincount(person[known], minlength=len(labels))
            wanted = n_occasions if covariate.time_varying else 1
            good &= counts >= wanted
    return np.asarray(good[person] & (person >= 0))


def _wide_columns(
    growth: GrowthModel,
    covariates: Sequence[Covariate],
    frame: pd.DataFrame,
    wanted: Sequence[str],
) -> FloatArray:
    """A row a person of the named covariate columns."""
    schema = growth.schema
    person, labels = codes(frame, schema.person)
    time = numeric_column(frame, schema.time or "")
    columns: dict[str, FloatArray] = {}
    for covariate in covariates:
        values = evaluate((covariate.column,), frame, schema)[:, 0]
        places = enumerate(covariate.columns) if covariate.time_varying else [(-1, covariate.name)]
        for j, name in places:
            rows = np.isfinite(values) & (person >= 0)
            if j >= 0:
                rows &= time == schema.occasions[j]
            column = np.full(len(labels), np.nan)
            column[person[rows]] = values[rows]
            columns[name] = column
    return np.column_stack([columns[name] for name in wanted])
