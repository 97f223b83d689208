"""Make the data of the examples: reading scores of 120 pupils, as a school might hand them over.

``python examples/make_data.py FOLDER`` writes

- ``scores.csv``: a row a pupil, scores of five terms, -99 where a pupil was absent;
- ``growth.dat``: the same for Mplus, without header, and ``growth.inp``, an input for it.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import numpy as np
import pandas as pd

TERMS = 5
ABSENT = -99


def scores(n_pupils: int = 120, seed: int = 1994) -> pd.DataFrame:
    """Draw pupils whose reading grows in a line, faster in the programme.

    Parameters
    ----------
    n_pupils : int
        How many.
    seed : int
        Of the random numbers.

    Returns
    -------
    DataFrame
        ``pupil``, ``programme``, ``home`` (a score of the home) and ``read_0`` to ``read_4``.
    """
    rng = np.random.default_rng(seed)
    programme = np.arange(n_pupils) % 2
    home = rng.normal(0, 1, n_pupils).round(2)
    level, rate = rng.multivariate_normal([0, 0], [[16, 1.5], [1.5, 1]], n_pupils).T
    level = 40 + 2 * home + level
    rate = 3 + 1.2 * programme + rate
    terms = np.arange(TERMS)
    read = level[:, None] + rate[:, None] * terms + rng.normal(0, 2.5, (n_pupils, TERMS))
    absent = rng.random((n_pupils, TERMS)) < 0.03 * terms
    table = pd.DataFrame(
        {
            "pupil": [f"P{k:03d}" for k in range(n_pupils)],
            "programme": np.where(programme == 1, "yes", "no"),
            "home": home,
        }
    )
    for t in terms:
        table[f"read_{t}"] = np.where(absent[:, t], ABSENT, read[:, t].round(1))
    return table


def write(folder: Path) -> None:
    """Write the files into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    table = scores()
    table.to_csv(folder / "scores.csv", index=False)
    coded = table.assign(programme=(table["programme"] == "yes").astype(int))
    coded.drop(columns="pupil").to_csv(folder / "growth.dat", sep=" ", header=False, index=False)
    shutil.copy(Path(__file__).with_name("growth.inp"), folder)


if __name__ == "__main__":
    write(Path(sys.argv[1] if len(sys.argv) > 1 else "."))
