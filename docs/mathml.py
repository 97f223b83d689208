"""Formulas as MathML, which browsers draw themselves: the site needs no script and no network."""

from __future__ import annotations

from typing import Any

from docutils import nodes
from latex2mathml.converter import convert

SPACE = '<mspace width="0.17em" />'
WIDE = "overflow-x: auto; overflow-y: hidden; padding: 0.3em 0 0.8em"
"""A formula wider than the page scrolls by itself."""


def _mathml(text: str, display: str) -> str:
    made = convert(text.strip(), display=display)
    for word in ("log", "ln"):
        made = made.replace(f"<mi>{word}</mi>", f"<mi>{word}</mi>{SPACE}")
    return made


def _inline(translator: Any, node: nodes.Element) -> None:
    translator.body.append(_mathml(node.astext(), "inline"))
    raise nodes.SkipNode


def _block(translator: Any, node: nodes.Element) -> None:
    formula = _mathml(node.astext(), "block")
    translator.body.append(f'<div class="formula" style="{WIDE}">{formula}</div>\n')
    raise nodes.SkipNode


def setup(app: Any) -> dict[str, Any]:
    """Offer MathML as a renderer of formulas."""
    app.add_html_math_renderer(
        "mathml", inline_renderers=(_inline, None), block_renderers=(_block, None)
    )
    return {"parallel_read_safe": True, "parallel_write_safe": True}
