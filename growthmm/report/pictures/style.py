"""The look of every picture: one palette, safe for colour-blind readers, one set of settings."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import TYPE_CHECKING, Any

from growthmm.errors import EngineNotInstalledError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = [
    "BLUE",
    "EDGED",
    "GREEN",
    "GREY",
    "HATCHES",
    "INK",
    "ORANGE",
    "PALETTE",
    "RED",
    "any_letters",
    "drawing",
    "figure",
    "matplotlib",
]

INK, GREY = "#22262b", "#8a9099"
BLUE, ORANGE, GREEN, RED = "#0072b2", "#e69f00", "#009e73", "#d55e00"
PALETTE = (BLUE, ORANGE, GREEN, RED, "#cc79a7", "#56b4e9", "#f0e442")
"""Okabe and Ito's colours (Wong 2011, doi:10.1038/nmeth.1618)."""

EDGED: dict[str, Any] = {"markeredgecolor": INK, "markeredgewidth": 0.5}
"""An edge for marks, some colours of which are pale on white."""

HATCHES = ("", "//", "..", "\\\\", "xx", "--", "oo")
"""A second sign beside each colour, for print in black and white."""

_SETTINGS: dict[str, Any] = {
    "font.family": "sans-serif",
    "font.size": 10,
    "axes.edgecolor": GREY,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 11,
    "axes.titlelocation": "left",
    "axes.grid": True,
    "grid.color": "#e4e6e9",
    "grid.linewidth": 0.6,
    "axes.axisbelow": True,
    "text.color": INK,
    "text.parse_math": False,
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.frameon": False,
    "figure.dpi": 100,
    "savefig.dpi": 160,
    "svg.fonttype": "none",
    "figure.constrained_layout.use": True,
}


def matplotlib() -> ModuleType:
    """The drawing library.

    Raises
    ------
    EngineNotInstalledError
        If it is not installed.
    """
    try:
        import matplotlib as library
    except ImportError:
        raise EngineNotInstalledError(
            "Pictures are drawn by matplotlib, which is not installed.",
            hint="pip install 'growthmm[plots]'",
        ) from None
    return library


@contextmanager
def any_letters() -> Iterator[None]:
    """Letters that the drawing library's font lacks are no warning: a page's reader has fonts."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        yield


@contextmanager
def drawing(width: float = 6.4, height: float = 4.2) -> Iterator[Figure]:
    """A new figure (inches) under growthmm's settings, which end with the block.

    The figure belongs to no window and no global state of matplotlib; notebooks show it.
    """
    mpl = matplotlib()
    from growthmm.report.pictures.notebook import NotebookFigure

    with mpl.rc_context():
        mpl.rcdefaults()
        settings: Any = mpl.rcParams
        settings.update(_SETTINGS)
        yield NotebookFigure(figsize=(width, height))


def figure(width: float = 6.4, height: float = 4.0) -> tuple[Figure, Axes]:
    """An empty picture of one panel in the common style.

    Parameters
    ----------
    width, height : float
        In inches.

    Returns
    -------
    figure : Figure
        Not registered with pyplot: nothing has to be closed.
    axes : Axes

    Raises
    ------
    EngineNotInstalledError
        If matplotlib is absent.
    """
    with drawing(width, height) as made:
        return made, made.add_subplot()
