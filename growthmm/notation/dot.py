"""Graphviz DOT: the path diagram of a model; written only."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from growthmm.model.sem import SemModel
from growthmm.notation.sem.notation import WrittenOnly
from growthmm.notation.sem.text import number_text

__all__ = ["NOTATION", "DotNotation", "diagram", "quoted"]

_SHAPES = {"latent": "ellipse", "observed": "box", "constant": "triangle"}
_START = re.compile(r"\s*(?:strict\s+)?(?:di)?graph\b[^~]*\{")


def quoted(text: str) -> str:
    r"""`text` as a string of DOT, in which nothing is an escape sequence.

    Examples
    --------
    >>> print(quoted('a "b" \\N'))
    "a \"b\" \\N"
    """
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\0", "")
    return '"' + escaped.replace("\r", " ").replace("\n", "\\n") + '"'


def diagram(model: SemModel) -> str:
    """Draw a model's path diagram.

    Squares are observed variables, circles latent ones, the triangle is the constant from which
    means come. An arrow with one head is a loading or regression, a curved one with two heads a
    (co)variance. A fixed path shows its number, a labelled one its label; zero paths are left
    out.

    Parameters
    ----------
    model : SemModel
        The model; each of several groups is a cluster of its own.

    Returns
    -------
    str
        A DOT graph.

    Examples
    --------
    >>> from growthmm.notation.lavaan.read import read
    >>> print(diagram(read("i =~ 1*y0; y0 ~~ r*y0")))
    digraph model {
      graph [rankdir=TB];
      node [fontname="Helvetica"];
      edge [fontname="Helvetica", fontsize=10];
      v0 [label="i", shape=ellipse];
      v1 [label="y0", shape=box];
      v2 [label="1", shape=triangle];
      v0 -> v1 [label="1"];
      v0 -> v0 [dir=both];
      v1 -> v1 [label="r", dir=both];
      v2 -> v0 [style=dotted];
      {rank=same; v1;}
    }
    """
    graph = model.graph()
    lines = [
        "digraph model {",
        "  graph [rankdir=TB];",
        '  node [fontname="Helvetica"];',
        '  edge [fontname="Helvetica", fontsize=10];',
    ]
    if model.n_groups == 1:
        lines += [f"  {line}" for line in _group(graph, model, 0, "v")]
        return "\n".join([*lines, "}"])
    for group in range(model.n_groups):
        name = model.group_labels[group] if model.group_labels else f"group {group + 1}"
        lines += [f"  subgraph cluster_{group} {{", f"    label={quoted(name)};"]
        lines += [f"    {line}" for line in _group(graph, model, group, f"g{group}_")]
        lines.append("  }")
    return "\n".join([*lines, "}"])


def _group(graph: Any, model: SemModel, group: int, prefix: str) -> Iterator[str]:
    """Nodes and edges of one group."""
    ids = {name: f"{prefix}{k}" for k, name in enumerate(graph.nodes)}
    for name, kind in graph.nodes(data="kind"):
        yield f"{ids[name]} [label={quoted(name)}, shape={_SHAPES[kind]}];"
    for source, target, edge in graph.edges(data=True):
        zero = not edge["free"] and not edge["value"] and not edge["label"]
        if edge["group"] != group or (zero and not edge["definition"]):
            continue
        attributes = []
        shown = _shown(edge)
        if shown:
            attributes.append(f"label={quoted(shown)}")
        if edge["kind"] in ("variance", "covariance"):
            attributes.append("dir=both")
        if edge["kind"] == "covariance":
            attributes.append("constraint=false")
        if edge["kind"] == "mean":
            attributes.append("style=dotted")
        ending = f" [{', '.join(attributes)}]" if attributes else ""
        yield f"{ids[source]} -> {ids[target]}{ending};"
    outcomes = "; ".join(ids[name] for name in model.outcomes)
    if outcomes:
        yield f"{{rank=same; {outcomes};}}"


def _shown(edge: dict[str, Any]) -> str:
    """What stands at an arrow."""
    if edge["definition"]:
        return f"data.{edge['definition']}"
    if edge["free"]:
        return edge["label"] or ""
    number = number_text(edge["value"])
    return f"{edge['label']} = {number}" if edge["label"] else number


class DotNotation(WrittenOnly):
    """Graphviz's language, as a notation that is only written."""

    name = "dot"
    title = "Graphviz DOT"
    shown_as = "A path diagram"
    of_sems = "a path diagram is of a structural equation model"
    unread = "Graphviz DOT is written, not read: a diagram does not hold the whole model."

    def render(self, model: SemModel) -> str:
        """The diagram; see :func:`diagram`."""
        return diagram(model)

    def recognises(self, text: str) -> bool:
        """Whether `text` is a graph."""
        return _START.match(text) is not None


NOTATION = DotNotation()
