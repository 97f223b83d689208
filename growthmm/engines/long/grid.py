"""Sufficient statistics from tables of persons by kinds of rows.

What a person contributes is a short vector: products of person-level covariates, and the
outcomes (and other covariates that vary) at the occasions. ``[X, y]`` is linear in it, so that
persons who have the same kinds of rows need only the sum of the vectors' outer products, whatever
the number of persons; everything else is made from its square root, a few pseudo-persons.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from growthmm.engines.long.patterns import Batch, Patterns
from growthmm.engines.long.person_vectors import PersonVectors, person_vectors, products_of
from growthmm.engines.long.persons_by_pattern import PersonsByPattern, persons_by_pattern
from growthmm.engines.long.problem import LongProblem, refuse_infinite
from growthmm.engines.long.products import Products, semi_cholesky, solve_lower
from growthmm.engines.long.residual_structures.base import Pattern, Structure
from growthmm.engines.long.scaling import Scaling
from growthmm.engines.long.tables import bases_of, tables_of

__all__ = ["Grid", "Group", "collect_grid"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.intp]

CHUNK_PERSONS = 4_096


@dataclass(frozen=True)
class Group:
    """Patterns with the same number of rows and of pseudo-persons.

    Parameters
    ----------
    kinds : (n_patterns, n_times) ndarray of int
        Kinds of rows that the persons have.
    stratum : (n_patterns,) ndarray of int
        Level of the residual structure's grouping column.
    counts : (n_patterns,) ndarray
        Persons.
    data : (n_patterns, n_vectors, n_times, n_fixed + 1) ndarray
        ``[X, y]`` of pseudo-persons, in internal units.
    """

    kinds: IntArray
    stratum: IntArray
    counts: FloatArray
    data: FloatArray


@dataclass(frozen=True)
class Grid:
    """All groups.

    Parameters
    ----------
    design : (n_kinds, n_random) ndarray
        Random-effects design of each kind of row, in internal units.
    occasion : (n_kinds,) ndarray of int
        Index of its time.
    groups : tuple of Group
        The persons.
    n_rows, n_subjects : int
        Rows and persons that have any.
    """

    design: FloatArray
    occasion: IntArray
    groups: tuple[Group, ...]
    n_rows: int
    n_subjects: int

    def products(self) -> Products:
        """Statistics for independent residuals with one variance."""
        factors, counts, data, designs = [], [], [], []
        c = self.groups[0].data.shape[3]
        total = np.zeros((c, c))
        place = 0
        for group in self.groups:
            g, held = group.data.shape[:2]
            design = self.design[group.kinds]
            factor = semi_cholesky(np.einsum("gsa,gsb->abg", design, design))
            basis = solve_lower(factor, np.ascontiguousarray(design.transpose(1, 2, 0)))
            turned = np.einsum("sqg,ghsc->cqgh", basis, group.data, optimize=True)
            flat = group.data.reshape(-1, c)
            total += flat.T @ flat
            factors.append(factor)
            counts.append(group.counts)
            data.append(turned.reshape(c, design.shape[2], g * held))
            designs.append(np.repeat(np.arange(place, place + g), held))
            place += g
        whole = np.ascontiguousarray(np.concatenate(data, axis=2))
        flat = whole.reshape(c, -1)
        return Products(
            np.concatenate(factors, axis=2),
            np.concatenate(counts),
            whole,
            np.concatenate(designs),
            total - flat @ flat.T,
            total,
            self.n_rows,
            self.n_subjects,
        )

    def patterns(self) -> Patterns:
        """Statistics for any residual structure."""
        batches = []
        for group in self.groups:
            stratum = np.broadcast_to(group.stratum[:, None], group.kinds.shape)
            batches.append(
                Batch(
                    self.design[group.kinds],
                    np.ascontiguousarray(group.data.transpose(0, 2, 1, 3)),
                    group.counts,
                    Pattern(self.occasion[group.kinds], stratum),
                )
            )
        return Patterns(tuple(batches), self.n_rows, self.n_subjects)


def collect_grid(problem: LongProblem, scaling: Scaling, structure: Structure) -> Grid | None:
    """Take the statistics in one sweep over persons.

    Returns
    -------
    Grid or None
        None where rows are of too many kinds, or persons of too many patterns, for this to pay.

    Raises
    ------
    DataError
        If values are not finite.
    """
    bases = bases_of(problem)
    tables = tables_of(problem, bases, structure)
    if tables is None:
        return None
    vectors = person_vectors(bases, tables, scaling)
    if vectors is None:
        return None
    members = persons_by_pattern(tables)
    if members is None:
        return None
    with np.errstate(invalid="ignore", over="ignore"):
        groups = tuple(_groups(vectors, members))
    if not all(np.isfinite(group.data).all() for group in groups):
        refuse_infinite(problem)
    raw = products_of(tables.kind, bases.random, len(tables.occasion))
    design = np.zeros(raw.shape)
    for column in range(raw.shape[1]):
        for source in range(raw.shape[1]):
            design[:, column] += scaling.random[source, column] * raw[:, source]
    n_subjects = int(sum(group.counts.sum() for group in groups))
    return Grid(design, tables.occasion, groups, tables.n_rows, n_subjects)


def _groups(vectors: PersonVectors, members: PersonsByPattern) -> Iterator[Group]:
    counts = np.diff(members.edges)
    sizes = members.present.sum(axis=1)
    widths = np.array([vectors.width(int(size)) for size in sizes])
    large = (counts > widths) & (sizes > 0)
    grams = _grams(vectors, members, np.flatnonzero(large))
    place = np.cumsum(large) - 1
    for size in np.unique(sizes[sizes > 0]):
        chosen = np.flatnonzero((sizes == size) & large)
        if len(chosen):
            at = vectors.entries(members.present[chosen])
            own = grams[place[chosen][:, None, None], at[:, :, None], at[:, None, :]]
            yield _group(vectors, members, chosen, _roots(own))
        few = np.flatnonzero((sizes == size) & ~large & (counts > 0))
        held = 2 ** np.ceil(np.log2(np.maximum(counts[few], 1))).astype(np.intp)
        for most in np.unique(held):
            chosen = few[held == most]
            yield _group(vectors, members, chosen, _listed(vectors, members, chosen))


def _group(
    vectors: PersonVectors, members: PersonsByPattern, chosen: IntArray, held: FloatArray
) -> Group:
    size = int(members.present[chosen[0]].sum())
    kinds = np.nonzero(members.present[chosen])[1].reshape(len(chosen), size)
    counts = np.diff(members.edges)[chosen].astype(float)
    return Group(kinds, members.stratum[chosen], counts, vectors.expand(held, kinds))


def _grams(vectors: PersonVectors, members: PersonsByPattern, patterns: IntArray) -> FloatArray:
    """Sums of outer products of whole vectors, zero where there is no row, pattern by pattern."""
    n_kinds = members.present.shape[1]
    width, m = vectors.width(n_kinds), len(vectors.person)
    out = np.zeros((len(patterns), width, width))
    for first, last in _runs(members.edges, patterns):
        low, high = int(members.edges[patterns[first]]), int(members.edges[patterns[last] + 1])
        for start in range(low, high, CHUNK_PERSONS):
            stop = min(high, start + CHUNK_PERSONS)
            persons = slice(start, stop) if members.order is None else members.order[start:stop]
            own = vectors.make(persons, slice(None))
            for index in range(first, last + 1):
                ends = members.edges[patterns[index] : patterns[index] + 2]
                begin, end = np.clip(ends, start, stop) - start
                columns = own[:, begin:end]
                absent = np.flatnonzero(~members.present[patterns[index]])
                for block in range(m, width, n_kinds):
                    columns[block + absent] = 0.0
                out[index] += columns @ columns.T
    return out


def _runs(edges: IntArray, patterns: IntArray) -> Iterator[tuple[int, int]]:
    """First and last of neighbouring patterns that together fit into cache."""
    first = 0
    for index in range(1, len(patterns) + 1):
        joined = index < len(patterns) and patterns[index] == patterns[index - 1] + 1
        if joined and edges[patterns[index] + 1] - edges[patterns[first]] <= CHUNK_PERSONS:
            continue
        yield first, index - 1
        first = index


def _roots(grams: FloatArray) -> FloatArray:
    """Matrices whose rows have the outer products `grams`, (n_patterns, width, width)."""
    if not np.isfinite(grams).all():
        return grams
    size = np.sqrt(np.maximum(np.einsum("gii->gi", grams), np.finfo(float).tiny))
    values, turned = np.linalg.eigh(grams / (size[:, :, None] * size[:, None, :]))
    kept = np.where(values > 1e-17 * values[:, -1:], values, 0.0)
    return np.asarray((turned * np.sqrt(kept)[:, None, :]).transpose(0, 2, 1) * size[:, None, :])


def _listed(vectors: PersonVectors, members: PersonsByPattern, chosen: IntArray) -> FloatArray:
    """The persons of small patterns themselves, filled up with zeros."""
    counts = np.diff(members.edges)[chosen]
    most = int(counts.max())
    size = int(members.present[chosen[0]].sum())
    out = np.zeros((len(chosen), most, vectors.width(size)))
    if members.order is None:
        everyone: IntArray = np.arange(int(members.edges[-1]))
    else:
        everyone = members.order
    for number in range(most):
        has = np.flatnonzero(counts > number)
        persons = everyone[members.edges[chosen[has]] + number]
        out[has, number] = _own_rows(vectors, persons, members.present[chosen[has]])
    return out


def _own_rows(vectors: PersonVectors, persons: IntArray, present: NDArray[np.bool_]) -> FloatArray:
    """Vectors of persons with as many, but not the same, kinds of rows."""
    m = len(vectors.person)
    whole = vectors.make(persons, slice(None))
    n_kinds = present.shape[1]
    blocks = whole[m:].reshape(-1, n_kinds, len(persons)).transpose(2, 0, 1)
    kept = blocks[np.broadcast_to(present[:, None], blocks.shape)]
    return np.concatenate([whole[:m].T, kept.reshape(len(persons), -1)], axis=1)
