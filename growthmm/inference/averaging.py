"""Coefficients averaged over models."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from growthmm.errors import SpecificationError
from growthmm.inference.criteria import weights

if TYPE_CHECKING:
    import pandas as pd

    from growthmm.inference.comparison import Comparison

__all__ = ["CRITERIA", "averaged"]

CRITERIA = ("aic", "aicc", "aicc_subjects", "bic", "bic_subjects")
"""Criteria by which models are weighed."""

MEANS = ("fixed", "mean", "regression")


def averaged(comparison: Comparison, criterion: str = "aicc") -> pd.DataFrame:
    """Fixed effects (means and regressions) averaged over the models of a comparison.

    The full average takes a coefficient that a model lacks as 0, the conditional one is over the
    models that have it. The standard error is
    ``(sum w (s^2 + (b - mean)^2))^(1/2)`` (Burnham & Anderson 2004,
    doi:10.1177/0049124104268644), so that the choice among the models is in it. Averages are of one
    meaning only where a coefficient means the same in all models: centre what is multiplied.

    Parameters
    ----------
    comparison : Comparison
        Of models that may be compared.
    criterion : {"aic", "aicc", "aicc_subjects", "bic", "bic_subjects"}
        What weighs them.

    Returns
    -------
    DataFrame
        Columns ``name, full, full_std_error, conditional, conditional_std_error, importance``
        (the weight of the models that have it) and ``n_models``.

    Raises
    ------
    SpecificationError
        If there is no such criterion, or models are not comparable.
    """
    import pandas as pd

    if criterion not in CRITERIA:
        raise SpecificationError(
            f"There is no criterion {criterion!r}.", hint=f"Use one of {', '.join(CRITERIA)}."
        )
    values = [getattr(row, criterion) for row in comparison.rows]
    odd = [row.model for row in comparison.rows if not row.comparable]
    odd += [row.model for row, v in zip(comparison.rows, values, strict=True) if v is None]
    if odd:
        raise SpecificationError(
            f"Models that can't be weighed beside the others: {', '.join(odd)}.",
            hint="Refit them by ML (refit=True), or use another criterion.",
        )
    shares = weights(values)
    found: dict[str, list[tuple[float, float, float]]] = {}
    for fit, share in zip(comparison.fits, shares, strict=True):
        numbers = zip(
            fit.fit.names, fit.fit.kinds, fit.fit.estimates, fit.fit.standard_errors, strict=True
        )
        for name, kind, estimate, error in numbers:
            if kind in MEANS:
                found.setdefault(name, []).append((share, float(estimate), float(error)))
    rows = []
    for name, parts in found.items():
        w, b, e = (np.array(column) for column in zip(*parts, strict=True))
        share = float(w.sum())
        full, inside = float(w @ b), float(w @ b) / share
        whole = float(w @ (e**2 + (b - full) ** 2)) + (1.0 - share) * full**2
        within = float(w @ (e**2 + (b - inside) ** 2)) / share
        rows.append((name, full, whole**0.5, inside, within**0.5, share, len(parts)))
    columns = "name full full_std_error conditional conditional_std_error importance n_models"
    return pd.DataFrame(rows, columns=columns.split())
