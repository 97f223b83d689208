"""Who is left out by which program."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from growthmm.rendering import Brief

__all__ = ["PROGRAMS", "Rule", "kept_persons"]

FloatArray = NDArray[np.float64]

PROGRAMS: dict[str, tuple[str, ...]] = {
    "all_rows": (
        "lme4",
        "nlme",
        "glmmTMB",
        "brms",
        "MixedModels.jl",
        "statsmodels (after dropping rows)",
        "SAS PROC MIXED",
        "SPSS MIXED",
        "Stata mixed",
        "growthmm (both engines)",
    ),
    "full_information": (
        "Mplus",
        "OpenMx",
        'lavaan with missing = "ml"',
        "Stata sem, method(mlmv)",
        "SAS PROC CALIS METHOD=FIML",
    ),
    "listwise": (
        "lavaan by default",
        "semopy",
        "Mplus with LISTWISE = ON",
        "Stata sem by default",
        "SAS PROC CALIS by default",
        "repeated-measures ANOVA and MANOVA",
    ),
}
"""Programs by their rule. Full information drops persons with a missing fixed covariate."""

TITLES = {
    "all_rows": "all rows with an outcome and its covariates",
    "full_information": "all outcomes of persons with every covariate",
    "listwise": "persons without a missing value",
}


@dataclass(frozen=True, repr=False)
class Rule(Brief):
    """What a rule keeps.

    Parameters
    ----------
    rule : {"all_rows", "full_information", "listwise"}
        A stable word.
    n_subjects, n_rows : int
        Persons and outcome values that it uses.
    dropped_subjects, dropped_rows : int
        Persons of the data, and outcome values that were observed, that it doesn't.
    """

    rule: str
    n_subjects: int
    n_rows: int
    dropped_subjects: int
    dropped_rows: int

    @property
    def title(self) -> str:
        """What it keeps, in words."""
        return TITLES[self.rule]

    @property
    def programs(self) -> tuple[str, ...]:
        """Who works by it."""
        return PROGRAMS[self.rule]

    def to_dict(self) -> dict[str, Any]:
        """The rule as plain values."""
        return asdict(self) | {"keeps": self.title, "programs": list(self.programs)}


def kept_persons(outcomes: FloatArray, covariates: FloatArray, rule: str) -> NDArray[np.bool_]:
    """The persons that a structural equation program keeps.

    Parameters
    ----------
    outcomes : (n_subjects, n_outcomes) ndarray
        NaN where missing.
    covariates : (n_subjects, n_covariates) ndarray
        Fixed covariates.
    rule : {"full_information", "listwise"}
        Its rule.

    Returns
    -------
    (n_subjects,) ndarray of bool

    Examples
    --------
    >>> y = np.array([[1.0, np.nan], [1.0, 2.0], [np.nan, np.nan]])
    >>> none = np.empty((3, 0))
    >>> [kept_persons(y, none, rule).tolist() for rule in ("listwise", "full_information")]
    [[False, True, False], [True, True, False]]
    """
    seen = np.isfinite(outcomes)
    known = np.isfinite(covariates).all(axis=1)
    every = seen.all(axis=1) if rule == "listwise" else seen.any(axis=1)
    return np.asarray(every & known)
