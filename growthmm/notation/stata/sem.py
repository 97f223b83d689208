"""Stata's ``sem``: a command to a structural equation model."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from growthmm.model.defaults import Default
from growthmm.model.sem import SemModel
from growthmm.notation.command_languages.effects import name_list
from growthmm.notation.command_languages.names import words
from growthmm.notation.command_languages.sem import Cell, Row, complete
from growthmm.notation.command_languages.tokens import Cursor, Token
from growthmm.notation.stata.commands import ModelCommand, Option, abbreviates, options

__all__ = ["read_sem"]

MAX_PARAMETERS = 10_000

_SILENT = words(
    "standardized nolog log nocnsreport noheader nofvlabel notable nodescribe nofootnote level "
    "difficult iterate tolerance ltolerance nrtolerance technique trace from satopts baseopts "
    "coeflegend noxconditional forcexconditional showginvariant wrap noivstart nocapslatent "
    "latent noanchor allmissing"
)
_REFUSED = {
    "group": "Give a model of one group.",
    "ginvariant": "Give a model of one group.",
    "constraints": "Write equal names behind @ instead.",
    "covstructure": "Write the covariances out in cov().",
    "covstr": "Write the covariances out in cov().",
    "reliability": "Write the error variance in var().",
    "nomeans": "Growth models are about means.",
    "select": "Select the rows in the data before the model.",
    "ssd": "Give the data.",
}


@dataclass
class _Draft:
    command: ModelCommand
    rows: list[Row] = field(default_factory=list)
    order: dict[str, None] = field(default_factory=dict)
    explained: set[str] = field(default_factory=set)
    seen: dict[tuple[str, str, str], Token] = field(default_factory=dict)
    defaults: list[Default] = field(default_factory=list)

    def add(self, op: str, left: str, right: str, cell: Cell, token: Token) -> None:
        row = Row(op, left, right, cell, token.position)
        if op == "->" and left == right:
            raise self.command.cursor.fail(f"{left} cannot explain itself", token=token)
        if row.key in self.seen:
            raise self.command.cursor.fail(
                f"{left} {op} {right}".strip() + " is written twice",
                token=token,
                hint="Keep one of the two.",
            )
        self.seen[row.key] = token
        self.order.update(dict.fromkeys(name for name in (left, right) if name))
        self.rows.append(row)
        if op == "->":
            self.explained.add(right)

    def name(self, token: Token) -> str:
        return self.command.variables.full(token.text)


@dataclass(frozen=True, slots=True)
class _End:
    """A variable at one end of a path, with what its ``@`` says."""

    name: str
    token: Token
    cell: Cell | None


def read_sem(command: ModelCommand) -> SemModel:
    """Read a ``sem`` command.

    Parameters
    ----------
    command : ModelCommand
        The command, from :func:`growthmm.notation.stata.commands.find_command`.

    Returns
    -------
    SemModel
        The complete table; what Stata fills in stands in it as rows whose `rule` says so.

    Raises
    ------
    NotationError
        If it is malformed or says something unsupported.
    """
    draft = _Draft(command)
    cursor = command.cursor
    if cursor.sees("("):
        while cursor.sees("("):
            _path(draft, cursor.bracketed())
    else:
        start = cursor.at
        tokens = list(cursor.until(","))
        _path(draft, Cursor(cursor.text, tokens, cursor.peek().position))
        del start
    if cursor.peek().says("if", "in") or cursor.sees("["):
        raise cursor.fail("if, in and weights are not supported", hint="Select the rows before.")
    given: list[Option] = []
    if not cursor.done:
        cursor.expect(",")
        given = options(cursor)
    return _finished(draft, given)


def _at(draft: _Draft, cursor: Cursor) -> Cell | None:
    if not cursor.accept("@"):
        return None
    if cursor.sees_number:
        return Cell(free=False, value=cursor.number())
    if cursor.sees("("):
        raise cursor.fail("Expressions behind @ are not supported", ("a number", "a name"))
    return Cell(label=draft.name(cursor.name("a number or a name")))


def _ends(draft: _Draft, cursor: Cursor) -> list[_End]:
    found: list[_End] = []
    while cursor.peek().is_name:
        if cursor.peek(1).text == ".":
            prefix = cursor.take()
            cursor.take()
            if prefix.text != "e":
                raise cursor.fail(
                    f"The operator {prefix.text}. is not supported",
                    token=prefix,
                    hint="Make a column of it.",
                )
            token = cursor.name()
            found.append(_End(f"e.{draft.name(token)}", token, _at(draft, cursor)))
            continue
        tokens = [cursor.take()]
        if cursor.sees("-") and cursor.peek(1).is_name:
            cursor.at -= 1
            piece = Cursor(cursor.text, cursor.tokens[cursor.at : cursor.at + 3])
            tokens = name_list(piece)
            cursor.at += 3
        if cursor.sees("#", "##"):
            raise cursor.fail(
                "Interactions are not supported", hint="Make a column of the product."
            )
        cell = _at(draft, cursor)
        found += [_End(draft.name(token), token, cell) for token in tokens]
    return found


def _path(draft: _Draft, cursor: Cursor) -> None:
    left = _ends(draft, cursor)
    arrow = cursor.take()
    if arrow.kind != "sign" or arrow.text not in ("<-", "->", "<->"):
        raise cursor.fail("An arrow is missing", ("<-", "->"), token=arrow)
    right = _ends(draft, cursor)
    if not cursor.done:
        raise cursor.fail(f"{cursor.shown()} is no part of a path", ("a variable", ")"))
    if not left or (not right and arrow.text != "<-"):
        raise cursor.fail("A path lacks a variable", token=arrow)
    if len(left) * max(len(right), 1) > MAX_PARAMETERS:
        raise cursor.fail(f"A path of more than {MAX_PARAMETERS} parameters", token=arrow)
    if arrow.text == "<->":
        for a in left:
            for b in right:
                _covariance(draft, a, b, a.cell or b.cell)
        return
    effects, causes = (left, right) if arrow.text == "<-" else (right, left)
    for effect in effects:
        if effect.name.startswith("e.") or effect.name == "_cons":
            raise cursor.fail(f"{effect.name} cannot be explained", token=effect.token)
        draft.order[effect.name] = None
        for cause in causes:
            cell = cause.cell or effect.cell or Cell()
            if cause.name == "_cons":
                draft.add("~1", "", effect.name, cell, cause.token)
            elif cause.name.startswith("e."):
                raise cursor.fail("Paths from errors are not supported", token=cause.token)
            else:
                draft.add("->", cause.name, effect.name, cell, cause.token)


def _covariance(draft: _Draft, a: _End, b: _End, cell: Cell | None) -> None:
    explained = draft.explained
    for end in (a, b):
        error = end.name.startswith("e.")
        bare = end.name.removeprefix("e.")
        if error != (bare in explained) and (bare in explained or error):
            needed = f"e.{bare}" if bare in explained else bare
            raise draft.command.cursor.fail(
                f"{bare} is {'explained' if bare in explained else 'exogenous'}",
                token=end.token,
                hint=f"Write {needed}.",
            )
    draft.add("~~", a.name.removeprefix("e."), b.name.removeprefix("e."), cell or Cell(), a.token)


def _option_rows(draft: _Draft, option: Option) -> bool:
    """Rows of var(), cov() and mean(); whether the option is one of them."""
    word, inside = option.token.text, option.inside
    kinds = (("variance", 3, "~~"), ("covariance", 3, "cov"), ("means", 4, "~1"))
    kind = next((op for full, least, op in kinds if abbreviates(word, full, least)), None)
    if kind is None:
        return False
    if inside is None:
        raise draft.command.cursor.fail(f"{word}() lacks its variables", token=option.token)
    while not inside.done:
        if inside.sees("("):
            raise inside.fail("Brackets within are not supported", hint="Write a*b, one by one.")
        first = _ends(draft, inside)
        if not first:
            raise inside.fail(f"{inside.shown()} is no variable", ("a variable",))
        if kind == "cov":
            while inside.accept("*"):
                second = _ends(draft, inside)
                if not second:
                    raise inside.fail(f"{inside.shown()} is no variable", ("a variable",))
                _covariance(draft, first[-1], second[0], second[0].cell)
                first = second
            continue
        for end in first:
            if kind == "~~":
                _covariance(draft, end, end, end.cell)
            else:
                draft.add("~1", "", end.name, end.cell or Cell(), end.token)
    return True


@dataclass
class _Settings:
    missing: Literal["listwise", "ml"] = "listwise"
    information: Literal["expected", "observed"] | None = None
    latent: list[str] | None = None
    capitals: bool = True
    constant: bool = True
    anchor: bool = True
    method: bool = False


def _settings(draft: _Draft, given: list[Option]) -> _Settings:
    cursor = draft.command.cursor
    found = _Settings()
    for option in given:
        word, inside = option.token.text, option.inside
        if word == "method":
            token = inside.name("ml or mlmv") if inside is not None else option.token
            if not token.says("ml", "mlmv"):
                raise cursor.fail(
                    f"method({token.text[:20]}) is not supported", ("ml", "mlmv"), token=token
                )
            found.missing, found.method = "ml" if token.says("mlmv") else "listwise", True
        elif word == "vce":
            token = inside.name("oim or eim") if inside is not None else option.token
            if not token.says("oim", "eim"):
                raise cursor.fail(
                    "vce() other than oim and eim is not supported",
                    token=token,
                    hint="Fit with robust standard errors instead: robust=.",
                )
            found.information = "observed" if token.says("oim") else "expected"
        elif word == "latent" and inside is not None:
            found.latent = [draft.name(token) for token in name_list(inside)]
        elif word == "nocapslatent":
            found.capitals = False
        elif abbreviates(word, "noconstant", 6):
            found.constant = False
        elif word == "noanchor":
            found.anchor = False
        elif word in _REFUSED or word not in _SILENT:
            if _option_rows(draft, option):
                continue
            raise cursor.fail(
                f"The option {word[:40]} is not supported",
                token=option.token,
                hint=_REFUSED.get(word),
            )
    return found


def _finished(draft: _Draft, given: list[Option]) -> SemModel:
    chosen = _settings(draft, given)
    listed = set(chosen.latent or ())
    names = [name for name in draft.order if name != "_cons"]
    latent = [n for n in names if n in listed or (chosen.capitals and n[:1].isupper())]
    manifest = [name for name in names if name not in latent]
    if chosen.anchor:
        draft.rows = _anchored(draft.rows, manifest, latent)
    if not chosen.constant:
        written = {row.right for row in draft.rows if row.op == "~1"}
        explained = {row.right for row in draft.rows if row.op == "->"}
        zero = Cell(free=False, value=0.0)
        draft.rows += [
            Row("~1", "", name, zero, rule="Stata sem: noconstant")
            for name in manifest
            if name in explained and name not in written
        ]
    paths, roles = complete(draft.rows, manifest, latent, "Stata sem", joint=True)
    if not chosen.method:
        rule = "Stata sem: method(ml) unless told, which drops incomplete persons"
        draft.defaults.append(Default("method", "ml", rule))
    if chosen.information is None:
        draft.defaults.append(Default("information", "observed", "Stata sem: vce(oim)"))
    explained = {row.right for row in draft.rows if row.op == "->"}
    return SemModel(
        paths=paths,
        latent=roles.latent,
        outcomes=tuple(name for name in roles.manifest if name not in roles.conditional),
        covariates=roles.conditional,
        fixed_x=bool(roles.conditional) or all(name in explained for name in manifest),
        missing=chosen.missing,
        information=chosen.information,
        notation="stata",
        defaults=tuple(draft.defaults),
    )


def _anchored(rows: list[Row], manifest: list[str], latent: list[str]) -> list[Row]:
    """Rows in which a latent variable without a scale gets it from its first loading."""
    made = list(rows)
    for name in latent:
        mine = [k for k, row in enumerate(made) if row.op == "->" and row.left == name]
        scaled = any(not made[k].cell.free for k in mine)
        own = [row for row in made if row.key == ("~~", name, name) and not row.cell.free]
        loadings = [k for k in mine if made[k].right in manifest] or mine
        if scaled or own or not loadings:
            continue
        first = loadings[0]
        if made[first].cell.label is None:
            one = Cell(free=False, value=1.0)
            rule = "Stata sem: the first loading is 1"
            made[first] = Row("->", name, made[first].right, one, made[first].position, rule)
    return made
