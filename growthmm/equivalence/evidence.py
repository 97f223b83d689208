"""The six levels of evidence that two forms of a growth model are the same."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from growthmm.engines import long as long_engine
from growthmm.engines import wide as wide_engine
from growthmm.engines.long.problem import LongProblem
from growthmm.engines.outcome import EngineFit
from growthmm.engines.prepare import LongData, WideData, long_data, wide_data
from growthmm.engines.wide.problem import WideGroup, WideProblem
from growthmm.equivalence.fits import Fits, newton_distance
from growthmm.equivalence.moment_functions import MixedMoments, SemMoments
from growthmm.equivalence.moment_test import TOLERANCE, MomentComparison, compare_moments
from growthmm.equivalence.referee import referee_log_likelihood, subset
from growthmm.errors import GrowthmmError
from growthmm.model.growth import GrowthFactor, GrowthModel, parameter_keys
from growthmm.notation import notation
from growthmm.translation.pair import Pair, reread

__all__ = [
    "Level",
    "compare_pair_moments",
    "estimates",
    "inference",
    "likelihood",
    "predictions",
    "structure",
]

FloatArray = NDArray[np.float64]

REFEREE_PERSONS = 5000
"""Persons on whom the dense likelihood is evaluated at most; of more a seeded sample is drawn."""


@dataclass(frozen=True, slots=True)
class Level:
    """One level of evidence.

    Parameters
    ----------
    name : str
        ``structure``, ``moments``, ``likelihood``, ``estimates``, ``inference``, ``predictions``.
    passed : bool or None
        None where it could not be examined.
    figure : float or None
        The largest difference found, in the level's own measure.
    tolerance : float or None
        What it may be.
    note : str
        What was compared, and what was found.
    """

    name: str
    passed: bool | None
    figure: float | None
    tolerance: float | None
    note: str


def structure(pair: Pair) -> Level:
    """Level 1: the written text of the other side, read again, is the model meant."""
    if pair.source == "mixed":
        speaker, model = notation("lavaan"), pair.sem.model
    else:
        spelling = pair.mixed.model.notation
        speaker, model = notation(spelling), pair.mixed.model  # type: ignore[assignment]
    written = speaker.write(model)
    try:
        again = speaker.read(written.text)
    except GrowthmmError as error:
        return Level("structure", False, 1.0, 0.0, f"the written {speaker.title} fails: {error}")
    note = f"the {speaker.title} text, read again, is the model meant"
    if pair.source == "sem" and written.losses:
        # What the notation lacks travels beside the text, as the residual= option does.
        again = replace(again, residual=pair.mixed.model.residual)  # type: ignore[call-arg]
        note += f", with residual={pair.mixed.model.residual} beside it"
    different = reread(pair, again)
    if different is not None:
        return Level("structure", False, 1.0, 0.0, f"read again, it differs in {different}")
    return Level("structure", True, 0.0, 0.0, note)


def _design_frame(growth: GrowthModel, n_persons: int, seed: int):  # type: ignore[no-untyped-def]
    """Persons with random covariates, seen at every occasion."""
    import pandas as pd

    schema, rng = growth.schema, np.random.default_rng(seed)
    t = len(schema.occasions)
    made: dict[str, object] = {
        schema.person: np.repeat(np.arange(n_persons), t),
        schema.time: np.tile(np.asarray(schema.occasions), n_persons),
    }
    for variable in schema.variables:
        if variable.name in made:
            continue
        constants = schema.constants_of(variable.name)
        if variable.role == "time_function" and constants is not None:
            made[variable.name] = np.tile(np.asarray(constants.values[0][1]), n_persons)
        elif variable.levels is not None:
            codes = np.arange(n_persons) % len(variable.levels)
            per_person = pd.Categorical.from_codes(codes, list(variable.levels))
            made[variable.name] = per_person.repeat(t)
        elif variable.role == "time_varying":
            made[variable.name] = rng.normal(size=n_persons * t)
        else:
            made[variable.name] = np.repeat(rng.normal(size=n_persons), t)
    return pd.DataFrame(made), rng.normal(size=n_persons * t)


def compare_pair_moments(pair: Pair, *, draws: int = 5, seed: int = 20) -> MomentComparison:
    """Level 2's comparison of both forms' moments (see :func:`compare_moments`)."""
    n_persons = (
        4
        + 3 * len(pair.growth.covariates)
        + max((len(v.levels or ()) for v in pair.growth.schema.variables), default=0)
    )
    frame, outcome = _design_frame(pair.growth, n_persons, seed)
    plain = replace(pair.mixed, model=replace(pair.mixed.model, response="y_outcome_"))
    frame["y_outcome_"] = outcome
    mixed = MixedMoments(long_data(plain, frame).problem)
    sem_bound = replace(pair.sem, schema=replace(pair.sem.schema, outcome="y_outcome_"))
    wide = wide_data(sem_bound, frame).problem.groups[0]
    assert isinstance(wide, WideGroup)
    sem = SemMoments(pair.sem.model, pair.growth.schema.outcome_columns, wide.covariates)
    rng = np.random.default_rng(seed)
    keys = parameter_keys(pair.growth)
    mixed_order = _order(mixed.names, dict(pair.mixed_names), keys)
    sem_order = _order(sem.names, dict(pair.sem.names), keys)
    first = [_admissible(pair.growth, keys, rng)[mixed_order] for _ in range(draws)]
    second = [_admissible(pair.growth, keys, rng)[sem_order] for _ in range(draws)]
    return compare_moments(mixed, sem, first, second)


def _order(names: tuple[str, ...], by_key: dict[str, str], keys: tuple[str, ...]) -> list[int]:
    """For each of a side's parameters, the position of its growth key."""
    position = {by_key[key]: k for k, key in enumerate(keys)}
    return [position[name] for name in names]


