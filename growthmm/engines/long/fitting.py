"""Maximum likelihood and restricted maximum likelihood of a long problem."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from growthmm.engines.long.boundary import find_boundary
from growthmm.engines.long.curved.fitting import fit_curved
from growthmm.engines.long.ending import TOLERANCE, block_labels, convergence, inverse, search
from growthmm.engines.long.evaluation import parameter_kinds, parameter_names
from growthmm.engines.long.identification import check_identified
from growthmm.engines.long.parametrisation import FreeParameters, free_parameters
from growthmm.engines.long.prepared import Prepared, prepare
from growthmm.engines.long.problem import LongProblem
from growthmm.engines.long.restricted import fit_restricted
from growthmm.engines.long.starts import sampled, start_parameters
from growthmm.engines.long.surface import (
    Estimator,
    Surface,
    expected_information,
    hessian,
    log_likelihood,
    profile,
    profile_with_scale,
    rescaled,
)
from growthmm.engines.optimiser import Objective, Optimum
from growthmm.engines.outcome import Boundary, EngineFit
from growthmm.errors import FitFailedError, SpecificationError

__all__ = ["fit"]

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
Bounds = Literal["psd", "none"]
Information = Literal["expected", "observed"]

MOMENTS_RADIUS = 2.0
"""How far, in standard errors, a search is trusted to step from starts by moments."""

FEWEST_SPARE = 0.05
"""Share of rows beyond the random effects below which the scale's derivatives are taken apart."""


def fit(
    problem: LongProblem,
    *,
    estimator: Estimator = "ml",
    bounds: Bounds = "psd",
    information: Information = "expected",
    start: FloatArray | None = None,
) -> EngineFit:
    """Fit a linear mixed model.

    Fixed effects, and the scale where residuals are independent with one variance, are maximised
    out (Lindstrom & Bates 1988, doi:10.1080/01621459.1988.10478693); Newton's method finds the
    rest, in a Cholesky factor under ``bounds="psd"``.

    Parameters
    ----------
    problem : LongProblem
        Model and data as arrays.
    estimator : {"ml", "reml"}
        What to maximise.
    bounds : {"psd", "none"}
        Whether covariance matrices stay positive semi-definite (as lme4 keeps them), or only
        every person's marginal covariance matrix positive definite (as an SEM does).
    information : {"expected", "observed"}
        Which information matrix gives standard errors.
    start : (n_parameters,) ndarray, optional
        Starting values in the order of `parameter_names`; from moments where None.

    Returns
    -------
    EngineFit
        In the user's units.

    Raises
    ------
    NotIdentifiedError
        If fixed effects are collinear or covariance parameters cannot be told apart.
    FitFailedError
        If the likelihood cannot be computed at the start.

    Examples
    --------
    >>> import numpy as np
    >>> from growthmm.engines.long import LongProblem, RandomEffects, fit
    >>> subject = np.repeat(np.arange(4), 3)
    >>> ones = np.ones((12, 1))
    >>> y = np.array([1.0, 2, 1, 4, 5, 6, 2, 2, 3, 7, 6, 8])
    >>> problem = LongProblem(
    ...     y, ones, ("(Intercept)",), ones, (RandomEffects(("(Intercept)",), (0,)),),
    ...     subject, 4, "id", np.zeros(12, dtype=int))
    >>> fit(problem).estimates.round(4).tolist()
    [3.9167, 4.7431, 0.6667]
    """
    _check_options(estimator, bounds, information)
    if problem.loadings is not None:
        return fit_curved(
            problem, estimator=estimator, bounds=bounds, information=information, start=start
        )
    ready = prepare(problem)
    if ready.restriction is not None:
        check_identified(problem)
        return fit_restricted(problem, estimator, bounds, information, start)
    optimum, found, surface, free = _searched(problem, ready, estimator, bounds, start)
    names = parameter_names(problem)
    internal = np.concatenate([surface.fixed, found])
    values = ready.user(internal)
    boundary, affected = _boundary(problem, ready, found, values, names)
    covariance = _covariance(
        ready,
        surface,
        found=found,
        free=free,
        estimator=estimator,
        information=information,
        boundary=boundary,
        affected=affected,
    )
    return EngineFit(
        engine="long",
        estimator=estimator,
        names=names,
        kinds=parameter_kinds(problem),
        estimates=values,
        covariance=covariance,
        information=information,
        log_likelihood=log_likelihood(surface, estimator) + ready.log_unit(estimator),
        n_subjects=ready.n_subjects,
        n_rows=ready.n_rows,
        convergence=convergence(optimum, boundary, bounds),
        boundary=boundary,
        bounds=bounds,
    )


