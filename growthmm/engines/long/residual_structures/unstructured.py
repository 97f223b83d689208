"""Unstructured: every variance and covariance of the occasions free."""

from __future__ import annotations

from growthmm.engines.long.parametrisation import Block
from growthmm.engines.long.problem import LongProblem
from growthmm.engines.long.residual_structures.linear import Table, entry_name

__all__ = ["structure"]


def structure(problem: LongProblem) -> Table:
    """``R`` any positive definite matrix over the occasions."""
    times = problem.occasions
    m = len(times)
    entries = tuple((a, b) for a in range(m) for b in range(a, m))
    place = {entry: index for index, entry in enumerate(entries)}
    cells = tuple(tuple(place[min(j, k), max(j, k)] for k in range(m)) for j in range(m))
    names = tuple(entry_name(times[a], times[b]) for a, b in entries)
    return Table(cells, names, (Block(entries, tuple(range(len(entries))), m),))
