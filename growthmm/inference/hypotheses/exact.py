"""Finite-sample distributions of likelihood-ratio tests of one variance component."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from growthmm.engines.long.problem import LongProblem
from growthmm.errors import UnsupportedEngineError
from growthmm.inference.result import FitResult
from growthmm.progress import tracked

__all__ = ["exact_draws", "spectra", "tail"]

FloatArray = NDArray[np.float64]

GRID = np.concatenate([[0.0], np.exp(np.linspace(-10.0, 8.0, 199))])
"""Ratios of the variance component to the residual variance, over which the maximum is taken."""

LARGEST = 4000
"""Persons up to whom the eigenvalues are computed."""

CHUNK = 2_000_000


def tail(draws: FloatArray, statistic: float) -> tuple[float, float]:
    """Share of draws at least as large, and its Monte Carlo standard error."""
    p_value = float(np.mean(draws >= statistic))
    return p_value, float(np.sqrt(p_value * (1.0 - p_value) / len(draws)))


def spectra(problem: LongProblem, column: int) -> tuple[FloatArray, FloatArray]:
    """Eigenvalues of ``Z'(I - X(X'X)^-1X')Z`` and of ``Z'Z`` for one random effect.

    Parameters
    ----------
    problem : LongProblem
        Model and data.
    column : int
        The effect's column in ``problem.random``.

    Returns
    -------
    residual, plain : (n_subjects,) ndarray
        Ascending, not negative.
    """
    n = problem.n_subjects
    z = np.asarray(problem.random[:, column], dtype=float)
    basis, _ = np.linalg.qr(np.asarray(problem.fixed))
    across = np.zeros((n, basis.shape[1]))
    np.add.at(across, problem.subject, z[:, None] * basis)
    plain = np.bincount(problem.subject, weights=z**2, minlength=n)
    residual = np.linalg.eigvalsh(np.diag(plain) - across @ across.T)
    return np.maximum(residual, 0.0), np.sort(plain)


def exact_draws(
    fit: FitResult, effects: Sequence[str], *, n_simulations: int, seed: int
) -> FloatArray:
    """Draws from the null distribution of the (restricted) likelihood-ratio statistic.

    By its spectral representation, the maximum over the variance ratio taken on a grid
    (Crainiceanu & Ruppert 2004, doi:10.1111/j.1467-9868.2004.00438.x; Scheipl et al. 2008,
    doi:10.1016/j.csda.2007.10.022). Other random effects count as known (Greven et al. 2008,
    doi:10.1198/106186008X386599).

    Parameters
    ----------
    fit : FitResult
        A mixed model with residuals of one variance.
    effects : sequence of str
        The one random effect under test, uncorrelated with others.
    n_simulations, seed : int
        Number of draws and seed.

    Returns
    -------
    (n_simulations,) ndarray

    Raises
    ------
    UnsupportedEngineError
        Where the representation does not hold, with the reason.
    """
    problem = fit.data.problem
    column = _column(problem, effects)
    assert isinstance(problem, LongProblem)
    residual, plain = spectra(problem, column)
    n, p = problem.fixed.shape
    restricted = fit.estimator == "reml"
    top = float(residual[-1])
    residual, plain = residual / top, plain / top
    rest = n - p - len(residual)
    if rest < 1:
        raise UnsupportedEngineError(
            f"{n} rows leave no residual degrees of freedom beside {p} fixed effects and "
            f"{len(residual)} persons.",
            hint="Use method='mixture'.",
        )
    # Equal eigenvalues (persons with the same design) are drawn together.
    levels, counts = np.unique(np.round(residual, 12), return_counts=True)
    penalty = np.log1p(GRID[:, None] * (residual if restricted else plain)).sum(axis=1)
    shrunk = 1.0 / (1.0 + GRID[:, None] * levels)
    rng = np.random.default_rng(seed)
    size = n - p if restricted else n
    out = np.empty(n_simulations)
    step = max(1, CHUNK // (len(levels) + len(GRID)))
    for start in tracked(range(0, n_simulations, step), "null distribution"):
        stop = min(start + step, n_simulations)
        squares = rng.chisquare(counts, size=(stop - start, len(counts)))
        other = rng.chisquare(rest, size=stop - start)[:, None]
        below = squares @ shrunk.T + other
        whole = squares.sum(axis=1, keepdims=True) + other
        out[start:stop] = (size * np.log(whole / below) - penalty).max(axis=1)
    return np.maximum(out, 0.0)


def _column(problem: object, effects: Sequence[str]) -> int:
    if not isinstance(problem, LongProblem):
        raise UnsupportedEngineError(
            "The exact distribution is of a mixed model's variance component.",
            hint="Use engine='long', which fits the translation, or method='mixture'.",
        )
    if len(effects) > 1:
        raise UnsupportedEngineError(
            f"The exact distribution is of one variance component, and {len(effects)} are tested.",
            hint="Test one effect, or use method='mixture'.",
        )
    if problem.clusters is not None:
        raise UnsupportedEngineError(
            "The exact distribution is of models of two levels; here persons stand in clusters.",
            hint="Use method='mixture'.",
        )
    column = problem.random_names.index(effects[0])
    block = next(b for b in problem.blocks if column in b.columns)
    if len(block.columns) > 1 and not block.diagonal:
        raise UnsupportedEngineError(
            f"The random effect {effects[0]} covaries with others, and the exact distribution is "
            "of an uncorrelated one.",
            hint="Use method='mixture', or write the effects uncorrelated (||).",
        )
    if problem.residual.kind != "common":
        raise UnsupportedEngineError(
            f"The exact distribution needs residuals of one variance, not {problem.residual.kind}.",
            hint="Use method='mixture'.",
        )
    if problem.n_subjects > LARGEST:
        raise UnsupportedEngineError(
            f"The exact distribution needs eigenvalues of a {problem.n_subjects} by "
            f"{problem.n_subjects} matrix.",
            hint=f"Use method='mixture', which is accurate above {LARGEST} persons.",
        )
    return column
