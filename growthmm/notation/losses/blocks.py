"""Covariance structures of random effects that a program does not have."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from growthmm.model.defaults import Loss
from growthmm.model.factor_pattern import Pattern, entries, parameters_of, pattern_kind
from growthmm.model.mixed import BlockCovariance, MixedModel, RandomBlock
from growthmm.notation.formula.text import term_text

__all__ = ["PLAIN", "covariance_losses"]

PLAIN: tuple[BlockCovariance, ...] = ("unstructured", "diagonal", "by_term")
"""What every program can say, alone or term by term."""

_SHOWN = {
    "compound_symmetry": "equal variances and equal covariances",
    "identity": "equal variances without covariances",
    "patterned": "covariances of which some are equal or held at numbers",
}
_NEAREST = {
    "compound_symmetry": "nlme's pdCompSymm(), Stata's covariance(exchangeable), or lavaan",
    "identity": "nlme's pdIdent(), Stata's covariance(identity), or lavaan",
    "patterned": "a structural equation program with labels and fixed values (lavaan, Mplus, "
    "OpenMx), or gm.fit, which fits the model as it is",
}


def covariance_losses(
    title: str, model: MixedModel, said: Collection[BlockCovariance] = PLAIN
) -> list[Loss]:
    """The random blocks whose covariance structure a program cannot say.

    Parameters
    ----------
    title : str
        The program.
    model : MixedModel
        The model.
    said : collection of str
        The structures that it has.
    """
    return [
        Loss(
            f"{_SHOWN[block.covariance]} of {', '.join(map(str, block.terms))} | {block.group}",
            f"{title} has no such structure of random effects",
            _all_different(block) + _NEAREST[block.covariance],
        )
        for block in model.random
        if block.covariance not in said
    ]


def _all_different(block: RandomBlock) -> str:
    """Blocks that covary in themselves alone, as those of groups, without what they share."""
    parts = _components(block.pattern)
    if len(parts) < 2 or len(block.terms) != len(block.pattern):
        return ""
    own = [tuple(tuple(block.pattern[a][b] for b in part) for a in part) for part in parts]
    if any(pattern_kind(pattern) != "unstructured" for pattern in own):
        return ""
    texts = {factor: factor for term in block.terms for factor in term.factors}
    bars = []
    for part in parts:
        terms = term_text([block.terms[k] for k in part], texts, explicit=True)
        bars.append(f"({terms} | {block.group})")
    more = sum(len(parameters_of(pattern)) for pattern in own) - len(parameters_of(block.pattern))
    shown = f"{more} more parameter" + "s" * (more > 1)
    return f"all of them different, {' + '.join(bars)}, with {shown}; or "


def _components(pattern: Pattern) -> list[list[int]]:
    """Rows that are joined by entries other than zero."""
    import networkx

    graph: Any = networkx.Graph()
    graph.add_nodes_from(range(len(pattern)))
    graph.add_edges_from((a, b) for a, b, cell in entries(pattern) if cell != 0.0)
    return sorted(sorted(part) for part in networkx.connected_components(graph))
