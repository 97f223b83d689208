"""Linear growth data of any size, for timing."""

from __future__ import annotations

import numpy as np
import pandas as pd


def linear_growth(
    n_subjects: int, n_times: int = 6, *, missing: float = 0.0, seed: int = 1
) -> pd.DataFrame:
    """Simulate long data of ``y ~ t * x + (1 + t | id)``, sorted by person and time.

    Parameters
    ----------
    n_subjects, n_times : int
        Persons, and occasions each.
    missing : float
        Share of rows that are left out, at random; everyone keeps the first.
    seed : int
        Of the generator.
    """
    generator = np.random.default_rng(seed)
    times = np.arange(n_times, dtype=float)
    x = generator.integers(0, 2, n_subjects).astype(float)
    factor = np.linalg.cholesky(np.array([[1.0, 0.1], [0.1, 0.25]]))
    random = generator.standard_normal((n_subjects, 2)) @ factor.T
    intercept = 2.0 + 0.5 * x + random[:, 0]
    slope = 0.3 - 0.1 * x + random[:, 1]
    noise = 0.8 * generator.standard_normal((n_subjects, n_times))
    outcome = intercept[:, None] + slope[:, None] * times + noise
    frame = pd.DataFrame(
        {
            "id": np.repeat(np.arange(n_subjects), n_times),
            "t": np.tile(times, n_subjects),
            "x": np.repeat(x, n_times),
            "y": outcome.ravel(),
        }
    )
    if missing:
        kept = (generator.random(len(frame)) >= missing) | (frame["t"] == 0.0)
        frame = frame[kept].reset_index(drop=True)
    return frame
