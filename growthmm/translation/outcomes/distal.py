"""Distal outcomes: an outcome that persons have once, regressed on growth factors.

With ``z = c + b' eta + d' x + e`` and growth factors ``eta`` the means, effects and covariances of
``(eta, z)`` are unrestricted exactly where z has an own intercept, a path or a covariance with
each factor, and a path from each covariate that acts on those factors. Then z is one more random
effect that covaries with the factors. Factors that covary with none of those that z is tied to have
no covariance with it either, and need no path::

    b = cov(eta, eta)^-1 cov(eta, z)

and c, d and the variance of e follow. Where another path is missing, or fixed, the covariances are
restricted by products of parameters, which no linear mixed model says.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from growthmm.errors import UnsupportedError
from growthmm.model.defaults import Loss, NonlinearLoss
from growthmm.model.growth import GrowthFactor
from growthmm.model.schema import Column, Schema
from growthmm.model.sem import Path, SemModel
from growthmm.translation.loadings.basis import basis_column

__all__ = [
    "Distal",
    "among_outcomes",
    "distal_cells",
    "distal_factors",
    "distal_outcomes",
    "refuse_clusters",
    "refuse_in_groups",
    "with_links",
]


@dataclass(frozen=True, slots=True)
class Distal:
    """One distal outcome.

    Parameters
    ----------
    column : str
        The observed variable.
    cell : int
        Its place among the occasions.
    factor : str
        The growth factor that stands for it.
    predictors : tuple of str
        Covariates with a path to it.
    linked : tuple of str
        Growth factors, of other distal outcomes too, that it is tied to by a path or a
        covariance.
    """

    column: str
    cell: int
    factor: str
    predictors: tuple[str, ...]
    linked: tuple[str, ...]


def distal_cells(schema: Schema) -> tuple[int, ...]:
    """The occasions of outcomes that have but one."""
    if not schema.series:
        return ()
    return tuple(
        cells[0] for outcome in schema.outcomes if len(cells := schema.cells_of(outcome)) == 1
    )


def distal_outcomes(
    model: SemModel, schema: Schema, factors: tuple[str, ...]
) -> tuple[tuple[Distal, ...], tuple[Loss, ...]]:
    """The distal outcomes of a model, and what keeps them from being random effects.

    Parameters
    ----------
    model : SemModel
        The model.
    schema : Schema
        With a cell for each distal outcome.
    factors : tuple of str
        The model's growth factors.

    Returns
    -------
    distal : tuple of Distal
        In order of the model's outcomes.
    losses : tuple of Loss
        Over-identifying restrictions and the like; empty where there are none.
    """
    if not schema.series:
        return (), ()
    loaded = {path.right for path in model.paths if path.op == "=~"}
    columns = [y for y in model.outcomes if y in schema.outcome_columns and y not in loaded]
    taken = {*factors, *schema.outcome_columns, *model.covariates}
    names: dict[str, str] = {}
    for y in columns:
        wish = f"i_{y}"
        while wish in taken:
            wish += "_"
        names[y] = wish
    found, losses = [], []
    for y in columns:
        one, own = _distal(model, schema, y, names, factors)
        found.append(one)
        losses += own
    if not losses:
        losses += _restrictions(model, found, factors)
    return tuple(found), tuple(losses)


def distal_factors(
    distal: tuple[Distal, ...], schema: Schema, hints: tuple[Column, ...]
) -> list[GrowthFactor]:
    """A growth factor for each outcome that persons have once: the outcome itself."""
    made = []
    for one in distal:
        loadings = tuple(float(j == one.cell) for j in range(len(schema.outcome_columns)))
        column = basis_column(loadings, schema, hints=hints)
        assert column is not None
        made.append(GrowthFactor(one.factor, column, loadings))
    return made


def refuse_in_groups(schema: Schema) -> None:
    """Refuse what of several outcomes is translated in one group and not in several.

    Raises
    ------
    UnsupportedError
        If groups have columns of their own.
    """
    if not schema.series:
        return
    losses = []
    if schema.grouping is not None and schema.grouping.columns:
        losses.append(
            Loss(
                "groups with outcomes of their own",
                "of several outcomes the groups have the same occasions here",
                "the model of one outcome, or growthmm fit on the SEM side",
            )
        )
    if losses:
        raise UnsupportedError(
            "Several outcomes of several groups are not all translated here.", losses=losses
        )


def refuse_clusters(distal: tuple[Distal, ...]) -> None:
    """Refuse outcomes of persons in clusters that persons have once.

    Raises
    ------
    UnsupportedError
        If there are any.
    """
    if not distal:
        return
    raise UnsupportedError(
        "Distal outcomes of persons in clusters are not translated here.",
        losses=[
            Loss(
                f"the distal outcome {one.column} at two levels",
                "its regression is translated at one level alone",
                "one level, or growthmm fit on the SEM side",
            )
            for one in distal
        ],
    )


def with_links(model: SemModel, distal: tuple[Distal, ...]) -> tuple[SemModel, frozenset[str]]:
    """The model with its distal outcomes as factors that covary, as far as covariances go.

    Parameters
    ----------
    model : SemModel
        The model.
    distal : tuple of Distal
        Its distal outcomes.

    Returns
    -------
    model : SemModel
        With a row for each covariance of a distal outcome's factor.
    made : frozenset of str
        The parameters of these rows, which are none of the model's own.
    """
    pairs: dict[frozenset[str], Path] = {}
    for one in distal:
        for other in (one.factor, *one.linked):
            pairs.setdefault(frozenset((one.factor, other)), Path(one.factor, "~~", other))
    rows = tuple(pairs.values())
    latent = (*model.latent, *(one.factor for one in distal))
    made = frozenset(row.parameter for row in rows)
    return replace(model, paths=(*model.paths, *rows), latent=latent), made


def _distal(
    model: SemModel, schema: Schema, y: str, names: dict[str, str], factors: tuple[str, ...]
) -> tuple[Distal, list[Loss]]:
    losses: list[Loss] = []
    linked: list[str] = []
    predictors: list[str] = []
    nodes = {**{f: f for f in factors}, **names}
    others = [p for p in model.paths if y in (p.left, p.right) and not p.is_zero]
    for path in others:
        other = path.right if path.left == y else path.left
        if path.op == "~1" or (path.op == "~~" and path.left == path.right):
            if not path.free:
                losses.append(_fixed(path))
        elif path.op == "~" and other in model.covariates and path.left == y:
            predictors.append(other)
            if not path.free:
                losses.append(_fixed(path))
        elif other in nodes and (path.op == "~~" or path.left == y or other in names):
            linked.append(nodes[other])
            if not path.free or path.definition is not None:
                losses.append(_fixed(path))
        elif path.op == "~~":
            losses.append(auxiliary(path, y))
        elif path.op == "~" and path.left in model.outcomes:
            losses.append(among_outcomes(path))
        else:
            losses.append(
                Loss(
                    path.name,
                    "the distal outcome acts on growth, and growth does not act on it alone",
                    f"{y} as a covariate, or growthmm fit on the SEM side",
                )
            )
    labels = [p.parameter for p in model.paths if p.free]
    acting = [p for p in others if p.op == "~" and p.right == y]
    shared = [p for p in others if p.free and labels.count(p.parameter) > 1 and p not in acting]
    if shared:
        losses.append(
            Loss(
                f"labels on {', '.join(p.name for p in shared)}",
                "equal paths restrict the covariances of the growth factors with the outcome",
                "paths without labels in common",
            )
        )
    cell = schema.outcome_columns.index(y)
    return Distal(y, cell, names[y], tuple(predictors), tuple(linked)), losses


def among_outcomes(path: Path) -> Loss:
    """Why an outcome that acts on another one is no part of a mixed model."""
    return NonlinearLoss(
        path.name,
        "a regression among outcomes is no random effect: loadings become polynomials",
        "residuals that are correlated",
    )


def auxiliary(path: Path, y: str) -> Loss:
    """Why a variable that covaries with residuals is no part of a mixed model."""
    return Loss(
        path.name,
        f"{y} is an auxiliary variable: it tells what the missing outcomes may have been, and is "
        "no part of the growth model; a mixed model has no place for it, so the two have other "
        "likelihoods",
        "the growth model without it where outcomes are missing at random given the others, "
        "multiple imputation with it, or growthmm fit on the SEM side",
    )


def _fixed(path: Path) -> Loss:
    return NonlinearLoss(
        f"{path.name} fixed",
        "it restricts the covariances of the growth factors with the distal outcome by products "
        "of parameters",
        "a free path",
    )


def _together(
    model: SemModel, found: list[Distal], factors: tuple[str, ...]
) -> dict[str, tuple[str, ...]]:
    """For each factor, the distal outcomes' too, those that it covaries with, itself among them."""
    import networkx

    order = [*factors, *(one.factor for one in found)]
    graph: Any = networkx.Graph()
    graph.add_nodes_from(order)
    graph.add_edges_from((one.factor, other) for one in found for other in one.linked)
    graph.add_edges_from(
        (path.left, path.right)
        for path in model.paths
        if path.op == "~~" and not path.is_zero and {path.left, path.right} <= set(factors)
    )
    parts = [set(part) for part in networkx.connected_components(graph)]
    return {f: tuple(o for o in order if o in part) for part in parts for f in part}


