"""Bootstrap distributions of estimates."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from growthmm.engines.long.problem import LongProblem
from growthmm.engines.prepare import LongData, WideData
from growthmm.engines.registry import run
from growthmm.engines.wide.problem import WideProblem
from growthmm.errors import FitFailedError, NotIdentifiedError, SpecificationError
from growthmm.inference.resampling.outcomes import draw_outcomes
from growthmm.inference.resampling.persons import draw_persons
from growthmm.inference.resampling.replicates import replicates
from growthmm.inference.result import FitResult

__all__ = ["KINDS", "Bootstrap", "bootstrap"]

FloatArray = NDArray[np.float64]

KINDS = ("parametric", "case")
"""How data are drawn anew."""


@dataclass(frozen=True)
class Bootstrap:
    """Estimates from data drawn anew.

    Parameters
    ----------
    names : tuple of str
        Parameters, then what is derived from them.
    estimates : (n_names,) ndarray
        From the data themselves.
    draws : (n_good, n_names) ndarray
        From the data drawn anew, of fits that converged.
    n_failed : int
        Draws whose fit did not.
    """

    names: tuple[str, ...]
    estimates: FloatArray
    draws: FloatArray
    n_failed: int

    @property
    def std_error(self) -> FloatArray:
        """Standard deviations of the draws."""
        return np.asarray(np.nanstd(self.draws, axis=0, ddof=1), dtype=float)

    def interval(self, level: float, kind: str) -> tuple[FloatArray, FloatArray]:
        """Lower and upper limits.

        ``"percentile"``: quantiles of the draws. ``"basic"``: twice the estimate less the opposite
        quantile (Davison & Hinkley 1997, section 5.2, doi:10.1017/CBO9780511802843).
        """
        low, high = (_quantiles(self.draws, 0.5 + side * level / 2) for side in (-1.0, 1.0))
        if kind == "basic":
            low, high = 2.0 * self.estimates - high, 2.0 * self.estimates - low
        return low, high


def _quantiles(draws: FloatArray, level: float) -> FloatArray:
    """Quantiles of columns, interpolated on the normal scale (Davison & Hinkley 1997, p. 195)."""
    from scipy.special import ndtri

    out = np.full(draws.shape[1], np.nan)
    for column, values in enumerate(draws.T):
        known = np.sort(values[np.isfinite(values)])
        if len(known) < 2:
            continue
        n = len(known) + 1
        k = int(np.clip(np.floor(n * level), 1, len(known) - 1))
        below, above, here = ndtri(k / n), ndtri((k + 1) / n), ndtri(level)
        share = float(np.clip((here - below) / (above - below), 0.0, 1.0))
        out[column] = known[k - 1] + share * (known[k] - known[k - 1])
    return out


@dataclass(frozen=True)
class _Again:
    """One draw and its fit; a class, so that other processes can be sent it."""

    fit: FitResult
    kind: str
    options: dict[str, Any]

    def __call__(self, rng: np.random.Generator) -> FloatArray | None:
        problem = self.fit.data.problem
        if self.kind == "parametric":
            drawn = draw_outcomes(problem, self.fit.fit.estimates, rng)
        else:
            drawn = draw_persons(problem, rng)
        try:
            found = run(self.fit.engine, drawn, **self.options)
        except (FitFailedError, NotIdentifiedError):
            return None
        if not found.convergence.converged:
            return None
        again = replace(self.fit, fit=found, data=_with_problem(self.fit.data, drawn))
        return np.concatenate([found.estimates, again.derived["estimate"].to_numpy(dtype=float)])


def _with_problem(
    data: LongData | WideData, problem: LongProblem | WideProblem
) -> LongData | WideData:
    if isinstance(data, LongData):
        assert isinstance(problem, LongProblem)
        return replace(data, problem=problem)
    assert isinstance(problem, WideProblem)
    return replace(data, problem=problem)


def bootstrap(
    fit: FitResult,
    *,
    kind: str = "parametric",
    n_simulations: int = 1000,
    seed: int = 0,
    workers: int | None = None,
) -> Bootstrap:
    """Fit the model to data drawn anew.

    Parameters
    ----------
    fit : FitResult
        By one of our engines.
    kind : {"parametric", "case"}
        Outcomes drawn from the fitted model (Efron & Tibshirani 1993, section 6.5), or whole
        persons drawn with replacement (van der Leeden, Meijer & Busing 2008,
        doi:10.1007/978-0-387-73186-5_11).
    n_simulations, seed : int
        How many draws; the seed. The answer depends on no number of processes.
    workers : int, optional
        Processes; decided by the time that it takes where None.

    Returns
    -------
    Bootstrap

    Raises
    ------
    SpecificationError
        If there is no such kind, or the fit is another program's.
    """
    if kind not in KINDS:
        raise SpecificationError(
            f"There is no bootstrap {kind!r}.", hint=f"Use one of {', '.join(KINDS)}."
        )
    if fit.engine not in ("long", "wide"):
        raise SpecificationError(
            f"The fit is by {fit.engine}; data drawn anew are fitted by our engines.",
            hint="Use engine long or wide.",
        )
    options = {"estimator": fit.estimator, "bounds": fit.fit.bounds}
    task = _Again(replace(fit, robust=None, df=None, degrees=None, source=None), kind, options)
    found = replicates(task, n_simulations, seed=seed, workers=workers, title="bootstrap")
    good = [row for row in found if row is not None]
    if len(good) < max(2, n_simulations // 2):
        raise FitFailedError(
            f"{n_simulations - len(good)} of {n_simulations} fits to data drawn anew failed.",
            hint="Simplify the covariance structure.",
        )
    derived = fit.derived
    return Bootstrap(
        (*fit.fit.names, *derived["name"]),
        np.concatenate([fit.fit.estimates, derived["estimate"].to_numpy(dtype=float)]),
        np.array(good),
        n_simulations - len(good),
    )
