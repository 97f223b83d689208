"""Fits of both forms by every engine asked for, and whether a witness's answer counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from growthmm.engines import long as long_engine
from growthmm.engines import wide as wide_engine
from growthmm.engines.limits import TimeLimitError
from growthmm.engines.long.problem import LongProblem
from growthmm.engines.outcome import EngineFit
from growthmm.engines.registry import ENGINES, Engine, engine, run, state
from growthmm.engines.wide.constraints import relations
from growthmm.engines.wide.problem import WideProblem
from growthmm.engines.wide.search import null_basis
from growthmm.errors import EngineError, SpecificationError
from growthmm.progress import tracked
from growthmm.rendering import Brief

__all__ = [
    "NOT_ASKED",
    "EngineReport",
    "Fits",
    "fit_both",
    "fit_sem",
    "newton_distance",
    "witness_errors",
]

FloatArray = NDArray[np.float64]

NOT_ASKED = "not asked for"

NO_MIXED = "no mixed model says this model"

UNAIDED = 0.1
"""Share of a witness's time limit for its first try, from its own start."""

AT_BOUNDARY = (0.02, 0.05)
"""Shares for the first and the second try at a boundary, where optimisers crawl (with up to `SMALL`
rows; more rows, more time)."""

SMALL = 1500

BOUNDARY_GAP = 1e-4
"""Log-likelihood by which a witness may miss an optimum on the boundary, where
scores are not zero."""


@dataclass(frozen=True, repr=False)
class EngineReport(Brief):
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
        How far from our optimum it stopped, in standard errors (at a boundary, where scores are
        not zero, in log-likelihood).
    se_difference : float, optional
        Largest relative difference of a witness's standard errors from ours under its own
        information matrix.
    """

    name: str
    used: bool
    reason: str = ""
    version: str = ""
    fit: EngineFit | None = None
    distance: float | None = None
    se_difference: float | None = None


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
        information is not positive definite or the likelihood does not exist.
    """
    own = long_engine if isinstance(problem, LongProblem) else wide_engine
    try:
        return float(own.distance(problem, values, estimator=estimator))
    except SpecificationError:
        return float("inf")


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
    wanted = _wanted(engines)
    reports = [_own_report(long_fit), _own_report(wide_fit)]
    others = [e for e in ENGINES.values() if not e.own]
    for e in tracked(others, "witnesses"):
        name = e.name
        if wanted is None and e.r_package is not None:
            reports.append(EngineReport(name, False, f"{NOT_ASKED}; --engines {name} asks for it"))
        elif wanted is not None and name not in wanted:
            reports.append(EngineReport(name, False, NOT_ASKED))
        else:
            problem = long_problem if e.family == "mixed" else wide_problem
            ours = long_fit if e.family == "mixed" else wide_fit
            reports.append(_witness(e, problem, ours, estimator, time_limit))
    return Fits(long_fit, wide_fit, tuple(reports))


def fit_sem(
    problem: WideProblem,
    *,
    estimator: str,
    bounds: str | None,
    engines: Sequence[str] | None,
    time_limit: float,
    why: str,
) -> tuple[EngineFit, tuple[EngineReport, ...]]:
    """Fit a structural equation model that has no mixed form, by our engine and the witnesses.

    Parameters
    ----------
    problem : WideProblem
        Model and data.
    estimator, bounds, engines, time_limit
        As in :func:`fit_both`.
    why : str
        Why our engine of mixed models is not used.

    Returns
    -------
    fit : EngineFit
        Ours.
    reports : tuple of EngineReport
        One for every engine.
    """
    wanted = _wanted(engines)
    fit = run("wide", problem, estimator=estimator, bounds=bounds or "none")
    reports = []
    for e in tracked(list(ENGINES.values()), "witnesses"):
        if e.family == "mixed":
            reports.append(EngineReport(e.name, False, why if e.own else NO_MIXED))
        elif e.own:
            reports.append(_own_report(fit))
        elif wanted is None and e.r_package is not None:
            asks = f"{NOT_ASKED}; --engines {e.name} asks for it"
            reports.append(EngineReport(e.name, False, asks))
        elif wanted is not None and e.name not in wanted:
            reports.append(EngineReport(e.name, False, NOT_ASKED))
        else:
            reports.append(_witness(e, problem, fit, estimator, time_limit))
    return fit, tuple(reports)


