"""One model in two codings: origin and unit of time, other bases, centred covariates, contrasts."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from growthmm.data.design.evaluation import evaluate
from growthmm.data.design.names import r_name
from growthmm.equivalence.explaining.alignment import source_variables
from growthmm.equivalence.points import design_frame
from growthmm.errors import GrowthmmError
from growthmm.model.growth import Covariate, GrowthFactor, GrowthModel
from growthmm.model.schema import Column
from growthmm.translation.coding import column_key
from growthmm.translation.loadings.affine import affine_map, number, same
from growthmm.translation.loadings.basis import basis_column
from growthmm.translation.loadings.recoding import recoded
from growthmm.translation.naming import polynomial_degree

__all__ = ["CovariateCoding", "TimeCoding", "covariate_codings", "time_codings"]

FloatArray = NDArray[np.float64]

RELATIVE = 1e-9


@dataclass(frozen=True)
class TimeCoding:
    """A difference in the coding of time.

    Parameters
    ----------
    cause : {"time_origin", "time_unit", "time_basis"}
        Which.
    what, before, after : str
        In words.
    loadings : dict of str to (tuple of float, Column)
        What each factor's loadings become.
    changes : tuple of str
        Why the model is another one in this coding; empty where it is the same, or not known.
    """

    cause: str
    what: str
    before: str
    after: str
    loadings: dict[str, tuple[tuple[float, ...], Column]]
    changes: tuple[str, ...] = ()


@dataclass(frozen=True)
class CovariateCoding:
    """A difference in the coding of covariates.

    Parameters
    ----------
    cause : {"centring", "contrasts", "covariate"}
        Which; ``covariate`` where the numbers are another function of the same variable.
    what, before, after : str
        In words.
    names : set of str
        The covariates concerned.
    """

    cause: str
    what: str
    before: str
    after: str
    names: set[str]


def time_codings(first: GrowthModel, second: GrowthModel, free: set[str]) -> tuple[TimeCoding, ...]:
    """How the loadings of matched factors differ.

    Parameters
    ----------
    first, second : GrowthModel
        In the same names.
    free : set of str
        Factors with estimated loadings, whose metric is a matter of those.

    Returns
    -------
    tuple of TimeCoding
        Origin first, then unit; a single change of basis where it is neither.
    """
    there = {f.name: f for f in second.factors if f.name not in free}
    pairs = [(f, there[f.name]) for f in first.factors if f.name in there]
    pairs = [(f, other) for f, other in pairs if f.loadings and other.loadings]
    changed = [(a, b) for a, b in pairs if not same(a.loadings, b.loadings)]
    if not changed:
        return ()
    target = {b.name: (b.loadings, b.column) for _, b in changed}
    times = first.schema.occasions
    line = next((p for p in changed if polynomial_degree(p[0].loadings, times) == 1), None)
    if line is None or affine_map(line[1].loadings, line[0].loadings) is None:
        return (_basis(changed, target),)
    if not all(_power_of(line, pair) for pair in changed):
        return (_basis(changed, target),)
    shift, scale = affine_map(line[1].loadings, line[0].loadings) or (0.0, 1.0)
    size = max(abs(v) for v in line[1].loadings) or 1.0
    moved, stretched = abs(shift) > RELATIVE * size, abs(scale - 1.0) > RELATIVE
    zeros, units = zip(*(_origin_and_unit(factor, times) for factor in line), strict=True)
    name = first.schema.time or "time"
    why = _changes(first, zeros[1] - zeros[0])
    origin = TimeCoding("time_origin", name, number(zeros[0]), number(zeros[1]), target, why)
    unit = TimeCoding("time_unit", name, number(units[0]), number(units[1]), target)
    if not stretched:
        return (origin,)
    if not moved:
        return (unit,)
    middle = _shifted(changed, line[0], shift / scale, first)
    if middle is None:
        return (_basis(changed, target),)
    return (replace(origin, loadings=middle), unit)


def _changes(growth: GrowthModel, shift: float) -> tuple[str, ...]:
    """Why the formula in shifted time is another model (condition 18)."""
    plain = all(f.loadings and f.definition is None and not f.cells for f in growth.factors)
    if not plain or not growth.schema.shared_times or growth.schema.series or growth.by_group:
        return ()
    return recoded(growth, origin=shift).changes


def _basis(
    changed: list[tuple[GrowthFactor, GrowthFactor]],
    target: dict[str, tuple[tuple[float, ...], Column]],
) -> TimeCoding:
    words = [", ".join(r_name(pair[k].column) for pair in changed) for k in (0, 1)]
    return TimeCoding("time_basis", "", words[0], words[1], target)


def _power_of(line: tuple[GrowthFactor, ...], pair: tuple[GrowthFactor, ...]) -> bool:
    """Whether both factors are the same power of their side's line (times a number)."""
    degrees = set()
    for base, factor in zip(line, pair, strict=True):
        found = None
        for degree in (1, 2, 3):
            power = tuple(v**degree for v in base.loadings)
            if same(factor.loadings, power):
                found = degree
        degrees.add(found)
    return len(degrees) == 1 and None not in degrees


