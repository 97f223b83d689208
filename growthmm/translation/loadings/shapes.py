"""Shapes over time that are no polynomial, as formula text: broken lines, steps, functions."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from growthmm.model.expression import canonical
from growthmm.translation.loadings.affine import affine_map, affine_text, number, same

__all__ = ["shape_expression"]

FUNCTIONS = ("log({t})", "log({t} + 1)", "sqrt({t})", "exp({t})", "exp(-{t})", "I(1/{t})")
"""Functions of time that growth models use, tried as they are and up to an affine map."""


def shape_expression(
    loadings: tuple[float, ...], times: tuple[float, ...], time: str
) -> str | None:
    """The expression in time that gives the loadings, where they have a known shape.

    Parameters
    ----------
    loadings : tuple of float
        One for each occasion.
    times : tuple of float
        The occasions, ascending.
    time : str
        How an expression writes the time column.

    Returns
    -------
    str or None
        Canonical text of a numeric expression.

    Examples
    --------
    >>> shape_expression((0.0, 1.0, 2.0, 2.0, 2.0), (0.0, 1.0, 2.0, 3.0, 4.0), "t")
    'minimum(t, 2)'
    >>> shape_expression((0.0, 0.0, 1.0, 1.0), (0.0, 1.0, 2.0, 3.0), "t")
    'I(1*(t >= 2))'
    """
    if len(times) < 3:
        return None
    found = (
        _function(loadings, times, time)
        or _step(loadings, times, time)
        or _broken_line(loadings, times, time)
    )
    return None if found is None else canonical(found)


def _function(loadings: tuple[float, ...], times: tuple[float, ...], time: str) -> str | None:
    t = np.asarray(times)
    with np.errstate(all="ignore"):
        tables = (np.log(t), np.log(t + 1), np.sqrt(t), np.exp(t), np.exp(-t), 1 / t)
    for template, table in zip(FUNCTIONS, tables, strict=True):
        if not np.isfinite(table).all():
            continue
        values = tuple(table.tolist())
        text = template.format(t=time)
        if same(values, loadings):
            return text
        affine = affine_map(loadings, values)
        if affine is not None:
            inner = text[2:-1] if text.startswith("I(") else text
            inner = f"({inner})" if text.startswith("I(") else inner
            return f"I({affine_text(*affine, inner)})"
    return None


def _step(loadings: tuple[float, ...], times: tuple[float, ...], time: str) -> str | None:
    """An indicator: of one occasion, or of all from one to another."""
    ones = [j for j, value in enumerate(loadings) if value == 1.0]
    if len(ones) + loadings.count(0.0) != len(loadings) or not ones:
        return None
    if ones[-1] - ones[0] + 1 != len(ones) or len(ones) == len(loadings):
        return None
    if len(ones) == 1:
        return f"I(1*({time} == {number(times[ones[0]])}))"
    if ones[-1] == len(loadings) - 1:
        return f"I(1*({time} >= {number(times[ones[0]])}))"
    upto = f"({time} <= {number(times[ones[-1]])})"
    if ones[0] == 0:
        return f"I(1*{upto})"
    return f"I(1*({time} >= {number(times[ones[0]])})*{upto})"


def _broken_line(loadings: tuple[float, ...], times: tuple[float, ...], time: str) -> str | None:
    """Two straight lines that meet at an occasion, or between two."""
    t, values = np.asarray(times), np.asarray(loadings)
    for knot in (*times[1:-1], *_crossings(t, values)):
        before, after = t[t <= knot], t[t >= knot]
        if len(before) < 2 or len(after) < 2:
            continue
        design = np.column_stack([t * 0 + 1, np.minimum(t, knot), np.maximum(t - knot, 0.0)])
        (level, left, right), *_ = np.linalg.lstsq(design, values, rcond=None)
        if not same(tuple((design @ (level, left, right)).tolist()), loadings):
            continue
        shown = number(knot)
        shift = f"{time} - {shown}" if knot > 0 else f"{time} + {number(-knot)}"
        early = f"pmin({time}, {shown})"
        late = f"pmax({time if knot == 0 else shift}, 0)"
        line = (*(_short(float(v), values) for v in (level, left, right)), float(knot))
        return _two_slopes(line, early, late)
    return None


def _crossings(t: NDArray[np.float64], values: NDArray[np.float64]) -> list[float]:
    """Where a line through the first occasions meets one through the others, between the two."""
    found = []
    for k in range(1, len(t) - 2):
        left = (values[k] - values[0]) / (t[k] - t[0])
        right = (values[-1] - values[k + 1]) / (t[-1] - t[k + 1])
        if left == right:
            continue
        level = values[k + 1] - values[k] + left * t[k] - right * t[k + 1]
        knot = float(f"{level / (left - right):.9g}")
        if t[k] < knot < t[k + 1]:
            found.append(knot)
    return found


def _short(value: float, values: NDArray[np.float64]) -> float:
    """A coefficient without the rounding of its computation."""
    near = float(f"{value:.12g}")
    return 0.0 if abs(near) < 1e-12 * float(np.abs(values).max()) else near


def _two_slopes(line: tuple[float, ...], early: str, late: str) -> str | None:
    """Level, slope before the knot, slope after it and the knot, as an expression."""
    level, left, right, knot = line
    scale = max(abs(left), abs(right))
    if scale == 0:
        return None
    if abs(right) <= 1e-12 * scale:
        text = affine_text(level, left, early)
        return text if text == early else f"I({text})"
    if abs(left) <= 1e-12 * scale:
        flat = level + left * knot
        text = affine_text(flat, right, late)
        return text if text == late else f"I({text})"
    return f"I({level!r} + {left!r}*{early} + {right!r}*{late})"