def _admissible(growth: GrowthModel, keys: tuple[str, ...], rng: np.random.Generator) -> FloatArray:
    """Random parameter values, covariance matrices positive definite."""
    values: dict[str, float] = {}
    for block in growth.blocks:
        q = len(block.factors)
        root = rng.normal(size=(q, q)) + 0.3 * np.eye(q)
        matrix = root @ root.T / q
        for a, first in enumerate(block.factors):
            for b in range(a, q):
                values[f"cov:{first}:{block.factors[b]}"] = float(matrix[a, b])
    for key in keys:
        if key.startswith("residual"):
            values[key] = float(rng.uniform(0.5, 1.5))
        elif key not in values:
            values[key] = float(rng.normal())
    return np.array([values[key] for key in keys])


def moments(comparison: MomentComparison) -> Level:
    """Level 2: the same means and covariances at random values, both ways, equal ranks."""
    figure = max(comparison.forward, comparison.backward)
    note = (
        f"ranks {comparison.first_rank} of {comparison.n_first} and "
        f"{comparison.second_rank} of {comparison.n_second} parameters"
    )
    return Level("moments", comparison.same, figure, TOLERANCE, note)


def likelihood(
    pair: Pair, long_problem: LongProblem, wide_problem: WideProblem, fits: Fits, *, seed: int = 3
) -> Level:
    """Level 3: both engines and the referee agree on the data at the same parameter values."""
    estimator = fits.long.estimator
    persons = long_problem.n_subjects
    note = "long, wide and the referee"
    rng = np.random.default_rng(seed)
    if persons > REFEREE_PERSONS and isinstance(wide_problem.groups[0], WideGroup):
        chosen = np.sort(rng.choice(persons, REFEREE_PERSONS, replace=False))
        note += f" on {REFEREE_PERSONS} persons drawn at random"
        long_problem, wide_problem = _same_persons(long_problem, wide_problem, chosen)
    keys = parameter_keys(pair.growth)
    center = _interior(pair, fits.long, keys)
    to_long = _order(fits.long.names, dict(pair.mixed_names), keys)
    to_wide = _order(fits.wide.names, dict(pair.sem.names), keys)
    worst = 0.0
    for draw in range(4):
        values = center if draw == 0 else _perturbed(center, keys, rng)
        found = (
            long_engine.log_likelihood(long_problem, values[to_long], estimator=estimator),
            wide_engine.log_likelihood(wide_problem, values[to_wide], estimator=estimator),
            referee_log_likelihood(long_problem, values[to_long], estimator),
        )
        worst = max(worst, (max(found) - min(found)) / max(1.0, abs(found[2])))
    return Level("likelihood", worst <= 1e-8, worst, 1e-8, f"{note} at 4 parameter values")


def _same_persons(
    long_problem: LongProblem, wide_problem: WideProblem, chosen: NDArray[np.intp]
) -> tuple[LongProblem, WideProblem]:
    """Both problems for some of the persons.

    Persons without outcomes stand in the wide rows only, so the wide rows with outcomes are the
    long problem's persons, in order of first appearance in both.
    """
    group = wide_problem.groups[0]
    assert isinstance(group, WideGroup)
    rows = np.flatnonzero(np.isfinite(group.outcomes).any(axis=1))
    if len(rows) != long_problem.n_subjects:
        return long_problem, wide_problem
    part = WideGroup(group.outcomes[rows[chosen]], group.covariates[rows[chosen]])
    return subset(long_problem, chosen), replace(wide_problem, groups=(part,))


def _interior(pair: Pair, fit: EngineFit, keys: tuple[str, ...]) -> FloatArray:
    """The estimates by key, the factor covariance moved off the boundary."""
    by_name = dict(zip(fit.names, fit.estimates.tolist(), strict=True))
    names = dict(pair.mixed_names)
    values = {key: by_name[names[key]] for key in keys}
    for block in pair.growth.blocks:
        q = len(block.factors)
        G = np.zeros((q, q))
        for a, first in enumerate(block.factors):
            for b in range(a, q):
                G[a, b] = G[b, a] = values[f"cov:{first}:{block.factors[b]}"]
        curvature, basis = np.linalg.eigh(G)
        floor = 0.05 * max(float(curvature.max()), 1e-12)
        G = (basis * np.maximum(curvature, floor)) @ basis.T
        for a, first in enumerate(block.factors):
            for b in range(a, q):
                values[f"cov:{first}:{block.factors[b]}"] = float(G[a, b])
    return np.array([values[key] for key in keys])


