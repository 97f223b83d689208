"""Random effects of a curved problem that are independent and share variances.

The states of a second-order growth model are such effects, one for each time of a person. The
likelihood is worked out with a variance for each effect, and its derivatives are gathered.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from growthmm.engines.kept import kept
from growthmm.engines.long.curved.surface import CurvedSurface
from growthmm.engines.long.parametrisation import Block
from growthmm.engines.long.problem import LongProblem, RandomEffects
from growthmm.engines.long.residual_structures import structure_of
from growthmm.errors import UnsupportedEngineError

__all__ = ["Ties", "check_ties", "ties_of"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Ties:
    """A problem with a variance for each effect, and which of them are one parameter.

    Parameters
    ----------
    plain : LongProblem
        Without shared variances.
    matrix : (n_plain, n_parameters) ndarray
        Which parameter of the problem each of `plain`'s is, ones and zeros.
    """

    plain: LongProblem
    matrix: FloatArray

    def expand(self, values: FloatArray) -> FloatArray:
        """The plain problem's parameters."""
        return np.asarray(self.matrix @ values)

    def gather(self, values: FloatArray) -> FloatArray:
        """Parameters from plain ones; of variances that are to be shared, the mean."""
        return np.asarray(self.matrix.T @ values / self.matrix.sum(axis=0))

    def surface(self, plain: CurvedSurface) -> CurvedSurface:
        """Derivatives by the shared parameters."""
        E = self.matrix
        return CurvedSurface(
            plain.value, E.T @ plain.gradient, E.T @ plain.hessian @ E, E.T @ plain.expected @ E
        )

    def blocks(self, blocks: tuple[Block, ...]) -> tuple[Block, ...]:
        """Positive semi-definite matrices among the parameters, shared ones once."""
        made: dict[tuple[int, ...], Block] = {}
        for block in blocks:
            places = tuple(int(np.argmax(self.matrix[place])) for place in block.places)
            made.setdefault(places, replace(block, places=places))
        return tuple(made.values())


@kept
def ties_of(problem: LongProblem) -> Ties | None:
    """The ties of a problem with loadings, None where no variances are shared."""
    check_ties(problem)
    if not problem.restricted:
        return None
    assert problem.loadings is not None
    plain = replace(problem, blocks=tuple(_untied(block) for block in problem.blocks))
    cells = dict(zip(problem.block_entries, problem.block_cells, strict=True))
    own = [str(cells[entry]) for entry in plain.block_entries]
    before = problem.fixed.shape[1] + len(problem.loadings.names)
    after = len(structure_of(problem).names)
    names = list(dict.fromkeys(own))
    matrix = np.zeros((before + len(own) + after, before + len(names) + after))
    matrix[:before, :before] = np.eye(before)
    for k, name in enumerate(own):
        matrix[before + k, before + names.index(name)] = 1.0
    matrix[before + len(own) :, before + len(names) :] = np.eye(after)
    return Ties(plain, matrix)


def check_ties(problem: LongProblem) -> None:
    """Refuse covariance parameters that are held, or shared among correlated effects.

    Raises
    ------
    UnsupportedEngineError
        If there are any.
    """
    tied = [block for block in problem.blocks if block.pattern is not None]
    if problem.fixed_parameters or not all(_is_diagonal(block) for block in tied):
        raise UnsupportedEngineError(
            "A model with parameters in its loadings takes no fixed or shared covariance "
            "parameters, but for the variances of independent effects.",
            hint="Fit the latent growth curve with the wide engine.",
        )


def _is_diagonal(block: RandomEffects) -> bool:
    assert block.pattern is not None
    return all(
        isinstance(cell, str) if a == b else cell == 0.0
        for a, row in enumerate(block.pattern)
        for b, cell in enumerate(row)
    )


def _untied(block: RandomEffects) -> RandomEffects:
    return block if block.pattern is None else replace(block, pattern=None, diagonal=True)
