"""The pass that computes the moments: the least that any fit of sorted long data has to do."""

from __future__ import annotations

import numpy as np
import pandas as pd

__all__ = ["moments_pass"]

CHUNK = 4_096


def moments_pass(frame: pd.DataFrame, n_times: int = 6) -> np.ndarray:
    """Verify a sorted, complete frame and sum the centred cross-products of its person rows.

    Ids must rise and hold for `n_times` rows each, times be the same for everyone and the
    covariate constant within persons: plain NumPy, one look at every value, in pieces that stay
    in cache.
    """
    ids = frame["id"].to_numpy().reshape(-1, n_times)
    times = frame["t"].to_numpy().reshape(-1, n_times)
    x = frame["x"].to_numpy().reshape(-1, n_times)
    y = frame["y"].to_numpy().reshape(-1, n_times)
    heads = ids[:, 0]
    if not (heads[1:] > heads[:-1]).all():
        raise ValueError("persons do not rise")
    centre = y[:CHUNK].mean(axis=0)
    total = np.zeros((n_times + 2, n_times + 2))
    for low in range(0, len(y), CHUNK):
        part = slice(low, low + CHUNK)
        same = (ids[part] == ids[part, :1]).all() and (x[part] == x[part, :1]).all()
        if not (same and (times[part] == times[0]).all()):
            raise ValueError("the data are not balanced")
        rows = np.empty((n_times + 2, len(y[part])))
        rows[0] = 1.0
        rows[1] = x[part, 0]
        np.subtract(y[part].T, centre[:, None], out=rows[2:])
        total += rows @ rows.T
    if not np.isfinite(total).all():
        raise ValueError("values are missing or infinite")
    return total
