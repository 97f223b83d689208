"""Internal units: outcome of unit spread, orthogonalised designs; and the linear way back.

Everything is computed for ``y~ = (y - X b0) / s``, ``X~ = X T`` and ``Z~ = Z K``, so that
``b = b0 + s T b~`` and ``G = s^2 K G~ K'``. `T` and `K` are found on a sample of rows: they only
have to improve the conditioning, since the way back is exact whatever they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from growthmm.engines.long.problem import LongProblem, refuse_infinite
from growthmm.errors import NotIdentifiedError, ValueColumnError

__all__ = [
    "Scaling",
    "entry_bases",
    "entry_vector",
    "find_scaling",
    "orthogonaliser",
    "sample_rows",
]

FloatArray = NDArray[np.float64]

SAMPLE_ROWS = 1_024
GOLDEN = 0.6180339887498949
COLLINEAR = 1e-9


@dataclass(frozen=True)
class Scaling:
    """The affine map between internal and user's parameters.

    Parameters
    ----------
    offset : (n_fixed,) ndarray
        Fixed effects that were subtracted from the outcome.
    unit : float
        Standard deviation that the outcome was divided by.
    fixed : (n_fixed, n_fixed) ndarray
        `T`, upper triangular.
    random : (n_random, n_random) ndarray
        `K`, upper triangular within blocks, zero between.
    log_det_fixed : float
        ``log |det T|``.
    entries : (n_entries, n_entries) ndarray
        Covariance entries in user's units per internal entry, without ``unit ** 2``.
    """

    offset: FloatArray
    unit: float
    fixed: FloatArray
    random: FloatArray
    log_det_fixed: float
    entries: FloatArray

    def jacobian(self, powers: tuple[int, ...]) -> FloatArray:
        """User's parameters per internal parameter; `powers` are those of the residual's unit."""
        p, k = len(self.offset), len(self.entries)
        out = np.zeros((p + k + len(powers), p + k + len(powers)))
        out[:p, :p] = self.unit * self.fixed
        out[p : p + k, p : p + k] = self.unit**2 * self.entries
        for index, power in enumerate(powers):
            out[p + k + index, p + k + index] = self.unit**power
        return out

    def origin(self, n_parameters: int) -> FloatArray:
        """User's parameters at internal zero."""
        out = np.zeros(n_parameters)
        out[: len(self.offset)] = self.offset
        return out


def entry_bases(entries: tuple[tuple[int, int], ...], size: int) -> FloatArray:
    """Symmetric matrices (n_entries, size, size) whose combinations are the covariances."""
    out = np.zeros((len(entries), size, size))
    for index, (a, b) in enumerate(entries):
        out[index, a, b] = out[index, b, a] = 1.0
    return out


def entry_vector(matrix: FloatArray, entries: tuple[tuple[int, int], ...]) -> FloatArray:
    """The free entries of a covariance matrix."""
    return np.array([matrix[a, b] for a, b in entries], dtype=float)


def find_scaling(problem: LongProblem) -> Scaling:
    """Choose the internal units.

    Raises
    ------
    NotIdentifiedError
        If columns of the fixed-effects design are collinear.
    ValueColumnError
        If the fixed effects leave nothing of the outcome.
    """
    rows = sample_rows(len(problem.outcome))
    fixed, outcome = problem.fixed[rows], problem.outcome[rows]
    if not (np.isfinite(outcome).all() and np.isfinite(fixed).all()):
        refuse_infinite(problem)
    transform, norms = orthogonaliser(fixed)
    if transform is None and len(fixed) < len(problem.fixed):
        fixed, outcome = np.asarray(problem.fixed), problem.outcome
        transform, norms = orthogonaliser(fixed)
    if transform is None:
        _refuse_collinear(fixed, norms, problem.fixed_names)
    assert transform is not None
    root = np.sqrt(len(outcome))
    basis = fixed @ transform
    offset = transform @ (basis.T @ outcome) / len(outcome)
    left = outcome - fixed @ offset
    # A second projection removes what rounding left of the first.
    correction = transform @ (basis.T @ left) / len(outcome)
    offset, left = offset + correction, left - fixed @ correction
    unit = float(np.linalg.norm(left)) / root
    size = float(np.max(np.abs(outcome), initial=0.0))
    if not unit > 1e-13 * size:
        _check_outcome(problem)
        unit = max(float(np.std(problem.outcome)), np.finfo(float).tiny)
    random = _random_transform(problem, rows)
    bases = entry_bases(problem.block_entries, len(random))
    entries = np.array(
        [entry_vector(random @ basis @ random.T, problem.block_entries) for basis in bases]
    ).T.reshape(len(bases), len(bases))
    log_det = float(np.sum(np.log(np.abs(np.diag(transform)))))
    return Scaling(offset, unit, transform, random, log_det, entries)


