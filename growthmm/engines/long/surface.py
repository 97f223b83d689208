"""What any likelihood of the engine needs of the data at one covariance, and what follows from it.

With ``W = [X, y]`` and ``Q = sum_i W_i' V_i^-1 W_i`` the Gaussian likelihood, the restricted one,
their scores and their Hessians need of the data only ``Q``, ``log|V|`` and their first two
derivatives in the covariance parameters (Harville 1977, doi:10.1080/01621459.1977.10480998;
Lindstrom & Bates 1988, doi:10.1080/01621459.1988.10478693).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "Estimator",
    "Surface",
    "expected_information",
    "hessian",
    "log_likelihood",
    "profile",
    "profile_with_scale",
    "rescaled",
    "score",
    "solve_fixed",
]

FloatArray = NDArray[np.float64]
Estimator = Literal["ml", "reml"]

LOG_2PI = float(np.log(2.0 * np.pi))


@dataclass(frozen=True)
class Surface:
    """The data's part of the likelihood at one covariance.

    Parameters
    ----------
    n_rows : int
        Outcome values.
    cross : (n_fixed + 1, n_fixed + 1) ndarray
        ``Q``.
    log_det : float
        ``sum_i log|V_i|``.
    fixed : (n_fixed,) ndarray
        The fixed effects at which second derivatives are taken.
    gls : (n_fixed, n_fixed) ndarray
        ``(X' V^-1 X)^-1``.
    log_det_gls : float
        ``log|X' V^-1 X|``.
    d_cross : (n_covariance, n_fixed + 1, n_fixed + 1) ndarray
        Derivatives of ``Q``.
    d_log_det : (n_covariance,) ndarray
        Derivatives of ``log|V|``.
    dd_log_det : (n_covariance, n_covariance) ndarray
        Its second derivatives.
    dd_residual : (n_covariance, n_covariance) ndarray
        Second derivatives of ``r' V^-1 r``, `r` the residuals from `fixed`.
    dd_fixed : (n_covariance, n_covariance) ndarray
        ``tr(gls d2 X'V^-1X)``.
    traces : (n_covariance, n_covariance) ndarray
        ``sum_i tr(V^-1 V_a V^-1 V_b)``.
    restricted_traces : (n_covariance, n_covariance) ndarray
        ``tr(gls X' V^-1 V_a V^-1 V_b V^-1 X)``, symmetrised.
    """

    n_rows: int
    cross: FloatArray
    log_det: float
    fixed: FloatArray
    gls: FloatArray
    log_det_gls: float
    d_cross: FloatArray
    d_log_det: FloatArray
    dd_log_det: FloatArray
    dd_residual: FloatArray
    dd_fixed: FloatArray
    traces: FloatArray
    restricted_traces: FloatArray

    @property
    def contrast(self) -> FloatArray:
        """``(-fixed, 1)``, which makes residuals of ``W``."""
        return np.append(-self.fixed, 1.0)

    @property
    def residual(self) -> float:
        """``r' V^-1 r``."""
        return float(self.contrast @ self.cross @ self.contrast)


def solve_fixed(cross: FloatArray) -> tuple[FloatArray, FloatArray, float] | None:
    """Generalised least squares: fixed effects, ``(X'V^-1X)^-1`` and ``log|X'V^-1X|``."""
    p = len(cross) - 1
    if p == 0:
        return np.zeros(0), np.zeros((0, 0)), 0.0
    try:
        lower = np.linalg.cholesky(cross[:p, :p])
    except np.linalg.LinAlgError:
        return None
    inverse = np.linalg.inv(lower)
    gls = inverse.T @ inverse
    log_det = 2.0 * float(np.sum(np.log(np.diag(lower))))
    return gls @ cross[:p, p], gls, log_det


def log_likelihood(surface: Surface, estimator: Estimator) -> float:
    """Log-likelihood with all constants at ``surface.fixed``."""
    n = surface.n_rows
    value = -0.5 * (n * LOG_2PI + surface.log_det + surface.residual)
    if estimator == "reml":
        value += 0.5 * (len(surface.fixed) * LOG_2PI - surface.log_det_gls)
    return value


def score(surface: Surface, estimator: Estimator) -> FloatArray:
    """Gradient in fixed effects, then covariance parameters."""
    p = len(surface.fixed)
    contrast = surface.contrast
    fixed = surface.cross[:p] @ contrast
    covariance = -0.5 * (
        surface.d_log_det + np.einsum("i,aij,j->a", contrast, surface.d_cross, contrast)
    )
    if estimator == "reml":
        covariance = covariance - 0.5 * np.einsum(
            "ij,aij->a", surface.gls, surface.d_cross[:, :p, :p]
        )
    return np.concatenate([fixed, covariance])


def hessian(surface: Surface, estimator: Estimator) -> FloatArray:
    """Second derivatives in fixed effects, then covariance parameters."""
    p, k = len(surface.fixed), len(surface.d_log_det)
    out = np.empty((p + k, p + k))
    out[:p, :p] = -surface.cross[:p, :p]
    mixed = np.einsum("aij,j->ia", surface.d_cross[:, :p], surface.contrast)
    out[:p, p:], out[p:, :p] = mixed, mixed.T
    corner = -0.5 * (surface.dd_log_det + surface.dd_residual)
    if estimator == "reml":
        corner = corner - 0.5 * (surface.dd_fixed - _squared_slopes(surface))
    out[p:, p:] = corner
    return out


def _squared_slopes(surface: Surface) -> FloatArray:
    """``tr(gls K_a gls K_b)`` with ``K_a`` the derivative of ``X'V^-1X``."""
    p = len(surface.fixed)
    turned = np.einsum("ij,ajk->aik", surface.gls, surface.d_cross[:, :p, :p])
    return np.asarray(np.einsum("aik,bki->ab", turned, turned), dtype=float)


def expected_information(surface: Surface, estimator: Estimator) -> FloatArray:
    """Expected information; for REML that of the restricted likelihood.

    For REML the covariance block is ``tr(P V_a P V_b) / 2`` with
    ``P = V^-1 - V^-1 X (X'V^-1X)^-1 X'V^-1``.
    """
    p, k = len(surface.fixed), len(surface.d_log_det)
    out = np.zeros((p + k, p + k))
    out[:p, :p] = surface.cross[:p, :p]
    corner = 0.5 * surface.traces
    if estimator == "reml":
        corner = corner - surface.restricted_traces + 0.5 * _squared_slopes(surface)
    out[p:, p:] = corner
    return out


def profile(surface: Surface, estimator: Estimator) -> tuple[float, FloatArray, FloatArray]:
    """Value, gradient and Hessian in the covariance with the fixed effects maximised out.

    `surface` must have been taken at the generalised least squares solution.
    """
    p = len(surface.fixed)
    gradient = score(surface, estimator)[p:]
    full = hessian(surface, estimator)
    corner = full[p:, p:] + full[p:, :p] @ surface.gls @ full[:p, p:]
    return log_likelihood(surface, estimator), gradient, corner


def profile_with_scale(
    surface: Surface, estimator: Estimator
) -> tuple[float, FloatArray, FloatArray, float]:
    """As `profile` for covariances known up to a factor, which is maximised out too; and it."""
    p = len(surface.fixed)
    contrast = surface.contrast
    n = surface.n_rows - (p if estimator == "reml" else 0)
    q = surface.residual
    slope = np.einsum("aij,j->ai", surface.d_cross, contrast)
    dq = slope @ contrast
    cross = slope[:, :p]
    ddq = surface.dd_residual - 2.0 * cross @ surface.gls @ cross.T
    value = -0.5 * (n * (LOG_2PI + 1.0 + np.log(q / n)) + surface.log_det)
    gradient = -0.5 * (n * dq / q + surface.d_log_det)
    curvature = -0.5 * (n * (ddq / q - np.outer(dq, dq) / q**2) + surface.dd_log_det)
    if estimator == "reml":
        value -= 0.5 * surface.log_det_gls
        gradient = gradient - 0.5 * np.einsum("ij,aij->a", surface.gls, surface.d_cross[:, :p, :p])
        curvature = curvature - 0.5 * (surface.dd_fixed - _squared_slopes(surface))
    return float(value), gradient, curvature, q / n


def rescaled(unit: Surface, ratios: FloatArray, scale: float, *, with_scale: bool) -> Surface:
    """The surface at covariance ``G`` and residual variance `s` from that at ``G / s`` and 1.

    ``V(G, s) = s V(G / s, 1)``, so that by Euler's theorem ``s dV/ds = V - sum_a G_a V_a``, and
    derivatives of ``Q``, which has degree -1, follow from those in ``G`` alone.

    Parameters
    ----------
    unit : Surface
        At residual variance 1, without it among the parameters.
    ratios : (n_entries,) ndarray
        Free entries of ``G / s``.
    scale : float
        `s`.
    with_scale : bool
        Whether `s` is added as the last covariance parameter.
    """
    p, k, s = len(unit.fixed), len(ratios), scale
    d_cross, d_log_det = unit.d_cross / s**2, unit.d_log_det / s
    traces = unit.traces / s**2
    dd_residual, dd_fixed = unit.dd_residual / s**3, unit.dd_fixed / s**2
    if with_scale:
        c = unit.contrast
        last = -(unit.cross + np.tensordot(ratios, unit.d_cross, axes=1))
        own = unit.n_rows - float(ratios @ unit.d_log_det)
        side = unit.d_log_det - unit.traces @ ratios
        d_cross = np.concatenate([d_cross, last[None] / s**2])
        d_log_det = np.append(d_log_det, own / s)
        traces = _bordered(traces, side / s**2, (own - float(ratios @ side)) / s**2)
        slopes = np.array([c @ d @ c for d in unit.d_cross]).reshape(k)
        edge = -(2.0 * slopes + unit.dd_residual @ ratios)
        corner = -(2.0 * float(c @ last @ c) + float(ratios @ edge))
        dd_residual = _bordered(dd_residual, edge / s**3, corner / s**3)
        if np.any(unit.dd_fixed):
            slopes = np.array([np.sum(unit.gls * d[:p, :p]) for d in unit.d_cross]).reshape(k)
            edge = -(2.0 * slopes + unit.dd_fixed @ ratios)
            corner = -(2.0 * float(np.sum(unit.gls * last[:p, :p])) + float(ratios @ edge))
            dd_fixed = _bordered(dd_fixed, edge / s**2, corner / s**2)
        else:
            dd_fixed = np.zeros(traces.shape)
    return Surface(
        n_rows=unit.n_rows,
        cross=unit.cross / s,
        log_det=unit.log_det + unit.n_rows * float(np.log(s)),
        fixed=unit.fixed,
        gls=unit.gls * s,
        log_det_gls=unit.log_det_gls - p * float(np.log(s)),
        d_cross=d_cross,
        d_log_det=d_log_det,
        dd_log_det=-traces,
        dd_residual=dd_residual,
        dd_fixed=dd_fixed,
        traces=traces,
        restricted_traces=0.5 * dd_fixed,
    )


def _bordered(inner: FloatArray, edge: FloatArray, corner: float) -> FloatArray:
    k = len(edge)
    out = np.empty((k + 1, k + 1))
    out[:k, :k], out[:k, k], out[k, :k], out[k, k] = inner, edge, edge, corner
    return out
