"""Checks of the design: scales of columns, collinearity, time far from zero."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from growthmm.engines.long.problem import LongProblem
from growthmm.engines.wide.problem import WideGroup, WideProblem
from growthmm.inference.diagnostics.finding import Finding

__all__ = ["Columns", "check_collinearity", "check_scaling", "check_time_origin", "columns_of"]

FloatArray = NDArray[np.float64]

SCALES = 1e3
"""Ratio of scales from which lme4 too advises to rescale."""

CONDITION, INFLATION = 30.0, 10.0
"""Customary limits of condition numbers (Belsley et al. 1980) and of variance inflation."""

FAR = 1.0
"""Distance of the times from zero, in units of their range, from which an intercept is far off."""


@dataclass(frozen=True)
class Columns:
    """Predictors of either family.

    Parameters
    ----------
    fixed : dict of str to (n,) ndarray
        Columns with fixed effects; of a structural equation model its covariates, a row a person.
    slopes : dict of str to (n,) ndarray
        Columns (loadings) of random effects other than the intercept's.
    """

    fixed: dict[str, FloatArray]
    slopes: dict[str, FloatArray]


def columns_of(problem: LongProblem | WideProblem) -> Columns:
    """The predictors of a problem."""
    if isinstance(problem, LongProblem):
        fixed, random = np.asarray(problem.fixed), np.asarray(problem.random)
        named = dict(zip(problem.fixed_names, fixed.T, strict=True))
        slopes = dict(zip(problem.random_names, random.T, strict=True))
        return Columns(named, {n: v for n, v in slopes.items() if not _constant(v)})
    model = problem.model
    whole = [data.covariates for data in problem.groups if isinstance(data, WideGroup)]
    named = {}
    if whole and model.covariates:
        table = np.concatenate(whole)
        table = table[np.all(np.isfinite(table), axis=1)]
        named = dict(zip(model.covariates, table.T, strict=True)) if len(table) > 1 else {}
    loadings: dict[str, FloatArray] = {}
    for factor in model.latent:
        paths = [p for p in model.paths if p.op == "=~" and p.left == factor and p.group == 0]
        held = [p.value for p in paths if not p.free and p.value is not None]
        if len(held) == len(paths) and len(held) > 1:
            values = np.array(held, dtype=float)
            # A path that is not written loads zero.
            values = np.concatenate([values, np.zeros(max(0, len(model.outcomes) - len(values)))])
            loadings[factor] = values
    return Columns(named, {n: v for n, v in loadings.items() if not _constant(v)})


def _constant(values: FloatArray) -> bool:
    return bool(np.ptp(values) == 0) if len(values) else True


def _rms(values: FloatArray) -> float:
    return float(np.sqrt(np.mean(np.square(values))))


def _inside(name: str) -> str:
    """The term without an ``I()`` around it."""
    return name[2:-1] if name.startswith("I(") and name.endswith(")") else name


def check_scaling(columns: Columns) -> Finding:
    """Whether predictors are on very different scales.

    growthmm's engines rescale inside; other programs may not, and tiny or huge coefficients are
    hard to read.
    """
    sizes = {
        name: _rms(values)
        for name, values in (columns.fixed | columns.slopes).items()
        if np.any(values != 0)
    }
    if len(sizes) < 2:
        return Finding("scaling", "ok", "there are no columns of different scales", dict(sizes))
    big, small = max(sizes, key=sizes.__getitem__), min(sizes, key=sizes.__getitem__)
    ratio = sizes[big] / sizes[small]
    evidence: dict[str, object] = {"ratio": ratio, "scales": sizes}
    if ratio < SCALES:
        return Finding("scaling", "ok", f"the columns' scales differ by {ratio:.3g}", evidence)
    worst = max(sizes, key=lambda name: abs(np.log10(sizes[name])))
    unit = 10.0 ** np.round(np.log10(sizes[worst]))
    return Finding(
        "scaling",
        "note",
        f"the scales of {big} ({sizes[big]:.3g}) and {small} ({sizes[small]:.3g}) differ by "
        f"{ratio:.3g}",
        evidence,
        f"growthmm rescales inside; for other programs write I({_inside(worst)}/{unit:g}).",
    )


def check_collinearity(columns: Columns) -> Finding:
    """Condition number and variance inflation of the predictors.

    The condition number is that of the columns scaled to length one, the intercept among them
    (Belsley, Kuh & Welsch 1980, doi:10.1002/0471725153); variance inflation ``1 / (1 - R2)`` is of
    the centred columns (Marquardt 1970, doi:10.1080/00401706.1970.10488699).
    """
    names = [name for name, values in columns.fixed.items() if not _constant(values)]
    if not names:
        return Finding("collinearity", "ok", "there are no predictors that vary")
    table = np.column_stack([columns.fixed[name] for name in names])
    with_one = np.column_stack([np.ones(len(table)), table])
    singular = np.linalg.svd(with_one / np.sqrt(np.sum(with_one**2, axis=0)), compute_uv=False)
    condition = float(singular[0] / max(singular[-1], 1e-300))
    centred = table - table.mean(axis=0)
    correlation = np.atleast_2d(np.corrcoef(centred, rowvar=False))
    inflation = dict(zip(names, np.diag(np.linalg.pinv(correlation)).tolist(), strict=True))
    worst = max(inflation, key=inflation.__getitem__)
    evidence: dict[str, object] = {"condition": condition, "vif": inflation}
    if inflation[worst] >= INFLATION:
        return Finding(
            "collinearity",
            "warning",
            f"{worst} nearly follows from other predictors: VIF {inflation[worst]:.3g}, condition "
            f"number {condition:.3g}",
            evidence,
            "Centre what is multiplied or squared (I(x - mean)), use poly(), or drop one of them.",
        )
    if condition >= CONDITION:
        far = max(names, key=lambda n: abs(columns.fixed[n].mean()) / columns.fixed[n].std())
        middle = float(columns.fixed[far].mean())
        return Finding(
            "collinearity",
            "note",
            f"{far} is nearly constant beside the intercept: condition number {condition:.3g}",
            evidence,
            f"Centre it: I({far} - {middle:.4g}). Only the intercept changes.",
        )
    return Finding(
        "collinearity",
        "ok",
        f"condition number {condition:.3g}, largest VIF {inflation[worst]:.3g}",
        evidence,
    )


def check_time_origin(columns: Columns) -> Finding:
    """Whether zero lies far from the times of a random slope.

    The intercept's variance then is that of an extrapolation, and its correlation with the slope
    tends to one whatever the persons do.
    """
    far: dict[str, tuple[float, float]] = {}
    evidence: dict[str, object] = {}
    for name, values in columns.slopes.items():
        low, high = float(values.min()), float(values.max())
        gap = max(low, -high, 0.0) / (high - low)
        evidence[name] = {"from": low, "to": high, "gap_in_ranges": gap}
        if gap > FAR:
            far[name] = (low, gap)
    if not far:
        message = "zero is among or near the times" if evidence else "there is no random slope"
        return Finding("time_origin", "ok", message, evidence)
    name, (low, gap) = max(far.items(), key=lambda item: item[1][1])
    return Finding(
        "time_origin",
        "warning",
        f"{name} starts at {low:g}, {gap:.3g} times its range away from zero, where the "
        "intercept stands",
        evidence,
        f"Count from the first occasion: I({name} - {low:g}) in place of {name}.",
    )
