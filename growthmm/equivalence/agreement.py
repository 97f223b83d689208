"""The last three levels of evidence: estimates, inference, predictions."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from growthmm.engines import long as long_engine
from growthmm.engines import wide as wide_engine
from growthmm.engines.long.problem import LongProblem
from growthmm.engines.prepare import LongData, WideData
from growthmm.engines.wide.problem import WideGroup, WideProblem
from growthmm.equivalence.evidence import ROUNDING, Level
from growthmm.equivalence.fits import Fits, newton_distance
from growthmm.equivalence.optima import Optima
from growthmm.equivalence.points import block_matrix, by_key, order
from growthmm.equivalence.referee import rounding
from growthmm.model.growth import GrowthFactor, parameter_keys
from growthmm.translation.pair import Pair

__all__ = ["estimates", "inference", "predictions"]

FloatArray = NDArray[np.float64]

ESTIMATES, LIKELIHOODS = 1e-3, 1e-6
INFERENCE = 1e-4
PREDICTIONS = 1e-6


def estimates(
    pair: Pair,
    long_problem: LongProblem,
    wide_problem: WideProblem,
    fits: Fits,
    optima: Optima = (),
) -> Level:
    """Level 4: both optimisers end at the same point.

    Inside the parameter space each score must be zero at the other's end; at a boundary, where
    scores are not zero, each likelihood must be at its maximum at the other's end.
    """
    keys = parameter_keys(pair.growth)
    to_long = order(fits.long.names, dict(pair.mixed_names), keys)
    to_wide = order(fits.wide.names, dict(pair.sem.names), keys)
    ours = by_key(fits.long.estimates, to_long)
    theirs = by_key(fits.wide.estimates, to_wide)
    units = _units(pair, long_problem, fits, keys)
    figure = float(np.max(np.abs(ours - theirs) / units, initial=0.0))
    gap = abs(fits.long.log_likelihood - fits.wide.log_likelihood)
    note = f"log-likelihoods {gap:.1e} apart"
    allowed = max(LIKELIHOODS, 1e-12 * abs(fits.long.log_likelihood))
    if gap > allowed and not optima:
        noise = rounding(long_problem, ours[to_long])
        allowed = max(allowed, min(noise, ROUNDING * abs(fits.long.log_likelihood)))
        note += f" (in these units rounding alone can reach {noise:.0e})" * (noise > LIKELIHOODS)
    passed = gap <= allowed
    edge = any(f.boundary.at_boundary or f.boundary.beyond for f in (fits.long, fits.wide))
    estimator = fits.long.estimator
    if not edge:
        scores = max(
            newton_distance(long_problem, theirs[to_long], estimator),
            newton_distance(wide_problem, ours[to_wide], estimator),
        )
        figure = max(figure, scores)
        note += f", each score zero to {scores:.1e} SE at the other's estimates"
    elif not optima:
        lost = max(
            fits.long.log_likelihood
            - long_engine.log_likelihood(long_problem, theirs[to_long], estimator=estimator),
            fits.wide.log_likelihood
            - wide_engine.log_likelihood(wide_problem, ours[to_wide], estimator=estimator),
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


def _units(pair: Pair, problem: LongProblem, fits: Fits, keys: tuple[str, ...]) -> FloatArray:
    """A standard error for every parameter; at a boundary, one of a like parameter inside.

    For a (co)variance of factors that stand-in is ``sqrt((T_aa T_bb + T_ab^2) / n)`` with ``T = G
    + s2 (L'L)^-1``, as for the factors' least-squares scores with loadings L.
    """
    units = by_key(fits.long.standard_errors, order(fits.long.names, dict(pair.mixed_names), keys))
    other = by_key(fits.wide.standard_errors, order(fits.wide.names, dict(pair.sem.names), keys))
    units = np.where(np.isfinite(units), units, other)
    if np.all(np.isfinite(units)):
        return units
    values = by_key(fits.long.estimates, order(fits.long.names, dict(pair.mixed_names), keys))
    residual = [v for key, v in zip(keys, values, strict=True) if key.startswith("residual")]
    total = float(np.var(problem.outcome))
    for k, key in enumerate(keys):
        if not np.isfinite(units[k]) and key.startswith("residual"):
            units[k] = total * np.sqrt(2.0 / len(problem.outcome))
    for block in pair.growth.blocks:
        G, where = block_matrix(block, values, keys)
        loadings = np.array([pair.growth.factor(name).loadings for name in block.factors]).T
        T = G + float(np.mean(residual)) * np.linalg.pinv(loadings.T @ loadings)
        spread = np.outer(np.diag(T), np.diag(T)) + T**2
        stand_in = np.sqrt(np.maximum(spread, 0.0) / problem.n_subjects)
        units[where] = np.where(np.isfinite(units[where]), units[where], stand_in)
    # What is still without a unit has no standard error on either side, inside the space or not.
    return np.where(np.isfinite(units) & (units > 0), units, np.nan)


def inference(pair: Pair, fits: Fits, optima: Optima = ()) -> Level:
    """Level 5: standard errors of both forms, counts and so information criteria.

    Where the sides' parameter spaces differ at a boundary, (co)variances have standard errors along
    the boundary on the one side and across it on the other, so that only those of the means are
    compared. Each witness's stand in its report, under its own information matrix.
    """
    keys = parameter_keys(pair.growth)
    a = by_key(fits.long.standard_errors, order(fits.long.names, dict(pair.mixed_names), keys))
    b = by_key(fits.wide.standard_errors, order(fits.wide.names, dict(pair.sem.names), keys))
    both = np.isfinite(a) & np.isfinite(b)
    if optima:
        both &= np.array([not key.startswith(("cov:", "residual")) for key in keys])
    ratio = np.abs(a[both] / b[both] - 1)
    figure = float(ratio.max()) if both.any() else None
    note = f"{int(both.sum())} standard errors from expected information"
    passed = figure is not None and figure <= INFERENCE
    if optima:
        note += " of means, the parameter spaces being different"
    elif not both.all():
        lost = [key for key, seen in zip(keys, both, strict=True) if not seen]
        named = ", ".join(dict(pair.mixed_names)[key] for key in lost)
        if fits.long.boundary.at_boundary or fits.wide.boundary.at_boundary:
            note += f"; at the boundary {named} has none"
        else:
            note += f"; {named} has none"
            passed = False
    counts = [(len(f.names), f.n_subjects, f.n_rows) for f in (fits.long, fits.wide)]
    if counts[0] == counts[1]:
        note += "; the same counts and so the same AIC and BIC"
    else:
        (p, n, rows), (p2, n2, rows2) = counts
        note += f"; parameters {p} and {p2}, persons {n} and {n2}, rows {rows} and {rows2}"
        passed = False
    return Level("inference", passed, figure, INFERENCE, note)


def predictions(pair: Pair, long: LongData, wide: WideData, fits: Fits) -> Level:
    """Level 6: BLUPs equal factor scores, both at the mixed model's estimates."""
    growth = pair.growth
    if not growth.blocks:
        return Level("predictions", None, None, PREDICTIONS, "no random effects to predict")
    keys = parameter_keys(growth)
    values = by_key(fits.long.estimates, order(fits.long.names, dict(pair.mixed_names), keys))
    wide_values = values[order(fits.wide.names, dict(pair.sem.names), keys)]
    modes, _ = long_engine.random_effects(long.problem, fits.long.estimates)
    scores, _ = wide_engine.factor_scores(wide.problem, wide_values)
    group = wide.problem.groups[0]
    assert isinstance(group, WideGroup)
    place = {subject: row for row, subject in enumerate(wide.subjects)}
    rows = np.array([place[subject] for subject in long.subjects])
    expected = _factor_means(pair, wide_values, fits.wide.names, group.covariates[rows])
    latent = {name: k for k, name in enumerate(pair.sem.model.latent)}
    worst = 0.0
    # A factor without variance has scores of rounding alone; the outcome's scale judges those.
    smallest = 1e-6 * float(np.std(long.problem.outcome))
    for k, factor in enumerate(growth.random_factors):
        score = scores[rows, latent[factor.name]] - expected[factor.name]
        scale = max(float(np.sqrt(np.mean(modes[:, k] ** 2))), smallest / _reach(factor))
        worst = max(worst, float(np.abs(score - modes[:, k]).max()) / scale)
    note = "BLUPs against factor scores less their means"
    return Level("predictions", worst <= PREDICTIONS, worst, PREDICTIONS, note)


def _reach(factor: GrowthFactor) -> float:
    return max(abs(loading) for loading in factor.loadings)


def _factor_means(
    pair: Pair, values: FloatArray, names: tuple[str, ...], covariates: FloatArray
) -> dict[str, FloatArray]:
    """Each growth factor's mean given the person's covariates."""
    model = pair.sem.model
    known = dict(zip(names, values.tolist(), strict=True))
    column = {name: k for k, name in enumerate(model.covariates)}
    filled = np.nan_to_num(covariates)
    made = {name: np.zeros(len(covariates)) for name in model.latent}
    for path in model.paths:
        if path.left not in made:
            continue
        value = known[path.parameter] if path.free else path.value or 0.0
        if path.op == "~1":
            made[path.left] = made[path.left] + value
        elif path.op == "~":
            made[path.left] = made[path.left] + value * filled[:, column[path.right]]
    return made
