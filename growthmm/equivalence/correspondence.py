"""Each side's parameters as functions of the other's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from growthmm.engines.prepare import long_data, wide_data
from growthmm.equivalence.cells import aligned, distinct_designs
from growthmm.equivalence.level_moments import SemLevelMoments
from growthmm.equivalence.loading_link import LoadingLink, loading_link
from growthmm.equivalence.moment_functions import MixedMoments, SemMoments
from growthmm.equivalence.moment_test import nearest
from growthmm.equivalence.points import admissible, design_frame, finite_designs
from growthmm.equivalence.residual_link import ResidualLink, residual_links
from growthmm.errors import SpecificationError
from growthmm.moments.rank import rank
from growthmm.rendering import Brief
from growthmm.translation.loadings.curves import is_curve
from growthmm.translation.pair import Pair

__all__ = [
    "Correspondence",
    "NoCounterpartError",
    "carried",
    "correspondence",
    "feasible",
    "restricted_shift",
]

FloatArray = NDArray[np.float64]

EXACT = 1e-9
"""Relative difference of the moments up to which one side's values are the other's."""

OUTCOME = "y_outcome_"


class NoCounterpartError(ArithmeticError):
    """No parameter values of one side give the other side's moments."""


@dataclass(frozen=True, repr=False)
class Correspondence(Brief):
    """How parameters of a mixed model and of its SEM form give each other.

    Where both sides have the same parameters under other names, one's values are the other's in
    another order. Otherwise they are solved from the moments: the values with the same means and
    covariance matrices, by Gauss-Newton steps to rounding.

    Parameters
    ----------
    mixed, sem : MixedModel's and SemModel's moments
        Of the same persons.
    shared : tuple of (int, int)
        Positions of parameters that are one number, on the mixed side and on the SEM side.
    mixed_starts, sem_starts : tuple of ndarray
        Where solving may begin.
    residuals : tuple of ResidualLink
        How residual parameters give each other that are not the same numbers.
    loadings : LoadingLink, optional
        How the parameters of curves and loadings give each other.
    """

    mixed: MixedMoments
    sem: SemMoments
    shared: tuple[tuple[int, int], ...]
    mixed_starts: tuple[FloatArray, ...] = ()
    sem_starts: tuple[FloatArray, ...] = ()
    residuals: tuple[ResidualLink, ...] = ()
    loadings: LoadingLink | None = None

    @property
    def renaming(self) -> bool:
        """Whether all parameters are the same numbers on both sides."""
        mixed, sem = {a for a, _ in self.shared}, {b for _, b in self.shared}
        whole = (len(self.mixed.names), len(self.sem.names), len(self.shared))
        return whole == (len(mixed), len(sem), len(mixed)) and not self._constrained

    @property
    def _constrained(self) -> bool:
        return any(c.op == "==" for c in self.sem.problem.model.constraints)

    @cached_property
    def n_constraints(self) -> int:
        """How many of the SEM's parameters its equality constraints take away."""
        if not self._constrained:
            return 0
        return rank(self.sem.constraints(self.sem_starts[0])[1])

    def started(self, mixed: FloatArray, sem: FloatArray) -> Correspondence:
        """The same, with one more pair of values to start from, tried first."""
        return replace(
            self,
            mixed_starts=(mixed, *self.mixed_starts),
            sem_starts=(sem, *self.sem_starts),
        )

    def to_sem(self, values: FloatArray) -> FloatArray:
        """SEM parameters that give the moments of the mixed parameters `values`.

        Raises
        ------
        NoCounterpartError
            If there are none.
        """
        if self.renaming:
            return self._copied(values, np.empty(len(self.sem.names)), forth=True)
        target = self.mixed.moments(values)
        starts = [self._copied(values, start, forth=True) for start in self.sem_starts]
        found, distance = nearest(self.sem, target, (*starts, *self.sem_starts))
        if not distance <= EXACT:
            raise NoCounterpartError(f"the nearest moments are {distance:.1e} apart")
        return found

    def to_mixed(self, values: FloatArray) -> FloatArray:
        """Mixed parameters that give the moments of the SEM parameters `values`.

        Raises
        ------
        NoCounterpartError
            If there are none.
        """
        if self.renaming:
            return self._copied(values, np.empty(len(self.mixed.names)), forth=False)
        target = self.sem.moments(values)
        starts = [self._copied(values, start, forth=False) for start in self.mixed_starts]
        found, distance = nearest(self.mixed, target, (*starts, *self.mixed_starts))
        if not distance <= EXACT:
            raise NoCounterpartError(f"the nearest moments are {distance:.1e} apart")
        return found

    def slopes(self, mixed_values: FloatArray, sem_values: FloatArray) -> FloatArray:
        """Derivatives of the mixed parameters by the SEM's, (n_mixed, n_sem).

        Along directions that the SEM's constraints allow; with ``J_m`` and ``J_s`` the Jacobians
        of the moments, the least-squares solution K of ``J_m K = J_s``.
        """
        if self.renaming:
            made = np.zeros((len(self.mixed.names), len(self.sem.names)))
            for a, b in self.shared:
                made[a, b] = 1.0
            return made
        matrix = self.mixed.jacobian(mixed_values)
        length = np.linalg.norm(matrix, axis=0)
        length = np.where(length > 0, length, 1.0)
        found, *_ = np.linalg.lstsq(matrix / length, self.sem.jacobian(sem_values), rcond=1e-13)
        return np.asarray(found / length[:, None])

    def slopes_back(self, mixed_values: FloatArray, sem_values: FloatArray) -> FloatArray:
        """Derivatives of the SEM's parameters by the mixed ones, (n_sem, n_mixed)."""
        if self.renaming:
            return self.slopes(mixed_values, sem_values).T
        held = self.sem.constraints(sem_values)[1]
        matrix = np.concatenate([self.sem.jacobian(sem_values), held])
        length = np.linalg.norm(matrix, axis=0)
        length = np.where(length > 0, length, 1.0)
        moved = self.mixed.jacobian(mixed_values)
        moved = np.concatenate([moved, np.zeros((len(held), moved.shape[1]))])
        found, *_ = np.linalg.lstsq(matrix / length, moved, rcond=1e-13)
        return np.asarray(found / length[:, None])

    def _copied(self, values: FloatArray, onto: FloatArray, *, forth: bool) -> FloatArray:
        made = onto.copy()
        for a, b in self.shared:
            if forth:
                made[b] = values[a]
            else:
                made[a] = values[b]
        links = (*self.residuals, *(() if self.loadings is None else (self.loadings,)))
        for link in links:
            put = link.put_in_sem if forth else link.put_in_mixed
            put(values, made)
        return made

    def counterparts(self) -> tuple[list[FloatArray], list[FloatArray]]:
        """For every start of either side, a start for solving the other: mixed ones, SEM ones."""
        mixed = [self._copied(v, self.mixed_starts[0], forth=False) for v in self.sem_starts]
        sem = [self._copied(v, self.sem_starts[0], forth=True) for v in self.mixed_starts]
        return mixed, sem


