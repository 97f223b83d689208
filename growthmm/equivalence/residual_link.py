"""Residual parameters of one side from the other's, where both have the whole matrix."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from growthmm.equivalence.moment_functions import MixedMoments, SemMoments
from growthmm.errors import SpecificationError
from growthmm.model.growth import residual_classes
from growthmm.model.residual_parameters import ResidualParameter
from growthmm.model.strata import residual_terms
from growthmm.moments.residual_matrices import residual_matrix, residual_values
from growthmm.translation.pair import Pair

__all__ = ["ResidualLink", "residual_links"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class ResidualLink:
    """Where either side holds the residual covariance matrix over shared occasions.

    Parameters
    ----------
    kind : str
        The structure.
    bands : int
        Its bands, where it is banded.
    occasions : tuple of float
        The times.
    mixed : tuple of int
        Positions of the structure's parameters on the mixed side.
    sem : tuple of (int, int, int)
        Row, column and position of the SEM's residual parameters.
    """

    kind: str
    bands: int
    occasions: tuple[float, ...]
    mixed: tuple[int, ...]
    sem: tuple[tuple[int, int, int], ...]

    def put_in_sem(self, values: FloatArray, made: FloatArray) -> None:
        """Write the matrix at mixed `values` into the SEM's `made`."""
        try:
            found = residual_matrix(
                self.kind, values[list(self.mixed)], self.occasions, bands=self.bands
            )
        except SpecificationError:
            return
        for j, k, at in self.sem:
            made[at] = found.matrix[j, k]

    def put_in_mixed(self, values: FloatArray, made: FloatArray) -> None:
        """Write the parameters that give the SEM's matrix at `values` into `made`."""
        matrix = np.zeros((len(self.occasions),) * 2)
        for j, k, at in self.sem:
            matrix[j, k] = matrix[k, j] = values[at]
        found = residual_values(self.kind, matrix, self.occasions, bands=self.bands)
        if found is not None:
            made[list(self.mixed)] = found


def residual_links(pair: Pair, mixed: MixedMoments, sem: SemMoments) -> tuple[ResidualLink, ...]:
    """The links of a pair whose residual parameters are not all the same numbers on both sides.

    One for each set of groups with a structure of its own.
    """
    growth = pair.growth
    structure, same = growth.residual, {key for key, _ in pair.sem.names}
    within = structure.within or structure
    if growth.residual_by_group and structure.within is None:
        return ()
    found: list[tuple[int | None, tuple[ResidualParameter, ...]]] = [
        (groups[0], own) for groups, own in residual_classes(growth)
    ] or [(None, residual_terms(structure, growth.schema))]
    made = []
    for level, own in found:
        if all(p.key in same for p in own) or any(p.name not in mixed.names for p in own):
            continue
        made.append(
            ResidualLink(
                within.kind,
                within.bands or 0,
                growth.schema.numbers,
                tuple(mixed.names.index(p.name) for p in own),
                _cells(pair, sem, level),
            )
        )
    return tuple(made)


def _cells(pair: Pair, sem: SemMoments, level: int | None) -> tuple[tuple[int, int, int], ...]:
    """Where the SEM's residual parameters stand, of all groups or of one."""
    schema, model = pair.growth.schema, pair.sem.model
    group = None
    if level is not None and schema.grouping is not None:
        levels = list(schema.grouping.order or schema.grouping.levels)
        group = levels.index(schema.grouping.levels[level])
    place = {y: j for j, y in enumerate(schema.outcome_columns)}
    return tuple(
        (place[p.left], place[p.right], sem.names.index(p.parameter))
        for p in model.paths
        if p.op == "~~" and p.free and p.left in place and p.right in place
        if group in (None, p.group)
    )
