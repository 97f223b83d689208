"""The referee of a structural equation model alone: moments, likelihood, scores by definition."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from growthmm.engines.wide.problem import WideGroup, WideProblem
from growthmm.engines.wide.search import null_basis
from growthmm.equivalence.cells import Cells
from growthmm.equivalence.correspondence import feasible
from growthmm.equivalence.moment_functions import SemMoments
from growthmm.errors import SpecificationError
from growthmm.model.sem import SemModel
from growthmm.moments.gaussian import GaussianGroup, grouped_log_likelihood
from growthmm.moments.ram import ReducedForm, reduced_form
from growthmm.moments.rank import rank

__all__ = ["SemReferee", "nearby", "sem_referee", "tangent_ranks", "usable"]

FloatArray = NDArray[np.float64]
Design = tuple[int, tuple[tuple[str, float], ...]]

DESIGNS = 6
"""Persons with definition variables whose covariance matrices are looked at."""


@dataclass(frozen=True)
class SemReferee(SemMoments):
    """Moments, dense likelihood and factor scores of a structural equation model of one level."""

    def form(self, values: FloatArray, design: Design, variables: Sequence[int]) -> ReducedForm:
        """Intercepts, slopes and covariance of variables given the covariates."""
        return reduced_form(*self._fill(values, design), variables, self._observed[1])

    def log_likelihood(self, values: FloatArray) -> float:
        """The sum of the persons' normal densities at parameter values, by definition."""
        outcomes = self._observed[0]
        groups = []
        for design, rows, seen in self._alike():
            data = self.problem.groups[design[0]]
            assert isinstance(data, WideGroup)
            form = self.form(values, design, outcomes)
            means = form.intercept + np.nan_to_num(data.covariates[rows]) @ form.slopes.T
            own = form.covariance[np.ix_(seen, seen)]
            groups.append(GaussianGroup(data.outcomes[rows][:, seen], means[:, seen], own))
        return grouped_log_likelihood(groups)

    def scores(self, values: FloatArray) -> FloatArray:
        """Conditional means of the latent variables given a person's outcomes.

        ``E(eta) + Cov(eta, y) Var(y)^-1 (y - E(y))``.

        Returns
        -------
        (n_subjects, n_latent) ndarray
            Persons in the order of the data, group after group.
        """
        outcomes = self._observed[0]
        n, latent = len(outcomes), [self._at[name] for name in self.problem.model.latent]
        sizes = [len(g.outcomes) for g in self.problem.groups if isinstance(g, WideGroup)]
        starts = np.concatenate([[0], np.cumsum(sizes)])
        made = np.zeros((int(starts[-1]), len(latent)))
        for design, rows, seen in self._alike(empty=True):
            data = self.problem.groups[design[0]]
            assert isinstance(data, WideGroup)
            form = self.form(values, design, [*outcomes, *latent])
            means = form.intercept + np.nan_to_num(data.covariates[rows]) @ form.slopes.T
            left = data.outcomes[rows][:, seen] - means[:, seen]
            weights = np.linalg.solve(
                form.covariance[np.ix_(seen, seen)],
                form.covariance[np.ix_(seen, range(n, n + len(latent)))],
            )
            made[starts[design[0]] + rows] = means[:, n:] + left @ weights
        return made

    def expected(self, values: FloatArray) -> FloatArray:
        """Means of the first group's latent variables given covariates, (n_subjects, n_latent)."""
        latent = [self._at[name] for name in self.problem.model.latent]
        form, data = self.form(values, (0, ()), latent), self.problem.groups[0]
        assert isinstance(data, WideGroup)
        return np.asarray(form.intercept + data.covariates @ form.slopes.T)

    def _alike(
        self, *, empty: bool = False
    ) -> Iterator[tuple[Design, NDArray[np.intp], list[int]]]:
        """Persons with the same definition variables and the same outcomes seen."""
        for g, data in enumerate(self.problem.groups):
            assert isinstance(data, WideGroup)
            seen = np.isfinite(data.outcomes)
            found: dict[tuple[object, ...], list[int]] = {}
            held = np.array([values for _, values in data.definitions])
            for row in range(len(seen)):
                key = (seen[row].tobytes(), held[..., row].tobytes() if len(held) else b"")
                found.setdefault(key, []).append(row)
            for rows in found.values():
                if empty or seen[rows[0]].any():
                    design = tuple((name, float(v[rows[0]])) for name, v in data.definitions)
                    yield (g, design), np.array(rows), np.flatnonzero(seen[rows[0]]).tolist()


