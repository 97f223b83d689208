"""A growth model said twice: the source's side as written, the other side as translated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from growthmm.data.design.binding import bind_columns
from growthmm.errors import TranslationError, UnsupportedError
from growthmm.model.bound import BoundMixed, BoundSem, ParameterNames
from growthmm.model.defaults import Assumption
from growthmm.model.factor_pattern import entries
from growthmm.model.growth import DirectEffect, FactorBlock, GrowthModel
from growthmm.model.mixed import MixedModel
from growthmm.model.phantoms import phantoms
from growthmm.model.schema import Column, Grouping
from growthmm.model.sem import SemModel
from growthmm.model.terms import Term
from growthmm.rendering import Brief
from growthmm.translation.coding import column_key
from growthmm.translation.definitions import column_signature
from growthmm.translation.from_mixed import growth_from_mixed
from growthmm.translation.from_sem import growth_from_sem
from growthmm.translation.groups.effect_spans import effect_spans
from growthmm.translation.groups.shared_blocks import shared_entries
from growthmm.translation.loadings.curves import probed_loadings
from growthmm.translation.outcomes.to_distal import map_rows
from growthmm.translation.parameter_map import MapRow, parameter_map
from growthmm.translation.redundancy import groups_apart, without_redundancy
from growthmm.translation.residuals.recognition import same_residual
from growthmm.translation.residuals.roles import by_time
from growthmm.translation.to_mixed import mixed_from_growth
from growthmm.translation.to_sem import sem_from_growth

__all__ = ["Pair", "pair_from_mixed", "pair_from_sem"]


@dataclass(frozen=True, repr=False)
class Pair(Brief):
    """Both forms of one growth model.

    Parameters
    ----------
    growth : GrowthModel
        The model itself.
    mixed : BoundMixed
        The mixed form.
    mixed_names : ParameterNames
        Its parameters by growth key.
    sem : BoundSem
        The SEM form, with its names.
    source : {"mixed", "sem"}
        Which side was given.
    parameters : tuple of MapRow
        The parameter map.
    assumptions : tuple of Assumption
        What was guessed on the way.
    """

    growth: GrowthModel
    mixed: BoundMixed
    mixed_names: ParameterNames
    sem: BoundSem
    source: Literal["mixed", "sem"]
    parameters: tuple[MapRow, ...]
    assumptions: tuple[Assumption, ...]


def pair_from_mixed(bound: BoundMixed) -> Pair:
    """Translate a bound mixed model to its latent growth curve.

    Raises
    ------
    UnsupportedError
        If the model has parts that no latent growth curve here says.
    """
    bound = groups_apart(without_redundancy(bound))
    growth, mixed_names = growth_from_mixed(bound)
    if not growth.factors and not growth.occasion_means:
        raise UnsupportedError(
            "The mixed model has no growth factor: no fixed or random function of time.",
            hint="Write at least an intercept.",
        )
    sem = sem_from_growth(growth)
    return Pair(
        growth,
        bound,
        mixed_names,
        sem,
        "mixed",
        parameter_map(growth, mixed_names, sem.names, sem.rules, free=_free(sem))
        + map_rows(growth, sem, mixed_names),
        bound.assumptions,
    )


def pair_from_sem(sem: BoundSem, *, spelling: str = "lme4") -> Pair:
    """Translate a bound latent growth curve to its mixed model.

    Parameters
    ----------
    sem : BoundSem
        With its growth model.
    spelling : str
        The mixed notation whose coefficient names are used.

    Raises
    ------
    UnsupportedError
        If no formula says part of the model.
    """
    if sem.growth.loading_keys:
        # The only mixed notation with parameters within terms.
        spelling = "nlme"
    mixed, mixed_names = mixed_from_growth(sem.growth, spelling=spelling)
    return Pair(
        sem.growth,
        mixed,
        mixed_names,
        sem,
        "sem",
        parameter_map(sem.growth, mixed_names, sem.names, sem.rules, sem.inverse, free=_free(sem))
        + map_rows(sem.growth, sem, mixed_names),
        sem.assumptions,
    )


def _free(sem: BoundSem) -> frozenset[str]:
    """Parameters that stand in constraints alone."""
    return frozenset(one.parameter for one in phantoms(sem.model).values())


def same_growth(first: GrowthModel, second: GrowthModel) -> str | None:
    """What tells two growth models apart, or None where nothing but names does.

    Factors are matched by their loadings, covariates by the columns they stand for.
    """
    grouping = first.schema.grouping or second.schema.grouping
    for what, a, b in zip(
        ("occasions", "growth factors", "covariances of the factors", "effects"),
        _signature(first, grouping),
        _signature(second, grouping),
        strict=True,
    ):
        if a != b:
            return f"{what}: {a} against {b}"
    if not _same_residual(first, second):
        return f"residuals: {first.residual} against {second.residual}"
    return None


def _same_residual(first: GrowthModel, second: GrowthModel) -> bool:
    if first.schema.series:
        return first.residual == second.residual
    one, other = first.residual, second.residual
    if one.within is not None and other.within is not None:
        if (one.by, frozenset(one.shared)) != (other.by, frozenset(other.shared)):
            return False
        one, other = one.within, other.within
    return same_residual(one, other, first.schema.occasions)


def _rounded(values: tuple[float, ...]) -> tuple[float, ...]:
    scale = max((abs(v) for v in values), default=0.0) or 1.0
    # Adding zero makes minus zero zero.
    return (float(f"{scale:.9g}"), *(round(v / scale, 9) + 0.0 for v in values))


def _signature(growth: GrowthModel, grouping: Grouping | None) -> tuple[object, ...]:
    # Effects of the groups have as many codings as factors of a formula.
    schema = replace(growth.schema, grouping=grouping)
    loadings: dict[str, object] = {
        f.name: _rounded(probed_loadings(f, growth))
        if f.definition is None
        else column_signature(f, growth)
        for f in growth.factors
    }
    columns = {c.name: c.column for c in growth.covariates}
    varying = {c.name: c.time_varying for c in growth.covariates}
    constant = Column(Term())
    by_factor = [
        ((varying[e.covariate], loadings[e.factor]), columns[e.covariate])
        for e in growth.predictor_effects
    ]
    direct = [
        ((varying[e.covariate], e.occasion, _rounded(_acting(e, growth))), columns[e.covariate])
        for e in growth.direct_effects
    ]
    by_factor += [((False, loadings[f.name]), constant) for f in growth.factors if f.mean]
    direct += [((False, m.occasion, _rounded(())), constant) for m in growth.occasion_means]
    return (
        growth.schema.occasions,
        frozenset((loadings[f.name], f.random) for f in growth.factors),
        (
            frozenset((_block_signature(block, loadings), block.groups) for block in growth.blocks),
            frozenset(_block_signature(block, loadings) for block in growth.outer_blocks),
            shared_entries(growth, loadings),
        ),
        (
            effect_spans(by_factor, schema),
            effect_spans(direct, schema),
        ),
    )


def _acting(effect: DirectEffect, growth: GrowthModel) -> tuple[float, ...]:
    """How an effect moves with time, zero where a lagged covariate has no value."""
    columns = growth.covariate(effect.covariate).columns
    if not effect.loadings or "" not in columns:
        return effect.loadings
    return tuple(v if x else 0.0 for v, x in zip(effect.loadings, columns, strict=True))


def _block_signature(block: FactorBlock, loadings: dict[str, object]) -> object:
    """Which entries are equal, and which held at what, by the factors' loadings."""
    places: dict[str | float, set[object]] = {}
    for a, b, cell in entries(block.cells):
        pair = frozenset((loadings[block.factors[a]], loadings[block.factors[b]]))
        places.setdefault(cell, set()).add(pair)
    return frozenset(
        (None if isinstance(cell, str) else cell, frozenset(found))
        for cell, found in places.items()
    )


