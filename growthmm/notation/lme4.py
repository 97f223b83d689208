"""lme4: ``lmer()`` calls and bare formulas."""

from __future__ import annotations

import re
from typing import Literal

from growthmm.data.design.names import r_name
from growthmm.errors import NotationError
from growthmm.model.defaults import Default, Loss
from growthmm.model.expression import spell, tree
from growthmm.model.expression_tree import Call
from growthmm.model.mixed import MixedModel
from growthmm.model.schema import Column
from growthmm.model.sem import SemModel
from growthmm.notation.base import Model, ScriptContext, Written
from growthmm.notation.formula.loss import function_losses, residual_loss, sem_error, spelled
from growthmm.notation.formula.reading import read_formula
from growthmm.notation.formula.text import term_text
from growthmm.notation.losses.blocks import covariance_losses
from growthmm.notation.r_code.arguments import Signature, matched
from growthmm.notation.r_code.call import (
    CallText,
    at_top_level,
    data_name,
    find_call,
    truth_argument,
)
from growthmm.notation.r_code.script import PRINTERS, data_lines, uses_splines

__all__ = ["NOTATION", "Lme4"]

_OTHERS = {
    "glmer": "a generalised linear mixed model",
    "nlmer": "a nonlinear mixed model",
    "glmer.nb": "a negative binomial mixed model",
}
_SIGNATURE = Signature(
    "lmer",
    ("formula", "data", "REML", "control", "start", "verbose", "subset", "weights"),
    ("formula", "data", "REML", "control"),
    "lmer(formula, data, REML = FALSE)",
    frozenset({"control", "start", "verbose", "na.action"}),
    {
        "weights": "Rows with weights of their own have no growth curve; leave them out.",
        "subset": "Select the rows in the data before the model.",
        "offset": "Subtract it from the outcome before the model.",
        "contrasts": 'Write them in the formula: C(x, contr.sum) or relevel(x, ref = "b").',
        "family": "Only Gaussian outcomes have an exact growth curve; leave it out.",
        "devFunOnly": "Leave it out.",
    },
)
_REML = Default("estimator", "REML", "lmer: REML = TRUE unless told")
_ROWS = Default(
    "missing values", "rows dropped", "lmer: na.action = na.omit drops rows, not persons"
)
_INTERCEPT = Default("intercept", "included", "R formulas: unless 0 + or - 1")


class Lme4:
    """The notation of lme4 (R)."""

    name = "lme4"
    title = "lme4"
    family: Literal["mixed"] = "mixed"

    def recognises(self, text: str) -> bool:
        """Whether a call of lmer() stands in the text."""
        return re.search(r"(?<![\w.])(?:g?lmer|nlmer)\s*\(", text) is not None

    def read(self, text: str) -> MixedModel:
        """Read a bare formula or a whole call.

        Parameters
        ----------
        text : str
            ``y ~ t + (1 + t | id)`` or ``lmer(y ~ t + (1 + t | id), REML = FALSE)``, perhaps
            within a program.

        Returns
        -------
        MixedModel
            With REML unless the call says otherwise.

        Raises
        ------
        NotationError
            If the text is malformed or asks for something unsupported.
        """
        call = find_call(text, {"lmer", *_OTHERS})
        if call is None:
            if not at_top_level(text, "~") and re.match(r"\s*[\w.]+\s*\(", text):
                name = text.split("(", maxsplit=1)[0].strip()
                raise NotationError(
                    f"{name}() is no call of lmer()",
                    text=text,
                    position=text.index(name),
                    expected=("a formula", "lmer(...)"),
                )
            return _model(text, text, None, ())
        if call.function in _OTHERS:
            raise NotationError(
                f"{call.function}() fits {_OTHERS[call.function]}, which is not supported",
                text=text,
                position=call.start,
                hint="Use lmer() for a Gaussian outcome.",
            )
        return _read_call(text, call)

    def write(self, model: Model) -> Written:
        """Write a mixed model: the bare formula under REML, lmer's default, else the call.

        A diagonal block is written with ``||``, which means the same for numeric terms and reads
        back as ``by_term``.
        """
        if isinstance(model, SemModel):
            raise sem_error(self.title)
        formula = formula_text(model)
        losses = [
            *residual_loss(self.title, model),
            *covariance_losses(self.title, model),
            *_diagonal_losses(model),
            *function_losses(model, "r"),
        ]
        if model.estimator == "reml":
            return Written(formula, tuple(losses))
        return Written(f"lmer({formula}, REML = FALSE)", tuple(losses))

    def script(self, model: Model, context: ScriptContext) -> str:
        """A complete R program; it prints tab-separated lines.

        ``logLik value``, ``fixef name estimate SE``, ``cov group row column value`` and
        ``sigma2 value``.
        """
        if isinstance(model, SemModel):
            raise sem_error(self.title)
        lines = ["library(lme4)"]
        if uses_splines(model):
            lines.append("library(splines)")
        lines += [
            "",
            *data_lines(context),
            "",
        ]
        if not model.random:
            # lmer() takes no model without random effects.
            reml = "TRUE" if model.estimator == "reml" else "FALSE"
            fit = f"fit <- lm({formula_text(model)}, data = data)"
            return "\n".join([*lines, fit, f"reml <- {reml}", _PRINT_LM])
        lines += [
            f"fit <- lmer(\n  {formula_text(model)},",
            f"  data = data, REML = {'TRUE' if model.estimator == 'reml' else 'FALSE'},",
            '  control = lmerControl(optimizer = "nloptwrap",',
            # Without xtol_rel nloptr stops at its own 1e-4, whatever the other tolerances.
            "    optCtrl = list(xtol_abs = 1e-12, ftol_abs = 1e-12, xtol_rel = 1e-12,",
            "      maxeval = 1e5))",
            ")",
            _PRINT,
        ]
        return "\n".join(lines)

    def coefficient(self, column: Column) -> str:
        """R's name of a coefficient."""
        return r_name(column)