def sem_referee(problem: WideProblem) -> SemReferee:
    """The referee of a problem, with persons whose moments are compared.

    Parameters
    ----------
    problem : WideProblem
        Of one level, with the persons' rows.
    """
    n_outcomes = len(problem.model.outcomes)
    persons: list[Cells] = []
    kinds: list[int] = []
    for g, data in enumerate(problem.groups):
        assert isinstance(data, WideGroup)
        wanted = min(len(data.outcomes), max(len(problem.model.covariates) + 2, DESIGNS))
        kinds += list(range(len(persons), len(persons) + (wanted if data.definitions else 1)))
        columns = np.arange(n_outcomes)
        persons += [Cells(columns, g, row, columns) for row in range(wanted)]
    return SemReferee(problem, tuple(persons), tuple(kinds))


def usable(problem: WideProblem) -> WideProblem:
    """The problem without outcomes on which a covariate acts that the person lacks.

    Parameters
    ----------
    problem : WideProblem
        Of one level, with the persons' rows.
    """
    groups = []
    for g, data in enumerate(problem.groups):
        assert isinstance(data, WideGroup)
        lost = np.isnan(data.covariates) @ _acting(problem.model, g)
        groups.append(replace(data, outcomes=np.where(lost, np.nan, data.outcomes)))
    return replace(problem, groups=tuple(groups))


def _acting(model: SemModel, group: int) -> NDArray[np.bool_]:
    """Which outcomes a covariate acts on, perhaps through others, (n_covariates, n_outcomes)."""
    effects: dict[str, list[str]] = {}
    for path in model.paths:
        if path.group == group and path.op in ("~", "=~") and not path.is_zero:
            cause, effect = path.right, path.left
            if path.op == "=~":
                cause, effect = effect, cause
            effects.setdefault(cause, []).append(effect)
    made = np.zeros((len(model.covariates), len(model.outcomes)), dtype=bool)
    for k, name in enumerate(model.covariates):
        reached, new = set[str](), [name]
        while new:
            new = [y for x in new for y in effects.get(x, ()) if y not in reached]
            reached.update(new)
        made[k] = [y in reached for y in model.outcomes]
    return made


def nearby(
    referee: SemReferee, values: FloatArray, *, count: int = 3, seed: int = 20
) -> tuple[FloatArray, ...]:
    """Random admissible values around `values` that meet the model's constraints.

    Parameters
    ----------
    referee : SemReferee
        The model.
    values : (n_parameters,) ndarray
        Where to look, an admissible point.
    count : int
        How many points.
    seed : int
        Of the random numbers.
    """
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(count):
        size, moves = 0.3, rng.normal(size=len(values)) * np.maximum(np.abs(values), 0.1)
        while size > 1e-4:
            try:
                with np.errstate(all="ignore"):
                    trial = feasible(referee, values + size * moves)
            except SpecificationError:
                size /= 2
                continue
            if referee.admissible(trial):
                made.append(trial)
                break
            size /= 2
    return tuple(made)


def tangent_ranks(referee: SemReferee, points: Sequence[FloatArray]) -> tuple[int, int]:
    """Dimensions of the moments' tangent space at one point, and of all points' together.

    The means and covariances of a linear mixed model are linear in its parameters (fixed effects,
    covariances of random effects, residual variances), so that its tangent space is the same
    everywhere and the two numbers are equal. Where they differ the moments are curved.

    Parameters
    ----------
    referee : SemReferee
        The model.
    points : sequence of (n_parameters,) ndarray
        Values that meet its constraints.

    Returns
    -------
    one, together : int
    """
    spaces = []
    for values in points:
        slopes = referee.constraints(values)[1]
        spaces.append(referee.jacobian(values) @ null_basis(slopes, len(values)))
    return max(map(rank, spaces)), rank(np.concatenate(spaces, axis=1))
