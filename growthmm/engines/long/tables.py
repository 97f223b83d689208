"""Long rows as tables of persons by kinds of rows, where rows are of few kinds.

A kind is what a person's rows share with other persons' rows: the occasion, as far as the random
effects and the residual structure know it. Where everyone's rows stand one occasion after the
other, a column already is its table; else values are scattered, without any sorting.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from growthmm.engines.long.design import factors_of
from growthmm.engines.long.problem import LongProblem
from growthmm.engines.long.residual_structures.base import Structure
from growthmm.engines.long.rows import together
from growthmm.engines.long.scaling import sample_rows
from growthmm.model.occasions import places

__all__ = ["Bases", "Tables", "bases_of", "tables_of"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.intp]
Values = NDArray[Any]

MAX_KINDS = 64
CHUNK_ROWS = 32_768
PROBED_PERSONS = 128


@dataclass(frozen=True)
class Bases:
    """The columns that both designs are products of, each once.

    Parameters
    ----------
    values : tuple of (n_rows,) ndarray
        The columns.
    fixed, random : tuple of tuple of int
        Factors of each column of the two designs.
    """

    values: tuple[Values, ...]
    fixed: tuple[tuple[int, ...], ...]
    random: tuple[tuple[int, ...], ...]

    @property
    def in_random(self) -> tuple[int, ...]:
        """The bases of the random-effects design."""
        return tuple(dict.fromkeys(base for column in self.random for base in column))


def bases_of(problem: LongProblem) -> Bases:
    """The bases of a problem's designs; those that share memory are one."""
    values: list[Values] = []
    known: dict[tuple[Any, ...], int] = {}
    found: list[tuple[tuple[int, ...], ...]] = []
    for matrix in (problem.fixed, problem.random):
        own, columns = factors_of(matrix)
        place = []
        for base in own:
            key = (base.__array_interface__["data"][0], base.strides, base.dtype.str)
            if key not in known:
                known[key] = len(values)
                values.append(base)
            place.append(known[key])
        found.append(tuple(tuple(place[factor] for factor in column) for column in columns))
    return Bases(tuple(values), found[0], found[1])


@dataclass(frozen=True)
class Tables:
    """Persons by kinds of rows.

    Parameters
    ----------
    kind : mapping of int to (n_kinds,) ndarray
        Bases that are a function of the kind.
    person : mapping of int to (n_persons,) ndarray
        Bases that are constant within persons.
    varying : mapping of int to (n_persons, n_kinds) ndarray
        The other bases.
    outcome : (n_persons, n_kinds) ndarray
        Anything where a person has no such row.
    present : (n_persons, n_kinds) ndarray of bool, optional
        Which rows there are; None where everyone has all.
    occasion : (n_kinds,) ndarray of int
        Index of each kind's time, zeros where the residual structure does not need it.
    stratum : (n_persons,) ndarray of int, optional
        Level of the residual structure's grouping column.
    n_rows : int
        Rows of all persons.
    """

    kind: Mapping[int, Values]
    person: Mapping[int, Values]
    varying: Mapping[int, Values]
    outcome: FloatArray
    present: NDArray[np.bool_] | None
    occasion: IntArray
    stratum: Values | None
    n_rows: int


def tables_of(problem: LongProblem, bases: Bases, structure: Structure) -> Tables | None:
    """The tables of a problem; None where its rows are of too many kinds."""
    starts = together(problem.subject)
    if starts is not None:
        sizes = np.diff(starts)
        if int(sizes[0]) <= MAX_KINDS and bool(np.all(sizes == sizes[0])):
            found = _complete(problem, bases, structure, len(sizes), int(sizes[0]))
            if found is not None:
                return found
    return _Scatter(problem, bases, structure, starts).tables()


