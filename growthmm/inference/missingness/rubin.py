"""Rubin's rules: estimates of several completed data sets as one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from growthmm.errors import SpecificationError
from growthmm.inference.plain_values import records
from growthmm.inference.result import FitResult
from growthmm.model.sem import SemModel
from growthmm.rendering import Brief, Shown

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Pooled", "PooledFits", "pool_fits", "rubin"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, repr=False)
class Pooled(Brief):
    """Pooled estimates.

    Parameters
    ----------
    estimates : (k,) ndarray
        Means over the imputations.
    within, between, total : (k,) ndarray
        Variances: the mean squared standard error, that of the estimates over the imputations,
        and ``within + (1 + 1/m) between``.
    df : (k,) ndarray
        Degrees of freedom.
    increase : (k,) ndarray
        Relative increase in variance by what is missing, ``(1 + 1/m) between / within``.
    fraction : (k,) ndarray
        Share of the variance that is due to what is missing, ``(1 + 1/m) between / total``.
    missing_information : (k,) ndarray
        Fraction of missing information.
    """

    estimates: FloatArray
    within: FloatArray
    between: FloatArray
    total: FloatArray
    df: FloatArray
    increase: FloatArray
    fraction: FloatArray
    missing_information: FloatArray

    @property
    def errors(self) -> FloatArray:
        """Standard errors."""
        return np.sqrt(self.total)


def rubin(
    estimates: FloatArray, variances: FloatArray, complete_df: float | FloatArray = np.inf
) -> Pooled:
    """Pool estimates of m completed data sets.

    Rubin (1987, doi:10.1002/9780470316696); degrees of freedom by Barnard and Rubin (1999,
    doi:10.1093/biomet/86.4.948): ``1/df = 1/df_old + 1/df_obs`` with ``df_old = (m - 1)/f^2``,
    ``df_obs = (c + 1)/(c + 3) c (1 - f)`` for `complete_df` c and the share f due to what is
    missing.

    Parameters
    ----------
    estimates, variances : (m, k) ndarray
        Estimates and squared standard errors, a row a data set.
    complete_df : float or (k,) ndarray
        Degrees of freedom that the tests would have without missing data.

    Returns
    -------
    Pooled

    Raises
    ------
    SpecificationError
        If there are fewer than two data sets.

    Examples
    --------
    >>> found = rubin(np.array([[1.0], [1.2], [1.4]]), np.full((3, 1), 0.09), 50)
    >>> [x.round(3).tolist() for x in (found.estimates, found.errors, found.df)]
    [[1.2], [0.379], [9.773]]
    """
    m = len(estimates)
    if m < 2:
        raise SpecificationError(
            f"{m} imputation{'' if m == 1 else 's'}: how much estimates vary over imputations "
            "takes two at least.",
            hint="Impute 20 times or more.",
        )
    c = np.broadcast_to(np.asarray(complete_df, dtype=float), estimates.shape[1:])
    middle = estimates.mean(axis=0)
    within = variances.mean(axis=0)
    between = estimates.var(axis=0, ddof=1)
    added = (1.0 + 1.0 / m) * between
    total = within + added
    with np.errstate(divide="ignore", invalid="ignore"):
        increase, share = added / within, added / total
        old = (m - 1) / share**2
        observed = np.where(
            np.isinf(c), np.inf, (1.0 + c) / np.where(np.isinf(c), 1.0, 3.0 + c) * c * (1.0 - share)
        )
        df = 1.0 / (1.0 / old + 1.0 / observed)
        information = (increase + 2.0 / (df + 3.0)) / (1.0 + increase)
    return Pooled(middle, within, between, total, df, increase, share, information)


@dataclass(frozen=True)
class PooledFits(Shown):
    """One model's fits to several completed data sets, pooled.

    Parameters
    ----------
    fits : tuple of FitResult
        A fit a data set.
    names, kinds : tuple of str
        The parameters.
    pooled : Pooled
        Their pooled estimates.
    """

    fits: tuple[FitResult, ...]
    names: tuple[str, ...]
    kinds: tuple[str, ...]
    pooled: Pooled

    @property
    def estimates(self) -> pd.DataFrame:
        """One row a parameter.

        Columns ``name, kind, estimate, std_error, statistic, df, p_value, ci_low, ci_high,
        between, within, relative_increase, missing_information``; variances have no test.
        """
        import pandas as pd
        from scipy.special import ndtr, ndtri, stdtr, stdtrit

        p = self.pooled
        errors = p.errors
        location = np.isin(self.kinds, ("variance", "residual"), invert=True)
        statistic = np.where(location, p.estimates / errors, np.nan)
        finite = np.where(np.isfinite(p.df), p.df, 1.0)
        tails = np.where(np.isfinite(p.df), stdtr(finite, -abs(statistic)), ndtr(-abs(statistic)))
        quantile = np.where(np.isfinite(p.df), stdtrit(finite, 0.975), ndtri(0.975))
        return pd.DataFrame(
            {
                "name": self.names,
                "kind": self.kinds,
                "estimate": p.estimates,
                "std_error": errors,
                "statistic": statistic,
                "df": p.df,
                "p_value": 2.0 * tails,
                "ci_low": p.estimates - quantile * errors,
                "ci_high": p.estimates + quantile * errors,
                "between": p.between,
                "within": p.within,
                "relative_increase": p.increase,
                "missing_information": p.missing_information,
            }
        )

    def to_dict(self) -> dict[str, Any]:
        """The result as plain values."""
        return {"n_imputations": len(self.fits), "estimates": records(self.estimates)}

    def __repr__(self) -> str:
        return f"<PooledFits of {len(self.fits)} imputations, {len(self.names)} parameters>"


def pool_fits(fits: Sequence[FitResult], complete_df: float | None = None) -> PooledFits:
    """Pool fits of one model by Rubin's rules.

    Parameters
    ----------
    fits : sequence of FitResult
        The same model on each completed data set.
    complete_df : float, optional
        Degrees of freedom without missing data. Where None those of the fits (their mean over
        the imputations, where tests are of t), else infinite: tests are normal.

    Returns
    -------
    PooledFits

    Raises
    ------
    SpecificationError
        If there are fewer than two fits, or their parameters differ.
    """
    rows = [_parameters(fit) for fit in fits]
    if len({(names, kinds) for names, kinds, _, _, _ in rows}) > 1:
        raise SpecificationError(
            "The fits have different parameters.", hint="Pool fits of one model."
        )
    if len(fits) < 2:
        rubin(np.empty((len(fits), 0)), np.empty((len(fits), 0)))
    names, kinds = rows[0][:2]
    estimates = np.array([row[2] for row in rows])
    variances = np.array([row[3] for row in rows]) ** 2
    df: float | FloatArray = np.inf
    if complete_df is not None:
        df = float(complete_df)
    elif all(row[4] is not None for row in rows):
        own = np.array([row[4] for row in rows], dtype=float).mean(axis=0)
        df = np.where(np.isnan(own), np.inf, own)
    return PooledFits(tuple(fits), names, kinds, rubin(estimates, variances, df))


def _parameters(
    fit: FitResult,
) -> tuple[tuple[str, ...], tuple[str, ...], FloatArray, FloatArray, FloatArray | None]:
    """Names, kinds, estimates, standard errors and degrees of freedom, as the estimates' table."""
    table = fit.estimates
    degrees = None
    if fit.degrees is not None and not isinstance(fit.model, SemModel):
        degrees = fit.degrees
    return (
        tuple(table["name"]),
        tuple(table["kind"]),
        table["estimate"].to_numpy(float),
        table["std_error"].to_numpy(float),
        degrees,
    )
