"""Generalised estimating equations with three working correlations."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from growthmm.inference.alternatives.answer import Answer, failed
from growthmm.inference.alternatives.rows import Rows

__all__ = ["WORKING", "estimating_equations"]

FloatArray = NDArray[np.float64]

WORKING = ("exchangeable", "ar1", "unstructured")
"""The working correlations by name."""

MOST = 30
"""No unstructured correlation of more occasions than that."""


def estimating_equations(rows: Rows, working: str) -> Answer:
    """Solve ``sum_i X_i' V_i^-1 (y_i - X_i b) = 0`` for a working correlation, by statsmodels.

    Standard errors are the sandwich's, right whatever the true correlation (Liang & Zeger 1986,
    doi:10.1093/biomet/73.1.13). The working correlation is ``a`` between any two rows of a person
    (``exchangeable``), ``a^|t - t'|`` (``ar1``, over times as they are, so that a missing occasion
    leaves a gap), or one for every pair of occasions (``unstructured``).

    Parameters
    ----------
    rows : Rows
        The rows.
    working : {"exchangeable", "ar1", "unstructured"}
        The working correlation.

    Returns
    -------
    Answer
        With the working correlation; a reason in place of estimates where it does not apply.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> person = np.repeat(np.arange(50), 4)
    >>> time = np.tile(np.arange(4.0), 50)
    >>> y = 1.0 + 0.5 * time + rng.normal(size=50)[person] + rng.normal(size=200)
    >>> rows = Rows(y, np.column_stack([np.ones(200), time]), ("one", "time"), person, time)
    >>> found = estimating_equations(rows, "exchangeable")
    >>> found.estimates.round(1).tolist()
    [0.8, 0.6]
    """
    from statsmodels.genmod.generalized_estimating_equations import GEE

    method = f"gee_{working}"
    reason = _obstacle(rows, working)
    if reason:
        return failed(method, reason)
    structure, time = _structure(rows, working)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        model = GEE(rows.outcome, rows.design, groups=rows.person, time=time, cov_struct=structure)
        try:
            found = model.fit(maxiter=500, ctol=1e-10)
        except (ValueError, np.linalg.LinAlgError) as error:
            return failed(method, f"statsmodels found no working correlation: {error}")
    if not found.converged:
        return failed(method, "the equations were not solved in 500 iterations")
    adjusted = any("positive definite" in str(w.message) for w in said)
    return Answer(
        method,
        rows.names,
        np.asarray(found.params),
        np.asarray(found.bse),
        len(rows.outcome),
        rows.n_subjects,
        working=_working(rows, working, structure),
        note="the working correlation was moved to the nearest that is one" if adjusted else "",
    )


def _obstacle(rows: Rows, working: str) -> str:
    """Why a working correlation does not apply; empty where it does."""
    if rows.singles == rows.n_subjects:
        return "every person has one row"
    if working == "exchangeable":
        return ""
    if rows.time is None:
        return "the model has no time that orders a person's rows: name it with time="
    same = (np.diff(rows.person) == 0) & (np.diff(rows.time) == 0)
    if same.any():
        return f"{int(same.sum())} rows share person and time with another"
    if working == "unstructured":
        occasions = np.unique(rows.time)
        if len(occasions) > MOST or 2 * len(occasions) > rows.n_subjects:
            return f"{len(occasions)} distinct times of {rows.n_subjects} persons are too many"
        seen = np.zeros((rows.n_subjects, len(occasions)))
        seen[rows.person, np.searchsorted(occasions, rows.time)] = 1.0
        fewest = (seen.T @ seen).min()
        if fewest <= rows.design.shape[1]:
            return f"two occasions were seen together for {int(fewest)} persons only"
    return ""


def _structure(rows: Rows, working: str) -> tuple[Any, FloatArray | NDArray[np.intp] | None]:
    from statsmodels.genmod import cov_struct

    if working == "exchangeable":
        return cov_struct.Exchangeable(), None
    assert rows.time is not None
    if working == "ar1":
        from growthmm.inference.alternatives.decay import DecayOverTime

        return DecayOverTime(), rows.time
    occasions = np.unique(rows.time)
    return cov_struct.Unstructured(), np.searchsorted(occasions, rows.time)


def _working(rows: Rows, working: str, structure: Any) -> tuple[tuple[str, float], ...]:
    if working != "unstructured":
        return (("correlation", float(structure.dep_params)),)
    assert rows.time is not None
    times = [f"{t:g}" for t in np.unique(rows.time)]
    matrix = np.asarray(structure.dep_params)
    return tuple(
        (f"correlation({times[a]},{times[b]})", float(matrix[a, b]))
        for a in range(len(times))
        for b in range(a + 1, len(times))
    )
