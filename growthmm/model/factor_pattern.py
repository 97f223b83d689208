"""Covariance matrices whose entries are equal or held: of growth factors, and of random effects."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Literal

from growthmm.model.names import covariance_name, shared_names

__all__ = [
    "Pattern",
    "PatternKind",
    "entries",
    "named_pattern",
    "parameters_of",
    "pattern_kind",
    "pattern_of",
    "renamed",
]

Pattern = tuple[tuple[str | float, ...], ...]
"""A symmetric matrix: names of parameters, and numbers at which entries are held."""

PatternKind = Literal["unstructured", "compound_symmetry", "identity", "patterned"]


def entries(pattern: Pattern) -> tuple[tuple[int, int, str | float], ...]:
    """Row, column and content of the upper triangle, row by row."""
    size = len(pattern)
    return tuple((a, b, pattern[a][b]) for a in range(size) for b in range(a, size))


def parameters_of(pattern: Pattern) -> tuple[str, ...]:
    """The distinct parameters, in the order of the upper triangle.

    Examples
    --------
    >>> parameters_of((("v", 0.0), (0.0, "v")))
    ('v',)
    """
    return tuple(dict.fromkeys(cell for _, _, cell in entries(pattern) if isinstance(cell, str)))


def pattern_kind(pattern: Pattern) -> PatternKind:
    """What programs call the matrix.

    Examples
    --------
    >>> pattern_kind((("v", "c"), ("c", "v"))), pattern_kind((("v", 0.0), (0.0, "v")))
    ('compound_symmetry', 'identity')
    >>> pattern_kind((("v", "c"), ("c", "w"))), pattern_kind((("v", 0.5), (0.5, "w")))
    ('unstructured', 'patterned')
    """
    cells = [cell for _, _, cell in entries(pattern)]
    if all(isinstance(cell, str) for cell in cells) and len(set(cells)) == len(cells):
        return "unstructured"
    diagonal = {cell for a, b, cell in entries(pattern) if a == b}
    beside = {cell for a, b, cell in entries(pattern) if a != b}
    if len(diagonal) == 1 and isinstance(next(iter(diagonal)), str) and len(beside) == 1:
        other = next(iter(beside))
        if other == 0.0:
            return "identity"
        if isinstance(other, str) and other not in diagonal:
            return "compound_symmetry"
    return "patterned"


def pattern_of(kind: str, size: int) -> Pattern:
    """The matrix of a kind with shared entries, with names that mean nothing.

    Examples
    --------
    >>> pattern_of("identity", 2), pattern_of("identity", 1)
    ((('v', 0.0), (0.0, 'v')), ())
    """
    if size < 2 or kind not in ("compound_symmetry", "identity"):
        return ()
    beside: str | float = "c" if kind == "compound_symmetry" else 0.0
    return tuple(tuple("v" if a == b else beside for b in range(size)) for a in range(size))


def renamed(pattern: Pattern, names: dict[str, str]) -> Pattern:
    """The pattern with other names for its parameters."""
    return tuple(
        tuple(names[cell] if isinstance(cell, str) else float(cell) for cell in row)
        for row in pattern
    )


def named_pattern(pattern: Pattern, effects: Sequence[str], group: str) -> Pattern:
    """The pattern with the names that parameters of random effects have.

    Parameters
    ----------
    pattern : Pattern
        With any names.
    effects : sequence of str
        The random effects.
    group : str
        Their grouping factor.

    Examples
    --------
    >>> named_pattern((("v", "c"), ("c", "v")), ("a", "b"), "id")[0]
    ('var(a,b|id)', 'cov(a,b|id)')
    """
    places: dict[str, list[tuple[int, int]]] = {}
    for a, b, cell in entries(pattern):
        if isinstance(cell, str):
            places.setdefault(cell, []).append((a, b))
    taken: set[str] = set()
    names: dict[str, str] = {}
    for cell, found in places.items():
        name = _name(found, effects, group)
        while name in taken:
            name = name.replace("|", "'|", 1)
        taken.add(name)
        names[cell] = name
    return renamed(pattern, names)


def _name(places: list[tuple[int, int]], effects: Sequence[str], group: str) -> str:
    if len(places) == 1:
        a, b = places[0]
        return covariance_name(effects[a], effects[b], group)
    if all(a == b for a, b in places):
        return shared_names(tuple(effects[a] for a, _ in places), group)[0]
    together = sorted({index for place in places for index in place})
    if set(places) == set(combinations(together, 2)):
        return shared_names(tuple(effects[index] for index in together), group)[1]
    listed = ";".join(f"{effects[a]},{effects[b]}" for a, b in places)
    return f"cov({listed}|{group})"
