"""Where a search begins: loading parameters from least squares, the rest from a linear fit."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from growthmm.engines.long.problem import LongProblem
from growthmm.engines.long.scaling import sample_rows

__all__ = ["LARGE", "loading_starts"]

FloatArray = NDArray[np.float64]

REFINED = 3

TRIED = 7
"""Starts as they are that are tried after those."""

LARGE = 1e100
"""Size of a curve from which on products with it overflow."""


def loading_starts(problem: LongProblem) -> list[FloatArray]:
    """Values of the loading parameters to begin from, the most likely first.

    The candidates that leave least of the outcome unexplained by fixed effects are refined by
    least squares, the fixed effects projected out (Golub & Pereyra 1973, doi:10.1137/0710036), on
    some of the rows.
    """
    from scipy.optimize import least_squares

    curves = problem.loadings
    assert curves is not None
    rows = sample_rows(len(problem.outcome))
    base, outcome = problem.fixed[rows], problem.outcome[rows]
    at = curves.at[rows]

    def left(point: FloatArray) -> FloatArray:
        found = curves.evaluate(point).value
        design = base.copy()
        for column, place in enumerate(curves.fixed):
            if place >= 0:
                design[:, column] *= found[place][at]
        if not np.abs(design).max(initial=0.0) < LARGE:
            return np.full(len(outcome), 1e6 * (1.0 + float(np.std(outcome))))
        solved = np.linalg.lstsq(design, outcome, rcond=None)[0]
        return np.asarray(outcome - design @ solved, dtype=float)

    starts = [np.asarray(point, dtype=float) for point in curves.starts]
    starts.sort(key=lambda point: float(np.sum(left(point) ** 2)))
    made = []
    for start in starts[:REFINED]:
        refined = least_squares(left, start, max_nfev=30, x_scale="jac")
        made.append((float(refined.cost), np.asarray(refined.x, dtype=float)))
    made.sort(key=lambda pair: pair[0])
    return [*(point for _, point in made), *starts[:TRIED]]
