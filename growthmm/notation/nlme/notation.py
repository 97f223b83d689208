"""nlme: calls of ``lme()``, of ``gls()`` without random effects, of ``nlme()`` with curves."""

from __future__ import annotations

import re
from typing import Literal

from growthmm.data.design.names import r_name
from growthmm.errors import NotationError
from growthmm.model.defaults import Default
from growthmm.model.mixed import Estimator, MixedModel
from growthmm.model.schema import Column
from growthmm.model.sem import SemModel
from growthmm.notation.base import Model, ScriptContext, Written
from growthmm.notation.formula.loss import function_losses, sem_error
from growthmm.notation.formula.reading import read_formula
from growthmm.notation.nlme.curved import read_curved
from growthmm.notation.nlme.curved_write import (
    curved_arguments,
    curved_losses,
    ordinary_least_squares,
)
from growthmm.notation.nlme.random import read_random
from growthmm.notation.nlme.residual import combined, read_correlation, read_weights
from growthmm.notation.nlme.write import arguments, losses
from growthmm.notation.r_code.arguments import Signature, matched
from growthmm.notation.r_code.call import CallText, data_name, find_call, text_argument
from growthmm.notation.r_code.script import PRINTERS, data_lines, uses_splines
from growthmm.notation.residual_columns import placed

__all__ = ["NOTATION", "Nlme"]

_OTHERS = {
    "gnls": "a nonlinear model",
    "lmList": "a model for each person",
}
_REFUSED = {
    "subset": "Select the rows in the data before the model.",
    "contrasts": 'Write them in the formula: C(x, contr.sum) or relevel(x, ref = "b").',
}
_IGNORED = frozenset({"control", "na.action", "keep.data", "verbose"})
_LME = Signature(
    "lme",
    ("fixed", "data", "random", "correlation", "weights", "subset", "method"),
    ("fixed", "data", "random", "correlation", "weights", "method"),
    "lme(fixed, data, random = ~ time | person)",
    _IGNORED,
    _REFUSED,
)
_GLS = Signature(
    "gls",
    ("model", "data", "correlation", "weights", "subset", "method"),
    ("model", "data", "correlation", "weights", "method"),
    "gls(model, data, correlation = corAR1(form = ~ time | person))",
    _IGNORED,
    _REFUSED,
)
_INTERCEPT = Default("intercept", "included", "R formulas: unless 0 + or - 1")


class Nlme:
    """The notation of nlme (R)."""

    name = "nlme"
    title = "nlme"
    family: Literal["mixed"] = "mixed"

    def recognises(self, text: str) -> bool:
        """Whether a call of lme() or gls() stands in the text."""
        return re.search(r"(?<![\w.])(?:lme|gls|nlme|gnls|lmList)\s*\(", text) is not None

    def read(self, text: str) -> MixedModel:
        """Read a call of ``lme()``, ``gls()`` or ``nlme()``, perhaps within a program.

        Parameters
        ----------
        text : str
            ``lme(y ~ t, random = ~ t | id, weights = varIdent(form = ~ 1 | t), method = "ML")``.

        Returns
        -------
        MixedModel
            With REML unless the call says otherwise. Variances by the levels of the model's time
            are ``by_occasion``, by those of any other column ``by_group``.

        Raises
        ------
        NotationError
            If the text is malformed or asks for something unsupported.
        """
        call = find_call(text, {"lme", "gls", "nlme", *_OTHERS})
        if call is None:
            raise NotationError(
                "This is no call of lme(), gls() or nlme()",
                text=text,
                position=0,
                hint="Write lme(outcome ~ terms, random = ~ terms | person).",
            )
        if call.function in _OTHERS:
            raise NotationError(
                f"{call.function}() fits {_OTHERS[call.function]}, which is not supported",
                text=text,
                position=call.start,
                hint="Use lme() or gls().",
            )
        return read_curved(text, call) if call.function == "nlme" else _read_call(text, call)

    def write(self, model: Model) -> Written:
        """Write a mixed model as a call; ``method`` only where it is not REML, the default.

        AR(1) residuals plus measurement error are ``corExp`` with a nugget, which keeps their
        correlation positive.
        """
        if isinstance(model, SemModel):
            raise sem_error(self.title)
        if model.loading_parameters:
            parts = curved_arguments(model)
            if model.estimator == "reml":
                parts["method"] = '"REML"'
            lost = [*curved_losses(model), *losses(model)]
        else:
            parts = arguments(model)
            if model.estimator == "ml":
                parts["method"] = '"ML"'
            lost = losses(model)
        lost += function_losses(model, "r", curves=True)
        return Written(f"{_function(model)}({_joined(parts, ', ')})", tuple(dict.fromkeys(lost)))

    def script(self, model: Model, context: ScriptContext) -> str:
        """A complete R program; it prints tab-separated lines.

        ``logLik value``, ``fixef name estimate SE``, ``cov group row column value``, and for
        residuals ``sigma2 value`` or ``residual level variance`` a level, and ``correlation
        name value``.
        """
        if isinstance(model, SemModel):
            raise sem_error(self.title)
        model = placed(model, context)
        function = _function(model)
        times = context.schema.occasions if context.schema is not None else ()
        whole = all(t - times[0] == round(t - times[0]) for t in times)
        curved = bool(model.loading_parameters)
        parts = (curved_arguments if curved else arguments)(model, whole_times=whole)
        if curved:
            parts["start"] = "start"
        first, *_ = parts
        parts = {first: parts.pop(first), "data": "data", **parts}
        parts["method"] = '"ML"' if model.estimator == "ml" else '"REML"'
        parts["na.action"] = "na.omit"
        parts["control"] = _CONTROL[function]
        lines = ["library(nlme)"]
        if uses_splines(model):
            lines.append("library(splines)")
        lines += [
            "",
            *data_lines(context),
            "",
            *(ordinary_least_squares(model) if curved else ()),
            f"fit <- {function}(\n  {_joined(parts, f',{chr(10)}  ')}\n)",
            _PRINT,
        ]
        return "\n".join(lines)

    def coefficient(self, column: Column) -> str:
        """R's name of a coefficient."""
        return r_name(column)


