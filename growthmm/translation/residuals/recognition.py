"""Which residual structure the (co)variances of outcomes are, by what their constraints imply.

A structure is recognised where its matrices satisfy every equality, fixed value and constraint of
the table, and there are as many of them: the structure's dimension is that of the set that the
table leaves, the number of parameters less the rank of the constraints' Jacobian. Names of labels
and the way in which constraints are written play no part.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from growthmm.model.residual import BY_LEVEL, ResidualStructure
from growthmm.model.residual_parameters import ResidualParameter, residual_parameters
from growthmm.model.sem import Constraint, SemModel
from growthmm.moments.residual_matrices import residual_matrix, residual_values
from growthmm.translation.residuals.arithmetic import parameter_texts
from growthmm.translation.ties import constraint_gap, constraints_among

__all__ = ["Recognised", "recognised_residual", "same_residual"]

FloatArray = NDArray[np.float64]
Cell = tuple[int, int]
Cells = Mapping[Cell, str | float]

TOLERANCE = 1e-9


@dataclass(frozen=True, slots=True)
class Recognised:
    """A residual structure and where a table holds its parameters.

    Parameters
    ----------
    structure : ResidualStructure
        The structure.
    names : tuple of (str, str)
        Growth parameter keys and the table's parameters that are the same number.
    expressions : tuple of (str, str)
        For the other keys, arithmetic over the table's parameters.
    """

    structure: ResidualStructure
    names: tuple[tuple[str, str], ...]
    expressions: tuple[tuple[str, str], ...]


def recognised_residual(
    model: SemModel, cells: Cells, occasions: tuple[float, ...]
) -> Recognised | None:
    """The structure of a residual covariance matrix, None where it has none of those known.

    Parameters
    ----------
    model : SemModel
        The table, for its constraints.
    cells : mapping of (int, int) to str or float
        For each cell (j, k), j <= k, over the occasions, the parameter or the fixed value; cells
        left out are zero.
    occasions : tuple of float
        The times.
    """
    parameters = tuple(dict.fromkeys(c for c in cells.values() if isinstance(c, str)))
    table = (model, cells, constraints_among(model, parameters))
    for structure in _candidates(cells, len(occasions)):
        own = residual_parameters(structure, occasions)
        if len(own) > len(parameters):
            continue
        if all(_holds(table, structure, occasions, seed) for seed in (1, 2)):
            name = _names(cells)
            expressions = parameter_texts(structure, occasions, name)
            computed = {key for key, _ in expressions}
            same = tuple(
                (p.key, name(p.cells[0])) for p in own if p.cells and p.key not in computed
            )
            return Recognised(structure, same, expressions)
    return None


def same_residual(
    first: ResidualStructure, second: ResidualStructure, occasions: tuple[float, ...]
) -> bool:
    """Whether two structures are the same set of matrices over these occasions.

    Over two occasions one variance and one covariance are compound symmetry, Toeplitz and AR(1)
    alike; over three equally spaced ones Toeplitz is AR(1) plus common.

    Examples
    --------
    >>> ar1, cs = ResidualStructure("ar1"), ResidualStructure("cs")
    >>> same_residual(ar1, cs, (0.0, 1.0)), same_residual(ar1, cs, (0.0, 1.0, 2.0))
    (True, False)
    """
    if first == second or {first.kind, second.kind} & set(BY_LEVEL):
        return first == second
    ranks = []
    for one, other in ((first, second), (second, first)):
        own = residual_parameters(one, occasions)
        for seed in (1, 2):
            made = residual_matrix(one.kind, _random(own, seed), occasions, bands=one.bands or 0)
            # The second way round is not asked whether it is covered: only its rank counts.
            if one is first and (
                residual_values(other.kind, made.matrix, occasions, bands=other.bands or 0) is None
            ):
                return False
        rows = made.derivatives.reshape(len(own), -1)
        ranks.append(int(np.linalg.matrix_rank(rows, tol=TOLERANCE * np.abs(rows).max())))
    return ranks[0] == ranks[1]


def _candidates(cells: Cells, size: int) -> list[ResidualStructure]:
    """Structures to try; where several are the same set the first counts."""
    off = [k - j for (j, k), cell in cells.items() if j < k and cell != 0.0]
    if not off:
        kinds = ["by_occasion"] if size == 1 else ["common", "by_occasion"]
        return [ResidualStructure(kind) for kind in kinds]  # type: ignore[arg-type]
    made = [ResidualStructure("unstructured")]
    if max(off) < size - 1:
        made.append(ResidualStructure("banded", bands=max(off)))
    kinds = ["cs", "ar1", "toeplitz", "csh", "arh1", "ar1+common"]
    return [*made, *(ResidualStructure(kind) for kind in kinds)]  # type: ignore[arg-type]


def _random(parameters: tuple[ResidualParameter, ...], seed: int) -> FloatArray:
    """Values at no special point; correlations positive, so that all powers of them are real."""
    rng = np.random.default_rng(seed)
    ranges = {"variance": (1.0, 2.0), "covariance": (0.1, 0.4), "correlation": (0.4, 0.8)}
    return np.array([rng.uniform(*ranges[p.kind]) for p in parameters])


def _holds(
    table: tuple[SemModel, Cells, tuple[Constraint, ...]],
    structure: ResidualStructure,
    occasions: tuple[float, ...],
    seed: int,
) -> bool:
    """Whether the structure is the set that the table leaves, near a random matrix of it."""
    model, cells, constraints = table
    own = residual_parameters(structure, occasions)
    matrix = residual_matrix(
        structure.kind, _random(own, seed), occasions, bands=structure.bands or 0
    ).matrix
    values: dict[str, float] = {}
    for j, k in [(j, j) for j in range(len(occasions))] + list(
        combinations(range(len(occasions)), 2)
    ):
        cell, here = cells.get((j, k), 0.0), float(matrix[j, k])
        wanted = values.setdefault(cell, here) if isinstance(cell, str) else cell
        if abs(wanted - here) > TOLERANCE:
            return False
    if not constraints:
        return len(own) == len(values)
    rows = []
    for constraint in constraints:
        gap, slope = constraint_gap(model, constraint, values)
        if gap is None or abs(gap) > TOLERANCE:
            return False
        rows.append(slope)
    jacobian = np.array(rows)
    length = np.linalg.norm(jacobian, axis=1, keepdims=True)
    rank = int(np.linalg.matrix_rank(jacobian / np.where(length > 0, length, 1.0), tol=TOLERANCE))
    return len(values) - rank == len(own)


def _names(cells: Cells) -> Callable[[Cell], str]:
    def name(cell: Cell) -> str:
        found = cells[cell]
        return found if isinstance(found, str) else f"{found:g}"

    return name