def restricted_shift(link: Correspondence, n_fixed: int, values: FloatArray) -> float:
    """What the SEM's restricted log-likelihood has beyond the mixed model's: ``log |det A|``.

    The means' parameters are ``A`` times the fixed effects; restricted likelihoods depend on the
    coding of these (Harville 1974, doi:10.1093/biomet/61.2.383).

    Parameters
    ----------
    link : Correspondence
        Between the two forms.
    n_fixed : int
        The fixed effects, the first of the mixed model's parameters.
    values : (n_mixed,) ndarray
        Where to look.

    Returns
    -------
    float
        Zero where the SEM has no counterpart, or another number of parameters of the means.
    """
    try:
        there = link.to_sem(values)
    except NoCounterpartError:
        return 0.0
    slopes = link.slopes_back(values, there)[:, :n_fixed]
    moved = np.abs(slopes).max(axis=1, initial=0.0) > 1e-9
    if not n_fixed or int(moved.sum()) != n_fixed:
        return 0.0
    shift = float(np.linalg.slogdet(slopes[moved])[1])
    return shift if abs(shift) > 1e-9 else 0.0


def carried(covariance: FloatArray, slopes: FloatArray) -> FloatArray:
    """Covariance matrix of functions of estimates (delta method).

    Parameters
    ----------
    covariance : (n, n) ndarray
        Of the estimates; rows of NaN where one has no standard error.
    slopes : (m, n) ndarray
        Derivatives of the functions.

    Returns
    -------
    (m, m) ndarray
        Rows of NaN for what depends on an estimate without a standard error.
    """
    known = np.isfinite(np.diag(covariance))
    spread = slopes @ np.where(np.outer(known, known), covariance, 0.0) @ slopes.T
    reach = np.abs(slopes) / np.maximum(np.abs(slopes).max(axis=1, keepdims=True), 1e-300)
    lost = (reach[:, ~known] > 1e-9).any(axis=1)
    spread[lost], spread[:, lost] = np.nan, np.nan
    return np.asarray(spread)


