"""Where everything of a path diagram stands: factors above, outcomes below, covariates beside.

The layout knows nothing of a file format; the drawings in SVG and with matplotlib share it.
Lengths are in pixels, x to the right and y down.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import inf
from typing import TYPE_CHECKING, Any

from growthmm.report.diagram_curves import Arrow, Box, arc, below, loop, straight
from growthmm.report.diagram_labels import placed
from growthmm.report.text_size import shortened, text_width
from growthmm.report.text_table import figure

if TYPE_CHECKING:
    from growthmm.model.sem import SemModel

__all__ = ["Diagram", "Label", "Node", "diagram_layout"]

FONT, SMALL = 14.0, 11.0
HEIGHT, PAD, MARGIN = 38.0, 9.0, 26.0
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
    model: SemModel, values: Mapping[str, float] | None = None, *, group: int = 0
) -> Diagram:
    """Lay out one group's path diagram.

    Factors stand above outcomes, and factors of factors above those; person-level covariates and
    the constant stand in the row at the top, what else acts on outcomes in the row at the bottom.
    Every label is put on its own arrow where it overlaps no other label and no variable; if one
    has no such place, everything is drawn further apart.

    Parameters
    ----------
    model : SemModel
        The model; paths fixed at zero are left out.
    values : mapping of str to float, optional
        Estimates by parameter name, to stand at free paths.
    group : int
        Which group, from 0.

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
    edges = _edges(graph, group)
    rows = _rows(model, graph, edges)
    title = model.group_labels[group] if model.group_labels else f"group {group + 1}"
    spread = 1.0
    while True:
        nodes = _nodes(rows, graph, edges, spread)
        arrows = _arrows(edges, {node.name: node for node in nodes}, rows, spread)
        texts = [_shown(edge, values) for _, _, edge in edges]
        boxes = placed(arrows, texts, [node.box for node in nodes], SMALL)
        if boxes is not None:
            break
        spread *= 1.2
    labels = [Label(t, b) for t, b in zip(texts, boxes, strict=True) if b is not None]
    return _framed(title if model.n_groups > 1 else "", nodes, arrows, labels)


Edge = tuple[str, str, dict[str, Any]]


def _edges(graph: Any, group: int) -> list[Edge]:
    """The paths that are drawn. The constant is one node above and another below."""
    found = []
    for source, target, edge in graph.edges(data=True):
        zero = not edge["free"] and not edge["value"] and not edge["label"]
        if edge["group"] == group and (not zero or edge["definition"]):
            found.append((source, target, edge))
    return found


def _shown(edge: Mapping[str, Any], values: Mapping[str, float] | None) -> str:
    if edge["definition"]:
        return shortened(f"data.{edge['definition']}", LONGEST)
    if not edge["free"]:
        return f"{edge['value']:g}"
    found = None if values is None else values.get(edge["label"] or edge["name"])
    return shortened(edge["label"] or "", LONGEST) if found is None else figure(float(found))


def _rows(model: SemModel, graph: Any, edges: list[Edge]) -> list[list[str]]:
    """Names of the variables, row by row from above."""
    depth = dict.fromkeys(model.latent, 0)
    for _ in model.latent:
        for source, target, edge in edges:
            if edge["kind"] == "loading" and {source, target} <= depth.keys():
                depth[target] = max(depth[target], min(depth[source] + 1, len(depth)))
    layers = [[n for n in model.latent if depth[n] == k] for k in sorted(set(depth.values()))]
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
    made: dict[str, Node] = {}
    for level, (row, sizes, least) in enumerate(zip(rows, widths, natural, strict=True)):
        gap, own = GAP * spread, least
        # A row of few variables is spread over the width of the others.
        room = whole * (0.72 if len(row) > 1 else 1.0)
        if len(row) > 1 and own < room:
            gap += (room - own) / (len(row) - 1)
            own = room
        x, y = (whole - own) / 2, level * ROW * (0.6 + 0.4 * spread)
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
) -> list[Arrow]:
    level = {name: k for k, row in enumerate(rows) for name in row}
    place = {name: k for row in rows for k, name in enumerate(row)}
    arrows = []
    for source, target, edge in edges:
        start = _constant(source, target, level, nodes)
        a, b = nodes[start], nodes[target]
        kind, free = str(edge["kind"]), bool(edge["free"])
        lower = level[target] == len(rows) - 1 or (level[target] > 0 and b.kind == "observed")
        down = lower and b.kind == "observed"
        if source == target:
            arrows.append(loop(b.box, down=down, kind=kind, free=free, round_=b.kind == "latent"))
        elif level[start] == level[target]:
            apart = abs(place[start] - place[target])
            if kind == "regression" and apart == 1:
                arrows.append(straight(a.box, b.box, a.kind, b.kind, kind=kind, free=free))
            else:
                arrows.append(arc(a.box, b.box, apart * spread, down=down, kind=kind, free=free))
        elif kind == "loading" and b.kind == "observed":
            arrows.append(below(a.box, b.box, a.kind, _port(start, rows[level[start]]), free=free))
        else:
            arrows.append(straight(a.box, b.box, a.kind, b.kind, kind=kind, free=free))
    return arrows


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
