"""What one estimator says of a model's fixed effects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from growthmm.rendering import Brief

__all__ = ["Answer", "failed"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, repr=False)
class Answer(Brief):
    """One estimator's coefficients.

    Parameters
    ----------
    method : str
        A stable word: ``mixed``, ``sem``, ``within``, ``mundlak``, ``pooled``,
        ``gee_exchangeable``, ``gee_ar1``, ``gee_unstructured``.
    names : tuple of str
        The coefficients that it estimates.
    estimates, errors : (n_coefficients,) ndarray
        With standard errors.
    n_rows, n_subjects : int
        What it used.
    working : dict of str to float
        What it says of the dependence of a person's rows, where it says something.
    note : str
        What is to know of this run.
    reason : str
        Why there is no answer; empty where there is.
    """

    method: str
    names: tuple[str, ...]
    estimates: FloatArray
    errors: FloatArray
    n_rows: int
    n_subjects: int
    working: tuple[tuple[str, float], ...] = ()
    note: str = ""
    reason: str = ""

    def coefficient(self, name: str) -> tuple[float, float]:
        """Estimate and standard error of a coefficient; NaN where there is none."""
        if name not in self.names:
            return np.nan, np.nan
        at = self.names.index(name)
        return float(self.estimates[at]), float(self.errors[at])

    def to_dict(self) -> dict[str, Any]:
        """What was used and said, without the coefficients."""
        return {
            "method": self.method,
            "used": not self.reason,
            "reason": self.reason,
            "note": self.note,
            "n_rows": self.n_rows,
            "n_subjects": self.n_subjects,
            "working": dict(self.working),
        }


def failed(method: str, reason: str) -> Answer:
    """The answer of an estimator that does not apply."""
    none = np.empty(0)
    return Answer(method, (), none, none, 0, 0, reason=reason)
