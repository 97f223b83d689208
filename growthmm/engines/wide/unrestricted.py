"""The unrestricted model: every outcome on every covariate, a free covariance matrix."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from growthmm.engines.optimiser import maximise
from growthmm.engines.wide.likelihood import LOG_2PI, System, evaluate
from growthmm.engines.wide.ram import Entries, Ram
from growthmm.engines.wide.statistics import Cells

__all__ = ["Unrestricted", "unrestricted"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Unrestricted:
    """The best that any model of these outcomes can do.

    Parameters
    ----------
    log_likelihood : float
        Its maximal log-likelihood.
    mean : (T, 1 + q) ndarray
        Coefficients of the regressors, about the cells' centre.
    covariance : (T, T) ndarray
        Covariance matrix given the covariates.
    """

    log_likelihood: float
    mean: FloatArray
    covariance: FloatArray


def unrestricted(ram: Ram, cells: Cells) -> Unrestricted | None:
    """The unrestricted model's maximum for one group, or None where it does not exist.

    Closed form for complete data; else a few steps of the EM algorithm (Dempster, Laird & Rubin
    1977), finished by Newton's method with exact derivatives.
    """
    if cells.designs is not None or cells.filled:
        return None
    t, k = ram.n_outcomes, ram.n_regressors
    together = np.einsum("c,ca,cb->ab", cells.n, cells.observed, cells.observed)
    if together.min() <= t + k - 1 or np.linalg.matrix_rank(cells.ww.sum(axis=0)) < k:
        return None
    return _complete(cells) if len(cells.n) == 1 else _with_missing(ram, cells)


def _complete(cells: Cells) -> Unrestricted | None:
    mean = np.linalg.solve(cells.ww[0], cells.yw[0].T).T
    n = float(cells.n[0])
    covariance = (cells.yy[0] - mean @ cells.yw[0].T) / n
    covariance = 0.5 * (covariance + covariance.T)
    sign, log_det = np.linalg.slogdet(covariance)
    if sign <= 0 or not np.isfinite(log_det):
        return None
    t = len(mean)
    value = -0.5 * n * (t * LOG_2PI + float(log_det) + t)
    return Unrestricted(value, mean, covariance)


def _with_missing(ram: Ram, cells: Cells) -> Unrestricted | None:
    t, k = ram.n_outcomes, ram.n_regressors
    mean, covariance = _expectation_maximisation(cells, 20)
    low = np.tril_indices(t)
    n_cov = len(low[0])
    everywhere = np.indices((t, k)).reshape(2, -1)
    none = np.zeros(0, dtype=np.intp)
    free = Ram(
        t,
        t,
        k,
        n_cov + t * k,
        np.zeros((t, t)),
        np.zeros((t, t)),
        np.zeros((t, k)),
        Entries(none, none, none),
        Entries(low[0], low[1], np.arange(n_cov)),
        Entries(everywhere[0], everywhere[1], n_cov + np.arange(t * k)),
        (),
    )
    about = Cells(
        cells.observed,
        cells.n,
        cells.ww,
        cells.yw,
        cells.yy,
        np.zeros(t),
        np.eye(k),
    )
    system = System(((free, about),), free.n_parameters, none)

    def objective(x: FloatArray) -> tuple[float, FloatArray, FloatArray]:
        e = evaluate(system, x)
        return e.value, e.score, e.hessian

    start = np.concatenate([covariance[low], mean.ravel()])
    if not np.isfinite(evaluate(system, start, order=0).value):
        return None
    best = maximise(objective, start)
    if not best.converged:
        return None
    covariance = np.zeros((t, t))
    covariance[low] = best.point[:n_cov]
    covariance = covariance + np.tril(covariance, -1).T
    return Unrestricted(best.value, best.point[n_cov:].reshape(t, k), covariance)


def _expectation_maximisation(cells: Cells, steps: int) -> tuple[FloatArray, FloatArray]:
    """A start for Newton: completed moments, pattern by pattern."""
    t = cells.observed.shape[1]
    seen = (cells.n[:, None] * cells.observed).sum(axis=0)
    covariance = np.diag(np.einsum("caa->a", cells.yy) / seen)
    mean = np.zeros((t, cells.ww.shape[1]))
    mean[:, 0] = cells.yw[:, :, 0].sum(axis=0) / seen
    ww = cells.ww.sum(axis=0)
    n = float(cells.n.sum())
    for _ in range(steps):
        yw, yy = np.zeros_like(mean), np.zeros((t, t))
        for c, o in enumerate(cells.observed):
            fill = np.linalg.solve(covariance[np.ix_(o, o)], covariance[o]).T
            fill[o] = np.eye(t)[np.ix_(o, o)]
            base = mean - fill @ mean[o]
            c_yw, c_ww = cells.yw[c][o], cells.ww[c]
            yw += fill @ c_yw + base @ c_ww
            cross = fill @ c_yw @ base.T
            yy += fill @ cells.yy[c][np.ix_(o, o)] @ fill.T + cross + cross.T
            yy += base @ c_ww @ base.T
            yy += cells.n[c] * (covariance - fill @ covariance[o])
        mean = np.linalg.solve(ww, yw.T).T
        covariance = (yy - mean @ yw.T) / n
        covariance = 0.5 * (covariance + covariance.T)
    return mean, covariance
