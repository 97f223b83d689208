"""Maximisation under equality and inequality constraints.

Newton in a trust region where there are none; without the parameters that equalities give outright;
in the null space of linear equalities; else the augmented Lagrangian, finished by Newton steps on
the Karush-Kuhn-Tucker equations (Nocedal & Wright 2006, chapters 17 and 18). Inequalities by an
active set.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from growthmm.engines.optimiser import Objective, Optimum, maximise
from growthmm.engines.wide.constraints import Relation
from growthmm.engines.wide.substitution import Substitution, substitution
from growthmm.errors import SpecificationError

__all__ = ["Relations", "Solution", "null_basis", "solve"]

FloatArray = NDArray[np.float64]

Relations = Callable[[FloatArray], list[Relation]]
"""The constraints, evaluated at a point."""


@dataclass(frozen=True)
class Solution:
    """Where a constrained search ended.

    Parameters
    ----------
    point : (n,) ndarray
        The point.
    value : float
        The objective.
    lagrangian : (n, n) ndarray
        Hessian of the Lagrangian.
    tangent : (n, n_free) ndarray
        Orthonormal basis of the directions that the active constraints leave.
    iterations : int
        Newton steps.
    decrement : float
        Half the squared Newton decrement within the tangent space.
    converged : bool
        Stationary, feasible and with no direction of positive curvature.
    active : tuple of Relation
        Inequalities that hold with equality.
    """

    point: FloatArray
    value: float
    lagrangian: FloatArray
    tangent: FloatArray
    iterations: int
    decrement: float
    converged: bool
    active: tuple[Relation, ...] = ()


def solve(
    objective: Objective,
    start: FloatArray,
    constraints: Relations | None,
    *,
    radius: float = 1.0,
) -> Solution:
    """Maximise under the constraints.

    Parameters
    ----------
    objective : callable
        Value, gradient and Hessian.
    start : (n,) ndarray
        Admissible for the objective, not necessarily for the constraints.
    constraints : callable or None
        Equalities and inequalities (``jet >= 0``) at a point.
    radius : float
        First trust radius in standard errors, where there are no constraints.

    Returns
    -------
    Solution
        The best point found.
    """
    first = constraints(start) if constraints is not None else []
    if constraints is None or not first:
        return _free(maximise(objective, start, radius=radius))
    given = substitution(constraints, start)
    reduced = _substituted(objective, start, given, radius) if given is not None else None
    if reduced is not None and reduced.converged:
        return reduced
    try:
        found = _constrained(objective, start, constraints, first)
    except SpecificationError:
        # The search left the domain of an expression, where substitution stays inside it.
        if reduced is None:
            raise
        return reduced
    if reduced is not None and not found.converged and reduced.value > found.value:
        return reduced
    return found


def _constrained(
    objective: Objective, start: FloatArray, constraints: Relations, first: list[Relation]
) -> Solution:
    """The search with all constraints as such, by an active set."""
    equal = [i for i, c in enumerate(first) if c.equality]
    others = [i for i, c in enumerate(first) if not c.equality]
    active: list[int] = [i for i in others if first[i].jet.value < -1e-12]
    seen: set[tuple[int, ...]] = set()
    point, iterations = start, 0
    while True:
        seen.add(tuple(active))
        found, multipliers = _equality(objective, point, constraints, [*equal, *active])
        iterations += found.iterations
        at = constraints(found.point)
        sizes = {i: 1e-9 * (1.0 + float(np.abs(found.point).max(initial=0.0))) for i in others}
        broken = [i for i in others if i not in active and at[i].jet.value < -sizes[i]]
        forces = dict(zip(active, multipliers[len(equal) :], strict=True))
        pulling = [i for i in active if forces[i] > 1e-9]
        done = not broken and not pulling
        if broken:
            active = sorted({*active, min(broken, key=lambda i: at[i].jet.value)})
        elif pulling:
            worst = max(pulling, key=lambda i: forces[i])
            active = [i for i in active if i != worst]
        if done or tuple(active) in seen:
            return Solution(
                found.point,
                found.value,
                found.lagrangian,
                found.tangent,
                iterations,
                found.decrement,
                found.converged and done,
                tuple(at[i] for i in others if abs(at[i].jet.value) <= sizes[i]),
            )
        point = found.point


def _substituted(
    objective: Objective, start: FloatArray, given: Substitution, radius: float
) -> Solution | None:
    """The search over what is not given by a constraint; None where it has no start."""
    whole = given.objective(objective)
    z = start[given.kept]
    if not np.isfinite(whole(z)[0]):
        return None
    rest = given.rest if len(given.rest(z)) else None
    found = solve(whole, z, rest, radius=radius)
    point = given.point(found.point)
    assert point is not None
    _, g, h = objective(point)
    active = {c.text for c in found.active}
    held = [c for c in given.constraints(point) if c.equality or c.text in active]
    slope = np.array([c.jet.gradient for c in held])
    multipliers = np.linalg.lstsq(slope.T, g, rcond=None)[0]
    bend = sum(
        (m * c.jet.hessian for m, c in zip(multipliers, held, strict=True)), np.zeros_like(h)
    )
    return replace(
        found,
        point=point,
        lagrangian=h - bend,
        tangent=null_basis(slope, len(point)),
        active=tuple(c for c in held if not c.equality),
    )


def _free(best: Optimum) -> Solution:
    return Solution(
        best.point,
        best.value,
        best.hessian,
        np.eye(len(best.point)),
        best.iterations,
        best.decrement,
        best.converged,
    )


def null_basis(jacobian: FloatArray, size: int) -> FloatArray:
    """Orthonormal basis of the null space of `jacobian` (n_constraints, size)."""
    if not len(jacobian):
        return np.eye(size)
    length = np.maximum(np.abs(jacobian).max(axis=1, keepdims=True), 1e-300)
    _, s, v = np.linalg.svd(jacobian / length)
    rank = int(np.sum(s > 1e-10 * max(float(s.max(initial=0.0)), 1e-300)))
    return np.asarray(v[rank:].T)


def _stack(at: list[Relation], which: list[int], size: int) -> tuple[FloatArray, FloatArray]:
    value = np.array([at[i].jet.value for i in which])
    slope = np.array([at[i].jet.gradient for i in which]).reshape(-1, size)
    return value, slope


def _equality(
    objective: Objective, start: FloatArray, constraints: Relations, which: list[int]
) -> tuple[Solution, FloatArray]:
    """Maximum with the constraints `which` as equalities, and their multipliers.

    Multipliers are those of ``objective - multipliers @ constraints``.
    """
    at = constraints(start)
    if not which:
        return _free(maximise(objective, start)), np.zeros(0)
    if not any(np.any(at[i].jet.hessian) for i in which) and _linear(constraints, which, start):
        return _null_space(objective, start, constraints, which)
    point, multipliers, steps = _augmented(objective, start, constraints, which)
    return _newton(objective, point, constraints, which, (multipliers, steps))


def _linear(constraints: Relations, which: list[int], start: FloatArray) -> bool:
    here = _stack(constraints(start), which, len(start))[1]
    there = _stack(constraints(start * 1.1 + 0.01), which, len(start))[1]
    return bool(np.allclose(here, there, rtol=1e-12, atol=1e-14))


def _null_space(
    objective: Objective, start: FloatArray, constraints: Relations, which: list[int]
) -> tuple[Solution, FloatArray]:
    value, slope = _stack(constraints(start), which, len(start))
    basis = null_basis(slope, len(start))
    origin = start - np.linalg.pinv(slope) @ value

    def reduced(z: FloatArray) -> tuple[float, FloatArray, FloatArray]:
        f, g, h = objective(origin + basis @ z)
        return f, basis.T @ g, basis.T @ h @ basis

    at = constraints(origin)
    sizes = np.abs(slope).sum(axis=1) * (1.0 + float(np.abs(origin).max(initial=0.0)))
    if any(abs(at[i].jet.value) > 1e-8 * size for i, size in zip(which, sizes, strict=True)):
        raise SpecificationError(
            f"The constraints contradict each other: {'; '.join(at[i].text for i in which)}.",
            hint="Drop or correct one of them.",
        )
    if not np.isfinite(objective(origin)[0]):
        return _failed(objective, start, basis), np.zeros(len(which))
    best = maximise(reduced, np.zeros(basis.shape[1]))
    point = origin + basis @ best.point
    f, g, h = objective(point)
    multipliers = np.linalg.lstsq(slope.T, g, rcond=None)[0]
    found = Solution(point, f, h, basis, best.iterations, best.decrement, best.converged)
    return found, np.asarray(multipliers)


def _failed(objective: Objective, point: FloatArray, basis: FloatArray) -> Solution:
    f, _, h = objective(point)
    return Solution(point, f, h, basis, 0, np.inf, False)


def _augmented(
    objective: Objective, start: FloatArray, constraints: Relations, which: list[int]
) -> tuple[FloatArray, FloatArray, int]:
    point = start
    value, slope = _stack(constraints(point), which, len(start))
    _, _g, h = objective(point)
    # Constraints in units in which the objective curves as strongly along them.
    weight = np.array([abs(s @ h @ s) / max(float(s @ s), 1e-150) ** 2 for s in slope])
    weight = np.maximum(weight, 1e-8 * max(float(weight.max()), 1e-8))
    multipliers = np.zeros(len(which))
    steps = 0
    last = np.inf
    penalty = 10.0
    for _ in range(30):

        def penalised(
            x: FloatArray, m: FloatArray = multipliers, rho: FloatArray = penalty * weight
        ) -> tuple[float, FloatArray, FloatArray]:
            f, g, h = objective(x)
            if not np.isfinite(f):
                return f, g, h
            at = constraints(x)
            c, j = _stack(at, which, len(x))
            force = m + rho * c
            bend = sum(
                (w * at[i].jet.hessian for w, i in zip(force, which, strict=True)),
                np.zeros((len(x), len(x))),
            )
            return (
                f - float(m @ c + 0.5 * rho @ c**2),
                g - j.T @ force,
                h - bend - (j.T * rho) @ j,
            )

        best = maximise(penalised, point, tolerance=1e-8)
        steps += best.iterations
        point = best.point
        value, _ = _stack(constraints(point), which, len(start))
        multipliers = multipliers + penalty * weight * value
        violation = float(np.sqrt(weight @ value**2))
        if violation < 1e-7:
            break
        if violation > 0.25 * last:
            penalty *= 10.0
        last = violation
    return point, multipliers, steps


def _newton(
    objective: Objective,
    point: FloatArray,
    constraints: Relations,
    which: list[int],
    before: tuple[FloatArray, int],
) -> tuple[Solution, FloatArray]:
    """Newton steps on the first-order conditions, then the second-order check.

    `before` holds the multipliers and the steps so far.
    """
    multipliers, steps = before
    size = len(point)
    for attempt in range(13):
        f, g, h = objective(point)
        at = constraints(point)
        c, j = _stack(at, which, size)
        lagrangian = h - sum(
            (m * at[i].jet.hessian for m, i in zip(multipliers, which, strict=True)),
            np.zeros((size, size)),
        )
        basis = null_basis(j, size)
        slope = basis.T @ (g - j.T @ multipliers)
        inner = -basis.T @ lagrangian @ basis
        scale = 1.0 / np.sqrt(np.maximum(np.abs(np.diag(inner)), 1e-300))
        curve, vectors = np.linalg.eigh(inner * np.outer(scale, scale))
        rotated = vectors.T @ (scale * slope)
        solid = curve > 1e-12 * float(np.abs(curve).max(initial=1e-300))
        decrement = 0.5 * float(np.sum(rotated[solid] ** 2 / curve[solid]))
        feasible = bool(np.all(np.abs(c) <= 1e-10 * (1.0 + np.abs(point).max(initial=0.0))))
        rising = bool(np.any(curve < -1e-9 * float(np.abs(curve).max(initial=1e-300))))
        if (attempt > 1 and decrement < 1e-14 and feasible) or attempt == 12:
            break
        system = np.block([[lagrangian, -j.T], [-j, np.zeros((len(which), len(which)))]])
        unit = np.concatenate(
            [
                1.0 / np.sqrt(np.maximum(np.abs(np.diag(lagrangian)), 1e-300)),
                np.ones(len(which)),
            ]
        )
        step = (
            unit
            * np.linalg.lstsq(
                system * np.outer(unit, unit), unit * np.concatenate([-g, c]), rcond=1e-14
            )[0]
        )
        candidate = point + step[:size]
        if not np.isfinite(objective(candidate)[0]):
            break
        point, multipliers = candidate, step[size:]
        steps += 1
    converged = decrement < 1e-10 and feasible and not rising
    return Solution(point, f, lagrangian, basis, steps, decrement, converged), multipliers