def _searched(
    problem: LongProblem,
    ready: Prepared,
    estimator: Estimator,
    bounds: Bounds,
    start: FloatArray | None,
) -> tuple[Optimum, FloatArray, Surface, FreeParameters]:
    """The optimum in internal units, once it is known that there is one."""
    if ready.products is None:
        check_identified(problem)
    radius = 1.0
    if start is None:
        begin, radius = _first_point(ready, estimator, bounds)
    else:
        begin = _given_start(problem, ready, start)
    free = free_parameters(len(begin), ready.blocks if bounds == "psd" else ())
    surface: Surface | None
    if ready.products is not None:
        try:
            optimum, found, surface = _search_scaled(ready, estimator, bounds, begin, radius=radius)
        except FitFailedError:
            check_identified(problem)
            raise
        if not _independent(surface.traces):
            check_identified(problem)
        if ready.products.spare < FEWEST_SPARE * ready.n_rows:
            surface = ready.surface(found, restricted=estimator == "reml")
    else:
        optimum = search(_objective(ready, free, estimator), free.free(begin))
        found = free.value(optimum.point)
        surface = ready.surface(found, restricted=estimator == "reml")
    if surface is None:
        raise FitFailedError(
            "The search ended where the likelihood is not defined.",
            hint="Give starting values with `start`, or a simpler covariance structure.",
        )
    return optimum, found, surface, free


def _first_point(ready: Prepared, estimator: Estimator, bounds: Bounds) -> tuple[FloatArray, float]:
    """Where to start, and how far to trust: from some of the persons' fit, else from moments.

    The fit to a sample is a few standard errors of its own away from that to all.
    """
    part = sampled(ready)
    if part is None:
        return start_parameters(ready, estimator), MOMENTS_RADIUS
    begin = start_parameters(part, estimator)
    optimum, found, _ = _search_scaled(part, estimator, bounds, begin, tolerance=1e-3)
    if not optimum.converged:
        return start_parameters(ready, estimator), 1.0
    return found, 5.0 * float(np.sqrt(ready.n_subjects / part.n_subjects))


def _independent(traces: FloatArray) -> bool:
    """Whether ``tr(V^-1 V_a V^-1 V_b)`` shows at a glance that no parameter is redundant."""
    diagonal = np.diag(traces)
    if not (np.isfinite(traces).all() and (diagonal > 0).all()):
        return False
    scale = 1.0 / np.sqrt(diagonal)
    return bool(np.linalg.eigvalsh(traces * np.outer(scale, scale))[0] > 1e-6)


def _check_options(estimator: str, bounds: str, information: str) -> None:
    for what, value, known in (
        ("estimator", estimator, ("ml", "reml")),
        ("bounds", bounds, ("psd", "none")),
        ("information", information, ("expected", "observed")),
    ):
        if value not in known:
            raise SpecificationError(
                f"{what}={value!r} is not known.", hint=f"Use one of {', '.join(known)}."
            )


