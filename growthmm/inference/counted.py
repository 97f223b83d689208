"""How many free parameters a fit has."""

from __future__ import annotations

from growthmm.engines import wide as wide_engine
from growthmm.engines.outcome import EngineFit
from growthmm.engines.prepare import LongData, WideData

__all__ = ["n_free"]


def n_free(fit: EngineFit, data: LongData | WideData) -> int:
    """The parameters of a fit, less those that equality constraints settle.

    That is what AIC, BIC and differences of degrees of freedom count.

    Parameters
    ----------
    fit : EngineFit
        The engine's answer.
    data : LongData or WideData
        What it was fitted to.
    """
    if isinstance(data, WideData) and data.problem.model.constraints:
        return wide_engine.free_count(data.problem, fit.estimates)
    return len(fit.names)
