"""The arguments of ``lme()`` and ``gls()`` that say a model, and what they cannot say."""

from __future__ import annotations

from itertools import pairwise

from growthmm.model.defaults import Loss
from growthmm.model.expression import quote, spell, variables
from growthmm.model.mixed import MixedModel, RandomBlock
from growthmm.model.terms import Term
from growthmm.notation.formula.bars import is_wide
from growthmm.notation.formula.loss import spelled
from growthmm.notation.formula.text import term_text
from growthmm.notation.losses.blocks import PLAIN, covariance_losses
from growthmm.notation.r_code.script import is_syntactic
from growthmm.notation.residual_columns import (
    columns,
    crossed_loss,
    lacking,
    missing_columns,
    shared_loss,
    within,
)

__all__ = ["arguments", "losses", "residual_arguments"]

_CORRELATIONS = {
    "ar1": ("corAR1", ""),
    "arh1": ("corAR1", ""),
    "ar1+common": ("corExp", ", nugget = TRUE"),
    "cs": ("corCompSymm", ""),
    "csh": ("corCompSymm", ""),
    "unstructured": ("corSymm", ""),
    "across": ("corSymm", ""),
}
_VARIED = ("by_occasion", "by_group", "arh1", "csh", "unstructured", "across")

_CLASSES = {
    "unstructured": "pdSymm",
    "compound_symmetry": "pdCompSymm",
    "identity": "pdIdent",
}


def arguments(model: MixedModel, *, whole_times: bool = True) -> dict[str, str]:
    """The arguments that say a model, by name, the formula first.

    Parameters
    ----------
    model : MixedModel
        The model; what has no argument is left out.
    whole_times : bool
        Whether times are whole numbers apart, which ``corAR1`` needs; else ``corCAR1``.

    Returns
    -------
    dict of str to str
        The values in R's spelling.
    """
    fixed = f"{spelled(model.response, 'r')} ~ {_terms(model.fixed, explicit=False)}"
    parts = {"fixed" if model.random else "model": fixed}
    if model.random:
        parts["random"] = _random(model)
    return parts | residual_arguments(model, whole_times=whole_times)


def residual_arguments(model: MixedModel, *, whole_times: bool = True) -> dict[str, str]:
    """The arguments ``correlation`` and ``weights``, where the residuals need them."""
    parts: dict[str, str] = {}
    found = within(model)
    time = spell(quote(found.time), "r") if found.time is not None else "1"
    if model.residual.kind in _CORRELATIONS:
        function, more = _CORRELATIONS[model.residual.kind]
        if function == "corAR1" and not whole_times:
            function = "corCAR1"
        covariate, groups = time, _persons(model)
        if model.residual.kind == "across":
            covariate = spell(quote(model.residual.by or ""), "r")
            groups = f"{groups}/{time}"
        if function == "corCompSymm":
            covariate = "1"
        elif function == "corSymm" and covariate != "1":
            # corSymm takes whole numbers from 1 on without a gap, whatever the times are.
            covariate = f"as.integer(factor({covariate}))"
        parts["correlation"] = f"{function}(form = ~ {covariate} | {groups}{more})"
    if model.residual.kind in _VARIED:
        by = spell(quote(model.residual.by), "r") if model.residual.by is not None else time
        if model.residual.crossed:
            by += f" * {time}"
        parts["weights"] = f"varIdent(form = ~ 1 | {by})"
    return parts


def _terms(terms: tuple[Term, ...], *, explicit: bool = True) -> str:
    texts = {f: spelled(f, "r") for term in terms for f in term.factors}
    return term_text(terms, texts, explicit=explicit)


def _random(model: MixedModel) -> str:
    """The argument ``random``: a formula for one plain block, else a list of pdMat objects."""
    groups = _nested(model)
    first = model.random[0]
    if len(model.random) == 1 and first.covariance == "unstructured":
        return f"~ {_terms(first.terms)} | {_path(model)}"
    blocks = {g: [b for b in model.random if b.group == g] for g in groups}
    plain = [b[0] for b in blocks.values() if len(b) == 1 and b[0].covariance == "unstructured"]
    if len(plain) == len(groups) and len({b.terms for b in plain}) == 1:
        return f"~ {_terms(first.terms)} | {_path(model)}"
    parts = [f"{_own_name(g)} = {_positive(found)}" for g, found in blocks.items()]
    return f"list({', '.join(parts)})"


def _positive(blocks: list[RandomBlock]) -> str:
    """The pdMat object of one grouping factor."""
    pieces: list[str] = []
    for block in blocks:
        if block.covariance == "by_term" and any(is_wide(term) for term in block.terms):
            pieces += [f"pdSymm(~ {_terms((term,))})" for term in block.terms]
        else:
            function = _CLASSES.get(block.covariance, "pdDiag")
            pieces.append(f"{function}(~ {_terms(block.terms)})")
    return pieces[0] if len(pieces) == 1 else f"pdBlocked(list({', '.join(pieces)}))"


def _nested(model: MixedModel) -> list[str]:
    """The grouping factors from the outermost in."""
    return sorted(model.groups, key=lambda group: len(variables(group)))


def _own_name(group: str) -> str:
    return spell(quote(variables(group)[-1]), "r")


def _path(model: MixedModel) -> str:
    """The grouping factors of the random effects as ``school/child``."""
    return "/".join(_own_name(group) for group in _nested(model))


def _persons(model: MixedModel) -> str:
    """The grouping factors of the residuals, down to the persons."""
    groups = [_own_name(group) for group in _nested(model)]
    person = within(model).person
    if person is not None and person not in model.groups:
        inner = [spell(quote(name), "r") for name in variables(person)]
        groups += [name for name in inner if name not in groups]
    return "/".join(groups)


def losses(model: MixedModel) -> list[Loss]:
    """What nlme cannot say of a model.

    Parameters
    ----------
    model : MixedModel
        The model.

    Returns
    -------
    list of Loss
        Empty where :func:`arguments` are the whole model.
    """
    lost = covariance_losses("nlme", model, (*PLAIN, "compound_symmetry", "identity"))
    if model.residual.kind == "across" and model.residual.crossed:
        lost += crossed_loss("nlme", model)
    if model.residual.kind in ("toeplitz", "banded"):
        nearest = "corSymm() with varIdent(): unstructured residuals"
        lost.append(lacking("nlme", model, nearest))
    own = model.residual.kind == "groupwise"
    lost += crossed_loss("nlme", model) if own else shared_loss("nlme", model)
    lost += missing_columns("nlme", model)
    groups = _nested(model)
    chain = [("", groups[0]), *pairwise(groups)] if groups else []
    for depth, (outer, inner) in enumerate(chain, 1):
        names = variables(inner)
        nested = len(names) == depth and (not outer or variables(outer) == names[:-1])
        if not nested or ":".join(map(quote, names)) != inner:
            lost.append(
                Loss(
                    f"random effects of {inner}",
                    "nlme nests each grouping factor within the one before, and has no other",
                    "lme4, or (1 | a/b) where the factors are nested",
                )
            )
    lost += [
        Loss(
            f"the column {name!r}",
            "nlme pastes its formulas together without backticks and fails at such a name",
            "a column renamed to letters, digits, dots and underscores",
        )
        for name in columns(model)
        if not is_syntactic(name)
    ]
    return lost
