"""MixedModels.jl: ``fit(MixedModel, @formula(...), data)`` in Julia, written only."""

from __future__ import annotations

import re
from typing import Literal

from growthmm.errors import NotationError
from growthmm.model.expression import variables
from growthmm.model.mixed import MixedModel
from growthmm.model.schema import Column, ColumnPart
from growthmm.model.sem import SemModel
from growthmm.notation.base import Model, ScriptContext, Written
from growthmm.notation.formula.loss import loading_losses, residual_loss, sem_error
from growthmm.notation.lag_lines import julia_lags
from growthmm.notation.losses.blocks import covariance_losses
from growthmm.notation.mixedmodels_jl.formula import (
    coding_text,
    contrast_losses,
    contrasts,
    expression_losses,
    formula_text,
    julia_string,
    spelled,
)

__all__ = ["NOTATION", "MixedModelsJl"]


class MixedModelsJl:
    """The notation of MixedModels.jl (Julia), for writing."""

    name = "mixedmodels.jl"
    title = "MixedModels.jl"
    family: Literal["mixed"] = "mixed"
    default_estimator: Literal["ml"] = "ml"

    def recognises(self, text: str) -> bool:
        """Whether Julia's ``@formula`` stands in the text."""
        return re.search(r"@formula\b", text) is not None

    def read(self, text: str) -> MixedModel:
        """Refuse: MixedModels.jl is written, not read.

        Raises
        ------
        NotationError
            Always.
        """
        raise NotationError(
            "MixedModels.jl is written, not read",
            text=text,
            position=0,
            hint="Write the formula alone, as for lme4: : for &, (a || g) for zerocorr(a | g).",
        )

    def write(self, model: Model) -> Written:
        """Write a mixed model as a call; ``REML = true`` only where it is asked for.

        Independent terms are bars of their own; contrasts of categorical columns are given by
        column, as the program has them.
        """
        if isinstance(model, SemModel):
            raise sem_error(self.title)
        lost = [
            *residual_loss(self.title, model),
            *loading_losses(model),
            *covariance_losses(self.title, model),
            *expression_losses(model),
            *contrast_losses(model),
        ]
        return Written(_call(model, "data"), tuple(dict.fromkeys(lost)))

    def script(self, model: Model, context: ScriptContext) -> str:
        """A complete Julia program; it prints tab-separated lines.

        ``logLik value``, ``fixef name estimate SE``, then the variance components as a table.
        """
        if isinstance(model, SemModel):
            raise sem_error(self.title)
        path = julia_string(context.data) if context.data is not None else "ARGS[1]"
        reading = [f"data = DataFrame(CSV.File({path}))"]
        if context.layout == "wide" and context.schema is not None:
            reading = _stacking_lines(context, path)
        return "\n".join(
            [
                "using CSV, DataFrames, MixedModels, StatsModels",
                "",
                *reading,
                *julia_lags(context.schema),
                "",
                f"model = {_call(model, 'data')}",
                _PRINT,
            ]
        )

    def coefficient(self, column: Column) -> str:
        """The name in a table of coefficients: ``(Intercept)``, ``t & sex: male``."""
        if not column.parts:
            return "(Intercept)"
        return " & ".join(_part(part) for part in column.parts)


_PRINT = """
println("logLik\\t", loglikelihood(model))
for (name, value, error) in zip(fixefnames(model), fixef(model), stderror(model))
    println("fixef\\t", repr(name), "\\t", value, "\\t", error)
end
println(VarCorr(model))
"""


def _part(part: ColumnPart) -> str:
    names = variables(part.expression)
    if part.coding == "numeric" or len(names) != 1:
        return spelled(part.expression) + part.label
    return f"{names[0]}: {part.label}"


def _call(model: MixedModel, data: str) -> str:
    codings = contrasts(model)
    options = []
    if codings:
        pairs = ", ".join(f"{_symbol(name)} => {coding_text(c)}" for name, c in codings.items())
        options.append(f"contrasts = Dict({pairs})")
    if model.estimator == "reml":
        options.append("REML = true")
    tail = f"; {', '.join(options)}" if options else ""
    return f"fit(MixedModel, @formula({formula_text(model)}), {data}{tail})"


def _symbol(name: str) -> str:
    plain = re.fullmatch(r"[^\W\d]\w*", name) and name.isascii()
    return f":{name}" if plain else f"Symbol({julia_string(name)})"


def _stacking_lines(context: ScriptContext, path: str) -> list[str]:
    schema = context.schema
    assert schema is not None
    person, time = julia_string(schema.person), julia_string(schema.time or "time")
    times = ", ".join(f"{t:g}" if t != int(t) else str(int(t)) for t in schema.occasions)
    lines = [
        f"wide = DataFrame(CSV.File({path}))",
        f"{person} in names(wide) || (wide[!, {person}] = 1:nrow(wide))",
        f"data = reduce(vcat, map(enumerate([{times}])) do (j, t)",
        "    rows = copy(wide)",
        f"    rows[!, {time}] .= t",
    ]
    for name, columns in ((schema.outcome, schema.outcome_columns), *schema.varying_columns):
        names = ", ".join(julia_string(c) for c in columns)
        lines.append(f"    rows[!, {julia_string(name)}] = wide[!, [{names}][j]]")
    return [*lines, "    rows", "end)"]


NOTATION = MixedModelsJl()
"""The notation, as the registry finds it."""
