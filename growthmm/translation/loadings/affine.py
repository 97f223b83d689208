"""Affine maps between numbers at the occasions, and how formulas write them."""

from __future__ import annotations

import numpy as np

from growthmm.translation.naming import polynomial_degree

__all__ = ["affine_map", "affine_text", "number", "same"]

RELATIVE = 1e-9


def number(value: float) -> str:
    """A number as formulas write it: whole ones without a point.

    Examples
    --------
    >>> number(3.0), number(0.25)
    ('3', '0.25')
    """
    rounded = float(f"{value:.12g}")
    return str(int(rounded)) if rounded.is_integer() and abs(rounded) < 1e15 else repr(rounded)


def same(values: tuple[float, ...], loadings: tuple[float, ...]) -> bool:
    """Whether numbers are the loadings, to rounding."""
    scale = max(abs(v) for v in (*loadings, *values)) or 1.0
    return max(abs(a - b) for a, b in zip(values, loadings, strict=True)) <= RELATIVE * scale


def affine_map(loadings: tuple[float, ...], times: tuple[float, ...]) -> tuple[float, float] | None:
    """Numbers (a, b) with ``loadings = a + b * times`` and b not zero, or None."""
    if polynomial_degree(loadings, times, highest=1) != 1:
        return None
    first, last = int(np.argmin(times)), int(np.argmax(times))
    slope = (loadings[last] - loadings[first]) / (times[last] - times[first])
    return loadings[first] - slope * times[first], slope


def affine_text(intercept: float, slope: float, time: str, times: tuple[float, ...] = ()) -> str:
    """``a + b t`` as ``(t - t0)/u``, the way people centre and scale time.

    Origin and unit have the fewest digits that give the map back at `times`.

    Examples
    --------
    >>> affine_text(-1004.0, 0.5, "year"), affine_text(0.0, 1.0, "t")
    ('(year - 2008)/2', 't')
    """
    origin, unit = _rounded(-intercept / slope, 1.0 / slope, times)
    shown, step = number(origin), number(unit)
    if abs(float(shown) - origin) > 1e-11 * max(abs(origin), abs(unit)):
        shown = repr(origin)
    if shown == "0":
        base = time
    elif shown.startswith("-"):
        base = f"{time} + {shown[1:]}"
    else:
        base = f"{time} - {shown}"
    if step == "1":
        return base
    wrapped = base if base == time else f"({base})"
    times_slope = number(1.0 / unit)
    if len(times_slope) < len(step) and float(times_slope) == 1.0 / unit:
        return f"{times_slope}*{wrapped}"
    if abs(float(step) - unit) <= 1e-11 * abs(unit):
        if unit < 0:
            return f"-{wrapped}/{number(-unit)}" if step != "-1" else f"-{wrapped}"
        return f"{wrapped}/{step}"
    return f"{slope!r}*{wrapped}" if slope > 0 else f"-{-slope!r}*{wrapped}"


def _rounded(origin: float, unit: float, times: tuple[float, ...]) -> tuple[float, float]:
    """Origin and unit with the fewest digits that map the times to the same numbers."""
    t = np.asarray(times)
    for digits in (6, 9) if times else ():
        near = float(f"{origin:.{digits}g}"), float(f"{unit:.{digits}g}")
        exact, rounded = (t - origin) / unit, (t - near[0]) / near[1]
        if np.abs(exact - rounded).max() <= 1e-11 * np.abs(exact).max():
            return near
    return origin, unit