def _restrictions(model: SemModel, found: list[Distal], factors: tuple[str, ...]) -> list[Loss]:
    """Paths that are missing: what is over-identified."""
    losses = []
    acting: dict[str, set[str]] = {f: set() for f in factors}
    for path in model.paths:
        if path.op == "~" and path.left in acting and not path.is_zero:
            acting[path.left] |= {path.right} & set(model.covariates)
    together = _together(model, found, factors)
    column = {one.factor: one.column for one in found}
    for one in found:
        absent = [f for f in together[one.factor] if f != one.factor and f not in one.linked]
        absent = [f for f in absent if f not in column or column[f] > one.column]
        twice = [f for f in set(one.linked) if one.linked.count(f) > 1]
        if twice:
            losses.append(
                Loss(
                    f"{one.column} tied to {', '.join(sorted(twice))} twice",
                    "a path and a covariance of the same two variables are not told apart",
                    "one of them",
                )
            )
        if absent:
            shown = ", ".join(column.get(f, f) for f in absent)
            losses.append(
                NonlinearLoss(
                    f"no path from {shown} to {one.column}",
                    f"that {one.column} depends on growth through other factors only restricts "
                    "their covariances by products of parameters; a mixed model's random effects "
                    "covary freely",
                    f"paths to {one.column} from every growth factor (just identified: the same "
                    "model), or growthmm fit on the SEM side",
                )
            )
        wanted = {x for f in factors if f in one.linked for x in acting[f]}
        lacking = sorted(wanted - set(one.predictors))
        if lacking:
            losses.append(
                NonlinearLoss(
                    f"no direct path from {', '.join(lacking)} to {one.column}",
                    f"full mediation makes the effect on {one.column} a product of parameters; "
                    "a mixed model has an effect of its own",
                    "the direct path (partial mediation), or growthmm fit on the SEM side",
                )
            )
        mean = model.path(one.column, "~1")
        if mean is None or not mean.free:
            losses.append(
                NonlinearLoss(
                    f"the intercept of {one.column} fixed",
                    "its mean would be a product of parameters",
                    f"a free intercept: {one.column} ~ 1",
                )
            )
    return losses