_PRINT_LM = f"""{PRINTERS}
show("logLik", number(logLik(fit, REML = reml)))
sigma2 <- sum(resid(fit)^2) / (if (reml) fit$df.residual else nobs(fit))
errors <- sqrt(diag(vcov(fit)) / sigma(fit)^2 * sigma2)
for (i in seq_along(coef(fit)))
  show("fixef", quoted(names(coef(fit))[i]), number(coef(fit)[[i]]), number(errors[[i]]))
show("sigma2", number(sigma2))
"""

_PRINT = f"""{PRINTERS}
show("logLik", number(logLik(fit)))
errors <- sqrt(diag(as.matrix(vcov(fit))))
for (i in seq_along(fixef(fit)))
  show("fixef", quoted(names(fixef(fit))[i]), number(fixef(fit)[[i]]), number(errors[[i]]))
for (group in names(VarCorr(fit))) {{
  G <- VarCorr(fit)[[group]]
  for (i in seq_len(nrow(G))) for (j in seq_len(i))
    show("cov", quoted(group), quoted(rownames(G)[i]), quoted(rownames(G)[j]), number(G[i, j]))
}}
show("sigma2", number(sigma(fit)^2))
"""


def _model(
    formula: str,
    shown: str,
    reml: bool | None,
    defaults: tuple[Default, ...],
    data: str | None = None,
) -> MixedModel:
    read = read_formula(formula, shown=shown)
    if reml is None:
        defaults = (_REML, *defaults)
    return MixedModel(
        response=read.response,
        fixed=read.fixed,
        random=read.random,
        estimator="ml" if reml is False else "reml",
        notation="lme4",
        defaults=(*defaults, _ROWS, _INTERCEPT),
        data=data,
    )


def _read_call(text: str, call: CallText) -> MixedModel:
    given = matched(text, call, _SIGNATURE)
    if "formula" not in given:
        raise NotationError(
            "lmer() without a formula",
            text=text,
            position=call.start,
            expected=("a formula",),
        )
    reml = truth_argument(text, given["REML"], "REML") if "REML" in given else None
    data = data_name(text, given["data"]) if "data" in given else None
    return _model(given["formula"].blanked(text), text, reml, (), data)


def formula_text(model: MixedModel) -> str:
    """The formula in R's spelling.

    Parameters
    ----------
    model : MixedModel
        A mixed model; its residual structure and estimator have no place in a formula.

    Returns
    -------
    str
        ``gpa ~ occasion + (1 + occasion | student)``.
    """
    everything = [*model.fixed, *(t for block in model.random for t in block.terms)]
    texts = {f: spelled(f, "r") for term in everything for f in term.factors}
    pieces = [term_text(model.fixed, texts, explicit=False)]
    for block in model.random:
        bar = "|" if block.covariance == "unstructured" else "||"
        inside = term_text(block.terms, texts, explicit=True)
        pieces.append(f"({inside} {bar} {spell(block.group, 'r')})")
    return f"{spelled(model.response, 'r')} ~ {' + '.join(pieces)}"


def _diagonal_losses(model: MixedModel) -> list[Loss]:
    """Terms of diagonal blocks that have several columns, which ``||`` leaves correlated."""
    losses = []
    for block in model.random:
        wide = [str(t) for t in block.terms if any(_is_wide(f) for f in t.factors)]
        if block.covariance == "diagonal" and wide:
            losses.append(
                Loss(
                    f"no covariances among the columns of {', '.join(wide)} | {block.group}",
                    "lme4's || leaves the columns of one term correlated",
                    "glmmTMB's diag(0 + ... | group), or one numeric indicator a level",
                )
            )
    return losses


def _is_wide(factor: str) -> bool:
    node = tree(factor)
    return isinstance(node, Call) and node.function in ("C", "poly", "bs", "ns", "cr")


NOTATION = Lme4()
"""The notation, as the registry finds it."""
