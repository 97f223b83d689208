"""Where everything of a path diagram stands: factors above, outcomes below, covariates beside.

The layout knows nothing of a file format; the drawings in SVG and with matplotlib share it.
Lengths are in pixels, x to the right and y down.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf
from typing import TYPE_CHECKING, Any

from growthmm.report.diagrams.curves import Arrow, Box, arc, arc_height, below, straight
from growthmm.report.diagrams.labels import placed
from growthmm.report.diagrams.routes import around, crossed, loop_of_factor, loop_of_outcome
from growthmm.report.text_size import shortened, text_width
from growthmm.report.text_table import figure

if TYPE_CHECKING:
    from growthmm.model.sem import SemModel

__all__ = ["Diagram", "Label", "Node", "diagram_layout", "diagram_parts"]

FONT, SMALL = 14.0, 11.0
HEIGHT, PAD, MARGIN = 38.0, 9.0, 26.0
LARGE = 1e5
"""Where an estimate is written with few digits and a power of ten."""

LONGEST = 18
GAP, ROW = 34.0, 150.0


@dataclass(frozen=True, slots=True)
class Node:
    """A variable: a square, a circle or a triangle.

    Parameters
    ----------
    name : str
        The whole name.
    text : str
        What is drawn of it.
    kind : {"observed", "latent", "constant"}
        Its shape.
    box : Box
        Where it stands.
    """

    name: str
    text: str
    kind: str
    box: Box


@dataclass(frozen=True, slots=True)
class Label:
    """What stands at an arrow, and where."""

    text: str
    box: Box


@dataclass(frozen=True)
class Diagram:
    """One group's path diagram.

    Parameters
    ----------
    title : str
        The group; empty where there is one.
    nodes : tuple of Node
        Variables.
    arrows : tuple of Arrow
        Paths.
    labels : tuple of Label
        The paths' texts. No two of them, and none of them and a node, overlap.
    width, height : float
        Of the whole.
    """

    title: str
    nodes: tuple[Node, ...]
    arrows: tuple[Arrow, ...]
    labels: tuple[Label, ...]
    width: float
    height: float


def diagram_layout(
    model: SemModel,
    values: Mapping[str, float] | None = None,
    *,
    group: int = 0,
    level: int = 1,
) -> Diagram:
    """Lay out the path diagram of one group, or one level.

    Factors stand above outcomes, and factors of factors above those; person-level covariates and
    the constant stand in the row at the top, what else acts on outcomes in the row at the bottom.
    Every label is put on its own arrow where it overlaps no other label and no variable; if one
    has no such place, or an arrow no way around the variables, everything is drawn further apart.

    Parameters
    ----------
    model : SemModel
        The model; paths fixed at zero are left out.
    values : mapping of str to float, optional
        Estimates by parameter name, to stand at free paths.
    group : int
        Which group, from 0.
    level : {1, 2}
        Which level: persons within clusters, or clusters.

    Returns
    -------
    Diagram
        Everything in its place.

    Examples
    --------
    >>> from growthmm.notation.lavaan.read import read
    >>> made = diagram_layout(read("i =~ 1*y0 + 1*y1; y0 ~~ r*y0; y1 ~~ r*y1"))
    >>> [node.name for node in made.nodes], sorted(label.text for label in made.labels)
    (['i', 'y0', 'y1', '1'], ['1', '1', 'r', 'r'])
    """
    graph = model.graph()
    edges = _edges(graph, group, level)
    rows = _rows(model, graph, edges)
    spread = 1.0
    for tries in range(SPREADS):
        nodes = _nodes(rows, graph, edges, spread)
        arrows, free = _arrows(edges, {node.name: node for node in nodes}, rows, spread)
        texts = [_shown(edge, values) for _, _, edge in edges]
        boxes = placed(arrows, texts, [node.box for node in nodes], SMALL)
        # Labels must have their places; an arrow that has no way around is let be in the end.
        if boxes is not None and (free or tries >= PATIENCE):
            break
        spread *= 1.2
    else:
        raise AssertionError("labels have room where everything is far apart")
    labels = [Label(t, b) for t, b in zip(texts, boxes, strict=True) if b is not None]
    return _framed(_title(model, group, level), nodes, arrows, labels)


SPREADS, PATIENCE = 60, 8
"""How often a drawing is spread at most, and for the sake of an arrow's way."""


def diagram_parts(
    model: SemModel, values: Mapping[str, float] | None = None
) -> tuple[Diagram, ...]:
    """The diagrams of every group, or of every level.

    Parameters
    ----------
    model : SemModel
        The model.
    values : mapping of str to float, optional
        Estimates by parameter name.
    """
    return tuple(
        diagram_layout(model, values, group=group, level=level)
        for group in range(model.n_groups)
        for level in range(1, model.n_levels + 1)
    )


def _title(model: SemModel, group: int, level: int) -> str:
    if model.n_levels > 1:
        return "within clusters (level 1)" if level == 1 else "between clusters (level 2)"
    if model.n_groups == 1:
        return ""
    return model.group_labels[group] if model.group_labels else f"group {group + 1}"


