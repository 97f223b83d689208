"""Pictures of a verification: data and curves, both sides' predictions, agreement, residuals."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from growthmm.engines.prepare import WideData
from growthmm.engines.wide.problem import WideGroup
from growthmm.equivalence.result import Equivalence
from growthmm.equivalence.scores import own_deviations
from growthmm.errors import SpecificationError
from growthmm.report.pictures.fitted_curves import draw_trajectories, observed_outcomes
from growthmm.report.pictures.style import BLUE, EDGED, GREY, INK, PALETTE, any_letters, drawing
from growthmm.report.text_size import shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["PICTURES", "available", "picture"]

FloatArray = NDArray[np.float64]

PATTERNS = 20
"""Patterns of missing outcomes that are drawn at most, the commonest."""


def picture(result: Equivalence, kind: str) -> Figure:
    """Draw one picture of a verification with matplotlib.

    Parameters
    ----------
    result : Equivalence
        The verification.
    kind : str
        ``"trajectories"``: data, persons' curves, mean curve. ``"scores"``: random effects of
        the mixed model against factor scores. ``"parameters"``: differences of all engines in
        standard errors. ``"missing"``: which outcomes were observed. ``"residuals"``: residuals
        against fitted values, and against normal quantiles.

    Returns
    -------
    Figure
        A matplotlib figure, of no window; ``figure.savefig(path)`` writes it.

    Raises
    ------
    SpecificationError
        If there is no such picture, or these data allow none of it.
    """
    if kind not in PICTURES:
        raise SpecificationError(
            f"There is no picture {kind!r}.", hint=f"Pictures: {', '.join(PICTURES)}."
        )
    if kind not in available(result):
        raise SpecificationError(
            f"This verification has no picture {kind!r}.",
            hint="Data of persons are needed, and for 'scores' random effects that are factors.",
        )
    with drawing(6.4, _height(result, kind)) as figure:
        PICTURES[kind][1](result, figure)
        # Layout and ticks follow the settings, so they are settled while those hold.
        with any_letters():
            figure.draw_without_rendering()
    return figure


def _height(result: Equivalence, kind: str) -> float:
    """In inches: lists are as high as they are long."""
    if kind == "parameters":
        return max(0.9 + 0.3 * _n_rows(result), 2.0)
    if kind == "missing":
        n_patterns = len(np.unique(np.isfinite(observed_outcomes(result)), axis=0))
        return 1.5 + 0.3 * min(n_patterns, PATTERNS)
    return 6.0 if kind == "scores" and len(_matched(result)) > 2 else 3.9


def available(result: Equivalence) -> tuple[str, ...]:
    """The pictures that can be drawn of a verification."""
    found = ["parameters"] if any(gaps for _, gaps in _differences(result)) else []
    if all(isinstance(g, WideGroup) for g in _wide(result).problem.groups):
        found += ["trajectories", "missing", "residuals"]
        if len(_matched(result)):
            found.append("scores")
    return tuple(kind for kind in PICTURES if kind in found)


def _wide(result: Equivalence) -> WideData:
    data = result.sem_fit.data
    assert isinstance(data, WideData)
    return data


def _matched(result: Equivalence) -> list[tuple[str, FloatArray, FloatArray]]:
    """Each random effect, with the factor's scores less their expectation, person by person."""
    long, wide = result.mixed_fit.data, _wide(result)
    factors = [f.name for f in result.pair.growth.random_factors]
    latent = list(wide.problem.model.latent)
    if not long.problem.blocks or not set(factors) <= set(latent):  # type: ignore[union-attr]
        return []
    modes = result.mixed_fit.random_effects
    if len(factors) != modes.shape[1]:
        return []
    scores = result.sem_fit.random_effects.to_numpy()
    centered = own_deviations(wide.problem, result.sem_fit._values, scores)
    place = {subject: row for row, subject in enumerate(wide.subjects)}
    rows = np.array([place[subject] for subject in modes.index])
    return [
        (str(name), modes.iloc[:, k].to_numpy(), centered[rows, latent.index(factor)])
        for k, (name, factor) in enumerate(zip(modes.columns, factors, strict=True))
    ]


