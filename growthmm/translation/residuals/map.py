"""What the parameter map says of the residuals."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from growthmm.data.levels import level_text
from growthmm.model.growth import GrowthModel, residual_cells
from growthmm.model.strata import residual_terms

__all__ = ["ResidualMapKind", "group_texts", "residual_description", "residual_mixed_syntax"]

ResidualMapKind = Literal["residual", "residual_covariance", "residual_correlation"]


def residual_description(
    growth: GrowthModel, key: str, sem_name: str, *, computed: bool
) -> tuple[ResidualMapKind, str, str]:
    """Kind, SEM syntax and rule of a residual parameter.

    Parameters
    ----------
    growth : GrowthModel
        The model.
    key : str
        The parameter's key.
    sem_name : str
        The SEM's parameter, or the arithmetic that gives it.
    computed : bool
        Whether it is arithmetic.
    """
    if growth.residual.within is not None:
        plain, _, groups = key.partition("@")
        inner = replace(growth, residual=growth.residual.within)
        kind, syntax, rule = residual_description(inner, plain, sem_name, computed=computed)
        among = group_texts(growth, groups)
        return kind, syntax if computed else f"{syntax} in {among}", f"in {among}: {rule}"
    if growth.residual_by_group:
        return _of_group(growth, key, sem_name, computed=computed)
    own = {p.key: p for p in residual_terms(growth.residual, growth.schema)}[key]
    kind = "residual"
    if own.kind != "variance":
        kind = "residual_covariance" if own.kind == "covariance" else "residual_correlation"
    y = growth.schema.outcome_columns
    if computed:
        return kind, sem_name, _computed_rule(growth, key, sem_name)
    j, k = own.cells[0]
    alone = len(own.cells) == 1
    syntax = f"{y[j]} ~~ {y[k]}" if alone else f"{y[j]} ~~ {sem_name}*{y[k]}, ... (one label)"
    if growth.schema.series and own.kind == "covariance":
        shown = ", ".join(f"{y[j]} with {y[k]}" for j, k in own.cells)
        rule = f"Theta of {shown} = residual covariance of two outcomes at one time, {own.name}"
    elif growth.schema.series and not alone and key != "residual":
        shown = ", ".join(y[j] for j, _ in own.cells)
        rule = f"Theta of {shown} = residual variance by {growth.residual}, {own.name}"
    elif own.kind == "covariance":
        rule = (
            f"Theta[{y[j]},{y[k]}] = residual covariance of the two occasions"
            if ":lag" not in key
            else f"Theta {k - j} off the diagonal = residual covariance at lag {k - j}"
        )
    elif alone and key != "residual":
        rule = f"Theta[{y[j]},{y[j]}] = residual variance of that occasion"
    elif growth.residual.kind == "common":
        syntax = f"{y[0]} ~~ v*{y[0]}, ... (one label)"
        rule = "Theta = sigma^2 I, one label for all occasions"
    else:
        rule = "the diagonal of Theta = sigma^2, one label for all occasions"
    return kind, syntax, rule


def group_texts(growth: GrowthModel, where: str) -> str:
    """Groups by their levels, from their positions as keys have them."""
    assert growth.schema.grouping is not None
    levels = growth.schema.grouping.levels
    return ", ".join(level_text(levels[int(g)]) for g in where.split("+"))


def _of_group(
    growth: GrowthModel, key: str, sem_name: str, *, computed: bool
) -> tuple[ResidualMapKind, str, str]:
    """The residual variance of a group, at all occasions or at one."""
    _, group, *when = key.split(":")
    y = growth.schema.outcome_columns
    found = [k for k, own in enumerate(residual_cells(growth)) if own == key]
    if when and len(found) > 1:
        return _of_cells(growth, found, sem_name, computed=computed)
    among = group_texts(growth, group if when else "+".join(map(str, found)))
    if computed:
        return "residual", sem_name, f"residual variance in {among} = {sem_name}"
    if when:
        at = y[int(when[0])]
        rule = f"Theta[{at},{at}] in {among} = residual variance of that group and occasion"
        return "residual", f"{at} ~~ {at} in {among}", rule
    return (
        "residual",
        f"{y[0]} ~~ v*{y[0]}, ... in {among}",
        f"Theta = sigma^2 I in {among}, "
        + ("equal in these groups" if len(found) > 1 else "a variance for each group"),
    )


def _of_cells(
    growth: GrowthModel, cells: list[int], sem_name: str, *, computed: bool
) -> tuple[ResidualMapKind, str, str]:
    """The residual variance of several groups or occasions."""
    n, y = len(growth.schema.occasions), growth.schema.outcome_columns
    by_group: dict[int, list[str]] = {}
    for cell in cells:
        by_group.setdefault(cell // n, []).append(y[cell % n])
    among = "; ".join(
        f"{', '.join(names)} in {group_texts(growth, str(g))}" for g, names in by_group.items()
    )
    if computed:
        return "residual", sem_name, f"residual variance of {among} = {sem_name}"
    at = y[cells[0] % n]
    rule = f"Theta of {among} = residual variance of these groups and occasions"
    return "residual", f"{at} ~~ {sem_name}*{at}, ... (one label)", rule


def _computed_rule(growth: GrowthModel, key: str, text: str) -> str:
    if key == "residual:rho":
        decaying = growth.residual.kind not in ("cs", "csh")
        what = "correlation at time distance 1" if decaying else "correlation of any two occasions"
        return f"rho = {text}, the {what}"
    if key == "residual:ar1":
        return f"variance of the autoregressive part = {text}"
    return f"variance of the independent part = {text}"


def residual_mixed_syntax(kind: ResidualMapKind, name: str) -> str:
    """How the mixed side writes it."""
    return f"sigma^2: {name}" if kind == "residual" else f"R: {name}"
