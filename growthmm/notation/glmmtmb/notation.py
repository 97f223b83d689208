"""glmmTMB: calls of ``glmmTMB()`` with covariance functions and a dispersion formula."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise
from typing import Literal

from growthmm.data.design.names import r_name
from growthmm.errors import NotationError
from growthmm.model.defaults import Default
from growthmm.model.mixed import MixedModel
from growthmm.model.schema import Column
from growthmm.model.sem import SemModel
from growthmm.notation.base import Model, ScriptContext, Written
from growthmm.notation.formula.loss import function_losses, sem_error
from growthmm.notation.formula.reading import read_formula, read_terms
from growthmm.notation.glmmtmb.structure import STRUCTURES, settle
from growthmm.notation.glmmtmb.write import call_parts, losses, strata, tied_lines, version_line
from growthmm.notation.r_code.arguments import Signature, matched
from growthmm.notation.r_code.call import (
    Argument,
    CallText,
    data_name,
    find_call,
    truth_argument,
)
from growthmm.notation.r_code.script import PRINTERS, data_lines, uses_splines
from growthmm.notation.residual_columns import placed

__all__ = ["NOTATION", "GlmmTmb"]

_SIGNATURE = Signature(
    "glmmTMB",
    ("formula", "data", "family", "ziformula", "dispformula", "weights", "offset"),
    ("formula", "data", "family", "ziformula", "dispformula", "REML"),
    "glmmTMB(formula, data, dispformula = ~ 1)",
    frozenset({"control", "start", "verbose", "na.action", "se", "doFit", "sparseX"}),
    {
        "weights": "Rows with weights of their own have no growth curve; leave them out.",
        "offset": "Subtract it from the outcome before the model.",
        "contrasts": 'Write them in the formula: C(x, contr.sum) or relevel(x, ref = "b").',
        "map": "Fixed and equal parameters are not supported; leave it out.",
        "priors": "Fits are by likelihood alone; leave it out.",
    },
)
_GAUSSIAN = re.compile(
    r"""(?:stats\s*::\s*)?gaussian(?:\s*\(\s*(?:(?:link\s*=\s*)?["']?identity["']?)?\s*\))?"""
)
_ML = Default("estimator", "ML", "glmmTMB: REML = FALSE unless told")
_ROWS = Default(
    "missing values", "rows dropped", "glmmTMB: na.action = na.omit drops rows, not persons"
)
_INTERCEPT = Default("intercept", "included", "R formulas: unless 0 + or - 1")


class GlmmTmb:
    """The notation of glmmTMB (R)."""

    name = "glmmtmb"
    title = "glmmTMB"
    family: Literal["mixed"] = "mixed"
    default_estimator: Literal["ml"] = "ml"

    def recognises(self, text: str) -> bool:
        """Whether a call of glmmTMB() stands in the text."""
        return re.search(r"(?<![\w.])glmmTMB\s*\(", text) is not None

    def read(self, text: str) -> MixedModel:
        """Read a call of ``glmmTMB()``, perhaps within a program.

        Parameters
        ----------
        text : str
            ``glmmTMB(y ~ t + (1 + t | id), dispformula = ~ 0 + factor(t))``.

        Returns
        -------
        MixedModel
            By ML unless the call says otherwise. A covariance function over ``0 + factor(t)``
            with ``dispformula = ~ 0`` is the residual structure; ``ar1()`` beside a residual
            variance is ``ar1+common``. ``||`` is ``diag()``, as the program has it.

        Raises
        ------
        NotationError
            If the text is malformed or asks for something unsupported.
        """
        call = find_call(text, {"glmmTMB"})
        if call is None:
            raise NotationError(
                "This is no call of glmmTMB()",
                text=text,
                position=0,
                hint="Write glmmTMB(outcome ~ terms + (terms | person)).",
            )
        return _read_call(text, call)

    def write(self, model: Model) -> Written:
        """Write a mixed model as a call; ``REML = TRUE`` only where it is asked for."""
        if isinstance(model, SemModel):
            raise sem_error(self.title)
        formula, more = call_parts(model)
        if model.estimator == "reml":
            more = [*more, "REML = TRUE"]
        lost = [*losses(model), *function_losses(model, "r")]
        return Written(f"glmmTMB({', '.join([formula, *more])})", tuple(dict.fromkeys(lost)))

    def script(self, model: Model, context: ScriptContext) -> str:
        """A complete R program; it prints tab-separated lines.

        ``logLik value``, ``fixef name estimate SE``, ``cov group row column value`` (structured
        residuals among them, as the program has them), and ``sigma2 value``, or ``residual level
        variance`` a level where residual variances differ.
        """
        if isinstance(model, SemModel):
            raise sem_error(self.title)
        model = placed(model, context)
        times = context.schema.occasions if context.schema is not None else ()
        gaps = {round(b - a, 9) for a, b in pairwise(times)}
        formula, more = call_parts(model, script=True, even_times=len(gaps) <= 1)
        reml = "TRUE" if model.estimator == "reml" else "FALSE"
        parts = [formula, "data = data", *more, f"REML = {reml}"]
        lines = ["library(glmmTMB)"]
        if uses_splines(model):
            lines.append("library(splines)")
        tied = tied_lines(model, parts)
        if tied:
            parts.append("map = map")
        joined = ",\n  ".join(parts)
        lines += [
            *version_line(model),
            "",
            *data_lines(context),
            "",
            *tied,
            f"fit <- glmmTMB(\n  {joined}\n)",
            _print(model),
        ]
        return "\n".join(lines)

    def coefficient(self, column: Column) -> str:
        """R's name of a coefficient."""
        return r_name(column)


_PRINT = f"""{PRINTERS}
# logLik() is NA where the Hessian is singular, at a boundary say.
show("logLik", number(-fit$fit$objective))
fixed <- fixef(fit)$cond
errors <- sqrt(diag(as.matrix(vcov(fit)$cond)))
for (i in seq_along(fixed))
  show("fixef", quoted(names(fixed)[i]), number(fixed[[i]]), number(errors[[i]]))
covariances <- VarCorr(fit)$cond
for (k in seq_along(covariances)) {{
  G <- covariances[[k]]
  for (i in seq_len(nrow(G))) for (j in seq_len(i))
    show("cov", quoted(names(covariances)[k]), quoted(rownames(G)[i]), quoted(rownames(G)[j]),
      number(G[i, j]))
}}
"""


def _print(model: MixedModel) -> str:
    kind = model.residual.kind
    if kind in ("common", "ar1+common"):
        return f'{_PRINT}show("sigma2", number(sigma(fit)^2))\n'
    column = strata(model)
    if column is None:
        return _PRINT
    return f"""{_PRINT}strata <- factor(data[rownames(model.frame(fit)), ][[{column}]])
deviations <- predict(fit, type = "disp")
for (level in levels(strata))
  show("residual", quoted(level), number(deviations[strata == level][1]^2))
"""


def _read_call(text: str, call: CallText) -> MixedModel:
    given = matched(text, call, _SIGNATURE)
    if "formula" not in given:
        raise NotationError(
            "glmmTMB() without a formula",
            text=text,
            position=call.start,
            expected=("a formula",),
        )
    _check_family(text, given)
    formula = read_formula(
        given["formula"].blanked(text), shown=text, program="glmmTMB", structures=STRUCTURES
    )
    plain = tuple(
        replace(block, covariance="diagonal") if block.covariance == "by_term" else block
        for block in formula.random
    )
    dispersion, position = None, call.start
    if "dispformula" in given:
        argument = given["dispformula"]
        dispersion = read_terms(argument.blanked(text), shown=text, language="r")
        position = argument.start
    settled = settle(text, replace(formula, random=plain), dispersion, position)
    defaults = [_ROWS, _INTERCEPT, *settled.defaults]
    if "REML" in given:
        reml = truth_argument(text, given["REML"], "REML")
    else:
        reml = False
        defaults.insert(0, _ML)
    return MixedModel(
        response=formula.response,
        fixed=formula.fixed,
        random=settled.random,
        residual=settled.residual,
        estimator="reml" if reml else "ml",
        notation="glmmtmb",
        defaults=tuple(defaults),
        data=data_name(text, given["data"]) if "data" in given else None,
    )


def _check_family(text: str, given: dict[str, Argument]) -> None:
    """Refuse other families and a zero-inflation part."""
    if "family" in given:
        written = text[given["family"].start : given["family"].stop]
        bare = written.strip().strip("\"'")
        if not _GAUSSIAN.fullmatch(bare):
            raise NotationError(
                f"The family {bare} is not supported",
                text=text,
                position=given["family"].start + len(written) - len(written.lstrip()),
                hint="Only Gaussian outcomes have an exact growth curve.",
            )
    if "ziformula" in given:
        argument = given["ziformula"]
        if read_terms(argument.blanked(text), shown=text, language="r"):
            raise NotationError(
                "Zero inflation is not supported",
                text=text,
                position=argument.start,
                hint="Leave ziformula out.",
            )


NOTATION = GlmmTmb()
"""The notation, as the registry finds it."""