def _given_start(problem: LongProblem, ready: Prepared, start: FloatArray) -> FloatArray:
    n = len(parameter_names(problem))
    if np.shape(start) != (n,):
        raise SpecificationError(
            f"Starting values of shape {np.shape(start)} for {n} parameters.",
            hint="Give one value for each of parameter_names(problem).",
        )
    return ready.internal(start)[ready.n_fixed :]


def _objective(ready: Prepared, free: FreeParameters, estimator: Estimator) -> Objective:
    def objective(point: FloatArray) -> tuple[float, FloatArray, FloatArray]:
        surface = ready.surface(free.value(point))
        if surface is None:
            return -np.inf, np.zeros(len(point)), np.zeros((len(point), len(point)))
        value, gradient, curvature = profile(surface, estimator)
        return (value, *free.pull_back(point, gradient, curvature))

    return objective


def _search_scaled(
    ready: Prepared,
    estimator: Estimator,
    bounds: Bounds,
    begin: FloatArray,
    *,
    tolerance: float = TOLERANCE,
    radius: float = 1.0,
) -> tuple[Optimum, FloatArray, Surface]:
    """Search over ``G / s``, the residual variance `s` maximised out."""
    k = len(ready.entries)
    blocks = tuple(block for block in ready.blocks if block.places[0] < k)
    free = free_parameters(k, blocks if bounds == "psd" else ())

    seen: dict[bytes, tuple[Surface, float]] = {}

    def objective(point: FloatArray) -> tuple[float, FloatArray, FloatArray]:
        surface = ready.unit_surface(free.value(point), restricted=estimator == "reml")
        if surface is None or not surface.residual > 0:
            return -np.inf, np.zeros(k), np.zeros((k, k))
        value, gradient, curvature, scale = profile_with_scale(surface, estimator)
        seen[point.tobytes()] = surface, scale
        return (value, *free.pull_back(point, gradient, curvature))

    optimum = search(objective, free.free(begin[:k] / begin[k]), tolerance, radius)
    unit, scale = seen[optimum.point.tobytes()]
    ratios = free.value(optimum.point)
    return optimum, np.append(scale * ratios, scale), rescaled(unit, ratios, scale, with_scale=True)


def _boundary(
    problem: LongProblem,
    ready: Prepared,
    found: FloatArray,
    values: FloatArray,
    names: tuple[str, ...],
) -> tuple[Boundary, BoolArray]:
    p, k = ready.n_fixed, len(ready.entries)
    labels, columns = block_labels(problem, ready)
    boundary, affected = find_boundary(
        ready.blocks,
        internal=found,
        user=values[p:],
        names=names[p:],
        labels=labels,
        residual=float(np.max(np.abs(found[k:]), initial=0.0)),
        transform=ready.scaling.random,
        columns=columns,
    )
    return boundary, np.asarray(affected, dtype=bool)


def _covariance(
    ready: Prepared,
    surface: Surface,
    *,
    found: FloatArray,
    free: FreeParameters,
    estimator: Estimator,
    information: Information,
    boundary: Boundary,
    affected: BoolArray,
) -> FloatArray:
    """Covariance matrix of the estimates, in the user's units."""
    p = ready.n_fixed
    if information == "expected":
        matrix = expected_information(surface, estimator)
    else:
        matrix = -hessian(surface, estimator)
    if estimator == "reml":
        matrix[:p, p:] = matrix[p:, :p] = 0.0
    if boundary.at_boundary and free.blocks:
        slope = np.eye(len(matrix))
        slope[p:, p:] = free.jacobian(free.free(found))
        inner = np.linalg.pinv(slope.T @ matrix @ slope, rcond=1e-9, hermitian=True)
        covariance = slope @ inner @ slope.T
    else:
        covariance = inverse(matrix)
    covariance = ready.jacobian @ covariance @ ready.jacobian.T
    if boundary.at_boundary and not boundary.beyond:
        lost = np.concatenate([np.zeros(p, dtype=bool), affected])
        covariance[lost] = np.nan
        covariance[:, lost] = np.nan
    return covariance
