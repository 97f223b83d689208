"""Coefficients of several groups that linear constraints tie: a sum of zero, say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from growthmm.model.sem import Constraint, SemModel
from growthmm.translation.ties import constraints_among, linear_ties

__all__ = ["TiedGroups", "tied_groups"]


@dataclass(frozen=True, slots=True)
class TiedGroups:
    """What constraints leave of a coefficient's values in the groups.

    Parameters
    ----------
    columns : tuple of (str, tuple of float)
        The parameters that are free, and how much of each the coefficient is in every group.
    constraints : tuple of Constraint
        What these meet whatever their values.
    """

    columns: tuple[tuple[str, tuple[float, ...]], ...]
    constraints: tuple[Constraint, ...]


def tied_groups(names: Mapping[int, str | None], model: SemModel) -> TiedGroups | None:
    """A coefficient whose parameters in the groups meet linear constraints.

    Parameters
    ----------
    names : mapping of int to str or None
        The parameter in each group, None where the coefficient is zero.
    model : SemModel
        Of all groups, with its constraints.

    Returns
    -------
    TiedGroups or None
        None where nothing ties them, or what does is not linear.
    """
    own = list(dict.fromkeys(name for name in names.values() if name is not None))
    tying = constraints_among(model, own)
    ties = linear_ties(model, tying, own) if tying else None
    if ties is None:
        return None
    free, weights = _solved(ties)
    columns = tuple(
        (
            own[at],
            tuple(0.0 if n is None else float(weights[own.index(n), k]) for n in names.values()),
        )
        for k, at in enumerate(free)
    )
    return TiedGroups(columns, tying)


def _solved(matrix: NDArray[np.float64]) -> tuple[list[int], NDArray[np.float64]]:
    """The first unknowns that are free where ``matrix @ x = 0``, and all as sums of them."""
    n = matrix.shape[1]
    bound: list[int] = []
    for at in reversed(range(n)):
        if np.linalg.matrix_rank(matrix[:, [*bound, at]]) > len(bound):
            bound.append(at)
    free = [at for at in range(n) if at not in bound]
    weights = np.zeros((n, len(free)))
    weights[free, range(len(free))] = 1.0
    weights[bound] = np.linalg.lstsq(matrix[:, bound], -matrix[:, free], rcond=None)[0]
    return free, weights
