"""Paired timings: one of ours, one of theirs, in turn, so that a busy machine slows both."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass

import numpy as np
from peers import AbsentError, FailedError, Peer, Run, Stored, open_peer

__all__ = ["Call", "Row", "measure", "median_seconds", "paired_ratio", "race"]


@dataclass(frozen=True)
class Call:
    """One of our calls: what to write in the table, and how to run it."""

    text: str
    run: Callable[[], float]


@dataclass(frozen=True)
class Row:
    """One comparison.

    Parameters
    ----------
    scenario, persons, peer, version, call : str or int
        What was compared; `call` is ours.
    ours, theirs : float or None
        Median seconds; `theirs` None where it was left out.
    ratio : float or None
        Median of the paired ratios.
    runs : int
        Pairs.
    gain : float or None
        Our log-likelihood less theirs.
    memory : float or None
        Peak of theirs above its data in MB.
    note : str
        Why it was left out.
    date : str
        Of the run, ISO.
    """

    scenario: str
    persons: int
    peer: str
    version: str
    call: str
    ours: float | None
    theirs: float | None = None
    ratio: float | None = None
    runs: int = 0
    gain: float | None = None
    memory: float | None = None
    note: str = ""
    date: str = ""

    def to_dict(self) -> dict[str, object]:
        """For JSON."""
        return asdict(self)


def measure(run: Callable[[], float]) -> tuple[float, float]:
    """Seconds and log-likelihood of one call."""
    start = time.perf_counter()
    value = run()
    return time.perf_counter() - start, value


def median_seconds(run: Callable[[], object], *, budget: float = 2.0, most: int = 25) -> float:
    """Median seconds of repeated calls after one that is not counted."""
    run()
    seconds: list[float] = []
    start = time.perf_counter()
    while len(seconds) < 3 or (len(seconds) < most and time.perf_counter() - start < budget):
        begin = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - begin)
    return statistics.median(seconds)


def paired_ratio(first: Callable[[], float], second: Callable[[], float]) -> float:
    """Median ratio of the seconds of two calls of ours, run in turn."""
    first()
    second()
    return statistics.median(measure(first)[0] / measure(second)[0] for _ in range(9))


def _pairs(first: float, most: int) -> int:
    """How many pairs, by the seconds of the other's first run."""
    for limit, pairs in ((0.3, 11), (1.0, 7), (5.0, 5), (15.0, 3)):
        if first < limit:
            return min(pairs, most)
    return 1


def _ours(call: Call, theirs: float) -> tuple[float, float]:
    """Median of a few of our calls; as short as they are, one alone would mostly be noise."""
    found = [measure(call.run)]
    while len(found) < 5 and sum(s for s, _ in found) < max(0.3 * theirs, 0.03):
        found.append(measure(call.run))
    return statistics.median(s for s, _ in found), found[0][1]


def race(name: str, data: Stored, call: Call, *, longest: float, expected: float, most: int) -> Row:
    """Time a program against one of our calls.

    Parameters
    ----------
    name : str
        The program.
    data : Stored
        The data.
    call : Call
        Ours.
    longest : float
        Seconds that one of its fits may take.
    expected : float
        Seconds that it will take, going by the size before (0 where not known).
    most : int
        Pairs at most.
    """
    blank = Row(data.scenario.name, data.n_subjects, name, "", call.text, None)
    if expected > longest:
        return _noted(blank, f"left out: would take about {expected:.0f} s")
    try:
        peer = open_peer(name, data)
    except AbsentError as reason:
        return _noted(blank, f"left out: {reason}")
    try:
        return _race(peer, blank, call, most)
    except FailedError as reason:
        return _noted(blank, f"failed: {str(reason)[:80]}", peer.version)
    finally:
        peer.close()


def _noted(row: Row, note: str, version: str = "") -> Row:
    return Row(row.scenario, row.persons, row.peer, version, row.call, None, note=note)


def _race(peer: Peer, blank: Row, call: Call, most: int) -> Row:
    measure(call.run)
    warm = peer.run()
    runs: list[tuple[float, Run]] = []
    value = np.nan
    if warm.seconds > 15.0:
        # Too long to throw the first run away.
        seconds, value = _ours(call, warm.seconds)
        runs.append((seconds, warm))
    while len(runs) < _pairs(warm.seconds, most):
        seconds, value = _ours(call, warm.seconds)
        runs.append((seconds, peer.run()))
    gain = value - runs[-1][1].log_likelihood
    memory = max(run.memory for _, run in runs)
    return Row(
        blank.scenario,
        blank.persons,
        blank.peer,
        peer.version,
        call.text,
        statistics.median(ours for ours, _ in runs),
        statistics.median(run.seconds for _, run in runs),
        statistics.median(run.seconds / ours for ours, run in runs),
        len(runs),
        None if np.isnan(gain) else gain,
        None if np.isnan(memory) else memory,
    )
