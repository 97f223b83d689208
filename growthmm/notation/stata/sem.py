"""Stata's ``sem``: a command to a structural equation model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Literal

from growthmm.model.defaults import Default
from growthmm.model.sem import SemModel
from growthmm.notation.command_languages.names import words
from growthmm.notation.command_languages.sem import Cell, Row, complete
from growthmm.notation.command_languages.tokens import Token
from growthmm.notation.stata.commands import ModelCommand, abbreviates
from growthmm.notation.stata.parser import End, Option, Path, Sem

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
            raise self.command.fail(f"{left} cannot explain itself", token)
        if row.key in self.seen:
            message = f"{left} {op} {right}".strip() + " is written twice"
            raise self.command.fail(message, token, (), "Keep one of the two.")
        self.seen[row.key] = token
        self.order.update(dict.fromkeys(name for name in (left, right) if name))
        self.rows.append(row)
        if op == "->":
            self.explained.add(right)

    def name(self, token: Token) -> str:
        return self.command.variables.full(token.text)

    def cell(self, *ends: End) -> Cell:
        """The parameter that one of the ends names or fixes."""
        given = next((end.cell for end in ends if end.cell is not None), Cell())
        if given.label is None:
            return given
        return replace(given, label=self.command.variables.full(given.label))


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
    said: Sem = command.parsed("sem")
    draft = _Draft(command)
    for path in said.paths:
        _path(draft, path)
    return _finished(draft, said.options)


def _path(draft: _Draft, path: Path) -> None:
    fail, arrow = draft.command.fail, path.arrow
    left, right = path.left, path.right
    if not left or (not right and arrow.text != "<-"):
        raise fail("A path lacks a variable", arrow)
    if len(left) * max(len(right), 1) > MAX_PARAMETERS:
        raise fail(f"A path of more than {MAX_PARAMETERS} parameters", arrow)
    if arrow.text == "<->":
        for a in left:
            for b in right:
                _covariance(draft, a, b, draft.cell(a, b))
        return
    effects, causes = (left, right) if arrow.text == "<-" else (right, left)
    for effect in effects:
        name = draft.name(effect.token)
        if effect.error or name == "_cons":
            shown = f"e.{name}" if effect.error else name
            raise fail(f"{shown} cannot be explained", effect.token)
        draft.order[name] = None
        for cause in causes:
            cell = draft.cell(cause, effect)
            if cause.error:
                raise fail("Paths from errors are not supported", cause.token)
            if draft.name(cause.token) == "_cons":
                draft.add("~1", "", name, cell, cause.token)
            else:
                draft.add("->", draft.name(cause.token), name, cell, cause.token)


def _covariance(draft: _Draft, a: End, b: End, cell: Cell) -> None:
    for end in (a, b):
        bare = draft.name(end.token)
        explained = bare in draft.explained
        if end.error != explained:
            shown = "explained" if explained else "exogenous"
            hint = f"Write e.{bare}." if explained else f"Write {bare}."
            raise draft.command.fail(f"{bare} is {shown}", end.token, (), hint)
    draft.add("~~", draft.name(a.token), draft.name(b.token), cell, a.token)


def _option_rows(draft: _Draft, option: Option) -> bool:
    """Rows of var(), cov() and mean(); whether the option is one of them."""
    word, inside = option.token.text, option.inside
    kinds = (("variance", 3, "~~"), ("covariance", 3, "cov"), ("means", 4, "~1"))
    kind = next((op for full, least, op in kinds if abbreviates(word, full, least)), None)
    if kind is None:
        return False
    if inside is None:
        raise draft.command.fail(f"{word}() lacks its variables", option.token)
    for chain in draft.command.parsed("chains", inside):
        if kind == "cov":
            for first, second in pairwise(chain):
                _covariance(draft, first[-1], second[0], draft.cell(second[0]))
            continue
        if len(chain) > 1:
            raise draft.command.fail(f"{word}() takes no products", chain[1][0].token)
        for end in chain[0]:
            if kind == "~~":
                _covariance(draft, end, end, draft.cell(end))
            else:
                draft.add("~1", "", draft.name(end.token), draft.cell(end), end.token)
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


def _settings(draft: _Draft, given: Sequence[Option]) -> _Settings:
    found = _Settings()
    for option in given:
        word, inside = option.token.text, option.inside
        if word == "method":
            token = _word(draft, option)
            if not token.says("ml", "mlmv"):
                message = f"method({token.text[:20]}) is not supported"
                raise draft.command.fail(message, token, ("ml", "mlmv"))
            found.missing, found.method = "ml" if token.says("mlmv") else "listwise", True
        elif word == "vce":
            token = _word(draft, option)
            if not token.says("oim", "eim"):
                message = "vce() other than oim and eim is not supported"
                hint = "Fit with robust standard errors instead: robust=."
                raise draft.command.fail(message, token, (), hint)
            found.information = "observed" if token.says("oim") else "expected"
        elif word == "latent" and inside is not None:
            names = draft.command.parsed("names", inside)
            found.latent = [draft.name(token) for token in names]
        elif word == "nocapslatent":
            found.capitals = False
        elif abbreviates(word, "noconstant", 6):
            found.constant = False
        elif word == "noanchor":
            found.anchor = False
        elif word in _REFUSED or word not in _SILENT:
            if _option_rows(draft, option):
                continue
            message = f"The option {word[:40]} is not supported"
            raise draft.command.fail(message, option.token, (), _REFUSED.get(word, ""))
    return found


def _word(draft: _Draft, option: Option) -> Token:
    """The first word in the brackets of an option, or its name where there is none."""
    inside = draft.command.parsed("words", option.inside) if option.inside is not None else ()
    return inside[0] if inside else option.token


def _finished(draft: _Draft, given: Sequence[Option]) -> SemModel:
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
