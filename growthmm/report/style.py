"""One look for all pictures: colours told apart by everyone, matplotlib only where it is drawn."""

from __future__ import annotations

from types import ModuleType
from typing import TYPE_CHECKING

from growthmm.errors import EngineNotInstalledError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["COLOURS", "HATCHES", "figure", "matplotlib"]

COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00")
"""Okabe and Ito's colours, distinct in every common form of colour vision."""

HATCHES = ("", "//", "..", "\\\\", "xx", "--")
"""A second sign beside each colour, for print in black and white."""


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


def figure(width: float = 6.4, height: float = 4.0) -> tuple[Figure, Axes]:
    """An empty picture in the common style.

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
    matplotlib()
    from matplotlib.figure import Figure

    made = Figure(figsize=(width, height), layout="constrained")
    axes = made.add_subplot()
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color="0.9")
    axes.set_axisbelow(True)
    return made, axes
