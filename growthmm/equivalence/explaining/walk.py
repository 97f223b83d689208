"""From one analysis to the other, one difference at a time, each step fitted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from growthmm.equivalence.explaining.analysis import Analysis
from growthmm.equivalence.explaining.difference import Difference
from growthmm.equivalence.explaining.fitting import Figures, Fitter, selected_persons
from growthmm.equivalence.explaining.result import Interaction
from growthmm.errors import GrowthmmError
from growthmm.progress import tracked

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Walk", "interactions", "walk"]

SAME_LIKELIHOOD = 1e-6
"""Log-likelihoods that differ by less are one."""

SAME_ERRORS = 1e-6
"""Relative difference below which standard errors are the same."""

APART = 1e-3
"""Log-likelihood units by which two effects have to miss their sum to interact."""

MOST_INTERACTING = 4
"""Differences up to which pairs are tried."""

WITHOUT_VARIANCE_ERRORS = frozenset({"lme4", "nlme", "glmmtmb", "mixedmodels.jl"})
"""Programs that print no standard errors of variances."""

_FIRST = {"divisor": 5, "joint_likelihood": 6, "covariate_moments": 4, "estimator": 0}
"""Rank of a step that takes an oddity of the first analysis away."""

_LAST = {"joint_likelihood": 85, "covariate_moments": 86, "divisor": 90, "estimator": 95}
"""Rank of a step that brings in an oddity of the second."""

_ORDER = (
    *("listwise", "missing_covariates", "time_origin", "time_unit", "time_basis", "centring"),
    *(
        "contrasts",
        "residual_correlation",
        "residual_variances",
        "group_covariances",
        "random_covariances",
    ),
    *("factor_variance", "factor_mean", "growth_factor", "occasion_means", "latent_basis"),
    *("covariate", "covariate_on_factor", "effects_over_time", "bounds"),
)
_PRINTED = (
    *(
        "information",
        "pooled_covariates",
        "robust",
        "adjusted_errors",
        "tests",
        "bic",
        "fit_baseline",
    ),
    "parametrisation",
)


def _rank(difference: Difference) -> int:
    cause = difference.cause
    if cause in _PRINTED:
        return 100 + _PRINTED.index(cause)
    if cause in _FIRST:
        plain = difference.after in ("ML", "N", "conditional on the covariates", "saturated")
        return (_FIRST if plain else _LAST)[cause]
    return 10 + _ORDER.index(cause)


@dataclass(frozen=True)
class Walk:
    """The way from the first analysis to the second.

    Parameters
    ----------
    taken : tuple of (Difference, Figures or None, Figures or None)
        The differences in their order, with the fits before and after.
    idle : tuple of Difference
        Those that make no difference on these data.
    first, last : Figures or None
        Both ends.
    failures : tuple of str
        Fits that could not be had, and why.
    indices : tuple of (float, float)
        CFI and TLI against the first and the second baseline, where these differ.
    """

    taken: tuple[tuple[Difference, Figures | None, Figures | None], ...]
    idle: tuple[Difference, ...]
    first: Figures | None
    last: Figures | None
    failures: tuple[str, ...] = ()
    indices: tuple[tuple[float, float], ...] = ()


def walk(a: Analysis, b: Analysis, found: Sequence[Difference], fitter: Fitter | None) -> Walk:
    """Take the differences away one after another, each step a model that can be fitted.

    Parameters
    ----------
    a, b : Analysis
        Aligned.
    found : sequence of Difference
        Between them.
    fitter : Fitter, optional
        Of the data; without it the differences are put in order and nothing is fitted.

    Returns
    -------
    Walk
        Differences that move nothing on these data are set apart.
    """
    waiting = sorted(found, key=_rank)
    if fitter is None:
        return Walk(tuple((d, None, None) for d in waiting), (), None, None)
    frame = fitter.frame
    failures: dict[str, None] = {}

    def figures(analysis: Analysis) -> Figures | None:
        try:
            return fitter(analysis)
        except GrowthmmError as error:
            failures[str(error).splitlines()[0]] = None
            return None

    now, here = a, figures(a)
    first = here
    taken: list[tuple[Difference, Figures | None, Figures | None]] = []
    idle: list[Difference] = []
    indices: tuple[tuple[float, float], ...] = ()
    for _ in tracked(tuple(waiting), "differences"):
        chosen, after = waiting[0], None
        for candidate in waiting:
            made = figures(candidate.apply(now))
            if made is not None:
                chosen, after = candidate, made
                break
        waiting.remove(chosen)
        then = chosen.apply(now)
        if _idle(chosen, (now, then), (here, after), frame, b):
            idle.append(chosen)
        else:
            taken.append((chosen, here, after))
            if chosen.cause == "fit_baseline":
                pair = [fitter.fit_indices(side) for side in (now, then)]
                indices = tuple(p for p in pair if p is not None)
        now, here = then, after
    lost = here is None or any(None in (old, new) for _, old, new in taken)
    failed = tuple(failures) if lost else ()
    return Walk(tuple(taken), tuple(idle), first, here, failed, indices)


def _idle(
    difference: Difference,
    sides: tuple[Analysis, Analysis],
    figures: tuple[Figures | None, Figures | None],
    frame: pd.DataFrame,
    target: Analysis,
) -> bool:
    """Whether a difference makes none on these data."""
    cause, (before, after), (old, new) = difference.cause, sides, figures
    if cause in ("listwise", "missing_covariates"):
        if not np.array_equal(selected_persons(before, frame), selected_persons(after, frame)):
            return False
        return old is None or new is None or _same_data(old, new)
    if old is None or new is None:
        return False
    if cause == "bounds":
        close = abs(old.log_likelihood - new.log_likelihood) <= SAME_LIKELIHOOD
        return close and not (old.beyond or new.beyond)
    if cause in ("information", "pooled_covariates"):
        notations = {before.notation, target.notation}
        return _same_errors(old, new, all_of_them=not notations & WITHOUT_VARIANCE_ERRORS)
    return False


def _same_data(old: Figures, new: Figures) -> bool:
    return (old.n_persons, old.n_rows) == (new.n_persons, new.n_rows)


def _same_errors(old: Figures, new: Figures, *, all_of_them: bool) -> bool:
    for name, was in zip(old.names, old.errors, strict=True):
        now = new.value(name)
        if now is None or (name.startswith(("cov:", "residual")) and not all_of_them):
            continue
        if np.isfinite(was) != np.isfinite(now[1]):
            return False
        if np.isfinite(was) and abs(now[1] / was - 1) > SAME_ERRORS:
            return False
    return True


def interactions(
    a: Analysis, found: Sequence[Difference], fitter: Fitter
) -> tuple[Interaction, ...]:
    """Pairs of differences whose effects on the log-likelihood do not add up.

    Parameters
    ----------
    a : Analysis
        Where both start.
    found : sequence of Difference
        Those that move the likelihood, in the order of the walk.
    fitter : Fitter
        Of the data.

    Returns
    -------
    tuple of Interaction
        None looked for among more than four differences.
    """
    if len(found) > MOST_INTERACTING:
        return ()
    made = []
    for one, other in combinations(found, 2):
        try:
            base = fitter(a).log_likelihood
            first = fitter(one.apply(a)).log_likelihood
            second = fitter(other.apply(a)).log_likelihood
            both = fitter(other.apply(one.apply(a))).log_likelihood
        except GrowthmmError:
            continue
        alone, after = second - base, both - first
        if abs(alone - after) > APART:
            made.append(Interaction(one.cause, other.cause, alone, after))
    return tuple(made)
