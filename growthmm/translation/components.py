"""Growth factors in sets that covary among themselves and not with others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

__all__ = ["components"]


def components(names: Sequence[str], edges: set[frozenset[str]]) -> list[tuple[str, ...]]:
    """Connected components of the factors under free covariances, in order."""
    import networkx

    graph: Any = networkx.Graph()
    graph.add_nodes_from(names)
    graph.add_edges_from(tuple(edge) for edge in edges if len(edge) == 2)
    order = {name: position for position, name in enumerate(names)}
    components = [
        tuple(sorted((n for n in part if n in order), key=order.__getitem__))
        for part in networkx.connected_components(graph)
    ]
    return sorted((c for c in components if c), key=lambda c: order[c[0]])
