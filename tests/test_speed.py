"""What a fit costs must hardly grow with the number of persons; bounds are ten times what it is."""

from __future__ import annotations

import time
import tracemalloc

import numpy as np
import pandas as pd
import pytest

import growthmm as gm

pytestmark = pytest.mark.nightly

FORMULA = "y ~ t * x + (1 + t | id)"


def long_data(n, k=6, *, shuffle=False):
    rng = np.random.default_rng(1)
    t, x = np.tile(np.arange(float(k)), n), np.repeat(rng.integers(0, 2, n).astype(float), k)
    effects = rng.standard_normal((n, 2)) * [1.0, 0.5]
    person = np.repeat(np.arange(n), k)
    y = x + effects[person, 0] + effects[person, 1] * t + rng.standard_normal(n * k)
    frame = pd.DataFrame({"id": person, "t": t, "x": x, "y": y})
    return frame.sample(frac=1.0, random_state=1).reset_index(drop=True) if shuffle else frame


def seconds(run):
    """The least processor time of three calls after one to warm up."""
    run()
    found = []
    for _ in range(3):
        start = time.process_time()
        run()
        found.append(time.process_time() - start)
    return min(found)


@pytest.mark.parametrize("shuffle", [False, True])
def test_a_hundred_times_the_persons_cost_little_more(shuffle):
    small, large = long_data(200, shuffle=shuffle), long_data(20_000, shuffle=shuffle)
    assert seconds(lambda: gm.fit(FORMULA, large)) < 15 * seconds(lambda: gm.fit(FORMULA, small))


@pytest.mark.parametrize("shuffle", [False, True])
def test_a_fit_needs_less_memory_than_its_data(shuffle):
    frame = long_data(50_000, shuffle=shuffle)
    gm.fit(FORMULA, frame.iloc[:600])
    tracemalloc.start()
    try:
        result = gm.fit(FORMULA, frame)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert result.convergence.converged
    assert peak < frame.memory_usage(index=False).sum()
