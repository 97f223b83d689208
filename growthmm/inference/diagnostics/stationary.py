"""The likelihood's slope and curvature at a fit's estimates, computed anew."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from growthmm.engines import long as long_engine
from growthmm.engines import wide as wide_engine
from growthmm.engines.long.problem import LongProblem
from growthmm.engines.wide.constraints import relations
from growthmm.engines.wide.problem import WideProblem
from growthmm.engines.wide.search import null_basis
from growthmm.inference.intervals.coordinates import chart
from growthmm.inference.matrices import complete_blocks
from growthmm.inference.result import FitResult

__all__ = ["OTHERS_TOLERANCE", "TOLERANCE", "Stationarity", "stationarity"]

FloatArray = NDArray[np.float64]

TOLERANCE, OTHERS_TOLERANCE = 1e-8, 1e-6
"""Log-likelihood still to be gained at which a slope counts as zero: of ours, of other programs."""

FLAT = 1e-9
"""Scaled curvature below which a direction counts as flat."""


@dataclass(frozen=True)
class Stationarity:
    """Slope and curvature where parameters are free to move.

    Parameters
    ----------
    slopes : (n_free,) ndarray
        Gradient, in log-likelihood units per standard unit of each free coordinate.
    eigenvalues : (n_free,) ndarray
        Of minus the Hessian, scaled to a diagonal of ones, ascending.
    weakest : dict of str to float
        The direction of the smallest eigenvalue, by parameter, in standard units of each.
    gain : float
        Half the squared Newton decrement: log-likelihood still to be gained; infinite where the
        likelihood curves upward.
    """

    slopes: FloatArray
    eigenvalues: FloatArray
    weakest: dict[str, float]
    gain: float


def stationarity(fit: FitResult) -> Stationarity:
    """Slope and curvature of the likelihood at a fit's estimates.

    Under ``bounds="psd"`` in the entries of Cholesky factors, so that a maximum on the boundary is
    a stationary point too; under constraints along them, the Hessian that of the Lagrangian
    (Nocedal & Wright 2006, sections 12.3 and 12.5). The Newton decrement is that of Boyd &
    Vandenberghe (2004), section 9.5.1.

    Parameters
    ----------
    fit : FitResult
        By whatever engine; the likelihood is that of our engine of its family.
    """
    problem = fit.data.problem
    values = _values(fit)
    if isinstance(problem, LongProblem):
        gradient = long_engine.score(problem, values, fit.fit.estimator)
        hessian = -long_engine.information(problem, values, "observed", fit.fit.estimator)
        names = long_engine.parameter_names(problem)
    else:
        gradient = wide_engine.score(problem, values, fit.fit.estimator)
        hessian = -wide_engine.information(problem, values, "observed", fit.fit.estimator)
        names = wide_engine.parameter_names(problem)
    moves, unit = np.eye(len(values)), np.sqrt(np.abs(np.diag(hessian)))
    if fit.fit.bounds == "psd":
        gradient, hessian, moves = _in_factors(fit, values, gradient, hessian)
    elif isinstance(problem, WideProblem) and problem.model.constraints:
        gradient, hessian, moves = _along(problem, values, gradient, hessian)
    return _summarised(gradient, hessian, unit[:, None] * moves, names)


def _values(fit: FitResult) -> FloatArray:
    """The estimates in the order of our engine's parameters."""
    problem = fit.data.problem
    if isinstance(problem, LongProblem):
        names = long_engine.parameter_names(problem)
    else:
        names = wide_engine.parameter_names(problem)
    return fit.fit.estimates[[fit.fit.names.index(name) for name in names]]