Edge = tuple[str, str, dict[str, Any]]


def _edges(graph: Any, group: int, level: int) -> list[Edge]:
    """The paths that are drawn. The constant is one node above and another below."""
    found = []
    for source, target, edge in graph.edges(data=True):
        zero = not edge["free"] and not edge["value"] and not edge["label"]
        here = (edge["group"], edge["level"]) == (group, level)
        if here and (not zero or edge["definition"]):
            found.append((source, target, edge))
    return found


def _shown(edge: Mapping[str, Any], values: Mapping[str, float] | None) -> str:
    if edge["definition"]:
        return shortened(f"data.{edge['definition']}", LONGEST)
    if not edge["free"]:
        return f"{edge['value']:g}"
    found = None if values is None else values.get(edge["label"] or edge["name"])
    if found is None:
        return shortened(edge["label"] or "", LONGEST)
    return figure(float(found)) if abs(found) < LARGE else f"{found:.3g}"


def _rows(model: SemModel, graph: Any, edges: list[Edge]) -> list[list[str]]:
    """Names of the variables, row by row from above."""
    ends = {name for source, target, _ in edges for name in (source, target)}
    latent = [n for n in model.latent if model.n_levels == 1 or n in ends]
    depth = dict.fromkeys(latent, 0)
    for _ in latent:
        for source, target, edge in edges:
            if edge["kind"] == "loading" and {source, target} <= depth.keys():
                depth[target] = max(depth[target], min(depth[source] + 1, len(depth)))
    layers = [[n for n in latent if depth[n] == k] for k in sorted(set(depth.values()))]
    acted = {s: {t for a, t, e in edges if a == s and e["kind"] == "regression"} for s in graph}
    top = [x for x in model.covariates if acted[x] & set(model.latent)]
    bottom = [x for x in model.covariates if x not in top and acted[x]]
    above, below_ = set(model.latent) | set(top), set(model.outcomes) | set(bottom)
    means = {t for s, t, e in edges if e["kind"] == "mean"}
    if means & above or (means and not layers):
        top = [*top, CONSTANT]
    if layers and means & below_:
        bottom = [*bottom, CONSTANT_BELOW]
    return [row for row in (top, *layers, list(model.outcomes), bottom) if row]


CONSTANT, CONSTANT_BELOW = "1", "1 "


def _nodes(rows: list[list[str]], graph: Any, edges: list[Edge], spread: float) -> list[Node]:
    widths = [
        [max(HEIGHT + 6, text_width(shortened(n, LONGEST), FONT) + 2 * PAD) for n in row]
        for row in rows
    ]
    natural = [sum(w) + GAP * spread * (len(w) - 1) for w in widths]
    whole = max(natural)
    tops = _tops(rows, graph, edges, spread)
    made: dict[str, Node] = {}
    for level, (row, sizes, least) in enumerate(zip(rows, widths, natural, strict=True)):
        gap, own = GAP * spread, least
        # A row of few variables is spread over the width of the others.
        room = whole * (0.72 if len(row) > 1 else 1.0)
        if len(row) > 1 and own < room:
            gap += (room - own) / (len(row) - 1)
            own = room
        x, y = (whole - own) / 2, tops[level]
        for name, width in zip(row, sizes, strict=True):
            kind = str(graph.nodes[name.strip()]["kind"]) if name != CONSTANT_BELOW else "constant"
            made[name] = Node(
                name, shortened(name, LONGEST).strip(), kind, Box(x, y, width, HEIGHT)
            )
            x += width + gap
        if level and level == len(rows) - 1 and made[row[0]].kind != "latent":
            made |= _under(row, made, edges, GAP * spread)
    order = [name for name in graph if name in made] + [CONSTANT_BELOW] * (CONSTANT_BELOW in made)
    return [made[name] for name in order]


def _tops(rows: list[list[str]], graph: Any, edges: list[Edge], spread: float) -> list[float]:
    """The height of every row: arcs above and below a row have room."""
    up, down = [0.0] * len(rows), [0.0] * len(rows)
    for source, target, _ in edges:
        for k, row in enumerate(rows):
            if source != target and {source, target} <= set(row):
                apart = abs(row.index(source) - row.index(target)) * spread
                low = _hangs(k, rows, str(graph.nodes[target]["kind"]))
                side = down if low else up
                side[k] = max(side[k], 0.75 * arc_height(apart, down=low) + ARC_ROOM)
    tops = [0.0]
    for k in range(1, len(rows)):
        room = max(ROW * (0.6 + 0.4 * spread), HEIGHT + down[k - 1] + up[k])
        tops.append(tops[-1] + room)
    return tops


ARC_ROOM = 24.0
"""Pixels between an arc and the next row."""


def _hangs(level: int, rows: list[list[str]], kind: str) -> bool:
    """Whether what is curved stands below its variable: at outcomes, above it at others."""
    return kind == "observed" and (level == len(rows) - 1 or level > 0)


