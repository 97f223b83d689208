"""A growth curve of several groups that differ in means alone, as one with group indicators."""

from __future__ import annotations

from dataclasses import replace

from growthmm.errors import UnsupportedError
from growthmm.model.defaults import Loss
from growthmm.model.sem import Path, SemModel
from growthmm.translation.naming import covariate_name

__all__ = ["indicator_name", "with_indicators"]


def indicator_name(variable: str, label: str) -> str:
    """The covariate that is 1 in one group.

    Examples
    --------
    >>> indicator_name("sex", "male")
    'sexmale'
    """
    return covariate_name(f"{variable}{label}")


def with_indicators(model: SemModel) -> SemModel:
    """The model of one group with the same moments, groups told apart by indicators.

    Means of latent variables that differ from group to group become effects of the indicators;
    everything else has to be equal over the groups.

    Parameters
    ----------
    model : SemModel
        Written out for its groups (``n_groups``, ``group_labels``).

    Returns
    -------
    SemModel
        Of one group; its reference group is the first label in sorted order.

    Raises
    ------
    UnsupportedError
        If groups differ in more than means, or in some means alone.
    """
    labels = model.group_labels
    first = labels.index(min(labels))
    rows: dict[tuple[str, ...], dict[int, Path]] = {}
    for path in model.paths:
        ends = sorted((path.left, path.right)) if path.op == "~~" else [path.left, path.right]
        rows.setdefault((ends[0], path.op, ends[1]), {})[path.group] = path
    kept: list[Path] = []
    effects: list[Path] = []
    losses: list[Loss] = []
    variable = model.group_variable or "group"
    others = [g for g in range(len(labels)) if g != first]
    for (left, op, right), by_group in rows.items():
        if len(by_group) < len(labels):
            losses.append(_loss(f"{left}{op}{right}"))
            continue
        base = by_group[first]
        contents = {(p.free, p.value, p.parameter if p.free else "") for p in by_group.values()}
        kept.append(replace(base, group=0))
        if len(contents) == 1:
            continue
        own = {p.parameter for p in by_group.values() if p.free}
        if op == "~1" and left in model.latent and len(own) == len(labels):
            effects += [Path(left, "~", indicator_name(variable, labels[g])) for g in others]
        else:
            losses.append(_loss(base.name))
    if losses:
        raise UnsupportedError(
            "The groups differ in more than the means of growth factors.", losses=losses
        )
    names = tuple(indicator_name(variable, labels[g]) for g in others) if effects else ()
    return replace(
        model,
        paths=(*kept, *effects),
        covariates=(*model.covariates, *names),
        n_groups=1,
        group_variable=None,
        group_labels=(),
    )


def _loss(name: str) -> Loss:
    return Loss(
        name,
        "it is not the same in all groups, and no covariate says that",
        "labels that are equal over the groups, or each group on its own",
    )
