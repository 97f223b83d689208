"""The first three levels of evidence: the written text, the moments, the likelihood."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from growthmm.engines import long as long_engine
from growthmm.engines import wide as wide_engine
from growthmm.engines.long.problem import LongProblem
from growthmm.engines.wide.problem import WideGroup, WideProblem
from growthmm.equivalence.correspondence import (
    Correspondence,
    NoCounterpartError,
    correspondence,
    restricted_shift,
)
from growthmm.equivalence.fits import Fits
from growthmm.equivalence.moment_functions import MixedMoments
from growthmm.equivalence.moment_test import TOLERANCE, MomentComparison, compare_moments
from growthmm.equivalence.points import interior, perturbed
from growthmm.equivalence.referee import referee_log_likelihood, rounding, subset
from growthmm.errors import GrowthmmError
from growthmm.model.mixed import MixedModel
from growthmm.model.sem import SemModel
from growthmm.notation import notation
from growthmm.notation.base import Notation
from growthmm.notation.losses.blocks import PLAIN
from growthmm.rendering import Brief
from growthmm.translation.pair import Pair, reread

__all__ = [
    "ROUNDING",
    "Level",
    "compare_correspondence",
    "compare_pair_moments",
    "likelihood",
    "moments",
    "sem_speaker",
    "structure",
]

REFEREE_PERSONS = 5000
"""Persons on whom the dense likelihood is evaluated at most; of more a seeded sample is drawn."""

LIKELIHOOD, ROUNDING = 1e-8, 1e-5
"""Relative difference of log-likelihoods at the same values, and the most that the bound on
rounding may raise it to."""


@dataclass(frozen=True, slots=True, repr=False)
class Level(Brief):
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


def sem_speaker(model: SemModel) -> Notation:
    """The notation in which a SEM is shown: lavaan, OpenMx where columns are loadings."""
    by_person = any(path.definition is not None for path in model.paths)
    return notation("openmx" if by_person else "lavaan")


def structure(pair: Pair) -> Level:
    """Level 1: the written text of the other side, read again, is the model meant."""
    if pair.source == "mixed":
        speaker, model = sem_speaker(pair.sem.model), pair.sem.model
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
        again, beside = said_beside(again, pair.mixed.model)  # type: ignore[arg-type]
        note += f", with {beside} beside it" * bool(beside)
    different = reread(pair, again)
    if different is not None:
        return Level("structure", False, 1.0, 0.0, f"read again, it differs in {different}")
    return Level("structure", True, 0.0, 0.0, note)


def said_beside(read: MixedModel, meant: MixedModel) -> tuple[MixedModel, str]:
    """What was read, with the covariance structures that its notation has no words for.

    Parameters
    ----------
    read, meant : MixedModel
        What the text says, and what it should.

    Returns
    -------
    model : MixedModel
        With the residuals that are meant, and where blocks have the same terms, their covariances.
    beside : str
        What was put in.
    """
    words = [f"residual={meant.residual}"] if read.residual != meant.residual else []
    own = {(block.terms, block.group): block for block in meant.random}
    random = []
    for block in read.random:
        other = own.get((block.terms, block.group), block)
        told = block.covariance == other.covariance or other.covariance in PLAIN
        random.append(block if told else other)
        if not told:
            shown = ", ".join(map(str, other.terms))
            words.append(f"a {other.covariance} covariance matrix of {shown}")
    return replace(read, residual=meant.residual, random=tuple(random)), " and ".join(words)


def compare_pair_moments(pair: Pair, *, draws: int = 5, seed: int = 20) -> MomentComparison:
    """Level 2's comparison of both forms' moments (see :func:`compare_moments`)."""
    return compare_correspondence(correspondence(pair, draws=draws, seed=seed))


def compare_correspondence(link: Correspondence) -> MomentComparison:
    """The same, of forms whose correspondence is known."""
    mixed, sem = link.counterparts()
    return compare_moments(
        link.mixed,
        link.sem,
        link.mixed_starts,
        link.sem_starts,
        first_starts=mixed,
        second_starts=sem,
    )


def moments(comparison: MomentComparison) -> Level:
    """Level 2: the same means and covariances at random values, both ways, equal ranks."""
    figure = max(comparison.forward, comparison.backward)
    note = (
        f"ranks {comparison.first_rank} of {comparison.n_first} and "
        f"{comparison.second_rank} of {comparison.n_second} parameters"
    )
    return Level("moments", comparison.same, figure, TOLERANCE, note)


def likelihood(
    link: Correspondence,
    long_problem: LongProblem,
    wide_problem: WideProblem,
    fits: Fits,
    *,
    seed: int = 3,
) -> Level:
    """Level 3: both engines and the referee agree on the data at the same parameter values.

    The tolerance is relative; where the parameters' own units make rounding alone larger (time
    counted from a distant origin), it is the bound on that, and the note says so.
    """
    estimator = fits.long.estimator
    persons = long_problem.n_subjects
    note = "long, wide and the referee"
    rng = np.random.default_rng(seed)
    mixed = MixedMoments(long_problem)
    center = interior(mixed, fits.long)
    if persons > REFEREE_PERSONS and _alone(wide_problem):
        chosen = np.sort(rng.choice(persons, REFEREE_PERSONS, replace=False))
        note += f" on {REFEREE_PERSONS} persons drawn at random"
        long_problem, wide_problem = _same_persons(long_problem, wide_problem, chosen)
    worst, noise = 0.0, 0.0
    shift = 0.0
    if estimator == "reml":
        shift = restricted_shift(link, len(long_problem.fixed_names), center)
        note += f", the wide one less log|det A| = {shift:.6f} of another coding" * (shift != 0.0)
    for draw in range(4):
        values = center if draw == 0 else perturbed(mixed, fits.long, center, rng)
        referee = referee_log_likelihood(long_problem, values, estimator)
        try:
            there = link.to_sem(values)
        except NoCounterpartError as error:
            return Level("likelihood", False, None, LIKELIHOOD, f"{note}: {error}")
        found = (
            long_engine.log_likelihood(long_problem, values, estimator=estimator),
            wide_engine.log_likelihood(wide_problem, there, estimator=estimator) - shift,
            referee,
        )
        if not np.all(np.isfinite(found)):
            return Level("likelihood", False, None, LIKELIHOOD, f"{note}: {_values(found)}")
        size = max(1.0, abs(referee))
        worst = max(worst, (max(found) - min(found)) / size)
        noise = max(noise, rounding(long_problem, values) / size)
    note += " at 4 parameter values"
    tolerance = min(max(LIKELIHOOD, noise), ROUNDING)
    if noise > LIKELIHOOD:
        note += f"; in these units rounding alone can reach {noise:.0e}"
    return Level("likelihood", worst <= tolerance, worst, tolerance, note)


def _alone(problem: WideProblem) -> bool:
    persons = len(problem.groups) == 1 and isinstance(problem.groups[0], WideGroup)
    return persons and problem.model.n_levels == 1


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
    at = rows[chosen]
    held = tuple((name, values[at]) for name, values in group.definitions)
    part = WideGroup(group.outcomes[at], group.covariates[at], held)
    return subset(long_problem, chosen), replace(wide_problem, groups=(part,))
