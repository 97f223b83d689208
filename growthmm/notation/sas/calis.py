"""PROC CALIS: LINEQS and PATH statements to a structural equation model."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import Literal

from growthmm.errors import NotationError
from growthmm.model.defaults import Default
from growthmm.model.sem import Constraint, Path, SemModel
from growthmm.notation.command_languages.effects import name_list
from growthmm.notation.command_languages.sem import Cell, Row, complete
from growthmm.notation.command_languages.tokens import Cursor, Token
from growthmm.notation.sas.calis_cells import check_number, pair_cells, read_cells, read_constraints
from growthmm.notation.sas.lineqs import read_lineqs
from growthmm.notation.sas.options import (
    CALIS_OPTIONS,
    CALIS_REFUSED,
    CALIS_SILENT,
    options,
)
from growthmm.notation.sas.statements import Procedure, Statement

__all__ = ["read_calis"]

_LEFTWARD = ("<===", "<---", "<==", "<--", "<-")
_RIGHTWARD = ("===>", "--->", "==>", "-->", "->")
_BOTH = ("<==>", "<===>", "<-->", "<--->")


@dataclass
class Draft:
    """What the statements say, so far.

    Parameters
    ----------
    procedure : Procedure
        The step.
    seen : dict of str to str
        First spelling of each name, by lower-case name.
    """

    procedure: Procedure
    seen: dict[str, str] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    rows: list[Row] = field(default_factory=list)
    explained: set[str] = field(default_factory=set)
    keys: set[tuple[str, str, str]] = field(default_factory=set)
    order: dict[str, None] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    latent_hint: set[str] = field(default_factory=set)
    listed: list[str] | None = None
    constraints: list[Constraint] = field(default_factory=list)
    bounds: dict[str, tuple[float | None, float | None]] = field(default_factory=dict)
    missing: Literal["listwise", "ml"] = "listwise"
    likelihood: Literal["normal", "wishart"] = "wishart"
    defaults: list[Default] = field(default_factory=list)
    data: str | None = None
    lineqs: bool = False

    def variable(self, token: Token) -> str:
        """A variable's name in its first spelling, and before it was shortened."""
        full = self.procedure.longer.get(token.text.lower(), token.text)
        return self.seen.setdefault(token.text.lower(), full)

    def label(self, text: str) -> str:
        """A parameter's name in its first spelling, and before it was shortened."""
        full = self.procedure.longer.get(text.lower(), text)
        return self.labels.setdefault(text.lower(), full)

    def labelled(self, cell: Cell) -> Cell:
        """A parameter with its name in the first spelling."""
        return cell if cell.label is None else replace(cell, label=self.label(cell.label))

    def fail(self, message: str, token: Token, hint: str | None = None) -> NotationError:
        """An error at a token."""
        return NotationError(message, text=self.procedure.text, position=token.position, hint=hint)

    def add(self, op: str, left: str, right: str, cell: Cell, token: Token) -> None:
        """A row; variables are known in the order of their rows."""
        row = Row(op, left, right, cell, token.position)
        if op == "->" and left == right:
            raise self.fail(f"{left} cannot explain itself", token)
        if row.key in self.keys:
            shown = f"{left} {op} {right}".strip()
            raise self.fail(f"{shown} is written twice", token, "Keep one of the two.")
        self.order.update(dict.fromkeys(name for name in (left, right) if name))
        self.keys.add(row.key)
        if op == "->":
            self.explained.add(right)
        self.rows.append(row)


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
    _proc(draft, procedure.statements[0])
    later = procedure.statements[1:]
    for statement in later:
        if statement.word == "var":
            _var(draft, statement)
    for statement in later:
        if statement.word == "lineqs":
            read_lineqs(draft, statement.cursor(procedure.text))
        elif statement.word == "path":
            _paths(draft, statement.cursor(procedure.text))
    for statement in later:
        _moments(draft, statement)
    if not any(row.op == "->" for row in draft.rows) and not draft.rows:
        first = procedure.statements[0].tokens[0]
        raise draft.fail(
            "PROC CALIS without a LINEQS or PATH statement",
            first,
            "Write path i ===> y0 y1 = 1 1;",
        )
    return _finished(draft)


