"""Curves in time with a known rate: the formula from the loadings."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from growthmm.translation.loadings.affine import affine_map, affine_text, number, same

__all__ = ["exponential_rate", "rate_expression"]

FloatArray = NDArray[np.float64]


def rate_expression(loadings: tuple[float, ...], times: tuple[float, ...], time: str) -> str | None:
    """The exponential, Gompertz, logistic or power curve that the loadings are, as a formula.

    Parameters
    ----------
    loadings : tuple of float
        One for each occasion, four at least: with fewer some curve always fits.
    times : tuple of float
        The occasions, ascending.
    time : str
        How an expression writes the time column.

    Examples
    --------
    >>> import math
    >>> rate_expression(tuple(1 - math.exp(-0.3 * t) for t in range(4)), (0.0, 1.0, 2.0, 3.0), "t")
    'I(1 - exp(-0.3*t))'
    """
    if len(times) < 4:
        return None
    return (
        _transformed(loadings, times, time)
        or _power(loadings, times, time)
        or _exponential(loadings, times, time)
    )


def exponential_rate(loadings: Sequence[float], times: Sequence[float]) -> float | None:
    """The g of ``a + b exp(-g t)`` through the loadings; None where they are no such curve.

    Differences of an exponential over equal steps have one ratio. A latent change score with
    proportional change is such a curve, with ``g = -log(1 + beta)`` for unit steps.

    Examples
    --------
    >>> exponential_rate([0.0, 1.0, 1.5, 1.75], [0.0, 1.0, 2.0, 3.0])
    0.69314718056
    """
    from scipy.optimize import brentq

    y, t = np.asarray(loadings, dtype=float), np.asarray(times, dtype=float)
    if len(y) < 4:
        return None
    first, last = y[1] - y[0], y[-1] - y[-2]
    span = float(t[-1] - t[0])
    if first * last <= 0:
        return None

    def left(rate: float) -> float:
        # Both differences over those that the rate gives, scaled so that neither overflows.
        early = -np.expm1(-rate * (t[1] - t[0]))
        late = -np.expm1(-rate * (t[-1] - t[-2])) * np.exp(-rate * (t[-2] - t[0]))
        return float(np.log((first / last) * (late / early)))

    reach = 60.0 / span
    edges = [-reach, -1e-9 / span, 1e-9 / span, reach]
    for low, high in ((edges[2], edges[3]), (edges[0], edges[1])):
        if left(low) * left(high) < 0:
            rate = float(f"{brentq(left, low, high, xtol=1e-15, rtol=1e-14):.12g}")
            curve = np.exp(-rate * t)
            return rate if affine_map(tuple(y), tuple(curve)) is not None else None
    return None


def _exponential(loadings: tuple[float, ...], times: tuple[float, ...], time: str) -> str | None:
    rate = exponential_rate(loadings, times)
    if rate is None:
        return None
    curve = tuple(np.exp(-rate * np.asarray(times)).tolist())
    affine = affine_map(loadings, curve)
    if affine is None:
        return None
    minus = "-" if rate > 0 else ""
    text = f"exp({minus}{number(abs(rate))}*{time})"
    reach = max(abs(v) for v in loadings)
    level, slope = (0.0 if abs(v) < 1e-11 * reach else float(f"{v:.12g}") for v in affine)
    if (level, slope) == (0.0, 1.0):
        return text
    if abs(slope) == 1.0:
        return f"I({number(level)} {'+' if slope > 0 else '-'} {text})"
    return f"I({affine_text(level, slope, text)})"


def _transformed(loadings: tuple[float, ...], times: tuple[float, ...], time: str) -> str | None:
    """A Gompertz or logistic curve between zero and one: straight once transformed."""
    values = np.asarray(loadings)
    if not ((values > 0) & (values < 1)).all():
        return None
    shapes: tuple[tuple[Callable[[FloatArray], FloatArray], str], ...] = (
        (lambda v: -np.log(-np.log(v)), "exp(-exp(-{u}))"),
        (lambda v: np.log(v / (1 - v)), "I(1/(1 + exp(-{u})))"),
    )
    for transform, template in shapes:
        affine = affine_map(tuple(transform(values).tolist()), times)
        if affine is None or affine[1] < 0:
            continue
        level, slope = (float(f"{v:.12g}") for v in affine)
        inner = affine_text(level, slope, time, times)
        return template.format(u=inner if inner == time else f"({inner})")
    return None


def _power(loadings: tuple[float, ...], times: tuple[float, ...], time: str) -> str | None:
    """``t^p``, which is zero at time zero."""
    pairs = [(y, t) for y, t in zip(loadings, times, strict=True) if t != 0]
    if any(t < 0 or y <= 0 for y, t in pairs) or any(
        y != 0 for y, t in zip(loadings, times, strict=True) if t == 0
    ):
        return None
    powers = [np.log(y) / np.log(t) for y, t in pairs if t != 1]
    if len(powers) < 2:
        return None
    power = float(f"{powers[-1]:.12g}")
    if power <= 0 or not same(tuple(float(t) ** power for t in times), loadings):
        return None
    return f"I({time}**{number(power)})"
