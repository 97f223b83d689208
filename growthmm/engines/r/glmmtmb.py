"""glmmTMB, as a witness of mixed models with structured residuals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from growthmm.engines.limits import Deadline
from growthmm.engines.long.residual_structures.linear import entry_name
from growthmm.engines.outcome import Boundary, Convergence, EngineFit, ParameterKind
from growthmm.engines.r.mixed import block_places, rows_csv
from growthmm.engines.r.process import require, run
from growthmm.errors import FitFailedError, UnsupportedEngineError
from growthmm.model.names import residual_name

if TYPE_CHECKING:
    from growthmm.engines.long.problem import LongProblem
    from growthmm.model.mixed import Estimator

__all__ = ["fit_glmmtmb"]

FloatArray = NDArray[np.float64]

RESIDUALS = ("common", "by_occasion", "by_group", "ar1", "ar1+common", "csh", "unstructured")


def fit_glmmtmb(
    problem: LongProblem,
    *,
    estimator: Estimator = "ml",
    start: FloatArray | None = None,
    time_limit: float = 120.0,
) -> EngineFit:
    """Fit a linear mixed model with R's ``glmmTMB``.

    Residual variances by occasion or group are a dispersion formula; AR(1), heterogeneous
    compound symmetry and unstructured residuals are random effects of the occasions without (for
    ``ar1+common``: with) a residual variance.

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
        Natural-scale estimates; the covariance matrix holds the fixed effects alone, from
        observed information. Under REML it is empty: glmmTMB's then adds the uncertainty of the
        variances, which no other program does.

    Raises
    ------
    UnsupportedEngineError
        If the residual structure is another, or AR(1) is asked for at times that are not equally
        spaced.
    EngineNotInstalledError
        If R or glmmTMB is not installed.
    FitFailedError
        If glmmTMB stops or does not end in time.

    References
    ----------
    Brooks, M. E., et al. (2017). https://doi.org/10.32614/RJ-2017-066
    """
    del start
    kind = problem.residual.kind
    if kind not in RESIDUALS:
        raise UnsupportedEngineError(
            f"The witness glmmTMB has no residual structure {problem.residual}.",
            hint=f"It has {', '.join(RESIDUALS)}; the long engine has all.",
        )
    step, steps = _grid(problem) if kind in ("ar1", "ar1+common") else (1.0, None)
    version = require("glmmTMB")
    extra = {} if steps is None else {"step": steps[problem.occasion].astype(float)}
    count = len(problem.occasions) if steps is None else int(steps.max()) + 1
    arguments = [
        estimator,
        str(problem.fixed.shape[1]),
        block_places([block.columns for block in problem.blocks]),
        ";".join("1" if block.diagonal else "0" for block in problem.blocks),
        kind,
        str(count),
    ]
    inputs = {"data.csv": rows_csv(problem, **extra)}
    result = run("glmmTMB", arguments, inputs, Deadline("glmmTMB", time_limit))
    residual = _residual(problem, result, step)
    return _translate(version, problem, estimator, result, residual)


def _grid(problem: LongProblem) -> tuple[float, NDArray[np.intp]]:
    """The distance between neighbouring occasions, and each occasion's number of such steps."""
    times = np.asarray(problem.occasions, dtype=float)
    if len(times) == 1:
        return 1.0, np.zeros(1, dtype=np.intp)
    step = float(np.min(np.diff(times)))
    places = (times - times[0]) / step
    whole = np.round(places)
    if np.max(np.abs(places - whole)) > 1e-8 or whole[-1] > 10 * len(times):
        raise UnsupportedEngineError(
            "The witness glmmTMB has AR(1) at equally spaced times alone; these are "
            f"{', '.join(f'{time:g}' for time in times)}.",
            hint="Use nlme, or the long engine.",
        )
    return step, whole.astype(np.intp)


def _residual(
    problem: LongProblem, result: dict[str, Any], step: float
) -> tuple[list[str], list[float]]:
    """Names and values of the residual parameters, in the order of the long engine."""
    kind, times = problem.residual.kind, problem.occasions
    variances = [float(value) for value in result["variances"]]
    if kind == "common":
        return ["var(Residual)"], variances
    if kind == "by_occasion":
        return [residual_name(time) for time in times], variances
    if kind == "by_group":
        return [residual_name(name) for name in problem.strata_names], variances
    matrix = np.array(result["residual"], dtype=float)
    if kind in ("ar1", "ar1+common"):
        rho = matrix[0, 1] / matrix[0, 0] if len(matrix) > 1 else 0.0
        rho = float(np.sign(rho) * abs(rho) ** (1.0 / step))
        if kind == "ar1":
            return ["var(Residual)", "rho(Residual)"], [float(matrix[0, 0]), rho]
        names = ["var(AR1)", "rho(AR1)", "var(Residual)"]
        return names, [float(matrix[0, 0]), rho, *variances]
    diagonal = np.diag(matrix)
    if kind == "csh":
        rho = float(matrix[0, 1] / np.sqrt(diagonal[0] * diagonal[1]))
        return [*map(residual_name, times), "rho(Residual)"], [*diagonal.tolist(), rho]
    entries = [(a, b) for a in range(len(times)) for b in range(a, len(times))]
    names = [entry_name(times[a], times[b]) for a, b in entries]
    return names, [float(matrix[a, b]) for a, b in entries]


def _translate(
    version: str,
    problem: LongProblem,
    estimator: Estimator,
    result: dict[str, Any],
    residual: tuple[list[str], list[float]],
) -> EngineFit:
    names, values = residual
    n_fixed = problem.fixed.shape[1]
    if len(result["fixed"]) != n_fixed or len(values) != len(names):
        raise FitFailedError(
            f"glmmTMB estimated {len(result['fixed'])} of {n_fixed} fixed effects and "
            f"{len(values)} of {len(names)} residual parameters; "
            f"it said: {'; '.join(result['said'])}",
            hint="Drop the columns of the design that depend on others.",
        )
    n_random = problem.random.shape[1]
    matrix = np.array(result["covariance"], dtype=float).reshape(n_random, n_random)
    entries = problem.covariance_entries
    estimates = np.array([*result["fixed"], *(matrix[a, b] for a, b in entries), *values])
    covariance = np.full((estimates.size, estimates.size), np.nan)
    if estimator == "ml":
        covariance[:n_fixed, :n_fixed] = np.array(result["fixed_covariance"], dtype=float)
    kinds: list[ParameterKind] = ["fixed"] * n_fixed
    kinds += ["variance" if a == b else "covariance" for a, b in entries]
    kinds += ["residual"] * len(names)
    singular, converged = bool(result["singular"][0]), bool(result["converged"][0])
    return EngineFit(
        engine="glmmtmb",
        estimator=estimator,
        names=(*problem.fixed_names, *problem.covariance_names, *names),
        kinds=tuple(kinds),
        estimates=estimates.astype(float),
        covariance=covariance,
        information="observed",
        log_likelihood=float(result["log_likelihood"][0]),
        n_subjects=problem.n_subjects,
        n_rows=int(problem.outcome.size),
        convergence=Convergence(
            converged,
            int(result["iterations"][0]),
            float("nan"),
            float("nan"),
            "glmmTMB ended" + ("" if converged else " without convergence"),
        ),
        boundary=Boundary(
            at_boundary=singular,
            parameters=problem.covariance_names if singular else (),
            description="glmmTMB ended at a singular covariance matrix" if singular else "",
        ),
        bounds="psd",
        version=version,
        warnings=tuple(result["said"]),
    )
