"""Points to search from again, where matrices that are no covariances can hold several maxima."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from growthmm.engines.wide.likelihood import System, evaluate

__all__ = ["dispersed", "has_few_persons"]

FloatArray = NDArray[np.float64]

PERSONS_PER_PARAMETER = 2
"""Fewer than these, and the likelihood is far from quadratic."""

DRAWS = 8
HALVINGS = 6


def has_few_persons(system: System) -> bool:
    """Whether there are so few persons that an unbounded likelihood may have several maxima."""
    return system.n_subjects < PERSONS_PER_PARAMETER * system.n_parameters


def dispersed(system: System, centre: FloatArray, *, seed: int = 1) -> Iterator[FloatArray]:
    """Admissible points around one, the same ones every time.

    They are drawn two standard errors wide, or as wide as the parameters where that is less, and
    moved towards the centre by halves until the likelihood exists.

    Parameters
    ----------
    system : System
        The compiled problem.
    centre : (n_parameters,) ndarray
        A point at which the likelihood exists.
    seed : int
        Of the draws.

    Yields
    ------
    (n_parameters,) ndarray
        A point.
    """
    random = np.random.default_rng(seed)
    information = evaluate(system, centre).expected
    errors = np.sqrt(np.abs(np.diag(np.linalg.pinv(information, hermitian=True))))
    wide = np.minimum(2.0 * errors, np.abs(centre) + errors)
    for _ in range(DRAWS):
        step = wide * random.normal(size=len(centre))
        for _ in range(HALVINGS):
            if np.isfinite(evaluate(system, centre + step, order=0).value):
                yield centre + step
                break
            step /= 2.0
