"""Information criteria from a maximised log-likelihood."""

from __future__ import annotations

import math
from collections.abc import Sequence

__all__ = ["aic", "aicc", "bic", "weights"]


def aic(log_likelihood: float, n_parameters: int) -> float:
    """Akaike's information criterion, ``-2 log L + 2 k``.

    Source: Akaike (1974), https://doi.org/10.1109/TAC.1974.1100705

    Examples
    --------
    >>> round(aic(-123.117105, 6), 3)
    258.234
    """
    return -2.0 * log_likelihood + 2.0 * n_parameters


def bic(log_likelihood: float, n_parameters: int, n: int) -> float:
    """Schwarz's information criterion, ``-2 log L + k log n``.

    Mixed-model programs count rows as `n`, structural equation programs persons.
    Source: Schwarz (1978), https://doi.org/10.1214/aos/1176344136

    Examples
    --------
    >>> round(bic(-123.117105, 6, 1200), 3), round(bic(-123.117105, 6, 200), 3)
    (288.775, 278.024)
    """
    return -2.0 * log_likelihood + n_parameters * math.log(n)


def aicc(log_likelihood: float, n_parameters: int, n: int) -> float:
    """Akaike's criterion corrected for small samples, ``AIC + 2 k (k + 1) / (n - k - 1)``.

    Exact for a linear model with independent errors; for persons measured repeatedly `n` is a
    convention (rows, as R's ``nobs`` has it, or the more cautious number of persons). Infinite
    where ``n <= k + 1``.
    Source: Hurvich & Tsai (1989), https://doi.org/10.1093/biomet/76.2.297

    Examples
    --------
    >>> round(aicc(-123.117105, 6, 1200), 3), round(aicc(-123.117105, 6, 200), 3)
    (258.305, 258.669)
    """
    spare = n - n_parameters - 1
    if spare <= 0:
        return math.inf
    return aic(log_likelihood, n_parameters) + 2.0 * n_parameters * (n_parameters + 1) / spare


def weights(criteria: Sequence[float]) -> list[float]:
    """Akaike weights: ``exp(-d/2)`` for differences `d` from the smallest, made to sum to 1.

    Source: Burnham & Anderson (2004), https://doi.org/10.1177/0049124104268644

    Examples
    --------
    >>> [round(w, 3) for w in weights([258.234, 250.068])]
    [0.017, 0.983]
    """
    smallest = min(criteria)
    raw = [math.exp(-0.5 * (value - smallest)) for value in criteria]
    return [value / sum(raw) for value in raw]
