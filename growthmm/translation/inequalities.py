"""Inequalities among parameters: they bound an SEM's space and leave its moments alone."""

from __future__ import annotations

from dataclasses import replace

from growthmm.model.defaults import Assumption
from growthmm.model.sem import SemModel

__all__ = ["inequalities", "without_inequalities"]


def inequalities(model: SemModel) -> tuple[str, ...]:
    """What the model says of the size of parameters: constraints and bounds of single paths.

    Parameters
    ----------
    model : SemModel
        Any model.

    Returns
    -------
    tuple of str
        As constraints write them, each once.

    Examples
    --------
    >>> from growthmm.model.sem import Constraint, Path
    >>> inequalities(
    ...     SemModel(
    ...         (Path("i", "~~", "i", label="v", lower=0.1),),
    ...         ("i",),
    ...         ("y",),
    ...         constraints=(Constraint("v", "<", "2"),),
    ...     )
    ... )
    ('v < 2', 'v > 0.1')
    """
    said = [f"{c.left} {c.op} {c.right}" for c in model.constraints if c.op != "=="]
    for path in model.paths:
        if path.free and path.lower is not None:
            said.append(f"{path.parameter} > {path.lower:g}")
        if path.free and path.upper is not None:
            said.append(f"{path.parameter} < {path.upper:g}")
    return tuple(dict.fromkeys(said))


def without_inequalities(model: SemModel) -> tuple[SemModel, tuple[Assumption, ...]]:
    """The model over its whole parameter space, and what is said of what was left out.

    Parameters
    ----------
    model : SemModel
        Any model.

    Returns
    -------
    model : SemModel
        The same where it has no inequalities.
    notes : tuple of Assumption
        One for each inequality.
    """
    said = inequalities(model)
    if not said:
        return model, ()
    free = replace(
        model,
        paths=tuple(
            p if p.lower is p.upper is None else replace(p, lower=None, upper=None)
            for p in model.paths
        ),
        constraints=tuple(c for c in model.constraints if c.op == "=="),
    )
    why = "formulas have no bounds; where the fit meets it in its interior, nothing is lost"
    return free, tuple(Assumption(f"{text} is not in the mixed model", why) for text in said)
