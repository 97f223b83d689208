"""SPSS MIXED: commands to a mixed model."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from growthmm.errors import NotationError
from growthmm.model.defaults import Default
from growthmm.model.expression import canonical
from growthmm.model.mixed import BlockCovariance, Estimator, MixedModel, RandomBlock
from growthmm.model.residual import COMMON, ResidualKind, ResidualStructure
from growthmm.model.terms import INTERCEPT, Term
from growthmm.notation.command_languages.arithmetic import assigned
from growthmm.notation.command_languages.effects import (
    Product,
    Variables,
    in_terms,
    sorted_terms,
)
from growthmm.notation.command_languages.names import longer_names
from growthmm.notation.command_languages.tokens import Piece, Token, error_at
from growthmm.notation.residual_columns import at_one_time
from growthmm.notation.spss.parser import GRAMMAR, Command, Option, Subcommand

__all__ = ["read_spss"]

_RESIDUALS: dict[str, ResidualKind] = {
    "id": "common",
    "diag": "by_occasion",
    "ar1": "ar1",
    "arh1": "arh1",
    "cs": "cs",
    "csr": "cs",
    "csh": "csh",
    "tp": "toeplitz",
    "un": "unstructured",
    "unr": "unstructured",
}
_SUBCOMMANDS = (
    *("fixed", "random", "repeated", "method", "criteria", "emmeans", "missing"),
    *("print", "regwgt", "save", "test", "outfile", "kronecker"),
)
_SILENT = ("criteria", "emmeans", "print", "save", "test", "outfile")
_OTHERS = {
    "genlinmixed": "generalised linear mixed models",
    "genlin": "generalised linear models",
    "unianova": "linear models without random effects",
    "glm": "linear models without random effects",
    "varcomp": "variance components alone",
}
_MIXED = re.compile(r"mixed?(?!\w)", re.IGNORECASE)
_COMPUTE = re.compile(r"compute\s+([^\W\d]\w*)\s*=", re.IGNORECASE)
_NAME = re.compile(r"[^\W\d]\w*")


@dataclass
class _Draft:
    text: str
    variables: Variables
    estimator: Estimator = "reml"
    response: str = ""
    fixed: tuple[Term, ...] = (INTERCEPT,)
    blocks: list[RandomBlock] = field(default_factory=list)
    residual: ResidualStructure = COMMON
    factors: dict[str, str] = field(default_factory=dict)
    covariates: set[str] = field(default_factory=set)
    given: set[str] = field(default_factory=set)
    defaults: list[Default] = field(default_factory=list)

    def fail(
        self, message: str, where: Token, expected: Sequence[str] = (), hint: str = ""
    ) -> NotationError:
        return error_at(self.text, where, message, expected, hint=hint or None)

    def note(self, what: str, value: str, rule: str) -> None:
        self.defaults.append(Default(what, value, f"SPSS MIXED: {rule}"))


def read_spss(text: str) -> MixedModel:
    """Read a program that holds one MIXED command; COMPUTE commands before it are understood.

    Parameters
    ----------
    text : str
        The program.

    Returns
    -------
    MixedModel
        REML unless METHOD=ML; what SPSS fills in stands among the defaults.

    Raises
    ------
    NotationError
        If the command is malformed or says something unsupported.

    Examples
    --------
    >>> model = read_spss("MIXED y WITH t /FIXED=t /RANDOM=INTERCEPT t | SUBJECT(id).")
    >>> model.random[0].covariance
    'diagonal'
    """
    variables = Variables(folded=True, longer=longer_names(text, folded=True))
    found: list[Piece] = []
    for piece in GRAMMAR.pieces(text):
        first = _NAME.match(piece.text)
        word = first.group().lower() if first is not None else ""
        if word in _OTHERS:
            message = f"{word.upper()} fits {_OTHERS[word]} and is not read"
            raise error_at(text, piece.position, message, hint="Write MIXED.")
        if _MIXED.match(piece.text):
            found.append(piece)
        elif not found:
            _compute(piece.text, variables)
    if not found:
        start = len(text) - len(text.lstrip())
        raise error_at(text, start, "The text has no MIXED command", ("MIXED outcome",))
    if len(found) > 1:
        message = "The text has a second MIXED command"
        raise error_at(text, found[1].position, message, hint="Give one at a time.")
    return _model(_Draft(text, variables), GRAMMAR.parse("command", text, found[0]))


def _compute(command: str, variables: Variables) -> None:
    match = _COMPUTE.match(command)
    if match is None:
        return
    name, right = match[1].lower(), command[match.end() :]
    if name in (word.lower() for word in _NAME.findall(right)):
        variables.recoded.add(name)
        return
    expression = assigned(right, "spss", variables.derived, folded=True)
    if expression is not None:
        variables.derived[name] = expression


def _model(draft: _Draft, command: Command) -> MixedModel:
    _head(draft, command)
    handlers = {
        "fixed": _fixed,
        "random": _random,
        "repeated": _repeated,
        "method": _method,
        "missing": _missing,
    }
    for given in command.subcommands:
        word = _word(draft, given.token)
        if word in draft.given and word not in ("random", *_SILENT):
            raise draft.fail(f"A second subcommand {word.upper()}", given.token, (), "Keep one.")
        draft.given.add(word)
        if word in handlers:
            handlers[word](draft, given)
        elif word not in _SILENT:
            hint = "Rows with weights have no growth curve." if word == "regwgt" else ""
            message = f"{word.upper()} is not supported"
            raise draft.fail(message, given.token, (), hint or "Leave it out.")
    return _finished(draft)


def _word(draft: _Draft, token: Token) -> str:
    """The full name of a subcommand, of which three letters are enough."""
    word = token.text.lower()
    matches = [name for name in _SUBCOMMANDS if name.startswith(word)] if len(word) >= 3 else []
    if len(matches) != 1:
        shown = tuple(name.upper() for name in _SUBCOMMANDS)
        raise draft.fail(f"{token.text[:60]!r} is no subcommand of MIXED", token, shown)
    return matches[0]


def _head(draft: _Draft, command: Command) -> None:
    response, *others = command.outcomes
    _check_recoded(draft, (response,))
    if others:
        hint = "Write MIXED outcome BY factors WITH covariates."
        raise draft.fail("Several outcomes are not supported", others[0], (), hint)
    for role, *names in command.roles:
        for token in names:
            key = draft.variables.key(token.text)
            if role.says("with"):
                draft.covariates.add(key)
                draft.variables.column(token)
                continue
            column = draft.variables.quoted(token)
            factor = draft.variables.classes[key] = canonical(f"C({column})")
            draft.factors[factor] = column
    draft.response = draft.variables.term((response,)).factors[0]


def _check_recoded(draft: _Draft, product: Product) -> None:
    for token in product:
        if token.text.lower() in draft.variables.recoded:
            message = f"COMPUTE changes {token.text} in place"
            hint = "Give the changed column a name of its own: COMPUTE t2 = t - 2."
            raise draft.fail(message, token, (), hint)


def _term(draft: _Draft, product: Product) -> Term:
    _check_recoded(draft, product)
    for token in product:
        key = draft.variables.key(token.text)
        if key not in draft.variables.classes and key not in draft.covariates:
            message = f"{token.text} stands neither in BY nor in WITH"
            hint = "Name factors after BY and covariates after WITH."
            raise draft.fail(message, token, (), hint)
    return draft.variables.term(product)


def _method(draft: _Draft, given: Subcommand) -> None:
    token = given.words[0]
    if not token.says("ml", "reml"):
        raise draft.fail(f"METHOD={token.text[:20]} is not supported", token, ("ML", "REML"))
    draft.estimator = "ml" if token.says("ml") else "reml"


def _missing(draft: _Draft, given: Subcommand) -> None:
    for token in given.words:
        if not token.says("exclude"):
            raise draft.fail("MISSING takes EXCLUDE alone", token)


def _fixed(draft: _Draft, given: Subcommand) -> None:
    terms = [_term(draft, product) for product in given.effects]
    for option in given.options:
        if not option.token.says("noint", "sstype"):
            message = f"FIXED has no option {option.token.text[:30]}"
            raise draft.fail(message, option.token, ("NOINT", "SSTYPE"))
    if not any(option.token.says("noint") for option in given.options):
        draft.note("intercept", "included", "FIXED: unless NOINT")
        terms.insert(0, INTERCEPT)
    draft.fixed = sorted_terms(terms)


def _options(
    draft: _Draft, options: Sequence[Option], where: str
) -> tuple[str | None, Token | None]:
    """The grouping factor and the word of COVTYPE, which stand behind the bar."""
    subject: str | None = None
    kind: Token | None = None
    for option in options:
        if option.token.says("solution"):
            continue
        if option.token.says("subject") and subject is None:
            if not option.words:
                raise draft.fail("SUBJECT names no variable", option.token, ("a variable",))
            subject = ":".join(draft.variables.quoted(each) for each in option.words)
        elif option.token.says("covtype") and kind is None:
            if len(option.words) != 1:
                raise draft.fail(f"{where}: COVTYPE takes one word", option.token)
            kind = option.words[0]
        else:
            message = f"{where} has no option {option.token.text[:30]} here"
            raise draft.fail(message, option.token, ("SUBJECT", "COVTYPE"))
    return subject, kind


def _random(draft: _Draft, given: Subcommand) -> None:
    listed = given.effects
    if not listed:
        raise draft.fail("RANDOM without effects", given.token, ("INTERCEPT", "a variable"))
    start = listed[0][0]
    subject, kind = _options(draft, given.options, "RANDOM")
    word = kind.text.lower() if kind is not None else "vc"
    if kind is None:
        shown = "independent effects" if len(listed) > 1 else "one variance"
        draft.note(f"covariance of RANDOM, subject {subject}", shown, "COVTYPE(VC) unless told")
    columns: list[tuple[list[str], Term]] = []
    for product in listed:
        if len(product) == 1 and product[0].says("intercept"):
            columns.append(([], INTERCEPT))
            continue
        _term(draft, product)
        classes = draft.variables.classes
        inner = [t for t in product if draft.variables.key(t.text) in classes]
        outer = tuple(t for t in product if draft.variables.key(t.text) not in classes)
        rest = draft.variables.term(outer) if outer else INTERCEPT
        columns.append(([draft.variables.quoted(t) for t in inner], rest))
    if word == "vc" or (word == "id" and len(columns) == 1):
        draft.blocks += _components(draft, columns, subject, start)
        return
    if subject is None:
        raise draft.fail("RANDOM: COVTYPE needs SUBJECT", start)
    terms = [
        INTERCEPT if len(p) == 1 and p[0].says("intercept") else draft.variables.term(p)
        for p in listed
    ]
    wide = any(inner for inner, _ in columns)
    if wide and INTERCEPT in terms:
        message = "RANDOM: an intercept beside all levels of a factor is redundant"
        raise draft.fail(message, start, (), "Leave INTERCEPT out.")
    covariance: BlockCovariance = "unstructured"
    if word == "diag":
        covariance = "diagonal" if len(terms) > 1 or wide else "unstructured"
    elif word in _EQUAL:
        covariance = _EQUAL[word] if len(terms) > 1 or wide else "unstructured"
    elif word not in ("un", "unr"):
        raise draft.fail(
            f"RANDOM: COVTYPE({word.upper()[:20]}) is not supported",
            kind or start,
            ("UN", "DIAG", "VC", "CS", "ID"),
            "For correlated residuals use REPEATED.",
        )
    draft.blocks.append(RandomBlock(tuple(terms), subject, covariance))


_EQUAL: dict[str | None, BlockCovariance] = {"cs": "compound_symmetry", "id": "identity"}


def _components(
    draft: _Draft, columns: list[tuple[list[str], Term]], subject: str | None, start: Token
) -> list[RandomBlock]:
    """Independent effects; a factor has one variance, so it is a group within."""
    gathered: dict[str, list[Term]] = {}
    for inner, term in columns:
        group = ":".join([*([subject] if subject is not None else []), *inner])
        if not group:
            message = "RANDOM: a numeric effect needs SUBJECT"
            raise draft.fail(message, start, (), "Write INTERCEPT t | SUBJECT(id).")
        gathered.setdefault(group, []).append(term)
    made = []
    for group, terms in gathered.items():
        kind: Literal["diagonal", "unstructured"] = "diagonal" if len(terms) > 1 else "unstructured"
        made.append(RandomBlock(tuple(terms), group, kind))
    return made


def _repeated(draft: _Draft, given: Subcommand) -> None:
    listed = given.effects
    if len(listed) != 1 or len(listed[0]) != 1:
        raise draft.fail("REPEATED needs one variable", given.token, ("a variable",))
    start = listed[0][0]
    column = draft.variables.column(start)
    subject, kind = _options(draft, given.options, "REPEATED")
    if subject is None:
        hint = "Write /REPEATED = occ | SUBJECT(id) COVTYPE(DIAG)."
        raise draft.fail("REPEATED needs SUBJECT", start, (), hint)
    if kind is None:
        draft.note("residuals", "one variance an occasion", "REPEATED: COVTYPE(DIAG) unless told")
    word = kind.text.lower() if kind is not None else "diag"
    if word not in _RESIDUALS:
        message = f"REPEATED: COVTYPE({word.upper()[:20]}) is not supported"
        raise draft.fail(message, kind or start, tuple(name.upper() for name in _RESIDUALS))
    if word == "ar1":
        draft.note("distance of occasions", "their order", "COVTYPE(AR1): occasions one apart")
    found = at_one_time(subject, draft.blocks)
    if found is not None and word == "un":
        draft.residual = ResidualStructure(
            "across", by=column, time=found.time, person=found.person
        )
        return
    draft.residual = ResidualStructure(_RESIDUALS[word], time=column, person=subject)


def _finished(draft: _Draft) -> MixedModel:
    for column in in_terms(draft.factors, draft.fixed):
        draft.note(f"reference level of {column}", "the last", "BY: indicators, the last 0")
    if "method" not in draft.given:
        draft.note("estimator", "REML", "METHOD=REML unless told")
    if "repeated" not in draft.given:
        draft.note("residuals", "independent, one variance", "no REPEATED subcommand")
    if "fixed" not in draft.given:
        draft.note("fixed effects", "the intercept", "no FIXED subcommand")
    draft.note("degrees of freedom", "Satterthwaite", "approximated for all tests")
    draft.note("missing values", "rows dropped", "rows with missing values")
    return MixedModel(
        response=draft.response,
        fixed=draft.fixed,
        random=tuple(draft.blocks),
        residual=draft.residual,
        estimator=draft.estimator,
        notation="spss",
        defaults=tuple(draft.defaults),
    )
