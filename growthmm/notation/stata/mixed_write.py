"""A mixed model as Stata's ``mixed``."""

from __future__ import annotations

from growthmm.errors import NotationError
from growthmm.model.defaults import Loss
from growthmm.model.mixed import MixedModel, RandomBlock
from growthmm.model.terms import INTERCEPT, Term
from growthmm.notation.base import Written
from growthmm.notation.command_languages.facts import is_wide, quoted_group, settled
from growthmm.notation.command_languages.sheet import Piece, Sheet
from growthmm.notation.losses.blocks import PLAIN, covariance_losses
from growthmm.notation.residual_columns import crossed_loss, missing_columns
from growthmm.notation.stata.commands import find_command
from growthmm.notation.stata.mixed import read_mixed
from growthmm.notation.stata.names import STATA_NAMES

__all__ = ["mixed_lines", "write_mixed"]

_TYPES = {
    "ar1": "ar 1",
    "cs": "exchangeable",
    "toeplitz": "toeplitz",
    "unstructured": "unstructured",
    "banded": "banded",
}


def write_mixed(model: MixedModel) -> Written:
    """Write a mixed model as ``mixed``; computed columns as ``generate`` before it.

    Parameters
    ----------
    model : MixedModel
        The model. A bare column is continuous, ``C(column)`` a factor variable.

    Returns
    -------
    Written
        Text that reads back, and what Stata cannot say.
    """
    text, losses = mixed_lines(model)
    if not losses:
        try:
            unsaid = settled(read_mixed(find_command(text))) != settled(model)
            why = "Stata reads its text as another model"
        except NotationError as error:
            unsaid, why = True, error.message.split("\n")[0]
        if unsaid:
            losses = [Loss("the model as a whole", why, "write the terms another way")]
    return Written(text, tuple(losses))


def mixed_lines(model: MixedModel) -> tuple[str, list[Loss]]:
    """The text and its losses."""
    sheet = Sheet(model, "stata", STATA_NAMES, copies=False)
    losses = [*sheet.losses, *_reference_losses(sheet)]
    losses += covariance_losses("Stata", model, (*PLAIN, "compound_symmetry", "identity"))
    fixed, more = _fixed(model, sheet)
    losses += more
    equations, more = _equations(sheet)
    losses += more
    residual, more = _residual(sheet)
    losses += more
    if model.residual.kind != "common" and not equations and sheet.person is not None:
        chain = quoted_group(sheet.person)
        equations = [f"{sheet.names(name)}:, noconstant" for name in chain]
    lines = [f"* {note}" for note in sheet.names.notes()]
    lines += [f"generate double {name} = {text}" for name, text in sheet.assignments]
    constant = ", noconstant" if INTERCEPT not in model.fixed else ""
    head = " ".join(["mixed", sheet.response, *fixed]) + constant
    options = [*residual, "mle" if model.estimator == "ml" else "reml"]
    if equations:
        last = equations[-1]
        joint = " " if ", " in last else ", "
        equations[-1] = f"{last}{joint}{' '.join(options)}"
        head = " || ".join([head, *equations])
    else:
        head += (" " if constant else ", ") + " ".join(options)
    return "\n".join([*lines, head]), losses


def _written(piece: Piece, *, full: bool, several: bool) -> list[str]:
    if piece.categorical:
        base = ""
        if isinstance(piece.reference, float):
            base = f"b{piece.reference:g}"
        return [f"{'ibn' if full else f'i{base}'}.{piece.name}"]
    if several or piece.power > 1:
        return [f"c.{piece.name}"] * piece.power
    return [piece.name]


def _fixed(model: MixedModel, sheet: Sheet) -> tuple[list[str], list[Loss]]:
    found: list[str] = []
    full = INTERCEPT not in model.fixed
    for term in model.fixed:
        if term.is_intercept:
            continue
        pieces = sheet.pieces(term)
        alone = len(pieces) == 1 and pieces[0].categorical
        written = [
            part
            for piece in pieces
            for part in _written(piece, full=full and alone, several=len(pieces) > 1)
        ]
        # Without a constant the first factor variable has all its levels.
        full = full and not alone
        found.append("#".join(written))
    return found, []


