"""Linear growth data of any size, for timing."""

from __future__ import annotations

import numpy as np
import pandas as pd

__all__ = ["linear_growth", "wide_form"]


def linear_growth(
    n_subjects: int,
    n_times: int = 6,
    *,
    missing: float = 0.0,
    individual: bool = False,
    by_occasion: bool = False,
    shuffled: bool = False,
    seed: int = 1,
) -> pd.DataFrame:
    """Simulate long data of ``y ~ t * x + (1 + t | id)``, sorted by person and time.

    Parameters
    ----------
    n_subjects, n_times : int
        Persons, and occasions each.
    missing : float
        Share of rows that are left out, at random; everyone keeps the first.
    individual : bool
        Whether every row has a time of its own, near the occasion.
    by_occasion : bool
        Whether the residual variance grows from occasion to occasion.
    shuffled : bool
        Whether rows stand in random order.
    seed : int
        Of the generator.
    """
    generator = np.random.default_rng(seed)
    x = generator.integers(0, 2, n_subjects).astype(float)
    factor = np.linalg.cholesky(np.array([[1.0, 0.1], [0.1, 0.25]]))
    random = generator.standard_normal((n_subjects, 2)) @ factor.T
    times = np.tile(np.arange(n_times, dtype=float), (n_subjects, 1))
    if individual:
        times += generator.uniform(-0.3, 0.3, times.shape)
    noise = 0.8 * generator.standard_normal(times.shape)
    if by_occasion:
        noise *= np.sqrt(0.6 + 0.2 * np.arange(n_times))
    slope = 0.3 - 0.1 * x + random[:, 1]
    outcome = (2.0 + 0.5 * x + random[:, 0])[:, None] + slope[:, None] * times + noise
    frame = pd.DataFrame(
        {
            "id": np.repeat(np.arange(n_subjects), n_times),
            "t": times.ravel(),
            "x": np.repeat(x, n_times),
            "y": outcome.ravel(),
        }
    )
    if missing:
        kept = generator.random(times.shape) >= missing
        kept[:, 0] = True
        frame = frame[kept.ravel()].reset_index(drop=True)
    if shuffled:
        frame = frame.sample(frac=1.0, random_state=seed).reset_index(drop=True)
    return frame


def wide_form(frame: pd.DataFrame, n_times: int = 6) -> pd.DataFrame:
    """The same data in person rows: ``y0, y1, ..., x``, and times ``t0, t1, ...``."""
    n_subjects = int(frame["id"].max()) + 1
    occasion = np.rint(frame["t"].to_numpy()).astype(int)
    cell = frame["id"].to_numpy() * n_times + np.clip(occasion, 0, n_times - 1)
    columns = {}
    for name in ("y", "t"):
        values = np.full(n_subjects * n_times, np.nan)
        values[cell] = frame[name].to_numpy()
        table = values.reshape(n_subjects, n_times)
        columns |= {f"{name}{j}": np.ascontiguousarray(table[:, j]) for j in range(n_times)}
    person = np.full(n_subjects, np.nan)
    person[frame["id"].to_numpy()] = frame["x"].to_numpy()
    return pd.DataFrame({**columns, "x": person})
