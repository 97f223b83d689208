"""Persons of a curved problem grouped by what their covariance matrix depends on."""

from __future__ import annotations

import weakref
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from growthmm.engines.long.loadings import Loadings
from growthmm.engines.long.patterns import collect_patterns
from growthmm.engines.long.problem import LongProblem
from growthmm.engines.long.residual_structures import structure_of
from growthmm.engines.long.residual_structures.base import Pattern, Structure
from growthmm.engines.long.rows import check_arrays
from growthmm.engines.long.scaling import Scaling

__all__ = ["Group", "Statistics", "statistics_of"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Group:
    """Patterns of rows that have the same number of rows.

    Parameters
    ----------
    point : (n_patterns, n_times) ndarray of int
        The point of each row among those of the curves.
    design : (n_patterns, n_times, n_random) ndarray
        Random-effects columns without their curves.
    data : (n_patterns, n_times, n_vectors, n_fixed + 1) ndarray
        Fixed-effects columns without their curves, and the outcome, of (pseudo-)persons.
    counts : (n_patterns,) ndarray
        Persons that have the pattern.
    pattern : Pattern
        Occasions and strata.
    """

    point: NDArray[np.intp]
    design: FloatArray
    data: FloatArray
    counts: FloatArray
    pattern: Pattern

    def part(self, rows: slice) -> Group:
        """Some of the patterns."""
        pattern = Pattern(self.pattern.occasion[rows], self.pattern.stratum[rows])
        return Group(
            self.point[rows], self.design[rows], self.data[rows], self.counts[rows], pattern
        )


@dataclass(frozen=True)
class Statistics:
    """What the likelihood needs of the data.

    Parameters
    ----------
    groups : tuple of Group
        All persons.
    loadings : Loadings
        The curves.
    structure : Structure
        The residual structure.
    n_rows, n_subjects : int
        Outcome values, and persons that have any.
    """

    groups: tuple[Group, ...]
    loadings: Loadings
    structure: Structure
    n_rows: int
    n_subjects: int


_cache: dict[int, tuple[weakref.ref[LongProblem], Statistics]] = {}


def statistics_of(problem: LongProblem) -> Statistics:
    """Group the persons of a problem; the last few problems are remembered while they live."""
    found = _cache.get(id(problem))
    if found is not None and found[0]() is problem:
        return found[1]
    made = _collect(problem)
    if len(_cache) >= 4:
        _cache.pop(next(iter(_cache)))
    key = id(problem)
    _cache[key] = (weakref.ref(problem, lambda _: _cache.pop(key, None)), made)
    return made


def _collect(problem: LongProblem) -> Statistics:
    """The patterns of the problem whose design has the curves' points as one more column."""
    assert problem.loadings is not None
    check_arrays(problem)
    structure = structure_of(problem)
    p, q = problem.fixed.shape[1], problem.random.shape[1]
    points = problem.loadings.at.astype(float)
    marked = replace(problem, random=np.column_stack([problem.random[:], points]), loadings=None)
    plain = Scaling(np.zeros(p), 1.0, np.eye(p), np.eye(q + 1), 0.0, np.zeros((0, 0)))
    found = collect_patterns(marked, plain, structure)
    groups = tuple(
        Group(
            batch.design[:, :, q].astype(np.intp),
            batch.design[:, :, :q],
            batch.data,
            batch.counts,
            batch.pattern,
        )
        for batch in found.batches
    )
    return Statistics(groups, problem.loadings, structure, found.n_rows, found.n_subjects)
