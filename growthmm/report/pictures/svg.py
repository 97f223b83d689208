"""A matplotlib figure as an SVG element that can stand in a page beside others."""

from __future__ import annotations

import re
from html import escape
from io import StringIO
from typing import TYPE_CHECKING

from growthmm.report.pictures.style import any_letters

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["figure_svg"]

_OWN = re.compile(r'(\sid="|url\(#|href="#)')


def figure_svg(figure: Figure, name: str, about: str) -> str:
    """The figure as ``<svg>``: text stays text, ids begin with `name`.

    Parameters
    ----------
    figure : Figure
        The figure.
    name : str
        Prefix of every id within.
    about : str
        What those are told who don't see it.
    """
    import matplotlib as mpl

    stream = StringIO()
    with (
        any_letters(),
        mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": name, "text.parse_math": False}),
    ):
        figure.savefig(stream, format="svg", metadata={"Date": None}, dpi=110)
    text = stream.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.S)
    text = _OWN.sub(lambda found: f"{found[1]}{name}-", text)
    return text.replace("<svg", f'<svg role="img" aria-label="{escape(about)}"', 1)
