"""The Gaussian likelihood and its derivatives from sufficient statistics.

For a cell of n persons with pattern covariance Sigma, W its inverse on the observed outcomes (zero
elsewhere), R the sum of r r' and C the sum of r w' for the residuals r = y - M w::

    l        = -(n T log 2 pi + n log|Sigma| + tr(W R)) / 2
    dl       = tr(Q dSigma) / 2 + tr(G' dM),   Q = W R W - n W,   G = W C
    expected = n tr(W dSigma W dSigma) / 2 + tr(dM' W dM ww)

The restricted likelihood adds p log(2 pi) / 2 - log|X'V^-1X| / 2 (Patterson & Thompson 1971,
doi:10.1093/biomet/58.3.545), which puts ``R + Y`` in the place of R in Q, with
``Y = sum_jk (X'V^-1X)^-1_jk dM_j ww dM_k'`` over the fixed parameters j, k.
"""

from __future__ import annotations

import weakref
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from growthmm.engines.wide import ram as r
from growthmm.engines.wide.levels.likelihood import evaluate_levels
from growthmm.engines.wide.levels.statistics import Levels
from growthmm.engines.wide.patterns import invert_patterns
from growthmm.engines.wide.second_derivatives import gram, second
from growthmm.engines.wide.statistics import Cells

__all__ = ["Evaluation", "System", "evaluate", "invert_patterns"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.intp]

LOG_2PI = float(np.log(2.0 * np.pi))
MEMORY = 1_000_000
"""Numbers that one block of cells may hold in its Jacobian."""


