"""Information criteria from a maximised log-likelihood."""

from __future__ import annotations

import math

__all__ = ["aic", "bic"]


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