def _proc(draft: Draft, statement: Statement) -> None:
    cursor = statement.cursor(draft.procedure.text, 2)
    given = {o.word: o for o in options(cursor, CALIS_OPTIONS, "PROC CALIS")}
    method = given["method"].value_word() if "method" in given else "ml"
    if "method" not in given:
        rule = "PROC CALIS: METHOD=ML unless told, which drops incomplete persons"
        draft.defaults.append(Default("method", "ML", rule))
    if method not in ("ml", "fiml"):
        raise draft.fail(
            f"METHOD={method.upper()[:20]} is not supported",
            given["method"].token,
            "Use METHOD=ML or METHOD=FIML.",
        )
    divisor = given["vardef"].value_word() if "vardef" in given else "df"
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
    cursor = statement.cursor(draft.procedure.text)
    names = [draft.variable(token) for token in name_list(cursor)]
    if not cursor.done or not names:
        raise cursor.fail("VAR lists observed variables", ("a variable",))
    draft.listed = [*(draft.listed or []), *names]
    draft.order.update(dict.fromkeys(names))


def _paths(draft: Draft, cursor: Cursor) -> None:
    while not cursor.done:
        if cursor.sees(*_BOTH):
            token = cursor.take()
            names = name_list(cursor)
            read_cells(draft, cursor, "~~", [(name, name) for name in names], token)
        else:
            _one_path(draft, cursor)
        if not cursor.done:
            cursor.expect(",")


def _side(cursor: Cursor) -> list[Token]:
    """Variables at one end of an arrow; ``1`` and ``Intercept`` are the constant."""
    if cursor.peek().kind == "number" and cursor.peek().text == "1":
        return [cursor.take()]
    names = name_list(cursor)
    if not names:
        raise cursor.fail(f"{cursor.shown()} stands where a variable should", ("a variable",))
    return names


def _one_path(draft: Draft, cursor: Cursor) -> None:
    left = _side(cursor)
    arrow = cursor.take()
    if arrow.kind != "sign" or arrow.text not in (*_LEFTWARD, *_RIGHTWARD, *_BOTH):
        raise cursor.fail("An arrow is missing", ("<===", "===>", "<==>"), token=arrow)
    right = _side(cursor)
    check_number(cursor, len(left) * len(right))
    pairs = [(a, b) for a in left for b in right]
    if arrow.text in _BOTH:
        read_cells(draft, cursor, "~~", pairs, arrow)
        return
    if arrow.text in _LEFTWARD:
        pairs = [(b, a) for a, b in pairs]
    constant = [cause for cause, _ in pairs if is_constant(cause)]
    if constant:
        if len(constant) < len(pairs):
            raise cursor.fail("The constant and variables in one path", token=constant[0])
        read_cells(draft, cursor, "~1", [(b, b) for _, b in pairs], arrow)
        return
    read_cells(draft, cursor, "->", pairs, arrow)


def is_constant(token: Token) -> bool:
    """Whether a token is the constant variable."""
    return token.says("intercept", "intercep") or token.kind == "number"


def _moments(draft: Draft, statement: Statement) -> None:
    cursor = statement.cursor(draft.procedure.text)
    word = statement.word
    if word in ("var", "lineqs", "path"):
        return
    if word in ("variance", "variances", "pvar", "pvariance", "std", "mean", "means"):
        op: Literal["~1", "~~"] = "~1" if word in ("mean", "means") else "~~"
        while not cursor.done:
            first = cursor.peek()
            names = name_list(cursor)
            read_cells(draft, cursor, op, [(name, name) for name in names], first)
            if not cursor.done:
                cursor.expect(",")
    elif word in ("cov", "pcov", "covariance", "pcovariance"):
        while not cursor.done:
            first = cursor.peek()
            read_cells(draft, cursor, "~~", pair_cells(cursor), first)
            if not cursor.done:
                cursor.expect(",")
    elif word in ("bounds", "lincon"):
        read_constraints(draft, cursor, word)
    elif word in CALIS_REFUSED:
        raise draft.fail(
            f"The {word.upper()} statement is not supported",
            statement.tokens[0],
            CALIS_REFUSED[word],
        )
    elif word not in CALIS_SILENT and statement is not draft.procedure.statements[0]:
        raise draft.fail(
            f"PROC CALIS has no statement {statement.tokens[0].text[:40]!r} that is known",
            statement.tokens[0],
            "Statements: lineqs, path, variance, cov, mean, pvar, pcov, var.",
        )


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
            first = draft.procedure.statements[0].tokens[0]
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
