"""The first three levels of evidence: the written text, the moments, the likelihood."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from growthmm.engines import long as long_engine
from growthmm.engines import wide as wide_engine
from growthmm.engines.long.problem import LongProblem
from growthmm.engines.prepare import long_data, wide_data
from growthmm.engines.wide.problem import WideGroup, WideProblem
from growthmm.equivalence.fits import Fits
from growthmm.equivalence.moment_functions import MixedMoments, SemMoments
from growthmm.equivalence.moment_test import TOLERANCE, MomentComparison, compare_moments
from growthmm.equivalence.points import admissible, design_frame, interior, order, perturbed
from growthmm.equivalence.referee import referee_log_likelihood, rounding, subset
from growthmm.errors import GrowthmmError
from growthmm.model.growth import parameter_keys
from growthmm.notation import notation
from growthmm.translation.pair import Pair, reread

__all__ = ["ROUNDING", "Level", "compare_pair_moments", "likelihood", "moments", "structure"]

REFEREE_PERSONS = 5000
"""Persons on whom the dense likelihood is evaluated at most; of more a seeded sample is drawn."""

LIKELIHOOD, ROUNDING = 1e-8, 1e-5
"""Relative difference of log-likelihoods at the same values, and the most that the bound on
rounding may raise it to."""


@dataclass(frozen=True, slots=True)
class Level:
    """One level of evidence.

    Parameters
    ----------
    name : str
        ``structure``, ``moments``, ``likelihood``, ``estimates``, ``inference``, ``predictions``.
    passed : bool or None
        None where there is nothing to examine.
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
        again = replace(again, residual=pair.mixed.model.residual)  # type: ignore[arg-type]
        note += f", with residual={pair.mixed.model.residual} beside it"
    different = reread(pair, again)
    if different is not None:
        return Level("structure", False, 1.0, 0.0, f"read again, it differs in {different}")
    return Level("structure", True, 0.0, 0.0, note)


def compare_pair_moments(pair: Pair, *, draws: int = 5, seed: int = 20) -> MomentComparison:
    """Level 2's comparison of both forms' moments (see :func:`compare_moments`)."""
    schema = pair.growth.schema
    n_persons = (
        4
        + 3 * len(pair.growth.covariates)
        + max((len(v.levels or ()) for v in schema.variables), default=0)
    )
    columns = [*pair.mixed.fixed, *(c for block in pair.mixed.random for c in block.columns)]
    frame, outcome = design_frame(schema, n_persons, seed, columns=columns)
    plain = replace(pair.mixed, model=replace(pair.mixed.model, response="y_outcome_"))
    frame["y_outcome_"] = outcome
    mixed = MixedMoments(long_data(plain, frame).problem)
    sem_bound = replace(pair.sem, schema=replace(pair.sem.schema, outcome="y_outcome_"))
    wide = wide_data(sem_bound, frame).problem.groups[0]
    assert isinstance(wide, WideGroup)
    sem = SemMoments(pair.sem.model, schema.outcome_columns, wide.covariates)
    rng = np.random.default_rng(seed)
    keys = parameter_keys(pair.growth)
    mixed_order = order(mixed.names, dict(pair.mixed_names), keys)
    sem_order = order(sem.names, dict(pair.sem.names), keys)
    first = [admissible(pair.growth, keys, rng)[mixed_order] for _ in range(draws)]
    second = [admissible(pair.growth, keys, rng)[sem_order] for _ in range(draws)]
    return compare_moments(mixed, sem, first, second)


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
    """Level 3: both engines and the referee agree on the data at the same parameter values.

    The tolerance is relative; where the parameters' own units make rounding alone larger (time
    counted from a distant origin), it is the bound on that, and the note says so.
    """
    estimator = fits.long.estimator
    persons = long_problem.n_subjects
    note = "long, wide and the referee"
    rng = np.random.default_rng(seed)
    if persons > REFEREE_PERSONS and isinstance(wide_problem.groups[0], WideGroup):
        chosen = np.sort(rng.choice(persons, REFEREE_PERSONS, replace=False))
        note += f" on {REFEREE_PERSONS} persons drawn at random"
        long_problem, wide_problem = _same_persons(long_problem, wide_problem, chosen)
    keys = parameter_keys(pair.growth)
    center = interior(pair, fits.long, keys)
    to_long = order(fits.long.names, dict(pair.mixed_names), keys)
    to_wide = order(fits.wide.names, dict(pair.sem.names), keys)
    worst, noise = 0.0, 0.0
    for draw in range(4):
        values = center if draw == 0 else perturbed(pair, fits.long, center, keys, rng)
        referee = referee_log_likelihood(long_problem, values[to_long], estimator)
        found = (
            long_engine.log_likelihood(long_problem, values[to_long], estimator=estimator),
            wide_engine.log_likelihood(wide_problem, values[to_wide], estimator=estimator),
            referee,
        )
        if not np.all(np.isfinite(found)):
            return Level("likelihood", False, None, LIKELIHOOD, f"{note}: {_values(found)}")
        size = max(1.0, abs(referee))
        worst = max(worst, (max(found) - min(found)) / size)
        noise = max(noise, rounding(long_problem, values[to_long]) / size)
    note += " at 4 parameter values"
    tolerance = min(max(LIKELIHOOD, noise), ROUNDING)
    if noise > LIKELIHOOD:
        note += f"; in these units rounding alone can reach {noise:.0e}"
    return Level("likelihood", worst <= tolerance, worst, tolerance, note)


def _values(found: tuple[float, ...]) -> str:
    return ", ".join(f"{value:.6f}" for value in found)


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