def correspondence(pair: Pair, *, draws: int = 3, seed: int = 20) -> Correspondence:
    """How the two forms' parameters give each other, on persons with random covariates.

    Parameters
    ----------
    pair : Pair
        The two forms.
    draws : int
        How many random values of either side to have as starts.
    seed : int
        Of the random covariates and values.

    Returns
    -------
    Correspondence
        With starts that are admissible values of either side.
    """
    schema = pair.growth.schema
    n_persons = (
        4
        + 3 * len(pair.growth.covariates)
        + max((len(v.levels or ()) for v in schema.variables), default=0)
    )
    columns = [*pair.mixed.fixed, *(c for block in pair.mixed.random for c in block.columns)]
    columns = [c for c in columns if not is_curve(c.parts, pair.mixed.model)]
    frame, outcome = design_frame(schema, n_persons, seed, columns=columns)
    frame[OUTCOME] = outcome
    plain = replace(
        pair.mixed,
        model=replace(pair.mixed.model, response=OUTCOME),
        schema=replace(pair.mixed.schema, outcome=OUTCOME),
    )
    long_problem = long_data(plain, frame).problem
    sem_bound = replace(pair.sem, schema=replace(pair.sem.schema, outcome=OUTCOME))
    wide_problem = wide_data(sem_bound, frame).problem
    persons = aligned(long_problem, wide_problem)
    kinds = distinct_designs(long_problem, wide_problem, persons)
    mixed = MixedMoments(long_problem, persons, kinds)
    levels = wide_problem.model.n_levels > 1
    sem = (SemLevelMoments if levels else SemMoments)(wide_problem, persons, kinds)
    made = Correspondence(
        mixed,
        sem,
        _shared(pair, mixed.names, sem.names),
        residuals=residual_links(pair, mixed, sem),
        loadings=loading_link(pair, mixed.names, sem.names),
    )
    rng = np.random.default_rng(seed)
    mixed_values = tuple(admissible(mixed, rng) for _ in range(draws))
    made = replace(made, mixed_starts=mixed_values)
    sem_values = _admissible_sem(made, mixed_values, rng)
    return replace(made, sem_starts=sem_values)


def _shared(pair: Pair, mixed: Sequence[str], sem: Sequence[str]) -> tuple[tuple[int, int], ...]:
    """Positions of the parameters that both sides name under one growth key."""
    there = dict(pair.sem.names)
    found = []
    for key, name in pair.mixed_names:
        other = there.get(key)
        if name in mixed and other in sem:
            found.append((mixed.index(name), sem.index(other)))
    return tuple(found)


def _admissible_sem(
    made: Correspondence, mixed_values: Sequence[FloatArray], rng: np.random.Generator
) -> tuple[FloatArray, ...]:
    """Random values of the SEM that need not be any of the mixed model's.

    The mixed model's own, moved: where the SEM has more freedom, that leaves the mixed model.
    """
    if made.renaming:
        return tuple(made.to_sem(admissible(made.mixed, rng)) for _ in mixed_values)
    found = []
    for values in mixed_values:
        target = made.mixed.moments(values)
        plain = [made._copied(values, rng.uniform(0.3, 0.7, len(made.sem.names)), forth=True)]
        plain += [
            made._copied(values, rng.normal(size=len(made.sem.names)), forth=True) for _ in range(8)
        ]
        start, _ = nearest(made.sem, target, plain)
        found.append(_moved(made, start, rng))
    return tuple(found)


def _moved(made: Correspondence, start: FloatArray, rng: np.random.Generator) -> FloatArray:
    """A point near `start` that meets the constraints and gives covariance matrices.

    And curves that have values at all times: a power of time zero has none where it is negative.
    """
    sem, size = made.sem, 0.2
    while size > 1e-4:
        trial = start + size * rng.normal(size=len(start)) * np.maximum(np.abs(start), 0.1)
        try:
            with np.errstate(all="ignore"):
                trial = feasible(sem, trial)
        except SpecificationError:
            # A constraint has no value there.
            size /= 2
            continue
        if sem.admissible(trial) and _has_curves(made, trial):
            return trial
        size /= 2
    return start


def _has_curves(made: Correspondence, values: FloatArray) -> bool:
    if made.loadings is None:
        return True
    return finite_designs(made.mixed, made._copied(values, made.mixed_starts[0], forth=False))


def feasible(sem: SemMoments, values: FloatArray) -> FloatArray:
    """A near point that meets the equality constraints, by Gauss-Newton steps.

    Raises
    ------
    SpecificationError
        If the steps lead to none.
    """
    for _ in range(50):
        left, slopes = sem.constraints(values)
        if not len(left) or np.abs(left).max() < 1e-14:
            return values
        if not (np.all(np.isfinite(left)) and np.all(np.isfinite(slopes))):
            break
        step, *_ = np.linalg.lstsq(slopes, -left, rcond=1e-12)
        values = values + step
    left, _ = sem.constraints(values)
    if not np.abs(left).max(initial=0.0) < 1e-10:
        raise SpecificationError(
            "The constraints have no solution near these values.", hint="Take nearer ones."
        )
    return values
