"""Blocks of random effects of several groups that share some of their (co)variances.

In a growth model each group has its block, and a key that says in which groups a parameter stands.
In a mixed model they are one block with a column for each group's effect: zero between groups, as
nobody is in two of them, and equal where groups share.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from growthmm.model.factor_pattern import Pattern, entries, parameters_of, renamed
from growthmm.model.growth import FactorBlock, GrowthModel, cov_key, in_groups

__all__ = ["GroupBlock", "apart", "joined", "shared_entries", "united", "whole_pattern"]


@dataclass(frozen=True, slots=True)
class GroupBlock:
    """The factors that vary together in some groups.

    Parameters
    ----------
    factors : tuple of str
        The growth factors.
    cells : tuple of tuple of (str or float)
        Their covariance matrix, of parameters by any names: one name is one number, here and in
        the blocks of other groups.
    groups : tuple of int
        Positions of the groups.
    """

    factors: tuple[str, ...]
    cells: Pattern
    groups: tuple[int, ...]


def united(
    found: Sequence[GroupBlock], everyone: int
) -> tuple[tuple[FactorBlock, ...], tuple[tuple[str, str], ...]]:
    """The blocks of a growth model, those of groups with the same matrix as one.

    Parameters
    ----------
    found : sequence of GroupBlock
        Each group's blocks.
    everyone : int
        The number of groups.

    Returns
    -------
    blocks : tuple of FactorBlock
        With keys that are shared where parameters are.
    names : tuple of (str, str)
        Key and name of each parameter.

    Examples
    --------
    >>> two = [GroupBlock(("i",), (("v",),), (g,)) for g in (0, 1)]
    >>> united(two, 2)
    ((FactorBlock(factors=('i',), pattern=(), groups=()),), (('cov:i:i', 'v'),))
    """
    merged: dict[tuple[tuple[str, ...], Pattern], list[int]] = {}
    for one in found:
        merged.setdefault((one.factors, one.cells), []).extend(one.groups)
    count: dict[str, int] = {}
    places: dict[str, dict[str, list[int]]] = {}
    for (factors, cells), groups in merged.items():
        for name in parameters_of(cells):
            count[name] = count.get(name, 0) + 1
        for a, b, cell in entries(cells):
            if isinstance(cell, str):
                key = cov_key(factors[a], factors[b])
                places.setdefault(cell, {}).setdefault(key, []).extend(groups)
    keys = {}
    for name, standing in places.items():
        key, groups = next(iter(standing.items()))
        keys[name] = in_groups(key, sorted(set(groups)))
    blocks: list[FactorBlock] = []
    names: dict[str, str] = {}
    for (factors, cells), groups in merged.items():
        where = () if len(groups) == everyone else tuple(sorted(groups))
        block = FactorBlock(factors, renamed(cells, keys), where)
        if all(count[name] == 1 for name in parameters_of(cells)):
            local = block.alone
            block = FactorBlock(factors, local.pattern, where)
            own = parameters_of(block.cells)
            names.update(zip(own, parameters_of(cells), strict=True))
        else:
            names.update((keys[name], name) for name in parameters_of(cells))
        blocks.append(block)
    return tuple(blocks), tuple(names.items())


def apart(
    factors: Sequence[str], cells: Pattern, acting: Sequence[tuple[int, ...]]
) -> list[GroupBlock]:
    """The blocks of each group, of a matrix over effects of several groups.

    Parameters
    ----------
    factors : sequence of str
        The growth factor of each effect.
    cells : tuple of tuple of (str or float)
        The covariance matrix.
    acting : sequence of tuple of int
        The groups that each effect acts in: one effect's are another's, or none of them.

    Returns
    -------
    list of GroupBlock
        Effects are in one block where they covary, or share a parameter, in one group.
    """
    import networkx

    graph: Any = networkx.Graph()
    graph.add_nodes_from(range(len(factors)))
    within = [(a, b, cell) for a, b, cell in entries(cells) if acting[a] == acting[b]]
    graph.add_edges_from((a, b) for a, b, cell in within if cell != 0.0)
    first: dict[tuple[str, tuple[int, ...]], int] = {}
    for a, _, cell in within:
        if isinstance(cell, str):
            graph.add_edge(a, first.setdefault((cell, acting[a]), a))
    made = []
    for part in sorted(sorted(part) for part in networkx.connected_components(graph)):
        own = tuple(tuple(cells[a][b] for b in part) for a in part)
        made.append(GroupBlock(tuple(factors[a] for a in part), own, acting[part[0]]))
    return made


def joined(growth: GrowthModel) -> tuple[tuple[FactorBlock, ...], ...]:
    """The blocks of persons, together where they share a parameter."""
    import networkx

    graph: Any = networkx.Graph()
    graph.add_nodes_from(range(len(growth.blocks)))
    first: dict[str, int] = {}
    for k, block in enumerate(growth.blocks):
        for key in parameters_of(block.cells) if block.shares else ():
            graph.add_edge(k, first.setdefault(key, k))
    parts = sorted(sorted(part) for part in networkx.connected_components(graph))
    return tuple(tuple(growth.blocks[k] for k in part) for part in parts)


def whole_pattern(blocks: Sequence[FactorBlock]) -> Pattern:
    """The covariance matrix of the effects of several blocks, zero between them.

    Examples
    --------
    >>> shared = (("cov:i:i@0+1",),)
    >>> whole_pattern([FactorBlock(("i",), shared, (g,)) for g in (0, 1)])
    (('cov:i:i@0+1', 0.0), (0.0, 'cov:i:i@0+1'))
    """
    size = sum(len(block.factors) for block in blocks)
    matrix: list[list[str | float]] = [[0.0] * size for _ in range(size)]
    at = 0
    for block in blocks:
        for a, row in enumerate(block.cells):
            matrix[at + a][at : at + len(row)] = row
        at += len(block.factors)
    return tuple(map(tuple, matrix))


def shared_entries(
    growth: GrowthModel, names: Mapping[str, object]
) -> frozenset[frozenset[object]]:
    """Which entries of different blocks are equal.

    Parameters
    ----------
    growth : GrowthModel
        The model.
    names : mapping of str to object
        What tells factors apart.
    """
    places: dict[str, set[tuple[object, ...]]] = {}
    blocks: dict[str, set[int]] = {}
    for k, block in enumerate(growth.blocks):
        for a, b, cell in entries(block.cells):
            if isinstance(cell, str):
                pair = frozenset((names[block.factors[a]], names[block.factors[b]]))
                places.setdefault(cell, set()).add((pair, block.groups))
                blocks.setdefault(cell, set()).add(k)
    return frozenset(frozenset(places[key]) for key, found in blocks.items() if len(found) > 1)
