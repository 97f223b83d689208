"""Persons grouped by what their covariance matrix depends on, for any residual structure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from growthmm.engines.long.problem import LongProblem, refuse_infinite
from growthmm.engines.long.residual_structures.base import Pattern, Structure
from growthmm.engines.long.rows import distinct, ordered, transformed
from growthmm.engines.long.scaling import Scaling

__all__ = ["Batch", "Patterns", "Persons", "collect_patterns", "persons"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.intp]


@dataclass(frozen=True)
class Batch:
    """Patterns with the same number of rows.

    Parameters
    ----------
    design : (n_patterns, n_times, n_random) ndarray
        `Z` of each.
    data : (n_patterns, n_times, n_vectors, n_fixed + 1) ndarray
        ``[X, y]`` of (pseudo-)persons, filled up with zeros.
    counts : (n_patterns,) ndarray
        Persons that have the pattern.
    pattern : Pattern
        Occasions and strata of the rows.
    """

    design: FloatArray
    data: FloatArray
    counts: FloatArray
    pattern: Pattern


@dataclass(frozen=True)
class Patterns:
    """All batches, with the numbers of rows and persons."""

    batches: tuple[Batch, ...]
    n_rows: int
    n_subjects: int


def collect_patterns(problem: LongProblem, scaling: Scaling, structure: Structure) -> Patterns:
    """Group the persons, once."""
    batches: list[Batch] = []
    n_rows = n_subjects = 0
    for own in persons(problem, scaling, structure):
        if not (np.isfinite(own.data).all() and np.isfinite(own.design).all()):
            refuse_infinite(problem)
        n_rows += own.data.shape[0] * own.data.shape[1]
        n_subjects += len(own.person)
        batches.extend(_batches(own))
    return Patterns(tuple(batches), n_rows, n_subjects)


@dataclass(frozen=True)
class Persons:
    """Persons with the same number of rows.

    Parameters
    ----------
    person : (n_persons,) ndarray of int
        Which persons.
    data : (n_persons, n_times, n_fixed + 1) ndarray
        ``[X, y]``.
    design : (n_persons, n_times, n_random) ndarray
        `Z`.
    pattern : Pattern
        Occasions and strata.
    """

    person: IntArray
    data: FloatArray
    design: FloatArray
    pattern: Pattern


def persons(problem: LongProblem, scaling: Scaling, structure: Structure) -> Iterator[Persons]:
    """Persons by number of rows, in internal units."""
    rows = ordered(problem, by_occasion=structure.by_occasion)
    order = slice(None) if rows.order is None else rows.order
    data, design = transformed(problem, scaling, order)
    zeros = np.zeros(len(data), dtype=np.intp)
    occasion = problem.occasion[order] if structure.by_occasion else zeros
    stratum = zeros
    if structure.by_stratum and problem.strata is not None:
        stratum = problem.strata[order]
    sizes = rows.sizes
    for size in np.unique(sizes):
        members = np.flatnonzero(sizes == size)
        at = rows.starts[members][:, None] + np.arange(size)
        yield Persons(
            rows.present[members], data[at], design[at], Pattern(occasion[at], stratum[at])
        )


def _batches(own: Persons) -> list[Batch]:
    """Batches of persons with the same number of rows, by pattern and number of vectors."""
    data, design = own.data, own.design
    occasion, stratum = own.pattern.occasion, own.pattern.stratum
    n, size, c = data.shape
    keys = np.concatenate(
        [design.reshape(n, -1).T, occasion.T.astype(float), stratum.T.astype(float)]
    )
    first, place = distinct(keys)
    counts = np.bincount(place, minlength=len(first))
    members = np.argsort(place, kind="stable")
    edges = np.concatenate([[0], np.cumsum(counts)])
    held = np.minimum(counts, size * c)
    bucket = np.where(held > 0, 2 ** np.ceil(np.log2(np.maximum(held, 1))), 1).astype(int)
    out = []
    for width in np.unique(bucket):
        groups = np.flatnonzero(bucket == width)
        filled = np.zeros((len(groups), size, int(held[groups].max()), c))
        if width == 1:
            filled[:, :, 0] = data[members[edges[groups]]]
        else:
            for index, group in enumerate(groups):
                vectors = data[members[edges[group] : edges[group + 1]]]
                filled[index, :, : held[group]] = _vectors(vectors, int(held[group]))
        out.append(
            Batch(
                design[first[groups]],
                filled,
                counts[groups].astype(float),
                Pattern(occasion[first[groups]], stratum[first[groups]]),
            )
        )
    return out


def _vectors(own: FloatArray, held: int) -> FloatArray:
    """Persons, or as many pseudo-persons with the same sums of products: (n_times, held, c)."""
    n, size, c = own.shape
    if n == held:
        return own.transpose(1, 0, 2)
    flat = own.reshape(n, size * c)
    values, vectors = np.linalg.eigh(flat.T @ flat)
    root = (vectors * np.sqrt(np.maximum(values, 0.0))).T
    return np.asarray(root.reshape(held, size, c).transpose(1, 0, 2), dtype=float)
