"""The intraclass correlation: the share of variance that is between persons."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from growthmm.inference.result import FitResult
from growthmm.inference.variance.rows import ModelRows, model_rows
from growthmm.rendering import Shown

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["IntraclassCorrelation", "intraclass_correlation"]

MOVING = (
    "The share of variance between persons changes with time here, so that one number is an "
    "average over the rows observed: read .by_occasion."
)


@dataclass(frozen=True)
class IntraclassCorrelation(Shown):
    """Shares of the outcome's variance that lie between persons.

    Parameters
    ----------
    adjusted : float
        Of what fixed effects leave: random / (random + residual).
    unadjusted : float
        Of all: random / (fixed + random + residual).
    by_occasion : DataFrame
        Columns ``occasion, random, residual, icc``: variances and the adjusted share there.
    note : str
        What to know; empty where the share is the same at all times.
    """

    adjusted: float
    unadjusted: float
    by_occasion: pd.DataFrame
    note: str = ""

    def summary(self) -> str:
        """A few lines of text."""
        lines = [f"ICC adjusted {self.adjusted:.4f}, unadjusted {self.unadjusted:.4f}"]
        if self.note:
            lines += [self.note, self.by_occasion.round(4).to_string(index=False)]
        return "\n".join(lines)

    def __repr__(self) -> str:
        return self.summary()

    def to_dict(self) -> dict[str, Any]:
        """As plain values."""
        return {
            "adjusted": self.adjusted,
            "unadjusted": self.unadjusted,
            "by_occasion": self.by_occasion.to_dict("records"),
            "note": self.note,
        }


def intraclass_correlation(fit: FitResult) -> IntraclassCorrelation:
    """Intraclass correlations of a fit, overall and by occasion.

    Parameters
    ----------
    fit : FitResult
        A mixed model, or the structural equation model of one growing outcome.

    Returns
    -------
    IntraclassCorrelation
        The variance between persons is the average ``z' G z`` over the rows (Johnson 2014,
        doi:10.1111/2041-210X.12225), as performance's ``icc()`` has it. Nakagawa, Johnson &
        Schielzeth (2017), doi:10.1098/rsif.2017.0213, call the two shares adjusted and
        unadjusted.

    Raises
    ------
    UnsupportedEngineError
        If the model has several outcomes, or the data are moments.
    """
    rows = model_rows(fit)
    fixed = float(np.var(rows.mean, ddof=1))
    random, residual = float(np.mean(rows.random)), float(np.mean(rows.residual))
    table = _by_occasion(rows)
    moves = bool(np.ptp(rows.random / (rows.random + rows.residual)) > 1e-9)
    return IntraclassCorrelation(
        random / (random + residual),
        random / (fixed + random + residual),
        table,
        MOVING if moves else "",
    )


def _by_occasion(rows: ModelRows) -> pd.DataFrame:
    import pandas as pd

    table = pd.DataFrame(
        {"occasion": rows.occasion, "random": rows.random, "residual": rows.residual}
    )
    made = table.groupby("occasion", sort=False).mean().reset_index()
    numeric = made["occasion"].dtype != object
    made = made.sort_values("occasion", ignore_index=True) if numeric else made
    made["icc"] = made["random"] / (made["random"] + made["residual"])
    return made
