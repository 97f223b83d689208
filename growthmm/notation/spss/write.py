"""A mixed model as an SPSS MIXED command, and as a complete program."""

from __future__ import annotations

from growthmm.errors import NotationError, UnsupportedError
from growthmm.model.defaults import Loss
from growthmm.model.mixed import BlockCovariance, MixedModel, RandomBlock
from growthmm.model.schema import Schema
from growthmm.model.terms import INTERCEPT, Term
from growthmm.notation.base import ScriptContext, Written
from growthmm.notation.command_languages.columns import occasion_columns, schema_names, schema_of
from growthmm.notation.command_languages.effects import monomials
from growthmm.notation.command_languages.facts import is_wide, quoted_group, settled
from growthmm.notation.command_languages.names import Names
from growthmm.notation.command_languages.sheet import Sheet, with_levels
from growthmm.notation.lag_lines import spss_lags
from growthmm.notation.losses.blocks import PLAIN, covariance_losses
from growthmm.notation.residual_columns import crossed_loss, missing_columns, placed
from growthmm.notation.sem.text import number_text
from growthmm.notation.spss.names import SPSS_NAMES
from growthmm.notation.spss.read import read_spss

__all__ = ["mixed_lines", "script", "write_mixed"]

_TYPES = {
    "by_occasion": "DIAG",
    "ar1": "AR1",
    "arh1": "ARH1",
    "cs": "CS",
    "csh": "CSH",
    "toeplitz": "TP",
    "unstructured": "UN",
}


def write_mixed(model: MixedModel) -> Written:
    """Write a mixed model as MIXED; computed columns as COMPUTE commands before it.

    Parameters
    ----------
    model : MixedModel
        The model. A bare column is a covariate (WITH); ``C(column)`` is a factor (BY).

    Returns
    -------
    Written
        Text that reads back, and what SPSS cannot say.
    """
    text, losses = mixed_lines(model)
    if not losses:
        try:
            unsaid = settled(read_spss(text)) != settled(model)
            why = "SPSS reads its text as another model"
        except NotationError as error:
            unsaid, why = True, error.message.split("\n")[0]
        if unsaid:
            losses = [Loss("the model as a whole", why, "write the terms another way")]
    return Written(text, tuple(losses))


def mixed_lines(model: MixedModel) -> tuple[str, list[Loss]]:
    """The text and its losses."""
    sheet = Sheet(model, "spss", SPSS_NAMES, copies=True)
    losses = [*sheet.losses, *_reference_losses(model)]
    losses += covariance_losses("SPSS", model, (*PLAIN, *_EQUAL))
    for block in model.random:
        losses += _block_losses(block)
    random = [line for block in model.random for line in _random(block, sheet)]
    repeated, more = _repeated(sheet)
    fixed = [_effect(term, sheet) for term in model.fixed if not term.is_intercept]
    factors, covariates = _lists(sheet)
    lines = [f"/* {note} */" for note in sheet.names.notes()]
    lines += [f"COMPUTE {name} = {text}." for name, text in sheet.assignments]
    if sheet.assignments:
        lines.append("EXECUTE.")
    head = f"MIXED {sheet.response}"
    head += f" BY {' '.join(factors)}" if factors else ""
    head += f" WITH {' '.join(covariates)}" if covariates else ""
    noint = "" if INTERCEPT in model.fixed else "NOINT "
    shown = f"{' '.join(fixed)} " if fixed else ""
    body = [f"/FIXED = {shown}| {noint}SSTYPE(3)", f"/METHOD = {model.estimator.upper()}"]
    body += [*random, *repeated, "/PRINT = SOLUTION G R TESTCOV"]
    lines += [head, *(f"  {line}" for line in body)]
    return "\n".join(lines) + ".", [*losses, *more]


