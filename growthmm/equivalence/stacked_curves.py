"""Second-order growth with estimated item loadings as a mixed model with curves, on stacked rows.

For person i, item k and occasion j::

    y_ijk = intercept_k + lambda_k (sum_m growth_jm eta_im + state_ij) + e_ijk

Given the loadings lambda this is a linear mixed model with a random effect of the person for each
growth factor and each state (condition 21), so that the engine ``long`` fits it with the loadings
as parameters of the design. Parameters bear the names that they have in the SEM.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from growthmm.engines.long import parameter_names, random_effects
from growthmm.engines.long.loadings import Curves, Loadings
from growthmm.engines.long.problem import LongProblem, RandomEffects
from growthmm.engines.outcome import EngineFit
from growthmm.engines.registry import run
from growthmm.engines.wide.problem import WideGroup, WideProblem
from growthmm.model.names import covariance_name, residual_name
from growthmm.model.residual import ResidualStructure
from growthmm.model.sem import Path, SemModel
from growthmm.translation.second_order import SecondOrder, second_order

__all__ = ["StackedCurves", "stacked_curves"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class StackedCurves:
    """The mixed form with curves of a second-order growth model.

    Parameters
    ----------
    problem : LongProblem
        Rows of persons, occasions and items.
    names : tuple of str
        For each of the SEM's parameters, in its order, the mixed form's.
    latent : tuple of str
        The latent variable of each column of the random effects' design: growth factors, then
        states.
    basis : tuple of (str, tuple of (str, float))
        For each state its loadings on the growth factors.
    """

    problem: LongProblem
    names: tuple[str, ...]
    latent: tuple[str, ...]
    basis: tuple[tuple[str, tuple[tuple[str, float], ...]], ...]

    def order(self) -> list[int]:
        """Places of the SEM's parameters among those of the engine ``long``."""
        own = parameter_names(self.problem)
        return [own.index(name) for name in self.names]

    def values(self, sem: FloatArray) -> FloatArray:
        """The engine's parameters from the SEM's, the same numbers in another order."""
        made = np.empty(len(sem))
        made[self.order()] = sem
        return made

    def fitted(self, bounds: Literal["psd", "none"], sem: tuple[str, ...]) -> EngineFit:
        """The fit of the engine ``long``, its parameters under the SEM's names.

        Parameters
        ----------
        bounds : {"psd", "none"}
            The parameter space.
        sem : tuple of str
            The SEM's parameters.
        """
        fit = run("long", self.problem, estimator="ml", bounds=bounds)
        at = self.order()
        return replace(
            fit,
            names=sem,
            kinds=tuple(fit.kinds[k] for k in at),
            estimates=fit.estimates[at],
            covariance=fit.covariance[np.ix_(at, at)],
        )

    def scores(self, sem: FloatArray, latent: tuple[str, ...]) -> FloatArray:
        """Predicted random effects as scores of the SEM's latent variables, without means.

        Parameters
        ----------
        sem : (n_parameters,) ndarray
            The SEM's parameters.
        latent : tuple of str
            The latent variables, in the order wanted.

        Returns
        -------
        (n_subjects, n_latent) ndarray
            A state is its own deviation beside what growth gives it.
        """
        modes, _ = random_effects(self.problem, self.values(sem))
        growth = {name: modes[:, k] for k, name in enumerate(self.latent)}
        made = {name: growth.get(name, np.zeros(len(modes))) for name in latent}
        for state, weights in self.basis:
            made[state] = made[state] + sum(w * growth[name] for name, w in weights)
        return np.column_stack([made[name] for name in latent])


def stacked_curves(problem: WideProblem) -> StackedCurves | None:
    """The mixed form with curves, where the model is second-order growth that has one.

    Parameters
    ----------
    problem : WideProblem
        Model and data.

    Returns
    -------
    StackedCurves or None
        None for any other model: one with groups, constraints, effects among states or growth
        factors, covariances of states or of unique parts, or intercepts of states.
    """
    model = problem.model
    found = second_order(model)
    if found is None or len(problem.groups) != 1 or not isinstance(problem.groups[0], WideGroup):
        return None
    reader = _Reader(model, found)
    return reader.made(problem.groups[0]) if reader.fits else None


