"""Coordinates in which the information is well scaled.

In the user's units the information matrix may be singular to working precision (time counted from
the year 0, say), although the moments tell all parameters apart. Along the columns of the matrix T
made here, the whitened first derivatives of the moments are orthonormal.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from growthmm.engines.wide import ram as r
from growthmm.engines.wide.likelihood import System
from growthmm.engines.wide.statistics import Cells

__all__ = ["sample_designs", "well_scaled"]

FloatArray = NDArray[np.float64]

DESIGNS = 50
"""Persons' designs looked at, where they differ."""


def sample_designs(cells: Cells) -> FloatArray | None:
    """Some of the cells' designs, where they differ."""
    if cells.designs is None:
        return None
    return cells.designs[:: max(1, len(cells.designs) // DESIGNS)][:DESIGNS]


def well_scaled(system: System, values: FloatArray) -> FloatArray:
    """The matrix T at `values`, (n_parameters, n_parameters).

    It mixes parameters of the means with each other alone, and so those of the covariances. The
    identity where the derivatives have no full rank, parameters act on both means and covariances,
    or groups differ in their parameters.
    """
    size = system.n_parameters
    plain = np.eye(size)
    covs: list[FloatArray] = []
    means: list[FloatArray] = []
    first = system.groups[0][0]
    for ram, cells in system.groups:
        if np.intersect1d(ram.cov_parameters, ram.mean_parameters).size:
            return plain
        if not (
            np.array_equal(ram.cov_parameters, first.cov_parameters)
            and np.array_equal(ram.mean_parameters, first.mean_parameters)
        ):
            return plain
        at = r.implied(ram, values, sample_designs(cells))
        if at is None:
            return plain
        t = ram.n_outcomes
        try:
            white = np.linalg.inv(np.linalg.cholesky(at.sigma[:, :t, :t]))
        except np.linalg.LinAlgError:
            return plain
        jac = r.jacobian(ram, at)
        spread = white[:, None] @ jac.sigma @ white[:, None].swapaxes(2, 3)
        ww = cells.ww.sum(axis=0)
        curve, basis = np.linalg.eigh(ww)
        root = basis * np.sqrt(np.maximum(curve, 0.0))
        moved = white[:, None] @ (jac.mean @ cells.transform @ root)
        covs.append(_rows(spread, ram.cov_parameters, size))
        means.append(_rows(moved, ram.mean_parameters, size))
    turn = plain.copy()
    for rows in (np.concatenate(covs), np.concatenate(means)):
        which = np.flatnonzero(np.any(rows != 0, axis=0))
        part = _orthonormal(rows[:, which])
        if part is None:
            return plain
        turn[np.ix_(which, which)] = part
    return turn


def _rows(derivatives: FloatArray, owners: NDArray[np.intp], size: int) -> FloatArray:
    """Derivatives (n_designs, n_owners, a, b) as rows, one column a parameter of the model."""
    flat = (
        np.moveaxis(derivatives, 1, -1).reshape(-1, len(owners))
        if len(owners)
        else np.empty((0, 0))
    )
    rows = np.zeros((len(flat), size))
    rows[:, owners] = flat
    return rows


def _orthonormal(rows: FloatArray) -> FloatArray | None:
    """T with ``rows @ T`` orthonormal, None where the columns depend on each other."""
    if not rows.shape[1]:
        return np.zeros((0, 0))
    length = np.linalg.norm(rows, axis=0)
    triangle = np.linalg.qr(rows / length, mode="r")
    diagonal = np.abs(np.diag(triangle))
    if len(triangle) < rows.shape[1] or diagonal.min() < 1e-13:
        return None
    return np.asarray(np.linalg.inv(triangle) / length[:, None])