def _wanted(engines: Sequence[str] | None) -> list[str] | None:
    """The engines that were named, None where none were."""
    wanted = None if engines is None else [engine(name).name for name in engines]
    if wanted is not None and not wanted:
        raise SpecificationError("No engine was named.", hint="Leave engines out, or name some.")
    return wanted


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
    """Run a witness; where our score is not zero at its answer, once more from our optimum.

    The first answer is its own, unaided.
    """
    found = state(e.name)
    if not found.installed:
        return EngineReport(e.name, False, found.reason)
    best: tuple[EngineFit, float, float] | None = None
    said = ""
    for start, limit in zip((None, ours.estimates), _limits(e, ours, time_limit), strict=True):
        try:
            answer = run(e.name, problem, estimator=estimator, start=start, time_limit=limit)
        except TimeLimitError as error:
            said = error.message
            continue
        except EngineError as error:
            return EngineReport(e.name, False, error.message, found.version)
        distance, gap = _distances(problem, ours, answer, estimator)
        if _counts(e, ours, distance, gap):
            return EngineReport(
                e.name,
                True,
                "",
                found.version,
                answer,
                distance,
                None if ours.boundary.at_boundary else witness_errors(answer, problem, ours.names),
            )
        if best is None or abs(gap) < abs(best[2]):
            best = (answer, distance, gap)
    if best is None:
        return EngineReport(e.name, False, said, found.version)
    answer, distance, gap = best
    return EngineReport(
        e.name, False, _failure(e, ours, answer, distance, gap), found.version, answer, distance
    )


def _limits(e: Engine, ours: EngineFit, time_limit: float) -> tuple[float, float]:
    """Seconds for the unaided try and for the one from our optimum."""
    if e.r_package is not None:
        return time_limit, time_limit
    if ours.boundary.at_boundary:
        size = max(1.0, ours.n_rows / SMALL)
        first, second = (min(1.0, share * size) * time_limit for share in AT_BOUNDARY)
        return first, second
    return UNAIDED * time_limit, time_limit


def _distances(
    problem: LongProblem | WideProblem, ours: EngineFit, answer: EngineFit, estimator: str
) -> tuple[float, float]:
    """From our optimum: in standard errors, and how much higher our log-likelihood is."""
    gap = ours.log_likelihood - answer.log_likelihood
    if ours.boundary.at_boundary:
        return abs(gap), gap
    order = [answer.names.index(name) for name in ours.names]
    return newton_distance(problem, answer.estimates[order], estimator), gap


def _counts(e: Engine, ours: EngineFit, distance: float, gap: float) -> bool:
    if ours.boundary.at_boundary:
        return abs(gap) <= BOUNDARY_GAP
    return distance <= e.tolerance and abs(gap) <= max(1e-6, e.tolerance**2 * len(ours.names))


def _failure(e: Engine, ours: EngineFit, answer: EngineFit, distance: float, gap: float) -> str:
    side = "below" if gap > 0 else "above"
    edge = ours.boundary.at_boundary or ours.boundary.beyond
    if edge and answer.bounds != ours.bounds:
        space = "positive semi-definite" if answer.bounds == "psd" else "all"
        return (
            f"it searches {space} covariance matrices, another space than the one asked for, and "
            f"ends {abs(gap):.2g} in log-likelihood {side} our optimum"
        )
    if not ours.boundary.at_boundary and distance <= e.tolerance:
        return f"failed: at our optimum it computes a log-likelihood {abs(gap):.2g} {side} ours"
    where = "" if ours.boundary.at_boundary else f"{distance:.2g} standard errors and "
    if not np.isfinite(distance):
        where = "where the likelihood does not curve down, "
    return (
        f"failed: it stopped {where}{abs(gap):.2g} in log-likelihood "
        f"{side} the optimum, also when started from it"
    )


def witness_errors(
    answer: EngineFit, problem: LongProblem | WideProblem, names: tuple[str, ...]
) -> float | None:
    """How far a witness's standard errors are from ours under its own information matrix.

    Parameters
    ----------
    answer : EngineFit
        The witness's.
    problem : LongProblem or WideProblem
        What it fitted.
    names : tuple of str
        Our engine's parameters, in order.

    Returns
    -------
    float or None
        Largest relative difference over the parameters that both give one for; None where there is
        none.
    """
    own = long_engine if isinstance(problem, LongProblem) else wide_engine
    at = [answer.names.index(name) for name in names]
    information = own.information(
        problem, answer.estimates[at], kind=answer.information, estimator=answer.estimator
    )
    theirs = answer.standard_errors[at]
    if not np.all(np.isfinite(information)) or not np.all(np.diag(information) > 0):
        return None
    scale = 1.0 / np.sqrt(np.diag(information))
    along = np.diag(scale) @ _tangent(problem, answer.estimates[at], scale)
    try:
        inverse = along @ np.linalg.inv(along.T @ information @ along) @ along.T
    except np.linalg.LinAlgError:
        return None
    ours = np.sqrt(np.maximum(np.diag(inverse), 0.0))
    both = np.isfinite(theirs) & (ours > 0)
    return float(np.abs(theirs[both] / ours[both] - 1).max()) if both.any() else None


def _tangent(
    problem: LongProblem | WideProblem, values: FloatArray, scale: FloatArray
) -> FloatArray:
    """Directions, in units of `scale`, along which equality constraints hold."""
    size = len(values)
    if isinstance(problem, LongProblem):
        return np.eye(size)
    held = [c.jet.gradient for c in relations(problem.model, values) if c.equality]
    return null_basis(np.array(held).reshape(-1, size) * scale, size)
