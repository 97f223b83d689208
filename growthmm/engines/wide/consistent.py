"""Starting values that fulfil the constraints that give parameters outright."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from growthmm.engines.wide.constraints import relations
from growthmm.engines.wide.curve_starts import curve_start
from growthmm.engines.wide.likelihood import System, evaluate
from growthmm.engines.wide.starts import Candidates
from growthmm.engines.wide.substitution import settled
from growthmm.model.sem import SemModel

__all__ = ["consistent"]

FloatArray = NDArray[np.float64]


def consistent(model: SemModel, system: System, points: Candidates) -> Candidates:
    """Starts that fulfil what constraints give outright, and where their expressions have values.

    Another has residual covariances that fade in the order of the rows: no covariance of it is
    zero, which a constraint may divide by. First comes one whose curves follow the means.
    """
    plain = list(points)
    made = [settled(lambda x: relations(model, x), p) for p in (*plain, *_fading(model, plain))]
    good = [p for p in made if p is not None and np.isfinite(evaluate(system, p, order=0).value)]
    if good:
        nearer = curve_start(model, system, good[0])
        if nearer is not None and np.isfinite(evaluate(system, nearer, order=0).value):
            good.insert(0, nearer)
    return Candidates(iter(good or plain))


def _fading(model: SemModel, points: list[FloatArray]) -> list[FloatArray]:
    index = {name: k for k, name in enumerate(model.free_parameters)}
    outcomes = set(model.outcomes)
    rows = [p for p in model.paths if p.op == "~~" and p.free and {p.left, p.right} <= outcomes]
    variances = {index[p.parameter] for p in rows if p.left == p.right}
    covariances = dict.fromkeys(index[p.parameter] for p in rows if p.left != p.right)
    made = []
    for point in points[-1:]:
        faded = point.copy()
        typical = float(np.mean([point[k] for k in variances])) if variances else 1.0
        for place, k in enumerate((k for k in covariances if k not in variances), 1):
            faded[k] = typical * 0.6**place
        made.append(faded)
    return made