def _reference_losses(sheet: Sheet) -> list[Loss]:
    losses = []
    for term in sheet.terms:
        for piece in sheet.pieces(term):
            level = piece.reference
            whole = isinstance(level, float) and level.is_integer() and level >= 0
            if piece.categorical and level is not None and not whole:
                why = "Stata names base levels by whole numbers"
                losses.append(
                    Loss(
                        f"{level!r} as reference of {piece.name}",
                        why,
                        f"C({piece.name}), or encode the column with it first",
                    )
                )
    return list(dict.fromkeys(losses))


def _equations(sheet: Sheet) -> tuple[list[str], list[Loss]]:
    """Equations for the levels, outer ones first, each within the one before."""
    blocks = sorted(sheet.model.random, key=lambda block: len(quoted_group(block.group)))
    found: list[str] = []
    losses: list[Loss] = []
    chain: list[str] = []
    for block in blocks:
        columns = quoted_group(block.group)
        if columns[: len(chain)] != chain:
            why = "Stata nests each level within the one before"
            losses.append(
                Loss(
                    f"random effects of {block.group} beside {':'.join(chain)}",
                    why,
                    "|| _all: R.x for one of them, or lme4",
                )
            )
            continue
        found += [f"{sheet.names(name)}:, noconstant" for name in columns[len(chain) : -1]]
        chain = columns
        lines, more = _equation(block, sheet, sheet.names(columns[-1]))
        found += lines
        losses += more
    return found, losses


_KINDS = {
    "unstructured": "unstructured",
    "compound_symmetry": "exchangeable",
    "identity": "identity",
}


def _equation(block: RandomBlock, sheet: Sheet, level: str) -> tuple[list[str], list[Loss]]:
    losses: list[Loss] = []
    names = []
    for term in block.terms:
        if term.is_intercept:
            continue
        name = _random_name(term, sheet)
        if name is None:
            why = "Stata has plain columns alone among random effects"
            losses.append(
                Loss(f"{term} | {block.group}", why, "a column computed before the model")
            )
        else:
            names.append(name)
    given = [] if INTERCEPT in block.terms else ["noconstant"]
    if len(block.terms) > 1:
        kind = _KINDS.get(block.covariance, "independent")
        given.append(f"covariance({kind})")
    shown = f"{level}: {' '.join(names)}".rstrip()
    return [shown + (f", {' '.join(given)}" if given else "")], losses


def _random_name(term: Term, sheet: Sheet) -> str | None:
    pieces = sheet.pieces(term)
    if is_wide(term) or len(pieces) != 1:
        return None
    piece = pieces[0]
    if piece.power == 1:
        return piece.name
    text = f"{piece.name} ^ {piece.power}"
    for name, computed in sheet.assignments:
        if computed == text:
            return name
    made = sheet.names.free(f"{piece.name[:24]}_{piece.power}")
    sheet.assignments.append((made, text))
    return made


def _residual(sheet: Sheet) -> tuple[list[str], list[Loss]]:
    residual = sheet.model.residual
    if residual.kind == "common":
        return [], []
    by = ""
    if residual.within is not None and not residual.shared:
        by, residual = f"by({sheet.names(residual.by or '')})", residual.within
    elif crossed := crossed_loss("Stata", sheet.model):
        return [], crossed
    if residual.kind == "by_group":
        assert residual.by is not None
        return [f"residuals(independent, by({sheet.names(residual.by)}))"], []
    losses = missing_columns("Stata", sheet.model)
    if residual.kind == "by_occasion" and not losses and sheet.occasion is not None:
        occasion = sheet.names(sheet.occasion)
        return [f"residuals(independent, by({occasion}))"], []
    if residual.kind not in _TYPES:
        nearest = "SAS: PROC MIXED with REPEATED"
        what = f"residuals {sheet.model.residual}"
        return [], [Loss(what, "mixed has no such type", nearest)]
    if losses:
        return [], losses
    kind = _TYPES[residual.kind] + (f" {residual.bands}" if residual.bands else "")
    options = [] if residual.kind == "cs" else [f"t({sheet.names(sheet.occasion or '')})"]
    said = " ".join([*options, *([by] if by else [])])
    return [f"residuals({kind}{', ' + said if said else ''})"], []
