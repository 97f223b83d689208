"""From a problem to what the likelihood works on, made once for each problem."""

from __future__ import annotations

import numpy as np

from growthmm.engines.kept import kept
from growthmm.engines.outcome import ParameterKind
from growthmm.engines.wide import ram
from growthmm.engines.wide.constraints import relations
from growthmm.engines.wide.levels.statistics import collect_levels
from growthmm.engines.wide.likelihood import System
from growthmm.engines.wide.problem import WideProblem
from growthmm.engines.wide.statistics import collect
from growthmm.errors import DataError, UnsupportedEngineError
from growthmm.model.sem import Path, SemModel

__all__ = ["check_restricted", "compile_problem", "parameter_kinds", "parameter_names"]


@kept
def compile_problem(problem: WideProblem) -> System:
    """Matrices and sufficient statistics of a problem, kept while the problem lives.

    Raises
    ------
    DataError
        If the data do not fit the model.
    UnsupportedEngineError
        If the engine cannot hold the model.
    """
    model = problem.model
    if len(problem.groups) != model.n_groups:
        raise DataError(
            f"The model has {model.n_groups} groups, the data {len(problem.groups)}.",
            hint="Give one set of data for each group, in the model's order.",
        )
    if model.n_levels > 1:
        return _two_levels(model, problem)
    compiled = ram.compile_groups(model)
    groups = tuple((m, collect(m, data)) for m, data in zip(compiled, problem.groups, strict=True))
    if len(compiled) == 1:
        fixed = compiled[0].only_mean
    else:
        cov = np.concatenate([m.spreading for m in compiled])
        mean = np.concatenate([m.mean_parameters for m in compiled])
        fixed = np.setdiff1d(mean, cov).astype(np.intp)
    return System(groups, len(model.free_parameters), fixed)


def _two_levels(model: SemModel, problem: WideProblem) -> System:
    rams = ram.compile_group(model, 0), ram.compile_group(model, 0, 2)
    levels, *cells = collect_levels(*rams, problem.groups[0])
    cov = np.concatenate([m.cov_parameters for m in rams])
    mean = np.concatenate([m.mean_parameters for m in rams])
    fixed = np.setdiff1d(mean, cov).astype(np.intp)
    groups = tuple(zip(rams, cells, strict=True))
    return System(groups, len(model.free_parameters), fixed, levels=levels)


def parameter_names(problem: WideProblem) -> tuple[str, ...]:
    """The free parameters, in the order of ``SemModel.free_parameters``."""
    return problem.model.free_parameters


def parameter_kinds(problem: WideProblem) -> tuple[ParameterKind, ...]:
    """What each free parameter is, by the first row that holds it."""
    model = problem.model
    kinds: dict[str, ParameterKind] = {}
    for path in model.paths:
        if path.free:
            kinds.setdefault(path.parameter, _kind(path, model))
    return tuple(kinds[name] for name in model.free_parameters)


def _kind(path: Path, model: SemModel) -> ParameterKind:
    if path.op == "=~":
        return "loading"
    if path.op == "~":
        return "regression"
    if path.op == "~1":
        return "mean"
    if path.left in model.outcomes and path.right in model.outcomes:
        return "residual"
    return "variance" if path.left == path.right else "covariance"


def check_restricted(problem: WideProblem, system: System) -> None:
    """Refuse REML where the means are not linear in parameters of their own.

    Raises
    ------
    UnsupportedEngineError
        If a parameter enters both the means and the covariances, or an equality constraint holds
        parameters of the means.
    """
    model = problem.model
    if system.levels is not None:
        raise UnsupportedEngineError(
            "Models of two levels are fitted by maximum likelihood in the wide form.",
            hint='Use estimator="ml", or the long engine for REML.',
        )
    for c in relations(model, np.full(system.n_parameters, 0.7)):
        if c.equality and np.any(c.jet.gradient[system.fixed]):
            raise UnsupportedEngineError(
                f"The restricted likelihood has no constant under the constraint {c.text}, "
                "which holds parameters of the means.",
                hint='Give the parameters one label, or use estimator="ml".',
            )
    rng = np.random.default_rng(20)
    values = rng.uniform(0.5, 1.5, system.n_parameters)
    for matrices, _ in system.groups:
        shared = set(matrices.s.parameters) & set(matrices.k.parameters)
        designs = rng.uniform(0.5, 1.5, (1, len(matrices.definitions)))
        at = ram.implied(matrices, values, designs if matrices.definitions else None)
        if at is not None:
            slopes = np.abs(ram.jacobian(matrices, at).mean).max(axis=(0, 2, 3))
            moved = {int(k) for k, s in zip(matrices.mean_parameters, slopes, strict=True) if s}
            shared |= moved & {int(k) for k in matrices.spreading}
        if shared:
            names = ", ".join(model.free_parameters[k] for k in sorted(shared))
            raise UnsupportedEngineError(
                f"REML needs means that are linear in parameters of their own; {names} "
                "enter the means and the covariances.",
                hint='Use estimator="ml", or fix these parameters.',
            )
