"""A mixed model as a PROC MIXED step."""

from __future__ import annotations

from growthmm.errors import NotationError
from growthmm.model.defaults import Loss
from growthmm.model.mixed import MixedModel, RandomBlock
from growthmm.model.residual import ResidualStructure
from growthmm.model.terms import INTERCEPT, Term
from growthmm.notation.base import Written
from growthmm.notation.command_languages.facts import is_wide, quoted_group, settled
from growthmm.notation.command_languages.sheet import Sheet
from growthmm.notation.losses.blocks import PLAIN, covariance_losses
from growthmm.notation.residual_columns import crossed_loss, missing_columns, within
from growthmm.notation.sas.mixed import read_mixed
from growthmm.notation.sas.names import SAS_NAMES, string
from growthmm.notation.sas.statements import find_procedure

__all__ = ["mixed_lines", "write_mixed"]

_TYPES = {
    "by_occasion": "un(1)",
    "arh1": "arh(1)",
    "cs": "cs",
    "csh": "csh",
    "toeplitz": "toep",
    "unstructured": "un",
}


def write_mixed(model: MixedModel) -> Written:
    """Write a mixed model as PROC MIXED; computed columns as a data step before it.

    Parameters
    ----------
    model : MixedModel
        The model. A bare column is numeric to SAS; ``C(column)`` goes to CLASS.

    Returns
    -------
    Written
        Text that reads back, and what SAS cannot say.
    """
    text, losses = mixed_lines(model, "_last_", "growthmm", "")
    if not losses:
        try:
            again = read_mixed(find_procedure(text))
            unsaid = settled(again) != settled(model)
            why = "SAS reads its text as another model"
        except NotationError as error:
            unsaid, why = True, error.message.split("\n")[0]
        if unsaid:
            losses = [Loss("the model as a whole", why, "write the terms another way")]
    return Written(text, tuple(losses))


def mixed_lines(model: MixedModel, source: str, made: str, listing: str) -> tuple[str, list[Loss]]:
    """The text and its losses.

    Parameters
    ----------
    model : MixedModel
        The model.
    source, made : str
        The data set that a data step reads, and the one that it makes.
    listing : str
        Options of the PROC statement, before the semicolon.
    """
    spatial = model.residual.kind in ("ar1", "ar1+common")
    occasion = within(model).time
    numeric = (occasion,) if spatial and occasion is not None else ()
    sheet = Sheet(model, "sas", SAS_NAMES, copies=True, numeric=numeric)
    losses = list(sheet.losses)
    losses += covariance_losses("SAS", model, (*PLAIN, "compound_symmetry"))
    for block in model.random:
        losses += _block_losses(block)
    random = [line for block in model.random for line in _random(block, sheet)]
    repeated, more = _repeated(sheet)
    losses += more
    fixed = [_effect(term, sheet) for term in model.fixed if not term.is_intercept]
    noint = "" if INTERCEPT in model.fixed else " noint"
    effects = f" {' '.join(fixed)}" if fixed else ""
    classes = [_class(name, reference) for name, reference in sheet.references.items()]
    lines = [f"/* {note} */" for note in sheet.names.notes()]
    if sheet.assignments:
        lines += [f"data {made};", f"  set {source};"]
        lines += [f"  {name} = {text};" for name, text in sheet.assignments]
        lines.append("run;")
    lines.append(f"proc mixed{listing} method={model.estimator};")
    if classes:
        lines.append(f"  class {' '.join(classes)};")
    lines.append(f"  model {sheet.response} ={effects} / solution{noint};")
    lines += [f"  {line}" for line in (*random, *repeated)]
    return "\n".join([*lines, "run;"]), losses


def _class(name: str, reference: str | float | None) -> str:
    if reference is None:
        return name
    if reference == "":
        return f"{name}(ref=first)"
    shown = string(reference) if isinstance(reference, str) else f"{reference:.15g}"
    return f"{name}(ref={shown})"


def _effect(term: Term, sheet: Sheet) -> str:
    pieces = sheet.pieces(term)
    return "*".join(piece.name for piece in pieces for _ in range(piece.power))


def _subject(group: str, sheet: Sheet) -> str:
    *outer, inner = [sheet.categorical(name) for name in quoted_group(group)]
    return f"{inner}({' '.join(outer)})" if outer else inner


