"""Parameters that a constraint gives outright, put in by substitution.

A constraint ``c2 == c1^2/v`` is solved for ``c2``. The search then goes over the remaining
parameters alone, and holds such constraints exactly at every step (elimination of variables:
Nocedal & Wright 2006, section 15.3, doi:10.1007/978-0-387-40065-5).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from growthmm.engines.optimiser import Objective
from growthmm.engines.wide.constraints import Jet, Relation
from growthmm.errors import SpecificationError

__all__ = ["Substitution", "settled", "substitution"]

FloatArray = NDArray[np.float64]
Relations = Callable[[FloatArray], list[Relation]]


@dataclass(frozen=True)
class Substitution:
    """Which constraints give which coordinates, each after those that it depends on.

    Parameters
    ----------
    constraints : callable
        All constraints at a point.
    steps : tuple of (int, int)
        Pairs (position of the constraint, coordinate that it gives).
    kept : (n_kept,) ndarray of int
        The other coordinates.
    size : int
        Number of coordinates.
    """

    constraints: Relations
    steps: tuple[tuple[int, int], ...]
    kept: NDArray[np.intp]
    size: int

    def point(self, z: FloatArray) -> FloatArray | None:
        """All coordinates from the kept ones; None where an expression has no value."""
        x = np.zeros(self.size)
        x[self.kept] = z
        # A value that does not matter yet must not divide by zero.
        x[[k for _, k in self.steps]] = 1.0
        try:
            for _ in range(self._depth()):
                before = x.copy()
                at = self.constraints(x)
                for i, k in self.steps:
                    x[k] = before[k] - at[i].jet.value / at[i].jet.gradient[k]
        except SpecificationError:
            return None
        return x if bool(np.all(np.isfinite(x))) else None

    def _depth(self) -> int:
        given = {k for _, k in self.steps}
        deep: dict[int, int] = {}
        at = self.constraints(np.ones(self.size))
        for i, k in self.steps:
            solved = at[i].solves
            assert solved is not None
            deep[k] = 1 + max((deep.get(j, 0) for j in solved[1] & given), default=0)
        return max(deep.values(), default=0)

    def derivatives(self, x: FloatArray) -> tuple[FloatArray, FloatArray]:
        """How all coordinates move with the kept ones.

        Returns
        -------
        first : (n, n_kept) ndarray
        second : (n, n_kept, n_kept) ndarray
        """
        n = len(self.kept)
        first, second = np.zeros((self.size, n)), np.zeros((self.size, n, n))
        first[self.kept] = np.eye(n)
        at = self.constraints(x)
        for i, k in self.steps:
            jet = at[i].jet
            slope = -jet.gradient / jet.gradient[k]
            slope[k] = 0.0
            first[k] = slope @ first
            bend = -jet.hessian / jet.gradient[k]
            second[k] = first.T @ bend @ first + np.tensordot(slope, second, axes=1)
        return first, second

    def objective(self, whole: Objective) -> Objective:
        """The objective as a function of the kept coordinates."""
        n = len(self.kept)
        nothing = (-np.inf, np.zeros(n), np.zeros((n, n)))

        def reduced(z: FloatArray) -> tuple[float, FloatArray, FloatArray]:
            x = self.point(z)
            if x is None:
                return nothing
            f, g, h = whole(x)
            if not np.isfinite(f):
                return nothing
            first, second = self.derivatives(x)
            return f, first.T @ g, first.T @ h @ first + np.tensordot(g, second, axes=1)

        return reduced

    def rest(self, z: FloatArray) -> list[Relation]:
        """The constraints that are left, as functions of the kept coordinates."""
        x = self.point(z)
        if x is None:
            raise SpecificationError(
                "The constraints have no value at these parameters.",
                hint="Restate them, or start from other values.",
            )
        first, second = self.derivatives(x)
        used = {i for i, _ in self.steps}
        found = []
        for i, c in enumerate(self.constraints(x)):
            if i in used:
                continue
            bend = np.tensordot(c.jet.gradient, second, axes=1)
            jet = Jet(
                c.jet.value,
                first.T @ c.jet.gradient,
                first.T @ c.jet.hessian @ first + bend,
            )
            found.append(replace(c, jet=jet, solves=None))
        return found


def substitution(constraints: Relations, start: FloatArray) -> Substitution | None:
    """The substitution that the constraints allow, None where there is none.

    Equalities that are all linear have a null space, which serves as well and shows contradictions.

    Parameters
    ----------
    constraints : callable
        Constraints at a point. One that is solved for a coordinate says so (``Relation.solves``).
    start : (n,) ndarray
        Where a coordinate is checked to stand in its constraint alone and linearly.
    """
    # Nothing is zero here, as a covariance at the start may be.
    generic = np.where(np.abs(start) > 1e-8, start, 0.1 * float(np.abs(start).max(initial=1.0)))
    try:
        at = constraints(generic)
        beside = constraints(generic * 1.1 + 0.01)
    except SpecificationError:
        return None
    if all(_straight(c, d) for c, d in zip(at, beside, strict=True) if c.equality):
        return None
    wanted: dict[int, tuple[int, frozenset[int]]] = {}
    for i, c in enumerate(at):
        if not c.equality or c.solves is None or c.solves[0] in wanted:
            continue
        k, needs = c.solves
        if abs(abs(c.jet.gradient[k]) - 1.0) < 1e-12 and not np.any(c.jet.hessian[k]):
            wanted[k] = i, needs
    steps: list[tuple[int, int]] = []
    done: set[int] = set()
    while True:
        ready = [
            k
            for k, (_, needs) in wanted.items()
            if k not in done and not needs & (set(wanted) - done)
        ]
        if not ready:
            break
        steps += [(wanted[k][0], k) for k in ready]
        done |= set(ready)
    if not steps:
        return None
    kept = np.setdiff1d(np.arange(len(start)), np.array(sorted(done))).astype(np.intp)
    return Substitution(constraints, tuple(steps), kept, len(start))


def _straight(here: Relation, there: Relation) -> bool:
    return not np.any(here.jet.hessian) and np.allclose(
        here.jet.gradient, there.jet.gradient, rtol=1e-12, atol=1e-14
    )


def settled(constraints: Relations, point: FloatArray) -> FloatArray | None:
    """The point with the parameters that constraints give outright put in.

    Parameters
    ----------
    constraints : callable
        Constraints at a point.
    point : (n,) ndarray
        Any values.

    Returns
    -------
    (n,) ndarray or None
        None where an expression has no value there.
    """
    given = substitution(constraints, point)
    if given is not None:
        return given.point(point[given.kept])
    try:
        constraints(point)
    except SpecificationError:
        return None
    return point
