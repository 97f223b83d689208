"""Made-up data with everything that real files have: text ids, years, categories, gaps."""

from __future__ import annotations

import numpy as np
import pandas as pd

__all__ = ["NASTY", "long_data", "wide_frame"]

YEARS = (2010, 2011, 2013, 2016)
N_PERSONS = 80
NASTY = 'x"); system("id'


def long_data(*, gaps: bool = True) -> pd.DataFrame:
    """80 persons at four unequally spaced years, rows in no order.

    Columns: ``person`` (text), ``year`` and ``wave`` (years since 2010), ``score``, ``school``
    (three levels), ``iq``, ``coach`` (true or false), ``mood`` (varies over time), ``start``
    (constant), and one whose name is an attack.
    """
    rng = np.random.default_rng(20)
    n, t = N_PERSONS, np.array(YEARS) - YEARS[0]
    effects = rng.multivariate_normal([0, 0], [[1.2, 0.12], [0.12, 0.15]], n)
    school = rng.choice(["north", "south", "west"], n)
    iq, coach = rng.normal(0, 1, n).round(3), rng.random(n) < 0.4
    mood = rng.normal(0, 1, (n, len(t))).round(3)
    score = (
        10
        + 0.5 * t
        + effects[:, :1]
        + effects[:, 1:] * t
        + 0.3 * mood
        + (0.6 * iq + 0.5 * (school == "west") + 0.4 * coach)[:, None]
        + 0.1 * iq[:, None] * t
        + rng.normal(0, 0.6, (n, len(t)))
    ).round(4)
    frame = pd.DataFrame(
        {
            "person": np.repeat([f"P-{k:03d}" for k in range(n)], len(t)),
            "year": np.tile(YEARS, n),
            "wave": np.tile(t, n),
            "score": score.ravel(),
            "school": np.repeat(school, len(t)),
            "iq": np.repeat(iq, len(t)),
            "coach": np.repeat(coach, len(t)),
            "mood": mood.ravel(),
            NASTY: np.repeat((iq**2).round(3), len(t)),
        }
    )
    if gaps:
        frame.loc[rng.random(len(frame)) < 0.12, "score"] = np.nan
        frame.loc[rng.random(len(frame)) < 0.08, "mood"] = np.nan
        frame.loc[frame["person"] == "P-007", "score"] = np.nan
        frame = frame[rng.random(len(frame)) > 0.05]
    return frame.sample(frac=1, random_state=4).reset_index(drop=True)


def wide_frame(frame: pd.DataFrame) -> pd.DataFrame:
    """The data with a row a person and an indicator column for each school but the first."""
    import growthmm as gm

    wide = gm.to_wide(
        frame.drop(columns=["year"]), id="person", time="wave", values=["score", "mood"]
    )
    wide.attrs.clear()
    wide["coachTRUE"] = wide["coach"].astype(float)
    for level in ("south", "west"):
        wide[f"school{level}"] = (wide["school"] == level).astype(float)
    return wide