def _complete(
    problem: LongProblem, bases: Bases, structure: Structure, n: int, size: int
) -> Tables | None:
    """Everyone has the same kinds of rows in the same order; None where it is not so."""
    probe = np.linspace(0, n - 1, min(n, PROBED_PERSONS)).astype(np.intp)
    kind: dict[int, Values] = {}
    person: dict[int, Values] = {}
    varying: dict[int, Values] = {}
    own = set(bases.in_random)
    for index, base in enumerate(bases.values):
        table = base.reshape(n, size)
        part = table[probe]
        if bool((part == part[0]).all()) and _same_for_all(table):
            kind[index] = table[0]
        elif index in own:
            return None
        elif bool((part == part[:, :1]).all()) and _constant_within(table):
            person[index] = table[:, 0]
        else:
            varying[index] = table
    occasion, stratum = np.zeros(size, dtype=np.intp), None
    if structure.by_occasion:
        table = problem.occasion.reshape(n, size)
        occasion = table[0]
        if len(set(occasion.tolist())) < size or not _same_for_all(table):
            return None
    if structure.by_stratum and problem.strata is not None:
        table = problem.strata.reshape(n, size)
        if not _constant_within(table):
            return None
        stratum = table[:, 0]
    outcome = problem.outcome.reshape(n, size)
    return Tables(kind, person, varying, outcome, None, occasion, stratum, n * size)


