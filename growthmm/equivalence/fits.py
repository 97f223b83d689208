"""Fits of both forms by every engine asked for, and whether a witness's answer counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from growthmm.engines import long as long_engine
from growthmm.engines import wide as wide_engine
from growthmm.engines.long.problem import LongProblem
from growthmm.engines.outcome import EngineFit
from growthmm.engines.registry import ENGINES, Engine, engine, run, state
from growthmm.engines.wide.problem import WideProblem
from growthmm.errors import EngineError, SpecificationError

__all__ = ["EngineReport", "Fits", "fit_both", "newton_distance"]

FloatArray = NDArray[np.float64]

BOUNDARY_GAP = 1e-4
"""Log-likelihood by which a witness may miss an optimum on the boundary, where scores are not zero."""


@dataclass(frozen=True)
class EngineReport:
    """What became of one engine.

    Parameters
    ----------
    name : str
        The engine.
    used : bool
        Whether its answer counts.
    reason : str
        Why not, where it does not.
    version : str
        Of the program behind it.
    fit : EngineFit, optional
        Its answer, also where it does not count.
    distance : float, optional
        How far from our optimum it stopped, in standard errors.
    """

    name: str
    used: bool
    reason: str = ""
    version: str = ""
    fit: EngineFit | None = None
    distance: float | None = None


@dataclass(frozen=True)
class Fits:
    """All fits of one pair.

    Parameters
    ----------
    long, wide : EngineFit
        Ours, each under its own family's bounds or those asked for.
    reports : tuple of EngineReport
        Every engine, used or not.
    """

    long: EngineFit
    wide: EngineFit
    reports: tuple[EngineReport, ...]


def newton_distance(
    problem: LongProblem | WideProblem, values: FloatArray, estimator: str
) -> float:
    """How far a point is from our optimum: its Newton step in standard errors.

    Parameters
    ----------
    problem : LongProblem or WideProblem
        The model and data.
    values : (n_parameters,) ndarray
        The point, in the order of our engine's parameters.
    estimator : {"ml", "reml"}
        Which likelihood.

    Returns
    -------
    float
        ``max |I^-1 s| / SE`` with score s and observed information I; infinite where the
        information is not positive definite.
    """
    own = long_engine if isinstance(problem, LongProblem) else wide_engine
    score = own.score(problem, values, estimator=estimator)  # type: ignore[arg-type]
    information = own.information(  # type: ignore[arg-type]
        problem, values, kind="observed", estimator=estimator
    )
    if not (np.all(np.isfinite(score)) and np.all(np.isfinite(information))):
        return float("inf")
    scale = 1 / np.sqrt(np.maximum(np.abs(np.diag(information)), 1e-300))
    curvature, basis = np.linalg.eigh(information * np.outer(scale, scale))
    if curvature.min() <= 1e-14 * curvature.max():
        return float("inf")
    covariance = (basis / curvature) @ basis.T
    step = covariance @ (scale * score)
    return float(np.max(np.abs(step) / np.sqrt(np.diag(covariance))))


def fit_both(
    long_problem: LongProblem,
    wide_problem: WideProblem,
    *,
    estimator: str,
    bounds: str | None,
    engines: Sequence[str] | None,
    time_limit: float,
) -> Fits:
    """Fit both forms by our engines and the witnesses.

    Parameters
    ----------
    long_problem, wide_problem : LongProblem, WideProblem
        The two forms with their data.
    estimator : {"ml", "reml"}
        What to maximise.
    bounds : {"psd", "none"}, optional
        One parameter space for both; each family's own habit where None.
    engines : sequence of str, optional
        The witnesses wanted; statsmodels and semopy where None. Ours always run.
    time_limit : float
        Seconds that a witness may take.

    Returns
    -------
    Fits
        With a report for every engine.
    """
    long_fit = run("long", long_problem, estimator=estimator, bounds=bounds or "psd")
    wide_fit = run("wide", wide_problem, estimator=estimator, bounds=bounds or "none")
    wanted = None if engines is None else [engine(name).name for name in engines]
    if wanted is not None and not wanted:
        raise SpecificationError("No engine was named.", hint="Leave engines out, or name some.")
    reports = [_own_report(long_fit), _own_report(wide_fit)]
    for name, e in ENGINES.items():
        if e.own:
            continue
        if wanted is None and e.r_package is not None:
            reports.append(
                EngineReport(name, False, f"not asked for; --engines {name} asks for it")
            )
        elif wanted is not None and name not in wanted:
            reports.append(EngineReport(name, False, "not asked for"))
        else:
            problem = long_problem if e.family == "mixed" else wide_problem
            ours = long_fit if e.family == "mixed" else wide_fit
            reports.append(_witness(e, problem, ours, estimator, time_limit))
    return Fits(long_fit, wide_fit, tuple(reports))


def _own_report(fit: EngineFit) -> EngineReport:
    if fit.convergence.converged:
        return EngineReport(fit.engine, True, "", fit.version, fit, 0.0)
    return EngineReport(fit.engine, False, fit.convergence.message, fit.version, fit)


def _witness(
    e: Engine,
    problem: LongProblem | WideProblem,
    ours: EngineFit,
    estimator: str,
    time_limit: float,
) -> EngineReport:
    """Run a witness; where our score is not zero at its answer, once more from our optimum."""
    found = state(e.name)
    if not found.installed:
        return EngineReport(e.name, False, found.reason)
    answer: EngineFit | None = None
    distance: float | None = None
    for start in (None, ours.estimates):
        try:
            answer = run(e.name, problem, estimator=estimator, start=start, time_limit=time_limit)
        except EngineError as error:
            return EngineReport(e.name, False, error.message, found.version, answer, distance)
        distance, passed = _judge(e, problem, ours, answer, estimator)
        if passed:
            return EngineReport(e.name, True, "", found.version, answer, distance)
    assert answer is not None
    gap = ours.log_likelihood - answer.log_likelihood
    return EngineReport(
        e.name,
        False,
        f"failed: it stopped {distance:.2g} standard errors and {gap:.2g} in log-likelihood from "
        "the optimum, also when started from it",
        found.version,
        answer,
        distance,
    )


def _judge(
    e: Engine,
    problem: LongProblem | WideProblem,
    ours: EngineFit,
    answer: EngineFit,
    estimator: str,
) -> tuple[float, bool]:
    order = [answer.names.index(name) for name in ours.names]
    values = answer.estimates[order]
    if ours.boundary.at_boundary:
        gap = abs(ours.log_likelihood - answer.log_likelihood)
        return gap, gap <= BOUNDARY_GAP
    distance = newton_distance(problem, values, estimator)
    gap = abs(ours.log_likelihood - answer.log_likelihood)
    return distance, distance <= e.tolerance and gap <= max(1e-6, e.tolerance**2 * len(order))
