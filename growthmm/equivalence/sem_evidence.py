"""Evidence on a structural equation model that has no linear mixed form.

Where there is one form, the engine is held against the referee, which shares no code with it, and
against itself from other starts; where there is a mixed form with curves, the two engines are held
against each other as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from growthmm.engines import long as long_engine
from growthmm.engines import wide as wide_engine
from growthmm.engines.outcome import EngineFit
from growthmm.engines.registry import run
from growthmm.engines.wide.problem import WideGroup, WideProblem
from growthmm.equivalence.agreement import ESTIMATES, INFERENCE, LIKELIHOODS, PREDICTIONS
from growthmm.equivalence.evidence import LIKELIHOOD, Level
from growthmm.equivalence.moment_test import TOLERANCE
from growthmm.equivalence.sem_referee import SemReferee, nearby, sem_referee, tangent_ranks, usable
from growthmm.equivalence.stacked_curves import StackedCurves
from growthmm.errors import EngineError
from growthmm.rendering import Brief

__all__ = ["CurvedFit", "SemEvidence", "sem_evidence"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class SemEvidence:
    """What was found.

    Parameters
    ----------
    levels : tuple of Level
        Six, as for two forms.
    one, together : int
        Dimensions of the moments' tangent space at a point, and at several points together.
    """

    levels: tuple[Level, ...]
    one: int
    together: int

    @property
    def curved(self) -> bool:
        """Whether the moments are no linear function of any parameters."""
        return self.together > self.one


@dataclass(frozen=True, repr=False)
class CurvedFit(Brief):
    """The mixed form with curves, and its fit.

    Parameters
    ----------
    form : StackedCurves
        The form.
    fit : EngineFit
        By the engine ``long``, in the SEM's parameters.
    text : str
        The form as a call of nlme; empty where there is none.
    """

    form: StackedCurves
    fit: EngineFit
    text: str = ""


def sem_evidence(
    problem: WideProblem, fit: EngineFit, curved: CurvedFit | None = None
) -> SemEvidence:
    """Hold a fit of the engine ``wide`` against the referee.

    Parameters
    ----------
    problem : WideProblem
        Model and data, of one level and with the persons' rows.
    fit : EngineFit
        The engine's answer.
    curved : CurvedFit, optional
        The mixed form with curves, where there is one.
    """
    referee = sem_referee(usable(problem))
    points = (fit.estimates, *nearby(referee, fit.estimates))
    one, together = tangent_ranks(referee, points)
    note, read = "there is no linear mixed form to be written and read again", None
    if curved is not None and curved.text:
        note, read = "the nlme call, read again, is the mixed form with items' loadings", True
    levels = (
        Level("structure", read, None, None, note),
        _moments(referee, points, (one, together)),
        _likelihood(referee, points, curved),
        _estimates(problem, fit, points[1:], curved),
        _inference(problem, fit, curved),
        _predictions(referee, fit.estimates, curved),
    )
    return SemEvidence(levels, one, together)


def _moments(referee: SemReferee, points: Sequence[FloatArray], ranks: tuple[int, int]) -> Level:
    problem = referee.problem
    one, together = ranks
    note = (
        f"at {len(points)} admissible points the moments have tangent spaces of {one} dimensions, "
        f"together of {together}; a linear mixed model's would be one and the same"
    )
    if any(path.definition for path in problem.model.paths):
        return Level("moments", together > one, None, None, note)
    worst = 0.0
    at = [referee._at[y] for y in problem.model.outcomes]
    for values in points:
        for g in range(len(problem.groups)):
            theirs = referee.form(values, (g, ()), at)
            ours = wide_engine.implied(problem, values, g)
            for a, b in zip(
                ours, (theirs.intercept, theirs.slopes, theirs.covariance), strict=True
            ):
                scale = float(np.abs(b).max(initial=0.0)) or 1.0
                worst = max(worst, float(np.abs(a - b).max(initial=0.0)) / scale)
    note += "; there the engine and the referee imply the same moments"
    return Level("moments", worst <= TOLERANCE and together > one, worst, TOLERANCE, note)


def _likelihood(
    referee: SemReferee, points: Sequence[FloatArray], curved: CurvedFit | None
) -> Level:
    worst = 0.0
    for values in points:
        ours = wide_engine.log_likelihood(referee.problem, values)
        theirs = referee.log_likelihood(values)
        found = [ours]
        if curved is not None:
            form = curved.form
            found.append(long_engine.log_likelihood(form.problem, form.values(values)))
        worst = max(worst, *(abs(own - theirs) / max(1.0, abs(theirs)) for own in found))
    engines = "the engine wide" if curved is None else "both engines"
    note = f"{engines} and the referee on the data, at {len(points)} points"
    return Level("likelihood", worst <= LIKELIHOOD, worst, LIKELIHOOD, note)


def _estimates(
    problem: WideProblem,
    fit: EngineFit,
    starts: Sequence[FloatArray],
    curved: CurvedFit | None,
) -> Level:
    if not fit.convergence.converged:
        note = f"no optimum was found: {fit.convergence.message}"
        return Level("estimates", False, None, ESTIMATES, note)
    errors = np.where(fit.standard_errors > 0, fit.standard_errors, np.nan)
    figure, gap, tried, lower = 0.0, 0.0, 0, 0
    for start in starts:
        try:
            again = run("wide", problem, estimator=fit.estimator, bounds=fit.bounds, start=start)
        except EngineError:
            continue
        if not again.convergence.converged:
            continue
        if again.log_likelihood < fit.log_likelihood - LIKELIHOODS:
            # A lower maximum is no evidence against the highest one known.
            lower += 1
            continue
        tried += 1
        figure = max(figure, _apart(again, fit, errors))
        gap = max(gap, abs(again.log_likelihood - fit.log_likelihood))
    if not tried:
        note = f"no search from another start ended there, {lower} at lower maxima"
        return Level("estimates", False, None, ESTIMATES, note)
    note = f"searches from {tried} other starts end there, log-likelihoods {gap:.1e} apart"
    note += f" ({lower} more at lower maxima)" * bool(lower)
    if not fit.boundary.at_boundary:
        step = wide_engine.distance(problem, fit.estimates, fit.estimator)
        figure = max(figure, step)
        note += f", and the score is zero to {step:.1e} SE"
    if curved is not None:
        apart = _apart(curved.fit, fit, errors)
        away = abs(curved.fit.log_likelihood - fit.log_likelihood)
        figure, gap = max(figure, apart), max(gap, away)
        note += f"; the engine long ends {apart:.1e} SE and {away:.1e} in log-likelihood away"
    passed = figure <= ESTIMATES and gap <= LIKELIHOODS
    return Level("estimates", passed, figure, ESTIMATES, note)


def _apart(one: EngineFit, other: EngineFit, errors: FloatArray) -> float:
    """The largest difference of estimates in standard errors."""
    return float(np.nanmax(np.abs(one.estimates - other.estimates) / errors, initial=0.0))


def _inference(problem: WideProblem, fit: EngineFit, curved: CurvedFit | None) -> Level:
    """Exact second derivatives against differences of the score."""
    if fit.estimator != "ml" or fit.boundary.at_boundary:
        note = "of maximum likelihood inside the parameter space alone"
        return Level("inference", None, None, INFERENCE, note)
    values = fit.estimates
    exact = wide_engine.information(problem, values, kind="observed")
    unit = 1.0 / np.sqrt(np.maximum(np.abs(np.diag(exact)), 1e-300))
    found = np.empty_like(exact)
    for k, step in enumerate(1e-3 * unit):
        move = np.zeros(len(values))
        move[k] = step
        ahead, back = (wide_engine.score(problem, values + s * move) for s in (1.0, -1.0))
        found[k] = (back - ahead) / (2 * step)
    figure = float(np.abs((found - exact) * np.outer(unit, unit)).max())
    note = "observed information against differences of the score"
    if curved is not None:
        with np.errstate(all="ignore"):
            ratio = np.abs(curved.fit.standard_errors / fit.standard_errors - 1)
        figure = max(figure, float(np.nanmax(ratio, initial=0.0)))
        note += "; the standard errors of both engines from expected information"
    return Level("inference", figure <= INFERENCE, figure, INFERENCE, note)


def _persons(problem: WideProblem) -> list[WideGroup]:
    return [data for data in problem.groups if isinstance(data, WideGroup)]


def _predictions(referee: SemReferee, values: FloatArray, curved: CurvedFit | None) -> Level:
    if not referee.problem.model.latent:
        note = "no latent variables to predict"
        return Level("predictions", None, None, PREDICTIONS, note)
    # What a person's unknown covariate adds to a latent variable is nobody's to say.
    known = np.concatenate(
        [np.isfinite(data.covariates).all(axis=1) for data in _persons(referee.problem)]
    )
    ours = wide_engine.factor_scores(referee.problem, values)[0][known]
    theirs = referee.scores(values)[known]
    scale = np.maximum(theirs.std(axis=0), 1e-6 * float(theirs.std()) or 1.0)
    figure = float((np.abs(ours - theirs) / scale).max())
    note = "factor scores against the referee's conditional means"
    if curved is not None:
        blups = curved.form.scores(values, referee.problem.model.latent)[known]
        own = ours - referee.expected(values)[known]
        figure = max(figure, float((np.abs(own - blups) / scale).max()))
        note += ", and less their means against BLUPs"
    return Level("predictions", figure <= PREDICTIONS, figure, PREDICTIONS, note)