def _in_factors(
    fit: FitResult, values: FloatArray, gradient: FloatArray, hessian: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Derivatives in the entries of Cholesky factors of matrices that are (nearly) singular."""
    blocks, _ = complete_blocks(fit.fit, fit.data.problem)
    singular = []
    for block in blocks:
        matrix = values[np.array(block.places)]
        size = np.sqrt(np.maximum(np.diag(matrix), 0.0))
        if (
            fit.boundary.at_boundary
            or np.any(size == 0)
            or np.linalg.eigvalsh(matrix / np.outer(size, size))[0] < 1e-6
        ):
            singular.append(block)
    pinned = _pinned(fit, values, gradient)
    if not singular:
        return gradient[~pinned], hessian[np.ix_(~pinned, ~pinned)], np.eye(len(values))[:, ~pinned]
    made, point = chart(None, 0.0, tuple(singular), values)

    def natural(_: FloatArray) -> tuple[float, FloatArray, FloatArray]:
        return 0.0, gradient, hessian

    _, slope, bend = made.pulled(natural)(point)
    moves = made.linear + made.quadratic @ point
    # Coordinates outside the blocks come first, in the parameters' order.
    inside = {k for block in singular for row in block.places for k in row}
    plain = [k for k in range(len(values)) if k not in inside]
    stay = np.ones(len(point), dtype=bool)
    stay[: len(plain)] = ~pinned[plain]
    return slope[stay], bend[np.ix_(stay, stay)], moves[:, stay]


def _pinned(fit: FitResult, values: FloatArray, gradient: FloatArray) -> NDArray[np.bool_]:
    """Residual variances at zero that the likelihood pushes below it."""
    kinds = dict(zip(fit.fit.names, fit.fit.kinds, strict=True))
    problem = fit.data.problem
    own = long_engine if isinstance(problem, LongProblem) else wide_engine
    names = own.parameter_names(problem)
    size = max(
        (abs(v) for n, v in zip(names, values, strict=True) if kinds[n] == "residual"), default=0.0
    )
    return np.array(
        [
            kinds[n] == "residual" and abs(v) <= 1e-9 * size and g <= 0
            for n, v, g in zip(names, values, gradient, strict=True)
        ]
    )


def _along(
    problem: WideProblem, values: FloatArray, gradient: FloatArray, hessian: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Derivatives along equality constraints and inequalities that hold with equality."""
    size = 1e-8 * (1.0 + float(np.abs(values).max(initial=0.0)))
    held = [c for c in relations(problem.model, values) if c.equality or abs(c.jet.value) <= size]
    if not held:
        return gradient, hessian, np.eye(len(values))
    slopes = np.array([c.jet.gradient for c in held])
    multipliers = np.linalg.lstsq(slopes.T, gradient, rcond=None)[0]
    bent = hessian - sum(
        (m * c.jet.hessian for m, c in zip(multipliers, held, strict=True)),
        np.zeros_like(hessian),
    )
    basis = null_basis(slopes, len(values))
    return basis.T @ gradient, basis.T @ bent @ basis, basis


def _summarised(
    gradient: FloatArray,
    hessian: FloatArray,
    moves: FloatArray,
    names: tuple[str, ...],
) -> Stationarity:
    diagonal = np.abs(np.diag(hessian))
    scale = 1.0 / np.sqrt(np.maximum(diagonal, max(diagonal.max(initial=0.0) * 1e-28, 1e-300)))
    curve, basis = np.linalg.eigh(-(hessian * np.outer(scale, scale)))
    slopes = gradient * scale
    turned = basis.T @ slopes
    solid = curve > FLAT
    gain = 0.5 * float(np.sum(turned[solid] ** 2 / curve[solid]))
    gain += 0.5 * float(np.sum(turned[~solid] ** 2))
    if np.any(curve < -1e-6):
        gain = float("inf")
    direction = moves @ (scale * basis[:, 0])
    direction = direction / max(float(np.abs(direction).max(initial=0.0)), 1e-300)
    weakest = {name: float(v) for name, v in zip(names, direction, strict=True) if abs(v) > 0.1}
    return Stationarity(slopes, curve, weakest, gain)
