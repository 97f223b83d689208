"""Covariances of the residuals of several outcomes at one time, none between times."""

from __future__ import annotations

import numpy as np

from growthmm.engines.long.parametrisation import Block
from growthmm.engines.long.problem import LongProblem
from growthmm.engines.long.residual_structures.base import variance_blocks
from growthmm.engines.long.residual_structures.linear import Table
from growthmm.model.across import across_parameters, across_places

__all__ = ["structure"]


def structure(problem: LongProblem) -> Table:
    """One covariance matrix over outcomes, or one at each time."""
    crossed = problem.residual.crossed
    places = across_places(problem.series, problem.occasions, crossed=crossed)
    parameters = across_parameters(problem.series, problem.occasions, crossed=crossed)
    cells = np.full((len(problem.occasions),) * 2, -1, dtype=np.intp)
    for index, found in enumerate(places.values()):
        for j, k in found:
            cells[j, k] = cells[k, j] = index
    table = tuple(tuple(int(index) for index in row) for row in cells)
    return Table(table, tuple(p.name for p in parameters), _blocks(tuple(places)))


def _blocks(pairs: tuple[tuple[int, int], ...]) -> tuple[Block, ...]:
    """Matrices of outcomes, or of cells, all of which covary; variances alone of others."""
    place = {pair: index for index, pair in enumerate(pairs)}
    variances = [a for a, b in pairs if a == b]
    joined = {
        a: frozenset(b for b in variances if (min(a, b), max(a, b)) in place) for a in variances
    }
    made: list[Block] = []
    for members in dict.fromkeys(joined.values()):
        order = sorted(members)
        if all(joined[a] == members for a in order):
            entries = tuple((i, j) for i in range(len(order)) for j in range(i, len(order)))
            at = tuple(place[order[i], order[j]] for i, j in entries)
            made.append(Block(entries, at, len(order)))
        else:
            loose = [a for a in order if joined[a] == members]
            made += variance_blocks(tuple(place[a, a] for a in loose))
    return tuple(made)
