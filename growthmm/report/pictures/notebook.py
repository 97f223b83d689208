"""Figures that notebooks show in place, of no window and without ``%matplotlib``."""

from __future__ import annotations

from io import BytesIO

from matplotlib.figure import Figure

__all__ = ["NotebookFigure"]


class NotebookFigure(Figure):
    """A figure that brings its picture with it.

    Notebooks draw figures of matplotlib only once pyplot has told them how. Where it has, that
    way is taken, and the figure appears once either way.
    """

    def _repr_png_(self) -> bytes:
        stream = BytesIO()
        self.savefig(stream, format="png", dpi=self.dpi)
        return stream.getvalue()
