"""What a mixed model says that no growth model has a place for."""

from __future__ import annotations

from collections.abc import Iterable

from growthmm.model.bound import BoundMixed
from growthmm.model.defaults import Loss
from growthmm.model.residual import BY_LEVEL
from growthmm.model.schema import ColumnPart, Role
from growthmm.model.strata import residual_strata
from growthmm.notation import notation
from growthmm.translation.definitions import losses_at_individual_times
from growthmm.translation.groups.grouping import grouping_variables, split_by_group
from growthmm.translation.lagged import lag_losses
from growthmm.translation.tabulate import part_variables

__all__ = ["TIME_ROLES", "mixed_losses", "roles_of"]

TIME_ROLES: frozenset[Role] = frozenset({"time", "time_function"})
"""Roles of variables that are functions of time alone."""


def mixed_losses(bound: BoundMixed) -> list[Loss]:
    """All that a mixed model says and a growth model has no place for, at once.

    Parameters
    ----------
    bound : BoundMixed
        The mixed model with its columns.
    """
    losses = []
    for column in bound.fixed:
        if "person" in roles_of(column.parts, bound):
            name = notation(bound.model.notation).coefficient(column)
            losses.append(
                Loss(
                    f"fixed effect of {name}",
                    f"{bound.schema.person} only says who is who",
                    "a covariate of the persons",
                )
            )
    for block in bound.random:
        for column in block.columns:
            if "person" in roles_of(column.parts, bound):
                name = notation(bound.model.notation).coefficient(column)
                why = f"{bound.schema.person} only says who is who"
                losses.append(Loss(f"random effect of {name}", why, "a covariate of the persons"))
    losses += lag_losses(bound)
    if not bound.schema.shared_times:
        losses += losses_at_individual_times(bound)
    losses += _group_losses(bound)
    losses += _losses_of_several(bound)
    return losses


def _group_losses(bound: BoundMixed) -> list[Loss]:
    """Residual (co)variances by group that no growth curve of several groups has."""
    residual, grouping = bound.model.residual, bound.schema.grouping
    if residual.kind not in BY_LEVEL or grouping is not None or bound.schema.series:
        return []
    several = grouping_variables(bound)
    if len(several) > 1:
        why = "the groups of a structural equation model are the values of one column"
        nearest = "a column that holds the combination"
    elif not bound.schema.shared_times:
        why = "the translation to groups covers times that persons share"
        nearest = "bin=, or nlme for the mixed model alone"
    elif (variable := bound.schema.variable(residual.by or "")) is None or (
        variable.role != "person_level"
    ):
        why = f"{residual.by} is no group of persons: it varies within them"
        nearest = "residual=by_occasion, or nlme for the mixed model alone"
    else:
        why = "beside them random effects have loadings that differ within the groups"
        nearest = f"a block of random effects for each group of {residual.by}"
    what = "residuals" if residual.kind == "groupwise" else "residual variances"
    return [Loss(f"{what} {residual}", why, nearest)]


def _losses_of_several(bound: BoundMixed) -> list[Loss]:
    """What is translated of one outcome and not of several stacked."""
    if not bound.schema.series:
        return []
    losses = []
    states = any(block.states for block in bound.random)
    if states and len(bound.model.groups) > 2:
        losses.append(
            Loss(
                f"grouping factors {', '.join(bound.model.groups)}",
                "of outcomes that share states persons are the highest level here",
                "the model without clusters, or without the states",
            )
        )
    for column in (column for block in bound.random for column in block.columns):
        if (
            not roles_of(split_by_group(column.parts, bound.schema.grouping)[1], bound)
            <= TIME_ROLES
        ):
            name = notation(bound.model.notation).coefficient(column)
            losses.append(
                Loss(
                    f"random effect of {name}",
                    "its loading differs from person to person, which of several outcomes is not "
                    "translated here",
                    "the model of one outcome, or a fixed effect",
                )
            )
    grouping, residual = bound.schema.grouping, bound.model.residual
    of_groups = grouping is not None and residual.by == grouping.variable
    of_groups = of_groups and residual.kind == "by_group" and not residual.crossed
    if residual_strata(residual, bound.schema) is None and not of_groups:
        losses.append(
            Loss(
                f"residual structure {bound.model.residual}",
                "residuals of several outcomes have variances by outcome and time here, and covary "
                "at one time alone",
                f"residual=by_occasion, by_group:{bound.schema.indicator} or "
                f"across:{bound.schema.indicator}",
            )
        )
    if bound.model.loading_names:
        losses.append(
            Loss(
                f"estimated {', '.join(bound.model.loading_names)} in the loadings",
                "curves of several outcomes at once are not translated here",
                "a curve of each outcome alone, or loadings that are numbers",
            )
        )
    return losses


def roles_of(parts: Iterable[ColumnPart], bound: BoundMixed) -> set[Role]:
    """Which roles the variables of a column's parts have; those of clusters are persons' too.

    Parameters
    ----------
    parts : iterable of ColumnPart
        Factors of a column.
    bound : BoundMixed
        The model whose schema tells.
    """
    roles: set[Role] = set()
    schema, parameters = bound.schema, bound.model.loading_names
    for part in parts:
        for name in part_variables(part):
            if name in parameters:
                continue
            variable = schema.variable(name)
            if name in (schema.person, schema.time):
                roles.add("time" if name == schema.time else "person")
            else:
                role = "time_varying" if variable is None else variable.role
                roles.add("person_level" if role == "cluster_level" else role)
    return roles
