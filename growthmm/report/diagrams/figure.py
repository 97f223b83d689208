"""A path diagram drawn with matplotlib, for PNG and PDF."""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO
from typing import TYPE_CHECKING, Any

from growthmm.report.diagrams.curves import Arrow
from growthmm.report.diagrams.layout import FONT, SMALL, Diagram, Node, diagram_parts
from growthmm.report.pictures.style import BLUE, INK, drawing

if TYPE_CHECKING:
    from growthmm.model.sem import SemModel

__all__ = ["diagram_picture"]

POINTS = 0.72
"""Points of type in a pixel of the layout, at 100 pixels an inch."""


def diagram_picture(
    model: SemModel, values: Mapping[str, float] | None = None, *, kind: str = "png"
) -> bytes:
    """Draw a model's path diagram as a picture, as ``diagram_svg`` draws it.

    Parameters
    ----------
    model : SemModel
        The model.
    values : mapping of str to float, optional
        Estimates by parameter name.
    kind : {"png", "pdf"}
        The file's format.

    Returns
    -------
    bytes
        The file.
    """
    parts = diagram_parts(model, values)
    width, height = max(p.width for p in parts), sum(p.height for p in parts)
    with drawing(width / 100, height / 100) as figure:
        figure.set_layout_engine("none")
        axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
        axes.set_xlim(0, width)
        axes.set_ylim(height, 0)
        axes.axis("off")
        top = 0.0
        for part in parts:
            _draw(axes, part, top)
            top += part.height
        stream = BytesIO()
        figure.savefig(stream, format=kind)
    return stream.getvalue()


def _draw(axes: Any, diagram: Diagram, top: float) -> None:
    if diagram.title:
        axes.text(8, top + 20, diagram.title, fontsize=FONT * POINTS)
    for arrow in diagram.arrows:
        _arrow(axes, arrow.moved(0.0, top))
    for node in diagram.nodes:
        _node(axes, node, top)
    for label in diagram.labels:
        x, y = label.box.center
        axes.text(
            *(x, y + top, label.text),
            **_TEXT,
            fontsize=SMALL * POINTS,
            zorder=4,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.0},
        )


_TEXT = {"ha": "center", "va": "center", "color": INK}


def _arrow(axes: Any, arrow: Arrow) -> None:
    from matplotlib.patches import FancyArrowPatch
    from matplotlib.path import Path

    axes.add_patch(
        FancyArrowPatch(
            path=Path(list(arrow.points), [Path.MOVETO, *[Path.CURVE4] * 3]),
            arrowstyle="<|-|>" if arrow.two_headed else "-|>",
            mutation_scale=8,
            linewidth=0.9,
            linestyle="-" if arrow.free else (0, (4, 2.5)),
            color=INK,
            zorder=1,
        )
    )


def _node(axes: Any, node: Node, top: float) -> None:
    from matplotlib import patches

    box = node.box.moved(0.0, top)
    x, y = box.center
    paint: dict[str, Any] = {"facecolor": "white", "linewidth": 1.2, "zorder": 2}
    paint["edgecolor"] = BLUE if node.kind == "latent" else INK
    if node.kind == "latent":
        axes.add_patch(patches.Ellipse((x, y), box.width, box.height, **paint))
    elif node.kind == "constant":
        low = box.y + box.height
        corners = [(x, box.y), (box.x + box.width, low), (box.x, low)]
        axes.add_patch(patches.Polygon(corners, closed=True, **paint))
        y += 7.0
    else:
        axes.add_patch(patches.Rectangle((box.x, box.y), box.width, box.height, **paint))
    axes.text(x, y, node.text, fontsize=FONT * POINTS, zorder=3, **_TEXT)
