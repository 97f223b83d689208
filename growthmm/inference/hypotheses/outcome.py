"""What a test of a hypothesis says."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from growthmm.rendering import Shown

__all__ = ["HypothesisTest"]


@dataclass(frozen=True)
class HypothesisTest(Shown):
    """A test statistic with its reference distribution.

    Parameters
    ----------
    hypothesis : str
        What is tested.
    kind : {"wald", "score", "lrt", "exact"}
        Which test.
    statistic : float
        The statistic.
    distribution : str
        What it is referred to: ``"chi2"``, ``"F"``, ``"0.5*chi2(1) + 0.5*chi2(2)"`` and so on.
    df : float or None
        (Numerator) degrees of freedom; None for mixtures and simulated distributions.
    df_denominator : float or None
        Those of the denominator of an F statistic.
    p_value : float
        Probability of a statistic as large under the hypothesis.
    p_error : float or None
        Monte Carlo standard error of the p-value; None where nothing was simulated.
    note : str
        What to know; empty where there is nothing.
    """

    hypothesis: str
    kind: str
    statistic: float
    distribution: str
    df: float | None
    df_denominator: float | None
    p_value: float
    p_error: float | None = None
    note: str = ""

    def to_dict(self) -> dict[str, Any]:
        """As plain values."""
        return asdict(self)

    def summary(self) -> str:
        """One or two lines of text."""
        if self.df_denominator is not None:
            reference = f"F({self.df:g}, {self.df_denominator:.4g})"
        elif self.df is not None:
            reference = f"{self.distribution}({self.df:g})"
        else:
            reference = self.distribution
        p = f"p = {self.p_value:.3g}"
        if self.p_error is not None:
            p = p if self.p_value > 0 else "p = 0, no draw as large"
            p += f" (Monte Carlo standard error {self.p_error:.2g})"
        text = f"{self.hypothesis}: {self.kind} statistic {self.statistic:.4f}, {reference}, {p}"
        return f"{text}\n{self.note}" if self.note else text

    def __repr__(self) -> str:
        return self.summary()
