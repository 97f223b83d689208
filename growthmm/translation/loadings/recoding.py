"""Another origin or unit of time: the same model in other parameters, or another model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from growthmm.errors import SpecificationError
from growthmm.model.growth import GrowthModel
from growthmm.translation.loadings.affine import number
from growthmm.translation.tabulate import tabulate

__all__ = ["Recoding", "recoded"]

FloatArray = NDArray[np.float64]

CLOSED = 1e-8


@dataclass(frozen=True)
class Recoding:
    """What becomes of a growth model when time is counted from another origin in another unit.

    Parameters
    ----------
    origin, unit : float
        New time is ``(t - origin) / unit``.
    matrix : (n_factors, n_factors) ndarray
        `A`: factors in new time are ``A`` times those in old time; NaN where there is none.
    rules : tuple of str
        How the new means and covariances follow from the old.
    changes : tuple of str
        Why the recoded formula is another model; empty where it is the same.
    restricted_shift : float
        What is added to the restricted log-likelihood: ``log |det A|`` of the fixed effects.
    """

    origin: float
    unit: float
    matrix: FloatArray
    rules: tuple[str, ...]
    changes: tuple[str, ...]
    restricted_shift: float

    @property
    def same_model(self) -> bool:
        """Whether the recoded formula says the same model."""
        return not self.changes


def recoded(growth: GrowthModel, origin: float = 0.0, unit: float = 1.0) -> Recoding:
    """Recode the time of a growth model: the same formula, in ``(t - origin) / unit``.

    It is a reparametrisation, ``means' = A means`` and ``factor_cov' = A factor_cov A'``, exactly
    where the functions of time with a mean and those that are random are each closed under it and
    `A` maps the set of factor covariance matrices to itself.

    Parameters
    ----------
    growth : GrowthModel
        With fixed loadings at shared occasions.
    origin, unit : float
        The new origin, and the new unit in old ones.

    Returns
    -------
    Recoding
        The map, its rules and what it changes.

    Raises
    ------
    SpecificationError
        If the unit is zero or a loading is estimated.

    References
    ----------
    Biesanz et al. (2004), doi:10.1037/1082-989X.9.1.30.
    """
    if unit == 0 or not np.isfinite([origin, unit]).all():
        raise SpecificationError(
            f"Time is recoded to (t - {origin:g})/{unit:g}.", hint="Give a unit other than zero."
        )
    if growth.loading_keys:
        raise SpecificationError(
            "The model has estimated loadings, whose scale takes up any change of unit.",
            hint="Recode the fixed loadings instead.",
        )
    times = tuple((t - origin) / unit for t in growth.schema.occasions)
    there = replace(growth.schema, occasions=times)
    names = [factor.name for factor in growth.factors]
    old = np.array([f.loadings for f in growth.factors], dtype=float).T
    new = np.array([tabulate(f.column, there) for f in growth.factors], dtype=float).T
    matrix = np.full((len(names), len(names)), np.nan)
    changes = []
    acted = {effect.factor for effect in growth.predictor_effects}
    fixed = [k for k, f in enumerate(growth.factors) if f.mean or f.name in acted]
    blocks = [[names.index(name) for name in block.factors] for block in growth.blocks]
    random = [k for block in blocks for k in block]
    for what, own in (("fixed", fixed), ("random", random)):
        found = _map(old[:, own], new[:, own])
        if found is None:
            shown = ", ".join(names[k] for k in own)
            changes.append(f"the {what} functions of time ({shown}) are not closed under it")
        else:
            matrix[np.ix_(own, own)] = found
    if not changes:
        changes += _restricted_covariance(matrix, blocks, names)
    shift = 0.0
    if fixed and np.isfinite(matrix[np.ix_(fixed, fixed)]).all():
        shift = float(np.linalg.slogdet(matrix[np.ix_(fixed, fixed)])[1])
    rules = () if changes else _rules(matrix, names, fixed, random)
    return Recoding(origin, unit, matrix, rules, tuple(changes), shift)


def _map(old: FloatArray, new: FloatArray) -> FloatArray | None:
    """The matrix A with ``old = new A``, where the columns span the same."""
    if not old.shape[1]:
        return np.zeros((0, 0))
    scale = np.linalg.norm(new, axis=0)
    found, *_ = np.linalg.lstsq(new / scale, old, rcond=None)
    left = np.abs(new / scale @ found - old).max()
    if left > CLOSED * max(float(np.abs(old).max()), 1.0):
        return None
    made = found / scale[:, None]
    return np.asarray(np.where(np.abs(made) < 1e-10 * np.abs(made).max(), 0.0, made))


def _restricted_covariance(
    matrix: FloatArray, blocks: Sequence[Sequence[int]], names: Sequence[str]
) -> list[str]:
    """Zero covariances that would not stay zero."""
    allowed = np.zeros(matrix.shape, dtype=bool)
    for block in blocks:
        allowed[np.ix_(block, block)] = True
    random = [k for block in blocks for k in block]
    own = matrix[np.ix_(random, random)]
    changes = []
    for block in blocks:
        inside = np.array([k in block for k in random])
        # Any covariance matrix of this block: its image fills what its columns of A reach.
        reached = (np.abs(own[:, inside]) > 0).any(axis=1)
        for a in np.flatnonzero(reached):
            for b in np.flatnonzero(reached):
                if a < b and not allowed[random[a], random[b]]:
                    changes.append(
                        f"the covariance of {names[random[a]]} and {names[random[b]]} is zero and "
                        "would not stay so"
                    )
    return list(dict.fromkeys(changes))


def _rules(
    matrix: FloatArray, names: Sequence[str], fixed: Sequence[int], random: Sequence[int]
) -> tuple[str, ...]:
    """The new parameters in words."""
    rules = []
    for k in fixed:
        pieces = [f"{number(matrix[k, j])}*mean({names[j]})" for j in fixed if matrix[k, j] != 0]
        rules.append(f"mean({names[k]})' = {' + '.join(pieces)}")
    for place, a in enumerate(random):
        for b in random[place:]:
            pieces = [
                f"{number(matrix[a, c] * matrix[b, d])}*cov({names[c]},{names[d]})"
                for c in random
                for d in random
                if matrix[a, c] * matrix[b, d] != 0
            ]
            rules.append(f"cov({names[a]},{names[b]})' = {' + '.join(pieces)}")
    return tuple(rules)
