"""Whether persons who drop out differ beforehand: a regression of dropout on the outcome before."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from growthmm.inference.plain_values import plain
from growthmm.rendering import Brief

__all__ = ["Dropout", "dropout_check", "last_seen", "means_by_dropout"]

FloatArray = NDArray[np.float64]

ALPHA = 0.05
"""Below it the check says that dropout goes with earlier outcomes."""


@dataclass(frozen=True, repr=False)
class Dropout(Brief):
    """A logistic regression of dropout on the outcome before.

    Parameters
    ----------
    outcome : str
        Which outcome.
    n_at_risk : int
        Person-occasions whose next occasion might have been missed for good.
    n_dropouts : int
        Those after which the person was not seen again.
    coefficient, std_error, statistic, p_value : float
        Of the outcome before, in standard deviations of its occasion: log odds. NaN without one.
    reason : str
        Why there is no regression; empty where there is.
    """

    outcome: str
    n_at_risk: int
    n_dropouts: int
    coefficient: float = np.nan
    std_error: float = np.nan
    statistic: float = np.nan
    p_value: float = np.nan
    reason: str = ""

    @property
    def odds_ratio(self) -> float:
        """Of an outcome that is one standard deviation higher."""
        return float(np.exp(self.coefficient))

    @property
    def depends(self) -> bool | None:
        """Whether dropout goes with the outcome before (p below .05); None without a test."""
        return None if np.isnan(self.p_value) else bool(self.p_value < ALPHA)

    @property
    def message(self) -> str:
        """What was found, in a sentence or two."""
        if self.reason:
            return f"{self.outcome}: {self.reason}."
        found = (
            f"{self.outcome}: {self.n_dropouts} dropouts at {self.n_at_risk} occasions at risk; a "
            f"standard deviation more before multiplies the odds of dropping out by "
            f"{self.odds_ratio:.2f} (p = {self.p_value:.3g})."
        )
        if self.depends:
            return (
                f"{found} So values are not missing completely at random: analyses of complete "
                "persons and estimating equations are off; maximum likelihood is right as long as "
                "what was observed tells all about dropout."
            )
        return f"{found} No sign that dropout depends on it."

    def to_dict(self) -> dict[str, Any]:
        """The result as plain values."""
        return plain(
            {
                "outcome": self.outcome,
                "n_at_risk": self.n_at_risk,
                "n_dropouts": self.n_dropouts,
                "coefficient": self.coefficient,
                "std_error": self.std_error,
                "statistic": self.statistic,
                "p_value": self.p_value,
                "odds_ratio": self.odds_ratio,
                "depends": self.depends,
                "message": self.message,
            }
        )


def last_seen(outcomes: FloatArray) -> NDArray[np.intp]:
    """The last occasion with a value of each person; -1 where there is none.

    Parameters
    ----------
    outcomes : (n_subjects, n_times) ndarray
        NaN where missing.

    Examples
    --------
    >>> last_seen(np.array([[1.0, np.nan, 2.0], [1.0, np.nan, np.nan]])).tolist()
    [2, 0]
    """
    seen = np.isfinite(outcomes)
    width = outcomes.shape[1]
    return np.where(seen.any(axis=1), width - 1 - np.argmax(seen[:, ::-1], axis=1), -1)


def dropout_check(outcomes: FloatArray, name: str) -> Dropout:
    """Regress dropout on the outcome before, by logistic regression (statsmodels).

    A person-occasion is at risk where the outcome was observed and occasions follow; it is a
    dropout where the person was not seen again. The outcome enters in standard deviations of its
    occasion, beside a constant of each occasion: a discrete-time hazard (Diggle & Kenward 1994,
    doi:10.2307/2986113, of which this is the part that data can tell). Occasions after which
    nobody or everybody dropped out tell nothing and are left out.

    Parameters
    ----------
    outcomes : (n_subjects, n_times) ndarray
        NaN where missing.
    name : str
        The outcome.

    Returns
    -------
    Dropout

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> y = rng.normal(size=(500, 1)) + rng.normal(size=(500, 3))
    >>> y[y[:, 0] + rng.normal(size=500) > 1.0, 1:] = np.nan
    >>> found = dropout_check(y, "y")
    >>> found.depends, found.odds_ratio > 2.0
    (True, True)
    """
    last, width = last_seen(outcomes), outcomes.shape[1]
    risk = np.isfinite(outcomes[:, :-1])
    left = risk & (np.arange(width - 1) == last[:, None])
    n_risk, n_left = int(risk.sum()), int(left.sum())
    if not n_left:
        return Dropout(name, n_risk, 0, reason="nobody drops out")
    columns, events, places = [], [], []
    for t in range(width - 1):
        at = risk[:, t]
        values, own = outcomes[at, t], left[at, t]
        if own.all() or not own.any() or np.ptp(values) == 0:
            continue
        columns.append((values - values.mean()) / values.std(ddof=1))
        events.append(own.astype(float))
        places.append(np.full(int(at.sum()), t))
    if not columns:
        why = "after every occasion nobody drops out, or everybody does"
        return Dropout(name, n_risk, n_left, reason=why)
    place = np.concatenate(places)
    constants = (place[:, None] == np.unique(place)).astype(float)
    return _regression(
        Dropout(name, n_risk, n_left),
        np.column_stack([np.concatenate(columns), constants]),
        np.concatenate(events),
    )


def _regression(found: Dropout, design: FloatArray, events: FloatArray) -> Dropout:
    from dataclasses import replace

    from statsmodels.discrete.discrete_model import Logit
    from statsmodels.tools.sm_exceptions import PerfectSeparationError

    separated = "the outcome before tells all dropouts from the others"
    before = design[:, 0]
    one, none = before[events == 1.0], before[events == 0.0]
    if one.min() > none.max() or one.max() < none.min():
        return replace(found, reason=separated)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            fit = Logit(events, design).fit(disp=0, method="newton", maxiter=200, tol=1e-12)
        except (PerfectSeparationError, np.linalg.LinAlgError):
            return replace(found, reason=separated)
    if not fit.mle_retvals["converged"]:
        return replace(found, reason="the logistic regression did not converge")
    return replace(
        found,
        coefficient=float(fit.params[0]),
        std_error=float(fit.bse[0]),
        statistic=float(fit.tvalues[0]),
        p_value=float(fit.pvalues[0]),
    )


def means_by_dropout(outcomes: FloatArray) -> list[tuple[int, int, FloatArray, NDArray[np.intp]]]:
    """Observed means of the persons who were last seen at the same occasion.

    Parameters
    ----------
    outcomes : (n_subjects, n_times) ndarray
        NaN where missing.

    Returns
    -------
    list of (last, n_subjects, means, counts)
        The occasion (its position), the persons, their means at the occasions (NaN where nobody
        has a value) and how many have one.

    Examples
    --------
    >>> rows = np.array([[1.0, 2.0], [3.0, np.nan], [3.0, 4.0]])
    >>> [(last, n, means.tolist()) for last, n, means, _ in means_by_dropout(rows)]
    [(0, 1, [3.0, nan]), (1, 2, [2.0, 3.0])]
    """
    last = last_seen(outcomes)
    made = []
    for t in np.unique(last[last >= 0]):
        own = outcomes[last == t]
        counts = np.isfinite(own).sum(axis=0)
        sums = np.nansum(own, axis=0)
        means = np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)
        made.append((int(t), len(own), means, counts))
    return made
