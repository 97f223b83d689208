"""SPSS MIXED: commands to a mixed model."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal

from growthmm.errors import NotationError
from growthmm.model.defaults import Default
from growthmm.model.expression import canonical
from growthmm.model.mixed import BlockCovariance, Estimator, MixedModel, RandomBlock
from growthmm.model.residual import COMMON, ResidualKind, ResidualStructure
from growthmm.model.terms import INTERCEPT, Term
from growthmm.notation.command_languages.arithmetic import assigned
from growthmm.notation.command_languages.effects import Product, Variables, products, sorted_terms
from growthmm.notation.command_languages.names import longer_names
from growthmm.notation.command_languages.tokens import Cursor, Token, blank, scan, too_long

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
_COMMAND = re.compile(r"mixed?(?!\w)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Command:
    """A command: where it begins, and where the period is that ends it."""

    start: int
    stop: int


@dataclass
class _Draft:
    text: str
    variables: Variables
    estimator: Estimator = "reml"
    response: str = ""
    fixed: tuple[Term, ...] = (INTERCEPT,)
    blocks: list[RandomBlock] = field(default_factory=list)
    residual: ResidualStructure = COMMON
    covariates: set[str] = field(default_factory=set)
    given: set[str] = field(default_factory=set)
    defaults: list[Default] = field(default_factory=list)

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
    problem = too_long(text)
    if problem is not None:
        raise problem
    shown, commands = _commands(text)
    variables = Variables(folded=True, longer=longer_names(text, folded=True))
    found: list[_Command] = []
    for command in commands:
        tokens = scan(shown, command.start, command.stop)
        if not tokens:
            continue
        if tokens[0].says("mixed", "mixe"):
            found.append(command)
        elif tokens[0].says("compute") and not found:
            _compute(shown, tokens, command.stop, variables)
    if not found:
        raise NotationError(
            "The text has no MIXED command",
            text=text,
            position=len(text) - len(text.lstrip()),
            expected=("MIXED outcome",),
        )
    if len(found) > 1:
        raise NotationError(
            "The text has a second MIXED command",
            text=text,
            position=found[1].start,
            hint="Give one at a time.",
        )
    return _model(text, shown, found[0], variables)


def _commands(text: str) -> tuple[str, list[_Command]]:
    """The text without comments, and its commands: up to a period at a line's end."""
    shown = text
    for match in re.finditer(r"/\*[^\n]*?(?:\*/|(?=\n)|$)", text):
        shown = blank(shown, match.start(), match.end())
    commands: list[_Command] = []
    start: int | None = None
    at = 0
    for line in shown.split("\n"):
        stripped = line.strip()
        if start is None and stripped:
            start = at + len(line) - len(line.lstrip())
        if start is not None and (stripped.endswith(".") or not stripped):
            stop = at + len(line.rstrip()) - (1 if stripped else 0)
            commands.append(_Command(start, stop))
            start = None
        at += len(line) + 1
    if start is not None:
        commands.append(_Command(start, len(shown.rstrip())))
    kept = []
    for command in commands:
        first = shown[command.start : command.start + 8].lower()
        if first.startswith("*") or re.match(r"comment\b", first):
            continue
        kept.append(command)
    return shown, kept


def _compute(shown: str, tokens: list[Token], stop: int, variables: Variables) -> None:
    if len(tokens) < 4 or not tokens[1].is_name or tokens[2].text != "=":
        return
    name = tokens[1].text.lower()
    if any(token.text.lower() == name for token in tokens[3:]):
        variables.recoded.add(name)
        return
    right = shown[tokens[2].end : stop]
    expression = assigned(right, "spss", variables.derived, folded=True)
    if expression is not None:
        variables.derived[name] = expression


def _model(text: str, shown: str, command: _Command, variables: Variables) -> MixedModel:
    draft = _Draft(text, variables)
    cursor = Cursor(text, scan(shown, command.start, command.stop), command.stop)
    cursor.take()
    _head(draft, cursor)
    parts: list[tuple[Token, str, Cursor]] = []
    while not cursor.done:
        cursor.expect("/")
        word = _subcommand(cursor)
        token = cursor.take()
        start = cursor.at
        list(_until_slash(cursor))
        stop = cursor.peek().position
        parts.append((token, word, Cursor(text, cursor.tokens[start : cursor.at], stop)))
    handlers = {"fixed": _fixed, "random": _random, "repeated": _repeated, "method": _method}
    for token, word, inside in parts:
        if word in draft.given and word not in ("random", *_SILENT):
            raise cursor.fail(f"A second subcommand {word.upper()}", token=token, hint="Keep one.")
        draft.given.add(word)
        if word in handlers:
            inside.accept("=")
            handlers[word](draft, inside)
        elif word == "missing":
            _missing(inside)
        elif word not in _SILENT:
            hint = (
                "Leave it out." if word != "regwgt" else "Rows with weights have no growth curve."
            )
            raise cursor.fail(f"{word.upper()} is not supported", token=token, hint=hint)
    return _finished(draft)


