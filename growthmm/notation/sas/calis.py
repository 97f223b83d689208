"""PROC CALIS: LINEQS and PATH statements to a structural equation model."""

from __future__ import annotations

import re
from dataclasses import replace

from growthmm.model.defaults import Default
from growthmm.model.sem import Path, SemModel
from growthmm.notation.command_languages.sem import Row, complete
from growthmm.notation.command_languages.tokens import Token
from growthmm.notation.sas.calis_cells import (
    add_bounds,
    add_lincon,
    add_moment,
    add_pairs,
    add_rows,
    check_number,
)
from growthmm.notation.sas.draft import Draft
from growthmm.notation.sas.lineqs import read_lineqs
from growthmm.notation.sas.options import CALIS_OPTIONS, CALIS_REFUSED, CALIS_SILENT, options
from growthmm.notation.sas.statements import Procedure, Statement
from growthmm.notation.sas.syntax import PathItem

__all__ = ["read_calis"]


def read_calis(procedure: Procedure) -> SemModel:
    """Read a PROC CALIS step.

    Parameters
    ----------
    procedure : Procedure
        The step, from :func:`growthmm.notation.sas.statements.find_procedure`.

    Returns
    -------
    SemModel
        The complete table. Variables are observed where a VAR statement lists them; without
        one, those whose names or fixed effects do not make them latent.

    Raises
    ------
    NotationError
        If a statement is malformed or says something unsupported.
    """
    draft = Draft(procedure)
    _proc(draft, procedure.head)
    for statement in procedure.statements:
        if statement.word == "var":
            _var(draft, statement)
    for statement in procedure.statements:
        if statement.word == "lineqs":
            read_lineqs(draft, statement)
        elif statement.word == "path":
            for item in draft.parsed("paths", statement):
                _path(draft, item)
    for statement in procedure.statements:
        _moments(draft, statement)
    if not draft.rows:
        message = "PROC CALIS without a LINEQS or PATH statement"
        hint = "Write path i ===> y0 y1 = 1 1;"
        raise draft.fail(message, procedure.head.position, hint)
    return _finished(draft)


def _proc(draft: Draft, statement: Statement) -> None:
    parsed = draft.parsed("procedure", statement)
    given = options(draft.procedure.text, parsed, CALIS_OPTIONS, "PROC CALIS")
    method = given["method"].value_text() if "method" in given else "ml"
    if "method" not in given:
        rule = "PROC CALIS: METHOD=ML unless told, which drops incomplete persons"
        draft.defaults.append(Default("method", "ML", rule))
    if method not in ("ml", "fiml"):
        message = f"METHOD={method.upper()[:20]} is not supported"
        raise draft.fail(message, given["method"].token, "Use METHOD=ML or METHOD=FIML.")
    divisor = given["vardef"].value_text() if "vardef" in given else "df"
    if divisor not in ("df", "n"):
        raise draft.fail("VARDEF= can be DF or N", given["vardef"].token)
    draft.missing = "ml" if method == "fiml" else "listwise"
    if method == "fiml" or divisor == "n":
        draft.likelihood = "normal"
    elif "vardef" not in given:
        rule = "PROC CALIS: METHOD=ML divides by N - 1 unless VARDEF=N"
        draft.defaults.append(Default("divisor", "N - 1", rule))
    if "data" in given:
        draft.data = "".join(token.text for token in given["data"].value)


def _var(draft: Draft, statement: Statement) -> None:
    names = [draft.variable(token) for token in draft.parsed("names", statement)]
    draft.listed = [*(draft.listed or []), *names]
    draft.order.update(dict.fromkeys(names))


def _path(draft: Draft, item: PathItem) -> None:
    if not item.left:
        add_rows(draft, "~~", [(name, name) for name in item.right], item.cells, item.arrow)
        return
    check_number(draft, len(item.left) * len(item.right), item.arrow)
    pairs = [(a, b) for a in item.left for b in item.right]
    if item.arrow.text[0] == "<" and item.arrow.text[-1] == ">":
        add_rows(draft, "~~", pairs, item.cells, item.arrow)
        return
    if item.arrow.text[0] == "<":
        pairs = [(b, a) for a, b in pairs]
    constant = [cause for cause, _ in pairs if _is_constant(cause)]
    if not constant:
        add_rows(draft, "->", pairs, item.cells, item.arrow)
        return
    if len(constant) < len(pairs):
        raise draft.fail("The constant and variables in one path", constant[0])
    add_rows(draft, "~1", [(b, b) for _, b in pairs], item.cells, item.arrow)


