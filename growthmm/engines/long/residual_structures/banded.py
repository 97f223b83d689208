"""Banded: variances and covariances up to a number of lags free, zero beyond."""

from __future__ import annotations

from growthmm.engines.long.problem import LongProblem
from growthmm.engines.long.residual_structures.base import variance_blocks
from growthmm.engines.long.residual_structures.linear import Table, entry_name

__all__ = ["structure"]


def structure(problem: LongProblem) -> Table:
    """``R_jk`` free for ``|j - k| <= K`` (SAS's UN(K + 1)), lags counted in occasions."""
    times = problem.occasions
    bands = problem.residual.bands or 1
    m = len(times)
    entries = [(a, b) for a in range(m) for b in range(a, min(m, a + bands + 1))]
    place = {entry: index for index, entry in enumerate(entries)}
    cells = tuple(tuple(place.get((min(j, k), max(j, k)), -1) for k in range(m)) for j in range(m))
    names = tuple(entry_name(times[a], times[b]) for a, b in entries)
    return Table(cells, names, variance_blocks(tuple(place[a, a] for a in range(m))))
