"""What the pictures of a verification show, in words, for those who don't see them."""

from __future__ import annotations

import numpy as np

from growthmm.equivalence.result import Equivalence
from growthmm.report.pictures.fitted_curves import SHOWN, observed_outcomes, times_of_persons

__all__ = ["picture_words"]


def picture_words(result: Equivalence, kind: str) -> str:
    """A picture's content in a sentence or two.

    Parameters
    ----------
    result : Equivalence
        The verification.
    kind : str
        As for ``Equivalence.picture``.
    """
    return {
        "trajectories": _trajectories,
        "scores": _scores,
        "parameters": _parameters,
        "missing": _missing,
        "residuals": _residuals,
    }[kind](result)


def _trajectories(result: Equivalence) -> str:
    seen = observed_outcomes(result)
    times, name, _ = times_of_persons(result)
    mean = np.where(np.isfinite(seen), result.sem_fit.predict(level="population"), np.nan)
    there = np.isfinite(mean) & np.isfinite(times)
    first, last = (np.nanargmin, np.nanargmax)
    at = np.where(there, times, np.nan)
    low, high = mean.flat[first(at)], mean.flat[last(at)]
    return (
        f"Data and fitted curves of {min(SHOWN, len(seen))} of {len(seen)} persons over {name} "
        f"from {np.nanmin(at):.4g} to {np.nanmax(at):.4g}. Expected outcomes go from "
        f"{low:.4g} at the first time to {high:.4g} at the last."
    )


def _scores(result: Equivalence) -> str:
    level = next(v for v in result.levels if v.name == "predictions")
    holds = "agree" if level.passed else "do not agree"
    figure = "" if level.figure is None else f", within {level.figure:.1e} of their spread"
    return f"Random effects of the mixed model against factor scores: the two {holds}{figure}."


def _parameters(result: Equivalence) -> str:
    rows = [r["max_difference_in_se"] for r in result.to_dict()["parameters"]]
    gaps = [gap for gap in rows if gap is not None]
    engines = [report.name for report in result.reports if report.used]
    worst = f" The largest difference is {max(gaps):.1e} standard errors." if gaps else ""
    return f"Distances between the estimates of {', '.join(engines)}, by parameter.{worst}"


def _missing(result: Equivalence) -> str:
    seen = np.isfinite(observed_outcomes(result))
    patterns, counts = np.unique(seen, axis=0, return_counts=True)
    whole = int(counts[patterns.all(axis=1)].sum())
    return (
        f"{int(seen.sum())} of {seen.size} outcomes were observed, in {len(patterns)} patterns; "
        f"{whole} of {len(seen)} persons have all."
    )


def _residuals(result: Equivalence) -> str:
    left = observed_outcomes(result) - result.sem_fit.predict(level="person")
    left = left[np.isfinite(left)]
    return (
        f"{left.size} residuals against fitted values and against normal quantiles: standard "
        f"deviation {left.std():.4g}, from {left.min():.4g} to {left.max():.4g}."
    )
