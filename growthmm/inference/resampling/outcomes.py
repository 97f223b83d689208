"""Outcomes drawn from a model at given parameters, for the designs of a problem."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from growthmm.engines import long as long_engine
from growthmm.engines.long.problem import LongProblem
from growthmm.engines.wide import ram
from growthmm.engines.wide.problem import WideGroup, WideProblem
from growthmm.engines.wide.statistics import persons
from growthmm.engines.wide.system import compile_problem
from growthmm.errors import UnsupportedEngineError
from growthmm.inference.estimated_loadings import refuse_estimated_loadings

__all__ = ["draw_outcomes", "random_covariance"]

FloatArray = NDArray[np.float64]
Problem = LongProblem | WideProblem


def draw_outcomes(problem: Problem, values: FloatArray, rng: np.random.Generator) -> Problem:
    """The problem with outcomes drawn from the model, everything else as it was.

    Outcomes that are missing stay missing.

    Parameters
    ----------
    problem : LongProblem or WideProblem
        Designs, covariates, pattern of missing values.
    values : (n_parameters,) ndarray
        The model's parameters, in the engine's order.
    rng : Generator
        Random numbers.

    Returns
    -------
    LongProblem or WideProblem

    Raises
    ------
    UnsupportedEngineError
        If there is nothing to draw from: a covariance matrix is none, or only moments are given.
    """
    refuse_estimated_loadings(problem, "A sample")
    if isinstance(problem, LongProblem):
        return replace(problem, outcome=_long(problem, values, rng))
    return _wide(problem, values, rng)


def random_covariance(problem: LongProblem, values: FloatArray) -> FloatArray:
    """The random effects' covariance matrix at given parameters."""
    own = dict(zip(long_engine.parameter_names(problem), values.tolist(), strict=True))
    q = problem.random.shape[1]
    matrix = np.zeros((q, q))
    for (a, b), name in zip(problem.covariance_entries, problem.covariance_names, strict=True):
        matrix[a, b] = matrix[b, a] = own[name]
    for a, b, value in problem.fixed_entries:
        matrix[a, b] = matrix[b, a] = value
    return matrix


def _root(matrix: FloatArray) -> FloatArray:
    values, vectors = np.linalg.eigh(matrix)
    if np.any(values < -1e-8 * max(float(values.max(initial=0.0)), 1e-300)):
        raise UnsupportedEngineError(
            "The estimates are no covariance matrix (a variance is negative), so that nothing can "
            "be drawn from them.",
            hint="Fit with bounds='psd'.",
        )
    return np.asarray(vectors * np.sqrt(np.maximum(values, 0.0)))


def _long(problem: LongProblem, values: FloatArray, rng: np.random.Generator) -> FloatArray:
    n = problem.n_subjects
    mean = np.asarray(problem.fixed) @ values[: problem.fixed.shape[1]]
    effects = _effects(problem, random_covariance(problem, values), rng)
    mean = mean + np.einsum("ij,ij->i", np.asarray(problem.random), effects)
    residual = long_engine.residual_matrix(problem, values).to_numpy(dtype=float)
    if len(residual) == 1:
        own = np.sqrt(residual[0, 0]) * rng.standard_normal(len(mean))
    elif problem.residual.kind == "by_group":
        variances = np.diag(residual)[long_engine.residual_places(problem)]
        own = np.sqrt(variances) * rng.standard_normal(len(mean))
    else:
        table = rng.standard_normal((n, len(residual))) @ _root(residual).T
        own = table[problem.subject, long_engine.residual_places(problem)]
    return np.asarray(mean + own, dtype=float)


def _effects(problem: LongProblem, covariance: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Random effects row by row (n_rows, n_random): a person's own, and those of its cluster."""
    q = problem.random.shape[1]
    shared = {k for block in problem.blocks if block.outer for k in block.columns}
    made = np.zeros((len(problem.outcome), q))
    own = [k for k in range(q) if k not in shared]
    draws = rng.standard_normal((problem.n_subjects, len(own)))
    made[:, own] = (draws @ _root(covariance[np.ix_(own, own)]).T)[problem.subject]
    if shared:
        assert problem.clusters is not None
        at = sorted(shared)
        draws = rng.standard_normal((problem.clusters.n_clusters, len(at)))
        made[:, at] = (draws @ _root(covariance[np.ix_(at, at)]).T)[problem.clusters.code]
    return made


def _wide(problem: WideProblem, values: FloatArray, rng: np.random.Generator) -> WideProblem:
    groups = []
    for (matrices, _), data in zip(compile_problem(problem).groups, problem.groups, strict=True):
        if not isinstance(data, WideGroup):
            raise UnsupportedEngineError(
                "Moments hold no persons to draw outcomes for.", hint="Give the rows of the data."
            )
        if data.clusters is not None:
            raise UnsupportedEngineError(
                "Outcomes of a structural equation model of two levels are not drawn.",
                hint="Use engine='long', which fits the translation.",
            )
        rows = persons(matrices, data)
        at = ram.implied(matrices, np.asarray(values, dtype=float), rows.designs)
        t = matrices.n_outcomes
        if at is None:
            raise UnsupportedEngineError(
                "The paths form a cycle that has no solution at these values.",
                hint="Take values from a fit that converged.",
            )
        mean = np.broadcast_to(at.mean[:, :t], (len(rows.observed), *at.mean[:, :t].shape[1:]))
        expected = np.einsum("ntw,nw->nt", mean, rows.regressors)
        lower = np.linalg.cholesky(at.sigma[:, :t, :t])
        lower = np.broadcast_to(lower, (len(expected), t, t))
        noise = rng.standard_normal(expected.shape)
        drawn = expected + np.einsum("nab,nb->na", lower, noise)
        groups.append(replace(data, outcomes=np.where(np.isfinite(data.outcomes), drawn, np.nan)))
    return replace(problem, groups=tuple(groups))
