"""What a person contributes to the statistics, as a short vector in which ``[X, y]`` is linear."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from growthmm.engines.long.scaling import Scaling, orthogonaliser
from growthmm.engines.long.tables import Bases, Tables

__all__ = ["PersonVectors", "person_vectors", "products_of"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.intp]

SAMPLE_PERSONS = 512
MAX_WIDTH = 160


def products_of(
    values: Mapping[int, NDArray[Any]], columns: tuple[tuple[int, ...], ...], n: int
) -> FloatArray:
    """Products of bases, (n, n_columns)."""
    out = np.ones((n, len(columns)))
    for at, factors in enumerate(columns):
        for factor in factors:
            out[:, at] *= values[factor]
    return out


@dataclass(frozen=True)
class PersonVectors:
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


def person_vectors(bases: Bases, tables: Tables, scaling: Scaling) -> PersonVectors | None:
    """How persons' vectors are made; None where they would be too long to pay.

    Parameters
    ----------
    bases : Bases
        Of which columns the fixed effects' design is made.
    tables : Tables
        Their values.
    scaling : Scaling
        From the problem's units to internal ones.
    """
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
    plain = PersonVectors(
        tables, tuple(person), tuple(varying), np.eye(n_units), blank, blank[:, :, 0:1].sum(2), 1.0
    )
    turn = _turn(plain, _sample(plain))
    back = np.linalg.inv(turn)
    of_kinds = products_of(tables.kind, tuple(k for k, _ in placed), n_kinds)
    place = [units.index(rest) for _, rest in placed]
    raw = back[:, place][:, None, :] * of_kinds[None]
    slopes = raw @ scaling.fixed if p else blank
    offset = raw @ scaling.offset if p else blank[:, :, 0:1].sum(2)
    return PersonVectors(tables, tuple(person), tuple(varying), turn, slopes, offset, scaling.unit)


def _sample(plain: PersonVectors) -> FloatArray:
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


def _turn(plain: PersonVectors, sample: FloatArray) -> FloatArray:
    """What makes the sampled products orthonormal, or of unit size where they are collinear."""
    m = len(plain.person)
    found, norms = orthogonaliser(sample)
    if found is None:
        first, _ = orthogonaliser(sample[:, :m])
        found = np.diag(np.sqrt(len(sample)) / np.where(norms > 0, norms, 1.0))
        if first is not None:
            found[:m, :m] = first
    return found
