"""Residual structures with parameters of their own in each group of persons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from growthmm.model.names import in_stratum
from growthmm.model.residual import ResidualStructure
from growthmm.model.residual_parameters import ResidualParameter, residual_parameters
from growthmm.model.shared_strata import cell_classes, class_names

__all__ = ["GroupResiduals", "groupwise_parameters"]


@dataclass(frozen=True, slots=True)
class GroupResiduals:
    """The parameters of the residuals of some groups, which share them.

    Parameters
    ----------
    groups : tuple of int
        Positions among the levels.
    name : str
        What parameters call these groups.
    inner : tuple of ResidualParameter
        The parameters as those of a model without groups.
    parameters : tuple of ResidualParameter
        The same with the groups in key and name.
    """

    groups: tuple[int, ...]
    name: str
    inner: tuple[ResidualParameter, ...]
    parameters: tuple[ResidualParameter, ...]


def groupwise_parameters(
    structure: ResidualStructure, levels: Sequence[str], occasions: tuple[float, ...]
) -> tuple[GroupResiduals, ...]:
    """The parameters of a structure that groups have each for themselves, class by class.

    Parameters
    ----------
    structure : ResidualStructure
        ``groupwise``.
    levels : sequence of str
        The levels of its column, as text.
    occasions : tuple of float
        The times.

    Returns
    -------
    tuple of GroupResiduals
        One for each set of groups that share their parameters, by first members.

    Examples
    --------
    >>> ar1 = ResidualStructure.parse("by_group:arm:ar1:a|c")
    >>> first, _ = groupwise_parameters(ar1, ("a", "b", "c"), (0.0, 1.0))
    >>> [(p.key, p.name) for p in first.parameters]
    [('residual@0+2', 'var(Residual[a|c])'), ('residual:rho@0+2', 'rho(Residual[a|c])')]
    """
    assert structure.within is not None
    classes = cell_classes(structure, levels, ())
    inner = residual_parameters(structure.within, occasions)
    made = []
    for k, name in enumerate(class_names(structure, levels, ())):
        groups = tuple(g for g, own in enumerate(classes) if own == k)
        where = "@" + "+".join(map(str, groups))
        own = tuple(
            ResidualParameter(p.key + where, in_stratum(p.name, name), p.kind, p.cells)
            for p in inner
        )
        made.append(GroupResiduals(groups, name, inner, own))
    return tuple(made)