def _is_constant(token: Token) -> bool:
    """Whether a token is the constant variable."""
    return token.says("intercept", "intercep") or token.kind == "number"


_VARIANCES = ("variance", "variances", "pvar", "pvariance", "std")
_COVARIANCES = ("cov", "pcov", "covariance", "pcovariance")


def _moments(draft: Draft, statement: Statement) -> None:
    word = statement.word
    if word in ("var", "lineqs", "path"):
        return
    if word in _VARIANCES:
        for moment in draft.parsed("moments", statement):
            add_moment(draft, "~~", moment)
    elif word in ("mean", "means"):
        for moment in draft.parsed("moments", statement):
            add_moment(draft, "~1", moment)
    elif word in _COVARIANCES:
        for moment in draft.parsed("pairs", statement):
            add_pairs(draft, moment)
    elif word == "bounds":
        add_bounds(draft, statement)
    elif word == "lincon":
        add_lincon(draft, statement)
    elif word in CALIS_REFUSED:
        message = f"The {word.upper()} statement is not supported"
        raise draft.fail(message, statement.position, CALIS_REFUSED[word])
    elif word not in CALIS_SILENT:
        message = f"PROC CALIS has no statement {statement.shown[:40]!r} that is known"
        hint = "Statements: lineqs, path, variance, cov, mean, pvar, pcov, var."
        raise draft.fail(message, statement.position, hint)


def _is_latent(draft: Draft, name: str) -> bool:
    if draft.listed is not None:
        return name not in draft.listed
    if name in draft.latent_hint:
        return True
    scaled = any(
        row.op == "->" and row.left == name and not row.cell.free and row.cell.value
        for row in draft.rows
    )
    scaled = scaled or any(
        row.key == ("~~", name, name) and not row.cell.free and row.cell.value for row in draft.rows
    )
    return scaled and (not draft.lineqs or name.lower().startswith("f"))


def _finished(draft: Draft) -> SemModel:
    names = [name for name in draft.order if name not in draft.errors]
    latent = [name for name in names if _is_latent(draft, name)]
    manifest = [name for name in names if name not in latent]
    program = "PROC CALIS"
    paths, roles = complete(draft.rows, manifest, latent, program, joint=False)
    if roles.conditional:
        rule = "PROC CALIS estimates their moments too; the other estimates are the same"
        shown = " ".join(roles.conditional)
        draft.defaults.append(Default(f"moments of {shown}", "those of the data", rule))
    labels = {path.label for path in paths if path.label}
    for name in (*draft.bounds, *_constrained(draft)):
        if name not in labels:
            first = draft.procedure.head.position
            shown = ", ".join(sorted(labels)) or "none"
            raise draft.fail(
                f"BOUNDS or LINCON names {name}, which is no parameter",
                first,
                f"Parameters with names: {shown}.",
            )
    return SemModel(
        paths=tuple(_bounded(draft, path) for path in paths),
        latent=roles.latent,
        outcomes=tuple(name for name in roles.manifest if name not in roles.conditional),
        covariates=roles.conditional,
        constraints=tuple(draft.constraints),
        fixed_x=_conditional_or_none(roles.manifest, roles.conditional, draft.rows),
        missing=draft.missing,
        likelihood=draft.likelihood,
        notation="sas",
        defaults=tuple(draft.defaults),
        data=draft.data,
    )


def _constrained(draft: Draft) -> list[str]:
    sides = [side for each in draft.constraints for side in (each.left, each.right)]
    words = [word.strip("-") for side in sides for word in re.split(r"[ *]", side)]
    return [word for word in words if word[:1].isalpha() or word.startswith("_")]


def _conditional_or_none(
    manifest: tuple[str, ...], conditional: tuple[str, ...], rows: list[Row]
) -> bool:
    explained = {row.right for row in rows if row.op == "->"}
    return bool(conditional) or all(name in explained for name in manifest)


def _bounded(draft: Draft, path: Path) -> Path:
    if path.label not in draft.bounds or path.label is None:
        return path
    lower, upper = draft.bounds[path.label]
    return replace(path, lower=lower, upper=upper)