class _Reader:
    """Rows of a second-order growth model by what they are."""

    def __init__(self, model: SemModel, found: SecondOrder) -> None:
        self.model, self.found = model, found
        self.items = [y for own in found.items for y in own]
        self.at = {y: t for t, own in enumerate(found.items) for y in own}

    @property
    def fits(self) -> bool:
        """Whether the model has nothing else than such a model has."""
        model, growth, states = self.model, self.found.growth, self.found.occasions
        if model.constraints or model.n_groups > 1 or model.n_levels > 1:
            return False
        if set(self.items) != set(model.outcomes):
            return False
        for path in model.paths:
            if path.definition is not None:
                return False
            if path.op == "~" and not (path.is_zero or self._effect(path)):
                return False
            inside = {path.left, path.right} <= set(growth)
            if path.op == "~~" and path.left != path.right and not path.is_zero and not inside:
                return False
            if path.op == "~1" and not path.free and path.value:
                return False
            if path.op == "~1" and path.free and path.left in states:
                return False
            if path.op == "=~" and path.left in growth and path.free:
                return False
        unique = [self._variance(y) for y in self.items]
        if not all(path is not None and path.free for path in unique):
            return False
        own = [self._variance(f) for f in states]
        if any(p is None or (not p.free and p.value) for p in own) or self._twice(own):
            return False
        return self._apart() and any(isinstance(c, str) for row in self.growth_cov for c in row)

    @property
    def growth_cov(self) -> tuple[tuple[str | float, ...], ...]:
        """The growth factors' covariance matrix: parameters, and numbers at which it is held."""
        names = self.found.growth

        def cell(a: str, b: str) -> str | float:
            path = self.model.path(a, "~~", b) or self.model.path(b, "~~", a)
            if path is None:
                return 0.0
            return path.parameter if path.free else float(path.value or 0.0)

        return tuple(tuple(cell(a, b) for b in names) for a in names)

    @property
    def unstructured(self) -> bool:
        """Whether all variances and covariances of growth factors are parameters of their own."""
        size = range(len(self.growth_cov))
        cells = [self.growth_cov[a][b] for a in size for b in size if a <= b]
        return all(isinstance(c, str) for c in cells) and len(set(cells)) == len(cells)

    def _effect(self, path: Path) -> bool:
        """Whether it is an estimated effect of a person's covariate."""
        return path.op == "~" and path.free and path.right in self.model.covariates

    def _variance(self, name: str) -> Path | None:
        return self.model.path(name, "~~", name)

    @staticmethod
    def _twice(states: list[Path | None]) -> bool:
        """Whether some states have variances, and others none."""
        return len({path.free for path in states if path is not None}) > 1

    def _apart(self) -> bool:
        """Whether no parameter is of two kinds."""
        kinds: dict[str, set[str]] = {}
        growth, states = set(self.found.growth), set(self.found.occasions)
        for path in self.model.paths:
            if path.free:
                place = "growth" if path.left in growth else "state" if path.left in states else "y"
                kinds.setdefault(path.parameter, set()).add(path.op + place)
        return all(len(own) == 1 for own in kinds.values())

    def loading(self, y: str) -> str | float:
        """The item's loading on its state: a parameter, or a number."""
        path = self.model.path(self.found.occasions[self.at[y]], "=~", y)
        assert path is not None
        return path.parameter if path.free else float(path.value or 0.0)

    def growth_loading(self, factor: str, y: str) -> float:
        """The loading of the item's state on a growth factor."""
        path = self.model.path(factor, "=~", self.found.occasions[self.at[y]])
        return 0.0 if path is None else float(path.value or 0.0)

    def made(self, data: WideGroup) -> StackedCurves:
        """The problem."""
        model, growth, states = self.model, self.found.growth, self.found.occasions
        person, column = np.nonzero(np.isfinite(data.outcomes))
        outcomes = list(model.outcomes)
        cell = [self.loading(y) for y in outcomes]
        points = list(dict.fromkeys(cell))
        fixed, fixed_names, curved = self._fixed(data, person, column)
        basis = np.array([[self.growth_loading(f, y) for f in growth] for y in outcomes])
        variances = [self._variance(f) for f in states]
        latent = [*growth, *(f for f, p in zip(states, variances, strict=True) if p and p.free)]
        indicator = np.array(
            [[float(self.at[y] == t) for t in range(len(states))] for y in outcomes]
        )
        random = np.hstack([basis, indicator]) if len(latent) > len(growth) else basis
        unique = [self._required(y) for y in outcomes]
        strata = list(dict.fromkeys(unique))
        problem = LongProblem(
            outcome=data.outcomes[person, column],
            fixed=fixed,
            fixed_names=tuple(fixed_names),
            random=random[column],
            blocks=self._blocks(variances),
            subject=person.astype(np.intp),
            n_subjects=len(data.outcomes),
            group="id",
            occasion=np.zeros(len(person), dtype=np.intp),
            residual=ResidualStructure("by_group", by="unique"),
            strata=np.array([strata.index(u) for u in unique], dtype=np.intp)[column],
            strata_names=tuple(strata),
            loadings=_loadings(
                points,
                np.array([points.index(c) for c in cell], dtype=np.intp)[column],
                tuple(0 if own else -1 for own in curved),
                (0,) * random.shape[1],
            ),
        )
        weights = tuple(
            (f, tuple((g, self.growth_loading(g, own[0])) for g in growth))
            for f, own in zip(states, self.found.items, strict=True)
        )
        return StackedCurves(problem, self._names(strata), tuple(latent), weights)

    def _required(self, y: str) -> str:
        path = self._variance(y)
        assert path is not None
        return path.parameter

    def _fixed(
        self, data: WideGroup, person: NDArray[np.intp], column: NDArray[np.intp]
    ) -> tuple[FloatArray, list[str], list[bool]]:
        """Columns of the rows, their parameters, and whether items' loadings multiply them.

        Means and effects of growth factors move with the loadings of the states on these, those
        of states do not.
        """
        columns: dict[str, FloatArray] = {}
        curved: dict[str, bool] = {}
        for path in self.model.paths:
            if not ((path.op == "~1" and path.free) or self._effect(path)):
                continue
            values = np.array([self._reach(path.left, y) for y in self.model.outcomes])[column]
            if path.op == "~":
                x = data.covariates[person, self.model.covariates.index(path.right)]
                values = np.where(values == 0, 0.0, values * x)
            columns[path.parameter] = columns.get(path.parameter, 0.0) + values
            curved[path.parameter] = path.left not in self.items
        return np.column_stack(list(columns.values())), list(columns), list(curved.values())

    def _reach(self, name: str, y: str) -> float:
        """What one more unit of a variable adds to an outcome, but for its item's loading."""
        if name in self.found.growth:
            return self.growth_loading(name, y)
        own = self.found.occasions[self.at[y]] if name in self.found.occasions else y
        return float(own == name)

    def _blocks(self, states: list[Path | None]) -> tuple[RandomEffects, ...]:
        growth = self.found.growth
        size = len(growth)
        pattern = None if self.unstructured else self.growth_cov
        blocks = [RandomEffects(growth, tuple(range(size)), pattern=pattern)]
        own = [path.parameter for path in states if path is not None and path.free]
        if own:
            pattern = tuple(
                tuple(name if a == b else 0.0 for b in range(len(own)))
                for a, name in enumerate(own)
            )
            places = tuple(range(size, size + len(own)))
            blocks.append(RandomEffects(self.found.occasions, places, pattern=pattern))
        return tuple(blocks)

    def _names(self, strata: list[str]) -> tuple[str, ...]:
        growth = self.found.growth
        there = {name: residual_name(name) for name in strata}
        if self.unstructured:
            there |= {
                str(self.growth_cov[n][m]): covariance_name(a, growth[m], "id")
                for n, a in enumerate(growth)
                for m in range(n, len(growth))
            }
        return tuple(there.get(name, name) for name in self.model.free_parameters)


def _loadings(
    points: list[str | float], at: NDArray[np.intp], fixed: tuple[int, ...], random: tuple[int, ...]
) -> Loadings:
    """One curve whose points are the items' loadings: parameters and numbers."""
    names = tuple(point for point in points if isinstance(point, str))
    n, size = len(names), len(points)
    first = np.zeros((1, n, size))
    constant = np.array([0.0 if isinstance(point, str) else point for point in points])
    for column, point in enumerate(points):
        if isinstance(point, str):
            first[0, names.index(point), column] = 1.0
    second = np.zeros((1, n, n, size))

    def evaluate(values: FloatArray) -> Curves:
        return Curves((constant + values @ first[0])[None], first, second)

    return Loadings(names, np.ones((1, n)), at, fixed, random, evaluate)