def _random(block: RandomBlock, sheet: Sheet) -> list[str]:
    subject = _subject(block.group, sheet)
    parts: list[tuple[tuple[Term, ...], str]] = [(block.terms, "un")]
    if block.covariance == "compound_symmetry":
        parts = [(block.terms, "cs")]
    elif block.covariance == "diagonal":
        parts = [(block.terms, "un(1)")]
    elif block.covariance == "by_term":
        parts = [((term,), "un") for term in block.terms]
    if block.covariance in ("diagonal", "by_term") and not any(
        is_wide(term) for term in block.terms
    ):
        parts = [(block.terms, "vc")]
    lines = []
    for terms, kind in parts:
        effects = " ".join("intercept" if t.is_intercept else _effect(t, sheet) for t in terms)
        lines.append(f"random {effects} / subject={subject} type={kind};")
    return lines


def _block_losses(block: RandomBlock) -> list[Loss]:
    wide = [str(term) for term in block.terms if is_wide(term)]
    if wide and INTERCEPT in block.terms and len(block.terms) > 1:
        inside = " + ".join(["0", *wide])
        return [
            Loss(
                f"an intercept beside {', '.join(wide)} | {block.group}",
                "SAS has an indicator for each level of a CLASS variable in RANDOM",
                f"({inside} | {block.group}), which is the same model",
            )
        ]
    return []


def _across(sheet: Sheet) -> tuple[list[str], list[Loss]]:
    """Residuals of several outcomes that covary at one time: the subject is a person's time."""
    residual = sheet.model.residual
    losses = missing_columns("SAS", sheet.model)
    if losses or sheet.occasion is None or sheet.person is None or residual.by is None:
        return [], losses or crossed_loss("SAS", sheet.model)
    *outer, inner = [sheet.categorical(name) for name in quoted_group(sheet.person)]
    time = sheet.categorical(sheet.occasion)
    group = f" group={time}" if residual.crossed else ""
    subject = f"{time}({' '.join([inner, *outer])})"
    return [f"repeated {sheet.categorical(residual.by)} / subject={subject} type=un{group};"], []


def _repeated(sheet: Sheet) -> tuple[list[str], list[Loss]]:
    residual = sheet.model.residual
    if residual.kind == "common":
        return [], []
    subject = "" if sheet.person is None else f" subject={_subject(sheet.person, sheet)}"
    if residual.within is not None and not residual.shared:
        return _of_groups(sheet, residual.within, subject)
    alone = residual.kind == "by_group" and residual.crossed and not residual.shared
    if alone and sheet.person is not None:
        by_time = ResidualStructure("by_occasion")
        group = f" group={sheet.categorical(residual.by or '')}"
        return _structured(sheet, by_time, subject, group)
    if residual.kind == "across":
        return _across(sheet)
    if crossed := crossed_loss("SAS", sheet.model):
        return [], crossed
    if residual.kind == "by_group":
        assert residual.by is not None
        return [f"repeated /{subject} group={sheet.categorical(residual.by)};"], []
    return _structured(sheet, residual, subject, "")


def _of_groups(
    sheet: Sheet, residual: ResidualStructure, subject: str
) -> tuple[list[str], list[Loss]]:
    """A correlated structure of each group."""
    by = sheet.model.residual.by or ""
    if residual.kind == "ar1+common":
        why = "SAS does not say whether what LOCAL adds is each group's own or one for all"
        nearest = f"by_group:{by}:ar1, without the independent part; or gm.fit"
        return [], [Loss(f"residuals {sheet.model.residual}", why, nearest)]
    return _structured(sheet, residual, subject, f" group={sheet.categorical(by)}")


def _structured(
    sheet: Sheet, residual: ResidualStructure, subject: str, group: str
) -> tuple[list[str], list[Loss]]:
    """The statement of a structure, of everyone or of each group."""
    losses = missing_columns("SAS", sheet.model)
    if residual.kind == "cs" and not losses:
        return [f"repeated /{subject} type=cs{group};"], []
    if losses or sheet.occasion is None:
        return [], losses
    if residual.kind in ("ar1", "ar1+common"):
        local = " local" if residual.kind == "ar1+common" else ""
        time = sheet.names(sheet.occasion)
        return [f"repeated /{subject} type=sp(pow)({time}){local}{group};"], []
    occasion = sheet.categorical(sheet.occasion)
    if sheet.person is None:
        return [f"repeated {occasion} / group={occasion};"], []
    kind = (
        f"un({(residual.bands or 0) + 1})" if residual.kind == "banded" else _TYPES[residual.kind]
    )
    return [f"repeated {occasion} /{subject} type={kind}{group};"], []
