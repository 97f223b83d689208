"""The outcome's variance divided by source and by level (Rights & Sterba)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from growthmm.inference.variance.rows import ModelRows
from growthmm.rendering import Shown

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["VariancePartition", "partition"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class VariancePartition(Shown):
    """Six parts of the outcome's model-implied variance, in the outcome's squared unit.

    Parameters
    ----------
    f1, f2 : float
        Of predictors by fixed effects, within persons and between them.
    v1, v2 : float
        Of predictors by random slopes, within persons and between them; ``v2`` is zero where
        everyone has the same mean of every predictor that has a random slope.
    m : float
        Of the persons' own levels: variation of random effects at the predictors' means.
    residual : float
        Within persons, left over.
    """

    f1: float
    f2: float
    v1: float
    v2: float
    m: float
    residual: float

    def __repr__(self) -> str:
        return self.shares.round(4).to_string()

    @property
    def within(self) -> float:
        """Variance within persons."""
        return self.f1 + self.v1 + self.residual

    @property
    def between(self) -> float:
        """Variance between persons."""
        return self.f2 + self.v2 + self.m

    @property
    def total(self) -> float:
        """All of it."""
        return self.within + self.between

    @property
    def shares(self) -> pd.DataFrame:
        """Each part as a share: parts in rows, columns ``total, within, between``.

        NaN where a part is not of that level.
        """
        import pandas as pd

        parts = ["f1", "f2", "v1", "v2", "m", "residual"]
        inside = ("f1", "v1", "residual")
        rows = [
            (
                _ratio(getattr(self, name), self.total),
                _ratio(getattr(self, name), self.within) if name in inside else np.nan,
                _ratio(getattr(self, name), self.between) if name not in inside else np.nan,
            )
            for name in parts
        ]
        return pd.DataFrame(rows, index=parts, columns=["total", "within", "between"])

    @property
    def measures(self) -> pd.DataFrame:
        """The R2 measures: ``f1, f2, v1, v2, m, f, fv, fvm`` by ``total, within, between``.

        ``fvm`` in total is the conditional R2, ``f`` the marginal one. Within persons ``fv`` is
        ``f1 + v1``; between them ``f2 + v2``.
        """
        shares = self.shares
        made = shares.drop(index="residual")
        total = shares["total"]
        made.loc["f"] = [total["f1"] + total["f2"], np.nan, np.nan]
        made.loc["fv"] = [
            total[["f1", "f2", "v1", "v2"]].sum(),
            shares.loc[["f1", "v1"], "within"].sum(),
            shares.loc[["f2", "v2"], "between"].sum(),
        ]
        made.loc["fvm"] = [1.0 - total["residual"], np.nan, np.nan]
        return made


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole > 0 else np.nan


def partition(rows: ModelRows) -> VariancePartition:
    """Divide the outcome's variance.

    With ``X b`` the mean, ``Z u`` the random part, ``G`` the covariance matrix of `u`, and every
    column split into persons' means and deviations from them (covariances by n - 1)::

        f1 = var(X b - its persons' means)      f2 = var(persons' means of X b)
        v1 = tr(G cov(Z within persons))        v2 = tr(G cov(persons' means of Z))
        m = mean(Z)' G mean(Z)                  residual = mean of the residual variances

    Parameters
    ----------
    rows : ModelRows
        Means and variances of the outcomes.

    Returns
    -------
    VariancePartition

    Notes
    -----
    Rights & Sterba (2019), doi:10.1037/met0000184; for growth models, predictors that are not
    centred and residual variances that differ: Rights & Sterba (2021), doi:10.1002/cad.20387.
    """
    n = len(rows.mean)
    centre = _person_means(rows.mean[:, None], rows.person)[:, 0]
    fixed_between = _spread(centre)
    fixed_within = _spread(rows.mean - centre)
    v1 = v2 = m = 0.0
    middle = _person_means(rows.design, rows.person)
    mean = rows.design.mean(axis=0)
    for group, matrix in enumerate(rows.factor_cov):
        at = rows.group == group
        inside = rows.design[at] - middle[at]
        outside = middle[at] - mean
        v1 += float(np.sum(matrix * (inside.T @ inside))) / (n - 1)
        v2 += float(np.sum(matrix * (outside.T @ outside))) / (n - 1)
        m += float(mean @ matrix @ mean) * float(np.mean(at))
    return VariancePartition(fixed_within, fixed_between, v1, v2, m, float(np.mean(rows.residual)))


def _person_means(values: FloatArray, person: NDArray[np.intp]) -> FloatArray:
    """Each row's person's mean of every column."""
    count = np.bincount(person)
    sums = [np.bincount(person, column) for column in values.T]
    if not sums:
        return np.zeros_like(values)
    return np.asarray((np.stack(sums, axis=1) / np.maximum(count, 1)[:, None])[person])


def _spread(values: FloatArray) -> float:
    return float(np.var(values, ddof=1))
