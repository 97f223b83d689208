"""One sweep over rows for two random effects of individual designs.

Where every column of the fixed effects' design is a column of Z times something that is constant
within persons, ``Z'Z``, ``Z'y`` and those constants are all that the likelihood needs of the rows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from growthmm.engines.long.problem import LongProblem, refuse_infinite
from growthmm.engines.long.rows import Rows, distinct, ordered
from growthmm.engines.long.scaling import Scaling, orthogonaliser
from growthmm.engines.long.tables import Bases, bases_of
from growthmm.engines.long.two_effects import TwoEffects

__all__ = ["collect_two_effects"]

FloatArray = NDArray[np.float64]

CHUNK_ROWS = 49_152
MOST_WEIGHTS = 6
"""Person-level factors beyond which column by column is no more work."""

FEWEST_SPARE = 0.05
"""Share of rows beyond two a person below which the scale is lost to rounding."""

PROBED = 24


@dataclass(frozen=True)
class _Plan:
    """How columns are made.

    Parameters
    ----------
    bases : Bases
        What they are products of.
    weights : tuple of tuple of int
        Bases of each person-level factor; the first has none.
    owner, column : tuple of int
        For each fixed effect its factor, and its column of Z.
    """

    bases: Bases
    weights: tuple[tuple[int, ...], ...]
    owner: tuple[int, ...]
    column: tuple[int, ...]

    @property
    def person_level(self) -> tuple[int, ...]:
        """Bases that must be constant within persons."""
        return tuple(dict.fromkeys(base for weight in self.weights for base in weight))


def collect_two_effects(problem: LongProblem, scaling: Scaling) -> TwoEffects | None:
    """The statistics; None where the designs are not of this kind, or persons share them."""
    if problem.random.shape[1] != 2 or not bool(np.all(np.diag(scaling.random) != 0)):
        return None
    plan = _plan(bases_of(problem))
    if plan is None:
        return None
    spare = len(problem.outcome) - 2 * problem.n_subjects
    if spare < FEWEST_SPARE * len(problem.outcome):
        return None
    rows = ordered(problem)
    if not _worth_while(plan, rows):
        return None
    return _Sweep(problem, scaling, plan, rows).run()


def _plan(bases: Bases) -> _Plan | None:
    weights: list[tuple[int, ...]] = [()]
    owner, column = [], []
    columns = sorted(range(2), key=lambda j: -len(bases.random[j]))
    for factors in bases.fixed:
        for j in columns:
            rest = Counter(factors)
            rest.subtract(bases.random[j])
            if min(rest.values(), default=0) >= 0:
                break
        else:
            return None
        weight = tuple(sorted(rest.elements()))
        if weight not in weights:
            weights.append(weight)
        owner.append(weights.index(weight))
        column.append(j)
    if len(weights) > MOST_WEIGHTS:
        return None
    return _Plan(bases, tuple(weights), tuple(owner), tuple(column))


def _worth_while(plan: _Plan, rows: Rows) -> bool:
    """Whether some persons' factors are constant and their designs differ."""
    n = len(rows.present)
    seen: set[tuple[float, ...]] = set()
    probe = np.unique(np.linspace(0, n - 1, min(n, PROBED)).astype(np.intp))
    own = plan.bases.in_random
    for person in probe:
        part = slice(int(rows.starts[person]), int(rows.starts[person + 1]))
        select = part if rows.order is None else rows.order[part]
        for base in plan.person_level:
            values = plan.bases.values[base][select]
            if not bool((values == values[0]).all()):
                return False
        seen.add(tuple(float(v) for base in own for v in plan.bases.values[base][select]))
    return 2 * len(seen) > len(probe)


