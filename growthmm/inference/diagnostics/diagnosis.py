"""All checks of a fit together."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from growthmm.errors import SpecificationError
from growthmm.inference.diagnostics.columns import (
    check_collinearity,
    check_scaling,
    check_time_origin,
    columns_of,
)
from growthmm.inference.diagnostics.components import (
    check_correlations,
    check_persons,
    check_variances,
)
from growthmm.inference.diagnostics.finding import Finding, Status
from growthmm.inference.diagnostics.influence import check_influence
from growthmm.inference.diagnostics.optimum import check_boundary, check_curvature, check_gradient
from growthmm.inference.diagnostics.stationary import stationarity
from growthmm.inference.result import FitResult
from growthmm.rendering import Shown, render

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Diagnosis", "diagnose_fit"]

ORDER: tuple[Status, ...] = ("ok", "note", "warning", "problem")
"""From best to worst."""


@dataclass(frozen=True)
class Diagnosis(Shown):
    """What was found when a fit was looked over.

    Parameters
    ----------
    model : str
        The fit's label.
    engine, estimator : str
        How it was fitted.
    log_likelihood : float
        Of the fit.
    findings : tuple of Finding
        One for each check, in a fixed order.
    """

    model: str
    engine: str
    estimator: str
    log_likelihood: float
    findings: tuple[Finding, ...]

    @property
    def status(self) -> Status:
        """The worst of the findings'."""
        return max((f.status for f in self.findings), key=ORDER.index)

    @property
    def converged(self) -> bool:
        """Whether the estimates are a maximum: slope zero, no upward curvature."""
        own = [f for f in self.findings if f.check in ("gradient", "curvature")]
        return all(f.status != "problem" for f in own)

    def __getitem__(self, check: str) -> Finding:
        for finding in self.findings:
            if finding.check == check:
                return finding
        raise KeyError(check)

    @property
    def table(self) -> pd.DataFrame:
        """The findings as a data frame."""
        import pandas as pd

        return pd.DataFrame([asdict(f) for f in self.findings])

    def to_dict(self) -> dict[str, Any]:
        """The findings as plain values."""
        return {
            "model": self.model,
            "engine": self.engine,
            "estimator": self.estimator,
            "log_likelihood": self.log_likelihood,
            "status": self.status,
            "converged": self.converged,
            "findings": [asdict(f) for f in self.findings],
        }

    def summary(self) -> str:
        """The findings as text."""
        return str(render("diagnosis.summary", self))

    def __repr__(self) -> str:
        return self.summary()


def diagnose_fit(fit: FitResult, *, influence: bool = False) -> Diagnosis:
    """Look a fit over.

    Parameters
    ----------
    fit : FitResult
        By whatever engine, unpenalised.
    influence : bool
        Whether to leave out every person in turn too, which costs as many fits.

    Returns
    -------
    Diagnosis

    Raises
    ------
    SpecificationError
        If the fit is penalised: its estimates are no maximum of the likelihood.
    UnsupportedEngineError
        If persons can't be left out.
    """
    if fit.penalty is not None:
        raise SpecificationError(
            f"The fit is penalised ({fit.penalty}), so that it is no maximum of the likelihood.",
            hint="Diagnose the fit without a penalty.",
        )
    at = stationarity(fit)
    columns = columns_of(fit.data.problem)
    findings = [
        check_gradient(fit, at),
        check_curvature(at),
        check_boundary(fit),
        check_scaling(columns),
        check_collinearity(columns),
        check_time_origin(columns),
        check_persons(fit),
        check_variances(fit),
        check_correlations(fit),
    ]
    if influence:
        findings.append(check_influence(fit))
    return Diagnosis(fit.label, fit.engine, fit.estimator, fit.log_likelihood, tuple(findings))
