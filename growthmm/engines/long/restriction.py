"""Covariance parameters that are fixed or shared: affine functions of the free ones."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from growthmm.engines.long.problem import LongProblem
from growthmm.engines.long.residual_structures.base import Structure
from growthmm.engines.outcome import ParameterKind
from growthmm.errors import SpecificationError

__all__ = ["Restriction", "restriction_of"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Restriction:
    """Entries of `G` and residual parameters as ``constant + matrix @ free``, in user's units.

    Parameters
    ----------
    names : tuple of str
        The free parameters.
    kinds : tuple of str
        What each is, by the first place where it stands.
    constant : (n_covariance,) ndarray
        Values of those that are fixed, zero elsewhere.
    matrix : (n_covariance, n_free) ndarray
        Which free parameter each of the others is.
    singular : bool
        Whether a residual variance is held at zero.
    """

    names: tuple[str, ...]
    kinds: tuple[ParameterKind, ...]
    constant: FloatArray
    matrix: FloatArray
    singular: bool

    def expand(self, values: FloatArray, n_fixed: int) -> FloatArray:
        """All parameters, from fixed effects and free covariance parameters."""
        values = np.asarray(values, dtype=float)
        own = self.constant + self.matrix @ values[n_fixed:]
        return np.concatenate([values[:n_fixed], own])

    def jacobian(self, n_fixed: int) -> FloatArray:
        """Derivatives of `expand`."""
        n, k = self.matrix.shape
        out = np.zeros((n_fixed + n, n_fixed + k))
        out[:n_fixed, :n_fixed] = np.eye(n_fixed)
        out[n_fixed:, n_fixed:] = self.matrix
        return out


def restriction_of(problem: LongProblem, structure: Structure) -> Restriction | None:
    """The restriction of `problem`, None where it has none.

    Raises
    ------
    SpecificationError
        If a parameter is held that the model has not, or at no finite value.
    """
    if not problem.restricted:
        return None
    held = dict(problem.fixed_parameters)
    _check_held(problem, structure, held)
    cells: list[str | float] = list(problem.block_cells)
    cells.extend(held.get(name, name) for name in structure.names)
    kinds: list[ParameterKind] = [
        "variance" if a == b else "covariance" for a, b in problem.block_entries
    ]
    kinds.extend(["residual"] * len(structure.names))
    found: dict[str, ParameterKind] = {}
    for cell, kind in zip(cells, kinds, strict=True):
        if isinstance(cell, str):
            found.setdefault(cell, kind)
    names = tuple(found)
    matrix = np.array([[float(cell == name) for name in names] for cell in cells])
    return Restriction(
        names,
        tuple(found.values()),
        np.array([0.0 if isinstance(cell, str) else float(cell) for cell in cells]),
        matrix.reshape(len(cells), len(names)),
        any(held.get(name) == 0.0 for name in structure.names if name.startswith("var(")),
    )


def _check_held(problem: LongProblem, structure: Structure, held: dict[str, float]) -> None:
    if len(held) < len(problem.fixed_parameters):
        raise SpecificationError(
            f"A parameter is fixed twice: {[name for name, _ in problem.fixed_parameters]}.",
            hint="Give each parameter one value.",
        )
    free = replace(problem, fixed_parameters=())
    known = (*dict.fromkeys(free.covariance_names), *structure.names)
    for name, value in held.items():
        if name in problem.fixed_names and name not in known:
            raise SpecificationError(
                f"{name} is a fixed effect; only (co)variances and residual parameters can be "
                "fixed here.",
                hint="Subtract its part from the outcome and drop the term.",
            )
        if name not in known:
            raise SpecificationError(
                f"The model has no parameter {name!r} to fix.", hint=f"It has: {', '.join(known)}."
            )
        if not np.isfinite(value):
            raise SpecificationError(
                f"{name} is fixed at {value}.", hint="Fix it at a finite number."
            )
        if value < 0 and name.startswith("var(Residual"):
            raise SpecificationError(
                f"{name} is fixed at {value:g}.", hint="A residual variance is zero or positive."
            )
