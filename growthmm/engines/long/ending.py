"""How a search begins and ends: the optimiser called, its record, the inverse of an information."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from growthmm.engines.long.prepared import Prepared
from growthmm.engines.long.problem import LongProblem
from growthmm.engines.optimiser import Objective, Optimum, maximise
from growthmm.engines.outcome import Boundary, Convergence
from growthmm.errors import FitFailedError

__all__ = ["TOLERANCE", "block_labels", "convergence", "inverse", "search"]

FloatArray = NDArray[np.float64]

Bounds = Literal["psd", "none"]

TOLERANCE = 1e-10


def block_labels(
    problem: LongProblem, ready: Prepared
) -> tuple[tuple[tuple[str, ...], ...], tuple[tuple[int, ...], ...]]:
    """Names of the rows of each of ``ready.blocks``, and their random-effects columns."""
    k = len(ready.entries)
    labels: list[tuple[str, ...]] = []
    columns: list[tuple[int, ...]] = []
    for block in problem.blocks:
        group = problem.group_of(block.columns[0])
        rows = [f"{name}|{group}" for name in block.names]
        if block.diagonal:
            labels.extend((row,) for row in rows)
            columns.extend((column,) for column in block.columns)
        else:
            labels.append(tuple(rows))
            columns.append(block.columns)
    for matrix in ready.blocks[len(labels) :]:
        own = [ready.structure.names[place - k] for place in matrix.places]
        diagonal = [matrix.entries.index((i, i)) for i in range(matrix.size)]
        labels.append(tuple(own[place][len("var(") : -1] for place in diagonal))
        columns.append(())
    return tuple(labels), tuple(columns)


def search(
    objective: Objective, start: FloatArray, tolerance: float = TOLERANCE, radius: float = 1.0
) -> Optimum:
    """Maximise, with a clear error where the start has no likelihood."""
    try:
        return maximise(objective, start, tolerance=tolerance, radius=radius)
    except ValueError as error:
        raise FitFailedError(
            "The likelihood is not finite where the search starts: the model's terms leave nothing "
            "of the outcome unexplained, or the numbers are too large to be squared.",
            hint="Is the outcome computed from the covariates? Rescale it; or give other values "
            "with start=: variances positive, correlations inside (-1, 1).",
        ) from error


def inverse(matrix: FloatArray) -> FloatArray:
    """Inverse of an information matrix, well scaled; NaN where it has none."""
    diagonal = np.diag(matrix)
    if not bool(np.all(diagonal > 0)):
        return np.full(matrix.shape, np.nan)
    scale = 1.0 / np.sqrt(diagonal)
    try:
        inner = np.linalg.inv(matrix * np.outer(scale, scale))
    except np.linalg.LinAlgError:
        return np.full(matrix.shape, np.nan)
    return np.asarray(inner * np.outer(scale, scale), dtype=float)


def convergence(optimum: Optimum, boundary: Boundary, bounds: Bounds) -> Convergence:
    """The record of a search."""
    diagonal = np.sqrt(np.abs(np.diag(optimum.hessian)))
    slopes = np.abs(optimum.gradient) / np.where(diagonal > 0, diagonal, 1.0)
    message = (
        f"converged in {optimum.iterations} Newton steps"
        if optimum.converged
        else f"stopped after {optimum.iterations} Newton steps, "
        f"{optimum.decrement:.3g} log-likelihood units still to gain"
    )
    if boundary.at_boundary:
        message += f"; {boundary.description}"
    if boundary.beyond and not optimum.converged and bounds == "none":
        message += (
            "; without bounds the likelihood can rise for ever as a person's covariance matrix "
            "turns singular: bounds='psd' has a maximum"
        )
    return Convergence(
        optimum.converged,
        optimum.iterations,
        optimum.decrement,
        float(np.max(slopes, initial=0.0)),
        message,
    )
