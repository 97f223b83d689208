"""Persons in clusters, drawn: unbalanced, rows missing, covariates at every level."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd

from growthmm.engines.long import Clusters, LongProblem, RandomEffects


@cache
def schools(n_schools: int = 25, seed: int = 4, missing: float = 0.15) -> pd.DataFrame:
    """Rows of children in schools: outcome y at t = 0 ... 3, x of children, z of schools, w."""
    rng = np.random.default_rng(seed)
    rows = []
    child = 0
    for school in range(n_schools):
        between = rng.multivariate_normal([0, 0], [[0.6, 0.1], [0.1, 0.1]])
        z = rng.normal()
        for _ in range(int(rng.integers(1, 9))):
            child += 1
            own = rng.multivariate_normal([0, 0], [[1.0, 0.2], [0.2, 0.25]])
            x = rng.normal() + 0.3 * z
            for t in range(4):
                w = rng.normal()
                curve = 3 + own[0] + between[0] + (0.8 + own[1] + between[1] + 0.1 * x) * t
                y = curve + 0.3 * x + 0.2 * z + 0.25 * w + rng.normal(0, 0.7)
                rows.append((school, child, t, y, x, z, w))
    frame = pd.DataFrame(rows, columns=["school", "child", "t", "y", "x", "z", "w"])
    kept = rng.uniform(size=len(frame)) > missing
    # Rows in no order, as data may come.
    return frame[kept].sample(frac=1.0, random_state=seed).reset_index(drop=True)


def nested_problem(frame: pd.DataFrame, *, diagonal: bool = False) -> LongProblem:
    """``y ~ t + x + (t | child) + (t | school)``."""
    n = len(frame)
    one, t = np.ones(n), frame["t"].to_numpy(float)
    names = ("(Intercept)", "t")
    child, children = pd.factorize(frame["child"])
    school, homes = pd.factorize(frame["school"])
    return LongProblem(
        frame["y"].to_numpy(float),
        np.column_stack([one, t, frame["x"].to_numpy(float)]),
        ("(Intercept)", "t", "x"),
        np.column_stack([one, t, one, t]),
        (
            RandomEffects(names, (0, 1), diagonal),
            RandomEffects(names, (2, 3), diagonal, outer=True),
        ),
        child,
        len(children),
        "child",
        np.zeros(n, dtype=np.intp),
        clusters=Clusters(school, len(homes), "school"),
    )
