"""Times rounded on request before a model is translated, and what that costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from growthmm.data.binning import Binned, bin_times
from growthmm.data.frames import as_pandas
from growthmm.engines import long as long_engine
from growthmm.engines.prepare import long_data
from growthmm.equivalence.result import Equivalence
from growthmm.errors import SpecificationError
from growthmm.inference.result import FitResult
from growthmm.model.expression import variables
from growthmm.model.mixed import Estimator, MixedModel
from growthmm.translation.binding.mixed import bind_mixed
from growthmm.verbs.binding import Facts
from growthmm.verbs.lagging import lag_calls

if TYPE_CHECKING:
    import pandas as pd

    from growthmm.model.sem import SemModel

__all__ = ["Bins", "Rounded", "rounded", "with_rounding_error"]

Bins = float | Sequence[float]

OF_OCCASIONS = ("arh1", "csh", "toeplitz", "banded", "unstructured")
"""Residual structures that number the occasions, which individual times do not have."""

NO_EXACT = (
    "its residuals are of numbered occasions, so nothing can be fitted at the times as they are"
)


class Rounded:
    """Long data before and after rounding, and the columns concerned."""

    def __init__(self, frame: pd.DataFrame, binned: Binned, person: str, time: str) -> None:
        self.frame = frame
        self.binned = binned
        self.person = person
        self.time = time

    @property
    def note(self) -> str:
        """What was done."""
        return self.binned.describe(self.time)


def rounded(model: MixedModel | SemModel, data: object, facts: Facts, bins: Bins) -> Rounded:
    """Round the times of a mixed model's data.

    Raises
    ------
    SpecificationError
        If there are no data, or the model is a SEM.
    DataError
        If a person has two visits in one bin.
    """
    if not isinstance(model, MixedModel):
        raise SpecificationError(
            "Times are rounded for a mixed model; a SEM's loadings are what it says.",
            hint="Translate it to a formula first, then with bin= to the target.",
        )
    if data is None:
        raise SpecificationError("bin= rounds the times of data.", hint="Give the data.")
    lagged = [made.name for made in lag_calls(model).values()]
    if lagged:
        raise SpecificationError(
            f"{', '.join(lagged)} is of the occasion before, which times that differ have none of.",
            hint="Round the times in the data first, and leave bin= out.",
        )
    frame = as_pandas(data)
    bound = bind_mixed(_common(model), frame, id=facts.id, time=facts.time)
    person, time = bound.schema.person, bound.schema.time
    assert time is not None
    outcome = variables(model.response)
    return Rounded(
        frame,
        bin_times(frame, id=person, time=time, outcome=outcome, bins=bins),
        person,
        time,
    )


def _common(model: MixedModel) -> MixedModel:
    """The model with plain residuals: roles do not depend on them."""
    return replace(model, residual=replace(model.residual, kind="common", by=None, bands=None))


def with_rounding_error(found: Equivalence, before: Rounded, estimator: Estimator) -> Equivalence:
    """A verification at rounded times, beside the fit at the times as they are.

    Parameters
    ----------
    found : Equivalence
        At rounded times.
    before : Rounded
        The data.
    estimator : {"ml", "reml"}
        What was maximised.

    Returns
    -------
    Equivalence
        With the verdict ``approximate`` and the error in its reason, where the forms are the same
        at rounded times and rounding moved any.
    """
    if not before.binned.n_moved:
        return found
    exact = _exact(found.pair.mixed.model, before, estimator)
    error = NO_EXACT if exact is None else _error(exact, found.mixed_fit)
    reason = f"{before.note}; {error}"
    if found.verdict not in ("identical", "identical_if", "different_estimator"):
        return replace(found, reason=f"{found.reason}; {reason}")
    return replace(found, verdict="approximate", model_verdict="approximate", reason=reason)


def _exact(model: MixedModel, before: Rounded, estimator: Estimator) -> FitResult | None:
    """The fit at the times as they are; None where residuals covary by numbered occasion.

    Residual variances by occasion stay those of the occasions that times are rounded to.
    """
    frame, kind = before.frame, model.residual.kind
    if kind in OF_OCCASIONS:
        return None
    if kind == "by_occasion":
        column = f"{before.time}_rounded"
        while column in frame.columns:
            column += "_"
        frame = frame.assign(**{column: before.binned.frame[before.time]})
        model = replace(model, residual=replace(model.residual, kind="by_group", by=column))
    bound = bind_mixed(model, frame, id=before.person, time=before.time)
    arrays = long_data(bound, frame)
    fit = long_engine.fit(arrays.problem, estimator=estimator)
    return FitResult(bound.model, fit, arrays, "individual times")


def _error(exact: FitResult, approximate: FitResult) -> str:
    """Differences in log-likelihood and in estimates, in standard errors of the exact fit."""
    gap = approximate.log_likelihood - exact.log_likelihood
    text = (
        f"log-likelihood {approximate.log_likelihood:.6f} at rounded times, "
        f"{exact.log_likelihood:.6f} at the times as they are ({gap:+.3f})"
    )
    mine, errors = exact.fit.estimates, exact.fit.standard_errors
    there = dict(zip(approximate.fit.names, approximate.fit.estimates.tolist(), strict=True))
    moved = {
        name: ((there[name] - value) / error, value)
        for name, value, error in zip(exact.fit.names, mine.tolist(), errors.tolist(), strict=True)
        if name in there and np.isfinite(error) and error > 0
    }
    if not moved:
        return text
    worst = max(moved, key=lambda name: abs(moved[name][0]))
    return text + (
        f"; estimates move by up to {abs(moved[worst][0]):.2f} standard errors ({worst}: "
        f"{moved[worst][1]:.4g} to {there[worst]:.4g})"
    )