@dataclass(frozen=True)
class System:
    """All groups of a problem, ready for evaluation.

    Parameters
    ----------
    groups : tuple of (Ram, Cells)
        Matrices and statistics of each group.
    n_parameters : int
        Free parameters.
    fixed : (n_fixed,) ndarray of int
        Parameters of the means, over which the restricted likelihood integrates.
    turn : (n_parameters, n_parameters) ndarray, optional
        Directions, as columns, along which to differentiate; they mix parameters of the means
        with each other alone, and so those of the covariances.
    levels : Levels, optional
        Persons within clusters. `groups` are then the two levels, each with roughly its own
        moments (those about the clusters' means, and those of these means), from which starting
        values and ranks are taken; the likelihood is that of `levels`.
    """

    groups: tuple[tuple[r.Ram, Cells], ...]
    n_parameters: int
    fixed: IntArray
    turn: FloatArray | None = None
    levels: Levels | None = None

    @property
    def n_subjects(self) -> int:
        """Persons with at least one outcome."""
        if self.levels is not None:
            return self.levels.n_subjects
        return sum(cells.n_subjects for _, cells in self.groups)

    @property
    def n_rows(self) -> int:
        """Outcome values."""
        if self.levels is not None:
            return self.levels.n_rows
        return sum(cells.n_rows for _, cells in self.groups)

    def sample(self) -> System:
        """At most some 2,000 cells of each group, where designs differ from person to person."""
        groups = tuple(
            (ram, cells.part(slice(None, None, max(1, len(cells.n) // 1000))))
            if len(cells.n) > 2000
            else (ram, cells)
            for ram, cells in self.groups
        )
        return System(groups, self.n_parameters, self.fixed, self.turn, self.levels)


@dataclass(frozen=True)
class Evaluation:
    """The log-likelihood at a point; derivatives are zero-sized where they were not asked for.

    Parameters
    ----------
    value : float
        Minus infinity where a pattern's covariance matrix is not positive definite.
    score : (n_parameters,) ndarray
        First derivatives.
    hessian : (n_parameters, n_parameters) ndarray
        Second derivatives.
    expected : (n_parameters, n_parameters) ndarray
        Expected information.
    """

    value: float
    score: FloatArray
    hessian: FloatArray
    expected: FloatArray


@dataclass
class _Block:
    """One block of cells at the current point."""

    ram: r.Ram
    cells: Cells
    at: r.Implied
    weight: FloatArray
    log_det: FloatArray
    mean: FloatArray


def _blocks(system: System, values: FloatArray) -> Iterator[_Block | None]:
    for ram, cells in system.groups:
        each = ram.n_outcomes * (ram.n_outcomes + ram.n_regressors) * (1 + ram.n_parameters)
        step = max(1, MEMORY // each)
        shared = None
        if cells.designs is None:
            shared = r.implied(ram, values)
            if shared is None:
                yield None
                return
        for start in range(0, len(cells.n), step):
            part = cells if step >= len(cells.n) else cells.part(slice(start, start + step))
            at = r.implied(ram, values, part.designs) if shared is None else shared
            if at is None:
                yield None
                return
            inverse = invert_patterns(
                at.sigma[:, : ram.n_outcomes, : ram.n_outcomes], part.observed
            )
            if inverse is None:
                yield None
                return
            mean = at.mean[:, : ram.n_outcomes] @ cells.transform
            mean[:, :, 0] -= cells.centre
            yield _Block(ram, part, at, *inverse, mean)


def _failed(size: int) -> Evaluation:
    return Evaluation(
        -np.inf, np.zeros(size), np.full((size, size), np.nan), np.full((size, size), np.nan)
    )


def evaluate(
    system: System, values: FloatArray, *, order: int = 2, restricted: bool = False
) -> Evaluation:
    """The log-likelihood and its derivatives at `values`.

    Parameters
    ----------
    system : System
        The problem.
    values : (n_parameters,) ndarray
        Parameter values.
    order : {0, 1, 2}
        Highest derivative wanted; 2 gives the expected information too.
    restricted : bool
        Whether to take the restricted likelihood.

    Returns
    -------
    Evaluation
        Value, score, Hessian and expected information; arrays that are not to be changed.
    """
    for known in _LATEST:
        if known.system() is system and known.point == (values.tobytes(), restricted):
            return known.found
    found = _evaluate(system, values, order, restricted)
    if order > 1:
        _LATEST.appendleft(_Known(weakref.ref(system), (values.tobytes(), restricted), found))
    return found


@dataclass(frozen=True)
class _Known:
    """An evaluation and where it was made."""

    system: weakref.ref[System]
    point: tuple[bytes, bool]
    found: Evaluation


_LATEST: deque[_Known] = deque(maxlen=2)
"""A search looks at its last point again to report on it."""


def _evaluate(system: System, values: FloatArray, order: int, restricted: bool) -> Evaluation:
    size = system.n_parameters
    if system.levels is not None:
        rams = (system.groups[0][0], system.groups[1][0])
        return Evaluation(*evaluate_levels(rams, system.levels, values, order, system.turn))
    inverse = None
    value = 0.0
    if restricted and len(system.fixed):
        cross = _fixed_information(system, values)
        if cross is None:
            return _failed(size)
        scale = 1.0 / np.sqrt(np.diag(cross))
        try:
            factor = np.linalg.cholesky(cross * np.outer(scale, scale))
        except np.linalg.LinAlgError:
            return _failed(size)
        value -= float(np.log(np.diag(factor)).sum() - np.log(scale).sum())
        value += 0.5 * len(system.fixed) * LOG_2PI
        if system.turn is not None:
            part = system.turn[np.ix_(system.fixed, system.fixed)]
            value += float(np.linalg.slogdet(part)[1])
        root = np.linalg.solve(factor, np.diag(scale))
        inverse = root.T @ root
    n_fixed = len(system.fixed)
    sums = _Sums(
        np.zeros(size),
        np.zeros((size, size)),
        np.zeros((size, size)),
        np.zeros((size, n_fixed, n_fixed)),
    )
    for block in _blocks(system, values):
        if block is None:
            return _failed(size)
        value += _accumulate(block, system, inverse, order, sums)
    if inverse is not None and order > 1:
        turned = inverse @ sums.traces
        extra = 0.5 * np.einsum("kab,lba->kl", turned, turned)
        sums.hessian += extra
        sums.expected += extra
    return Evaluation(value, sums.score, sums.hessian, sums.expected)


def _jacobian(block: _Block, system: System) -> r.Jacobian:
    """Derivatives of the moments by the parameters, or along the directions asked for."""
    jac = r.jacobian(block.ram, block.at)
    if system.turn is None:
        return jac
    cov, mean = block.ram.cov_parameters, block.ram.mean_parameters
    return replace(
        jac,
        sigma=np.einsum("ckab,kl->clab", jac.sigma, system.turn[np.ix_(cov, cov)]),
        mean=np.einsum("ckaw,kl->claw", jac.mean, system.turn[np.ix_(mean, mean)]),
    )


def _curvature(block: _Block, system: System, q: FloatArray, back: FloatArray) -> FloatArray:
    found = r.curvature(block.ram, block.at, q, back)
    return found if system.turn is None else system.turn.T @ found @ system.turn


def _fixed_information(system: System, values: FloatArray) -> FloatArray | None:
    """``X'V^-1X``: the information of the fixed parameters."""
    n = len(system.fixed)
    total = np.zeros((n, n))
    for block in _blocks(system, values):
        if block is None:
            return None
        where, slope = _fixed_slopes(block, system)
        weighted = block.weight[:, None] @ slope
        total[np.ix_(where, where)] += gram(slope @ block.cells.ww[:, None], weighted)
    return total


def _fixed_slopes(block: _Block, system: System) -> tuple[IntArray, FloatArray]:
    """Which fixed parameters act in the block, and dM for each (n_designs, n_fixed, T, 1 + q)."""
    ram = block.ram
    jac = _jacobian(block, system)
    position = {int(k): i for i, k in enumerate(ram.mean_parameters)}
    pairs = [(i, position[int(k)]) for i, k in enumerate(system.fixed) if int(k) in position]
    where = np.array([i for i, _ in pairs], dtype=np.intp)
    columns = np.array([j for _, j in pairs], dtype=np.intp)
    slope = (jac.mean @ block.cells.transform)[:, columns]
    return where, np.broadcast_to(slope, (len(block.cells.n), *slope.shape[1:]))


@dataclass
class _Sums:
    """What blocks add to."""

    score: FloatArray
    hessian: FloatArray
    expected: FloatArray
    traces: FloatArray


@dataclass(frozen=True)
class _Restricted:
    """A block's part in the restricted likelihood.

    Parameters
    ----------
    where : (n_fixed,) ndarray of int
        Fixed parameters that act in the block.
    slope : (n_cells, n_fixed, T, 1 + q) ndarray
        Their dM.
    added : (n_cells, T, T) ndarray
        ``W Y W``.
    """

    where: IntArray
    slope: FloatArray
    added: FloatArray


def _restrict(block: _Block, system: System, inverse: FloatArray) -> _Restricted:
    where, slope = _fixed_slopes(block, system)
    part = np.tensordot(slope, inverse[np.ix_(where, where)], axes=([1], [0]))
    part = np.moveaxis(part, -1, 1)
    spread = np.einsum("cjaw,cjbw->cab", slope @ block.cells.ww[:, None], part, optimize=True)
    return _Restricted(where, slope, block.weight @ spread @ block.weight)


def _accumulate(
    block: _Block, system: System, inverse: FloatArray | None, order: int, sums: _Sums
) -> float:
    """Add a block's derivatives; returns its log-likelihood."""
    cells, w = block.cells, block.weight
    c = cells.yw - block.mean @ cells.ww
    residual = cells.yy - block.mean @ cells.yw.swapaxes(1, 2) - c @ block.mean.swapaxes(1, 2)
    residual = 0.5 * (residual + residual.swapaxes(1, 2))
    count = cells.n * cells.observed.sum(axis=1)
    value = -0.5 * float(np.sum(count * LOG_2PI + cells.n * block.log_det) + np.sum(w * residual))
    if order == 0:
        return value
    restricted = None if inverse is None else _restrict(block, system, inverse)
    spread = w @ residual @ w
    if restricted is not None:
        spread = spread + restricted.added
    q = spread - cells.n[:, None, None] * w
    g = w @ c
    back = g @ cells.transform.T
    if len(block.at.b) == 1:
        q, back = q.sum(axis=0, keepdims=True), back.sum(axis=0, keepdims=True)
    jac = _jacobian(block, system)
    sums.score[block.ram.cov_parameters] += 0.5 * _contract(jac.sigma, q)
    sums.score[block.ram.mean_parameters] += _contract(jac.mean, back)
    if order > 1:
        if len(block.ram.a):
            sums.hessian += _curvature(block, system, q, back)
        _second(block, jac, spread, g, sums)
        if restricted is not None:
            _second_restricted(block, jac, restricted, sums)
    return value


def _contract(slope: FloatArray, weight: FloatArray) -> FloatArray:
    """``sum_cab slope[c, k, a, b] weight[c, a, b]``."""
    if len(slope) == 1:
        return np.asarray(slope[0].reshape(slope.shape[1], weight[0].size) @ weight[0].ravel())
    return np.asarray(np.einsum("ckab,cab->k", slope, weight))


def _second(block: _Block, jac: r.Jacobian, spread: FloatArray, g: FloatArray, sums: _Sums) -> None:
    """Second derivatives and expected information but for the moments' own curvature."""
    found = second(block.cells, block.weight, spread, g, jac)
    covs, cross, crossed, means = block.ram.grids
    information = 0.5 * (found.means + found.means.T)
    sums.hessian[covs] += found.fisher - 0.5 * (found.mixed + found.mixed.T)
    sums.hessian[means] -= information
    sums.hessian[cross] -= found.cross
    sums.hessian[crossed] -= found.cross.T
    sums.expected[covs] += found.fisher
    sums.expected[means] += information


def _second_restricted(
    block: _Block, jac: r.Jacobian, restricted: _Restricted, sums: _Sums
) -> None:
    """The expected information's loss to the fixed parameters, and X'W dSigma W X."""
    cov, w = block.ram.cov_parameters, block.weight
    extra = gram(w[:, None] @ jac.sigma, (restricted.added[:, None] @ jac.sigma).swapaxes(2, 3))
    sums.expected[block.ram.grids[0]] -= 0.5 * (extra + extra.T)
    weighted = w[:, None] @ restricted.slope
    side = weighted @ block.cells.ww[:, None]
    for i, k in enumerate(cov):
        moved = jac.sigma[:, i][:, None] @ side
        sums.traces[k][np.ix_(restricted.where, restricted.where)] += gram(weighted, moved)
