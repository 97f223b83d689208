"""What a notation of one level says of a model of two."""

from __future__ import annotations

from growthmm.model.defaults import Loss
from growthmm.model.sem import SemModel

__all__ = ["levels_loss"]


def levels_loss(model: SemModel, title: str, why: str | None = None) -> tuple[Loss, ...]:
    """The loss of a model of two levels, for notations that are written with one.

    Parameters
    ----------
    model : SemModel
        Any model.
    title : str
        The program.
    why : str, optional
        Why it has no levels here, where there is more to say.

    Returns
    -------
    tuple of Loss
        Empty for a model of one level.
    """
    if model.n_levels == 1:
        return ()
    rows = [path.name for path in model.paths if path.level == 2 and not path.is_zero]
    return (
        Loss(
            f"level 2: {', '.join(rows)}",
            why or f"{title} is written here with one level",
            "lavaan or Mplus; or the mixed model with nested random effects, lme4",
        ),
    )
