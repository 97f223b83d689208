"""Sufficient statistics from tables of persons by kinds of rows.

What a person contributes is a short vector: products of person-level covariates, and the
outcomes (and other covariates that vary) at the occasions. ``[X, y]`` is linear in it, so that
persons who have the same kinds of rows need only the sum of the vectors' outer products, whatever
the number of persons; everything else is made from its square root, a few pseudo-persons.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from growthmm.engines.long.patterns import Batch, Patterns
from growthmm.engines.long.problem import LongProblem, refuse_infinite
from growthmm.engines.long.products import Products, semi_cholesky, solve_lower
from growthmm.engines.long.residual_structures.base import Pattern, Structure
from growthmm.engines.long.scaling import Scaling, orthogonaliser
from growthmm.engines.long.tables import Bases, Tables, bases_of, tables_of

__all__ = ["Grid", "Group", "collect_grid"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.intp]

CHUNK_PERSONS = 4_096
SAMPLE_PERSONS = 512
MAX_WIDTH = 160


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
    vectors = _vectors(bases, tables, scaling)
    if vectors is None:
        return None
    members = _members(tables)
    if members is None:
        return None
    with np.errstate(invalid="ignore", over="ignore"):
        groups = tuple(_groups(vectors, members))
    if not all(np.isfinite(group.data).all() for group in groups):
        refuse_infinite(problem)
    raw = _products_of(tables.kind, bases.random, len(tables.occasion))
    design = np.zeros(raw.shape)
    for column in range(raw.shape[1]):
        for source in range(raw.shape[1]):
            design[:, column] += scaling.random[source, column] * raw[:, source]
    n_subjects = int(sum(group.counts.sum() for group in groups))
    return Grid(design, tables.occasion, groups, tables.n_rows, n_subjects)


def _products_of(
    values: Mapping[int, NDArray[Any]], columns: tuple[tuple[int, ...], ...], n: int
) -> FloatArray:
    """Products of bases, (n, n_columns)."""
    out = np.ones((n, len(columns)))
    for at, factors in enumerate(columns):
        for factor in factors:
            out[:, at] *= values[factor]
    return out


@dataclass(frozen=True)
class _Vectors:
    """How a person's vector is made, and ``[X, y]`` from it.

    Parameters
    ----------
    tables : Tables
        The data.
    person, varying : tuple of tuple of int
        Products of bases that are constant within persons, and the others.
    turn : (n_units, n_units) ndarray
        Upper triangular, makes the products orthonormal (person products first).
    slopes : (n_units, n_kinds, n_fixed) ndarray
        ``X`` from them, in internal units.
    offset : (n_units, n_kinds) ndarray
        What is taken off the outcome.
    unit : float
        What the rest is divided by.
    """

    tables: Tables
    person: tuple[tuple[int, ...], ...]
    varying: tuple[tuple[int, ...], ...]
    turn: FloatArray
    slopes: FloatArray
    offset: FloatArray
    unit: float

    def width(self, size: int) -> int:
        """Length of the vector of a person with `size` rows."""
        return len(self.person) + size * (1 + len(self.varying))

    def entries(self, present: NDArray[np.bool_]) -> IntArray:
        """Where the vectors of patterns with as many rows stand in whole ones, (n, width)."""
        m, n_kinds = len(self.person), present.shape[1]
        kinds = np.nonzero(present)[1].reshape(len(present), -1)
        parts = [np.broadcast_to(np.arange(m), (len(present), m))]
        parts += [m + n_kinds * block + kinds for block in range(1 + len(self.varying))]
        return np.concatenate(parts, axis=1)

    def make(self, persons: slice | IntArray, kinds: IntArray | slice) -> FloatArray:
        """Vectors (width, n_persons): person products, outcomes, varying products."""
        tables, m = self.tables, len(self.person)
        outcome = tables.outcome[persons][:, kinds].T
        size, n = outcome.shape
        out = np.empty((self.width(size), n))
        raw = np.ones((m, n))
        for at, factors in enumerate(self.person):
            for factor in factors:
                raw[at] *= tables.person[factor][persons]
        np.matmul(self.turn[:m, :m].T, raw, out=out[:m])
        rest = out[m : m + size]
        np.matmul(self.offset[:m, kinds].T, out[:m], out=rest)
        np.subtract(outcome, rest, out=rest)
        for at, block in enumerate(self._varying(persons, kinds, raw)):
            low = m + size * (1 + at)
            out[low : low + size] = block
            rest -= self.offset[m + at, kinds][:, None] * block
        return out

    def _varying(
        self, persons: slice | IntArray, kinds: IntArray | slice, raw: FloatArray
    ) -> Iterator[FloatArray]:
        """Varying products less what those before them explain, (n_times, n_persons) each."""
        m = len(self.person)
        blocks = [self._product(factors, persons, kinds) for factors in self.varying]
        for at in range(len(blocks)):
            column = self.turn[:, m + at]
            out = np.broadcast_to(column[:m] @ raw, blocks[at].shape).copy()
            for before in range(at + 1):
                out += column[m + before] * blocks[before]
            yield out

    def _product(
        self, factors: tuple[int, ...], persons: slice | IntArray, kinds: IntArray | slice
    ) -> FloatArray:
        tables = self.tables
        out: FloatArray | None = None
        for factor in factors:
            if factor in tables.varying:
                values = tables.varying[factor][persons][:, kinds].T
            else:
                values = tables.person[factor][persons][None, :]
            out = np.array(values, dtype=float) if out is None else out * values
        assert out is not None
        return out

    def expand(self, vectors: FloatArray, kinds: IntArray) -> FloatArray:
        """``[X, y]`` of vectors (n_patterns, n_vectors, width) with rows of `kinds`."""
        g, held, _ = vectors.shape
        m, size, p = len(self.person), kinds.shape[1], self.slopes.shape[2]
        out = np.empty((g, held, size, p + 1))
        slopes = self.slopes[:m][:, kinds]
        own = vectors[:, :, :m]
        flat = slopes.transpose(1, 0, 2, 3).reshape(g, m, size * p)
        out[..., :p] = (own @ flat).reshape(g, held, size, p)
        out[..., p] = vectors[:, :, m : m + size] / self.unit
        for at in range(len(self.varying)):
            low = m + size * (1 + at)
            block = vectors[:, :, low : low + size]
            out[..., :p] += block[..., None] * self.slopes[m + at][kinds][:, None]
        return out


def _vectors(bases: Bases, tables: Tables, scaling: Scaling) -> _Vectors | None:
    person: dict[tuple[int, ...], None] = {(): None}
    varying: dict[tuple[int, ...], None] = {}
    placed: list[tuple[tuple[int, ...], tuple[int, ...]]] = []
    for column in bases.fixed:
        at_kind = tuple(b for b in column if b in tables.kind)
        rest = tuple(sorted(b for b in column if b not in tables.kind))
        own = varying if any(b in tables.varying for b in rest) else person
        own[rest] = None
        placed.append((at_kind, rest))
    n_kinds, m = len(tables.occasion), len(person)
    units = [*person, *varying]
    if m + n_kinds * (1 + len(varying)) > MAX_WIDTH:
        return None
    # With an identity in place of what follows, the vectors are the products themselves.
    n_units, p = len(units), len(bases.fixed)
    blank = np.zeros((n_units, n_kinds, p))
    plain = _Vectors(
        tables, tuple(person), tuple(varying), np.eye(n_units), blank, blank[:, :, 0:1].sum(2), 1.0
    )
    turn = _turn(plain, _sample(plain))
    back = np.linalg.inv(turn)
    of_kinds = _products_of(tables.kind, tuple(k for k, _ in placed), n_kinds)
    place = [units.index(rest) for _, rest in placed]
    raw = back[:, place][:, None, :] * of_kinds[None]
    slopes = raw @ scaling.fixed if p else blank
    offset = raw @ scaling.offset if p else blank[:, :, 0:1].sum(2)
    return _Vectors(tables, tuple(person), tuple(varying), turn, slopes, offset, scaling.unit)


def _sample(plain: _Vectors) -> FloatArray:
    """Products of some persons, a row for each row of theirs, (n_rows, n_units)."""
    tables = plain.tables
    n, size = tables.outcome.shape
    chosen = np.linspace(0, n - 1, min(n, SAMPLE_PERSONS)).astype(np.intp)
    vectors = plain.make(chosen, slice(None))
    m = len(plain.person)
    if not plain.varying:
        return np.ascontiguousarray(vectors[:m].T)
    blocks = vectors[m + size :].reshape(len(plain.varying), size, len(chosen))
    whole = np.concatenate([np.repeat(vectors[:m, None], size, axis=1), blocks])
    if tables.present is not None:
        return np.ascontiguousarray(whole[:, tables.present[chosen].T].T)
    return np.ascontiguousarray(whole.reshape(len(whole), -1).T)


def _turn(plain: _Vectors, sample: FloatArray) -> FloatArray:
    """What makes the sampled products orthonormal, or of unit size where they are collinear."""
    m = len(plain.person)
    found, norms = orthogonaliser(sample)
    if found is None:
        first, _ = orthogonaliser(sample[:, :m])
        found = np.diag(np.sqrt(len(sample)) / np.where(norms > 0, norms, 1.0))
        if first is not None:
            found[:m, :m] = first
    return found


@dataclass(frozen=True)
class _Members:
    """Persons by pattern.

    Parameters
    ----------
    order : (n_persons,) ndarray of int, optional
        Persons pattern by pattern; None where there is one pattern.
    edges : (n_patterns + 1,) ndarray of int
        Where each pattern's persons begin in `order`.
    present : (n_patterns, n_kinds) ndarray of bool
        Kinds of rows of each pattern.
    stratum : (n_patterns,) ndarray of int
        Level of each pattern's persons.
    """

    order: IntArray | None
    edges: IntArray
    present: NDArray[np.bool_]
    stratum: IntArray


def _members(tables: Tables) -> _Members | None:
    """Persons by pattern; None where there are nearly as many patterns as persons."""
    n, n_kinds = tables.outcome.shape
    if tables.present is None and tables.stratum is None:
        nothing = np.zeros(1, dtype=np.intp)
        return _Members(None, np.array([0, n]), np.ones((1, n_kinds), dtype=bool), nothing)
    key = np.zeros(n, dtype=np.int64)
    if tables.present is not None:
        for kind in range(n_kinds):
            key |= tables.present[:, kind].astype(np.int64) << kind
    levels = 1
    if tables.stratum is not None:
        levels = int(tables.stratum.max()) + 1
    if n_kinds + levels.bit_length() > 62:
        return None
    if tables.stratum is not None:
        key = key * levels + tables.stratum
    values, place = _numbered(key, levels << n_kinds if tables.present is not None else levels)
    if len(values) > max(64, n // 8):
        return None
    small = np.uint8 if len(values) < 2**8 else np.uint16 if len(values) < 2**16 else np.intp
    order = np.argsort(place.astype(small), kind="stable")
    edges = np.concatenate([[0], np.cumsum(np.bincount(place, minlength=len(values)))])
    masks = values // levels
    if tables.present is None:
        present = np.ones((len(values), n_kinds), dtype=bool)
    else:
        present = (masks[:, None] >> np.arange(n_kinds)) & 1 == 1
    return _Members(order, edges, present, (values % levels).astype(np.intp))


def _numbered(key: NDArray[np.int64], span: int) -> tuple[NDArray[np.int64], IntArray]:
    """Distinct keys, ascending, and each one's place among them."""
    if span > max(65_536, len(key)):
        values, place = np.unique(key, return_inverse=True)
        return values, place.reshape(-1)
    used = np.bincount(key, minlength=span) > 0
    return np.flatnonzero(used), (np.cumsum(used) - 1)[key]