def _until_slash(cursor: Cursor) -> list[Token]:
    """Tokens up to the next subcommand; a slash within brackets does not count."""
    taken = []
    while not cursor.done and not cursor.sees("/"):
        if cursor.sees("("):
            cursor.skip_brackets()
        else:
            taken.append(cursor.take())
    return taken


def _subcommand(cursor: Cursor) -> str:
    token = cursor.peek()
    word = token.text.lower()
    matches = [name for name in _SUBCOMMANDS if name.startswith(word)] if len(word) >= 3 else []
    if token.kind != "name" or len(matches) != 1:
        shown = tuple(name.upper() for name in _SUBCOMMANDS)
        raise cursor.fail(f"{cursor.shown()} is no subcommand of MIXED", shown)
    return matches[0]


def _head(draft: _Draft, cursor: Cursor) -> None:
    response = cursor.name("the outcome")
    _check_recoded(draft, cursor, (response,))
    mode = ""
    while not cursor.done and not cursor.sees("/"):
        if cursor.peek().says("by", "with"):
            mode = cursor.take().text.lower()
            continue
        if cursor.accept(","):
            continue
        token = cursor.name("BY, WITH or a variable")
        if not mode:
            raise cursor.fail(
                "Several outcomes are not supported",
                token=token,
                hint="Write MIXED outcome BY factors WITH covariates.",
            )
        key = draft.variables.key(token.text)
        if mode == "by":
            column = draft.variables.quoted(token)
            draft.variables.classes[key] = canonical(f"C({column})")
            draft.note(f"reference level of {column}", "the last", "BY: indicators, the last 0")
        else:
            draft.covariates.add(key)
            draft.variables.column(token)
    draft.response = draft.variables.term((response,)).factors[0]


def _check_recoded(draft: _Draft, cursor: Cursor, product: Product) -> None:
    for token in product:
        if token.text.lower() in draft.variables.recoded:
            raise cursor.fail(
                f"COMPUTE changes {token.text} in place",
                token=token,
                hint="Give the changed column a name of its own: COMPUTE t2 = t - 2.",
            )


def _term(draft: _Draft, cursor: Cursor, product: Product) -> Term:
    _check_recoded(draft, cursor, product)
    for token in product:
        key = draft.variables.key(token.text)
        if key not in draft.variables.classes and key not in draft.covariates:
            raise cursor.fail(
                f"{token.text} stands neither in BY nor in WITH",
                token=token,
                hint="Name factors after BY and covariates after WITH.",
            )
    return draft.variables.term(product)


def _method(draft: _Draft, cursor: Cursor) -> None:
    token = cursor.name("ML or REML")
    if not token.says("ml", "reml") or not cursor.done:
        raise cursor.fail(f"METHOD={token.text[:20]} is not supported", ("ML", "REML"), token=token)
    draft.estimator = "ml" if token.says("ml") else "reml"


def _missing(cursor: Cursor) -> None:
    cursor.accept("=")
    for token in cursor.until():
        if not token.says("exclude"):
            raise cursor.fail("MISSING takes EXCLUDE alone", token=token)


def _fixed(draft: _Draft, cursor: Cursor) -> None:
    listed = products(cursor, ("|",), bars=False)
    terms = [_term(draft, cursor, product) for product in listed]
    intercept = True
    if cursor.accept("|"):
        while not cursor.done:
            token = cursor.name("NOINT or SSTYPE")
            if token.says("noint"):
                intercept = False
            elif token.says("sstype"):
                cursor.skip_brackets()
            else:
                raise cursor.fail(
                    f"FIXED has no option {token.text[:30]}", ("NOINT", "SSTYPE"), token=token
                )
    if intercept:
        draft.note("intercept", "included", "FIXED: unless NOINT")
        terms.insert(0, INTERCEPT)
    draft.fixed = sorted_terms(terms)


def _options(draft: _Draft, cursor: Cursor, where: str) -> tuple[str | None, Token | None]:
    """The grouping factor and the word of COVTYPE, which stand behind the bar."""
    subject: str | None = None
    kind: Token | None = None
    if not cursor.done:
        cursor.expect("|")
    while not cursor.done:
        token = cursor.name("SUBJECT or COVTYPE")
        if token.says("solution"):
            continue
        inside = cursor.bracketed()
        if token.says("subject") and subject is None:
            names = products(inside, (), bars=False)
            tokens = [each for product in names for each in product]
            if not tokens:
                raise inside.fail("SUBJECT names no variable", ("a variable",))
            subject = ":".join(draft.variables.quoted(each) for each in tokens)
        elif token.says("covtype") and kind is None:
            kind = inside.name("a covariance type")
            if not inside.done:
                raise inside.fail(f"{where}: COVTYPE takes one word", token=kind)
        else:
            raise cursor.fail(
                f"{where} has no option {token.text[:30]} here", ("SUBJECT", "COVTYPE"), token=token
            )
    return subject, kind


