"""The picture of expected courses over time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from growthmm.inference.reading.trajectories import Trajectories
from growthmm.report.pictures.style import PALETTE, figure
from growthmm.report.text_size import shortened

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["trajectories_figure"]

LINES = ("-", "--", ":", "-.")


def trajectories_figure(courses: Trajectories) -> Figure:
    """A line with its band for each course; colour and dash tell them apart.

    Parameters
    ----------
    courses : Trajectories
        What is drawn.
    """
    made, axes = figure()
    for k, (label, part) in enumerate(courses.table.groupby("course", sort=False)):
        colour = PALETTE[k % len(PALETTE)]
        x = part[courses.time].to_numpy()
        axes.fill_between(x, part["ci_low"], part["ci_high"], color=colour, alpha=0.2, linewidth=0)
        axes.plot(
            x, part["estimate"], color=colour, linestyle=LINES[k % len(LINES)], label=str(label)
        )
    axes.set_xlabel(shortened(str(courses.time), 60))
    axes.set_ylabel(f"expected outcome, {100 * courses.coverage:g}% {courses.interval} band")
    if courses.table["course"].nunique() > 1:
        axes.legend(frameon=False)
    return made
