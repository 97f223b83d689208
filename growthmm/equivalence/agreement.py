"""The last three levels of evidence: estimates, inference, predictions."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from growthmm.engines import long as long_engine
from growthmm.engines import wide as wide_engine
from growthmm.engines.long.problem import LongProblem
from growthmm.engines.prepare import LongData, WideData
from growthmm.engines.wide.problem import WideGroup, WideProblem
from growthmm.equivalence.correspondence import (
    Correspondence,
    NoCounterpartError,
    carried,
    restricted_shift,
)
from growthmm.equivalence.evidence import ROUNDING, Level
from growthmm.equivalence.fits import Fits, newton_distance
from growthmm.equivalence.moment_functions import MixedMoments
from growthmm.equivalence.optima import Optima
from growthmm.equivalence.points import block_entries
from growthmm.equivalence.referee import rounding
from growthmm.equivalence.scores import own_deviations
from growthmm.translation.outcomes.to_distal import distal_factors
from growthmm.translation.pair import Pair

__all__ = ["estimates", "inference", "predictions"]

FloatArray = NDArray[np.float64]

ESTIMATES, LIKELIHOODS = 1e-3, 1e-6
INFERENCE = 1e-4
PREDICTIONS = 1e-6


def estimates(
    link: Correspondence,
    long_problem: LongProblem,
    wide_problem: WideProblem,
    fits: Fits,
    optima: Optima = (),
) -> Level:
    """Level 4: both optimisers end at the same point.

    Inside the parameter space each score must be zero at the other's end; at a boundary, where
    scores are not zero, each likelihood must be at its maximum at the other's end.
    """
    ours = fits.long.estimates
    try:
        theirs, ours_there = link.to_mixed(fits.wide.estimates), link.to_sem(ours)
    except NoCounterpartError as error:
        return Level("estimates", False, None, ESTIMATES, str(error))
    units = _units(link, long_problem, fits)
    figure = float(np.max(np.abs(ours - theirs) / units, initial=0.0))
    shift = 0.0
    if fits.long.estimator == "reml":
        shift = restricted_shift(link, len(long_problem.fixed_names), ours)
    gap = abs(fits.long.log_likelihood + shift - fits.wide.log_likelihood)
    note = f"log-likelihoods {gap:.1e} apart"
    note += f" beside log|det A| = {shift:.6f} of another coding" * (shift != 0.0)
    allowed = max(LIKELIHOODS, 1e-12 * abs(fits.long.log_likelihood))
    if gap > allowed and not optima:
        noise = rounding(long_problem, ours)
        allowed = max(allowed, min(noise, ROUNDING * abs(fits.long.log_likelihood)))
        note += f" (in these units rounding alone can reach {noise:.0e})" * (noise > LIKELIHOODS)
    passed = gap <= allowed
    edge = any(f.boundary.at_boundary or f.boundary.beyond for f in (fits.long, fits.wide))
    estimator = fits.long.estimator
    if not edge:
        scores = max(
            newton_distance(long_problem, theirs, estimator),
            newton_distance(wide_problem, ours_there, estimator),
        )
        figure = max(figure, scores)
        note += f", each score zero to {scores:.1e} SE at the other's estimates"
    elif not optima:
        lost = max(
            fits.long.log_likelihood
            - long_engine.log_likelihood(long_problem, theirs, estimator=estimator),
            fits.wide.log_likelihood
            - wide_engine.log_likelihood(wide_problem, ours_there, estimator=estimator),
        )
        passed = passed and lost <= allowed
        note += f", both at the boundary, each {max(lost, 0.0):.1e} below its maximum at the other"
    else:
        note += " over different parameter spaces; over the same one the engines are "
        note += " and ".join(
            f"{optimum.spread:.1e} apart ({'bounded' if optimum.bounds == 'psd' else 'unbounded'})"
            for optimum in optima
        )
    stopped = [fit.engine for fit in (fits.long, fits.wide) if not fit.convergence.converged]
    if stopped:
        note += f"; {' and '.join(stopped)} did not converge"
    passed = passed and figure <= ESTIMATES and not stopped
    return Level("estimates", passed, figure, ESTIMATES, note)


def _units(link: Correspondence, problem: LongProblem, fits: Fits) -> FloatArray:
    """A standard error for every parameter; at a boundary, one of a like parameter inside.

    For a (co)variance of factors that stand-in is ``sqrt((T_aa T_bb + T_ab^2) / n)`` with ``T = G
    + s2 (L'L)^-1``, as for the factors' least-squares scores with loadings L.
    """
    units, other = fits.long.standard_errors, _in_mixed_terms(link, fits)
    units = np.where(np.isfinite(units), units, other)
    if np.all(np.isfinite(units)):
        return units
    mixed = MixedMoments(problem)
    residual = float(np.mean(mixed.residuals.variances(fits.long.estimates)))
    _, G = mixed.matrices(fits.long.estimates)
    total = float(np.var(problem.outcome))
    for k, kind in enumerate(fits.long.kinds):
        if not np.isfinite(units[k]) and kind == "residual":
            units[k] = total * np.sqrt(2.0 / len(problem.outcome))
    _, random = mixed.designs(fits.long.estimates)
    for columns, where in block_entries(mixed):
        loadings = random[:, list(columns)] / np.sqrt(problem.n_subjects)
        T = G[np.ix_(columns, columns)] + residual * np.linalg.pinv(loadings.T @ loadings)
        spread = np.outer(np.diag(T), np.diag(T)) + T**2
        stand_in = np.sqrt(np.maximum(spread, 0.0) / problem.n_subjects)
        for at, unit in zip(where.ravel().tolist(), stand_in.ravel(), strict=True):
            if at >= 0 and not np.isfinite(units[at]):
                units[at] = unit
    # What is still without a unit has no standard error on either side, inside the space or not.
    return np.where(np.isfinite(units) & (units > 0), units, np.nan)


def _in_mixed_terms(link: Correspondence, fits: Fits) -> FloatArray:
    """Standard errors of the SEM fit, for the mixed model's parameters (delta method)."""
    if link.renaming:
        errors = np.full(len(fits.long.names), np.nan)
        for a, b in link.shared:
            errors[a] = fits.wide.standard_errors[b]
        return errors
    slopes = link.slopes(fits.long.estimates, fits.wide.estimates)
    variances = np.diag(carried(fits.wide.covariance, slopes))
    return np.sqrt(np.where(variances > 0, variances, np.nan))


def inference(link: Correspondence, fits: Fits, optima: Optima = ()) -> Level:
    """Level 5: standard errors of both forms, counts and so information criteria.

    Where the sides' parameter spaces differ at a boundary, (co)variances have standard errors along
    the boundary on the one side and across it on the other, so that only those of the means are
    compared. Each witness's stand in its report, under its own information matrix.
    """
    a, b = fits.long.standard_errors, _in_mixed_terms(link, fits)
    both = np.isfinite(a) & np.isfinite(b)
    if optima:
        both &= np.array([kind == "fixed" for kind in fits.long.kinds])
    ratio = np.abs(a[both] / b[both] - 1)
    figure = float(ratio.max()) if both.any() else None
    note = f"{int(both.sum())} standard errors from expected information"
    passed = figure is not None and figure <= INFERENCE
    if optima:
        note += " of means, the parameter spaces being different"
    elif not both.all():
        named = ", ".join(n for n, seen in zip(fits.long.names, both, strict=True) if not seen)
        if fits.long.boundary.at_boundary or fits.wide.boundary.at_boundary:
            note += f"; at the boundary {named} has none"
        else:
            note += f"; {named} has none"
            passed = False
    sizes = (len(fits.long.names), len(fits.wide.names) - link.n_constraints)
    counts = [
        (size, f.n_subjects, f.n_rows)
        for size, f in zip(sizes, (fits.long, fits.wide), strict=True)
    ]
    if counts[0] == counts[1]:
        note += "; the same counts and so the same AIC and BIC"
    else:
        (p, n, rows), (p2, n2, rows2) = counts
        note += f"; parameters {p} and {p2}, persons {n} and {n2}, rows {rows} and {rows2}"
        passed = False
    return Level("inference", passed, figure, INFERENCE, note)


def predictions(
    pair: Pair, link: Correspondence, long: LongData, wide: WideData, fits: Fits
) -> Level:
    """Level 6: BLUPs equal factor scores, both at the mixed model's estimates.

    Where random effects and factors are not one to one, the fitted trajectories are compared.
    """
    problem, values = long.problem, fits.long.estimates
    if not problem.blocks:
        return Level("predictions", None, None, PREDICTIONS, "no random effects to predict")
    try:
        there = link.to_sem(values)
    except NoCounterpartError as error:
        return Level("predictions", False, None, PREDICTIONS, str(error))
    modes, _ = long_engine.random_effects(problem, values)
    factors = [factor.name for factor in pair.growth.random_factors]
    latent = {name: k for k, name in enumerate(pair.sem.model.latent)}
    distal = distal_factors(pair.growth)
    if len(factors) != modes.shape[1] or not set(factors) <= {*latent, *distal}:
        worst = _trajectories(long, wide, values, there, modes)
        note = "fitted trajectories, person by person"
        return Level("predictions", worst <= PREDICTIONS, worst, PREDICTIONS, note)
    scores, _ = wide_engine.factor_scores(wide.problem, there)
    place = {subject: row for row, subject in enumerate(wide.subjects)}
    rows = np.array([place[subject] for subject in long.subjects])
    own = own_deviations(wide.problem, there, scores)
    worst = 0.0
    # A factor without variance has scores of rounding alone; the outcome's scale judges those.
    smallest = 1e-6 * float(np.std(problem.outcome))
    _, random = MixedMoments(problem).designs(values)
    for k, name in enumerate(factors):
        if name not in latent:
            continue
        score = own[rows, latent[name]]
        reach = float(np.abs(random[:, k]).max())
        scale = max(float(np.sqrt(np.mean(modes[:, k] ** 2))), smallest / reach)
        worst = max(worst, float(np.abs(score - modes[:, k]).max()) / scale)
    note = "BLUPs against factor scores less their means"
    if distal:
        note += "; of the distal outcomes themselves, which are observed, there are none"
    return Level("predictions", worst <= PREDICTIONS, worst, PREDICTIONS, note)


def _trajectories(
    long: LongData, wide: WideData, values: FloatArray, there: FloatArray, modes: FloatArray
) -> float:
    """Largest difference of the two sides' fitted outcomes, in residual standard deviations.

    Of outcomes that growth factors load.
    """
    problem = long.problem
    mixed = MixedMoments(problem)
    beta, _ = mixed.matrices(values)
    fixed, random = mixed.designs(values)
    ours = fixed @ beta
    ours = ours + np.einsum("rq,rq->r", random, modes[problem.subject])
    place = {subject: row for row, subject in enumerate(wide.subjects)}
    theirs = wide_engine.fitted(wide.problem, there)
    seen = np.concatenate(
        [g.outcomes for g in wide.problem.groups if isinstance(g, WideGroup)], axis=0
    )
    rows = np.array([place[subject] for subject in long.subjects])
    here, cells = np.isfinite(seen[rows]), rows[:, None].repeat(seen.shape[1], axis=1)
    outcome, fitted = seen[rows][here], theirs[rows][here]
    person = np.searchsorted(rows, cells[here], sorter=np.argsort(rows))
    person = np.argsort(rows)[person]
    # Within a person both sides hold the same outcomes: sorted, they stand beside each other.
    first = np.lexsort((ours, problem.outcome, problem.subject))
    second = np.lexsort((fitted, outcome, person))
    scale = float(np.sqrt(np.mean((problem.outcome - ours) ** 2))) or 1.0
    if len(first) != len(second):
        return float("inf")
    # An outcome regressed on growth has no effect of its own on the SEM side; nor do outcomes of
    # one person that have its value, since these stand in no order.
    model = wide.problem.model
    loaded = {path.right for path in model.paths if path.op == "=~"}
    alone = np.array([y not in loaded for y in model.outcomes])
    regressed = alone[np.arange(seen.shape[1])[None, :].repeat(len(rows), axis=0)[here]][second]
    new = (np.diff(person[second]) != 0) | (np.diff(outcome[second]) != 0)
    value = np.concatenate([[0], np.cumsum(new)])
    compared = ~np.isin(value, value[regressed])
    return float(np.abs(ours[first] - fitted[second])[compared].max(initial=0.0)) / scale
