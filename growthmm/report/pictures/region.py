"""The picture of a simple slope over its moderator."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from growthmm.inference.reading.region import SignificanceRegion
from growthmm.report.pictures.style import PALETTE, figure
from growthmm.report.text_size import shortened

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["region_figure"]


def region_figure(region: SignificanceRegion, low: float, high: float) -> Figure:
    """The slope with its interval; where it differs from zero the interval is dark.

    Parameters
    ----------
    region : SignificanceRegion
        What is drawn.
    low, high : float
        Ends of the moderator's scale.
    """
    made, axes = figure()
    table = region.slopes(low, high)
    x = table["moderator"].to_numpy()
    differs = (table["ci_low"] > 0) | (table["ci_high"] < 0)
    for part, alpha, label in (
        (~differs.to_numpy(), 0.15, "does not differ from 0"),
        (differs.to_numpy(), 0.45, "differs from 0"),
    ):
        axes.fill_between(
            x,
            table["ci_low"],
            table["ci_high"],
            where=part,
            color=PALETTE[0],
            alpha=alpha,
            linewidth=0,
            label=label,
        )
    axes.plot(x, table["estimate"], color=PALETTE[0])
    axes.axhline(0, color="0.3", linewidth=0.8)
    for value in region.bounds:
        if low <= value <= high:
            axes.axvline(value, color=PALETTE[5], linestyle="--")
    axes.set_xlim(np.min(x), np.max(x))
    axes.set_xlabel("moderator")
    axes.set_ylabel(shortened(f"slope {region.slope}", 44))
    axes.legend(frameon=False)
    return made
