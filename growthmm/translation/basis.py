"""Which function of time a factor's loadings are: the way back from numbers to a formula."""

from __future__ import annotations

import numpy as np

from growthmm.model.expression import canonical, quote, variables
from growthmm.model.schema import Column, ColumnPart, Schema
from growthmm.model.terms import Term
from growthmm.translation.naming import polynomial_degree
from growthmm.translation.tabulate import tabulate

__all__ = ["affine_map", "basis_column", "number"]

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


def affine_map(loadings: tuple[float, ...], times: tuple[float, ...]) -> tuple[float, float] | None:
    """Numbers (a, b) with ``loadings = a + b * times`` and b not zero, or None."""
    if polynomial_degree(loadings, times, highest=1) != 1:
        return None
    first, last = int(np.argmin(times)), int(np.argmax(times))
    slope = (loadings[last] - loadings[first]) / (times[last] - times[first])
    return loadings[first] - slope * times[first], slope


def basis_column(loadings: tuple[float, ...], schema: Schema) -> Column | None:
    """The formula column whose values at the occasions are the loadings.

    Tried in turn: the constant; time functions and frozen bases of the schema; time itself, an
    affine recoding of it, its square and cube; any polynomial up to the third degree.

    Parameters
    ----------
    loadings : tuple of float
        One for each occasion.
    schema : Schema
        With time, occasions and what is known of their functions.

    Returns
    -------
    Column or None
        None where no formula says these loadings.
    """
    if all(value == 1.0 for value in loadings):
        return Column(Term(), ())
    for column in _known(schema):
        if _same(tabulate(column, schema), loadings):
            return column
    if schema.time is None or len(schema.occasions) < 2:
        return None
    time = quote(schema.time)
    expression = _power(loadings, schema.occasions, time) or _polynomial(
        loadings, schema.occasions, time
    )
    if expression is None:
        return None
    text = canonical(expression)
    return Column(Term((text,)), (ColumnPart(text),))


def _known(schema: Schema) -> list[Column]:
    found = []
    for constants in schema.constants:
        names = variables(constants.expression)
        roles = {v.role for name in names if (v := schema.variable(name)) is not None}
        if not all(name == schema.time for name in names) and roles != {"time_function"}:
            continue
        width = 1
        if constants.expression.startswith(("poly(", "bs(", "ns(", "cr(")):
            width = max((len(values) for _, values in constants.values), default=1)
        for index in range(width):
            label = str(index + 1) if width > 1 else ""
            part = ColumnPart(constants.expression, index, label)
            found.append(Column(Term((constants.expression,)), (part,)))
    return [column for column in found if _tabulates(column, schema)]


def _tabulates(column: Column, schema: Schema) -> bool:
    try:
        tabulate(column, schema)
    except (IndexError, KeyError):
        return False
    return True


def _same(values: tuple[float, ...], loadings: tuple[float, ...]) -> bool:
    scale = max(abs(v) for v in loadings) or 1.0
    return max(abs(a - b) for a, b in zip(values, loadings, strict=True)) <= RELATIVE * scale


def _power(loadings: tuple[float, ...], times: tuple[float, ...], time: str) -> str | None:
    affine = affine_map(loadings, times)
    if affine is not None:
        base = _affine_text(*affine, time)
        return base if base == time else f"I({base})"
    for power in (2, 3):
        values = np.asarray(loadings)
        if power == 2:
            if np.any(values < 0):
                continue
            # The root's sign flips where the parabola touches zero.
            lowest = int(np.argmin(values))
            roots = np.sqrt(values)
            for flip in (lowest, lowest + 1):
                signed = np.where(np.arange(len(values)) < flip, -roots, roots)
                text = _rooted(tuple(signed.tolist()), times, time, power, loadings)
                if text is not None:
                    return text
        else:
            text = _rooted(tuple(np.cbrt(values).tolist()), times, time, power, loadings)
            if text is not None:
                return text
    return None


def _rooted(
    roots: tuple[float, ...],
    times: tuple[float, ...],
    time: str,
    power: int,
    loadings: tuple[float, ...],
) -> str | None:
    affine = affine_map(roots, times)
    if affine is None:
        return None
    intercept, slope = affine
    if not _same(tuple((intercept + slope * t) ** power for t in times), loadings):
        return None
    base = _affine_text(intercept, slope, time)
    return f"I({base}**{power})" if base == time else f"I(({base})**{power})"


def _affine_text(intercept: float, slope: float, time: str) -> str:
    """``a + b t`` as ``(t - t0)/u``, the way people centre and scale time."""
    origin = -intercept / slope
    shown = number(origin)
    unit = 1.0 / slope
    if shown == "0":
        base = time
    elif shown.startswith("-"):
        base = f"{time} + {shown[1:]}"
    else:
        base = f"{time} - {shown}"
    if number(unit) == "1":
        return base
    wrapped = base if base == time else f"({base})"
    if float(number(unit)) == unit or abs(float(number(unit)) - unit) < 1e-11 * abs(unit):
        if unit < 0:
            return f"-{wrapped}/{number(-unit)}" if unit != -1 else f"-{wrapped}"
        return f"{wrapped}/{number(unit)}"
    return f"{number(slope)}*{wrapped}" if slope > 0 else f"-{number(-slope)}*{wrapped}"


def _polynomial(loadings: tuple[float, ...], times: tuple[float, ...], time: str) -> str | None:
    degree = polynomial_degree(loadings, times)
    if degree is None or degree >= len(times) - 1:
        return None
    fitted = np.polynomial.polynomial.polyfit(np.asarray(times), np.asarray(loadings), degree)
    pieces = []
    for power, value in enumerate(fitted.tolist()):
        factor = "" if power == 0 else f"*{time}" if power == 1 else f"*{time}**{power}"
        pieces.append(("- " if value < 0 else "+ ") + repr(abs(value)) + factor)
    text = " ".join(pieces)
    text = text[2:] if text.startswith("+ ") else "-" + text[2:]
    values = tuple(float(v) for v in np.polynomial.polynomial.polyval(np.asarray(times), fitted))
    return f"I({text})" if _same(values, loadings) else None