def _perturbed(center: FloatArray, keys: tuple[str, ...], rng: np.random.Generator) -> FloatArray:
    """Another admissible point: means moved by a tenth, all (co)variances by one factor."""
    covariance = rng.uniform(0.7, 1.4)
    moved = center.copy()
    for k, key in enumerate(keys):
        if key.startswith("cov:"):
            moved[k] *= covariance
        elif key.startswith("residual"):
            moved[k] *= rng.uniform(0.7, 1.4)
        else:
            moved[k] += 0.1 * abs(center[k]) * rng.normal()
    return moved


def estimates(
    pair: Pair, long_problem: LongProblem, wide_problem: WideProblem, fits: Fits
) -> Level:
    """Level 4: both optimisers end at the same point; each score is zero at the other's end."""
    keys = parameter_keys(pair.growth)
    to_long = _order(fits.long.names, dict(pair.mixed_names), keys)
    to_wide = _order(fits.wide.names, dict(pair.sem.names), keys)
    long_values = np.empty(len(keys))
    long_values[to_long] = fits.long.estimates
    wide_values = np.empty(len(keys))
    wide_values[to_wide] = fits.wide.estimates
    errors = np.full(len(keys), np.nan)
    errors[to_long] = fits.long.standard_errors
    other = np.full(len(keys), np.nan)
    other[to_wide] = fits.wide.standard_errors
    errors = np.where(np.isfinite(errors), errors, other)
    differences = np.abs(long_values - wide_values) / errors
    figure = float(np.nanmax(differences)) if np.isfinite(differences).any() else float("inf")
    gap = abs(fits.long.log_likelihood - fits.wide.log_likelihood)
    boundary = fits.long.boundary.at_boundary or fits.wide.boundary.at_boundary
    note = f"log-likelihoods {gap:.1e} apart"
    passed = figure < 1e-3 and gap < 1e-6
    if not boundary:
        estimator = fits.long.estimator
        scores = max(
            newton_distance(long_problem, wide_values[to_long], estimator),
            newton_distance(wide_problem, long_values[to_wide], estimator),
        )
        figure = max(figure, scores)
        passed = passed and scores < 1e-3
        note += f", each score zero to {scores:.1e} SE at the other's estimates"
    converged = fits.long.convergence.converged and fits.wide.convergence.converged
    if not converged:
        note += "; not converged"
    return Level("estimates", passed and converged, figure, 1e-3, note)


def inference(pair: Pair, fits: Fits) -> Level:
    """Level 5: standard errors of both forms, and of each witness under its own information."""
    keys = parameter_keys(pair.growth)
    a = np.full(len(keys), np.nan)
    a[_order(fits.long.names, dict(pair.mixed_names), keys)] = fits.long.standard_errors
    b = np.full(len(keys), np.nan)
    b[_order(fits.wide.names, dict(pair.sem.names), keys)] = fits.wide.standard_errors
    both = np.isfinite(a) & np.isfinite(b)
    ratio = np.abs(a[both] / b[both] - 1)
    figure = float(ratio.max()) if both.any() else float("nan")
    note = f"{int(both.sum())} standard errors from expected information"
    same = len(fits.long.names) == len(fits.wide.names) and fits.long.n_rows == fits.wide.n_rows
    same = same and fits.long.n_subjects == fits.wide.n_subjects
    if not same:
        note += (
            f"; parameters {len(fits.long.names)} and {len(fits.wide.names)}, persons "
            f"{fits.long.n_subjects} and {fits.wide.n_subjects}, rows {fits.long.n_rows} and "
            f"{fits.wide.n_rows}"
        )
    else:
        note += ", the same counts and so the same AIC and BIC"
    return Level("inference", bool(same and figure <= 1e-4), figure, 1e-4, note)


def predictions(pair: Pair, long: LongData, wide: WideData, fits: Fits) -> Level:
    """Level 6: BLUPs equal factor scores, both at the mixed model's estimates."""
    growth = pair.growth
    if not growth.blocks:
        return Level("predictions", None, None, 1e-6, "no random effects to predict")
    keys = parameter_keys(growth)
    values = np.empty(len(keys))
    values[_order(fits.long.names, dict(pair.mixed_names), keys)] = fits.long.estimates
    wide_values = values[_order(fits.wide.names, dict(pair.sem.names), keys)]
    modes, _ = long_engine.random_effects(long.problem, fits.long.estimates)
    scores, _ = wide_engine.factor_scores(wide.problem, wide_values)
    group = wide.problem.groups[0]
    if not isinstance(group, WideGroup):
        return Level("predictions", None, None, 1e-6, "moments have no persons to predict for")
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
    return Level(
        "predictions", worst <= 1e-6, worst, 1e-6, "BLUPs against factor scores less their means"
    )


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
