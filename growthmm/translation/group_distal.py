"""Outcomes that persons have once, in several groups: which of their parameters groups share.

An outcome regressed on the growth factors is one more random effect (see
:mod:`growthmm.translation.distal`), whose mean, effects and covariances are no parameters of the
structural equation model but follow from several. Groups share one of these where they share all
that it follows from. Where they share some of that alone, the covariances of the groups are tied by
products of parameters, which no mixed model says.
"""

from __future__ import annotations

from collections.abc import Sequence

from growthmm.model.bound import BoundSem
from growthmm.model.defaults import Loss, NonlinearLoss
from growthmm.model.growth import parameter_keys
from growthmm.model.sem import Path
from growthmm.translation.distal import distal_cells

__all__ = ["FOLLOWS", "following_names", "follows", "label_losses"]

FOLLOWS = "\0"
"""Before what stands for a parameter that follows from several of the SEM's."""

Rows = frozenset[tuple[str, str, str, str]]


def follows(text: str) -> bool:
    """Whether a text is no parameter nor arithmetic, but stands for what follows from several."""
    return FOLLOWS in text


def following_names(bound: BoundSem) -> dict[str, str]:
    """For each parameter of an outcome that persons have once, what it follows from in a group.

    Parameters
    ----------
    bound : BoundSem
        The model of one group.

    Returns
    -------
    dict of str to str
        Growth parameter keys, and a text that two groups have in common where the parameter is
        one for both.
    """
    columns = _columns(bound)
    known = {key for key, _ in (*bound.names, *bound.rules)}
    made = {}
    for key in parameter_keys(bound.growth):
        head, *ends = key.split(":")
        if key not in known and set(ends) & set(columns):
            last = ends[-1] if head == "effect" else ""
            rows = sorted(_rows(bound, head, last))
            made[key] = f"{FOLLOWS}{key}{rows}"
    return made


def label_losses(bound: Sequence[BoundSem]) -> list[Loss]:
    """Labels on such an outcome's rows that groups share which differ otherwise.

    Parameters
    ----------
    bound : sequence of BoundSem
        The models of the groups.
    """
    seen: dict[tuple[str, str], set[Rows]] = {}
    for each in bound:
        columns = set(_columns(each).values())
        for path in each.model.paths:
            if not path.free or path.left not in columns:
                continue
            covariate = path.right in each.model.covariates
            head = "mean" if path.op == "~1" else "effect" if covariate else "cov"
            rows = _rows(each, head, path.right if covariate else "")
            seen.setdefault((path.left, path.parameter), set()).add(rows)
    return [
        NonlinearLoss(
            f"the label {label} on {z} in groups that differ otherwise",
            f"that groups share a path to {z} or a variance of it, and not all from which its "
            "covariances with growth follow, ties these by products of parameters; a mixed "
            "model's random effects covary freely in each group, or alike",
            f"paths to {z} without labels in common, or all labels of {z} and of the growth "
            "factors in common",
        )
        for (z, label), found in seen.items()
        if len(found) > 1
    ]


def _columns(bound: BoundSem) -> dict[str, str]:
    """The outcomes that persons have once and that are regressed on growth, by their factors."""
    alone = distal_cells(bound.schema)
    found = {}
    for factor in bound.growth.factors:
        places = [j for j, value in enumerate(factor.loadings) if value]
        if factor.name not in bound.model.latent and len(places) == 1 and places[0] in alone:
            found[factor.name] = bound.schema.outcome_columns[places[0]]
    return found


def _rows(bound: BoundSem, head: str, covariate: str) -> Rows:
    """The rows from which a (co)variance, a mean or an effect of a covariate follows."""
    model = bound.model
    nodes = {*model.latent, *_columns(bound).values()}

    def wanted(path: Path) -> bool:
        if path.op == "~" and path.left in nodes and path.right in nodes:
            return True
        if head == "mean":
            return path.op == "~1" and path.left in nodes
        if head == "effect":
            return path.op == "~" and path.left in nodes and path.right == covariate
        return path.op == "~~"

    return frozenset(
        (path.left, path.op, path.right, path.parameter if path.free else f"{path.value:g}")
        for path in model.paths
        if wanted(path) and (path.free or path.value)
    )
