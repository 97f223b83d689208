"""Satterthwaite's degrees of freedom of contrasts of fixed effects."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from growthmm.engines.long.uncertainty import FixedUncertainty

__all__ = ["pooled_degrees", "satterthwaite", "satterthwaite_f"]

FloatArray = NDArray[np.float64]


def satterthwaite(uncertainty: FixedUncertainty, contrast: FloatArray) -> float:
    """Degrees of freedom of one contrast: ``2 f^2 / (g' A g)``.

    ``f = l' Phi l`` is the contrast's variance, `g` its gradient in the covariance parameters and
    `A` their covariance matrix (Satterthwaite 1946, doi:10.2307/3002019; Giesbrecht & Burns 1985,
    doi:10.2307/2530872; as lmerTest, Kuznetsova et al. 2017, doi:10.18637/jss.v082.i13).

    Parameters
    ----------
    uncertainty : FixedUncertainty
        Of the fit.
    contrast : (n_fixed,) ndarray
        Coefficients `l`.

    Returns
    -------
    float
        Infinite where the variance depends on no covariance parameter.

    Examples
    --------
    The variance ``s / 10`` of a mean, where `s` has the variance ``2 s^2 / 9``:

    >>> one = np.ones((1, 1))
    >>> mean = FixedUncertainty(0.1 * one, 0.1 * one[None], one * 2 / 9, 0)
    >>> round(satterthwaite(mean, np.ones(1)), 6)
    9.0
    """
    variance = float(contrast @ uncertainty.covariance @ contrast)
    gradient = np.einsum("i,aij,j->a", contrast, uncertainty.slopes, contrast)
    spread = float(gradient @ uncertainty.spread @ gradient)
    return 2.0 * variance**2 / spread if spread > 0 else float("inf")


def pooled_degrees(degrees: FloatArray) -> float:
    """Denominator degrees of freedom of the mean of squared t statistics.

    With ``E = sum nu / (nu - 2)`` over q independent statistics, ``2 E / (E - q)``; 2 where a
    statistic has no more than 2 (Fai & Cornelius 1996, doi:10.1080/00949659608811740).

    Examples
    --------
    >>> pooled_degrees(np.array([17.0, 17.0]))
    17.0
    """
    if np.ptp(degrees) < 1e-8 * float(np.abs(degrees).max()):
        return float(np.mean(degrees))
    if not np.all(degrees > 2):
        return 2.0
    expected = float(np.sum(degrees / (degrees - 2.0)))
    return 2.0 * expected / (expected - len(degrees))


def satterthwaite_f(
    uncertainty: FixedUncertainty, estimates: FloatArray, contrasts: FloatArray
) -> tuple[float, float]:
    """F statistic of several contrasts and its denominator degrees of freedom.

    The contrasts are turned to uncorrelated ones, whose squared t statistics are averaged
    (Fai & Cornelius 1996, doi:10.1080/00949659608811740).

    Parameters
    ----------
    uncertainty : FixedUncertainty
        Of the fit.
    estimates : (n_contrasts,) ndarray
        Of the contrasts, less what they are tested against.
    contrasts : (n_contrasts, n_fixed) ndarray
        Linearly independent rows.

    Returns
    -------
    statistic, df : float
    """
    covariance = contrasts @ uncertainty.covariance @ contrasts.T
    values, vectors = np.linalg.eigh(covariance)
    squares = (vectors.T @ estimates) ** 2 / values
    turned = vectors.T @ contrasts
    degrees = np.array([satterthwaite(uncertainty, row) for row in turned])
    return float(np.mean(squares)), pooled_degrees(degrees)
