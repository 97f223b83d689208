"""Columns of the data as coefficients: what most SEM notations cannot say."""

from __future__ import annotations

from growthmm.model.defaults import Loss
from growthmm.model.sem import SemModel

__all__ = ["NEAREST", "definition_losses"]

NEAREST = "OpenMx or Mplus, the mixed model, or individual times rounded to shared ones (bin=)"


def definition_losses(model: SemModel, title: str) -> list[Loss]:
    """One loss for each factor or outcome whose coefficients stand in columns of the data.

    Parameters
    ----------
    model : SemModel
        Any model.
    title : str
        The program that has no definition variables.

    Examples
    --------
    >>> from growthmm.model.sem import Path
    >>> one = Path("s", "=~", "y1", free=False, definition="t1")
    >>> two = Path("s", "=~", "y2", free=False, definition="t2")
    >>> model = SemModel((one, two), ("s",), ("y1", "y2"))
    >>> [loss.what for loss in definition_losses(model, "lavaan 0.6")]
    ['loadings of s in the columns t1, t2']
    """
    held: dict[tuple[str, str], list[str]] = {}
    for path in model.paths:
        if path.definition is None:
            continue
        what = f"loadings of {path.left}" if path.op == "=~" else path.name
        held.setdefault((path.op, what), []).append(path.definition)
    losses = []
    for (_, what), columns in held.items():
        named = list(dict.fromkeys(columns))
        plural = "s" if len(named) > 1 else ""
        losses.append(
            Loss(
                f"{what} in the column{plural} {', '.join(named)}",
                f"{title} has no definition variables: its coefficients are the same for everyone",
                NEAREST,
            )
        )
    return losses