def _lists(sheet: Sheet) -> tuple[list[str], list[str]]:
    """Factors and covariates of the effects."""
    pieces = [piece for term in sheet.terms for piece in sheet.pieces(term)]
    factors = dict.fromkeys(piece.name for piece in pieces if piece.categorical)
    covariates = dict.fromkeys(piece.name for piece in pieces if not piece.categorical)
    return list(factors), list(covariates)


def _effect(term: Term, sheet: Sheet) -> str:
    pieces = sheet.pieces(term)
    return "*".join(piece.name for piece in pieces for _ in range(piece.power))


def _subject(group: str, sheet: Sheet) -> str:
    # SUBJECT takes columns of any kind, whatever else they are.
    return "*".join(sheet.names(name) for name in quoted_group(group))


_EQUAL: dict[BlockCovariance, str] = {"compound_symmetry": "CS", "identity": "ID"}


def _random(block: RandomBlock, sheet: Sheet) -> list[str]:
    subject = _subject(block.group, sheet)
    wide = any(is_wide(term) for term in block.terms)
    parts: list[tuple[tuple[Term, ...], str]] = [(block.terms, "UN")]
    if len(block.terms) == 1 and not wide:
        parts = [(block.terms, "VC")]
    elif block.covariance in _EQUAL:
        parts = [(block.terms, _EQUAL[block.covariance])]
    elif block.covariance == "diagonal" or (block.covariance == "by_term" and not wide):
        parts = [(block.terms, "DIAG")]
    elif block.covariance == "by_term":
        parts = [((term,), "UN") for term in block.terms]
    lines = []
    for terms, kind in parts:
        effects = " ".join("INTERCEPT" if t.is_intercept else _effect(t, sheet) for t in terms)
        lines.append(f"/RANDOM = {effects} | SUBJECT({subject}) COVTYPE({kind})")
    return lines


def _block_losses(block: RandomBlock) -> list[Loss]:
    wide = [str(term) for term in block.terms if is_wide(term)]
    if not wide or INTERCEPT not in block.terms or len(block.terms) == 1:
        return []
    inside = " + ".join(["0", *wide])
    return [
        Loss(
            f"an intercept beside {', '.join(wide)} | {block.group}",
            "SPSS has an indicator for each level of a factor in RANDOM",
            f"({inside} | {block.group}), which is the same model",
        )
    ]


def _reference_losses(model: MixedModel) -> list[Loss]:
    terms = [*model.fixed, *(t for block in model.random for t in block.terms)]
    losses = []
    for factor in dict.fromkeys(f for term in terms for f in term.factors):
        known = monomials(factor)
        if known is not None and known.reference is not None:
            why = "SPSS compares levels to the last one"
            losses.append(Loss(factor, why, f"C({known.name}), which is the same model"))
    return losses


def _repeated(sheet: Sheet) -> tuple[list[str], list[Loss]]:
    residual = sheet.model.residual
    if residual.kind == "common":
        return [], []
    mixed = residual.kind == "across" and residual.crossed
    if residual.kind == "groupwise" or residual.shared or mixed:
        return [], crossed_loss("SPSS", sheet.model)
    if residual.kind not in _TYPES and residual.kind != "across":
        nearest = "SAS: PROC MIXED with REPEATED" + (" / GROUP=" if residual.by else "")
        return [], [Loss(f"residuals {residual}", "MIXED has no such COVTYPE", nearest)]
    losses = missing_columns("SPSS", sheet.model)
    for fact, what in ((sheet.occasion, "times"), (sheet.person, "persons")):
        if fact is None and not any(what in loss.what for loss in losses):
            why = "REPEATED names it, and the model does not tell which it is"
            losses.append(
                Loss(f"the column of {what} of residuals {residual}", why, f"name {what}")
            )
    if losses or sheet.occasion is None or sheet.person is None:
        return [], losses
    subject = _subject(sheet.person, sheet)
    occasion = sheet.names(sheet.occasion)
    if residual.kind == "across" and residual.by is not None:
        outcome = sheet.names(residual.by)
        return [f"/REPEATED = {outcome} | SUBJECT({subject}*{occasion}) COVTYPE(UN)"], []
    kind = _TYPES[residual.kind]
    return [f"/REPEATED = {occasion} | SUBJECT({subject}) COVTYPE({kind})"], []