def orthogonaliser(design: FloatArray) -> tuple[FloatArray | None, FloatArray]:
    """Upper triangular T with (design T)'(design T) = n I; None where columns are collinear."""
    n, p = design.shape
    if p == 0:
        return np.zeros((0, 0)), np.zeros(0)
    products = design.T @ design
    norms = np.sqrt(products.diagonal())
    if not norms.all() or n < p:
        return None, norms
    triangle = _triangle(design, products, norms)
    corner = triangle.diagonal()
    if np.abs(corner).min() < COLLINEAR:
        return None, norms
    # Elimination leaves the zeros of a triangular matrix exact.
    inverse = np.linalg.inv(triangle) * (np.sqrt(n) * np.sign(corner))
    return inverse / norms[:, None], norms


def _triangle(design: FloatArray, products: FloatArray, norms: FloatArray) -> FloatArray:
    """`R` of a QR decomposition, by way of the cross-products where they are well-conditioned."""
    try:
        triangle = np.linalg.cholesky(products / norms / norms[:, None]).T
    except np.linalg.LinAlgError:
        triangle = np.zeros((1, 1))
    if triangle.diagonal().min() < 1e-3:
        return np.asarray(np.linalg.qr(design / norms, mode="r"), dtype=float)
    return np.asarray(triangle, dtype=float)


def _refuse_collinear(design: FloatArray, norms: FloatArray, names: tuple[str, ...]) -> None:
    scaled = design / np.where(norms > 0, norms, 1.0)
    _, values, vectors = np.linalg.svd(scaled, full_matrices=True)
    rank = int(np.sum(values > COLLINEAR))
    loads = np.sqrt(np.sum(vectors[rank:] ** 2, axis=0))
    involved = tuple(n for n, load in zip(names, loads, strict=True) if load > 1e-6)
    raise NotIdentifiedError(
        f"The fixed-effects design has {len(names)} columns but rank {rank}: "
        f"collinear are {NotIdentifiedError.listed(involved)}.",
        parameters=involved,
        hint="Drop one of these terms, or merge levels that occur only together.",
    )


def _check_outcome(problem: LongProblem) -> None:
    outcome = problem.outcome
    basis = np.asarray(problem.fixed)
    left = outcome - basis @ np.linalg.lstsq(basis, outcome, rcond=None)[0]
    size = float(np.max(np.abs(outcome), initial=0.0))
    if not float(np.max(np.abs(left), initial=0.0)) > 1e-12 * size:
        raise ValueColumnError(
            f"The fixed effects explain the outcome exactly ({len(outcome)} rows, "
            f"{len(problem.fixed_names)} fixed effects): no variance is left to estimate.",
            hint="Check that the outcome varies and is not itself among the predictors.",
        )


def _random_transform(problem: LongProblem, rows: slice | NDArray[np.intp]) -> FloatArray:
    q = problem.random.shape[1]
    out = np.zeros((q, q))
    sample = problem.random[rows]
    for block in problem.blocks:
        columns = list(block.columns)
        part = sample[:, columns]
        transform, norms = orthogonaliser(part)
        if transform is None and len(part) < len(problem.random):
            part = problem.random[:, columns]
            transform, norms = orthogonaliser(part)
        if transform is None or block.diagonal:
            transform = np.diag(np.sqrt(len(part)) / np.where(norms > 0, norms, 1.0))
        out[np.ix_(columns, columns)] = transform
    return out


@lru_cache(maxsize=8)
def sample_rows(n_rows: int) -> slice | NDArray[np.intp]:
    """All rows, or some that lie evenly without being in step with anyone's occasions."""
    if n_rows <= SAMPLE_ROWS:
        return slice(None)
    fractions = np.arange(1, SAMPLE_ROWS + 1) * GOLDEN % 1.0
    return np.unique((fractions * n_rows).astype(np.intp))
