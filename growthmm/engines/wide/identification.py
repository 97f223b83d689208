"""Which parameters the moments cannot tell apart: the rank of their Jacobian."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from growthmm.engines.wide import ram as r
from growthmm.engines.wide.constraints import relations
from growthmm.engines.wide.levels.likelihood import level_jacobian
from growthmm.engines.wide.likelihood import System
from growthmm.engines.wide.problem import WideProblem
from growthmm.engines.wide.search import null_basis
from growthmm.engines.wide.statistics import Cells
from growthmm.engines.wide.system import compile_problem

__all__ = ["moment_jacobian", "null_directions", "null_space"]

FloatArray = NDArray[np.float64]

RANK_TOLERANCE = 1e-11


def moment_jacobian(system: System, values: FloatArray) -> FloatArray:
    """Triangular factor of the Jacobian of the moments of all patterns and designs present.

    Outcomes are in units of their standard deviations; means are weighted by the covariates
    observed.

    Returns
    -------
    (n_rows, n_parameters) ndarray
        ``R`` with ``R'R = J'J``.
    """
    size = system.n_parameters
    if system.levels is not None:
        rams = system.groups[0][0], system.groups[1][0]
        return level_jacobian(rams, system.levels, values)
    total = np.zeros((0, size))
    for ram, cells in system.groups:
        sd = np.sqrt(cells.variances())
        step = max(1, 2_000_000 // (size * ram.n_outcomes**2 + 1))
        for start in range(0, len(cells.n), step):
            part = cells.part(slice(start, start + step))
            at = r.implied(ram, values, part.designs)
            if at is None:
                continue
            stacked = np.concatenate([total, *_rows(ram, part, at, sd)])
            total = np.asarray(np.linalg.qr(stacked)[1]) if len(stacked) > size else stacked
    return np.asarray(total)


def _rows(ram: r.Ram, cells: Cells, at: r.Implied, sd: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Derivatives of covariances and of means, a row for each moment of each cell."""
    jac = r.jacobian(ram, at)
    count, size = len(cells.n), ram.n_parameters
    both = cells.observed[:, :, None] & cells.observed[:, None, :]
    sigma = np.where(both[:, None], jac.sigma / np.outer(sd, sd), 0.0)
    rows = np.zeros((count, ram.n_outcomes**2, size))
    rows[:, :, ram.cov_parameters] = sigma.reshape(
        count, len(ram.cov_parameters), ram.n_outcomes**2
    ).swapaxes(1, 2)
    slope = (jac.mean @ cells.transform) / sd[:, None] * cells.observed[:, None, :, None]
    slope = slope @ _root(cells.ww / cells.n[:, None, None])[:, None]
    means = np.zeros((count, ram.n_outcomes * ram.n_regressors, size))
    means[:, :, ram.mean_parameters] = slope.reshape(
        count, len(ram.mean_parameters), ram.n_outcomes * ram.n_regressors
    ).swapaxes(1, 2)
    return rows.reshape(-1, size), means.reshape(-1, size)


def _root(gram: FloatArray) -> FloatArray:
    values, vectors = np.linalg.eigh(gram)
    small = values <= 1e-12 * values[:, -1:]
    return np.asarray(vectors * np.sqrt(np.where(small, 0.0, values))[:, None, :])


def null_directions(problem: WideProblem, values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Directions in which no moment moves, within the equality constraints.

    The rank is taken at `values` and at two points beside them; the largest counts, since a
    model is identified if it is so almost everywhere.

    Returns
    -------
    directions : (n_parameters, n_directions) ndarray
        Basis of the null space.
    unit : (n_parameters,) ndarray
        Change of each parameter that moves the moments by one; divide by it to compare sizes.
    """
    system = compile_problem(problem)
    part = system.sample()
    rng = np.random.default_rng(7)
    best: tuple[FloatArray, FloatArray] | None = None
    for trial in range(3):
        point = values
        if trial:
            point = values * rng.uniform(0.7, 1.3, len(values))
            point = point + rng.uniform(0.02, 0.05, len(values)) * np.abs(values).mean()
        jacobian = moment_jacobian(part if trial == 0 else system, point)
        length = np.sqrt((jacobian**2).sum(axis=0))
        unit = 1.0 / np.where(length > 0, length, 1.0)
        held = [c.jet.gradient * unit for c in relations(problem.model, point) if c.equality]
        basis = null_basis(np.array(held).reshape(-1, len(values)), len(values))
        _, s, v = np.linalg.svd((jacobian * unit) @ basis, full_matrices=True)
        size = np.zeros(v.shape[0])
        size[: len(s)] = s
        flat = size <= RANK_TOLERANCE * max(float(size.max(initial=0.0)), 1e-300)
        null = unit[:, None] * (basis @ v[flat].T)
        if best is None or null.shape[1] < best[0].shape[1]:
            best = null, unit
        if not flat.any():
            break
    assert best is not None
    return best


def null_space(problem: WideProblem, values: FloatArray) -> list[str]:
    """The parameters that the moments of the patterns present cannot tell apart.

    Parameters
    ----------
    problem : WideProblem
        Model and data.
    values : (n_parameters,) ndarray
        Where to look; see :func:`null_directions`.

    Returns
    -------
    list of str
        Empty for an identified model.
    """
    null, unit = null_directions(problem, np.asarray(values, dtype=float))
    if null.shape[1] == 0:
        return []
    size = np.linalg.norm(null / unit[:, None], axis=1)
    names = problem.model.free_parameters
    return [name for name, s in zip(names, size, strict=True) if s > 1e-6 * size.max()]