class _Sweep:
    """The pass over rows."""

    def __init__(self, problem: LongProblem, scaling: Scaling, plan: _Plan, rows: Rows) -> None:
        self.problem, self.scaling, self.plan, self.rows = problem, scaling, plan, rows
        n = len(rows.present)
        self.phi = np.empty((12, n))
        self.weights = np.ones((len(plan.weights), n))
        self.total = 0.0
        back = np.linalg.inv(scaling.random)
        shape = (len(plan.weights), 2)
        self.offset = np.zeros(shape)
        self.coefficients = np.zeros((*shape, len(plan.owner)))
        for k, (v, j) in enumerate(zip(plan.owner, plan.column, strict=True)):
            self.offset[v] += back[:, j] * scaling.offset[k]
            self.coefficients[v] += np.outer(back[:, j], scaling.fixed[k])

    def run(self) -> TwoEffects | None:
        """The statistics; None where they are not of this kind after all."""
        # Values that are not finite show in the sums.
        with np.errstate(invalid="ignore", over="ignore"):
            for low, high in self._chunks():
                if not self._add(low, high):
                    return None
        if not (np.isfinite(self.total) and np.isfinite(self.phi.sum(axis=1)).all()):
            refuse_infinite(self.problem)
        n = self.phi.shape[1]
        if len(distinct(self.phi[:3])[0]) < 0.5 * n:
            return None
        transform, _ = orthogonaliser(self.weights.T)
        if transform is None:
            return None
        weights = transform.T @ self.weights
        weights[0] = 1.0
        coefficients = np.tensordot(np.linalg.inv(transform), self.coefficients, axes=1)
        left, right = np.tril_indices(len(weights))
        return TwoEffects(
            self.phi,
            weights,
            weights[left] * weights[right],
            coefficients,
            self.total - float(self.phi[8].sum()),
            len(self.problem.outcome),
            n,
        )

    def _chunks(self) -> Iterator[tuple[int, int]]:
        starts = self.rows.starts
        edges = np.searchsorted(starts[:-1], np.arange(0, int(starts[-1]), CHUNK_ROWS))
        cuts = np.unique(np.append(edges, len(starts) - 1))
        return zip(cuts[:-1].tolist(), cuts[1:].tolist(), strict=True)

    def _add(self, low: int, high: int) -> bool:
        """Take the rows of some persons; False where a factor changes within one."""
        rows, plan = self.rows, self.plan
        first, last = int(rows.starts[low]), int(rows.starts[high])
        select: Any = slice(first, last)
        if rows.order is not None:
            select = rows.order[first:last]
        values = {b: v[select] for b, v in enumerate(plan.bases.values)}
        at = rows.starts[low:high] - first
        for base in plan.person_level:
            change = np.flatnonzero(values[base][1:] != values[base][:-1]) + 1
            place = np.minimum(np.searchsorted(at, change), len(at) - 1)
            if not bool((at[place] == change).all()):
                return False
        one, two = self._design(values, last - first)
        y = self.problem.outcome[select].astype(float)
        for v, factors in enumerate(plan.weights):
            shift = two * self.offset[v, 1]
            shift += one * self.offset[v, 0]
            for base in factors:
                shift *= values[base]
                self.weights[v, low:high] *= values[base][at]
            y -= shift
        y *= 1.0 / self.scaling.unit
        self.total += float(y @ y)
        sums = np.empty((5, high - low))
        products = (one * one, one * two, two * two, one * y, two * y)
        for row, product in zip(sums, products, strict=True):
            row[...] = self._by_person(product, at)
        _fill(sums[:3], sums[3:], self.phi[:, low:high])
        return True

    def _by_person(self, values: FloatArray, at: NDArray[np.intp]) -> FloatArray:
        """Sums over each person's rows."""
        size = self.rows.size
        if size:
            return values.reshape(-1, size) @ np.ones(size)
        return np.asarray(np.add.reduceat(values, at))

    def _design(self, values: dict[int, NDArray[Any]], n: int) -> tuple[FloatArray, FloatArray]:
        """The two columns in internal units, element by element."""
        raw = []
        for factors in self.plan.bases.random:
            column = values[factors[0]].astype(float) if factors else np.ones(n)
            for base in factors[1:]:
                column *= values[base]
            raw.append(column)
        made = []
        for target in range(2):
            own = self.scaling.random[:, target]
            out = raw[0] * own[0] if own[0] != 0.0 else np.zeros(n)
            if own[1] != 0.0:
                out += own[1] * raw[1]
            made.append(out)
        return made[0], made[1]


def _fill(squares: FloatArray, vectors: FloatArray, phi: FloatArray) -> None:
    """What is kept of each person, from ``Z'Z`` and ``Z'y``; zero along columns of no length."""
    first, cross, second = squares
    long = first > 0
    b00 = np.sqrt(first)
    inverse = np.divide(1.0, b00, out=np.zeros_like(b00), where=long)
    b10 = cross * inverse
    left = second - b10 * b10
    solid = left > 1e-13 * second
    b11 = np.sqrt(np.where(solid, left, 0.0))
    d0 = vectors[0] * inverse
    d1 = np.divide(vectors[1] - b10 * d0, b11, out=np.zeros_like(b11), where=solid)
    root = b00 * b11
    k0, k1 = b11 * d0 - b10 * d1, b00 * d1
    phi[:3], phi[4:6] = squares, vectors
    np.multiply(root, root, out=phi[3])
    np.multiply(root, k0, out=phi[6])
    np.multiply(root, k1, out=phi[7])
    np.add(d0 * d0, d1 * d1, out=phi[8])
    np.multiply(k0, k0, out=phi[9])
    np.multiply(k0, k1, out=phi[10])
    np.multiply(k1, k1, out=phi[11])