def _origin_and_unit(factor: GrowthFactor, times: tuple[float, ...]) -> tuple[float, float]:
    shift, scale = affine_map(factor.loadings, times) or (0.0, 1.0)
    return -shift / scale + 0.0, 1.0 / scale


def _shifted(
    changed: list[tuple[GrowthFactor, GrowthFactor]],
    line: GrowthFactor,
    shift: float,
    growth: GrowthModel,
) -> dict[str, tuple[tuple[float, ...], Column]] | None:
    """Powers of the shifted line, in the first model's unit."""
    moved = np.asarray(line.loadings) + shift
    made = {}
    for factor, _ in changed:
        power = next(
            k for k in (1, 2, 3) if same(factor.loadings, tuple(v**k for v in line.loadings))
        )
        loadings = tuple(float(v) for v in moved**power)
        column = basis_column(loadings, growth.schema)
        if column is None:
            return None
        made[factor.name] = (loadings, column)
    return made


def covariate_codings(first: GrowthModel, second: GrowthModel) -> tuple[CovariateCoding, ...]:
    """How the columns of covariates of one name differ.

    Parameters
    ----------
    first, second : GrowthModel
        In the same names and over one schema.
    """
    there = {c.name: c for c in second.covariates}
    groups: dict[frozenset[str], list[tuple[Covariate, Covariate]]] = {}
    for covariate in first.covariates:
        other = there.get(covariate.name)
        if other is None or column_key(covariate.column) == column_key(other.column):
            continue
        groups.setdefault(source_variables(covariate), []).append((covariate, other))
    found = []
    for variables, pairs in groups.items():
        cause = _kind(pairs, first)
        if cause is None:
            continue
        words = [", ".join(r_name(pair[k].column) for pair in pairs) for k in (0, 1)]
        if cause == "contrasts":
            words = [_contrast_words([pair[k] for pair in pairs]) for k in (0, 1)]
        names = {covariate.name for covariate, _ in pairs}
        found.append(
            CovariateCoding(cause, ", ".join(sorted(variables)), words[0], words[1], names)
        )
    return tuple(found)


def _contrast_words(covariates: list[Covariate]) -> str:
    return ", ".join(r_name(covariate.column) for covariate in covariates)


def _kind(pairs: list[tuple[Covariate, Covariate]], growth: GrowthModel) -> str | None:
    """The cause behind columns of the same variables; None where the numbers are the same."""
    categorical = any(
        part.coding != "numeric" for pair in pairs for c in pair for part in c.column.parts
    )
    try:
        one, other = (_values([pair[k].column for pair in pairs], growth) for k in (0, 1))
    except GrowthmmError:
        return "contrasts" if categorical else "covariate"
    size = np.abs(one).max()
    if np.abs(one - other).max() <= RELATIVE * size:
        return None
    constant = np.ones((len(one), 1))
    both = np.linalg.lstsq(np.hstack([constant, one]), other, rcond=None)[0]
    left = other - np.hstack([constant, one]) @ both
    affine = np.abs(left).max() <= 1e-8 * max(np.abs(other).max(), 1e-300)
    if categorical:
        return "contrasts"
    return "centring" if affine else "covariate"


def _values(columns: list[Column], growth: GrowthModel) -> FloatArray:
    frame, _ = design_frame(growth.schema, 24, 5, columns=columns)
    return np.asarray(evaluate(tuple(columns), frame, growth.schema), dtype=float)
