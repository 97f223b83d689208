"""Fit measures against the two baselines: independent outcomes, and no growth."""

from __future__ import annotations

from growthmm.engines.outcome import EngineFit
from growthmm.engines.prepare import LongData, WideData
from growthmm.engines.wide import fit_measures
from growthmm.errors import SpecificationError

__all__ = ["both_fit_measures"]


def both_fit_measures(fit: EngineFit, data: LongData | WideData) -> dict[str, float]:
    """Fit measures, and those against the growth baseline under names with ``growth_``.

    Parameters
    ----------
    fit : EngineFit
        Estimates in the order of the wide engine's parameters.
    data : LongData or WideData
        What was fitted.

    Raises
    ------
    SpecificationError
        For a mixed model.
    UnsupportedEngineError
        For a fit by REML.
    """
    if not isinstance(data, WideData):
        raise SpecificationError(
            "Fit measures compare with a saturated model of the wide data, which a mixed "
            "model does not have.",
            hint="Translate the model to lavaan and fit that.",
        )
    growth = fit_measures(data.problem, fit, baseline="growth")
    names = ("cfi", "tli", "baseline_chi_square", "baseline_df")
    own = fit_measures(data.problem, fit)
    return own | {f"growth_{name}": growth[name] for name in names}
