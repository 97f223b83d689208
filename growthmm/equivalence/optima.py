"""The optima over both parameter spaces, where one side's lies on its boundary."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from growthmm.engines.long.problem import LongProblem
from growthmm.engines.outcome import EngineFit
from growthmm.engines.registry import run
from growthmm.engines.wide.problem import WideProblem
from growthmm.equivalence.fits import Fits
from growthmm.errors import EngineError
from growthmm.rendering import Brief

__all__ = ["Optima", "Optimum", "find_optima"]

Space = Literal["psd", "none"]


@dataclass(frozen=True, slots=True, repr=False)
class Optimum(Brief):
    """The highest log-likelihood over one parameter space.

    Parameters
    ----------
    bounds : {"psd", "none"}
        The space: positive semi-definite factor covariance, or any that gives the outcomes one.
    log_likelihood : dict of str to float
        By engine, of those that converged.
    description : str
        The variance or correlation on or beyond the boundary.
    """

    bounds: Space
    log_likelihood: dict[str, float]
    description: str

    @property
    def spread(self) -> float:
        """How far the engines are apart; infinite where fewer than two found it."""
        values = list(self.log_likelihood.values())
        return max(values) - min(values) if len(values) > 1 else float("inf")


Optima = tuple[Optimum, ...]
"""Nothing, or the bounded optimum and then the unbounded one."""


def find_optima(
    long_problem: LongProblem, wide_problem: WideProblem, fits: Fits, bounds: str | None
) -> Optima:
    """Both engines' optima over both spaces, where the sides' own lie at a boundary.

    Parameters
    ----------
    long_problem, wide_problem : LongProblem, WideProblem
        The two forms with their data.
    fits : Fits
        Their fits, the mixed side bounded and the SEM side not.
    bounds : {"psd", "none"}, optional
        The space asked for; with one for both sides there is nothing to tell apart.

    Returns
    -------
    tuple of Optimum
        Empty where both optima are interior.
    """
    if bounds is not None or not (_edge(fits.long) or _edge(fits.wide)):
        return ()
    estimator = fits.long.estimator
    free = _attempt("long", long_problem, estimator, "none")
    bounded = _attempt("wide", wide_problem, estimator, "psd")
    return (
        _optimum("psd", fits.long, bounded),
        _optimum("none", free, fits.wide),
    )


def _edge(fit: EngineFit) -> bool:
    return fit.boundary.at_boundary or fit.boundary.beyond


def _attempt(
    engine: str, problem: LongProblem | WideProblem, estimator: str, bounds: Space
) -> EngineFit | None:
    try:
        return run(engine, problem, estimator=estimator, bounds=bounds)
    except EngineError:
        return None


def _optimum(bounds: Space, long: EngineFit | None, wide: EngineFit | None) -> Optimum:
    found = {
        fit.engine: fit.log_likelihood
        for fit in (long, wide)
        if fit is not None and fit.convergence.converged
    }
    own, other = (long, wide) if bounds == "psd" else (wide, long)
    description = own.boundary.description if own is not None else ""
    if not description and other is not None:
        description = other.boundary.description
    return Optimum(bounds, found, description)
