"""Starting values from moments: least squares for the means, then for the covariances."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from growthmm.engines.wide import ram as r
from growthmm.engines.wide.likelihood import System, evaluate
from growthmm.model.sem import SemModel

__all__ = [
    "Candidates",
    "candidates",
    "covariances_solved",
    "effects_solved",
    "moment_start",
    "outcome_variances",
]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.intp]

FEW_CELLS = 1_000
"""Cells up to which second derivatives cost little more than the value."""

UNSEEN = 0.5
"""Where a parameter starts on which no moment depends but through constraints."""


class Candidates:
    """Points to start from, the best first, each worked out when it is asked for."""

    def __init__(self, points: Iterator[FloatArray]) -> None:
        self._points = points
        self._known: list[FloatArray] = []

    def __iter__(self) -> Iterator[FloatArray]:
        place = 0
        while place < len(self._known) or self._next():
            yield self._known[place]
            place += 1

    def _next(self) -> bool:
        for point in self._points:
            self._known.append(point)
            return True
        return False

    def first(self) -> FloatArray | None:
        """The best; None where there is none."""
        return next(iter(self), None)

    def behind(self, point: FloatArray) -> Candidates:
        """The same with `point` in front."""
        return Candidates(itertools.chain([point], self))


def candidates(model: SemModel, system: System) -> Candidates:
    """Admissible points to start from, the best first.

    The least-squares solution is drawn towards independent variables until every pattern's
    covariance matrix is positive definite.
    """
    return Candidates(_admissible(model, system))


def _admissible(model: SemModel, system: System) -> Iterator[FloatArray]:
    given = {p.parameter: p.start for p in model.paths if p.free and p.start is not None}
    override = {k: given[n] for k, n in enumerate(model.free_parameters) if n in given}
    best = moment_start(model, system.sample())

    def held(point: FloatArray) -> FloatArray:
        point = point.copy()
        for k, value in override.items():
            point[k] = value
        return point

    # The search looks at its start with derivatives, and finds it known.
    order = 2 if sum(len(cells.n) for _, cells in system.groups) < FEW_CELLS else 0
    point = held(best)
    whole = bool(np.isfinite(evaluate(system, point, order=order).value))
    if whole:
        yield point
    plain = _independent(system, best)
    for weight in (0.9, 0.7, 0.4, 0.1, 0.0):
        point = held(weight * best + (1 - weight) * plain)
        if np.isfinite(evaluate(system, point, order=0).value):
            yield point
            if weight < 0.9 or whole:
                break
    if override and np.isfinite(evaluate(system, plain, order=0).value):
        yield plain
    last = held(plain)
    if np.isfinite(evaluate(system, last, order=0).value):
        yield last


def moment_start(model: SemModel, system: System) -> FloatArray:
    """Least-squares values: loadings by interpolation, means, then (co)variances.

    Returns
    -------
    (n_parameters,) ndarray
        Not always admissible.
    """
    values = _effects(model, system)
    _solve_means(system, values)
    _solve_covariances(system, values, _only_s(system))
    return values


def _only_s(system: System) -> IntArray:
    if len(system.groups) == 1:
        return system.groups[0][0].only_s
    s = np.concatenate([ram.s.parameters for ram, _ in system.groups])
    other = [np.union1d(ram.a.parameters, ram.k.parameters) for ram, _ in system.groups]
    return np.setdiff1d(s, np.concatenate(other)).astype(np.intp)


def _effects(model: SemModel, system: System) -> FloatArray:
    """Free loadings between their fixed neighbours; regressions zero; given starts as given."""
    values = np.zeros(system.n_parameters)
    index = {name: k for k, name in enumerate(model.free_parameters)}
    for group in range(model.n_groups):
        for factor in model.latent:
            rows = [p for p in model.paths if (p.left, p.op, p.group) == (factor, "=~", group)]
            known = [(j, p.value) for j, p in enumerate(rows) if p.value is not None and not p.free]
            x, y = [j for j, _ in known], [float(v or 0.0) for _, v in known]
            for j, path in enumerate(rows):
                if path.free:
                    values[index[path.parameter]] = _between(j, x, y)
    for path in model.paths:
        if path.free and path.start is not None and path.op in ("=~", "~"):
            values[index[path.parameter]] = path.start
    return values


def _between(j: int, x: list[int], y: list[float]) -> float:
    if len(x) < 2 or y[0] == y[-1]:
        return 1.0
    if j < x[0]:
        return y[0] + (j - x[0]) * (y[1] - y[0]) / (x[1] - x[0])
    if j > x[-1]:
        return y[-1] + (j - x[-1]) * (y[-1] - y[-2]) / (x[-1] - x[-2])
    return float(np.interp(j, x, y))


def outcome_variances(system: System) -> list[FloatArray]:
    """Variance of each outcome in each group."""
    found = []
    for _, cells in system.groups:
        n = np.maximum((cells.n[:, None] * cells.observed).sum(axis=0), 1.0)
        variance = np.einsum("caa->a", cells.yy) / n
        typical = float(variance[variance > 0].mean()) if np.any(variance > 0) else 1.0
        found.append(np.where(variance > 1e-12 * typical, variance, typical))
    return found


def effects_solved(system: System, values: FloatArray) -> FloatArray:
    """The values with means and effects of covariates from weighted least squares."""
    made = values.copy()
    made[system.fixed] = 0.0
    seen = _solve_means(system, made)
    made[system.fixed] = np.where(seen, made[system.fixed], values[system.fixed])
    return made


def covariances_solved(system: System, values: FloatArray) -> FloatArray:
    """The values with (co)variances from weighted least squares, where these are admissible.

    Otherwise they are drawn towards independent variables, as at other starts.
    """
    best = values.copy()
    which = _only_s(system)
    _solve_covariances(system, best, which)
    plain = _independent(system, best)
    for weight in (1.0, 0.9, 0.7, 0.4, 0.1, 0.0):
        made = values.copy()
        made[which] = weight * best[which] + (1 - weight) * plain[which]
        if np.isfinite(evaluate(system, made, order=0).value):
            break
    return made


def _solve_means(system: System, values: FloatArray) -> NDArray[np.bool_]:
    """Put means and effects into `values`; which of them move an outcome."""
    fixed = system.fixed
    if not len(fixed):
        return np.zeros(0, dtype=bool)
    left = np.zeros((len(fixed), len(fixed)))
    right = np.zeros(len(fixed))
    for (ram, cells), variance in zip(system.groups, outcome_variances(system), strict=True):
        at = r.implied(ram, values, cells.designs)
        if at is None:
            continue
        keep = np.isin(ram.mean_parameters, fixed)
        where = np.searchsorted(fixed, ram.mean_parameters[keep])
        slope = (r.jacobian(ram, at).mean @ cells.transform)[:, keep]
        mean = at.mean[:, : ram.n_outcomes] @ cells.transform
        mean[:, :, 0] -= cells.centre
        weight = (cells.observed / variance)[:, :, None]
        gap = weight * (cells.yw - mean @ cells.ww)
        side = slope @ cells.ww[:, None]
        slope = np.broadcast_to(slope, side.shape)
        left[np.ix_(where, where)] += np.tensordot(
            side, weight[:, None] * slope, axes=([0, 2, 3], [0, 2, 3])
        )
        right[where] += np.einsum("cjaw,caw->j", slope, gap)
    # A mean that moves no outcome is a parameter of the constraints alone.
    seen = np.diag(left) > 0
    values[fixed] = np.where(seen, _least_squares(left, right), UNSEEN)
    return seen


def _solve_covariances(system: System, values: FloatArray, which: IntArray) -> None:
    if not len(which):
        return
    left = np.zeros((len(which), len(which)))
    right = np.zeros(len(which))
    for (ram, cells), variance in zip(system.groups, outcome_variances(system), strict=True):
        at = r.implied(ram, values, cells.designs)
        if at is None:
            continue
        keep = np.isin(ram.cov_parameters, which)
        where = np.searchsorted(which, ram.cov_parameters[keep])
        mean = at.mean[:, : ram.n_outcomes] @ cells.transform
        mean[:, :, 0] -= cells.centre
        c = cells.yw - mean @ cells.ww
        turned = mean.swapaxes(1, 2)
        residual = cells.yy - mean @ cells.yw.swapaxes(1, 2) - c @ turned
        sigma = at.sigma[:, : ram.n_outcomes, : ram.n_outcomes]
        sd = np.sqrt(variance)
        weight = cells.observed[:, :, None] * cells.observed[:, None, :] / np.outer(sd, sd) ** 2
        slope = r.jacobian(ram, at).sigma[:, keep]
        gap = weight * (residual - cells.n[:, None, None] * sigma)
        scaled = (cells.n[:, None, None] * weight)[:, None] * slope
        slope = np.broadcast_to(slope, scaled.shape)
        left[np.ix_(where, where)] += np.tensordot(slope, scaled, axes=([0, 2, 3], [0, 2, 3]))
        right[where] += np.einsum("ckab,cab->k", slope, gap)
    values[which] += _least_squares(left, right)


def _least_squares(left: FloatArray, right: FloatArray) -> FloatArray:
    diagonal = np.diag(left)
    scale = 1.0 / np.sqrt(np.where(diagonal > 0, diagonal, 1.0))
    answer = np.linalg.lstsq(left * np.outer(scale, scale), right * scale, rcond=1e-11)[0]
    return np.asarray(scale * answer, dtype=float)


def _independent(system: System, best: FloatArray) -> FloatArray:
    """The means of `best` with independent variables, none of small variance."""
    values = best.copy()
    which = _only_s(system)
    values[which] = 0.0
    variance = np.concatenate(list(outcome_variances(system)))
    for ram, _ in system.groups:
        at = r.implied(ram, values, np.ones((1, len(ram.definitions))) if ram.definitions else None)
        if at is None:
            continue
        size = np.abs(at.b[0, : ram.n_outcomes]).max(axis=0)
        for row, col, k in zip(ram.s.rows, ram.s.cols, ram.s.parameters, strict=True):
            if row == col and k in which:
                part = 0.5 if row < ram.n_outcomes else 0.2
                values[k] = part * float(variance.mean()) / max(size[row], 1e-8) ** 2
    return values
