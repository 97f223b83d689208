"""The picture of a variance partition."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from growthmm.inference.variance.partition import VariancePartition
from growthmm.report.pictures.style import HATCHES, PALETTE, figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["variance_figure"]

MEANING = {
    "f1": "fixed effects, within (f1)",
    "f2": "fixed effects, between (f2)",
    "v1": "random slopes, within (v1)",
    "v2": "random slopes, between (v2)",
    "m": "persons' levels (m)",
    "residual": "residual",
}


def variance_figure(parts: VariancePartition) -> Figure:
    """Stacked shares of the variance in total, within persons and between them.

    Parameters
    ----------
    parts : VariancePartition
        What is drawn.
    """
    made, axes = figure(7.0, 4.0)
    shares = parts.shares
    columns = list(shares.columns)
    bottom = np.zeros(len(columns))
    for (name, row), colour, hatch in zip(shares.iterrows(), PALETTE, HATCHES, strict=False):
        height = np.nan_to_num(row.to_numpy(dtype=float))
        axes.bar(
            columns,
            height,
            bottom=bottom,
            width=0.6,
            label=MEANING[str(name)],
            color="0.92" if name == "residual" else colour,
            hatch=hatch,
            edgecolor="white" if name != "residual" else "0.6",
        )
        bottom += height
    axes.set_ylim(0, 1)
    axes.set_ylabel("share of variance")
    handles, labels = axes.get_legend_handles_labels()
    axes.legend(
        handles[::-1], labels[::-1], loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False
    )
    return made
