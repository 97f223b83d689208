"""The picture of missing data: patterns, and curves by when persons were last seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from growthmm.inference.missingness.result import MissingData
from growthmm.report.pictures.style import BLUE, GREY, PALETTE, drawing
from growthmm.report.text_size import shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["patterns_figure"]

MOST = 20
"""Patterns that are drawn."""

MARKS = ("o", "s", "^", "D", "v", "P", "X")


def patterns_figure(found: MissingData) -> Figure:
    """Patterns on the left, their persons in numbers; mean curves on the right, one an outcome.

    Parameters
    ----------
    found : MissingData
        What is drawn.
    """
    width = 4.6 + 4.4 * len(found.series)
    with drawing(width, 4.6) as made:
        axes = made.subplots(1, 1 + len(found.series), squeeze=False)[0]
        _patterns(axes[0], found)
        for panel, own in zip(axes[1:], found.series, strict=True):
            _curves(panel, found, own.name, own.columns)
    return made


def _patterns(axes: Axes, found: MissingData) -> None:
    table = found.patterns.head(MOST)
    columns = [name for name in table.columns if name not in ("n_observed", "count")]
    observed = table[columns].to_numpy(dtype=bool)
    for k, row in enumerate(observed):
        for j, seen in enumerate(row):
            colour = BLUE if seen else "white"
            axes.bar(j, 0.84, bottom=k - 0.42, width=0.84, color=colour, edgecolor=GREY, lw=0.6)
    axes.set_yticks(range(len(table)), [str(n) for n in table["count"]])
    axes.set_xticks(range(len(columns)), columns, rotation=90 if len(columns) > 6 else 0)
    axes.set_ylim(len(table) - 0.4, -0.6)
    axes.set_xlim(-0.6, len(columns) - 0.4)
    axes.set_ylabel("persons with the pattern")
    axes.set_title("observed (filled) and missing")
    axes.grid(visible=False)


def _curves(axes: Axes, found: MissingData, name: str, columns: tuple[str, ...]) -> None:
    means = found.means
    own = means[means["outcome"] == name]
    for k, (last, part) in enumerate(own.groupby("last_seen", sort=False)):
        at = [columns.index(column) for column in part["column"]]
        axes.plot(
            at,
            np.asarray(part["mean"], dtype=float),
            marker=MARKS[k % len(MARKS)],
            color=PALETTE[k % len(PALETTE)],
            label=f"{last} ({int(part['n_subjects'].iloc[0])})",
        )
    axes.set_xticks(range(len(columns)), columns, rotation=90 if len(columns) > 6 else 0)
    axes.set_ylabel(f"observed mean of {shortened(name, 28)}")
    axes.set_title("means by when last seen (persons)")
    axes.legend(fontsize=8)