def _random(draft: _Draft, cursor: Cursor) -> None:
    start = cursor.peek()
    listed = products(cursor, ("|",), bars=False)
    if not listed:
        raise cursor.fail("RANDOM without effects", ("INTERCEPT", "a variable"), token=start)
    subject, kind = _options(draft, cursor, "RANDOM")
    word = kind.text.lower() if kind is not None else "vc"
    if kind is None:
        shown = "independent effects" if len(listed) > 1 else "one variance"
        draft.note(f"covariance of RANDOM, subject {subject}", shown, "COVTYPE(VC) unless told")
    columns: list[tuple[list[str], Term]] = []
    for product in listed:
        if len(product) == 1 and product[0].says("intercept"):
            columns.append(([], INTERCEPT))
            continue
        _term(draft, cursor, product)
        classes = draft.variables.classes
        inner = [t for t in product if draft.variables.key(t.text) in classes]
        outer = tuple(t for t in product if draft.variables.key(t.text) not in classes)
        rest = draft.variables.term(outer) if outer else INTERCEPT
        columns.append(([draft.variables.quoted(t) for t in inner], rest))
    if word == "vc" or (word == "id" and len(columns) == 1):
        draft.blocks += _components(columns, subject, cursor, start)
        return
    if subject is None:
        raise cursor.fail("RANDOM: COVTYPE needs SUBJECT", token=start)
    terms = [
        INTERCEPT if len(p) == 1 and p[0].says("intercept") else draft.variables.term(p)
        for p in listed
    ]
    wide = any(inner for inner, _ in columns)
    if wide and INTERCEPT in terms:
        raise cursor.fail(
            "RANDOM: an intercept beside all levels of a factor is redundant",
            token=start,
            hint="Leave INTERCEPT out.",
        )
    covariance: BlockCovariance = "unstructured"
    if word == "diag":
        covariance = "diagonal" if len(terms) > 1 or wide else "unstructured"
    elif word in _EQUAL:
        covariance = _EQUAL[word] if len(terms) > 1 or wide else "unstructured"
    elif word not in ("un", "unr"):
        raise cursor.fail(
            f"RANDOM: COVTYPE({word.upper()[:20]}) is not supported",
            ("UN", "DIAG", "VC", "CS", "ID"),
            token=kind,
            hint="For correlated residuals use REPEATED.",
        )
    draft.blocks.append(RandomBlock(tuple(terms), subject, covariance))


_EQUAL: dict[str | None, BlockCovariance] = {"cs": "compound_symmetry", "id": "identity"}


def _components(
    columns: list[tuple[list[str], Term]], subject: str | None, cursor: Cursor, start: Token
) -> list[RandomBlock]:
    """Independent effects; a factor has one variance, so it is a group within."""
    gathered: dict[str, list[Term]] = {}
    for inner, term in columns:
        group = ":".join([*([subject] if subject is not None else []), *inner])
        if not group:
            raise cursor.fail(
                "RANDOM: a numeric effect needs SUBJECT",
                token=start,
                hint="Write INTERCEPT t | SUBJECT(id).",
            )
        gathered.setdefault(group, []).append(term)
    made = []
    for group, terms in gathered.items():
        kind: Literal["diagonal", "unstructured"] = "diagonal" if len(terms) > 1 else "unstructured"
        made.append(RandomBlock(tuple(terms), group, kind))
    return made


def _repeated(draft: _Draft, cursor: Cursor) -> None:
    start = cursor.peek()
    listed = products(cursor, ("|",), bars=False)
    if len(listed) != 1 or len(listed[0]) != 1:
        raise cursor.fail("REPEATED needs one variable", ("a variable",), token=start)
    column = draft.variables.column(listed[0][0])
    subject, kind = _options(draft, cursor, "REPEATED")
    if subject is None:
        raise cursor.fail(
            "REPEATED needs SUBJECT",
            token=start,
            hint="Write /REPEATED = occ | SUBJECT(id) COVTYPE(DIAG).",
        )
    if kind is None:
        draft.note("residuals", "one variance an occasion", "REPEATED: COVTYPE(DIAG) unless told")
    word = kind.text.lower() if kind is not None else "diag"
    if word not in _RESIDUALS:
        raise cursor.fail(
            f"REPEATED: COVTYPE({word.upper()[:20]}) is not supported",
            tuple(name.upper() for name in _RESIDUALS),
            token=kind,
        )
    if word == "ar1":
        draft.note("distance of occasions", "their order", "COVTYPE(AR1): occasions one apart")
    draft.residual = ResidualStructure(_RESIDUALS[word], time=column, person=subject)


def _finished(draft: _Draft) -> MixedModel:
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
