"""brms: formulas of ``brm()``, written only."""

from __future__ import annotations

import re
from typing import Literal

from growthmm.data.design.names import r_name
from growthmm.errors import NotationError
from growthmm.model.defaults import Loss
from growthmm.model.expression import quote, spell
from growthmm.model.mixed import MixedModel
from growthmm.model.schema import Column
from growthmm.model.sem import SemModel
from growthmm.notation.base import Model, ScriptContext, Written
from growthmm.notation.formula.bars import bars
from growthmm.notation.formula.loss import function_losses, sem_error, spelled
from growthmm.notation.formula.text import term_text
from growthmm.notation.losses.blocks import covariance_losses
from growthmm.notation.r_code.script import data_lines, is_syntactic, uses_splines
from growthmm.notation.residual_columns import (
    columns,
    crossed_loss,
    lacking,
    missing_columns,
    placed,
    shared_loss,
    within,
)

__all__ = ["NOTATION", "Brms"]

_CORRELATIONS = {
    "ar1": "ar(time = {time}, gr = {person}, p = 1, cov = TRUE)",
    "arh1": "ar(time = {time}, gr = {person}, p = 1, cov = TRUE)",
    "cs": "cosy(time = {time}, gr = {person})",
    "csh": "cosy(time = {time}, gr = {person})",
    "unstructured": "unstr(time = {time}, gr = {person})",
}
_VARIED = ("by_occasion", "arh1", "csh", "unstructured")
_RENAMED = (
    *((mark, "") for mark in " ()[],\"'?`"),
    *zip("+-*/^=", ("P", "M", "MU", "D", "E", "EQ"), strict=True),
)


class Brms:
    """The notation of brms (R), for writing."""

    name = "brms"
    title = "brms"
    family: Literal["mixed"] = "mixed"
    default_estimator: Literal["ml"] = "ml"

    def recognises(self, text: str) -> bool:
        """Whether a call of brm() or bf() stands in the text."""
        return re.search(r"(?<![\w.])(?:brm|bf|brmsformula)\s*\(", text) is not None

    def read(self, text: str) -> MixedModel:
        """Refuse: brms is written, not read.

        Raises
        ------
        NotationError
            Always.
        """
        raise NotationError(
            "brms is written, not read",
            text=text,
            position=0,
            hint="Write the formula alone, as for lme4, with residual= for its residuals.",
        )

    def write(self, model: Model) -> Written:
        """Write a mixed model as ``bf()``; priors and the estimator are the program's affair.

        Standard deviations have a log link. ``ar()`` counts rows in the order of time.
        """
        if isinstance(model, SemModel):
            raise sem_error(self.title)
        lost = [
            *_losses(model),
            *covariance_losses(self.title, model),
            *function_losses(model, "r"),
        ]
        return Written(_formula(model), tuple(dict.fromkeys(lost)))

    def script(self, model: Model, context: ScriptContext) -> str:
        """A complete R program that samples with the program's default priors and prints."""
        if isinstance(model, SemModel):
            raise sem_error(self.title)
        model = placed(model, context)
        lines = ["library(brms)"]
        if uses_splines(model):
            lines.append("library(splines)")
        return "\n".join(
            [
                *lines,
                "",
                *data_lines(context),
                "",
                "fit <- brm(",
                f"  {_formula(model)},",
                "  data = data, family = gaussian(), chains = 4, iter = 4000, seed = 1",
                ")",
                "",
                "print(summary(fit), digits = 6)",
                "print(VarCorr(fit))",
                "",
            ]
        )

    def coefficient(self, column: Column) -> str:
        """The name that brms makes of R's: ``Intercept``, ``sexmale``, ``ItE2``."""
        name = r_name(column)
        for mark, word in _RENAMED:
            name = name.replace(mark, word)
        return name


def _formula(model: MixedModel) -> str:
    everything = [*model.fixed, *(t for block in model.random for t in block.terms)]
    texts = {f: spelled(f, "r") for term in everything for f in term.factors}
    pieces = [term_text(model.fixed, texts, explicit=False)]
    for block in model.random:
        pieces += bars(block, texts, spell(block.group, "r"), "({terms} || {group})")
    kind, found = model.residual.kind, within(model)
    time = spell(quote(found.time or "occasion"), "r")
    person = spell(found.person, "r") if found.person is not None else "person"
    if kind in _CORRELATIONS:
        pieces.append(_CORRELATIONS[kind].format(time=time, person=person))
    parts = [f"{spelled(model.response, 'r')} ~ {' + '.join(pieces)}"]
    by = spell(quote(model.residual.by), "r") if model.residual.by is not None else None
    if kind in _VARIED or (by is not None and kind == "by_group"):
        both = f":factor({time})" if model.residual.crossed else ""
        parts.append(f"sigma ~ 0 + factor({by or time}){both}")
    return f"bf({', '.join(parts)})"


def _losses(model: MixedModel) -> list[Loss]:
    lost = []
    if model.residual.kind in ("ar1+common", "toeplitz", "banded"):
        lost.append(lacking("brms", model, "unstr(time, gr): unstructured residuals"))
    whole = model.residual.kind in ("across", "groupwise")
    lost += crossed_loss("brms", model) if whole else shared_loss("brms", model)
    lost += missing_columns("brms", model)
    for name in columns(model):
        if not is_syntactic(name) or "__" in name or name.endswith("_"):
            lost.append(
                Loss(
                    f"the column {name!r}",
                    "brms has no names with two underscores together, one at the end, or "
                    "anything but letters, digits, dots and underscores",
                    "a column renamed",
                )
            )
    return lost


NOTATION = Brms()
"""The notation, as the registry finds it."""
