"""Persons of a table by the pattern of rows that they have."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from growthmm.engines.long.tables import Tables

__all__ = ["PersonsByPattern", "persons_by_pattern"]

IntArray = NDArray[np.intp]


@dataclass(frozen=True)
class PersonsByPattern:
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


def persons_by_pattern(tables: Tables) -> PersonsByPattern | None:
    """Persons by pattern; None where there are nearly as many patterns as persons."""
    n, n_kinds = tables.outcome.shape
    if tables.present is None and tables.stratum is None:
        nothing = np.zeros(1, dtype=np.intp)
        return PersonsByPattern(None, np.array([0, n]), np.ones((1, n_kinds), dtype=bool), nothing)
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
    return PersonsByPattern(order, edges, present, (values % levels).astype(np.intp))


def _numbered(key: NDArray[np.int64], span: int) -> tuple[NDArray[np.int64], IntArray]:
    """Distinct keys, ascending, and each one's place among them."""
    if span > max(65_536, len(key)):
        values, place = np.unique(key, return_inverse=True)
        return values, place.reshape(-1)
    used = np.bincount(key, minlength=span) > 0
    return np.flatnonzero(used), (np.cumsum(used) - 1)[key]
