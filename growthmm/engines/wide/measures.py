"""Fit measures: the model against the unrestricted one and against a baseline."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from growthmm.engines.outcome import EngineFit
from growthmm.engines.wide import ram as r
from growthmm.engines.wide.constraints import relations
from growthmm.engines.wide.likelihood import LOG_2PI, System
from growthmm.engines.wide.problem import WideProblem
from growthmm.engines.wide.search import null_basis
from growthmm.engines.wide.statistics import Cells
from growthmm.engines.wide.system import compile_problem
from growthmm.engines.wide.unrestricted import Unrestricted, unrestricted
from growthmm.errors import SpecificationError, UnsupportedEngineError
from growthmm.model.sem import SemModel

__all__ = ["fit_measures", "free_count"]

FloatArray = NDArray[np.float64]
Baseline = Literal["independence", "growth"]

NAMES = (
    "chi_square",
    "df",
    "p_value",
    "cfi",
    "tli",
    "rmsea",
    "rmsea_ci_low",
    "rmsea_ci_high",
    "srmr",
    "unrestricted_log_likelihood",
    "baseline_chi_square",
    "baseline_df",
)


def fit_measures(
    problem: WideProblem, fit: EngineFit, baseline: Baseline = "independence"
) -> dict[str, float]:
    """Chi-square, CFI, TLI, RMSEA with its 90% interval and SRMR.

    The unrestricted model regresses every outcome on every covariate with a free covariance
    matrix. RMSEA divides by the number of persons and is multiplied by the square root of the
    number of groups; SRMR is Bentler's, means included, over outcomes and covariates.

    Parameters
    ----------
    problem : WideProblem
        Model and data.
    fit : EngineFit
        Its ML fit.
    baseline : {"independence", "growth"}
        ``"independence"``: free means and variances, no covariances (what programs print,
        though a growth model with equal residual variances does not contain it). ``"growth"``:
        one mean and one variance for all occasions of a process (Widaman & Thompson 2003,
        doi:10.1037/1082-989X.8.1.16).

    Returns
    -------
    dict of str to float
        NaN where no unrestricted model exists: definition variables, covariates missing along
        with their outcomes, outcomes never seen together, or too few persons; or none is fitted:
        two levels.

    Raises
    ------
    UnsupportedEngineError
        If the fit is by REML.
    """
    if baseline not in ("independence", "growth"):
        raise SpecificationError(
            f"Unknown baseline {baseline!r}.", hint='Use "independence" or "growth".'
        )
    if fit.estimator != "ml":
        raise UnsupportedEngineError(
            "Fit measures compare likelihoods, which REML fits do not have in common.",
            hint='Fit with estimator="ml".',
        )
    system = compile_problem(problem)
    found = dict.fromkeys(NAMES, float("nan"))
    if system.levels is not None:
        # The unrestricted model of two levels is not fitted.
        return found
    free = free_count(problem, fit.estimates)
    moments = sum(_moments(ram) for ram, _ in system.groups)
    found["df"] = float(moments - free)
    saturated = [unrestricted(ram, cells) for ram, cells in system.groups]
    complete = [s for s in saturated if s is not None]
    if len(complete) < len(saturated):
        return found
    top = sum(s.log_likelihood for s in complete)
    low, low_free = _baseline(problem.model, system, baseline)
    found["unrestricted_log_likelihood"] = top
    found["chi_square"] = max(2.0 * (top - fit.log_likelihood), 0.0)
    found["baseline_chi_square"] = max(2.0 * (top - low), 0.0)
    found["baseline_df"] = float(moments - low_free)
    found |= _indices(found, system.n_subjects, len(system.groups))
    found["srmr"] = _srmr(system, complete, fit.estimates)
    return {name: float(value) for name, value in found.items()}


def _moments(ram: r.Ram) -> int:
    t = ram.n_outcomes
    return t * (t + 1) // 2 + t * ram.n_regressors


def free_count(problem: WideProblem, values: FloatArray) -> int:
    """How many parameters are free: their number less that of independent equality constraints.

    Parameters
    ----------
    problem : WideProblem
        The model.
    values : (n_parameters,) ndarray
        Where the constraints are differentiated.
    """
    held = [c.jet.gradient for c in relations(problem.model, values) if c.equality]
    size = len(values)
    return int(null_basis(np.array(held).reshape(-1, size), size).shape[1])


def _baseline(model: SemModel, system: System, baseline: Baseline) -> tuple[float, int]:
    """Log-likelihood and number of parameters of the baseline."""
    value, free = 0.0, 0
    for g, (ram, cells) in enumerate(system.groups):
        t = ram.n_outcomes
        parts = [[j] for j in range(t)] if baseline == "independence" else processes(model, g)
        for part in parts:
            value += _one_normal(cells, part)
        free += 2 * len(parts)
    return value, free


def _one_normal(cells: Cells, part: list[int]) -> float:
    """Maximal log-likelihood of one mean and one variance for some outcomes."""
    n = (cells.n[:, None] * cells.observed)[:, part].sum(axis=0)
    total = cells.yw[:, part, 0].sum(axis=0)
    square = np.einsum("caa->a", cells.yy)[part]
    centre = cells.centre[part]
    mean = float((total + n * centre).sum() / n.sum())
    shift = centre - mean
    variance = float((square + 2 * shift * total + n * shift**2).sum() / n.sum())
    return -0.5 * float(n.sum()) * (LOG_2PI + float(np.log(variance)) + 1.0)


def processes(model: SemModel, group: int = 0) -> list[list[int]]:
    """Outcomes that share a latent variable through loadings, as lists of positions."""
    edges = [
        (p.left, p.right) if p.op == "=~" else (p.right, p.left)
        for p in model.paths
        if p.group == group
        and (p.op == "=~" or (p.op == "~" and p.left in model.latent and p.right in model.latent))
        and (p.free or p.definition is not None or p.value != 0)
    ]
    owner = {name: name for name in (*model.outcomes, *model.latent)}

    def root(name: str) -> str:
        while owner[name] != name:
            name = owner[name]
        return name

    for a, b in edges:
        owner[root(a)] = root(b)
    found: dict[str, list[int]] = {}
    for j, name in enumerate(model.outcomes):
        found.setdefault(root(name), []).append(j)
    return list(found.values())


def _indices(found: dict[str, float], n: int, n_groups: int) -> dict[str, float]:
    from scipy.stats import chi2

    x, df = found["chi_square"], found["df"]
    x0, df0 = found["baseline_chi_square"], found["baseline_df"]
    excess, excess0 = max(x - df, 0.0), max(x0 - df0, x - df, 0.0)
    cfi = 1.0 if excess0 == 0 else 1.0 - excess / excess0
    if df <= 0:
        return {
            "cfi": cfi,
            "tli": 1.0,
            "rmsea": 0.0,
            "rmsea_ci_low": 0.0,
            "rmsea_ci_high": 0.0,
        }
    tli = float("nan")
    if df0 > 0 and x0 / df0 != 1.0:
        tli = (x0 / df0 - x / df) / (x0 / df0 - 1.0)
    unit = np.sqrt(n_groups / (n * df))
    return {
        "p_value": float(chi2.sf(x, df)),
        "cfi": cfi,
        "tli": tli,
        "rmsea": float(np.sqrt(excess) * unit),
        "rmsea_ci_low": float(np.sqrt(_noncentrality(x, df, 0.95)) * unit),
        "rmsea_ci_high": float(np.sqrt(_noncentrality(x, df, 0.05)) * unit),
    }


def _noncentrality(x: float, df: float, level: float) -> float:
    """The noncentrality at which `x` is the `level` quantile; zero where there is none."""
    from scipy.optimize import brentq
    from scipy.stats import chi2, ncx2

    if chi2.cdf(x, df) <= level:
        return 0.0
    high = max(x, 1.0)
    while ncx2.cdf(x, df, high) > level:
        high *= 2.0
    return float(brentq(lambda c: ncx2.cdf(x, df, c) - level, 0.0, high, xtol=1e-10, rtol=1e-14))


def _srmr(system: System, saturated: list[Unrestricted], values: FloatArray) -> float:
    total = 0.0
    for (ram, cells), top in zip(system.groups, saturated, strict=True):
        at = r.implied(ram, values)
        if at is None:
            return float("nan")
        t = ram.n_outcomes
        mean = at.mean[0, :t] @ cells.transform
        mean[:, 0] -= cells.centre
        w = cells.ww.sum(axis=0) / cells.n.sum()
        x = w[1:, 1:] - np.outer(w[1:, 0], w[1:, 0])
        sample_mean, sample = _joint(top.mean, top.covariance, w, x)
        model_mean, model = _joint(mean, at.sigma[0, :t, :t], w, x)
        sd = np.sqrt(np.diag(sample))
        sd = np.where(sd > 0, sd, 1.0)
        gaps = ((sample - model) / np.outer(sd, sd))[np.tril_indices(len(sd))]
        means = (sample_mean - model_mean) / sd
        square = (np.sum(gaps**2) + np.sum(means**2)) / (len(gaps) + len(means))
        total += float(np.sqrt(square)) * cells.n_subjects / system.n_subjects
    return total


def _joint(
    mean: FloatArray, covariance: FloatArray, w: FloatArray, x: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Means and covariances of outcomes and covariates together."""
    cross = mean[:, 1:] @ x
    joint = np.block([[covariance + cross @ mean[:, 1:].T, cross], [cross.T, x]])
    return np.concatenate([mean @ w[:, 0], w[1:, 0]]), joint
