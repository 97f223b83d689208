"""Starting values of loadings that constraints tie to few numbers: from least squares of the means.

The means and effects are projected out (Golub & Pereyra 1973, doi:10.1137/0710036), so that what is
looked for is the curve alone.
"""

from __future__ import annotations

from itertools import product

import numpy as np
from numpy.typing import NDArray

from growthmm.engines.wide import ram as r
from growthmm.engines.wide.constraints import relations
from growthmm.engines.wide.likelihood import System, evaluate
from growthmm.engines.wide.starts import covariances_solved, effects_solved, outcome_variances
from growthmm.engines.wide.substitution import Substitution, substitution
from growthmm.model.sem import SemModel

__all__ = ["curve_start"]

FloatArray = NDArray[np.float64]

FACTORS = (1.0, 0.2, 0.4, 0.7, 1.5, 2.5, -1.0)
"""Shares of a start that are looked at beside it."""

FEW = 2
"""Numbers of which all combinations of shares are looked at."""

REFINED = 2
"""Points, of unlike signs, from which the least squares are refined."""

LARGE = 1e60

STEPS = 60
"""Steps of the search for each number."""


def curve_start(model: SemModel, system: System, point: FloatArray) -> FloatArray | None:
    """A start whose curves go through the means as near as they can.

    Parameters
    ----------
    model : SemModel
        The model.
    system : System
        Model and data.
    point : (n_parameters,) ndarray
        Where to begin, with the constraints fulfilled.

    Returns
    -------
    (n_parameters,) ndarray or None
        None where no constraint ties loadings.
    """
    from scipy.optimize import minimize

    given = substitution(lambda x: relations(model, x), point)
    if given is None:
        return None
    curved = _curved(model, given)
    if not len(curved):
        return None
    part = system.sample()
    variances = outcome_variances(part)

    def whole(z: FloatArray) -> FloatArray | None:
        start = point[given.kept].copy()
        start[curved] = z
        found = given.point(start)
        # Larger loadings overflow in products.
        far = found is None or not np.abs(found).max(initial=0.0) < LARGE
        return None if found is None or far else effects_solved(part, found)

    def left(z: FloatArray) -> float:
        found = whole(z)
        return np.inf if found is None else _unexplained(part, found, variances)

    begin = point[given.kept][curved]
    with np.errstate(all="ignore"):
        tried = [begin]
        if len(begin) <= FEW:
            tried = [begin * np.array(share) for share in product(FACTORS, repeat=len(begin))]
        made = []
        for z in _unlike(tried, [left(z) for z in tried]):
            found = minimize(
                left, z, method="Nelder-Mead", options={"maxfev": STEPS * len(begin), "xatol": 1e-3}
            )
            nearest = whole(found.x)
            if nearest is not None:
                start = covariances_solved(part, nearest)
                made.append((evaluate(part, start, order=0).value, start))
    return max(made, key=lambda pair: pair[0], default=(0.0, None))[1]


def _unlike(tried: list[FloatArray], sizes: list[float]) -> list[FloatArray]:
    """The best of the points tried, and the best of those whose numbers have other signs."""
    order = [k for k in np.argsort(sizes) if np.isfinite(sizes[k])]
    found: dict[tuple[bool, ...], FloatArray] = {}
    for k in order:
        found.setdefault(tuple(bool(v) for v in tried[k] < 0), tried[k])
    return list(found.values())[:REFINED]


def _curved(model: SemModel, given: Substitution) -> NDArray[np.intp]:
    """Places, among the coordinates kept, of what constrained loadings depend on."""
    loadings = {
        k
        for k, name in enumerate(model.free_parameters)
        if any(p.op == "=~" and p.free and p.parameter == name for p in model.paths)
    }
    at = given.constraints(np.ones(given.size))
    needed: set[int] = set()
    for i, k in given.steps:
        solved = at[i].solves
        if k in loadings and solved is not None:
            needed |= solved[1]
    means = {p.parameter for p in model.paths if p.op in ("~1", "=~") and p.free}
    kept = [k in needed and model.free_parameters[k] in means for k in given.kept]
    return np.flatnonzero(kept)


def _unexplained(system: System, values: FloatArray, variances: list[FloatArray]) -> float:
    """The outcomes' squares about the means, over their variances."""
    total = 0.0
    for (ram, cells), variance in zip(system.groups, variances, strict=True):
        at = r.implied(ram, values, cells.designs)
        if at is None:
            return np.inf
        mean = at.mean[:, : ram.n_outcomes] @ cells.transform
        mean[:, :, 0] -= cells.centre
        gap = cells.yw - mean @ cells.ww
        squares = np.einsum("caa->ca", cells.yy) - ((cells.yw + gap) * mean).sum(axis=2)
        total += float((cells.observed * squares / variance).sum())
    return total if np.isfinite(total) else np.inf
