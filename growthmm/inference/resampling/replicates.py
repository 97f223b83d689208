"""Many independent pieces of work: seeded one by one, over several processes, with a bar."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from typing import TypeVar

import numpy as np

from growthmm.errors import SpecificationError
from growthmm.progress import bar, showing

__all__ = ["replicates"]

Result = TypeVar("Result")
Task = Callable[[np.random.Generator], Result]

WORTH = 4.0
"""Seconds of work from which on other processes are started, where their number is left open."""


def replicates(
    task: Task[Result],
    n: int,
    *,
    seed: int,
    workers: int | None = None,
    title: str = "",
) -> list[Result]:
    """Do `task` n times, each with a random generator of its own.

    Number k gets the k-th child of the seed, so that the results don't depend on how many
    processes share the work.

    Parameters
    ----------
    task : callable
        Takes a generator; must be picklable where several processes work.
    n : int
        How many times.
    seed : int
        Of all.
    workers : int, optional
        Processes. Where None, this one does the first pieces and calls the others in (one a core)
        only if that is worth it.
    title : str
        Beside the bar.

    Returns
    -------
    list
        The n results in order.

    Raises
    ------
    SpecificationError
        If `n` or `workers` is not positive.

    Examples
    --------
    >>> replicates(lambda rng: int(rng.integers(10)), 3, seed=1, workers=1)
    [0, 9, 4]
    """
    if n < 1 or (workers is not None and workers < 1):
        raise SpecificationError(
            f"{n} repetitions by {workers} processes.", hint="Give numbers of at least 1."
        )
    seeds = np.random.SeedSequence(seed).spawn(n)
    done: list[Result] = []
    begun = time.monotonic()
    with bar(title, n) as advance:
        cores = os.cpu_count() or 1
        while len(done) < n:
            spent = time.monotonic() - begun
            many = (workers or 1) > 1
            if workers is None and cores > 1 and spent > 0.5:
                many = spent / len(done) * (n - len(done)) > WORTH
                workers = cores if many else 1
            if many:
                break
            done.append(task(np.random.default_rng(seeds[len(done)])))
            advance(len(done))
        if len(done) < n:
            rest = seeds[len(done) :]
            size = max(1, min(50, len(rest) // (4 * (workers or 1))))
            chunks = [rest[k : k + size] for k in range(0, len(rest), size)]
            with ProcessPoolExecutor(workers) as pool:
                for found in pool.map(_chunk, [task] * len(chunks), chunks):
                    done.extend(found)
                    advance(len(done))
    return done


def _chunk(task: Task[Result], seeds: list[np.random.SeedSequence]) -> list[Result]:
    # The bar is this process's parent's.
    with showing(False):
        return [task(np.random.default_rng(seed)) for seed in seeds]
