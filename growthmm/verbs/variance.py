"""The verbs ``r_squared``, ``r2beta`` and ``icc``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from growthmm.inference.result import FitResult
from growthmm.inference.variance import icc as _icc
from growthmm.inference.variance import r_squared as _r_squared
from growthmm.inference.variance.semipartial import semipartial

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["icc", "r2beta", "r_squared"]


def r_squared(fit: FitResult) -> _r_squared.RSquared:
    """Variance accounted for: marginal and conditional R2, by source and level, by variable.

    Parameters
    ----------
    fit : FitResult
        A mixed model, or a structural equation model; both forms of a model have the same.

    Returns
    -------
    RSquared
        ``.marginal``, ``.conditional`` (Nakagawa & Schielzeth 2013,
        doi:10.1111/j.2041-210x.2012.00261.x; Johnson 2014, doi:10.1111/2041-210X.12225),
        ``.partition`` (Rights & Sterba 2021, doi:10.1002/cad.20387), ``.by_variable`` (of a
        structural equation model, as lavaan's ``r2``), ``.plot()``, ``.summary()``.

    Raises
    ------
    UnsupportedEngineError
        If none of it exists for the model.

    Examples
    --------
    >>> import growthmm as gm
    >>> fit = gm.fit("gpa ~ occasion + (occasion | student)", gm.datasets.gpa(), estimator="reml")
    >>> found = gm.r_squared(fit)
    >>> round(found.marginal, 4), round(found.conditional, 4)
    (0.2131, 0.7263)
    """
    return _r_squared.r_squared(fit)


def icc(fit: FitResult) -> _icc.IntraclassCorrelation:
    """The intraclass correlation: the share of variance that lies between persons.

    ``z'Gz / (z'Gz + s2)``, averaged over the rows and by occasion; *unadjusted* the fixed effects'
    variance counts below as well (Nakagawa, Johnson & Schielzeth 2017,
    doi:10.1098/rsif.2017.0213).

    Parameters
    ----------
    fit : FitResult
        A mixed model, or the structural equation model of one growing outcome.

    Returns
    -------
    IntraclassCorrelation
        ``.adjusted``, ``.unadjusted``, ``.by_occasion``, and a ``.note`` where variances change
        with time, so that one number says little.

    Raises
    ------
    UnsupportedEngineError
        If the model has several outcomes, or the data are moments.

    Examples
    --------
    >>> import growthmm as gm
    >>> fit = gm.fit("gpa ~ occasion + (1 | student)", gm.datasets.gpa(), estimator="reml")
    >>> gm.icc(fit)
    ICC adjusted 0.5231, unadjusted 0.4116
    """
    return _icc.intraclass_correlation(fit)


def r2beta(fit: FitResult, method: str = "kenward-roger", *, level: float = 0.95) -> pd.DataFrame:
    """Semi-partial R2: what each fixed effect accounts for beside the others.

    Parameters
    ----------
    fit : FitResult
        A mixed model by the engine long.
    method : {"kenward-roger", "nsj", "sgv"}
        Kenward and Roger's F test (REML; Edwards et al. 2008, doi:10.1002/sim.3429), the mean
        variance of the outcome (its whole-model value is the marginal R2), or the standardised
        generalised variance (Jaeger et al. 2017, doi:10.1080/02664763.2016.1193725).
    level : float
        Coverage of the intervals.

    Returns
    -------
    DataFrame
        Columns ``effect, r_squared, ci_low, ci_high, f, df, df_denominator``, the whole model
        first.

    Raises
    ------
    SpecificationError
        If the method is unknown, or no fixed effect stands beside an intercept.
    UnsupportedEngineError
        Where it does not apply, with the reason.

    Examples
    --------
    >>> import growthmm as gm
    >>> fit = gm.fit("gpa ~ occasion + (occasion | student)", gm.datasets.gpa())
    >>> gm.r2beta(fit, "nsj")[["effect", "r_squared"]].round(4).to_dict("list")
    {'effect': ['Model', 'occasion'], 'r_squared': [0.2137, 0.2137]}
    """
    return semipartial(fit, method, level)