_CONTROL = {
    # With its default tolerances lme stops up to 0.003 short in the log-likelihood.
    "lme": "lmeControl(maxIter = 500, msMaxIter = 1000, msMaxEval = 5000, niterEM = 100,\n"
    '    tolerance = 1e-12, msTol = 1e-14, opt = "nlminb")',
    "gls": "glsControl(maxIter = 500, msMaxIter = 1000, tolerance = 1e-12, msTol = 1e-14)",
    # With a smaller pnlsTol its inner search often ends in an error.
    "nlme": "nlmeControl(maxIter = 500, pnlsMaxIter = 50, msMaxIter = 1000, tolerance = 1e-8,\n"
    '    pnlsTol = 1e-5, minScale = 1e-8, msTol = 1e-12, opt = "nlminb")',
}

_PRINT = f"""{PRINTERS}
show("logLik", number(logLik(fit)))
fixed <- if (inherits(fit, "gls")) coef(fit) else fixef(fit)
errors <- sqrt(diag(as.matrix(vcov(fit))))
# Under ML gls() inflates them by N / (N - p), which lme() does not.
if (inherits(fit, "gls") && fit$method == "ML")
  errors <- errors * sqrt((fit$dims$N - fit$dims$p) / fit$dims$N)
for (i in seq_along(fixed))
  show("fixef", quoted(names(fixed)[i]), number(fixed[[i]]), number(errors[[i]]))
for (group in names(fit$modelStruct$reStruct)) {{
  G <- as.matrix(fit$modelStruct$reStruct[[group]]) * fit$sigma^2
  for (i in seq_len(nrow(G))) for (j in seq_len(i))
    show("cov", quoted(group), quoted(rownames(G)[i]), quoted(colnames(G)[j]), number(G[i, j]))
}}
weights <- fit$modelStruct$varStruct
if (is.null(weights)) {{
  show("sigma2", number(fit$sigma^2))
}} else {{
  ratios <- coef(weights, unconstrained = FALSE, allCoef = TRUE)
  for (level in names(ratios))
    show("residual", quoted(level), number((fit$sigma * ratios[[level]])^2))
}}
structure <- fit$modelStruct$corStruct
if (!is.null(structure)) {{
  values <- coef(structure, unconstrained = FALSE)
  if (inherits(structure, "corExp")) values["range"] <- exp(-1 / values["range"])
  labels <- if (is.null(names(values))) seq_along(values) else names(values)
  labels[labels == "range"] <- "Phi"
  for (i in seq_along(values)) show("correlation", quoted(labels[i]), number(values[[i]]))
}}
"""


def _function(model: MixedModel) -> str:
    if model.loading_parameters:
        return "nlme"
    return "lme" if model.random else "gls"


def _joined(parts: dict[str, str], separator: str) -> str:
    first, *rest = parts.items()
    return separator.join([first[1], *(f"{name} = {value}" for name, value in rest)])


def _read_call(text: str, call: CallText) -> MixedModel:
    given = matched(text, call, _LME if call.function == "lme" else _GLS)
    where = "fixed" if call.function == "lme" else "model"
    if where not in given:
        raise NotationError(
            f"{call.function}() without a formula",
            text=text,
            position=call.start,
            expected=("a formula",),
        )
    formula = read_formula(given[where].blanked(text), shown=text, program="nlme")
    if formula.random:
        raise NotationError(
            f"{call.function}() has no (terms | group) in its formula",
            text=text,
            position=text.index("|", given[where].start),
            hint="Write random = ~ terms | group.",
        )
    if call.function == "lme" and "random" not in given:
        raise NotationError(
            "lme() without random effects takes them from a groupedData object",
            text=text,
            position=call.start,
            hint="Write random = ~ terms | person, or gls() for none.",
        )
    random = read_random(text, given["random"]) if "random" in given else ()
    correlation = read_correlation(text, given["correlation"]) if "correlation" in given else None
    weights = read_weights(text, given["weights"]) if "weights" in given else None
    estimator: Estimator = "reml"
    defaults = []
    if "method" in given:
        method = text_argument(text, given["method"], "method", ("ML", "REML"))
        estimator = "ml" if method == "ML" else "reml"
    else:
        defaults.append(
            Default("estimator", "REML", f'{call.function}: method = "REML" unless told')
        )
    if "na.action" not in given:
        rule = f"{call.function}: na.action = na.fail unless told"
        defaults.append(Default("missing values", "an error", rule))
    return MixedModel(
        response=formula.response,
        fixed=formula.fixed,
        random=random,
        residual=combined(text, correlation, weights, formula.fixed, random),
        estimator=estimator,
        notation="nlme",
        defaults=(*defaults, _INTERCEPT, *(correlation.defaults if correlation else ())),
        data=data_name(text, given["data"]) if "data" in given else None,
    )


NOTATION = Nlme()
"""The notation, as the registry finds it."""
