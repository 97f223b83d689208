"""Checks of the random effects and of the number of persons."""

from __future__ import annotations

import numpy as np

from growthmm.engines.long.problem import LongProblem
from growthmm.engines.wide.problem import WideGroup
from growthmm.inference.derived import covariance_entries, derived_covariances
from growthmm.inference.diagnostics.finding import Finding
from growthmm.inference.diagnostics.optimum import uncorrelated
from growthmm.inference.result import FitResult

__all__ = ["check_correlations", "check_persons", "check_variances"]

NEAR_ZERO = 0.01
"""Standard deviation that an effect adds to the outcomes, in theirs, below which it is small."""

NEAR_ONE = 0.95
"""Absolute correlation from which two effects are hardly told apart."""

FEW_PERSONS, FEW_PER_PARAMETER = 30, 5.0
"""Below these, standard errors and tests that rest on many persons are called doubtful."""


def check_variances(fit: FitResult) -> Finding:
    """Whether a random effect adds next to nothing to the outcomes' spread.

    Its standard deviation times the root mean square of its column (loadings), over the standard
    deviation of the outcomes.
    """
    found = covariance_entries(fit.fit, fit.data.problem)
    spread = _outcome_deviation(fit)
    shares: dict[str, float] = {}
    for a, b, k in found.entries:
        if a == b:
            size = np.sqrt(max(float(fit.fit.estimates[k]), 0.0)) * _reach(fit, found.labels[a], a)
            shares[found.labels[a]] = float(size / spread)
    small = {name: share for name, share in shares.items() if share < NEAR_ZERO}
    if not small:
        return Finding(
            "variance_near_zero", "ok", "every random effect moves the outcomes", dict(shares)
        )
    names = ", ".join(f"{name} ({share:.2g})" for name, share in small.items())
    return Finding(
        "variance_near_zero",
        "warning",
        f"next to no variance, as a share of the outcomes' standard deviation: {names}",
        dict(shares),
        f"Test it, gm.test_variance(fit, {next(iter(small))!r}), and drop it if it adds nothing.",
    )


def _outcome_deviation(fit: FitResult) -> float:
    problem = fit.data.problem
    if isinstance(problem, LongProblem):
        return float(np.std(np.asarray(problem.outcome))) or 1.0
    t = len(problem.model.outcomes)
    variances: list[float] = []
    for data in problem.groups:
        if isinstance(data, WideGroup):
            variances.append(float(np.nanvar(data.outcomes)))
        else:
            means = data.mean[:t]
            variances.append(float(np.mean(np.diag(data.cov)[:t]) + np.var(means)))
    return float(np.sqrt(np.mean(variances))) or 1.0


def _reach(fit: FitResult, label: str, column: int) -> float:
    """Root mean square of an effect's column, or of its loadings."""
    problem = fit.data.problem
    if isinstance(problem, LongProblem):
        return float(np.sqrt(np.mean(np.square(np.asarray(problem.random)[:, column]))))
    factor = label.partition("[")[0]
    known = dict(zip(fit.fit.names, fit.fit.estimates.tolist(), strict=True))
    values = [
        known.get(p.parameter, 1.0) if p.free else float(p.value or 0.0)
        for p in problem.model.paths
        if p.op == "=~" and p.left == factor and p.group == 0 and p.definition is None
    ]
    if not values:
        return 1.0
    return float(np.sqrt(np.sum(np.square(values)) / max(len(problem.model.outcomes), 1)))


def check_correlations(fit: FitResult) -> Finding:
    """Whether two random effects are correlated by nearly one."""
    found = covariance_entries(fit.fit, fit.data.problem)
    rows = derived_covariances(fit.fit.estimates, fit.fit.covariance, found.entries)
    values = {
        f"{found.labels[a]}, {found.labels[b]}": estimate
        for kind, a, b, estimate, _ in rows
        if kind == "correlation" and np.isfinite(estimate)
    }
    if not values:
        return Finding("correlation_near_one", "ok", "there are no correlations of random effects")
    worst = max(values, key=lambda name: abs(values[name]))
    evidence: dict[str, object] = dict(values)
    if abs(values[worst]) < NEAR_ONE:
        return Finding(
            "correlation_near_one", "ok", f"the largest is {values[worst]:.3f}", evidence
        )
    return Finding(
        "correlation_near_one",
        "warning",
        f"{worst} are correlated by {values[worst]:.4f}",
        evidence,
        "Move the origin of time into the data, uncorrelate them "
        f"({uncorrelated(fit)}), or drop one of them.",
    )


def check_persons(fit: FitResult) -> Finding:
    """Whether there are persons enough for the parameters and the random effects."""
    found = covariance_entries(fit.fit, fit.data.problem)
    effects = sum(1 for a, b, _ in found.entries if a == b)
    persons, parameters = fit.n_subjects, fit.n_parameters
    evidence: dict[str, object] = {
        "persons": persons,
        "parameters": parameters,
        "persons_per_parameter": persons / max(parameters, 1),
        "random_effects": effects,
        "persons_per_random_effect": persons / effects if effects else None,
        "rows_per_person": fit.n_rows / max(persons, 1),
    }
    if persons <= parameters:
        return Finding(
            "persons",
            "warning",
            f"{persons} persons for {parameters} parameters",
            evidence,
            "Simplify the model: fewer random effects, one residual variance.",
        )
    if persons < FEW_PERSONS or persons / parameters < FEW_PER_PARAMETER:
        return Finding(
            "persons",
            "note",
            f"few persons: {persons} for {parameters} parameters and {effects} random effects",
            evidence,
            "Use estimator='reml' with df='kenward-roger' (or robust='cr2').",
        )
    return Finding("persons", "ok", f"{persons} persons for {parameters} parameters", evidence)
