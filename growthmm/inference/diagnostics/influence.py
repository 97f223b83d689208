"""Influential persons: what leaving each one out does to the fixed effects."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from growthmm.engines.long.problem import LongProblem
from growthmm.engines.registry import run
from growthmm.engines.wide.problem import WideGroup
from growthmm.errors import UnsupportedEngineError
from growthmm.inference.diagnostics.finding import Finding
from growthmm.inference.resampling.persons import take_persons
from growthmm.inference.result import FitResult
from growthmm.progress import tracked

__all__ = ["check_influence", "cook_distances"]

FloatArray = NDArray[np.float64]

SHOWN = 5
"""Persons listed."""

LARGE = 4.0
"""Cook's distance times the number of persons from which one is named."""


def cook_distances(fit: FitResult) -> FloatArray:
    """Cook's distance of each person for the fixed effects (means and regressions).

    ``D_i = (b - b_(i))' V^-1 (b - b_(i)) / p`` with `b_(i)` from a full refit without person i,
    all variances included, and `V` the covariance matrix of `b` in the fit to all (Cook 1977,
    doi:10.1080/00401706.1977.10489493; for mixed models Demidenko & Stukel 2005,
    doi:10.1002/sim.1974).

    Parameters
    ----------
    fit : FitResult
        By one of our engines; of rows, not of moments.

    Returns
    -------
    (n_subjects,) ndarray
        In the order of ``fit.data.subjects``.

    Raises
    ------
    UnsupportedEngineError
        For fits by other engines, of moments, of several groups, or with estimated loadings.
    """
    problem = fit.data.problem
    if fit.engine not in ("long", "wide") or fit.penalty is not None:
        raise UnsupportedEngineError(
            "Persons are left out of unpenalised fits by our engines only.",
            hint="Fit with engine long or wide.",
        )
    if isinstance(problem, LongProblem):
        n = problem.n_subjects
    elif len(problem.groups) == 1 and isinstance(problem.groups[0], WideGroup):
        n = len(problem.groups[0].outcomes)
    else:
        raise UnsupportedEngineError(
            "Persons are left out of rows of one group only.", hint="Give the rows of the data."
        )
    means = [k for k, kind in enumerate(fit.fit.kinds) if kind in ("fixed", "mean", "regression")]
    variance = np.linalg.inv(fit.fit.covariance[np.ix_(means, means)])
    everyone = np.arange(n)
    found = np.zeros(n)
    for person in tracked(range(n), "persons left out"):
        part = take_persons(problem, (np.delete(everyone, person),))
        answer = run(
            fit.engine,
            part,
            estimator=fit.estimator,
            bounds=fit.fit.bounds,
            start=fit.fit.estimates,
        )
        move = (fit.fit.estimates - answer.estimates)[means]
        found[person] = move @ variance @ move / len(means)
    return found


def check_influence(fit: FitResult) -> Finding:
    """Which persons move the fixed effects most."""
    distances = cook_distances(fit)
    order = np.argsort(distances)[::-1][:SHOWN]
    top = {str(fit.data.subjects[k]): float(distances[k]) for k in order}
    limit = LARGE / len(distances)
    evidence: dict[str, object] = {"cook": top, "limit": limit}
    large = int(np.sum(distances > limit))
    if float(distances.max()) < 1.0:
        return Finding(
            "influence",
            "note" if large else "ok",
            f"the largest Cook's distance is {distances.max():.3g}; {large} of {len(distances)} "
            f"persons are above 4/n = {limit:.3g}",
            evidence,
            "Look at these persons' rows; no single one decides the result." if large else "",
        )
    return Finding(
        "influence",
        "warning",
        f"person {next(iter(top))} moves the fixed effects by more than their standard errors "
        f"(Cook's distance {distances.max():.3g})",
        evidence,
        "Check this person's rows, and report the fit without them beside this one.",
    )
