"""What the formula notations cannot say."""

from __future__ import annotations

from typing import Literal

from growthmm.errors import NotationError, SpecificationError
from growthmm.model.defaults import Loss
from growthmm.model.expression import quote, spell, variables
from growthmm.model.expression_rates import estimated_rates
from growthmm.model.mixed import MixedModel
from growthmm.notation.formula.text import term_text
from growthmm.notation.residual_columns import crossed_loss

__all__ = ["function_losses", "loading_losses", "residual_loss", "sem_error", "spelled"]


def sem_error(title: str) -> SpecificationError:
    """The error for a structural equation model given to a mixed-model notation."""
    return SpecificationError(
        f"{title} writes mixed models, and this is a structural equation model.",
        hint="Translate it first: growthmm.translate(model, to).",
    )


def residual_loss(title: str, model: MixedModel) -> list[Loss]:
    """The loss of a residual structure, for programs that have one residual variance.

    Parameters
    ----------
    title : str
        The program.
    model : MixedModel
        The model.

    Returns
    -------
    list of Loss
        Empty where residuals are independent with one variance.
    """
    kind = model.residual.kind
    if kind == "common":
        return []
    time = _time(model)
    person = model.groups[-1] if model.groups else model.residual.person
    group = spell(person, "r") if person is not None else "person"
    by = spell(quote(model.residual.by), "r") if model.residual.by else ""
    one = f"{title} has one residual variance for all rows"
    independent = f"{title} has independent residuals"
    if crossed := crossed_loss(title, model):
        return crossed
    table = {
        "by_occasion": (
            "residual variance by occasion",
            one,
            f"nlme::lme(..., weights = varIdent(form = ~ 1 | {time})) or "
            f"glmmTMB(dispformula = ~ 0 + factor({time}))",
        ),
        "by_group": (
            f"residual variance by {by}",
            one,
            f"nlme::lme(..., weights = varIdent(form = ~ 1 | {by})) or "
            f"glmmTMB(dispformula = ~ 0 + factor({by}))",
        ),
        "ar1": (
            "AR(1) residuals",
            independent,
            f"nlme::lme(..., correlation = corAR1(form = ~ {time} | {group}))",
        ),
        "ar1+common": (
            "AR(1) residuals plus measurement error",
            independent,
            f"glmmTMB(... + ar1(0 + factor({time}) | {group}))",
        ),
        "arh1": (
            "AR(1) residuals with variances by occasion",
            independent,
            f"nlme::lme(..., correlation = corAR1(form = ~ {time} | {group}), "
            f"weights = varIdent(form = ~ 1 | {time}))",
        ),
        "cs": (
            "compound-symmetric residuals",
            independent,
            f"nlme::gls(..., correlation = corCompSymm(form = ~ 1 | {group}))",
        ),
        "csh": (
            "compound-symmetric residuals with variances by occasion",
            independent,
            f"nlme::gls(..., correlation = corCompSymm(form = ~ 1 | {group}), "
            f"weights = varIdent(form = ~ 1 | {time}))",
        ),
        "toeplitz": (
            "Toeplitz residuals",
            independent,
            f"glmmTMB(... + homtoep(0 + factor({time}) | {group}), dispformula = ~ 0)",
        ),
        "banded": (
            f"banded residuals ({model.residual.bands})",
            independent,
            "the SEM side: lavaan with covariances of residuals",
        ),
        "unstructured": (
            "unstructured residuals",
            independent,
            f"nlme::gls(..., correlation = corSymm(form = ~ {time} | {group}), "
            f"weights = varIdent(form = ~ 1 | {time}))",
        ),
    }
    return [Loss(*table[kind])]


def _time(model: MixedModel) -> str:
    """The variable that is most likely time: the one told, with a random slope, else the first."""
    if model.residual.time is not None:
        return spell(quote(model.residual.time), "r")
    terms = [*(t for block in model.random for t in block.terms), *model.fixed]
    names = [v for term in terms for f in term.factors for v in variables(f)]
    return spell(quote(names[0]), "r") if names else "occasion"


def spelled(expression: str, language: Literal["r", "python"]) -> str:
    """An expression in a language's spelling, in the canonical one where it has none."""
    try:
        return spell(expression, language)
    except NotationError:
        return expression


def loading_losses(model: MixedModel) -> list[Loss]:
    """The loss of parameters within terms, for programs whose models are linear."""
    if not model.loading_parameters:
        return []
    names = ", ".join(model.loading_names)
    count = len(model.loading_names)
    more = f"{count} parameter" + ("s" if count > 1 else "")
    terms = (*model.fixed, *(t for block in model.random for t in block.terms))
    rates = estimated_rates((f for term in terms for f in term.factors), model.loading_names)
    curve = f"the exponential exp(-g*t) with estimated rate g = {' and '.join(rates)} in "
    return [
        Loss(
            f"the loading parameter{'s' if count > 1 else ''} {names}",
            "a linear mixed model's design is fixed numbers, and this one depends on parameters",
            f"{curve if rates else ''}nlme::nlme(); or lme4 at given {names}, {_at_given(model)}, "
            f"profiled over them: the highest log-likelihood is this model's, with {more} more "
            "than lmer counts (AIC and BIC raised accordingly)",
        )
    ]


def _at_given(model: MixedModel) -> str:
    """The call of lmer() in which columns of numbers stand for what holds parameters."""
    terms = (*model.fixed, *(t for block in model.random for t in block.terms))
    texts: dict[str, str] = {}
    for factor in (f for term in terms for f in term.factors):
        if not set(variables(factor)) & set(model.loading_names):
            texts.setdefault(factor, spelled(factor, "r"))
        elif factor not in texts:
            count = sum(text.startswith("basis") for text in texts.values())
            texts[factor] = "basis" + (str(count + 1) if count else "")
    bars = [
        f"({term_text(block.terms, texts, explicit=True)} | {spelled(block.group, 'r')})"
        for block in model.random
    ]
    right = " + ".join([term_text(model.fixed, texts, explicit=False), *bars])
    return f"lmer({spelled(model.response, 'r')} ~ {right}, REML = FALSE)"


def function_losses(
    model: MixedModel, language: Literal["r", "python"], *, curves: bool = False
) -> list[Loss]:
    """The factors of a model that need a function the language's formulas lack.

    Parameters
    ----------
    model : MixedModel
        The model.
    language : {"r", "python"}
        The language of the formulas.
    curves : bool
        Whether the program has parameters within terms; where not, they are a loss too.
    """
    terms = (*model.fixed, *(t for block in model.random for t in block.terms))
    losses = [] if curves else loading_losses(model)
    for expression in dict.fromkeys([model.response, *(f for t in terms for f in t.factors)]):
        try:
            spell(expression, language)
        except NotationError:
            program = "R" if language == "r" else "patsy"
            if expression.startswith(("lag(", "lead(")):
                why = f"{program} has no {expression[: expression.index('(')]} within persons"
                why += ": R's lag() moves the times of a series" * expression.startswith("lag(")
                instead = "data, with which it becomes a column that the script computes"
                losses.append(Loss(expression, why, instead))
                continue
            losses.append(
                Loss(
                    expression,
                    f"{program} has no such function",
                    "a column computed before the model, or I(t**2) and the like for polynomials",
                )
            )
    return losses
