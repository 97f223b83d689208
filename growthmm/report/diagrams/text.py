"""The path diagram of a structural equation model, in text."""

from __future__ import annotations

from collections.abc import Mapping

from growthmm.model.sem import Path, SemModel

__all__ = ["path_diagram"]


def path_diagram(model: SemModel, values: Mapping[str, float] | None = None) -> str:
    """Draw a model's paths: loadings as a grid, then means, (co)variances and regressions.

    Drawn from the model's graph: latent variables stand in round brackets, observed ones in
    square ones, the constant as a triangle.

    Parameters
    ----------
    model : SemModel
        The model.
    values : mapping of str to float, optional
        Estimates by parameter name; where None, parameters stand by name.

    Returns
    -------
    str
        The diagram.
    """
    graph = model.graph()
    shapes = {
        node: {"latent": f"({node})", "observed": f"[{node}]", "constant": "/1\\"}[str(kind)]
        for node, kind in graph.nodes(data="kind")
    }

    def shown(path: Path) -> str:
        if not path.free:
            return path.definition or f"{path.value:g}"
        if values is not None and path.parameter in values:
            number = f"{values[path.parameter]:.4g}"
            return f"{path.label} = {number}" if path.label else number
        return path.label or "free"

    lines = [*_loadings(model, shapes, shown), ""]
    for path in model.paths:
        if path.op == "~1" and (path.free or path.value):
            lines.append(f"{shapes['1']} --- {shown(path)} --> {shapes[path.left]}")
    for path in model.paths:
        if path.op == "~" and (path.free or path.value):
            lines.append(f"{shapes[path.right]} --- {shown(path)} --> {shapes[path.left]}")
    for path in model.paths:
        if path.op == "~~" and path.left != path.right and (path.free or path.value):
            lines.append(f"{shapes[path.left]} <-- {shown(path)} --> {shapes[path.right]}")
    for path in model.paths:
        if path.op == "~~" and path.left == path.right and (path.free or path.value):
            lines.append(f"{shapes[path.left]} <-> itself: {shown(path)}")
    return "\n".join(lines)


def _loadings(model: SemModel, shapes: Mapping[str, str], shown) -> list[str]:  # type: ignore[no-untyped-def]
    indicators = list(dict.fromkeys(p.right for p in model.paths if p.op == "=~"))
    cells = {(p.left, p.right): shown(p) for p in model.paths if p.op == "=~"}
    heads = [shapes[name] for name in model.latent]
    if not heads:
        return []
    body = [[cells.get((factor, y), "") for y in indicators] for factor in model.latent]
    tops = [shapes[y] for y in indicators]
    widths = [max(len(tops[k]), *(len(row[k]) for row in body)) for k in range(len(tops))]
    first = max(len(head) for head in heads)
    lines = [" " * (first + 5) + "  ".join(t.center(w) for t, w in zip(tops, widths, strict=True))]
    lines[0] = lines[0].rstrip()
    for head, row in zip(heads, body, strict=True):
        cells_text = "  ".join(c.center(w) for c, w in zip(row, widths, strict=True))
        lines.append(f"{head.ljust(first)} --> {cells_text}".rstrip())
    return lines
