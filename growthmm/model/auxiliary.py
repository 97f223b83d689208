"""Auxiliary variables of a structural equation model as saturated correlates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from growthmm.errors import SpecificationError, UnsupportedEngineError
from growthmm.model.sem import Path, SemModel

__all__ = ["with_correlates"]

RULE = "saturated correlates: auxiliary variables are related to all that is observed"


def with_correlates(model: SemModel, names: Sequence[str]) -> SemModel:
    r"""Add auxiliary variables so that they inform on missing values and nothing else.

    Each auxiliary variable has a mean and a variance, covaries with the others and with the
    residuals of all outcomes, and is regressed on the covariates (Graham 2003,
    doi:10.1207/S15328007SEM1001_4). That part of the model is saturated: it restricts nothing,
    and every other parameter means what it meant.

    Parameters
    ----------
    model : SemModel
        A model of one level.
    names : sequence of str
        Columns of wide data that the model does not use.

    Returns
    -------
    SemModel
        The rows of the model, then those of the correlates.

    Raises
    ------
    SpecificationError
        If a name is the model's already, or none is given.
    UnsupportedEngineError
        If the model has two levels or definition variables.

    Examples
    --------
    >>> from growthmm.notation import notation
    >>> growth = notation("lavaan").read("i =~ 1*y0 + 1*y1\ni ~ x")
    >>> made = with_correlates(growth, ["a"])
    >>> [path.name for path in made.paths if path.left == "a"]
    ['a~1', 'a~~a', 'a~~y0', 'a~~y1', 'a~x']
    """
    wanted = tuple(dict.fromkeys(names))
    if not wanted:
        raise SpecificationError(
            "No auxiliary variable is named.", hint="Name columns that go with missing values."
        )
    known = {*model.latent, *model.outcomes, *model.covariates}
    twice = [name for name in wanted if name in known]
    if twice:
        raise SpecificationError(
            f"The model has {', '.join(map(repr, twice))} already.",
            hint="An auxiliary variable is one that the model does not use.",
        )
    if model.n_levels > 1:
        raise UnsupportedEngineError(
            "Saturated correlates are defined for one level, and the model has two.",
            hint="Leave the auxiliary variables out.",
        )
    if any(path.definition is not None for path in model.paths):
        raise UnsupportedEngineError(
            "Saturated correlates need the same loadings for all persons, and the model has "
            "definition variables.",
            hint="Leave the auxiliary variables out, or round times to occasions (bin=).",
        )
    rows = [row for g in range(model.n_groups) for row in _rows(model, wanted, g)]
    return replace(
        model, paths=(*model.paths, *rows), outcomes=(*model.outcomes, *wanted), missing="ml"
    )


def _rows(model: SemModel, names: tuple[str, ...], group: int) -> list[Path]:
    made = []
    for k, name in enumerate(names):
        made.append(Path(name, "~1", group=group, rule=RULE))
        others = (*names[k:], *model.outcomes)
        made += [Path(name, "~~", other, group=group, rule=RULE) for other in others]
        made += [Path(name, "~", x, group=group, rule=RULE) for x in model.covariates]
    return made