def reread(pair: Pair, model: object) -> str | None:
    """Compare a model read again from written text with the model meant.

    Parameters
    ----------
    pair : Pair
        What was meant.
    model : MixedModel or SemModel
        What was read.

    Returns
    -------
    str or None
        What differs, None where nothing does.
    """
    if isinstance(model, SemModel):
        try:
            hints = [f.column for f in pair.growth.factors if not f.cells and f.definition is None]
            curves = tuple((f.column, f.parameters) for f in pair.growth.factors if f.cells)
            hints += [e.column for e in pair.growth.direct_effects if e.column is not None]
            again = growth_from_sem(
                model, pair.sem.schema, pair.sem.covariates, hints=tuple(hints), curves=curves
            )
        except TranslationError as error:
            return str(error)
        return same_growth(pair.growth, again.growth)
    assert isinstance(model, MixedModel)
    # Whether residuals by a column are by occasion, text alone does not always tell.
    model, meant = by_time(model, pair.mixed.schema.time), pair.mixed.model
    for what in ("response", "residual", "loading_parameters"):
        if getattr(model, what) != getattr(meant, what):
            return f"{what}: {getattr(model, what)} against {getattr(meant, what)}"
    if _products(model.fixed) != _products(meant.fixed):
        return f"fixed effects: {_terms(model.fixed)} against {_terms(meant.fixed)}"
    if _blocks(model) != _blocks(meant):
        return "random effects differ"
    # The order of terms decides how factors are coded.
    coded = bind_columns(model.fixed, None, known=pair.mixed.schema).columns
    if {column_key(c) for c in coded} != {column_key(c) for c in pair.mixed.fixed}:
        return f"the coding of {_terms(model.fixed)}"
    return None


def _products(terms: Sequence[Term]) -> set[frozenset[str]]:
    """Terms whatever the order of their factors, which text need not keep."""
    return {frozenset(term.factors) for term in terms}


def _terms(terms: object) -> str:
    return " + ".join(str(term) for term in terms)  # type: ignore[attr-defined]


def _blocks(model: MixedModel) -> frozenset[tuple[object, ...]]:
    """Random effects as independent sets: ``||`` and separate bars mean the same."""
    made: set[tuple[object, ...]] = set()
    for block in model.random:
        if block.covariance in ("diagonal", "by_term"):
            made |= {(frozenset((term,)), block.group) for term in block.terms}
        elif block.covariance == "unstructured":
            made.add((frozenset(block.terms), block.group))
        else:
            made.add((block.terms, block.group, block.covariance, block.pattern))
    return frozenset(made)
