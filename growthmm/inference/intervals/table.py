"""Intervals of everything that a fit estimates, by one method."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from growthmm.engines.prepare import LongData
from growthmm.errors import SpecificationError
from growthmm.inference.derived import covariance_entries, residual_variances
from growthmm.inference.estimates import estimates_table
from growthmm.inference.intervals.bootstrap import bootstrap
from growthmm.inference.intervals.profile import profile_of, targets
from growthmm.inference.result import FitResult
from growthmm.model.sem import SemModel
from growthmm.progress import showing, tracked

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["METHODS", "SHAPES", "interval_table"]

FloatArray = NDArray[np.float64]
Limits = dict[str, tuple[float, float]]

METHODS = ("wald", "profile", "bootstrap")
"""Methods by name."""

SHAPES = ("percentile", "basic")
"""What is made of bootstrap draws."""


def interval_table(
    fit: FitResult,
    *,
    method: str,
    level: float,
    kind: str,
    interval: str,
    n_simulations: int,
    seed: int,
    workers: int | None,
    progress: bool | None = None,
) -> pd.DataFrame:
    """Limits of the parameters and of what is derived from them.

    See :meth:`growthmm.inference.result.FitResult.confidence_intervals`.
    """
    import pandas as pd

    for what, value, known in (
        ("method", method, METHODS),
        ("bootstrap interval", interval, SHAPES),
    ):
        if value not in known:
            raise SpecificationError(
                f"There is no {what} {value!r} of confidence intervals.",
                hint=f"Use one of {', '.join(known)}.",
            )
    if fit.penalty is not None and method != "wald":
        raise SpecificationError(
            f"The fit is penalised ({fit.penalty}); intervals by {method} are of plain maxima.",
            hint="Use method='wald', or fit without a penalty.",
        )
    if not 0 < level < 1:
        raise SpecificationError(
            f"A level of {level} is no probability.", hint="Give it as level=0.95."
        )
    if method == "bootstrap":
        with showing(progress):
            found = bootstrap(
                fit, kind=kind, n_simulations=n_simulations, seed=seed, workers=workers
            )
        low, high = found.interval(level, interval)
        pairs = zip(low.tolist(), high.tolist(), strict=True)
        limits: Limits = dict(zip(found.names, pairs, strict=True))
    elif method == "profile":
        with showing(progress):
            limits = _profiles(fit, level)
    else:
        limits = _wald(fit, level)
    records = []
    for name, parameter, kind_of, estimate in _rows(fit):
        low_limit, high_limit = limits.get(parameter, (np.nan, np.nan))
        records.append((name, kind_of, estimate, low_limit, high_limit))
    return pd.DataFrame(records, columns=["name", "kind", "estimate", "ci_low", "ci_high"])


def _rows(fit: FitResult) -> list[tuple[str, str, str, float]]:
    """Name, key of the limits, kind and estimate of every row."""
    parameters = (
        {p.name: p.parameter for p in fit.model.paths if p.free}
        if isinstance(fit.model, SemModel)
        else {}
    )
    rows = [
        (
            str(r["name"]),
            parameters.get(str(r["name"]), str(r["name"])),
            str(r["kind"]),
            float(r["estimate"]),
        )
        for r in fit.estimates.to_dict("records")
    ]
    rows += [
        (str(r["name"]), str(r["name"]), str(r["kind"]), float(r["estimate"]))
        for r in fit.derived.to_dict("records")
    ]
    return rows


def _wald(fit: FitResult, level: float) -> Limits:
    from scipy.special import ndtri

    names = tuple((name, name) for name in fit.fit.names)
    table = estimates_table(fit.fit, names, level, fit.degrees)
    quantile = float(ndtri(0.5 + level / 2))
    limits: Limits = {
        str(r["name"]): (float(r["ci_low"]), float(r["ci_high"])) for r in table.to_dict("records")
    }
    for row in fit.derived.to_dict("records"):
        reach = quantile * float(row["std_error"])
        limits[str(row["name"])] = (float(row["estimate"]) - reach, float(row["estimate"]) + reach)
    return limits


def _profiles(fit: FitResult, level: float) -> Limits:
    from scipy.special import ndtri

    if fit.engine not in ("long", "wide"):
        raise SpecificationError(
            f"The fit is by {fit.engine}; likelihoods are profiled for our engines.",
            hint="Use engine long or wide.",
        )
    if isinstance(fit.model, SemModel) and fit.model.constraints:
        raise SpecificationError(
            "Likelihoods under constraints among parameters are not profiled.",
            hint="Use method='bootstrap', or give equal parameters one label.",
        )
    if isinstance(fit.data, LongData) and fit.data.problem.restricted:
        raise SpecificationError(
            "Likelihoods with held or shared covariance parameters are not profiled.",
            hint="Use method='bootstrap'.",
        )
    cut = float(ndtri(0.5 + level / 2))
    fit = fit.refit("ml")
    wanted, blocks = targets(fit)
    errors = np.sqrt(np.abs(np.nan_to_num(np.diag(fit.fit.covariance))))
    limits: Limits = {}
    for name, target in tracked(wanted.items(), "likelihood profiles"):
        size = float(errors[target.place])
        centre = target.value(fit.fit.estimates)
        if target.kind == "sd":
            size = size / (2.0 * centre) if centre > 0 else 0.0
        elif target.kind == "correlation":
            size = 0.1
        if not np.isfinite(centre):
            continue
        profile = profile_of(fit, target, blocks)
        limits[name] = (profile.limit(-1, cut, size), profile.limit(1, cut, size))
    return limits | _squares(fit, limits)


def _squares(fit: FitResult, limits: Limits) -> Limits:
    """Variances from standard deviations, and the other way round: a profile follows any scale."""
    found: Limits = {}
    entries = covariance_entries(fit.fit, fit.data.problem)
    for a, b, place in entries.entries:
        name, deviation = fit.fit.names[place], f"sd({entries.labels[a]})"
        if a == b and name not in limits and deviation in limits:
            low, high = limits[deviation]
            found[name] = (low**2, high**2)
    for label, place in residual_variances(fit.fit, fit.data.problem):
        if fit.fit.names[place] in limits:
            low, high = (
                float(np.sqrt(v)) if v >= 0 else float("nan") for v in limits[fit.fit.names[place]]
            )
            found[f"sd({label})"] = (low, high)
    return found
