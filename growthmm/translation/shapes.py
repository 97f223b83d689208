"""Shapes over time that are no polynomial, as formula text: broken lines, steps, functions."""

from __future__ import annotations

import numpy as np

from growthmm.model.expression import canonical
from growthmm.translation.affine import affine_map, affine_text, number, same

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
    """Two straight lines that meet at an occasion."""
    t, values = np.asarray(times), np.asarray(loadings)
    for k in range(1, len(times) - 1):
        before = np.minimum(t, t[k])
        after = np.maximum(t - t[k], 0.0)
        left = (values[k] - values[0]) / (t[k] - t[0])
        right = (values[-1] - values[k]) / (t[-1] - t[k])
        level = values[0] - left * t[0]
        if not same(tuple((level + left * before + right * after).tolist()), loadings):
            continue
        knot = number(t[k])
        shift = f"{time} - {knot}" if t[k] > 0 else f"{time} + {number(-t[k])}"
        early = f"pmin({time}, {knot})"
        late = f"pmax({time if t[k] == 0 else shift}, 0)"
        line = (float(level), float(left), float(right), float(t[k]))
        return _two_slopes(line, early, late)
    return None


def _two_slopes(line: tuple[float, float, float, float], early: str, late: str) -> str | None:
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
