"""lme4 and nlme, as witnesses of mixed models: plain design columns in, natural parameters out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from growthmm.engines.limits import Deadline
from growthmm.engines.outcome import Boundary, Convergence, EngineFit, ParameterKind
from growthmm.engines.r.process import csv, require, run
from growthmm.errors import FitFailedError, UnsupportedEngineError

if TYPE_CHECKING:
    from growthmm.engines.long.problem import LongProblem
    from growthmm.model.mixed import Estimator

__all__ = ["block_places", "fit_lme4", "fit_nlme", "rows_csv"]

FloatArray = NDArray[np.float64]

NLME_RESIDUALS = ("common", "by_occasion", "by_group", "ar1", "arh1")


def fit_lme4(
    problem: LongProblem,
    *,
    estimator: Estimator = "ml",
    start: FloatArray | None = None,
    time_limit: float = 120.0,
) -> EngineFit:
    """Fit a linear mixed model with R's ``lmer``.

    Parameters
    ----------
    problem : LongProblem
        The model and its data.
    estimator : {"ml", "reml"}
        What to maximise.
    start : ndarray, optional
        Not used: lmer's own start is good, and its search is global enough.
    time_limit : float
        Seconds until R is killed.

    Returns
    -------
    EngineFit
        Natural-scale estimates; the covariance matrix holds the fixed effects alone (lme4 gives
        none for variances).

    Raises
    ------
    UnsupportedEngineError
        If the residual structure is not common, or there are no random effects.
    EngineNotInstalledError
        If R or lme4 is not installed.
    FitFailedError
        If lmer stops, drops columns, or does not end in time.

    References
    ----------
    Bates, D., Maechler, M., Bolker, B., & Walker, S. (2015). https://doi.org/10.18637/jss.v067.i01
    """
    del start
    if problem.residual.kind != "common":
        raise UnsupportedEngineError(
            f"lmer has one residual variance; the model asks for {problem.residual}.",
            hint="Use nlme, or the long engine.",
        )
    _refuse_no_random("lmer", problem)
    version = require("lme4")
    blocks: list[tuple[int, ...]] = []
    groups: list[str] = []
    for block in problem.blocks:
        parts = [(c,) for c in block.columns] if block.diagonal else [block.columns]
        blocks += parts
        groups += ["cluster" if block.outer else "id"] * len(parts)
    arguments = [estimator, str(problem.fixed.shape[1]), block_places(blocks), ";".join(groups)]
    own = problem.subject if problem.clusters is None else problem.clusters.code
    table = rows_csv(problem, cluster=np.asarray(own, dtype=float))
    result = run("lme4", arguments, {"data.csv": table}, Deadline("lmer", time_limit))
    return _translate("lme4", version, problem, estimator, result)


def fit_nlme(
    problem: LongProblem,
    *,
    estimator: Estimator = "ml",
    start: FloatArray | None = None,
    time_limit: float = 120.0,
) -> EngineFit:
    """Fit a linear mixed model with R's ``lme``.

    Residual variances by occasion or group are ``varIdent``; AR(1) is ``corAR1`` where the times
    are whole numbers apart, else ``corCAR1``.

    Parameters
    ----------
    problem : LongProblem
        The model and its data.
    estimator : {"ml", "reml"}
        What to maximise.
    start : ndarray, optional
        Not used.
    time_limit : float
        Seconds until R is killed.

    Returns
    -------
    EngineFit
        Natural-scale estimates; the covariance matrix holds the fixed effects alone. lme stops
        up to 1e-4 relative short in variance ratios.

    Raises
    ------
    UnsupportedEngineError
        If the residual structure is another, or there are no random effects.
    EngineNotInstalledError
        If R or nlme is not installed.
    FitFailedError
        If lme stops or does not end in time.

    References
    ----------
    Pinheiro, J. C., & Bates, D. M. (2000). https://doi.org/10.1007/b98882
    """
    del start
    if problem.residual.kind not in NLME_RESIDUALS:
        raise UnsupportedEngineError(
            f"The witness nlme has no residual structure {problem.residual}.",
            hint=f"It has {', '.join(NLME_RESIDUALS)}; the long engine has all.",
        )
    _refuse_no_random("lme", problem)
    version = require("nlme")
    times = np.asarray(problem.occasions) - problem.occasions[0]
    whole = bool(np.all(times == np.round(times)))
    arguments = [
        estimator,
        str(problem.fixed.shape[1]),
        block_places([block.columns for block in problem.blocks]),
        ";".join("1" if block.diagonal else "0" for block in problem.blocks),
        problem.residual.kind,
        "1" if whole else "0",
    ]
    result = run("nlme", arguments, {"data.csv": rows_csv(problem)}, Deadline("lme", time_limit))
    return _translate("nlme", version, problem, estimator, result)


def _refuse_no_random(program: str, problem: LongProblem) -> None:
    if problem.random.shape[1] == 0:
        raise UnsupportedEngineError(
            f"{program} cannot fit a model without random effects.", hint="Use the long engine."
        )


def block_places(blocks: list[tuple[int, ...]]) -> str:
    """Columns of each block, counted from 1, as the R programs take them.

    Examples
    --------
    >>> block_places([(0, 1), (2,)])
    '1 2;3'
    """
    return ";".join(" ".join(str(column + 1) for column in block) for block in blocks)


def rows_csv(problem: LongProblem, **more: FloatArray) -> str:
    """Outcome, person, design columns, stratum of the residual variance and time, as CSV.

    Parameters
    ----------
    problem : LongProblem
        The rows.
    **more : (n_rows,) ndarray
        Further columns.
    """
    strata = problem.strata if problem.residual.kind == "by_group" else problem.occasion
    if strata is None:
        raise UnsupportedEngineError(
            "The residual variance is by group, but the problem has no strata.",
            hint="Give the grouping column's levels.",
        )
    times = np.asarray(problem.occasions)[problem.occasion] - problem.occasions[0]
    columns = [problem.outcome, problem.subject, problem.fixed, problem.random, strata, times]
    names = ["y", "id"]
    names += [f"x{k + 1}" for k in range(problem.fixed.shape[1])]
    names += [f"z{k + 1}" for k in range(problem.random.shape[1])]
    table = np.column_stack([*columns, *more.values()]).astype(float)
    return csv([*names, "stratum", "time", *more], table)


def _residual_names(problem: LongProblem) -> tuple[list[str], list[ParameterKind]]:
    kind = problem.residual.kind
    if kind in ("by_occasion", "arh1"):
        names = [f"var(Residual[{time:.15g}])" for time in problem.occasions]
    elif kind == "by_group":
        names = [f"var(Residual[{name}])" for name in problem.strata_names]
    else:
        names = ["var(Residual)"]
    if kind in ("ar1", "arh1"):
        names.append("rho(Residual)")
    return names, ["residual"] * len(names)


def _translate(
    engine: str, version: str, problem: LongProblem, estimator: Estimator, result: dict[str, Any]
) -> EngineFit:
    n_fixed = problem.fixed.shape[1]
    if len(result["fixed"]) != n_fixed:
        raise FitFailedError(
            f"{engine} estimated {len(result['fixed'])} of {n_fixed} fixed effects; "
            f"it said: {'; '.join(result['said'])}",
            hint="Drop the columns of the design that depend on others.",
        )
    matrix = np.array(result["covariance"], dtype=float)
    entries = problem.covariance_entries
    residual_names, residual_kinds = _residual_names(problem)
    residual = [*result["residual"], *result.get("correlation", [])]
    if len(residual) != len(residual_names):
        raise FitFailedError(
            f"{engine} gave {len(residual)} residual parameters for {len(residual_names)}.",
            hint="Every level of the residual structure needs rows.",
        )
    estimates = np.array([*result["fixed"], *(matrix[a, b] for a, b in entries), *residual])
    covariance = np.full((estimates.size, estimates.size), np.nan)
    covariance[:n_fixed, :n_fixed] = np.array(result["fixed_covariance"], dtype=float)
    kinds: list[ParameterKind] = ["fixed"] * n_fixed
    kinds += ["variance" if a == b else "covariance" for a, b in entries]
    singular = bool(result["singular"][0])
    decrement = result["decrement"][0]
    return EngineFit(
        engine=engine,
        estimator=estimator,
        names=(*problem.fixed_names, *problem.covariance_names, *residual_names),
        kinds=(*kinds, *residual_kinds),
        estimates=estimates.astype(float),
        covariance=covariance,
        information="expected",
        log_likelihood=float(result["log_likelihood"][0]),
        n_subjects=problem.n_subjects,
        n_rows=int(problem.outcome.size),
        convergence=Convergence(
            bool(result["converged"][0]),
            int(result["iterations"][0]),
            float("nan") if decrement is None else float(decrement),
            float("nan"),
            f"{engine} ended" + ("" if result["converged"][0] else " without convergence"),
        ),
        boundary=Boundary(
            at_boundary=singular,
            parameters=problem.covariance_names if singular else (),
            description=f"{engine} ended at a singular covariance matrix" if singular else "",
        ),
        bounds="psd",
        version=version,
        warnings=tuple(result["said"]),
    )
