"""An analysis: a growth model together with how a program runs and prints it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from growthmm.equivalence.explaining.habits import Habits
from growthmm.errors import UnsupportedError
from growthmm.model.bound import BoundMixed
from growthmm.model.growth import Covariate, GrowthModel
from growthmm.model.residual import COMMON
from growthmm.model.sem import Path, SemModel
from growthmm.translation.from_mixed import growth_from_mixed
from growthmm.translation.from_sem import growth_outcomes, loading_table
from growthmm.translation.redundancy import without_redundancy

__all__ = ["Analysis", "SemParts", "growth_of_mixed", "sem_parts"]


@dataclass(frozen=True)
class Analysis:
    """A growth model and everything about how a program runs and prints it.

    Parameters
    ----------
    growth : GrowthModel
        The model; loadings that are estimated stand at their starting values.
    habits : Habits
        How it is run and printed.
    notation : str
        The program's.
    free_loadings : frozenset of (str, int)
        Factor and occasion (from 0) of each loading that is estimated.
    covariate_model : SemModel, optional
        The covariates' own model where it restricts their moments; None where it does not.
    covariate_columns : tuple of Covariate
        What the variables of `covariate_model` are.
    """

    growth: GrowthModel
    habits: Habits
    notation: str
    free_loadings: frozenset[tuple[str, int]] = frozenset()
    covariate_model: SemModel | None = None
    covariate_columns: tuple[Covariate, ...] = ()


def growth_of_mixed(bound: BoundMixed) -> GrowthModel:
    """The growth model of a mixed model, whatever its residuals and times.

    Residual structures and individual times that the translation to an SEM leaves out are kept
    as they are: what is explained is fitted in the mixed form then.

    Raises
    ------
    UnsupportedError
        If part of the model is no growth model.
    """
    bound = without_redundancy(bound)
    residual = bound.model.residual
    schema = bound.schema
    if not schema.shared_times:
        schema = replace(schema, shared_times=True)
    plain = replace(bound, model=replace(bound.model, residual=COMMON), schema=schema)
    if residual.kind in ("common", "by_occasion"):
        plain = replace(plain, model=bound.model)
    growth, _ = growth_from_mixed(plain)
    if not growth.factors and not growth.occasion_means:
        raise UnsupportedError(
            "The mixed model has no growth factor: no fixed or random function of time.",
            hint="Write at least an intercept.",
        )
    return replace(growth, residual=residual, schema=replace(growth.schema, shared_times=True))


@dataclass(frozen=True)
class SemParts:
    """A structural equation model taken apart: the growth curve given covariates, and the rest.

    Parameters
    ----------
    model : SemModel
        With fixed loadings, conditional on covariates.
    free_loadings : tuple of (str, str)
        Factor and outcome of each loading that was free.
    covariate_model : SemModel, optional
        The covariates' own part; None where the model conditions on them.
    saturated : bool
        Whether that part leaves the covariates' means and covariances free.
    """

    model: SemModel
    free_loadings: tuple[tuple[str, str], ...] = ()
    covariate_model: SemModel | None = None
    saturated: bool = True


def sem_parts(model: SemModel) -> SemParts:
    """Take a structural equation model apart, so that its growth curve can be recognised.

    Parameters
    ----------
    model : SemModel
        As read.

    Returns
    -------
    SemParts
        ``y | x`` with loadings at numbers, and what was taken off.
    """
    model, own, saturated = _conditional(model)
    model, free = _with_fixed_loadings(model)
    return SemParts(model, free, own, saturated)


def _conditional(model: SemModel) -> tuple[SemModel, SemModel | None, bool]:
    """The model given its exogenous variables, and their own model."""
    explained = {p.left for p in model.paths if p.op == "~"}
    explained |= {p.right for p in model.paths if p.op == "=~"}
    own = [x for x in model.outcomes if x not in explained]
    if not own or not growth_outcomes(model):
        return model, None, True
    inside = set(own)
    rest, taken = [], []
    for path in model.paths:
        ends = {path.left, path.right} - {""}
        if path.op in ("~~", "~1") and ends <= inside:
            taken.append(path)
        elif path.op == "~~" and ends & inside and (path.free or path.value):
            return model, None, True  # covariates that covary with the rest are no covariates
        else:
            rest.append(path)
    used = {p.parameter for p in rest if p.free}
    if any(p.free and p.parameter in used for p in taken):
        return model, None, True
    alone = SemModel(tuple(taken), (), tuple(own))
    conditional = replace(
        model,
        paths=tuple(rest),
        outcomes=tuple(y for y in model.outcomes if y not in inside),
        covariates=(*model.covariates, *own),
        fixed_x=True,
    )
    q = len(own)
    return conditional, alone, len(alone.free_parameters) == q * (q + 3) // 2


def _with_fixed_loadings(model: SemModel) -> tuple[SemModel, tuple[tuple[str, str], ...]]:
    """Free loadings of growth factors at the numbers of a straight line through the fixed ones."""
    places = {y: j for j, y in enumerate(growth_outcomes(model))}
    free: list[tuple[str, str]] = []
    values: dict[tuple[str, str], float] = {}
    for name, rows in loading_table(model).items():
        own = [y for y, row in rows.items() if row.free and y in places]
        held = {y: float(r.value or 0.0) for y, r in rows.items() if not r.free and y in places}
        held |= {y: 0.0 for y in places if y not in rows}
        if not own or len(held) < 2 or any(rows[y].label for y in own):
            continue
        slope, start = np.polyfit([places[y] for y in held], list(held.values()), 1)
        values |= {(name, y): float(start + slope * places[y]) for y in own}
        free += [(name, y) for y in own]
    if not free:
        return model, ()
    paths = tuple(_held(path, values) for path in model.paths)
    return replace(model, paths=paths), tuple(free)


def _held(path: Path, values: dict[tuple[str, str], float]) -> Path:
    value = values.get((path.left, path.right)) if path.op == "=~" else None
    return path if value is None else replace(path, free=False, value=value, start=None)
