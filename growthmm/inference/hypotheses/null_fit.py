"""The fit of a model under a linear hypothesis, by the same engine."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from growthmm.engines import long as long_engine
from growthmm.engines.long.problem import LongProblem
from growthmm.engines.registry import run
from growthmm.engines.wide.problem import WideProblem
from growthmm.errors import UnsupportedEngineError
from growthmm.inference.estimated_loadings import refuse_estimated_loadings
from growthmm.inference.hypotheses.linear import LinearHypothesis
from growthmm.inference.result import FitResult
from growthmm.model.sem import Constraint
from growthmm.rendering import Brief

__all__ = ["NullFit", "null_fit"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, repr=False)
class NullFit(Brief):
    """Where the likelihood is highest under the hypothesis.

    Parameters
    ----------
    values : (n_parameters,) ndarray
        All parameters of the larger model, in its engine's order.
    log_likelihood : float
        There.
    converged : bool
        Whether the search did.
    """

    values: FloatArray
    log_likelihood: float
    converged: bool


def null_fit(fit: FitResult, hypothesis: LinearHypothesis) -> NullFit:
    """Maximise the likelihood of a fitted model under a hypothesis.

    Parameters
    ----------
    fit : FitResult
        By one of our engines; of a mixed model, the hypothesis is about fixed effects, or holds
        single covariance parameters at numbers.
    hypothesis : LinearHypothesis
        Over the parameters of the fit.

    Raises
    ------
    UnsupportedEngineError
        For other engines, and for hypotheses that tie covariance parameters of a mixed model
        together or put a variance on its boundary.
    """
    if fit.engine not in ("long", "wide"):
        raise UnsupportedEngineError(
            f"The fit is by {fit.engine}; models are fitted under hypotheses by our engines.",
            hint="Use engine long or wide, or a Wald test.",
        )
    options = {"estimator": fit.estimator, "bounds": fit.fit.bounds}
    problem = fit.data.problem
    refuse_estimated_loadings(problem, "A fit under a hypothesis")
    if isinstance(problem, WideProblem):
        return _wide(fit, problem, hypothesis, options)
    return _long(problem, hypothesis, options)


def _wide(
    fit: FitResult, problem: WideProblem, hypothesis: LinearHypothesis, options: dict[str, Any]
) -> NullFit:
    names = problem.model.free_parameters
    added = []
    for row, target in zip(hypothesis.matrix, hypothesis.target, strict=True):
        left = " + ".join(f"({row[k]!r})*{names[k]}" for k in np.flatnonzero(row))
        added.append(Constraint(left.replace("np.float64", ""), "==", f"{float(target)!r}"))
    model = replace(problem.model, constraints=(*problem.model.constraints, *added))
    found = run("wide", replace(problem, model=model), start=fit.fit.estimates, **options)
    return NullFit(found.estimates, found.log_likelihood, found.convergence.converged)


def _long(problem: LongProblem, hypothesis: LinearHypothesis, options: dict[str, Any]) -> NullFit:
    p = problem.fixed.shape[1]
    names = long_engine.parameter_names(problem)
    kinds = long_engine.parameter_kinds(problem)
    of_means = np.any(hypothesis.matrix[:, :p] != 0, axis=1)
    held: dict[str, float] = {}
    for row, target in zip(hypothesis.matrix[~of_means], hypothesis.target[~of_means], strict=True):
        at = np.flatnonzero(row)
        if len(at) > 1 or (kinds[at[0]] == "variance" and target <= 0):
            raise UnsupportedEngineError(
                f"The hypothesis {hypothesis.text!r} ties covariance parameters together or puts "
                "a variance on its boundary.",
                hint="Test a random effect by gm.test_variance, or use a Wald test.",
            )
        held[names[at[0]]] = float(target / row[at[0]])
    if np.any(hypothesis.matrix[of_means][:, p:] != 0):
        raise UnsupportedEngineError(
            f"The hypothesis {hypothesis.text!r} mixes fixed effects and covariance parameters.",
            hint="Write an equation for each, or use a Wald test.",
        )
    matrix, target = hypothesis.matrix[of_means][:, :p], hypothesis.target[of_means]
    origin = np.linalg.pinv(matrix) @ target if len(matrix) else np.zeros(p)
    basis = _null_basis(matrix, p)
    design = np.asarray(problem.fixed)
    smaller = replace(
        problem,
        outcome=problem.outcome - design @ origin,
        fixed=design @ basis,
        fixed_names=tuple(f"free {k + 1}" for k in range(basis.shape[1])),
        fixed_parameters=(*problem.fixed_parameters, *held.items()),
    )
    found = run("long", smaller, **options)
    values = np.empty(len(names))
    values[:p] = origin + basis @ found.estimates[: basis.shape[1]]
    for k, name in enumerate(names[p:], start=p):
        values[k] = held[name] if name in held else found.value(name)
    return NullFit(values, found.log_likelihood, found.convergence.converged)


def _null_basis(matrix: FloatArray, size: int) -> FloatArray:
    """Columns that span the null space; coordinate axes where a parameter is not involved."""
    involved = np.flatnonzero(np.any(matrix != 0, axis=0))
    if not len(involved):
        return np.eye(size)
    _, _, v = np.linalg.svd(matrix[:, involved])
    others = np.setdiff1d(np.arange(size), involved)
    basis = np.zeros((size, size - len(matrix)))
    basis[others, np.arange(len(others))] = 1.0
    basis[involved, len(others) :] = v[len(matrix) :].T
    return basis