def _chunks(n: int, size: int) -> list[slice]:
    step = max(1, CHUNK_ROWS // size)
    return [slice(low, min(n, low + step)) for low in range(0, n, step)]


def _same_for_all(table: Values) -> bool:
    n, size = table.shape
    flat, first = table.reshape(-1), np.ascontiguousarray(table[0])
    pattern = np.tile(first, max(1, CHUNK_ROWS // size))
    for part in _chunks(n, size):
        rows = flat[part.start * size : part.stop * size]
        if not np.array_equal(rows, pattern[: len(rows)]):
            return False
    return True


def _constant_within(table: Values) -> bool:
    """Whether rows change only between persons: counted over neighbours, one sweep."""
    n, size = table.shape
    flat = table.reshape(-1)
    for part in _chunks(n, size):
        rows = flat[part.start * size : part.stop * size]
        change = rows[1:] != rows[:-1]
        if np.count_nonzero(change) != np.count_nonzero(change[size - 1 :: size]):
            return False
    return True


@dataclass
class _Scatter:
    """Builds tables from rows in any order."""

    problem: LongProblem
    bases: Bases
    structure: Structure
    starts: IntArray | None
    kind: dict[int, Values] = field(default_factory=dict)
    person: dict[int, Values] = field(default_factory=dict)
    varying: dict[int, Values] = field(default_factory=dict)

    def tables(self) -> Tables | None:
        probe = self._probe
        found = self._key(probe)
        if found is None:
            return None
        key, known = found
        n_kinds = len(self.problem.occasions) if known is None else len(known)
        n = self.problem.n_subjects
        n_rows = len(self.problem.outcome)
        if n_kinds > MAX_KINDS or n * n_kinds > 4 * n_rows + 1024:
            return None
        self._classify(probe, key)
        if any(base not in self.kind for base in self.bases.in_random):
            return None
        outcome = self._sweep(key, known, (n, n_kinds))
        if outcome is None:
            return None
        stratum = self._strata()
        if stratum is None and self.structure.by_stratum:
            return None
        present = ~np.isnan(outcome)
        count = int(np.count_nonzero(present))
        if count != n_rows:
            return None
        occasion = np.zeros(n_kinds, dtype=np.intp)
        if self.structure.by_occasion:
            occasion = np.arange(n_kinds)
        whole = count == present.size
        return Tables(
            self.kind,
            self.person,
            self.varying,
            outcome,
            None if whole else present,
            occasion,
            stratum,
            n_rows,
        )

    @cached_property
    def _probe(self) -> IntArray:
        """All rows of some persons."""
        n = self.problem.n_subjects
        if self.starts is not None:
            n = len(self.starts) - 1
        chosen = np.linspace(0, n - 1, min(n, PROBED_PERSONS)).astype(np.intp)
        if self.starts is not None:
            pieces = [np.arange(self.starts[i], self.starts[i + 1]) for i in chosen]
            return np.concatenate(pieces)
        marked = np.zeros(n, dtype=bool)
        marked[chosen] = True
        return np.flatnonzero(marked[self.problem.subject])

    def _key(self, probe: IntArray) -> tuple[Values, FloatArray | None] | None:
        """The column that tells kinds apart, and its distinct values (None for the occasion)."""
        if self.structure.by_occasion:
            return self.problem.occasion, None
        subject = self.problem.subject[probe]
        order = (*self.bases.in_random, *range(len(self.bases.values)))
        for index in dict.fromkeys(order):
            base = self.bases.values[index]
            seen, place = np.unique(base[probe], return_inverse=True)
            cells = subject.astype(np.int64) * len(seen) + place
            if len(seen) > MAX_KINDS or len(np.unique(cells)) < len(cells):
                continue
            known = np.unique(np.concatenate([seen, base[sample_rows(len(base))]]))
            if len(known) <= MAX_KINDS:
                return base, known.astype(float)
        return None

    def _classify(self, probe: IntArray, key: Values) -> None:
        """Roles of the bases as the probed persons show them; the sweep verifies."""
        subject = np.unique(self.problem.subject[probe], return_inverse=True)[1]
        level = np.unique(key[probe], return_inverse=True)[1]
        nothing = np.zeros(0)
        for index, base in enumerate(self.bases.values):
            values = base[probe]
            if _function_of(values, level):
                self.kind[index] = nothing
            elif _function_of(values, subject):
                self.person[index] = nothing
            else:
                self.varying[index] = nothing

    def _sweep(
        self, key: Values, known: FloatArray | None, shape: tuple[int, int]
    ) -> FloatArray | None:
        """Fill all tables; None where a base is not what it seemed to be."""
        n, n_kinds = shape
        problem, bases = self.problem, self.bases.values
        outcome = np.full(n * n_kinds, np.nan)
        first = self._first_rows(key, known, n_kinds)
        for index in self.kind:
            self.kind[index] = bases[index][first]
        for index in self.person:
            self.person[index] = np.zeros(n, dtype=bases[index].dtype)
        for index in self.varying:
            self.varying[index] = np.zeros(n * n_kinds)
        for part in _chunks(len(problem.outcome), 1):
            level = key[part] if known is None else places(key[part], known)
            if int(level.min()) < 0:
                return None
            person = np.asarray(problem.subject[part], dtype=np.intp)
            cell = person * n_kinds + level
            outcome[cell] = problem.outcome[part]
            for index, values in self.kind.items():
                if bases[index] is not key and not np.array_equal(
                    values[level], bases[index][part]
                ):
                    return None
            for index, values in self.person.items():
                values[person] = bases[index][part]
            for index, values in self.varying.items():
                values[cell] = bases[index][part]
        for index, values in self.person.items():
            if not _constant(values, bases[index], problem.subject):
                return None
        self.varying = {i: values.reshape(shape) for i, values in self.varying.items()}
        return outcome.reshape(shape)

    def _first_rows(self, key: Values, known: FloatArray | None, n_kinds: int) -> IntArray:
        """Some row of each kind (of the first kind where the sample has none)."""
        sample = sample_rows(len(key))
        rows = np.arange(len(key))[sample] if isinstance(sample, slice) else sample
        rows = np.concatenate([rows, self._probe])
        values = key[rows]
        level = values if known is None else np.searchsorted(known, values)
        first = np.full(n_kinds, rows[0], dtype=np.intp)
        first[level] = rows
        return first

    def _strata(self) -> Values | None:
        strata = self.problem.strata
        if not self.structure.by_stratum or strata is None:
            return None
        found = np.zeros(self.problem.n_subjects, dtype=strata.dtype)
        found[self.problem.subject] = strata
        return found if _constant(found, strata, self.problem.subject) else None


def _function_of(values: Values, level: IntArray) -> bool:
    first = np.empty(int(level.max()) + 1, dtype=values.dtype)
    first[level] = values
    return bool((first[level] == values).all())


def _constant(found: Values, values: Values, subject: Values) -> bool:
    """Whether every row has its person's value."""
    return all(
        np.array_equal(found[subject[part]], values[part]) for part in _chunks(len(values), 1)
    )
