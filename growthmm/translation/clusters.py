"""Which grouping factor is the persons', and which the clusters that hold them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from growthmm.data.frames import codes, require_columns
from growthmm.data.roles import classify
from growthmm.errors import DataError, UnboundError, UnsupportedError
from growthmm.model.defaults import Loss
from growthmm.model.expression import quote, variables
from growthmm.model.growth import Covariate
from growthmm.model.mixed import MixedModel
from growthmm.model.schema import Column, Schema
from growthmm.model.sem import SemModel
from growthmm.translation.tabulate import part_variables

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "Grouping",
    "cluster_of",
    "grouping",
    "is_of_clusters",
    "of_two_levels",
    "with_clusters",
]


@dataclass(frozen=True)
class Grouping:
    """The columns of persons and of clusters.

    Parameters
    ----------
    person : str
        The column of persons.
    cluster : str, optional
        The column of clusters, where they have random effects.
    repeats : bool
        Whether persons' names repeat from cluster to cluster.
    """

    person: str
    cluster: str | None = None
    repeats: bool = False


def grouping(
    model: MixedModel,
    frame: pd.DataFrame | None,
    id: str | None,
    known: Schema | None,
    *,
    wide_form: bool = True,
) -> Grouping | None:
    """Read nested grouping factors: ``(t | school) + (t | child)``, ``(t | school/child)``.

    Parameters
    ----------
    model : MixedModel
        The model.
    frame : DataFrame, optional
        Long data, which show what is nested in what.
    id : str, optional
        The column of persons, where it was given.
    known : Schema, optional
        Facts that are given in place of data.
    wide_form : bool
        Whether every person needs a name of its own.

    Returns
    -------
    Grouping or None
        None for a model of one grouping factor that is a column.

    Raises
    ------
    UnsupportedError
        If the factors are crossed, or more than two.
    UnboundError
        If there are no data, and neither the text nor the facts say what is nested in what.
    DataError
        If a person's name stands in several clusters.
    """
    groups = model.groups
    names = tuple(dict.fromkeys(name for group in groups for name in variables(group)))
    if len(groups) < 2 and len(names) < 2:
        return None
    if len(names) > 2:
        _refuse_many(groups)
    person, cluster = _order(groups, names, frame, id, known)
    whole = {quote(cluster)}, {quote(person), f"{quote(cluster)}:{quote(person)}"}
    whole[1].add(f"{quote(person)}:{quote(cluster)}")
    strange = [g for g in groups if g not in whole[0] | whole[1]]
    if strange or len([g for g in groups if g in whole[1]]) != 1:
        _refuse_many(groups)
    outer = cluster if quote(cluster) in groups else None
    if frame is not None and not wide_form and outer and quote(person) not in groups:
        require_columns(frame, [person, cluster])
        return Grouping(person, outer, not _nested(frame, person, cluster))
    if frame is not None:
        _check_nested(frame, person, cluster)
    return Grouping(person, outer)


def _order(
    groups: tuple[str, ...],
    names: tuple[str, ...],
    frame: pd.DataFrame | None,
    id: str | None,
    known: Schema | None,
) -> tuple[str, str]:
    """The person's column, then the cluster's."""
    first, second = names
    said = id or (known.person if known is not None else None)
    if said in names:
        return said, second if said == first else first
    alone = [name for name in names if quote(name) in groups]
    if len(alone) == 1:
        # (1 | school/child) writes school alone and child within it.
        return (second, first) if alone[0] == first else (first, second)
    if not alone:
        return second, first
    if frame is None:
        raise UnboundError(
            f"Nothing says whether {first} is nested in {second} or {second} in {first}.",
            missing=("id",),
            hint=f"Write ({first}/{second}), give data, or name the person: id= or --id.",
        )
    require_columns(frame, names)
    for person, cluster in ((second, first), (first, second)):
        if _nested(frame, person, cluster):
            return person, cluster
    _refuse_crossed(frame, first, second)
    raise AssertionError  # pragma: no cover


def _nested(frame: pd.DataFrame, person: str, cluster: str) -> bool:
    role = classify(frame, id=person, time=None, names=[cluster])[0].role
    return role == "person_level"


def _check_nested(frame: pd.DataFrame, person: str, cluster: str) -> None:
    require_columns(frame, [person, cluster])
    if _nested(frame, person, cluster):
        return
    numbers, labels = codes(frame, person)
    places, homes = codes(frame, cluster)
    for number in range(len(labels)):
        found = np.unique(places[(numbers == number) & (places >= 0)])
        if len(found) > 1:
            shown = ", ".join(str(homes[k]) for k in found[:3])
            raise DataError(
                f"The {person} {labels[number]} has rows in more than one {cluster}: {shown}.",
                hint=f"Where it is another {person} in each, give every one a name of its own; "
                "persons who change clusters have crossed random effects, which lme4 and "
                "MixedModels.jl fit.",
            )


def _refuse_crossed(frame: pd.DataFrame, first: str, second: str) -> None:
    n, m = len(codes(frame, first)[1]), len(codes(frame, second)[1])
    raise UnsupportedError(
        f"The random effects of {first} ({n} levels) and of {second} ({m} levels) are crossed: "
        "neither is nested in the other.",
        losses=[
            Loss(
                f"random effects of {first} crossed with those of {second}",
                "no person belongs to one cluster, so that no rows of data are independent",
                "lme4, or MixedModels.jl",
            )
        ],
        hint="Keep the random effects of persons alone, or of persons and the clusters that hold "
        "them.",
    )


def _refuse_many(groups: tuple[str, ...]) -> None:
    raise UnsupportedError(
        f"The model has random effects of {', '.join(groups)}.",
        losses=[
            Loss(
                f"random effects of {', '.join(groups)}",
                "a growth curve has persons, and at most one kind of clusters that hold them",
                "random effects of persons and of one grouping factor around them; lme4",
            )
        ],
        hint="Keep two nested grouping factors.",
    )


def with_clusters(schema: Schema, found: Grouping | None, frame: pd.DataFrame | None) -> Schema:
    """The schema with its clusters, and the roles of what is the same for all of one."""
    cluster = None if found is None else found.cluster
    if found is None or cluster is None or schema.cluster == cluster:
        return schema
    made = []
    for variable in schema.variables:
        if variable.role == "person_level" and frame is not None:
            role = classify(frame, id=cluster, time=None, names=[variable.name])[0].role
            if role == "person_level":
                made.append(replace(variable, role="cluster_level"))
                continue
        made.append(variable)
    return replace(schema, cluster=cluster, repeats=found.repeats, variables=tuple(made))


def is_of_clusters(covariate: Covariate | Column, schema: Schema) -> bool:
    """Whether a covariate is the same for all persons of a cluster."""
    column = covariate if isinstance(covariate, Column) else covariate.column
    names = {name for part in column.parts for name in part_variables(part)}
    roles = {None if (v := schema.variable(name)) is None else v.role for name in names}
    return schema.cluster is not None and roles == {"cluster_level"}


def cluster_of(model: SemModel, known: Schema | None) -> str:
    """The column of clusters of a model of two levels.

    Raises
    ------
    UnboundError
        If neither the model nor the facts name it.
    """
    cluster = model.cluster_variable or (known.cluster if known is not None else None)
    if cluster is None:
        raise UnboundError(
            "The model has two levels, and nothing says which column holds the clusters.",
            missing=("cluster",),
            hint='Write the whole call: growth(model, cluster = "school").',
        )
    return cluster


def of_two_levels(
    model: SemModel, schema: Schema, covariates: Sequence[Covariate], cluster: str
) -> Schema:
    """The schema with its clusters; covariates that act at level 2 are theirs."""
    above = {p.right for p in model.paths if p.level == 2 and p.op == "~"}
    names = {
        name
        for covariate in covariates
        if set(covariate.columns) & above
        for part in covariate.column.parts
        for name in part_variables(part)
    }
    variables_ = tuple(
        replace(v, role="cluster_level") if v.name in names and v.role == "person_level" else v
        for v in schema.variables
    )
    return replace(schema, cluster=cluster, variables=variables_)