_READ = """\
BEGIN PROGRAM PYTHON3.
# Names come from the file's first line; what is no plain name becomes V1, V2, ...
import csv, re, spss
path = {path}
with open(path, newline='', encoding='utf-8-sig') as file:
    header = next(csv.reader(file))
names = [name if re.fullmatch('[A-Za-z][A-Za-z0-9_.]{{0,63}}', name) else 'V%d' % (k + 1)
         for k, name in enumerate(header)]
quoted = path.replace("'", "''")
spss.Submit("GET DATA /TYPE=TXT /FILE='" + quoted + "' /ENCODING='UTF8' /DELIMITERS=','"
            " /QUALIFIER='\\"' /ARRANGEMENT=DELIMITED /FIRSTCASE=2"
            " /VARIABLES=" + ' '.join(name + ' AUTO' for name in names) + '.')
END PROGRAM."""


def script(model: MixedModel, context: ScriptContext) -> str:
    """A complete program: reads the CSV file, reshapes where needed, fits, prints.

    Parameters
    ----------
    model : MixedModel
        The model.
    context : ScriptContext
        Where the data are and what they look like.

    Raises
    ------
    UnboundError
        If the data are wide and `context` has no schema.
    UnsupportedError
        If SPSS cannot say the model.
    """
    from growthmm.model.expression_print import python_string

    made = _without_references(placed(with_levels(model, context.schema), context))
    text, losses = mixed_lines(made)
    if losses:
        raise UnsupportedError("SPSS cannot say all of this model.", losses=losses)
    path = context.data if context.data is not None else "data.csv"
    asked = [] if context.data is not None else ["* Put the path of the data (CSV) below."]
    lines = [*asked, _READ.format(path=python_string(path))]
    if context.layout == "wide":
        lines += _lengthening(schema_of(context))
    lines.append("SET DECIMAL=DOT.")
    if context.schema is not None and context.schema.lagged:
        lines += spss_lags(context.schema, _names(context.schema))
    return "\n".join([*lines, text]) + "\n"


def _without_references(model: MixedModel) -> MixedModel:
    """The model with SPSS's own reference levels; its moments are the same."""
    from dataclasses import replace

    def plain(factor: str) -> str:
        known = monomials(factor)
        if known is None or known.reference is None:
            return factor
        return factor.partition(", Treatment(")[0] + ")"

    def terms(given: tuple[Term, ...]) -> tuple[Term, ...]:
        return tuple(Term(tuple(plain(f) for f in term.factors)) for term in given)

    blocks = tuple(replace(b, terms=terms(b.terms)) for b in model.random)
    return replace(model, fixed=terms(model.fixed), random=blocks)


def _names(schema: Schema) -> Names:
    return schema_names(SPSS_NAMES, schema, (lagged.name for lagged in schema.lagged))


def _lengthening(schema: Schema) -> list[str]:
    names = _names(schema)
    copies: list[str] = []
    lines = ["VARSTOCASES"]
    for stem, wide in occasion_columns(schema):
        cells = []
        for j, column in enumerate(wide):
            cells.append(names(column))
            if column in wide[:j]:
                cells[-1] = f"growthmm_copy{len(copies) + 1}"
                copies.append(f"COMPUTE {cells[-1]} = {names(column)}.")
        lines.append(f"  /MAKE {names(stem)} FROM {' '.join(cells)}")
    lines = [*copies, *lines]
    lines.append("  /INDEX = growthmm_index.")
    pairs = [f"({k + 1} = {number_text(t)})" for k, t in enumerate(schema.occasions)]
    time = names(schema.time or "")
    return [*lines, f"RECODE growthmm_index {' '.join(pairs)} INTO {time}.", "EXECUTE."]
