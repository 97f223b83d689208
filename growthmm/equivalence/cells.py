"""Which outcome of the wide rows each row of the long data is, told by the outcomes themselves."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from growthmm.engines.long.problem import Clusters, LongProblem
from growthmm.engines.wide.problem import WideGroup, WideProblem
from growthmm.errors import SpecificationError

__all__ = ["Cells", "aligned", "distinct_designs"]

IntArray = NDArray[np.integer[Any]]


@dataclass(frozen=True)
class Cells:
    """One person on both sides, or all persons of a cluster.

    Parameters
    ----------
    rows : (n_times,) ndarray of int
        Rows of the long problem, by occasion.
    group, row : int
        The (first) person's place in the wide problem.
    columns : (n_times,) ndarray of int
        For each of `rows` the column of the wide outcomes.
    others : (n_times,) ndarray of int, optional
        For each of `rows` the row of the wide problem, where persons of a cluster are together.
    """

    rows: IntArray
    group: int
    row: int
    columns: IntArray
    others: IntArray | None = None

    @property
    def persons(self) -> IntArray:
        """For each of `rows` the row of the wide problem."""
        return np.full(len(self.rows), self.row) if self.others is None else self.others


def aligned(long_problem: LongProblem, wide_problem: WideProblem) -> tuple[Cells, ...]:
    """Match the cells of both forms of one data set whose outcomes are all different.

    However a form arranges its data (a row a person, one a visit, outcomes stacked, groups apart),
    an outcome drawn at random is found again by its value.

    Parameters
    ----------
    long_problem, wide_problem : LongProblem, WideProblem
        The two forms.

    Returns
    -------
    tuple of Cells
        One for each person, in the order of the long problem.

    Raises
    ------
    SpecificationError
        If the forms hold different data.
    """
    places: dict[float, tuple[int, int, int]] = {}
    for g, group in enumerate(wide_problem.groups):
        assert isinstance(group, WideGroup)
        for row, column in np.argwhere(np.isfinite(group.outcomes)).tolist():
            places[float(group.outcomes[row, column])] = (g, row, column)
    order = np.lexsort((long_problem.occasion, long_problem.subject))
    starts = np.searchsorted(long_problem.subject[order], np.arange(long_problem.n_subjects + 1))
    if long_problem.clusters is not None:
        return _clusters(long_problem, long_problem.clusters, places)
    made = []
    for first, end in pairwise(starts.tolist()):
        rows = order[first:end]
        found = [places.get(float(value)) for value in long_problem.outcome[rows]]
        homes = {place[:2] if place else None for place in found}
        if len(homes) != 1 or None in homes:
            raise SpecificationError(
                "The two forms hold different data: a person's outcomes in the long form are not "
                "those of one wide row.",
                hint="Reshape the one from the other.",
            )
        columns = np.array([place[2] for place in found if place], dtype=np.intp)
        made.append(Cells(rows, *next(home for home in homes if home), columns))
    return tuple(made)


def _clusters(
    problem: LongProblem, clusters: Clusters, places: dict[float, tuple[int, int, int]]
) -> tuple[Cells, ...]:
    """The persons of each cluster."""
    made = []
    for code in np.unique(clusters.code):
        rows = np.flatnonzero(np.asarray(clusters.code) == code)
        found = [places.get(float(value)) for value in problem.outcome[rows]]
        known = np.array([place for place in found if place is not None], dtype=np.intp)
        if len(known) < len(rows):
            raise SpecificationError(
                "The two forms hold different data: outcomes of the long form are in no wide row.",
                hint="Reshape the one from the other.",
            )
        made.append(Cells(rows, int(known[0, 0]), int(known[0, 1]), known[:, 2], known[:, 1]))
    return tuple(made)


def distinct_designs(
    long_problem: LongProblem, wide_problem: WideProblem, persons: tuple[Cells, ...]
) -> tuple[int, ...]:
    """Positions of persons one of each kind, persons alike having the same covariance matrices.

    Returns
    -------
    tuple of int
        The first of every kind.
    """
    seen: dict[tuple[object, ...], int] = {}
    random, points = np.asarray(long_problem.random), long_problem.loadings
    for position, cells in enumerate(persons):
        group = wide_problem.groups[cells.group]
        assert isinstance(group, WideGroup)
        strata = long_problem.strata
        key = (
            random[cells.rows].tobytes(),
            b"" if points is None else points.at[cells.rows].tobytes(),
            long_problem.occasion[cells.rows].tobytes(),
            b"" if strata is None else strata[cells.rows].tobytes(),
            cells.group,
            cells.columns.tobytes(),
            np.unique(cells.persons, return_inverse=True)[1].tobytes(),
            tuple(float(values[cells.row]) for _, values in group.definitions),
        )
        seen.setdefault(key, position)
    return tuple(seen.values())
