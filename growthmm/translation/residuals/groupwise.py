"""The residuals of several groups as one structure: what groups share, and what not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from growthmm.data.levels import level_text
from growthmm.model.bound import BoundSem
from growthmm.model.defaults import Loss
from growthmm.model.growth import in_groups
from growthmm.model.residual import COMMON, CORRELATED, ResidualStructure
from growthmm.model.schema import Schema
from growthmm.model.shared_strata import structure_of_cells

__all__ = ["GroupOfResiduals", "UnitedResiduals", "residual_matrix_of", "united_residuals"]

BY_OCCASION = ResidualStructure("by_occasion")

Pairs = tuple[tuple[str, str], ...]
Cells = tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True)
class GroupOfResiduals:
    """The residuals of one group, recognised by themselves.

    Parameters
    ----------
    level : int
        Position of the group among the levels.
    structure : ResidualStructure
        Its structure.
    names : mapping of str to str
        Growth parameter keys and the parameters that are the same number.
    rules : tuple of (str, str)
        For the other keys, arithmetic over parameters.
    cells : tuple of (str, str, str)
        The parameters of its (co)variances: the two outcomes, and what the parameter is called.
    """

    level: int
    structure: ResidualStructure
    names: Mapping[str, str]
    rules: Pairs
    cells: Cells

    @property
    def parameters(self) -> frozenset[str]:
        """All parameters among the group's residuals."""
        return frozenset(name for _, _, name in self.cells)


@dataclass(frozen=True, slots=True)
class UnitedResiduals:
    """The residuals of all groups.

    Parameters
    ----------
    structure : ResidualStructure
        The structure; common where there are losses.
    names : tuple of (str, str)
        Growth parameter keys and parameters, or arithmetic over parameters.
    losses : tuple of Loss
        What no mixed model says.
    """

    structure: ResidualStructure = COMMON
    names: Pairs = ()
    losses: tuple[Loss, ...] = ()


def residual_matrix_of(bound: BoundSem) -> Cells:
    """The parameters of one group's residual (co)variances, by their outcomes.

    Parameters
    ----------
    bound : BoundSem
        The model of one group.
    """
    outcomes = set(bound.schema.outcome_columns)
    found = (
        (*sorted((path.left, path.right)), path.parameter)
        for path in bound.model.paths
        if path.op == "~~" and path.free and {path.left, path.right} <= outcomes
    )
    return tuple(sorted((a, b, name) for a, b, name in found))


def united_residuals(groups: Sequence[GroupOfResiduals], schema: Schema) -> UnitedResiduals:
    """One structure for the residuals of several groups.

    Parameters
    ----------
    groups : sequence of GroupOfResiduals
        The groups.
    schema : Schema
        Of all groups, with the grouping.
    """
    grouping = schema.grouping
    assert grouping is not None
    kinds = {group.structure for group in groups}
    own_times = bool(grouping.columns)
    correlated = {str(k) for k in kinds if k.kind not in ("common", "by_occasion")}
    if correlated and own_times:
        return _lost(
            f"residuals {', '.join(sorted(correlated))} in groups with times of their own",
            "the translation of such groups covers residuals without correlations",
            "one group with a column for each time",
        )
    plain = kinds <= {COMMON, BY_OCCASION} and not schema.series
    if len(kinds) > 1 and (not plain or own_times):
        return _lost(
            f"residuals {' and '.join(sorted(map(str, kinds)))} in different groups",
            "a mixed model has one residual structure",
            "the same structure in all groups",
        )
    if len(kinds) == 1 and next(iter(kinds)).kind in CORRELATED:
        return _correlated(groups, schema)
    pairs = dict.fromkeys(pair for group in groups for pair in group.names.items())
    if len(kinds) == 1 and len({key for key, _ in pairs}) == len(pairs):
        if own_times:
            pairs = dict.fromkeys(sorted(pairs, key=lambda p: int(p[0].partition(":")[2] or 0)))
        return UnitedResiduals(next(iter(kinds)), tuple(pairs))
    if kinds == {COMMON} or (plain and not own_times):
        return _by_cells(groups, schema, len(schema.occasions) if plain else 1)
    return _lost(
        f"residual variances {next(iter(kinds))} that differ between groups",
        f"the mixed model has a variance for each level of {grouping.variable}, at all "
        "occasions or at each, or one structure for everyone",
        "one residual variance for each group, or the same in all groups",
    )


def _lost(what: str, why: str, nearest: str) -> UnitedResiduals:
    return UnitedResiduals(losses=(Loss(what, why, nearest),))


def _by_cells(groups: Sequence[GroupOfResiduals], schema: Schema, n_times: int) -> UnitedResiduals:
    """Residual variances by group, or by group and occasion, some of them equal."""
    assert schema.grouping is not None
    rows: list[list[str]] = [[] for _ in groups]
    for group in groups:
        same = group.names.get("residual", "")
        rows[group.level] = [same or group.names[f"residual:{j}"] for j in range(n_times)]
    levels = tuple(map(level_text, schema.grouping.levels))
    by, times = schema.grouping.variable, schema.occasions[:n_times]
    structure = structure_of_cells(by, rows, levels, times)
    flat = [name for row in rows for name in (row if structure.crossed else row[:1])]
    n = n_times if structure.crossed else 1
    names = []
    for name in dict.fromkeys(flat):
        g, j = divmod(flat.index(name), n)
        names.append((f"residual:{g}:{j}" if structure.crossed else f"residual:{g}", name))
    return UnitedResiduals(structure, tuple(names))


def _correlated(groups: Sequence[GroupOfResiduals], schema: Schema) -> UnitedResiduals:
    """A correlated structure that all groups share, or that sets of groups have for themselves."""
    assert schema.grouping is not None
    classes: dict[Cells, list[GroupOfResiduals]] = {}
    for group in sorted(groups, key=lambda group: group.level):
        classes.setdefault(group.cells, []).append(group)
    structure = groups[0].structure
    shared = _between(list(classes.values()))
    if shared:
        levels = [level_text(level) for level in schema.grouping.levels]
        sets = [", ".join(levels[g.level] for g in found) for found in classes.values()]
        return _lost(
            f"{', '.join(shared)} among the residuals {structure} of {' and of '.join(sets)}, "
            "which differ otherwise",
            "groups share the whole residual structure, or have parameters of their own",
            "the same labels on all residual (co)variances of these groups, or on none",
        )
    if len(classes) == 1:
        return UnitedResiduals(structure, (*groups[0].names.items(), *_rules(groups[0])))
    names: list[tuple[str, str]] = []
    sets_: list[tuple[str, ...]] = []
    for found in classes.values():
        where = [group.level for group in found]
        own = (*found[0].names.items(), *_rules(found[0]))
        names += [(in_groups(key, where), text) for key, text in own]
        sets_.append(tuple(level_text(schema.grouping.levels[g]) for g in where))
    made = ResidualStructure(
        "groupwise",
        by=schema.grouping.variable,
        shared=tuple(own for own in sets_ if len(own) > 1),
        within=structure,
    )
    return UnitedResiduals(made, tuple(names))


def _rules(group: GroupOfResiduals) -> Pairs:
    return tuple((k, text) for k, text in group.rules if k.split(":")[0] == "residual")


def _between(classes: Sequence[Sequence[GroupOfResiduals]]) -> tuple[str, ...]:
    """Parameters that groups share whose residuals differ otherwise."""
    found: dict[str, int] = {}
    for own in classes:
        for name in own[0].parameters:
            found[name] = found.get(name, 0) + 1
    return tuple(sorted(name for name, count in found.items() if count > 1))
