"""The picture of data and fitted curves: persons, mean curve, means of the data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from growthmm.engines.prepare import WideData
from growthmm.engines.wide.problem import WideGroup
from growthmm.equivalence.result import Equivalence
from growthmm.report.pictures.style import BLUE, EDGED, GREY, INK, ORANGE
from growthmm.report.text_size import shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["SHOWN", "draw_trajectories", "observed_outcomes", "times_of_persons"]

FloatArray = NDArray[np.float64]

SHOWN = 60
"""Persons whose own curves are drawn at most."""

BINS = 8
"""Groups of near times over which means are taken where times are everyone's own."""


def observed_outcomes(result: Equivalence) -> FloatArray:
    """The outcomes, (n_subjects, n_times); not a number where missing."""
    data = result.sem_fit.data
    assert isinstance(data, WideData)
    groups = data.problem.groups
    return np.concatenate([g.outcomes for g in groups if isinstance(g, WideGroup)])


def times_of_persons(result: Equivalence) -> tuple[FloatArray, str, bool]:
    """When each outcome was observed, (n_subjects, n_times), what that is called, whether shared.

    Where no column of the wide form holds individual times, places in order stand for them.
    """
    schema = result.pair.growth.schema
    n_subjects, n = observed_outcomes(result).shape
    if schema.shared_times and len(schema.occasions) == n:
        times = np.asarray(schema.occasions, dtype=float)
        return np.tile(times, (n_subjects, 1)), schema.time or "time", True
    own = _individual(result)
    if own is not None:
        return own, schema.time or "time", False
    return np.tile(np.arange(1.0, n + 1), (n_subjects, 1)), "outcome, in order", True


def _individual(result: Equivalence) -> FloatArray | None:
    """The definition variables of the factor whose loading is time itself."""
    schema, model = result.pair.growth.schema, result.pair.sem.model
    data = result.sem_fit.data
    assert isinstance(data, WideData)
    for factor in result.pair.growth.factors:
        if factor.definition is None or factor.column.term.factors != (schema.time,):
            continue
        own = [p for p in model.paths if (p.left, p.op) == (factor.name, "=~")]
        found = {p.right: p.definition for p in own}
        columns = []
        for group in data.problem.groups:
            assert isinstance(group, WideGroup)
            known = dict(group.definitions)
            columns.append(np.column_stack([known[str(found[y])] for y in model.outcomes]))
        return np.concatenate(columns)
    return None


def draw_trajectories(result: Equivalence, figure: Figure) -> None:
    """Draw them, a panel for each of several outcomes."""
    times, name, shared = times_of_persons(result)
    seen, own = observed_outcomes(result), result.sem_fit.predict(level="person")
    mean = result.sem_fit.predict(level="population")
    chosen = np.linspace(0, len(seen) - 1, min(SHOWN, len(seen))).astype(int)
    schema = result.pair.growth.schema
    panels = [(str(one), list(schema.cells_of(one))) for one in schema.outcomes]
    panels = panels or [(schema.outcome, list(range(times.shape[1])))]
    for k, (outcome, cells) in enumerate(panels):
        axes: Axes = figure.add_subplot(1, len(panels), k + 1)
        at = np.where(np.isfinite(seen), times, np.nan) if not shared else times
        for person in chosen:
            order = [cells[j] for j in np.argsort(at[person, cells], kind="stable")]
            order = [j for j in order if np.isfinite(at[person, j])]
            x, y = at[person, order], own[person, order]
            axes.plot(x, y, color=GREY, linewidth=0.6, alpha=0.7)
        x, y = at[chosen][:, cells].ravel(), seen[chosen][:, cells].ravel()
        axes.plot(x, y, ".", color=INK, markersize=3, alpha=0.45)
        x, curve, data = _means(at[:, cells], mean[:, cells], seen[:, cells], shared=shared)
        axes.plot(x, curve, color=BLUE, linewidth=2.6)
        axes.plot(x, data, "D", markersize=5, **EDGED, color=ORANGE)
        axes.set_xlabel(shortened(name, 60))
        axes.set_ylabel(shortened(outcome, 40))
        if not k:
            axes.set_title(f"{len(chosen)} of {len(seen)} persons")
            _legend(axes, shared=shared)


def _means(
    times: FloatArray, mean: FloatArray, seen: FloatArray, *, shared: bool
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Times, expected outcomes and means of the data.

    At shared occasions the curve is the mean over all persons; at individual times both means
    are over the same rows of a bin.
    """
    if shared:
        there = np.isfinite(seen).any(axis=0) & np.isfinite(mean).any(axis=0)
        x = times[0, there]
        return x, np.nanmean(mean[:, there], axis=0), np.nanmean(seen[:, there], axis=0)
    rows = np.isfinite(seen) & np.isfinite(mean) & np.isfinite(times)
    x, curve, data = times[rows], mean[rows], seen[rows]
    edges = np.unique(np.quantile(x, np.linspace(0, 1, BINS + 1)))
    place = np.clip(np.searchsorted(edges, x, side="right") - 1, 0, max(len(edges) - 2, 0))
    parts = [place == k for k in np.unique(place)]
    averages = [[float(values[part].mean()) for part in parts] for values in (x, curve, data)]
    return np.array(averages[0]), np.array(averages[1]), np.array(averages[2])


def _legend(axes: Axes, *, shared: bool) -> None:
    from matplotlib.lines import Line2D

    near = "" if shared else ", near times together"
    entries: tuple[tuple[str, dict[str, Any]], ...] = (
        ("persons' curves", {"color": GREY}),
        ("data", {"color": INK, "marker": ".", "linestyle": "none"}),
        (f"mean curve{near}", {"color": BLUE, "linewidth": 2.6}),
        (
            f"means of the data{near}",
            {"color": ORANGE, "marker": "D", "linestyle": "none", **EDGED},
        ),
    )
    handles = [Line2D([], [], label=label, **look) for label, look in entries]
    axes.legend(handles=handles, loc="best", fontsize=8)
