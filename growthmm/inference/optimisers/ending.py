"""Where searches of one likelihood ended, side by side."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from growthmm.inference.diagnostics.stationary import OTHERS_TOLERANCE, stationarity
from growthmm.inference.result import FitResult
from growthmm.rendering import Brief, Shown, render

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Ending", "Endings", "ending", "failure"]

FloatArray = NDArray[np.float64]

SAME, NEAR = 1e-6, 1e-2
"""Differences of log-likelihood, and of estimates in standard errors, that count as none."""


@dataclass(frozen=True, repr=False)
class Ending(Brief):
    """Where one search ended.

    Parameters
    ----------
    name : str
        The optimiser, the program, or the number of the start.
    kind : {"ours", "scipy", "program", "restart"}
        What it is.
    log_likelihood : float or None
        By our likelihood at its estimates; None where there are none.
    shortfall : float or None
        The fit's log-likelihood less this one.
    max_difference_in_se : float or None
        Largest difference of an estimate from the fit's, in the fit's standard errors.
    to_gain : float or None
        Half the squared Newton decrement there; infinite where the likelihood curves upward.
    claimed : bool or None
        Whether it says itself that it converged.
    seconds, time_ratio : float or None
        What it took, and as a multiple of the fit's own search.
    verdict : {"agrees", "stopped early", "another maximum", "higher", "failed"}
        What that makes it.
    reason : str
        Why it failed; empty otherwise.
    estimates : dict of str to float
        By parameter.
    """

    name: str
    kind: str
    log_likelihood: float | None
    shortfall: float | None
    max_difference_in_se: float | None
    to_gain: float | None
    claimed: bool | None
    seconds: float | None
    time_ratio: float | None
    verdict: str
    reason: str
    estimates: dict[str, float]


@dataclass(frozen=True)
class Endings(Shown):
    """All searches of a fit's likelihood.

    Parameters
    ----------
    model : str
        The fit's label.
    rows : tuple of Ending
        The fit itself first.
    """

    model: str
    rows: tuple[Ending, ...]

    @property
    def confirmed(self) -> bool:
        """Whether another search ended at the fit, and none above it."""
        others = [row.verdict for row in self.rows[1:]]
        return "agrees" in others and "higher" not in others

    @property
    def table(self) -> pd.DataFrame:
        """The rows as a data frame, without the estimates."""
        import pandas as pd

        return pd.DataFrame([asdict(row) for row in self.rows]).drop(columns="estimates")

    @property
    def estimates(self) -> pd.DataFrame:
        """A row a parameter, a column a search."""
        import pandas as pd

        return pd.DataFrame({row.name: row.estimates for row in self.rows if row.estimates})

    def to_dict(self) -> dict[str, Any]:
        """The rows as plain values."""
        return {
            "model": self.model,
            "confirmed": self.confirmed,
            "rows": [asdict(row) for row in self.rows],
        }

    def summary(self) -> str:
        """The rows as text."""
        return str(render("endings.summary", self))

    def __repr__(self) -> str:
        return self.summary()


def ending(
    fit: FitResult,
    name: str,
    kind: str,
    *,
    values: FloatArray,
    log_likelihood: float,
    claimed: bool,
    seconds: float,
    own_seconds: float,
) -> Ending:
    """Judge where a search ended.

    Parameters
    ----------
    fit : FitResult
        Against which.
    name, kind : str
        Of the search.
    values : (n_parameters,) ndarray
        In the order of ``fit.fit.names``.
    log_likelihood : float
        There.
    claimed : bool
        What it says itself.
    seconds, own_seconds : float
        Its time, and that of the fit's own search.
    """
    at = replace(fit, fit=replace(fit.fit, estimates=values, log_likelihood=log_likelihood))
    gain = stationarity(at).gain
    moved = np.abs(values - fit.fit.estimates) / fit.fit.standard_errors
    largest = float(np.nanmax(moved)) if np.isfinite(moved).any() else 0.0
    shortfall = fit.log_likelihood - log_likelihood
    if shortfall < -SAME:
        verdict = "higher"
    elif shortfall <= SAME and largest <= NEAR:
        verdict = "agrees"
    elif gain <= OTHERS_TOLERANCE:
        verdict = "another maximum"
    else:
        verdict = "stopped early"
    return Ending(
        name=name,
        kind=kind,
        log_likelihood=log_likelihood,
        shortfall=shortfall,
        max_difference_in_se=largest,
        to_gain=gain,
        claimed=claimed,
        seconds=seconds,
        time_ratio=seconds / max(own_seconds, 1e-9),
        verdict=verdict,
        reason="",
        estimates=dict(zip(fit.fit.names, values.tolist(), strict=True)),
    )


def failure(name: str, kind: str, reason: str) -> Ending:
    """A search that gave no estimates."""
    return Ending(name, kind, None, None, None, None, None, None, None, "failed", reason, {})
