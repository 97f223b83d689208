"""Maximum likelihood and restricted maximum likelihood of a structural equation model."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from growthmm.engines.optimiser import Objective
from growthmm.engines.outcome import Boundary, Convergence, EngineFit
from growthmm.engines.wide.boundary import examine
from growthmm.engines.wide.consistent import consistent
from growthmm.engines.wide.constraints import Jet, Relation, relations
from growthmm.engines.wide.elsewhere import dispersed, has_few_persons
from growthmm.engines.wide.identification import null_space
from growthmm.engines.wide.likelihood import System, evaluate
from growthmm.engines.wide.polishing import polished, search
from growthmm.engines.wide.problem import WideProblem
from growthmm.engines.wide.search import Solution, solve
from growthmm.engines.wide.starts import FEW_CELLS, Candidates, candidates
from growthmm.engines.wide.system import (
    check_restricted,
    compile_problem,
    parameter_kinds,
    parameter_names,
)
from growthmm.engines.wide.transform import Transform, identity, semidefinite
from growthmm.engines.wide.uncertainty import estimate_covariance, invert, well_conditioned
from growthmm.errors import (
    FitFailedError,
    NotIdentifiedError,
    SpecificationError,
)

__all__ = ["fit", "information"]

FloatArray = NDArray[np.float64]
Estimator = Literal["ml", "reml"]
Information = Literal["expected", "observed"]

MANY_CELLS = 8_000

HOPS = 3
"""How often to look around the highest of several maxima."""


def fit(
    problem: WideProblem,
    *,
    estimator: Estimator = "ml",
    bounds: Literal["none", "psd"] = "none",
    information: Information = "expected",
    start: FloatArray | None = None,
    allow_redundant: bool = False,
) -> EngineFit:
    """Fit a structural equation model.

    Maximises the Gaussian likelihood of the outcomes given the covariates, over every outcome
    observed (Arbuckle 1996; Jöreskog 1969, doi:10.1007/BF02289343), by Newton's method with
    exact derivatives.

    Parameters
    ----------
    problem : WideProblem
        Model and data.
    estimator : {"ml", "reml"}
        Maximum likelihood, or restricted.
    bounds : {"none", "psd"}
        ``"none"`` lets variances be negative as long as the outcomes' covariance matrix is
        positive definite (the habit of SEM programs); ``"psd"`` holds every block of latent
        covariances positive semi-definite and residual variances at least zero.
    information : {"expected", "observed"}
        Which information matrix gives the standard errors.
    start : (n_parameters,) ndarray, optional
        Where to start; by default from moments.
    allow_redundant : bool
        Fit a model with redundant parameters; they get no standard errors.

    Returns
    -------
    EngineFit
        Estimates in the order of :func:`parameter_names`.

    Raises
    ------
    NotIdentifiedError
        If the moments cannot tell parameters apart, naming them.
    UnsupportedEngineError
        If REML is asked for where the means are not linear in parameters of their own.
    FitFailedError
        If no admissible starting point is found.

    Examples
    --------
    >>> import numpy as np
    >>> from growthmm.engines.wide.problem import WideMoments, WideProblem
    >>> from growthmm.model.sem import Path, SemModel
    >>> model = SemModel((Path("y", "~1"), Path("y", "~~", "y")), (), ("y",))
    >>> moments = WideMoments(np.array([2.0]), np.array([[4.0]]), 50)
    >>> fit(WideProblem(model, (moments,))).estimates.round(6).tolist()
    [2.0, 4.0]
    """
    system = compile_problem(problem)
    _check(problem, system, estimator, bounds)
    starts = _starts(problem, system, start)
    redundant = _redundant(problem, system, starts, allow_redundant)
    plain = identity(system.n_parameters)
    starts, radius = _warmed(problem, system, starts, estimator)
    best = _best(problem, system, plain, starts, estimator, radius=radius)
    transform = plain
    if bounds == "none" and (problem.model.constraints or has_few_persons(system)):
        best = _beyond(problem, system, starts, best, estimator)
    if bounds == "psd":
        found = examine(problem.model, system, best.point)
        if found.beyond or not best.converged:
            transform, best = _bounded(problem, system, starts, estimator)
    values = transform.natural(best.point)
    boundary = _boundary(problem, system, values, best, bounds)
    covariance = estimate_covariance(
        problem,
        system,
        transform,
        best,
        estimator=estimator,
        kind=information,
        bounded=bounds == "psd",
    )
    lost = {k for c in best.active for k in c.parameters}
    if bounds == "psd" and boundary.at_boundary:
        lost |= {problem.model.free_parameters.index(n) for n in boundary.parameters}
    for k in sorted(lost | redundant):
        covariance[k, :] = covariance[:, k] = np.nan
    return EngineFit(
        engine="wide",
        estimator=estimator,
        names=parameter_names(problem),
        kinds=parameter_kinds(problem),
        estimates=values,
        covariance=covariance,
        information=information,
        log_likelihood=best.value,
        n_subjects=system.n_subjects,
        n_rows=system.n_rows,
        convergence=_convergence(system, transform, best, estimator),
        boundary=boundary,
        bounds=bounds,
    )


def _check(problem: WideProblem, system: System, estimator: str, bounds: str) -> None:
    if estimator not in ("ml", "reml") or bounds not in ("none", "psd"):
        raise SpecificationError(
            f"estimator={estimator!r}, bounds={bounds!r}.",
            hint='Use estimator="ml" or "reml", bounds="none" or "psd".',
        )
    if estimator == "reml":
        check_restricted(problem, system)


def _starts(problem: WideProblem, system: System, start: FloatArray | None) -> Candidates:
    found = candidates(problem.model, system)
    if problem.model.constraints:
        found = consistent(problem.model, system, found)
    if start is not None:
        given = np.asarray(start, dtype=float)
        if given.shape != (system.n_parameters,):
            raise SpecificationError(
                f"A start of shape {given.shape} for {system.n_parameters} parameters.",
                hint="Give one value for each of parameter_names(problem), in that order.",
            )
        if not np.isfinite(evaluate(system, given, order=0).value):
            raise FitFailedError(
                "The likelihood does not exist at the start given.",
                hint="Start where the outcomes' covariance matrix is positive definite.",
            )
        return found.behind(given)
    if found.first() is None:
        raise FitFailedError(
            "No starting values give a positive definite covariance matrix of the outcomes.",
            hint="Check that every outcome has a variance in the model, or give start=.",
        )
    return found


def _redundant(problem: WideProblem, system: System, starts: Candidates, allowed: bool) -> set[int]:
    """Parameters that the moments cannot tell apart."""
    values = starts.first()
    assert values is not None
    if sum(len(cells.n) for _, cells in system.groups) < FEW_CELLS and well_conditioned(
        evaluate(system, values).expected
    ):
        # The information is J'WJ with W positive definite, so that J has full rank.
        return set()
    mixed = null_space(problem, values)
    if mixed and not allowed:
        raise NotIdentifiedError(
            f"The moments cannot tell apart {NotIdentifiedError.listed(mixed)}.",
            parameters=mixed,
            hint="Fix or drop one of them for each direction they are free in.",
        )
    return {problem.model.free_parameters.index(name) for name in mixed}


def _objective(system: System, transform: Transform, restricted: bool) -> Objective:
    def natural(x: FloatArray) -> tuple[float, FloatArray, FloatArray]:
        e = evaluate(system, x, restricted=restricted)
        return e.value, e.score, e.hessian

    def internal(x: FloatArray) -> tuple[float, FloatArray, FloatArray]:
        e = evaluate(system, transform.natural(x), restricted=restricted)
        slope = transform.slope(x)
        bend = 2.0 * np.tensordot(e.score, transform.quadratic, axes=(0, 0))
        return e.value, slope.T @ e.score, slope.T @ e.hessian @ slope + bend

    return natural if transform.trivial else internal


def _constraints(problem: WideProblem, transform: Transform, x: FloatArray) -> list[Relation]:
    """The model's constraints and the transform's ties, at internal values `x`."""
    own = relations(problem.model, transform.natural(x))
    if transform.trivial:
        return own
    slope = transform.slope(x)
    found = [Relation(f"tie {i}", True, jet) for i, jet in enumerate(transform.ties(x))]
    for c in own:
        bend = 2.0 * np.tensordot(c.jet.gradient, transform.quadratic, axes=(0, 0))
        hessian = slope.T @ c.jet.hessian @ slope + bend
        jet = Jet(c.jet.value, slope.T @ c.jet.gradient, hessian)
        found.append(Relation(c.text, c.equality, jet, c.parameters, c.solves))
    return found


def _best(
    problem: WideProblem,
    system: System,
    transform: Transform,
    starts: Iterable[FloatArray],
    estimator: str,
    *,
    radius: float = 1.0,
) -> Solution:
    """The first search that converges, else the highest; `radius` is that of the first."""
    best: Solution | None = None
    for point in starts:
        found = _from(problem, system, transform, point, estimator=estimator, radius=radius)
        radius = 1.0
        if found is None:
            continue
        if best is None or (found.converged, found.value) > (best.converged, best.value):
            best = found
        if best.converged:
            break
    if best is None:
        raise FitFailedError(
            "The restricted likelihood does not exist to working precision at the starting values.",
            hint="Centre the times and covariates, or give them other units.",
        )
    return best


def _from(
    problem: WideProblem,
    system: System,
    transform: Transform,
    point: FloatArray,
    *,
    estimator: str,
    radius: float,
) -> Solution | None:
    """One search; None where the likelihood does not exist at `point`."""
    if transform.trivial and estimator == "reml":
        return search(problem, system, point, restricted=True, radius=radius)
    objective = _objective(system, transform, estimator == "reml")
    if not np.isfinite(objective(point)[0]):
        return None
    found = solve(objective, point, lambda x: _constraints(problem, transform, x), radius=radius)
    return polished(problem, system, found) if transform.trivial else found


def _warmed(
    problem: WideProblem, system: System, starts: Candidates, estimator: str
) -> tuple[Candidates, float]:
    """Starts and a trust radius: from the fit to some cells where there are very many.

    It is a few standard errors of its own away from the fit to all.
    """
    if max(len(cells.n) for _, cells in system.groups) < MANY_CELLS:
        return starts, 1.0
    part = system.sample()
    first = itertools.islice(starts, 1)
    found = _best(problem, part, identity(system.n_parameters), first, estimator)
    if not found.converged or not np.isfinite(evaluate(system, found.point, order=0).value):
        return starts, 1.0
    radius = 5.0 * float(np.sqrt(system.n_subjects / part.n_subjects))
    return starts.behind(found.point), radius


def _beyond(
    problem: WideProblem,
    system: System,
    starts: Candidates,
    found: Solution,
    estimator: str,
) -> Solution:
    """A better unbounded optimum, where one was found among matrices that are no covariances.

    Nonlinear constraints (an AR(1) by its lags) can have a second maximum with a negative
    variance, and few persons can have several; the maximum over covariance matrices is a start on
    the other side of the ridge, and with few persons there are more around both.
    """
    if found.converged and not examine(problem.model, system, found.point).beyond:
        return found
    plain = identity(system.n_parameters)
    transform, inside = _bounded(problem, system, starts, estimator)
    points = [transform.natural(inside.point)]
    few = has_few_persons(system) and not problem.model.constraints
    if few:
        points += dispersed(system, points[0])
    for hop in range(HOPS):
        before = found
        for point in (*points, *(dispersed(system, found.point, seed=hop) if few else ())):
            again = _from(problem, system, plain, point, estimator=estimator, radius=1.0)
            if again is not None and again.converged:
                better = again.value > found.value + 1e-9 * abs(found.value)
                found = again if better or not found.converged else found
        points = []
        if found is before:
            break
    return found


def _bounded(
    problem: WideProblem, system: System, starts: Candidates, estimator: str
) -> tuple[Transform, Solution]:
    best: tuple[Transform, Solution] | None = None
    for point in starts:
        transform, x = semidefinite(system, point)
        found = _best(problem, system, transform, [x], estimator)
        if best is None or (found.converged, found.value) > (best[1].converged, best[1].value):
            best = transform, found
        if found.converged:
            break
    assert best is not None
    return best


def _boundary(
    problem: WideProblem, system: System, values: FloatArray, best: Solution, bounds: str
) -> Boundary:
    found = examine(problem.model, system, values)
    if bounds == "psd" and found.beyond:
        found = Boundary(True, False, found.parameters, found.direction, found.description)
    if not best.active:
        return found
    names = problem.model.free_parameters
    pinned = [names[k] for c in best.active for k in c.parameters]
    notes = [
        n for n in (found.description, *(f"the bound {c.text} holds" for c in best.active)) if n
    ]
    return Boundary(
        True,
        found.beyond,
        tuple(dict.fromkeys((*found.parameters, *pinned))),
        found.direction,
        "; ".join(notes),
        tuple(c.text for c in best.active),
    )


def _convergence(
    system: System, transform: Transform, best: Solution, estimator: str
) -> Convergence:
    _, gradient, _ = _objective(system, transform, estimator == "reml")(best.point)
    slope = best.tangent.T @ gradient
    curve = -np.diag(best.tangent.T @ best.lagrangian @ best.tangent)
    scores = np.abs(slope) / np.sqrt(np.maximum(np.abs(curve), 1e-300))
    message = (
        "converged: the Newton decrement is zero and the likelihood curves down in every direction"
        if best.converged
        else "stopped where the likelihood can still rise, or falls short of its constraints"
    )
    return Convergence(
        best.converged,
        best.iterations,
        best.decrement,
        float(scores.max(initial=0.0)),
        message,
    )


def information(
    problem: WideProblem,
    values: FloatArray,
    kind: Information = "expected",
    estimator: Estimator = "ml",
) -> FloatArray:
    """Information matrix of the free parameters, without regard to constraints.

    The expected information takes each person's own covariates within each pattern of missing
    outcomes. For REML the fixed parameters' block is ``X'V^-1X``, the others' is that of the
    profiled restricted likelihood, and the blocks between them are zero.

    Parameters
    ----------
    problem : WideProblem
        Model and data.
    values : (n_parameters,) ndarray
        Where to evaluate.
    kind : {"expected", "observed"}
        Which information.
    estimator : {"ml", "reml"}
        Of which likelihood.

    Returns
    -------
    (n_parameters, n_parameters) ndarray
        The matrix whose inverse is the covariance matrix of the estimates.
    """
    system = compile_problem(problem)
    if estimator == "reml":
        check_restricted(problem, system)
    at = evaluate(system, np.asarray(values, dtype=float), restricted=estimator == "reml")
    if kind == "expected":
        return at.expected.copy()
    observed = -at.hessian
    if estimator == "reml" and len(system.fixed):
        fixed = system.fixed
        rest = np.setdiff1d(np.arange(system.n_parameters), fixed)
        block, cross = observed[np.ix_(fixed, fixed)], observed[np.ix_(fixed, rest)]
        observed[np.ix_(rest, rest)] -= cross.T @ invert(block) @ cross
        observed[np.ix_(fixed, rest)] = 0.0
        observed[np.ix_(rest, fixed)] = 0.0
    return observed
