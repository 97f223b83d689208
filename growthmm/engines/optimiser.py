"""Newton's method in a trust region, with exact derivatives: what both own engines share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from growthmm.progress import stepped

__all__ = ["Objective", "Optimum", "maximise"]

FloatArray = NDArray[np.float64]

Objective = Callable[[FloatArray], tuple[float, FloatArray, FloatArray]]
"""Value, gradient (n,) and Hessian (n, n) at a point; a value not finite is inadmissible."""


@dataclass(frozen=True)
class Optimum:
    """Where a search ended.

    Parameters
    ----------
    point : (n,) ndarray
        The last accepted point.
    value : float
        The objective there.
    gradient : (n,) ndarray
        Its gradient there.
    hessian : (n, n) ndarray
        Its Hessian there.
    iterations : int
        Newton steps tried.
    decrement : float
        Half the squared Newton decrement, on the subspace of negative curvature.
    converged : bool
        Decrement below tolerance and no direction of positive curvature.
    """

    point: FloatArray
    value: float
    gradient: FloatArray
    hessian: FloatArray
    iterations: int
    decrement: float
    converged: bool


POLISHED = 1e-24
"""Decrement at which nothing but rounding is left to gain."""


def maximise(
    objective: Objective,
    start: FloatArray,
    *,
    tolerance: float = 1e-10,
    max_iterations: int = 200,
    radius: float = 1.0,
) -> Optimum:
    """Maximise a smooth function by Newton steps in a trust region.

    The step solves the trust-region subproblem exactly in the eigenbasis of the scaled Hessian
    (Nocedal & Wright 2006, section 4.3), so that indefinite Hessians are handled and saddles are
    left along their rising directions.

    Parameters
    ----------
    objective : callable
        Value, gradient and Hessian at a point.
    start : (n,) ndarray
        An admissible point.
    tolerance : float
        Half the squared Newton decrement at which to stop.
    max_iterations : int
        Steps to try.
    radius : float
        First radius, in units of the scaled parameters.

    Returns
    -------
    Optimum
        Where it ended; ``converged`` says whether that is a maximum.

    Raises
    ------
    ValueError
        If the objective is not finite at `start`.
    """
    point = np.array(start, dtype=float)
    value, gradient, hessian = objective(point)
    stepped()
    if not np.isfinite(value):
        raise ValueError("the objective is not finite at the start")
    iterations = 0
    stalled = 0
    while True:
        scale = _scale(hessian)
        curvature, basis = np.linalg.eigh(-(hessian * np.outer(scale, scale)))
        slope = basis.T @ (gradient * scale)
        decrement, rising = _decrement(curvature, slope)
        if decrement < tolerance and not rising:
            if decrement < POLISHED:
                return Optimum(point, value, gradient, hessian, iterations, decrement, True)
            # One more full step costs one evaluation and squares the remaining error.
            polished = point + scale * (basis @ _newton(curvature, slope))
            trial = objective(polished)
            stepped()
            if np.isfinite(trial[0]) and trial[0] >= value - 1e-9 * (1 + abs(value)):
                new_scale = _scale(trial[2])
                c, b = np.linalg.eigh(-(trial[2] * np.outer(new_scale, new_scale)))
                d, r = _decrement(c, b.T @ (trial[1] * new_scale))
                if d <= decrement and not r:
                    point, (value, gradient, hessian), decrement = polished, trial, d
            return Optimum(point, value, gradient, hessian, iterations, decrement, True)
        if iterations >= max_iterations or radius < 1e-14 or stalled > 8:
            return Optimum(point, value, gradient, hessian, iterations, decrement, False)
        step, predicted = _trust_step(curvature, slope, radius)
        candidate = point + scale * (basis @ step)
        iterations += 1
        trial = objective(candidate)
        stepped()
        gain = trial[0] - value if np.isfinite(trial[0]) else -np.inf
        noise = 1e-13 * (1 + abs(value))
        ratio = gain / predicted if predicted > noise else (1.0 if gain >= -10 * noise else -1.0)
        length = float(np.linalg.norm(step))
        if ratio < 0.25:
            radius = 0.25 * min(radius, length)
        elif ratio > 0.75 and length > 0.8 * radius:
            radius = min(3.0 * radius, 1e6)
        if ratio > 1e-4:
            stalled = stalled + 1 if abs(gain) <= noise else 0
            point, (value, gradient, hessian) = candidate, trial


def _scale(hessian: FloatArray) -> FloatArray:
    diagonal = np.abs(np.diag(hessian))
    floor = max(float(diagonal.max(initial=0.0)) * 1e-14, np.finfo(float).tiny)
    return np.asarray(1.0 / np.sqrt(np.maximum(diagonal, floor)), dtype=float)


def _decrement(curvature: FloatArray, slope: FloatArray) -> tuple[float, bool]:
    """Half the squared decrement over well-determined directions; whether any curves upward."""
    size = float(np.abs(curvature).max(initial=0.0))
    flat = np.abs(curvature) <= 1e-12 * size
    rising = bool(np.any(curvature[~flat] < 0))
    solid = ~flat & (curvature > 0)
    decrement = 0.5 * float(np.sum(slope[solid] ** 2 / curvature[solid]))
    loose = ~solid
    if np.any(loose):
        decrement += 0.5 * float(np.sum(slope[loose] ** 2)) / max(size, 1e-300)
    return decrement, rising


def _newton(curvature: FloatArray, slope: FloatArray) -> FloatArray:
    size = float(np.abs(curvature).max(initial=0.0))
    solid = curvature > 1e-12 * size
    return np.where(solid, slope / np.where(solid, curvature, 1.0), 0.0)


def _trust_step(
    curvature: FloatArray, slope: FloatArray, radius: float
) -> tuple[FloatArray, float]:
    """Step in the eigenbasis and the gain that the quadratic model predicts."""
    lowest = float(curvature.min())
    if lowest > 0:
        newton = slope / curvature
        if np.linalg.norm(newton) <= radius:
            return newton, float(slope @ newton - 0.5 * np.sum(curvature * newton**2))
    shift_low = max(0.0, -lowest)
    spread = float(np.abs(curvature).max(initial=0.0)) + float(np.linalg.norm(slope)) / radius
    step = _of_length(curvature, slope, radius, (shift_low, shift_low + spread + 1e-300))
    length = float(np.linalg.norm(step))
    if length < 0.9 * radius and lowest <= 0:
        # The hard case: no slope along the lowest direction, so walk along it.
        worst = int(np.argmin(curvature))
        step = step.copy()
        sign = 1.0 if step[worst] >= 0 else -1.0
        step[worst] += sign * np.sqrt(max(radius**2 - length**2, 0.0))
    return step, float(slope @ step - 0.5 * np.sum(curvature * step**2))


def _of_length(
    curvature: FloatArray, slope: FloatArray, radius: float, bracket: tuple[float, float]
) -> FloatArray:
    """``slope / (curvature + shift)`` of length `radius`, or a little shorter.

    Newton's method on ``1 / radius - 1 / length``, kept within a bracket of the shift (Nocedal &
    Wright 2006, algorithm 4.3). In the hard case it ends at the lower end, too short.
    """
    low, high = bracket
    shift = low
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        for _ in range(200):
            step = slope / (curvature + shift)
            square = float(step @ step)
            length = float(np.sqrt(square))
            if length > radius or not np.isfinite(length):
                low = shift
            else:
                high = shift
                if length > (1.0 - 1e-6) * radius:
                    break
            if high - low <= 1e-12 * high:
                break
            bend = float((step / (curvature + shift)) @ step)
            if bend == 0.0:
                # No slope at all: a step of any shift is none.
                break
            following = shift + square / bend * (length - radius) / radius
            inside = np.isfinite(following) and low < following < high
            # From the left the iteration never passes the solution; it ends just beyond it.
            shift = following * (1.0 + 1e-9) if inside else 0.5 * (low + high)
    return np.asarray(slope / (curvature + high))
