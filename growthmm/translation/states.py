"""Random intercepts of a person's occasions: the states of a second-order growth model.

Several outcomes of a person at one time share a deviation from the person's curve, ``(1 | id:t)``
beside ``(1 + t | id)``. As effects of the person they are one for each time, independent and of
one variance: ``(0 + factor(t) | id)`` with an identity matrix, and on the SEM side the residuals of
the first-order factors (condition 21).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from growthmm.model.bound import BoundMixed
from growthmm.model.expression import quote, variables
from growthmm.model.factor_pattern import pattern_kind
from growthmm.model.growth import FactorBlock, GrowthFactor, GrowthModel
from growthmm.model.mixed import MixedModel, RandomBlock
from growthmm.model.schema import Schema
from growthmm.model.sem import Path
from growthmm.model.terms import Term

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "States",
    "is_of_states",
    "person_effects",
    "state_block",
    "state_loadings",
    "states_last",
    "states_of",
    "with_states",
]


@dataclass(frozen=True, slots=True)
class States:
    """Who has a random intercept at each time.

    Parameters
    ----------
    person, time : str
        The columns.
    """

    person: str
    time: str


def states_of(
    model: MixedModel, frame: pd.DataFrame | None, id: str | None, time: str | None
) -> States | None:
    """Find a random intercept over ``person:time`` beside random effects over ``person``.

    Parameters
    ----------
    model : MixedModel
        The model.
    frame : DataFrame, optional
        Long data.
    id, time : str, optional
        The columns of persons and times, where they were given.

    Returns
    -------
    States or None
        None where no grouping factor is of persons' occasions: time is a number that the model's
        terms use, or the column that was named.
    """
    used = {
        name
        for terms in (model.fixed, *(block.terms for block in model.random))
        for term in terms
        for factor in term.factors
        for name in variables(factor)
    }
    for block in model.random:
        names = variables(block.group)
        if len(names) != 2 or block.terms != (Term(),):
            continue
        for person, occasion in (names, names[::-1]):
            if quote(person) not in model.groups or id not in (None, person):
                continue
            if time != occasion and (time is not None or occasion not in used):
                continue
            if frame is None or (occasion in frame.columns and _is_number(frame, occasion)):
                return States(person, occasion)
    return None


def _is_number(frame: pd.DataFrame, name: str) -> bool:
    from growthmm.data.levels import column_levels

    return column_levels(frame, name) is None


def person_effects(model: MixedModel, states: States) -> MixedModel:
    """The model with an effect of the person for each time in place of ``(1 | person:time)``."""
    person, time = quote(states.person), quote(states.time)
    own = RandomBlock((Term((f"C({time})",)),), person, "identity")
    return replace(
        model,
        random=tuple(own if _of_states(block, states) else block for block in model.random),
    )


def _of_states(block: RandomBlock, states: States) -> bool:
    return set(variables(block.group)) == {states.person, states.time}


def with_states(bound: BoundMixed, model: MixedModel, states: States) -> BoundMixed:
    """The bound model as its text says it, the columns of states marked.

    Parameters
    ----------
    bound : BoundMixed
        Bound with an effect of the person for each time.
    model : MixedModel
        As the text says it.
    states : States
        Whose.
    """
    term = Term((f"C({quote(states.time)})",))
    plain = {block for block in model.random if not _of_states(block, states)}
    marked = [block for block in bound.model.random if block not in plain]
    assert all(block.terms == (term,) for block in marked)
    random = tuple(
        replace(own, states=True) if {column.term for column in own.columns} == {term} else own
        for own in bound.random
    )
    return replace(bound, model=replace(bound.model, random=model.random), random=random)


def is_of_states(block: FactorBlock, growth: GrowthModel) -> bool:
    """Whether growth factors are one for each time of several outcomes, alike and independent."""
    schema = growth.schema
    if not schema.series or block.groups or pattern_kind(block.cells) != "identity":
        return False
    loadings = {growth.factor(name).loadings for name in block.factors}
    if any(growth.factor(name).mean for name in block.factors):
        return False
    wanted = {tuple(float(own == t) for own in schema.occasions) for t in schema.times}
    several = all(sum(own) > 1 for own in wanted)
    return several and loadings == wanted and len(block.factors) == len(wanted)


def states_last(growth: GrowthModel) -> GrowthModel:
    """The model with what holds for all of a person's times before what holds for one."""
    ordered = sorted(growth.blocks, key=lambda block: is_of_states(block, growth))
    return replace(growth, blocks=tuple(ordered))


def state_loadings(factor: GrowthFactor, growth: GrowthModel) -> list[Path]:
    """The loadings of a second-order growth model: of states on outcomes, of growth on states.

    Parameters
    ----------
    factor : GrowthFactor
        A factor with fixed loadings.
    growth : GrowthModel
        The model it is of.

    Returns
    -------
    list of Path
        Empty where the model has no states, or the factor is no function of time alone.
    """
    block = next((block for block in growth.blocks if is_of_states(block, growth)), None)
    if block is None:
        return []
    schema = growth.schema
    if factor.name in block.factors:
        pairs = zip(schema.outcome_columns, factor.loadings, strict=True)
        return [Path(factor.name, "=~", y, free=False, value=v) for y, v in pairs if v]
    first = {t: schema.occasions.index(t) for t in schema.times}
    if tuple(factor.loadings[first[t]] for t in schema.occasions) != factor.loadings:
        return []
    at = {growth.factor(name).loadings.index(1.0): name for name in block.factors}
    state = {schema.occasions[j]: name for j, name in at.items()}
    return [
        Path(factor.name, "=~", state[t], free=False, value=factor.loadings[j])
        for t, j in first.items()
    ]


def state_block(schema: Schema) -> RandomBlock:
    """``(1 | person:time)``."""
    return RandomBlock((Term(),), f"{quote(schema.person)}:{quote(schema.time or 'time')}")
