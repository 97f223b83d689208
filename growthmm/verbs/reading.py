"""The verbs that read a fitted model: contrasts, slopes, courses, the standardised solution."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from growthmm.engines.prepare import WideData
from growthmm.equivalence.correspondence import carried, correspondence
from growthmm.errors import UnsupportedEngineError
from growthmm.inference.labelled import ordered_estimates
from growthmm.inference.reading import trajectories as _trajectories
from growthmm.inference.reading.contrasts import contrast_table, slope_table
from growthmm.inference.reading.new_rows import bound_of
from growthmm.inference.reading.pseudo import pseudo_standardized
from growthmm.inference.reading.region import SignificanceRegion
from growthmm.inference.reading.region import significance_region as _region
from growthmm.inference.reading.standardized import standardized_solution
from growthmm.inference.result import FitResult
from growthmm.model.mixed import MixedModel
from growthmm.verbs.binding import Facts, pair_problems, paired

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["contrasts", "significance_region", "simple_slopes", "standardized", "trajectories"]


def contrasts(
    fit: FitResult, combinations: Mapping[str, str] | Sequence[str], *, level: float = 0.95
) -> pd.DataFrame:
    """Linear combinations of parameters, with intervals and tests.

    ``l'b`` with variance ``l'Vl`` (Searle 1971, Linear Models, section 3.6), referred to t with
    the fit's degrees of freedom (Giesbrecht & Burns 1985, doi:10.2307/2530872), else to the normal.

    Parameters
    ----------
    fit : FitResult
        Of either family.
    combinations : mapping of str to str, or sequence of str
        Sums of parameters of ``fit.estimates``, with labels or without.
    level : float
        Coverage.

    Returns
    -------
    DataFrame
        Columns ``name, estimate, std_error, statistic, df, p_value, ci_low, ci_high``, with the
        fit's own method for degrees of freedom.

    Raises
    ------
    NotationError
        If a text cannot be read.
    SpecificationError
        If it names no parameter.

    Examples
    --------
    >>> import growthmm as gm
    >>> fit = gm.fit("gpa ~ occasion * sex + (occasion | student)", gm.datasets.gpa())
    >>> found = gm.contrasts(fit, {"male slope": "occasion + occasion:sexmale"})
    >>> found[["name", "estimate", "std_error"]].round(4).to_dict("records")
    [{'name': 'male slope', 'estimate': 0.0911, 'std_error': 0.0084}]
    """
    return contrast_table(fit, combinations, level)


def simple_slopes(
    fit: FitResult, slope: str, interaction: str, at: Sequence[float], *, level: float = 0.95
) -> pd.DataFrame:
    """A slope at chosen values of what moderates it: ``b1 + b12 x``.

    Source: Bauer & Curran (2005), doi:10.1207/s15327906mbr4003_5.

    Parameters
    ----------
    fit : FitResult
        Of either family.
    slope, interaction : str
        ``"occasion"`` and ``"occasion:sexmale"`` of a mixed model, ``"s~1"`` and ``"s~sexmale"``
        of a growth curve.
    at : sequence of float
        Values of the moderator.
    level : float
        Coverage.

    Returns
    -------
    DataFrame
        Columns ``moderator, estimate, std_error, statistic, df, p_value, ci_low, ci_high``.

    Raises
    ------
    SpecificationError
        If a parameter is unknown.

    Examples
    --------
    >>> import growthmm as gm
    >>> fit = gm.fit("gpa ~ occasion * sex + (occasion | student)", gm.datasets.gpa())
    >>> gm.simple_slopes(fit, "occasion", "occasion:sexmale", [0, 1])["estimate"].round(4).tolist()
    [0.1201, 0.0911]
    """
    return slope_table(fit, slope, interaction, at, level)


def significance_region(
    fit: FitResult, slope: str, interaction: str, *, level: float = 0.95
) -> SignificanceRegion:
    """The moderator values at which a slope differs from zero (Johnson & Neyman).

    Parameters
    ----------
    fit : FitResult
        Of either family.
    slope, interaction : str
        As for :func:`simple_slopes`.
    level : float
        One minus the size of the tests, value by value (Curran, Bauer & Willoughby 2004,
        doi:10.1037/1082-989X.9.2.220).

    Returns
    -------
    SignificanceRegion
        ``.bounds``, ``.where``, ``.slopes(low, high)``, ``.plot(low, high)``.

    Raises
    ------
    SpecificationError
        If a parameter is unknown.
    UnsupportedEngineError
        If a parameter has no standard error.

    Examples
    --------
    >>> import growthmm as gm
    >>> fit = gm.fit("gpa ~ occasion * sex + (occasion | student)", gm.datasets.gpa())
    >>> region = gm.significance_region(fit, "occasion", "occasion:sexmale")
    >>> [round(end, 2) for end in region.bounds]
    [2.51, 17.54]
    """
    return _region(fit, slope, interaction, level)


def trajectories(
    fit: FitResult,
    at: Mapping[str, Sequence[Any]] | None = None,
    *,
    time: str | None = None,
    times: Sequence[float] | None = None,
    interval: Literal["confidence", "prediction"] = "confidence",
    level: float = 0.95,
) -> _trajectories.Trajectories:
    """Expected courses over time at chosen covariate values, with a picture.

    ``X b`` with the standard error ``sqrt(x'Vx)``, for a new person ``sqrt(x'Vx + z'Gz + s2)``
    (Laird & Ware 1982, doi:10.2307/2529876).

    Parameters
    ----------
    fit : FitResult
        Of either family.
    at : mapping of str to sequence, optional
        Values of covariates, every combination a course; others are held at their mean or first
        level, and listed in ``.held``.
    time, times : optional
        The column of time of a mixed model, and at which times.
    interval : {"confidence", "prediction"}
        For the expected outcome, or for a new person's.
    level : float
        Coverage.

    Returns
    -------
    Trajectories
        ``.table``, ``.held``, ``.plot()``.

    Raises
    ------
    SpecificationError
        If a covariate is none of the model's, or time cannot be told.

    Examples
    --------
    >>> import growthmm as gm
    >>> fit = gm.fit("gpa ~ occasion * sex + (occasion | student)", gm.datasets.gpa())
    >>> gm.trajectories(fit, {"sex": ["female", "male"]}, times=[0, 5]).table["estimate"].round(2)
    0    2.64
    1    3.24
    2    2.56
    3    3.02
    Name: estimate, dtype: float64
    """
    return _trajectories.trajectories(
        fit, at, time=time, times=times, interval=interval, coverage=level
    )


def standardized(
    fit: FitResult, kind: Literal["all", "lv", "pseudo"] = "all", *, time: str | None = None
) -> pd.DataFrame:
    """The standardised solution, with standard errors by the delta method.

    A mixed model has that of its growth curve: estimates and their covariance matrix are carried
    over by the parameter map, so that both sides give the same numbers. Each path is multiplied
    by the implied standard deviation of its cause and divided by that of its effect (Bollen 1989,
    doi:10.1002/9781118619179, pp. 349-350).

    Parameters
    ----------
    fit : FitResult
        Of either family.
    kind : {"all", "lv", "pseudo"}
        All variables have variance 1, or latent variables alone: lavaan's ``std.all`` and
        ``std.lv``. ``"pseudo"`` scales a mixed model's own coefficients, each by the standard
        deviations at its level: within persons or between them (Hoffman 2015; as R's effectsize).
    time : str, optional
        The column of time of a mixed model, where several could be it.

    Returns
    -------
    DataFrame
        One row a path of the growth curve: ``name, kind, estimate, std_error, statistic, p_value,
        ci_low, ci_high``; for ``"pseudo"`` one a fixed effect, see
        :func:`growthmm.inference.reading.pseudo.pseudo_standardized`.

    Raises
    ------
    UnsupportedEngineError
        If variances differ from person to person, or a mixed fit keeps no data.
    UnsupportedError
        If the mixed model has no growth curve.

    Examples
    --------
    >>> import growthmm as gm
    >>> fit = gm.fit("gpa ~ occasion * sex + (occasion | student)", gm.datasets.gpa())
    >>> table = gm.standardized(fit).set_index("name")
    >>> table.loc["i~~s", ["estimate", "std_error"]].round(4).tolist()
    [-0.1403, 0.1079]
    """
    if kind == "pseudo":
        return pseudo_standardized(fit)
    if isinstance(fit.data, WideData):
        names = fit.data.problem.model.free_parameters
        order = [fit.fit.names.index(name) for name in names]
        covariance = fit.fit.covariance[np.ix_(order, order)]
        return standardized_solution(
            fit.data, ordered_estimates(fit.fit, fit.data), covariance, kind
        )
    assert isinstance(fit.model, MixedModel)
    if fit.source is None:
        raise UnsupportedEngineError(
            "The fit keeps no data, from which its growth curve would be made.",
            hint="Fit by gm.fit.",
        )
    schema = bound_of(fit.data).schema
    pair, frame = paired(fit.model, fit.source, Facts(schema.person, time or schema.time))
    assert frame is not None
    _, wide = pair_problems(pair, frame)
    link = correspondence(pair)
    if set(link.mixed.names) != set(fit.fit.names):
        raise UnsupportedEngineError(
            "Some of the mixed model's parameters are held at values, and its growth curve has "
            f"them free: {', '.join(sorted(set(link.mixed.names) ^ set(fit.fit.names)))}.",
            hint="Fit the growth curve with them held: engine='wide' and fixed=.",
        )
    order = [fit.fit.names.index(name) for name in link.mixed.names]
    mixed = fit.fit.estimates[order]
    values = link.to_sem(mixed)
    spread = fit.fit.covariance[np.ix_(order, order)]
    own = [link.sem.names.index(name) for name in wide.problem.model.free_parameters]
    covariance = carried(spread, link.slopes_back(mixed, values))[np.ix_(own, own)]
    return standardized_solution(wide, values[own], covariance, kind)
