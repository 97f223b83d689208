"""Which observed variables of a structural equation model are occasions of one outcome."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from growthmm.model.sem import Path, SemModel
from growthmm.translation.binding.time_scores import Scores, common_stem, time_scores
from growthmm.translation.loadings.tables import growth_outcomes, loading_table
from growthmm.translation.reduction import reduced

__all__ = ["OutcomeSeries", "outcome_series"]


@dataclass(frozen=True, slots=True)
class OutcomeSeries:
    """One of several outcomes.

    Parameters
    ----------
    name : str
        What its columns' names share, or the column's name where it has one.
    scores : tuple of (str, float)
        Its columns with their time scores, ascending.
    distal : bool
        Whether it loads on no growth factor: an outcome that persons have once.
    """

    name: str
    scores: Scores
    distal: bool = False


def outcome_series(model: SemModel) -> tuple[OutcomeSeries, ...]:
    """The several outcomes of a growth model, in the order of their names; empty where it has one.

    Columns that load on the same growth factors are one outcome, unless their names fall into
    stems with the same numbers. An observed outcome that loads on no growth factor is one of its
    own, seen once.

    Parameters
    ----------
    model : SemModel
        Any model.
    """
    model = reduced(model).model
    loaded = growth_outcomes(model)
    alone = [y for y in model.outcomes if y not in loaded]
    if not loaded or not any(path.op == "=~" for path in model.paths):
        return ()
    parts = _components(model, loaded)
    if len(parts) == 1:
        parts = _by_stem(parts[0], loading_table(model))
    if len(parts) + len(alone) == 1:
        return ()
    made = []
    for k, part in enumerate(parts):
        name = common_stem(part) or (part[0] if len(part) == 1 else f"y{k + 1}")
        made.append(OutcomeSeries(name, time_scores(model, part)))
    made += [OutcomeSeries(y, ((y, 0.0),), distal=True) for y in alone]
    return tuple(sorted(made, key=lambda one: one.name))


def _components(model: SemModel, loaded: tuple[str, ...]) -> list[tuple[str, ...]]:
    """Columns joined by growth factors that they load on."""
    import networkx

    graph: Any = networkx.Graph()
    graph.add_nodes_from(("observed", y) for y in loaded)
    for factor, rows in loading_table(model).items():
        for y, row in rows.items():
            if row.free or row.value or row.definition:
                kind = "observed" if y in loaded else "latent"
                graph.add_edge(("latent", factor), (kind, y))
    for factor, rows in loading_table(model).items():
        for y in rows:
            # An occasion at which time is zero has no other loading where there is no intercept.
            if y in loaded and not graph[("observed", y)]:
                graph.add_edge(("latent", factor), ("observed", y))
    for path in model.paths:
        if path.op == "~" and path.value and {path.left, path.right} <= set(model.latent):
            graph.add_edge(("latent", path.left), ("latent", path.right))
    order = {y: k for k, y in enumerate(loaded)}
    parts = []
    for part in networkx.connected_components(graph):
        columns = sorted((y for kind, y in part if kind == "observed"), key=order.__getitem__)
        if columns:
            parts.append(tuple(columns))
    return sorted(parts, key=lambda part: order[part[0]])


def _by_stem(
    columns: tuple[str, ...], table: Mapping[str, Mapping[str, Path]]
) -> list[tuple[str, ...]]:
    """Columns that share factors, apart where their names say so.

    Each of several stems has the same numbers; or some numbers in common, and each stem a factor
    that loads on no other.
    """
    stems: dict[str | None, list[str]] = {}
    for y in columns:
        stems.setdefault(common_stem([y]), []).append(y)
    if None in stems or len(stems) < 2:
        return [columns]
    numbers = [{y[len(str(stem)) :] for y in own} for stem, own in stems.items()]
    if min(map(len, numbers)) < 2 or len(set.intersection(*numbers)) < 2:
        return [columns]
    loaded = [
        {y for y, row in rows.items() if row.free or row.value or row.definition}
        for rows in table.values()
    ]
    alone = all(any(there and there <= set(own) for there in loaded) for own in stems.values())
    if any(found != numbers[0] for found in numbers) and not alone:
        return [columns]
    return [tuple(own) for own in stems.values()]
