"""The arguments of ``glmmTMB()`` that say a model, and what they cannot say."""

from __future__ import annotations

from growthmm.model.defaults import Loss
from growthmm.model.expression import quote, spell
from growthmm.model.expression_print import r_string
from growthmm.model.mixed import MixedModel
from growthmm.notation.formula.bars import bars
from growthmm.notation.formula.loss import spelled
from growthmm.notation.formula.text import term_text
from growthmm.notation.losses.blocks import PLAIN, covariance_losses
from growthmm.notation.residual_columns import (
    Within,
    crossed_loss,
    lacking,
    missing_columns,
    within,
)

__all__ = ["call_parts", "losses", "strata", "tied_lines", "version_line"]

_FUNCTIONS = {
    "ar1": "ar1",
    "ar1+common": "ar1",
    "arh1": "hetar1",
    "cs": "homcs",
    "csh": "cs",
    "toeplitz": "homtoep",
    "unstructured": "us",
}
_TIED = {"cs": "cs", "toeplitz": "toep"}


def call_parts(
    model: MixedModel, *, script: bool = False, even_times: bool = True
) -> tuple[str, list[str]]:
    """The formula, and the further arguments that say a model.

    Parameters
    ----------
    model : MixedModel
        The model; what cannot be said is left out.
    script : bool
        Whether structures with one variance are written for :func:`tied_lines`, which every
        version of glmmTMB knows, in place of their own functions of later versions.
    even_times : bool
        Whether occasions are equally far apart; else AR(1) is written with ``ou()``, whose
        correlation is positive.
    """
    everything = [*model.fixed, *(t for block in model.random for t in block.terms)]
    texts = {f: spelled(f, "r") for term in everything for f in term.factors}
    pieces = [term_text(model.fixed, texts, explicit=False)]
    for block in model.random:
        pieces += bars(block, texts, spell(block.group, "r"), "diag({terms} | {group})")
    more: list[str] = []
    kind, found = model.residual.kind, within(model)
    time = _factor(found.time or "occasion")
    if kind in _FUNCTIONS:
        function = _TIED.get(kind, _FUNCTIONS[kind]) if script else _FUNCTIONS[kind]
        if function == "ar1" and not even_times:
            function, time = "ou", time.replace("factor(", "numFactor(", 1)
        person = spell(found.person, "r") if found.person is not None else "person"
        pieces.append(f"{function}(0 + {time} | {person})")
        if kind != "ar1+common":
            more.append("dispformula = ~ 0")
    elif kind == "across" and model.residual.by is not None:
        group = ":".join(spell(name, "r") for name in (found.person or "person", quoted(found)))
        pieces.append(f"us(0 + {_factor(model.residual.by)} | {group})")
        more.append("dispformula = ~ 0")
    elif kind in ("by_occasion", "by_group"):
        by = time if model.residual.by is None else _factor(model.residual.by)
        more.append(f"dispformula = ~ 0 + {by}")
    return f"{spelled(model.response, 'r')} ~ {' + '.join(pieces)}", more


def quoted(found: Within) -> str:
    """The column of times, as an expression."""
    return quote(found.time or "occasion")


def _factor(name: str) -> str:
    return f"factor({spell(quote(name), 'r')})"


def strata(model: MixedModel) -> str | None:
    """The column, as a string of R, whose levels have residual variances of their own."""
    if model.residual.kind not in ("by_occasion", "by_group"):
        return None
    return r_string(model.residual.by or within(model).time or "occasion")


def version_line(model: MixedModel) -> list[str]:
    """A line that stops where the installed version lacks a covariance function."""
    wanted = ["hetar1"] if model.residual.kind == "arh1" else []
    equal = {"compound_symmetry": "homcs", "identity": "homdiag"}
    wanted += [equal[block.covariance] for block in model.random if block.covariance in equal]
    return [
        f'stopifnot("{name}() needs glmmTMB 1.1.12" = packageVersion("glmmTMB") >= "1.1.12")'
        for name in dict.fromkeys(wanted)
    ]


def tied_lines(model: MixedModel, parts: list[str]) -> list[str]:
    """Lines that tie the variances of ``cs()`` or ``toep()``, the last term, to be equal.

    Parameters
    ----------
    model : MixedModel
        The model.
    parts : list of str
        The arguments of the call.
    """
    if model.residual.kind not in _TIED:
        return []
    joined = ",\n  ".join([*parts, "doFit = FALSE"])
    return [
        f"parts <- glmmTMB(\n  {joined}\n)",
        "last <- parts$condReStruc[[length(parts$condReStruc)]]",
        "others <- length(parts$parameters$theta) - last$blockNumTheta",
        "map <- list(theta = factor(c(seq_len(others), rep(others + 1, last$blockSize),",
        "  others + 1 + seq_len(last$blockNumTheta - last$blockSize))))",
    ]


def losses(model: MixedModel) -> list[Loss]:
    """What glmmTMB cannot say of a model."""
    unsaid = covariance_losses("glmmTMB", model, (*PLAIN, "compound_symmetry", "identity"))
    across = model.residual.kind == "across" and not model.residual.crossed
    crossed = [] if across else crossed_loss("glmmTMB", model)
    if crossed:
        return [*crossed, *unsaid]
    if unsaid:
        return [*unsaid, *missing_columns("glmmTMB", model)]
    if model.residual.kind == "banded":
        return [lacking("glmmTMB", model, "us(0 + factor(time) | person): unstructured residuals")]
    if model.residual.kind == "cs" and within(model).time is None:
        return [
            Loss(
                "the column of times of residuals cs",
                "glmmTMB names it, and the model does not tell which it is",
                "say it with time= or --time",
            ),
            *missing_columns("glmmTMB", model),
        ]
    return missing_columns("glmmTMB", model)
