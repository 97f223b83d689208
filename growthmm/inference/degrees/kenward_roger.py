"""Kenward and Roger's adjusted covariance and F test of fixed effects."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from growthmm.engines.long.uncertainty import SmallSample

__all__ = ["adjusted_covariance", "kenward_roger_f"]

FloatArray = NDArray[np.float64]


def adjusted_covariance(sums: SmallSample) -> FloatArray:
    """Covariance of the fixed effects, adjusted for estimated covariance parameters.

    ``Phi + 2 Phi {sum_ab W_ab (Q_ab - P_a Phi P_b - R_ab / 4)} Phi`` (Kenward & Roger 1997,
    doi:10.2307/2533558, equation 5). pbkrtest drops `R`, which is zero there (Halekoh &
    Højsgaard 2014, doi:10.18637/jss.v059.i09).

    Parameters
    ----------
    sums : SmallSample
        Of the fit.

    Returns
    -------
    (n_fixed, n_fixed) ndarray
    """
    phi, first = sums.covariance, sums.first
    inner = sums.second - np.einsum("aij,jk,bkl->abil", first, phi, first) - sums.curved / 4.0
    bracket = np.einsum("ab,abij->ij", sums.spread, inner)
    bracket = 0.5 * (bracket + bracket.T)
    return np.asarray(phi + 2.0 * phi @ bracket @ phi)


def kenward_roger_f(
    sums: SmallSample, estimates: FloatArray, contrasts: FloatArray
) -> tuple[float, float]:
    """Scaled F statistic of contrasts and its denominator degrees of freedom.

    Mean and variance of the Wald statistic over its number of contrasts are matched to those of
    an F distribution (Kenward & Roger 1997, doi:10.2307/2533558, section 2.2).

    Parameters
    ----------
    sums : SmallSample
        Of the fit.
    estimates : (n_contrasts,) ndarray
        Of the contrasts, less what they are tested against.
    contrasts : (n_contrasts, n_fixed) ndarray
        Linearly independent rows.

    Returns
    -------
    statistic, df : float
    """
    q, phi = len(contrasts), sums.covariance
    theta = contrasts.T @ np.linalg.solve(contrasts @ phi @ contrasts.T, contrasts)
    turned = theta @ phi @ sums.first @ phi
    traces = np.einsum("aii->a", turned)
    a1 = float(traces @ sums.spread @ traces)
    a2 = float(np.einsum("ab,aij,bji->", sums.spread, turned, turned))
    adjusted = contrasts @ adjusted_covariance(sums) @ contrasts.T
    statistic = float(estimates @ np.linalg.solve(adjusted, estimates)) / q
    if not a2 > 0:
        return statistic, float("inf")
    b = (a1 + 6.0 * a2) / (2.0 * q)
    g = ((q + 1) * a1 - (q + 4) * a2) / ((q + 2) * a2)
    below = 3.0 * q + 2.0 * (1.0 - g)
    c1, c2, c3 = g / below, (q - g) / below, (q + 2 - g) / below
    mean = 1.0 / (1.0 - a2 / q)
    variance = 2.0 / q * (1.0 + c1 * b) / ((1.0 - c2 * b) ** 2 * (1.0 - c3 * b))
    ratio = variance / (2.0 * mean**2)
    df = 4.0 + (q + 2) / (q * ratio - 1.0)
    return float(df / (mean * (df - 2.0))) * statistic, float(df)
