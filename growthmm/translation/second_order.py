"""Second-order growth: several items an occasion, whose common factors grow (condition 21)."""

from __future__ import annotations

from dataclasses import dataclass

from growthmm.errors import UnsupportedError
from growthmm.model.defaults import Loss, NonlinearLoss
from growthmm.model.sem import SemModel

__all__ = ["SecondOrder", "lacking", "refuse_second_order", "second_order"]


@dataclass(frozen=True)
class SecondOrder:
    """A second-order growth model's parts.

    Parameters
    ----------
    occasions : tuple of str
        The first-order factors, one an occasion.
    growth : tuple of str
        The growth factors, which these load on.
    items : tuple of tuple of str
        The outcomes of each occasion, in the order of the items.
    """

    occasions: tuple[str, ...]
    growth: tuple[str, ...]
    items: tuple[tuple[str, ...], ...]


def second_order(model: SemModel) -> SecondOrder | None:
    """Recognise growth factors measured by factors that several outcomes measure.

    Returns
    -------
    SecondOrder or None
        None for any other model.
    """
    latent = set(model.latent)
    measured: dict[str, list[str]] = {}
    grown: dict[str, list[str]] = {}
    for path in model.paths:
        if path.op == "=~":
            (grown if path.right in latent else measured).setdefault(path.left, []).append(
                path.right
            )
    occasions = tuple(name for name in model.latent if name in measured)
    growth = tuple(name for name in model.latent if name in grown)
    if not growth or set(growth) & set(occasions) or len(occasions) < 2:
        return None
    if any(not set(grown[name]) <= set(occasions) for name in growth):
        return None
    items = tuple(tuple(measured[name]) for name in occasions)
    everyone = [y for own in items for y in own]
    several = all(len(own) == len(items[0]) > 1 for own in items)
    return (
        SecondOrder(occasions, growth, items)
        if several and len(set(everyone)) == len(everyone)
        else None
    )


def refuse_second_order(model: SemModel) -> None:
    """Refuse a second-order growth model whose loadings on the outcomes are no ones.

    Raises
    ------
    UnsupportedError
        With what it lacks for the three-level form, and that form.
    """
    found, lost = second_order(model), lacking(model)
    if found is not None and lost:
        raise UnsupportedError(
            "The second-order growth model is no linear mixed model (condition 21).",
            losses=lost,
            hint=f"Without these it would be {_formula(found)} on data with a row an item.",
        )


def _formula(found: SecondOrder) -> str:
    slopes = ["t", "I(t^2)", "I(t^3)"][: len(found.growth) - 1]
    return f"y ~ {' + '.join(['item', *slopes])} + ({' + '.join(['1', *slopes])} | id) + (1 | id:t)"


def lacking(model: SemModel) -> tuple[Loss, ...]:
    """What a second-order growth model lacks for the three-level form; nothing for any other.

    Parameters
    ----------
    model : SemModel
        Any model.
    """
    found = second_order(model)
    if found is None:
        return ()
    losses: list[Loss] = []
    free = [p for p in model.paths if p.op == "=~" and p.left in found.occasions and p.free]
    if free:
        losses.append(
            NonlinearLoss(
                f"estimated loadings {', '.join(p.name for p in free)}",
                "the design of a linear mixed model is fixed numbers, and these are parameters "
                "(measurement invariance)",
                "loadings of 1; growthmm verify fits it as it is",
            )
        )
    others = [
        p
        for p in model.paths
        if p.op == "=~" and p.left in found.occasions and not p.free and p.value != 1
    ]
    if others:
        losses.append(
            Loss(
                f"loadings {', '.join(f'{p.name} = {p.value:g}' for p in others)}",
                "the three-level form has loadings of 1",
                "rescale the items",
            )
        )
    return tuple(losses)
