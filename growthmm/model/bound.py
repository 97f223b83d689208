"""Symbolic models together with the facts of their data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from growthmm.model.defaults import Assumption
from growthmm.model.factor_pattern import Pattern, named_pattern
from growthmm.model.growth import Covariate, GrowthModel
from growthmm.model.mixed import MixedModel
from growthmm.model.names import covariance_name
from growthmm.model.schema import Column, Schema
from growthmm.model.sem import SemModel
from growthmm.rendering import Brief

__all__ = ["BoundMixed", "BoundSem", "ParameterNames", "RandomColumns", "block_names"]

ParameterNames = tuple[tuple[str, str], ...]
"""Pairs (key of the growth model's parameter, the family's name of the same parameter)."""


@dataclass(frozen=True, slots=True)
class RandomColumns:
    """The design columns of one independent block of random effects.

    Parameters
    ----------
    columns : tuple of Column
        Its columns.
    diagonal : bool
        Whether the effects are uncorrelated, with variances of their own.
    pattern : tuple of tuple of (str or float)
        Else, where entries of their covariance matrix are equal or held, the whole matrix: entries
        with one name are equal. Empty for an unstructured block.
    outer : bool
        Whether they are effects of the clusters that hold the persons.
    states : bool
        Whether they are the random intercepts of a person's occasions, a column a time.
    """

    columns: tuple[Column, ...]
    diagonal: bool = False
    pattern: tuple[tuple[str | float, ...], ...] = ()
    outer: bool = False
    states: bool = False


@dataclass(frozen=True, repr=False)
class BoundMixed(Brief):
    """A mixed model whose columns, levels and constants are fixed.

    Parameters
    ----------
    model : MixedModel
        What the text says.
    schema : Schema
        What the data are; ``time`` is None where nothing needed it.
    fixed : tuple of Column
        Columns of the fixed-effects design.
    random : tuple of RandomColumns
        Independent blocks of random effects.
    assumptions : tuple of Assumption
        What binding had to guess.
    """

    model: MixedModel
    schema: Schema
    fixed: tuple[Column, ...]
    random: tuple[RandomColumns, ...]
    assumptions: tuple[Assumption, ...] = ()


@dataclass(frozen=True, repr=False)
class BoundSem(Brief):
    """A structural equation model whose variables are tied to data.

    Parameters
    ----------
    model : SemModel
        The table of paths.
    schema : Schema
        What the data are; ``outcome_columns`` are the growth outcomes in order of occasion.
    covariates : tuple of Covariate
        What each covariate of the model is in terms of long data.
    growth : GrowthModel
        The growth model that it says.
    names : ParameterNames
        Growth parameter keys and the model's parameter names, where the two are one number.
    assumptions : tuple of Assumption
        What binding had to guess.
    rules : tuple of (str, str)
        Growth parameter keys whose value is no parameter of the model but computed from several,
        and how.
    inverse : tuple of (str, str)
        Parameters of the model that are no parameter of the growth model, and how they follow.
    """

    model: SemModel
    schema: Schema
    covariates: tuple[Covariate, ...]
    growth: GrowthModel
    names: ParameterNames
    assumptions: tuple[Assumption, ...] = ()
    rules: ParameterNames = ()
    inverse: ParameterNames = ()


def block_names(
    block: RandomColumns, cells: Pattern, effects: Sequence[str], group: str, schema: Schema
) -> Pattern:
    """The covariance matrix of a block under the names of its parameters.

    Parameters
    ----------
    block : RandomColumns
        The block.
    cells : Pattern
        Its covariance matrix, with any names.
    effects : sequence of str
        The names of its effects.
    group : str
        Their grouping factor.
    schema : Schema
        With the columns of persons and times.
    """
    if not block.states:
        return named_pattern(cells, effects, group)
    name = covariance_name("(Intercept)", "(Intercept)", f"{schema.person}:{schema.time}")
    return tuple(tuple(name if isinstance(cell, str) else cell for cell in row) for row in cells)
