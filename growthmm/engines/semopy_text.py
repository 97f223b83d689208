"""A structural equation model in semopy's words, with means as regressions on a constant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from growthmm.errors import UnsupportedEngineError

if TYPE_CHECKING:
    from growthmm.model.sem import Path, SemModel

__all__ = ["Description", "describe"]


@dataclass(frozen=True)
class Description:
    """A model in semopy's words.

    Parameters
    ----------
    text : str
        Its description; every variable has a positional name.
    variables : dict of str to str
        Positional name of every variable.
    covariates : tuple of str
        The covariates that act, in the model's order.
    parameters : dict of str to str
        Positional name of every free parameter that is written.
    implicit : dict of str to str
        Parameters that semopy puts in by itself: the variance of which variable each one is.
    """

    text: str
    variables: dict[str, str]
    covariates: tuple[str, ...]
    parameters: dict[str, str]
    implicit: dict[str, str]


def describe(model: SemModel) -> Description:
    """Write a model for semopy, with means as regressions on a constant.

    Every intercept and every covariance among latent variables is written, the absent ones as
    fixed zeros, so that semopy's defaults never decide. Free variances that share no label are
    left to its defaults: written out they can send its optimiser to a wrong answer.

    Parameters
    ----------
    model : SemModel
        A model of one group without constraints or definition variables.

    Returns
    -------
    Description
        The text and the names in it.

    Raises
    ------
    UnsupportedEngineError
        If semopy cannot say a covariance of the model.
    """
    variables = {name: f"f{k}" for k, name in enumerate(model.latent)}
    variables |= {name: f"y{k}" for k, name in enumerate(model.outcomes)}
    variables |= {name: f"x{k}" for k, name in enumerate(model.covariates)}
    acting = {path.right for path in model.paths if path.op == "~"}
    covariates = tuple(name for name in model.covariates if name in acting)
    uses: dict[str, int] = {}
    for path in model.paths:
        if path.free:
            uses[path.parameter] = uses.get(path.parameter, 0) + 1
    parameters = {name: f"p{k}" for k, name in enumerate(model.free_parameters)}
    implicit: dict[str, str] = {}
    lines: list[str] = []
    measured: set[str] = set()

    def coefficient(path: Path | None) -> str:
        if path is None:
            return "0"
        if path.free:
            return parameters[path.parameter]
        return np.format_float_positional(float(path.value or 0.0))

    for path in model.paths:
        if path.op in ("=~", "~"):
            left, right = variables[path.left], variables[path.right]
            lines.append(f"{left} {path.op} {coefficient(path)}*{right}")
            measured.update((path.left,) if path.op == "=~" else ())
    lines += [f"DEFINE(latent) {variables[f]}" for f in model.latent if f not in measured]
    explained = (*model.latent, *model.outcomes)
    lines += [f"{variables[v]} ~ {coefficient(model.path(v, '~1'))}*one" for v in explained]
    for index, name in enumerate(explained):
        own = model.path(name, "~~", name)
        if own is not None and own.free and uses[own.parameter] == 1:
            implicit[own.parameter] = name
        else:
            lines.append(f"{variables[name]} ~~ {coefficient(own)}*{variables[name]}")
        for other in explained[index + 1 :]:
            row = model.path(name, "~~", other)
            if row is None and not (name in model.latent and other in model.latent):
                continue
            _refuse_mixed_covariance(model, name, other, row)
            lines.append(f"{variables[name]} ~~ {coefficient(row)}*{variables[other]}")
    written = {name: short for name, short in parameters.items() if name not in implicit}
    return Description("\n".join(lines), variables, covariates, written, implicit)


def _refuse_mixed_covariance(model: SemModel, a: str, b: str, row: Path | None) -> None:
    """Refuse covariances between variables that cause others and outcomes that do not."""
    causes = {path.left for path in model.paths if path.op == "=~"}
    causes |= {path.right for path in model.paths if path.op == "~"}
    causes |= set(model.latent)
    if row is not None and (row.free or row.value) and (a in causes) != (b in causes):
        raise UnsupportedEngineError(
            f"semopy cannot say the covariance {row.name} between a cause and a mere outcome.",
            hint="Use the wide engine or lavaan.",
        )
