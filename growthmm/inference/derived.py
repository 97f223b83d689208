"""Quantities derived from (co)variances: standard deviations, correlations, the ICC."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from growthmm.engines.long.problem import LongProblem
from growthmm.engines.outcome import EngineFit
from growthmm.engines.wide.problem import WideProblem

__all__ = [
    "CovarianceEntries",
    "Derived",
    "covariance_entries",
    "derived_covariances",
    "icc",
    "random_deviations",
    "residual_deviations",
    "residual_variances",
]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Derived:
    """A derived quantity with its standard error by the delta method.

    Parameters
    ----------
    name : str
        ``sd(occasion)``, ``correlation(i,s)``, ``sd(Residual)``, ``icc``.
    kind : str
        ``sd``, ``correlation``, ``icc``, ``defined``.
    estimate, std_error : float
        NaN where there is none.
    """

    name: str
    kind: str
    estimate: float
    std_error: float


@dataclass(frozen=True, slots=True)
class CovarianceEntries:
    """Where the free entries of the factors' covariance matrix stand among the estimates.

    Parameters
    ----------
    labels : tuple of str
        The factors.
    entries : tuple of (row, column, position)
        Free entries, row <= column.
    """

    labels: tuple[str, ...]
    entries: tuple[tuple[int, int, int], ...]


def covariance_entries(fit: EngineFit, problem: LongProblem | WideProblem) -> CovarianceEntries:
    """The free entries of the random effects' or latent variables' covariance matrix.

    Where groups of persons have (co)variances of their own the matrix has a block for each group,
    in whose labels the group stands in brackets.
    """
    position = {name: k for k, name in enumerate(fit.names)}
    if isinstance(problem, LongProblem):
        named = zip(problem.covariance_entries, problem.covariance_names, strict=True)
        return CovarianceEntries(
            problem.effect_names, tuple((a, b, position[name]) for (a, b), name in named)
        )
    model = problem.model
    latent = {name: k for k, name in enumerate(model.latent)}
    groups: list[list[tuple[int, int, int]]] = [[] for _ in range(model.n_groups)]
    for path in model.paths:
        if path.op == "~~" and path.free and path.left in latent and path.right in latent:
            a, b = sorted((latent[path.left], latent[path.right]))
            groups[path.group].append((a, b, position[path.parameter]))
    if all(found == groups[0] for found in groups):
        return CovarianceEntries(model.latent, tuple(groups[0]))
    q = len(latent)
    labels = model.group_labels or tuple(str(g + 1) for g in range(model.n_groups))
    return CovarianceEntries(
        tuple(f"{name}[{label}]" for label in labels for name in model.latent),
        tuple((a + g * q, b + g * q, k) for g, found in enumerate(groups) for a, b, k in found),
    )


def derived_covariances(
    values: FloatArray, covariance: FloatArray, entries: tuple[tuple[int, int, int], ...]
) -> list[tuple[str, int, int, float, float]]:
    """Standard deviations and correlations of a covariance matrix, by the delta method.

    Parameters
    ----------
    values : (n_parameters,) ndarray
        Estimates.
    covariance : (n_parameters, n_parameters) ndarray
        Their covariance matrix.
    entries : tuple of (row, column, position)
        Which estimate is which entry of the matrix, row <= column.

    Returns
    -------
    list of (kind, row, column, estimate, std_error)
        ``sd`` for variances, ``correlation`` for covariances whose variances are positive.
    """
    variance = {row: position for row, column, position in entries if row == column}
    made: list[tuple[str, int, int, float, float]] = []
    for row, column, position in entries:
        gradient = np.zeros(len(values))
        if row == column:
            value = values[position]
            if value <= 0:
                made.append(("sd", row, column, 0.0 if value == 0 else np.nan, np.nan))
                continue
            estimate = float(np.sqrt(value))
            gradient[position] = 0.5 / estimate
            kind = "sd"
        else:
            if row not in variance or column not in variance:
                continue
            a, b = values[variance[row]], values[variance[column]]
            if a <= 0 or b <= 0:
                made.append(("correlation", row, column, np.nan, np.nan))
                continue
            scale = float(np.sqrt(a * b))
            estimate = float(values[position]) / scale
            gradient[position] = 1 / scale
            gradient[variance[row]] = -0.5 * estimate / a
            gradient[variance[column]] = -0.5 * estimate / b
            kind = "correlation"
        made.append((kind, row, column, estimate, _error(gradient, covariance)))
    return made


def _error(gradient: FloatArray, covariance: FloatArray) -> float:
    used = np.flatnonzero(gradient)
    square = float(gradient[used] @ covariance[np.ix_(used, used)] @ gradient[used])
    return float(np.sqrt(square)) if square >= 0 else float("nan")


def random_deviations(fit: EngineFit, problem: LongProblem | WideProblem) -> list[Derived]:
    """Standard deviations and correlations of the random effects or latent variables."""
    found = covariance_entries(fit, problem)
    labels = found.labels
    return [
        Derived(
            f"{kind}({labels[a]})" if a == b else f"{kind}({labels[a]},{labels[b]})",
            kind,
            estimate,
            error,
        )
        for kind, a, b, estimate, error in derived_covariances(
            fit.estimates, fit.covariance, found.entries
        )
    ]


def residual_variances(fit: EngineFit, problem: LongProblem | WideProblem) -> list[tuple[str, int]]:
    """What each residual variance estimated is called, and its position among the parameters."""
    position = {name: k for k, name in enumerate(fit.names)}
    if isinstance(problem, LongProblem):
        return [
            (name[len("var(") : -1], position[name])
            for name, kind in zip(fit.names, fit.kinds, strict=True)
            if kind == "residual" and name.startswith("var(")
        ]
    outcomes = set(problem.model.outcomes)
    own = {
        path.parameter: path.label or path.left
        for path in reversed(problem.model.paths)
        if path.op == "~~" and path.free and path.left == path.right and path.left in outcomes
    }
    return [(own[name], position[name]) for name in fit.names if name in own]


def residual_deviations(fit: EngineFit, problem: LongProblem | WideProblem) -> list[Derived]:
    """Residual standard deviations, one for each residual variance estimated."""
    made = []
    for label, k in residual_variances(fit, problem):
        ((_, _, _, estimate, error),) = derived_covariances(
            fit.estimates, fit.covariance, ((0, 0, k),)
        )
        made.append(Derived(f"sd({label})", "sd", estimate, error))
    return made


def icc(fit: EngineFit, problem: LongProblem | WideProblem) -> Derived | None:
    """The intraclass correlation ``v / (v + s2)`` of a random-intercept model, None for others.

    Its standard error is by the delta method. Source: Fisher (1925), Statistical Methods for
    Research Workers, chapter 7.
    """
    places = (
        _intercept_alone(fit, problem)
        if isinstance(problem, LongProblem)
        else _constant_factor_alone(fit, problem)
    )
    if places is None:
        return None
    between, within = places
    v, s = fit.estimates[between], fit.estimates[within]
    total = float(v + s)
    gradient = np.zeros(len(fit.estimates))
    gradient[between], gradient[within] = s / total**2, -v / total**2
    return Derived("icc", "icc", float(v) / total, _error(gradient, fit.covariance))


def _intercept_alone(fit: EngineFit, problem: LongProblem) -> tuple[int, int] | None:
    if problem.random.shape[1] != 1 or problem.residual.kind != "common":
        return None
    if not np.all(np.asarray(problem.random) == 1.0):
        return None
    if problem.restricted:
        return None
    return fit.names.index(problem.covariance_names[0]), fit.names.index("var(Residual)")


def _constant_factor_alone(fit: EngineFit, problem: WideProblem) -> tuple[int, int] | None:
    model = problem.model
    if model.n_groups > 1:
        return None
    latent, outcomes = set(model.latent), set(model.outcomes)
    moving = [p for p in model.paths if p.op == "~~" and (p.free or p.value)]
    between = [p for p in moving if p.left in latent or p.right in latent]
    within = [p for p in moving if p.left in outcomes and p.right in outcomes]
    if len(between) != 1 or between[0].left != between[0].right or not between[0].free:
        return None
    factor = between[0].left
    loads = {p.right: p for p in model.paths if p.op == "=~" and p.left == factor}
    constant = set(loads) == outcomes and all(not p.free and p.value == 1.0 for p in loads.values())
    shared = {p.parameter if p.free else None for p in within}
    alike = len(shared) == 1 and None not in shared and all(p.left == p.right for p in within)
    if not (constant and alike and len(within) == len(outcomes)):
        return None
    return fit.names.index(between[0].parameter), fit.names.index(within[0].parameter)
