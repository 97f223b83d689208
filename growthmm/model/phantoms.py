"""Parameters of a structural equation model that stand in its constraints alone.

A model's parameters are coefficients of its paths. A number that only constraints use, such as the
rate of a curve that several loadings follow, is the mean of a latent variable without variance
that nothing loads on: a phantom variable (Rindskopf 1984, doi:10.1007/BF02294204).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from growthmm.model.sem import Path, SemModel

__all__ = ["Phantom", "phantom_rows", "phantoms", "with_phantoms", "without_phantoms"]


@dataclass(frozen=True, slots=True)
class Phantom:
    """A parameter that is no coefficient of a path.

    Parameters
    ----------
    parameter : str
        The parameter, a label.
    start : float, optional
        Where a search for it may begin.
    """

    parameter: str
    start: float | None = None


def phantom_rows(phantom: Phantom, name: str) -> tuple[Path, ...]:
    """The rows of the latent variable `name` whose mean is the parameter."""
    return (
        Path(name, "~1", "", label=phantom.parameter, start=phantom.start),
        Path(name, "~~", name, free=False, value=0.0),
    )


def phantoms(model: SemModel) -> dict[str, Phantom]:
    """The latent variables that only carry a parameter, by name.

    Parameters
    ----------
    model : SemModel
        Any model.

    Returns
    -------
    dict of str to Phantom
        Empty where there are none: the mean of each is a labelled parameter of one row, which an
        equality uses, itself or by a definition, and every other row of it is zero.

    Examples
    --------
    >>> from growthmm.model.sem import Constraint
    >>> rows = [Path("s", "=~", "y", label="l"), *phantom_rows(Phantom("g", 0.5), "g_")]
    >>> tie = Constraint("l", "==", "exp(-g)")
    >>> phantoms(SemModel(tuple(rows), ("s", "g_"), ("y",), constraints=(tie,)))
    {'g_': Phantom(parameter='g', start=0.5)}
    """
    ties = [c for c in model.constraints if c.op == "=="]
    if model.n_levels > 1 or not ties:
        return {}
    used = {word for c in ties for side in (c.left, c.right) for word in _words(side)}
    for _ in model.defined:
        used |= {word for d in model.defined if d.name in used for word in _words(d.expression)}
    labels = [path.label for path in model.paths if path.label]
    found: dict[str, Phantom] = {}
    for name in model.latent:
        rows = [p for p in model.paths if name in (p.left, p.right) and not p.is_zero]
        if len(rows) != 1:
            continue
        (row,) = rows
        label = row.label or ""
        if row.op == "~1" and row.free and label in used and labels.count(label) == 1:
            found[name] = Phantom(label, row.start)
    return found


def _words(text: str) -> list[str]:
    return re.findall(r"[A-Za-z_.][\w.]*", text)


def without_phantoms(model: SemModel) -> tuple[SemModel, tuple[Phantom, ...]]:
    """The model without the latent variables that only carry a parameter, and these."""
    found = phantoms(model)
    if not found:
        return model, ()
    rows = tuple(p for p in model.paths if not {p.left, p.right} & set(found))
    latent = tuple(name for name in model.latent if name not in found)
    return replace(model, paths=rows, latent=latent), tuple(found.values())


def with_phantoms(model: SemModel, parameters: Sequence[Phantom]) -> SemModel:
    """The model with a latent variable for each parameter, called after it.

    Examples
    --------
    >>> plain = SemModel((Path("y", "~~", "y"),), (), ("y", "g_"))
    >>> with_phantoms(plain, [Phantom("g")]).latent
    ('g__',)
    """
    taken = {*model.latent, *model.outcomes, *model.covariates}
    rows, names = list(model.paths), list(model.latent)
    for phantom in parameters:
        name = f"{phantom.parameter}_"
        while name in taken:
            name += "_"
        taken.add(name)
        names.append(name)
        rows += phantom_rows(phantom, name)
    return replace(model, paths=tuple(rows), latent=tuple(names))
