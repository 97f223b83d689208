"""Whether two sets of parameters of the means span the same functions of the occasions."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from growthmm.model.growth import GrowthModel

__all__ = ["acting_covariates", "coordinates", "effect_vectors", "mean_vectors", "same_span"]

FloatArray = NDArray[np.float64]

RELATIVE = 1e-9


def mean_vectors(
    growth: GrowthModel, loadings: dict[str, tuple[float, ...]], factors: set[str]
) -> FloatArray:
    """Columns of the means over the occasions, factors at the given loadings.

    Parameters
    ----------
    growth : GrowthModel
        The model.
    loadings : dict of str to tuple of float
        Of the factors, in a coding that two models share.
    factors : set of str
        Which factors count.

    Returns
    -------
    (n_times, n_means) ndarray
    """
    n = _length(loadings)
    columns = [loadings[f.name] for f in growth.factors if f.mean and f.name in factors]
    columns += [_unit(m.occasion, n) for m in growth.occasion_means]
    return np.array(columns, dtype=float).reshape(len(columns), n).T


def effect_vectors(
    growth: GrowthModel, covariate: str, loadings: dict[str, tuple[float, ...]], factors: set[str]
) -> FloatArray:
    """Columns of a covariate's effects over the occasions, (n_times, n_effects)."""
    n = _length(loadings)
    columns = [
        loadings[e.factor]
        for e in growth.predictor_effects
        if e.covariate == covariate and e.factor in factors
    ]
    for effect in growth.direct_effects:
        if effect.covariate != covariate:
            continue
        if effect.occasion is not None:
            columns.append(_unit(effect.occasion, n))
        elif effect.column is None:
            columns.append((1.0,) * n)
        elif len(effect.loadings) == n:
            columns.append(effect.loadings)
    return np.array(columns, dtype=float).reshape(len(columns), n).T


def coordinates(first: GrowthModel, second: GrowthModel) -> dict[str, tuple[float, ...]]:
    """A vector for each factor: its loadings in the first model's coding.

    At individually varying times each factor has a direction of its own.
    """
    if first.schema.shared_times:
        found = {f.name: f.loadings for f in (*second.factors, *first.factors)}
        return found or {"": (0.0,) * len(first.schema.occasions)}
    names = list(dict.fromkeys(f.name for f in (*first.factors, *second.factors)))
    count = len(names) + 1
    return {name: _unit(k, count) for k, name in enumerate(names)}


def _length(loadings: dict[str, tuple[float, ...]]) -> int:
    return len(next(iter(loadings.values())))


def _unit(occasion: int, n: int) -> tuple[float, ...]:
    return tuple(float(j == occasion) for j in range(n))


def same_span(one: FloatArray, other: FloatArray) -> bool:
    """Whether the columns of two matrices span the same space.

    Examples
    --------
    >>> same_span(np.array([[1.0, 0], [1, 1]]), np.array([[1.0, 2], [1, 3]]))
    True
    """
    ranks = [_rank(matrix) for matrix in (one, other, np.hstack([one, other]))]
    return ranks[0] == ranks[1] == ranks[2]


def _rank(matrix: FloatArray) -> int:
    if not matrix.size:
        return 0
    size = np.linalg.norm(matrix, axis=0)
    return int(np.linalg.matrix_rank(matrix / np.where(size > 0, size, 1.0), tol=RELATIVE))


def acting_covariates(growth: GrowthModel) -> set[str]:
    """The covariates that have an effect."""
    acting = {e.covariate for e in growth.predictor_effects}
    return acting | {e.covariate for e in growth.direct_effects}
