"""Covariance structures of random effects that a program does not have."""

from __future__ import annotations

from collections.abc import Collection

from growthmm.model.defaults import Loss
from growthmm.model.mixed import BlockCovariance, MixedModel

__all__ = ["PLAIN", "covariance_losses"]

PLAIN: tuple[BlockCovariance, ...] = ("unstructured", "diagonal", "by_term")
"""What every program can say, alone or term by term."""

_SHOWN = {
    "compound_symmetry": "equal variances and equal covariances",
    "identity": "equal variances without covariances",
    "patterned": "covariances of which some are equal or held at numbers",
}
_NEAREST = {
    "compound_symmetry": "nlme's pdCompSymm(), Stata's covariance(exchangeable), or lavaan",
    "identity": "nlme's pdIdent(), Stata's covariance(identity), or lavaan",
    "patterned": "a structural equation program with labels and fixed values (lavaan, Mplus, "
    "OpenMx), or gm.fit, which fits the model as it is",
}


def covariance_losses(
    title: str, model: MixedModel, said: Collection[BlockCovariance] = PLAIN
) -> list[Loss]:
    """The random blocks whose covariance structure a program cannot say.

    Parameters
    ----------
    title : str
        The program.
    model : MixedModel
        The model.
    said : collection of str
        The structures that it has.
    """
    return [
        Loss(
            f"{_SHOWN[block.covariance]} of {', '.join(map(str, block.terms))} | {block.group}",
            f"{title} has no such structure of random effects",
            _NEAREST[block.covariance],
        )
        for block in model.random
        if block.covariance not in said
    ]
