"""Values of a curve's parameters among which a search finds a place to begin."""

from __future__ import annotations

from itertools import product

__all__ = ["curve_grid"]

RATES = (0.1, 0.5, 1.0, 2.0, 5.0, -0.5, -2.0)
"""Rates, a share of them over the whole span of times: of one parameter alone."""

COARSE = ((0.5, 2.0, 5.0, -1.0, -4.0), (0.1, 0.3, 0.5, 0.7, 0.9))
"""Of two parameters: rates, and times as shares of the span."""

COARSER = ((1.0, 4.0, -1.0), (0.25, 0.75))
"""Of more than two."""


def curve_grid(n: int, first: float, last: float) -> list[tuple[float, ...]]:
    """Points of `n` parameters that may be rates or times, in no order of likelihood.

    Parameters
    ----------
    n : int
        Number of parameters.
    first, last : float
        The span of times.

    Returns
    -------
    list of tuple of float
        One parameter takes rates alone, several all combinations of rates and times.

    Examples
    --------
    >>> curve_grid(1, 0.0, 4.0)[:3], len(curve_grid(2, 0.0, 4.0))
    ([(0.025,), (0.125,), (0.25,)], 100)
    """
    span = (last - first) or 1.0
    if n == 1:
        return [(rate / span,) for rate in RATES]
    rates, places = COARSE if n == 2 else COARSER
    values = [r / span for r in rates] + [first + p * span for p in places]
    return list(product(values, repeat=n))
