"""A path diagram as SVG: real text, a title and a description for those who don't see it."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import TYPE_CHECKING

from growthmm.report.diagrams.curves import Arrow
from growthmm.report.diagrams.layout import FONT, SMALL, Diagram, Node, diagram_parts
from growthmm.report.diagrams.text import path_diagram
from growthmm.report.pictures.style import BLUE, INK

if TYPE_CHECKING:
    from growthmm.model.sem import SemModel

__all__ = ["diagram_svg"]

READABLE = 0.8
"""Share of its size below which a drawing is scrolled rather than made smaller."""


def diagram_svg(
    model: SemModel, values: Mapping[str, float] | None = None, *, name: str = "diagram"
) -> str:
    """Draw a model's path diagram as an SVG element.

    Squares are observed variables, circles latent ones, the triangle is the constant from which
    means come; curved arrows with two heads are variances and covariances. Estimated paths are
    drawn full, fixed ones dashed. Groups, and levels, stand one below the other.

    Parameters
    ----------
    model : SemModel
        The model.
    values : mapping of str to float, optional
        Estimates by parameter name.
    name : str
        Prefix of the ids within, so that several drawings can stand in one page.

    Returns
    -------
    str
        ``<svg>...</svg>``, with the diagram in words as its description.

    Examples
    --------
    >>> from growthmm.notation.lavaan.read import read
    >>> print(diagram_svg(read("i =~ 1*y0 + 1*y1"))[:46])
    <svg xmlns="http://www.w3.org/2000/svg" role="
    """
    parts = diagram_parts(model, values)
    width, height = max(p.width for p in parts), sum(p.height for p in parts)
    body, top = [], 0.0
    for part in parts:
        body.append(f'<g transform="translate(0 {top:.1f})">{_part(part, name)}</g>')
        top += part.height
    about = escape(path_diagram(model, values))
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" role="img" '
            f'viewBox="0 0 {width:.1f} {height:.1f}" width="{width:.0f}" height="{height:.0f}" '
            f'style="max-width:100%;min-width:{READABLE * width:.0f}px" '
            f'aria-labelledby="{name}-title {name}-desc" '
            f'font-family="Helvetica, Arial, sans-serif">',
            f'<title id="{name}-title">Path diagram</title>',
            f'<desc id="{name}-desc">{about}</desc>',
            f'<defs><marker id="{name}-head" viewBox="0 0 10 10" refX="9" refY="5" '
            'markerWidth="7" markerHeight="7" orient="auto-start-reverse">'
            f'<path d="M0 0.5L10 5L0 9.5z" fill="{INK}"/></marker></defs>',
            *body,
            "</svg>",
        ]
    )


def _part(diagram: Diagram, name: str) -> str:
    made = []
    if diagram.title:
        made.append(f'<text x="8" y="20" font-size="{FONT}">{escape(diagram.title)}</text>')
    made += [_arrow(arrow, name) for arrow in diagram.arrows]
    made += [_node(node) for node in diagram.nodes]
    for label in diagram.labels:
        box = label.box
        x, y = box.center
        made.append(
            f'<rect x="{box.x:.1f}" y="{box.y:.1f}" width="{box.width:.1f}" '
            f'height="{box.height:.1f}" fill="#fff"/>'
            f'<text x="{x:.1f}" y="{y:.1f}" font-size="{SMALL}" text-anchor="middle" '
            f'dominant-baseline="central" fill="{INK}">{escape(label.text)}</text>'
        )
    return "\n".join(made)


def _arrow(arrow: Arrow, name: str) -> str:
    (ax, ay), (bx, by), (cx, cy), (dx, dy) = arrow.points
    head = f"url(#{name}-head)"
    start = f' marker-start="{head}"' if arrow.two_headed else ""
    dash = "" if arrow.free else ' stroke-dasharray="5 3"'
    return (
        f'<path d="M{ax:.1f} {ay:.1f}C{bx:.1f} {by:.1f} {cx:.1f} {cy:.1f} {dx:.1f} {dy:.1f}" '
        f'fill="none" stroke="{INK}" stroke-width="1.2"{dash}{start} marker-end="{head}"/>'
    )


def _node(node: Node) -> str:
    box = node.box
    x, y = box.center
    paint = f'fill="#fff" stroke="{BLUE if node.kind == "latent" else INK}" stroke-width="1.6"'
    if node.kind == "latent":
        shape = (
            f'<ellipse cx="{x:.1f}" cy="{y:.1f}" rx="{box.width / 2:.1f}" '
            f'ry="{box.height / 2:.1f}" {paint}>'
        )
        end = "</ellipse>"
    elif node.kind == "constant":
        low = box.y + box.height
        shape = (
            f'<path d="M{x:.1f} {box.y:.1f}L{box.x + box.width:.1f} {low:.1f}'
            f'L{box.x:.1f} {low:.1f}z" {paint}>'
        )
        end = "</path>"
    else:
        shape = (
            f'<rect x="{box.x:.1f}" y="{box.y:.1f}" width="{box.width:.1f}" '
            f'height="{box.height:.1f}" {paint}>'
        )
        end = "</rect>"
    low = 7.0 if node.kind == "constant" else 0.0
    return (
        f"{shape}<title>{escape(node.name.strip())}</title>{end}"
        f'<text x="{x:.1f}" y="{y + low:.1f}" font-size="{FONT}" text-anchor="middle" '
        f'dominant-baseline="central" fill="{INK}">{escape(node.text)}</text>'
    )