def _groups(vectors: _Vectors, members: _Members) -> Iterator[Group]:
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


def _group(vectors: _Vectors, members: _Members, chosen: IntArray, held: FloatArray) -> Group:
    size = int(members.present[chosen[0]].sum())
    kinds = np.nonzero(members.present[chosen])[1].reshape(len(chosen), size)
    counts = np.diff(members.edges)[chosen].astype(float)
    return Group(kinds, members.stratum[chosen], counts, vectors.expand(held, kinds))


def _grams(vectors: _Vectors, members: _Members, patterns: IntArray) -> FloatArray:
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


def _listed(vectors: _Vectors, members: _Members, chosen: IntArray) -> FloatArray:
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


def _own_rows(vectors: _Vectors, persons: IntArray, present: NDArray[np.bool_]) -> FloatArray:
    """Vectors of persons with as many, but not the same, kinds of rows."""
    m = len(vectors.person)
    whole = vectors.make(persons, slice(None))
    n_kinds = present.shape[1]
    blocks = whole[m:].reshape(-1, n_kinds, len(persons)).transpose(2, 0, 1)
    kept = blocks[np.broadcast_to(present[:, None], blocks.shape)]
    return np.concatenate([whole[:m].T, kept.reshape(len(persons), -1)], axis=1)
