"""Whose moments a proof is about: everyone's, or those of each group, with their occasions."""

from __future__ import annotations

from dataclasses import dataclass

from growthmm.translation.groups.grouping import group_names
from growthmm.translation.pair import Pair

__all__ = ["Stratum", "strata"]


@dataclass(frozen=True)
class Stratum:
    """The persons who have one mean and one covariance matrix.

    Parameters
    ----------
    title : str
        Who they are, ``sex = male``; empty where there is one group.
    group : int
        Their group in the SEM, from 0.
    level : int, optional
        Their position among the levels of the schema's grouping; None where there is one group.
    outcomes : tuple of str
        The outcome columns.
    occasions : tuple of int
        For each outcome its position among the schema's occasions or visits.
    """

    title: str
    group: int
    level: int | None
    outcomes: tuple[str, ...]
    occasions: tuple[int, ...]


def strata(pair: Pair) -> tuple[Stratum, ...]:
    """The groups of both forms, in the SEM's order.

    Parameters
    ----------
    pair : Pair
        The two forms. In cohorts one outcome column stands for other times in each group.
    """
    schema, model = pair.growth.schema, pair.sem.model
    columns = schema.outcome_columns
    grouping = schema.grouping
    if model.n_groups == 1 or grouping is None:
        return (Stratum("", 0, None, columns, tuple(range(len(columns)))),)
    made = []
    order = grouping.order or grouping.levels
    for group, (level, name) in enumerate(zip(order, group_names(grouping), strict=True)):
        own, places = columns, tuple(range(len(columns)))
        if grouping.columns:
            own = tuple(column for column, _ in grouping.columns[group])
            times = schema.occasions
            places = tuple(times.index(time) for _, time in grouping.columns[group])
        title = f"{grouping.variable} = {name}"
        made.append(Stratum(title, group, grouping.levels.index(level), own, places))
    return tuple(made)
