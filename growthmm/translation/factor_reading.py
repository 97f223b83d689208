"""The growth factors' (co)variances in a path table: blocks, and equal or held entries."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from growthmm.model.defaults import Loss
from growthmm.model.factor_pattern import pattern_kind
from growthmm.model.growth import FactorBlock, cov_key
from growthmm.model.sem import Path, SemModel

__all__ = ["ReadFactors", "read_factor_covariances"]

Cell = frozenset[str]


@dataclass(frozen=True, slots=True)
class ReadFactors:
    """What a table's rows among growth factors say.

    Parameters
    ----------
    blocks : tuple of FactorBlock
        Factors that vary together.
    names : tuple of (str, str)
        Growth parameter keys and the table's parameters.
    losses : tuple of Loss
        What is no covariance matrix of random effects.
    """

    blocks: tuple[FactorBlock, ...]
    names: tuple[tuple[str, str], ...]
    losses: tuple[Loss, ...] = ()


def read_factor_covariances(
    model: SemModel, factors: Sequence[str], latent: Collection[str]
) -> ReadFactors:
    """Read the covariance structure of the growth factors.

    Factors belong to one block where they covary, or share a parameter.

    Parameters
    ----------
    model : SemModel
        The table.
    factors : sequence of str
        The growth factors, in order.
    latent : collection of str
        Names of all of them.
    """
    rows: dict[Cell, Path] = {}
    for path in model.paths:
        among = path.op == "~~" and {path.left, path.right} <= set(latent)
        if among and (path.free or path.value):
            rows[frozenset((path.left, path.right))] = path
    blocks: list[FactorBlock] = []
    names: list[tuple[str, str]] = []
    losses: list[Loss] = []
    for members in _components(factors, rows):
        if not any(set(cell) <= set(members) for cell in rows):
            continue
        still = [f"{a} ~~ {a}" for a in members if frozenset((a,)) not in rows]
        if still:
            losses.append(
                Loss(
                    f"{', '.join(still)} fixed at zero while others of these factors covary",
                    "a random effect without variance has no covariances",
                    "free variances, or covariances of zero",
                )
            )
        block, own = _block(members, rows)
        blocks.append(block)
        names += own
    return ReadFactors(tuple(blocks), tuple(names), tuple(losses))


def _block(
    members: tuple[str, ...], rows: dict[Cell, Path]
) -> tuple[FactorBlock, list[tuple[str, str]]]:
    keys: dict[str, str] = {}
    matrix: list[list[str | float]] = [[0.0] * len(members) for _ in members]
    for a, first in enumerate(members):
        for b, second in enumerate(members[a:], a):
            path = rows.get(frozenset((first, second)))
            if path is not None:
                cell: str | float = float(path.value or 0.0)
                if path.free:
                    cell = keys.setdefault(path.parameter, cov_key(first, second))
                matrix[a][b] = matrix[b][a] = cell
    pattern = tuple(tuple(row) for row in matrix)
    plain = pattern_kind(pattern) == "unstructured"
    names = [(key, parameter) for parameter, key in keys.items()]
    return FactorBlock(members, () if plain else pattern), names


def _components(names: Sequence[str], rows: dict[Cell, Path]) -> list[tuple[str, ...]]:
    """Factors joined by covariances and shared parameters, in order."""
    import networkx

    graph: Any = networkx.Graph()
    graph.add_nodes_from(names)
    graph.add_edges_from(tuple(cell) for cell in rows if len(cell) == 2)
    for (one, first), (other, second) in combinations(rows.items(), 2):
        if first.free and second.free and first.parameter == second.parameter:
            graph.add_edge(min(one), min(other))
    order = {name: position for position, name in enumerate(names)}
    components = [
        tuple(sorted((n for n in part if n in order), key=order.__getitem__))
        for part in networkx.connected_components(graph)
    ]
    return sorted((c for c in components if c), key=lambda c: order[c[0]])
