"""An analysis: a growth model together with how a program runs and prints it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from growthmm.equivalence.explaining.habits import Habits
from growthmm.errors import UnsupportedError
from growthmm.model.bound import BoundMixed
from growthmm.model.growth import Covariate, GrowthModel
from growthmm.model.sem import SemModel
from growthmm.rendering import Brief
from growthmm.translation.from_mixed import growth_from_mixed
from growthmm.translation.loadings.tables import growth_outcomes
from growthmm.translation.redundancy import without_redundancy

__all__ = ["Analysis", "SemParts", "growth_of_mixed", "sem_parts"]


@dataclass(frozen=True, repr=False)
class Analysis(Brief):
    """A growth model and everything about how a program runs and prints it.

    Parameters
    ----------
    growth : GrowthModel
        The model.
    habits : Habits
        How it is run and printed.
    notation : str
        The program's.
    covariate_model : SemModel, optional
        The covariates' own model where it restricts their moments; None where it does not.
    covariate_columns : tuple of Covariate
        What the variables of `covariate_model` are.
    """

    growth: GrowthModel
    habits: Habits
    notation: str
    covariate_model: SemModel | None = None
    covariate_columns: tuple[Covariate, ...] = ()


def growth_of_mixed(bound: BoundMixed) -> GrowthModel:
    """The growth model of a mixed model.

    Raises
    ------
    UnsupportedError
        If part of the model is no growth model.
    """
    growth, _ = growth_from_mixed(without_redundancy(bound))
    if not growth.factors and not growth.occasion_means:
        raise UnsupportedError(
            "The mixed model has no growth factor: no fixed or random function of time.",
            hint="Write at least an intercept.",
        )
    return growth


@dataclass(frozen=True)
class SemParts:
    """A structural equation model taken apart: the growth curve given covariates, and theirs.

    Parameters
    ----------
    model : SemModel
        Conditional on covariates.
    covariate_model : SemModel, optional
        The covariates' own part; None where the model conditions on them.
    saturated : bool
        Whether that part leaves the covariates' means and covariances free.
    """

    model: SemModel
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
        ``y | x``, and the model of x where it is not conditioned on.
    """
    explained = {p.left for p in model.paths if p.op == "~"}
    explained |= {p.right for p in model.paths if p.op == "=~"}
    own = [x for x in model.outcomes if x not in explained]
    if not own or not growth_outcomes(model):
        return SemParts(model)
    inside = set(own)
    rest, taken = [], []
    for path in model.paths:
        ends = {path.left, path.right} - {""}
        if path.op in ("~~", "~1") and ends <= inside:
            taken.append(path)
        elif path.op == "~~" and ends & inside and (path.free or path.value):
            return SemParts(model)  # what covaries with the rest is no covariate
        else:
            rest.append(path)
    used = {p.parameter for p in rest if p.free}
    if any(p.free and p.parameter in used for p in taken):
        return SemParts(model)
    alone = SemModel(tuple(taken), (), tuple(own))
    conditional = replace(
        model,
        paths=tuple(rest),
        outcomes=tuple(y for y in model.outcomes if y not in inside),
        covariates=(*model.covariates, *own),
        fixed_x=True,
    )
    q = len(own)
    return SemParts(conditional, alone, len(alone.free_parameters) == q * (q + 3) // 2)
