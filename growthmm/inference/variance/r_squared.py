"""R2 of a growth model: marginal, conditional, by source and level, by variable."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from growthmm.engines.prepare import LongData, WideData
from growthmm.errors import UnsupportedEngineError
from growthmm.inference.labelled import ordered_estimates
from growthmm.inference.result import FitResult
from growthmm.inference.variance.explained import explained_variance
from growthmm.inference.variance.partition import VariancePartition, partition
from growthmm.inference.variance.rows import model_rows
from growthmm.rendering import Shown, render

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

__all__ = ["RSquared", "r_squared"]


@dataclass(frozen=True)
class RSquared(Shown):
    """Variance accounted for by a fitted growth model.

    Parameters
    ----------
    marginal : float
        By the fixed effects; NaN where it does not exist.
    conditional : float
        By fixed effects and random effects together.
    partition : VariancePartition or None
        By source and level; None where it does not exist.
    by_variable : DataFrame or None
        Of a structural equation model: the R2 of each outcome and each explained factor.
    note : str
        Why something is missing; empty where nothing is.
    """

    marginal: float
    conditional: float
    partition: VariancePartition | None
    by_variable: pd.DataFrame | None
    note: str = ""

    def summary(self) -> str:
        """The figures as text."""
        lines = []
        if np.isfinite(self.marginal):
            lines.append(
                f"R2 marginal (fixed effects) {self.marginal:.4f}, "
                f"conditional (with random effects) {self.conditional:.4f}"
            )
        if self.partition is not None:
            lines.append(self.partition.shares.round(4).to_string(na_rep=""))
        if self.by_variable is not None:
            lines.append(self.by_variable.round(4).to_string(index=False))
        return "\n".join([*lines, self.note] if self.note else lines)

    def __repr__(self) -> str:
        return self.summary()

    def to_dict(self) -> dict[str, Any]:
        """As plain values, None for what does not exist."""
        whole = self.partition
        table = self.by_variable
        return {
            "marginal": self.marginal if np.isfinite(self.marginal) else None,
            "conditional": self.conditional if np.isfinite(self.conditional) else None,
            "partition": None if whole is None else whole.shares["total"].to_dict(),
            "by_variable": None if table is None else table.to_dict("records"),
            "note": self.note,
        }

    def plot(self) -> Figure:
        """Bars of the variance by source: in total, within persons, between persons.

        Returns
        -------
        matplotlib.figure.Figure

        Raises
        ------
        UnsupportedEngineError
            If there is no partition.
        EngineNotInstalledError
            If matplotlib is absent.
        """
        if self.partition is None:
            raise UnsupportedEngineError(
                f"There is no partition to draw. {self.note}", hint="Read .by_variable."
            )
        figure: Figure = render("variance.figure", self.partition)
        return figure


def r_squared(fit: FitResult) -> RSquared:
    """R2 of a fit.

    Parameters
    ----------
    fit : FitResult
        Of either family.

    Returns
    -------
    RSquared
        Marginal ``f / (f + r + e)`` and conditional ``(f + r) / (f + r + e)`` with `f` the
        variance of the fitted means over the rows (divisor n - 1), `r` the average ``z' G z`` and
        `e` the average residual variance: Nakagawa & Schielzeth (2013),
        doi:10.1111/j.2041-210x.2012.00261.x, with random slopes Johnson (2014),
        doi:10.1111/2041-210X.12225. The partition takes all covariances by n - 1, so that its
        sums differ from these in the order of 1/n.

    Raises
    ------
    UnsupportedEngineError
        If none of it exists for the model.
    """
    table, notes = None, []
    if isinstance(fit.data, WideData):
        try:
            table = explained_variance(fit.data, ordered_estimates(fit.fit, fit.data))
        except UnsupportedEngineError as error:
            notes.append(error.message)
    try:
        rows = model_rows(fit)
    except UnsupportedEngineError as error:
        if table is None:
            raise
        return RSquared(np.nan, np.nan, None, table, " ".join([*notes, error.message]))
    fixed = float(np.var(rows.mean, ddof=1))
    random, residual = float(np.mean(rows.random)), float(np.mean(rows.residual))
    total = fixed + random + residual
    parts: VariancePartition | None = partition(rows)
    if isinstance(fit.data, LongData) and fit.data.problem.clusters is not None:
        parts = None
        notes.append("The partition is of two levels; here persons stand in clusters.")
    return RSquared(fixed / total, (fixed + random) / total, parts, table, " ".join(notes))