def _scores(result: Equivalence, figure: Figure) -> None:
    found = _matched(result)[:4]
    n_columns = min(len(found), 2)
    n_rows = -(-len(found) // 2)
    for k, (name, effect, score) in enumerate(found):
        axes: Axes = figure.add_subplot(n_rows, n_columns, k + 1)
        low, high = (float(v) for v in (min(effect.min(), 0), max(effect.max(), 0)))
        axes.plot([low, high], [low, high], color=GREY, linewidth=1)
        axes.plot(effect, score, ".", color=BLUE, markersize=4)
        worst = float(np.abs(effect - score).max())
        axes.set_title(f"{shortened(name, 24)}: within {worst:.0e}", fontsize=9)
        if k >= len(found) - n_columns:
            axes.set_xlabel("random effect (mixed)", fontsize=9)
        if k % n_columns == 0:
            axes.set_ylabel("factor score\nless its mean (SEM)", fontsize=9)


def _n_rows(result: Equivalence) -> int:
    return len(_differences(result))


def _differences(result: Equivalence) -> list[tuple[str, dict[str, float]]]:
    """By parameter, each engine's distance from the long engine in standard errors."""
    rows = []
    for row in result.to_dict()["parameters"]:
        ours, error = row["estimate"].get("long"), row["std_error"].get("long")
        if ours is None or not error or not np.isfinite(error):
            continue
        gaps = {
            engine: abs(value - ours) / error
            for engine, value in row["estimate"].items()
            if engine != "long" and value is not None
        }
        rows.append((str(row["mixed_name"]), gaps))
    return rows


FLOOR = 1e-12


def _parameters(result: Equivalence, figure: Figure) -> None:
    axes: Axes = figure.add_subplot()
    rows = _differences(result)
    engines = list(dict.fromkeys(engine for _, gaps in rows for engine in gaps))
    marks = "osD^vPX"
    for k, engine in enumerate(engines):
        at = [y for y, (_, gaps) in enumerate(rows) if engine in gaps]
        gaps = [max(rows[y][1][engine], FLOOR) for y in at]
        axes.plot(
            *(gaps, at, marks[k % len(marks)]),
            color=PALETTE[k % len(PALETTE)],
            markersize=5,
            **EDGED,
            label=engine,
        )
    axes.axvline(1e-3, color=INK, linewidth=1, linestyle="--")
    axes.set_xscale("log")
    largest = max((gap for _, gaps in rows for gap in gaps.values()), default=1.0)
    axes.set_xlim(FLOOR / 2, max(10.0, 3.0 * largest))
    axes.set_xticks(ticks := [1e-12, 1e-9, 1e-6, 1e-3, 1.0], [f"{tick:.0e}" for tick in ticks])
    axes.minorticks_off()
    axes.set_yticks(range(len(rows)), [shortened(name, 36) for name, _ in rows], fontsize=8)
    axes.invert_yaxis()
    axes.set_xlabel("distance from the long engine in standard errors\n(dashed: tolerance)")
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), fontsize=8)


def _missing(result: Equivalence, figure: Figure) -> None:
    axes: Axes = figure.add_subplot()
    seen = np.isfinite(observed_outcomes(result))
    patterns, counts = np.unique(seen, axis=0, return_counts=True)
    order = np.argsort(-counts)[:PATTERNS]
    for y, k in enumerate(order):
        for x, there in enumerate(patterns[k]):
            axes.plot(
                *(x, y, "s"),
                markersize=9,
                markerfacecolor=BLUE if there else "white",
                markeredgecolor=BLUE if there else GREY,
            )
    labels = [f"{counts[k]} persons" for k in order]
    axes.set_yticks(range(len(order)), labels, fontsize=8)
    names = _wide(result).problem.model.outcomes
    if len(names) == seen.shape[1]:
        shown = [shortened(name, 16) for name in names]
        axes.set_xticks(range(seen.shape[1]), shown, rotation=40, ha="right", fontsize=8)
    axes.set_xlim(-0.6, seen.shape[1] - 0.4)
    axes.set_ylim(len(order) - 0.4, -0.6)
    axes.grid(visible=False)
    more = f", the {len(order)} commonest patterns" if len(counts) > len(order) else ""
    axes.set_title(f"{int(seen.sum())} of {seen.size} outcomes observed (filled){more}")


def _residuals(result: Equivalence, figure: Figure) -> None:
    from scipy.stats import norm

    seen, own = observed_outcomes(result), result.sem_fit.predict(level="person")
    there = np.isfinite(seen) & np.isfinite(own)
    fitted, left = own[there], (seen - own)[there]
    first, second = figure.add_subplot(1, 2, 1), figure.add_subplot(1, 2, 2)
    first.plot(fitted, left, ".", color=BLUE, markersize=2.5, alpha=0.5, rasterized=True)
    first.axhline(0.0, color=INK, linewidth=1)
    first.set_xlabel("fitted")
    first.set_ylabel("residual")
    ordered = np.sort(left)
    quantiles = norm.ppf((np.arange(len(ordered)) + 0.5) / len(ordered))
    second.plot(quantiles, ordered, ".", color=BLUE, markersize=2.5, rasterized=True)
    spread = float(ordered.std())
    second.plot([-3, 3], [-3 * spread, 3 * spread], color=INK, linewidth=1)
    second.set_xlabel("normal quantile")


PICTURES: dict[str, tuple[str, Callable[[Equivalence, Figure], None]]] = {
    "trajectories": ("Data and fitted curves", draw_trajectories),
    "scores": ("Random effects against factor scores", _scores),
    "parameters": ("Agreement of the engines, parameter by parameter", _parameters),
    "missing": ("Observed outcomes", _missing),
    "residuals": ("Residuals", _residuals),
}
"""Every picture of a verification: its heading, and what draws it."""
