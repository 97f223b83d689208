"""A problem made ready: internal units, sufficient statistics, residual structure."""

from __future__ import annotations

import weakref
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from growthmm.engines.long.dense import dense_surface
from growthmm.engines.long.grid import collect_grid
from growthmm.engines.long.narrow import narrow_surface
from growthmm.engines.long.nested.statistics import Nested, check_nested, collect_nested
from growthmm.engines.long.nested.surface import nested_surface
from growthmm.engines.long.parametrisation import Block
from growthmm.engines.long.patterns import Patterns, collect_patterns
from growthmm.engines.long.problem import LongProblem
from growthmm.engines.long.products import Products, collect
from growthmm.engines.long.residual_structures import structure_of
from growthmm.engines.long.residual_structures.base import Structure
from growthmm.engines.long.restriction import Restriction, restriction_of
from growthmm.engines.long.rows import check_arrays
from growthmm.engines.long.scaling import Scaling, entry_bases, find_scaling
from growthmm.engines.long.surface import Surface, rescaled
from growthmm.engines.long.two_effects import TwoEffects, unit_surface
from growthmm.engines.long.two_effects_collect import collect_two_effects
from growthmm.errors import DataError
from growthmm.model.residual import BY_LEVEL

__all__ = ["Prepared", "prepare"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Prepared:
    """What evaluation needs of a problem, in internal units.

    Parameters
    ----------
    scaling : Scaling
        The way back to the user's units.
    structure : Structure
        The residual structure.
    entries : tuple of (int, int)
        Free entries of the random-effects covariance.
    bases : (n_entries, n_random, n_random) ndarray
        Their symmetric matrices.
    blocks : tuple of Block
        Positive semi-definite matrices among the covariance parameters.
    products : Products, TwoEffects or Nested, optional
        Statistics for independent residuals with one variance.
    patterns : Patterns, optional
        Statistics for any other structure.
    jacobian, origin : ndarray
        User's parameters are ``origin + jacobian @ internal``.
    n_rows, n_subjects : int
        Outcome values, and persons that have any.
    restriction : Restriction, optional
        How covariance parameters follow from free ones, where some are fixed or shared.
    """

    scaling: Scaling
    structure: Structure
    entries: tuple[tuple[int, int], ...]
    bases: FloatArray
    blocks: tuple[Block, ...]
    products: Products | TwoEffects | Nested | None
    patterns: Patterns | None
    jacobian: FloatArray
    origin: FloatArray
    n_rows: int
    n_subjects: int
    restriction: Restriction | None = None

    @property
    def n_parameters(self) -> int:
        """Free parameters."""
        if self.restriction is None:
            return len(self.origin)
        return self.n_fixed + len(self.restriction.names)

    @property
    def n_fixed(self) -> int:
        """Fixed effects."""
        return len(self.scaling.offset)

    def covariance(self, parameters: FloatArray) -> FloatArray:
        """Random-effects covariance at the internal covariance parameters."""
        return np.asarray(
            np.tensordot(parameters[: len(self.entries)], self.bases, axes=1), dtype=float
        )

    def surface(
        self,
        parameters: FloatArray,
        fixed: FloatArray | None = None,
        *,
        restricted: bool = True,
    ) -> Surface | None:
        """The surface at internal covariance parameters.

        Without `restricted`, what only the restricted likelihood needs may be left out.
        """
        own = parameters[len(self.entries) :]
        if isinstance(self.products, TwoEffects | Nested):
            scale = float(own[0])
            ratios = parameters[: len(self.entries)] / scale if scale > 0 else None
            unit = None
            if ratios is not None:
                unit = self.unit_surface(ratios, restricted=restricted, fixed=fixed)
            if ratios is None or unit is None:
                return None
            return rescaled(unit, ratios, scale, with_scale=True)
        if self.products is not None:
            return narrow_surface(
                self.products,
                self.covariance(parameters),
                float(own[0]),
                self.entries,
                with_scale=True,
                restricted=restricted,
                fixed=fixed,
            )
        assert self.patterns is not None
        return dense_surface(
            self.patterns,
            self.structure,
            self.covariance(parameters),
            own,
            self.entries,
            fixed=fixed,
        )

    def unit_surface(
        self, ratios: FloatArray, *, restricted: bool, fixed: FloatArray | None = None
    ) -> Surface | None:
        """The surface at residual variance 1, which is no parameter, from cross-products.

        `ratios` are the entries of the covariance in units of the residual variance.
        """
        covariance = self.covariance(ratios)
        if isinstance(self.products, TwoEffects):
            return unit_surface(
                self.products, covariance, self.entries, restricted=restricted, fixed=fixed
            )
        if isinstance(self.products, Nested):
            return nested_surface(self.products, covariance, self.entries, fixed=fixed)
        assert self.products is not None
        return narrow_surface(
            self.products,
            covariance,
            1.0,
            self.entries,
            with_scale=False,
            restricted=restricted,
            fixed=fixed,
        )

    @cached_property
    def plain_surface(self) -> Surface:
        """The surface without random effects, residuals at their structure's start."""
        surface = self.surface(self.plain)
        assert surface is not None  # a structure's start is admissible
        return surface

    @property
    def plain(self) -> FloatArray:
        """The covariance parameters of `plain_surface`."""
        return np.concatenate([np.zeros(len(self.entries)), self.structure.start(1.0)])

    def internal(self, values: FloatArray) -> FloatArray:
        """Internal parameters of the user's `values`."""
        if self.restriction is not None:
            values = self.restriction.expand(values, self.n_fixed)
        shifted = np.asarray(values, dtype=float) - self.origin
        return np.asarray(np.linalg.solve(self.jacobian, shifted), dtype=float)

    def user(self, internal: FloatArray) -> FloatArray:
        """The user's parameters."""
        return np.asarray(self.origin + self.jacobian @ internal, dtype=float)

    def log_unit(self, estimator: str) -> float:
        """What the change of units adds to the log-likelihood."""
        value = -self.n_rows * float(np.log(self.scaling.unit))
        if estimator == "reml":
            value += self.scaling.log_det_fixed
            value += self.n_fixed * float(np.log(self.scaling.unit))
        return value


_cache: dict[int, tuple[weakref.ref[LongProblem], Prepared]] = {}


def prepare(problem: LongProblem) -> Prepared:
    """Make `problem` ready; the last few problems are remembered while they live."""
    found = _cache.get(id(problem))
    if found is not None and found[0]() is problem:
        return found[1]
    ready = _prepare(problem)
    if len(_cache) >= 4:
        _cache.pop(next(iter(_cache)))
    key = id(problem)
    _cache[key] = (weakref.ref(problem, lambda _: _cache.pop(key, None)), ready)
    return ready


def _prepare(problem: LongProblem) -> Prepared:
    check_arrays(problem)
    _check_blocks(problem)
    check_nested(problem)
    structure = structure_of(problem)
    scaling = find_scaling(problem)
    entries = problem.block_entries
    restriction = restriction_of(problem, structure)
    statistics = _statistics(problem, scaling, structure, restriction)
    k, r = len(entries), len(structure.names)
    blocks = list(_random_blocks(problem))
    for block in structure.blocks:
        places = tuple(k + place for place in block.places)
        blocks.append(Block(block.entries, places, block.size))
    return Prepared(
        scaling,
        structure,
        entries,
        entry_bases(entries, problem.random.shape[1]),
        tuple(blocks),
        None if isinstance(statistics, Patterns) else statistics,
        statistics if isinstance(statistics, Patterns) else None,
        scaling.jacobian(structure.powers),
        scaling.origin(problem.fixed.shape[1] + k + r),
        statistics.n_rows,
        statistics.n_subjects,
        restriction,
    )


def _statistics(
    problem: LongProblem, scaling: Scaling, structure: Structure, restriction: Restriction | None
) -> Products | TwoEffects | Nested | Patterns:
    """The smallest statistics that hold the problem."""
    if problem.clusters is not None:
        return collect_nested(problem, scaling)
    # Products are of the random effects' columns, so that a model without any has none.
    # They divide by the residual variance, so that one held at zero takes the patterns.
    common = problem.residual.kind == "common" and problem.random.shape[1] > 0
    common = common and (restriction is None or not restriction.singular)
    grid = collect_grid(problem, scaling, structure)
    if not common:
        return collect_patterns(problem, scaling, structure) if grid is None else grid.patterns()
    products = grid.products() if grid is not None else collect_two_effects(problem, scaling)
    return collect(problem, scaling) if products is None else products


def _random_blocks(problem: LongProblem) -> list[Block]:
    place = 0
    out = []
    for block in problem.blocks:
        size = len(block.columns)
        if block.diagonal:
            for index in range(size):
                out.append(Block(((0, 0),), (place + index,), 1))
            place += size
        else:
            local = tuple((a, b) for a in range(size) for b in range(a, size))
            out.append(Block(local, tuple(range(place, place + len(local))), size))
            place += len(local)
    return out


def _check_blocks(problem: LongProblem) -> None:
    columns = sorted(column for block in problem.blocks for column in block.columns)
    if columns != list(range(problem.random.shape[1])):
        raise DataError(
            f"The random-effects blocks name columns {columns} of a design with "
            f"{problem.random.shape[1]} columns.",
            hint="Every column of the design belongs to exactly one block.",
        )
    if problem.fixed.shape[1] != len(problem.fixed_names):
        raise DataError(
            f"{len(problem.fixed_names)} names for {problem.fixed.shape[1]} fixed effects.",
            hint="Name every column of the fixed-effects design.",
        )
    if problem.residual.kind in BY_LEVEL and problem.strata is None:
        raise DataError(
            f"Residuals by {problem.residual.by!r}, but no level of it for any row.",
            hint="Give `strata`, the level of each row, and `strata_names`.",
        )