def _under(
    row: list[str], nodes: Mapping[str, Node], edges: list[Edge], gap: float
) -> dict[str, Node]:
    """The variables of the lowest row, each under what it acts on as far as there is room."""
    wanted = {}
    for name in row:
        ends = [nodes[t].box.center[0] for s, t, _ in edges if s == name.strip() and t not in row]
        if not ends:
            return {}
        wanted[name] = sum(ends) / len(ends)
    made, free = {}, -inf
    for name in sorted(row, key=wanted.__getitem__):
        box = nodes[name].box
        x = max(free, wanted[name] - box.width / 2)
        made[name] = replace(nodes[name], box=Box(x, box.y, box.width, box.height))
        free = x + box.width + gap
    # Pushed apart they have drifted to the right.
    drift = sum(made[n].box.center[0] - wanted[n] for n in row) / len(row)
    return {n: replace(node, box=node.box.moved(-drift, 0.0)) for n, node in made.items()}


def _arrows(
    edges: list[Edge], nodes: Mapping[str, Node], rows: list[list[str]], spread: float
) -> tuple[list[Arrow], bool]:
    """Every path's arrow, and whether all have a way that crosses no variable."""
    level = {name: k for k, row in enumerate(rows) for name in row}
    place = {name: k for row in rows for k, name in enumerate(row)}
    made: list[Arrow | None] = []
    free_ways = True
    for source, target, edge in edges:
        start = _constant(source, target, level, nodes)
        a, b = nodes[start], nodes[target]
        kind, free = str(edge["kind"]), bool(edge["free"])
        down = _hangs(level[target], rows, b.kind)
        if source == target:
            made.append(None)
            continue
        if level[start] == level[target]:
            apart = abs(place[start] - place[target])
            if kind == "regression" and apart == 1:
                arrow = straight(a.box, b.box, a.kind, b.kind, kind=kind, free=free)
            else:
                arrow = arc(a.box, b.box, apart * spread, down=down, kind=kind, free=free)
        elif kind == "loading" and b.kind == "observed":
            port = _port(start, rows[level[start]])
            arrow = below(a.box, b.box, a.kind, port, free=free)
        else:
            arrow = straight(a.box, b.box, a.kind, b.kind, kind=kind, free=free)
        others = [node.box for name, node in nodes.items() if name not in (start, target)]
        arrow = around(arrow, others)
        free_ways = free_ways and not crossed(arrow, others)
        made.append(arrow)
    return _with_loops(edges, nodes, made, rows), free_ways


def _with_loops(
    edges: list[Edge],
    nodes: Mapping[str, Node],
    made: Sequence[Arrow | None],
    rows: list[list[str]],
) -> list[Arrow]:
    """The arrows with the variances, each where its variable has room."""
    level = {name: k for k, row in enumerate(rows) for name in row}
    points = [p for arrow in made if arrow is not None for p in (arrow.points[0], arrow.points[3])]
    found = []
    for (source, _, edge), arrow in zip(edges, made, strict=True):
        if arrow is not None:
            found.append(arrow)
            continue
        node, kind, free = nodes[source], str(edge["kind"]), bool(edge["free"])
        ends = [p for p in points if node.box.holds(p)]
        if node.kind == "latent":
            found.append(loop_of_factor(node.box, ends, kind=kind, free=free))
        else:
            down = _hangs(level[source], rows, node.kind)
            found.append(loop_of_outcome(node.box, ends, down=down, kind=kind, free=free))
    return found


def _constant(source: str, target: str, level: Mapping[str, int], nodes: Mapping[str, Node]) -> str:
    """Which of the two triangles a mean comes from."""
    if source != CONSTANT or CONSTANT_BELOW not in nodes:
        return source
    if CONSTANT not in nodes:
        return CONSTANT_BELOW
    near = abs(level[target] - level[CONSTANT_BELOW]) <= 1 and nodes[target].kind == "observed"
    return CONSTANT_BELOW if near else CONSTANT


def _port(name: str, row: list[str]) -> float:
    """Where on the top of an outcome a factor's arrow ends, -1 to 1."""
    return 0.0 if len(row) == 1 else 2 * row.index(name) / (len(row) - 1) - 1


def _framed(title: str, nodes: list[Node], arrows: list[Arrow], labels: list[Label]) -> Diagram:
    """Everything moved so that the drawing begins at the margin."""
    boxes = [n.box for n in nodes] + [label.box for label in labels] + [a.bounds for a in arrows]
    left, top = min(b.x for b in boxes) - MARGIN, min(b.y for b in boxes) - MARGIN
    right = max(b.x + b.width for b in boxes) + MARGIN
    bottom = max(b.y + b.height for b in boxes) + MARGIN
    head = 24.0 if title else 0.0
    dx, dy = -left, head - top
    return Diagram(
        title,
        tuple(Node(n.name, n.text, n.kind, n.box.moved(dx, dy)) for n in nodes),
        tuple(a.moved(dx, dy) for a in arrows),
        tuple(Label(label.text, label.box.moved(dx, dy)) for label in labels),
        max(right - left, text_width(title, FONT) + 2 * MARGIN),
        bottom - top + head,
    )
