"""PROC MIXED: statements to a mixed model."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

from growthmm.errors import NotationError
from growthmm.model.defaults import Default
from growthmm.model.expression import canonical
from growthmm.model.expression_print import r_string
from growthmm.model.mixed import BlockCovariance, Estimator, MixedModel, RandomBlock
from growthmm.model.residual import COMMON, ResidualKind, ResidualStructure
from growthmm.model.terms import INTERCEPT, Term
from growthmm.notation.command_languages.effects import Product, Variables, products, sorted_terms
from growthmm.notation.command_languages.facts import occasion_like
from growthmm.notation.command_languages.tokens import Cursor, Token
from growthmm.notation.residual_columns import by_column
from growthmm.notation.sas.options import (
    MODEL_OPTIONS,
    PROC_OPTIONS,
    RANDOM_OPTIONS,
    REFUSED_STATEMENTS,
    REPEATED_OPTIONS,
    SILENT_STATEMENTS,
    Option,
    options,
)
from growthmm.notation.sas.statements import Procedure, Statement

__all__ = ["read_mixed"]

_RESIDUALS: dict[str, ResidualKind] = {
    "vc": "common",
    "simple": "common",
    "ar(1)": "ar1",
    "arh(1)": "arh1",
    "cs": "cs",
    "csh": "csh",
    "toep": "toeplitz",
    "un": "unstructured",
    "unr": "unstructured",
    "chol": "unstructured",
    "un(1)": "by_occasion",
}


@dataclass
class _Draft:
    procedure: Procedure
    variables: Variables
    estimator: Estimator = "reml"
    response: str = ""
    fixed: tuple[Term, ...] | None = None
    blocks: list[RandomBlock] = field(default_factory=list)
    repeated: Statement | None = None
    residual: ResidualStructure = COMMON
    defaults: list[Default] = field(default_factory=list)
    data: str | None = None
    has_df: bool = False

    def note(self, what: str, value: str, rule: str) -> None:
        self.defaults.append(Default(what, value, f"PROC MIXED: {rule}"))


def read_mixed(procedure: Procedure) -> MixedModel:
    """Read a PROC MIXED step.

    Parameters
    ----------
    procedure : Procedure
        The step, from :func:`growthmm.notation.sas.statements.find_procedure`.

    Returns
    -------
    MixedModel
        REML unless METHOD=ML; what SAS fills in stands among the defaults.

    Raises
    ------
    NotationError
        If a statement is malformed or says something unsupported.
    """
    variables = Variables(folded=True, derived=dict(procedure.derived), longer=procedure.longer)
    draft = _Draft(procedure, variables)
    _proc(draft, procedure.statements[0])
    later = procedure.statements[1:]
    for statement in later:
        if statement.word == "class":
            _class(draft, statement)
    handlers = {"model": _model, "random": _random, "repeated": _repeated, "parms": _parms}
    # What a group of residual variances is depends on the effects.
    for statement in sorted(later, key=lambda statement: statement.word == "repeated"):
        word = statement.word
        if word in handlers:
            handlers[word](draft, statement)
        elif word in REFUSED_STATEMENTS:
            raise _at(
                draft,
                statement,
                f"The {word.upper()} statement is not supported",
                REFUSED_STATEMENTS[word],
            )
        elif word not in SILENT_STATEMENTS:
            shown = statement.tokens[0].text[:40]
            raise _at(
                draft,
                statement,
                f"PROC MIXED has no statement {shown!r}",
                "Statements: class, model, random, repeated.",
            )
    if draft.fixed is None:
        raise _at(
            draft,
            procedure.statements[0],
            "PROC MIXED without a MODEL statement",
            "Write model y = t / solution;",
        )
    return _finished(draft)


def _at(draft: _Draft, statement: Statement, message: str, hint: str | None) -> NotationError:
    cursor = statement.cursor(draft.procedure.text, 0)
    return cursor.fail(message, hint=hint)


def _finished(draft: _Draft) -> MixedModel:
    if draft.repeated is None:
        draft.note("residuals", "independent, one variance", "no REPEATED statement")
    if not draft.has_df:
        draft.note("degrees of freedom", "containment or between-within", "no DDFM= option")
    draft.defaults.append(
        Default("missing values", "rows dropped", "PROC MIXED: rows with missing values")
    )
    assert draft.fixed is not None
    return MixedModel(
        response=draft.response,
        fixed=draft.fixed,
        random=tuple(draft.blocks),
        residual=draft.residual,
        estimator=draft.estimator,
        notation="sas",
        defaults=tuple(draft.defaults),
        data=draft.data,
    )


def _proc(draft: _Draft, statement: Statement) -> None:
    cursor = statement.cursor(draft.procedure.text, 2)
    given = {o.word: o for o in options(cursor, PROC_OPTIONS, "PROC MIXED")}
    if "method" in given:
        method = given["method"].value_word()
        if method not in ("ml", "reml"):
            raise cursor.fail(
                f"METHOD={method.upper()} is not supported",
                ("ML", "REML"),
                token=given["method"].token,
            )
        draft.estimator = "ml" if method == "ml" else "reml"
    else:
        draft.note("estimator", "REML", "METHOD=REML unless told")
    if "nobound" in given:
        draft.note("bounds", "unbounded", "NOBOUND: variances may be negative")
    else:
        draft.note("bounds", "variances not negative", "unless NOBOUND")
    if "data" in given:
        draft.data = "".join(token.text for token in given["data"].value)


def _class(draft: _Draft, statement: Statement) -> None:
    cursor = statement.cursor(draft.procedure.text)
    while not cursor.done:
        if cursor.accept("/"):
            list(cursor.until())
            return
        token = cursor.name("a variable of CLASS")
        variables = draft.variables
        key = variables.key(token.text)
        column = variables.quoted(token)
        reference: str | None = None
        if cursor.sees("("):
            inside = cursor.bracketed()
            reference = _reference(inside)
        if reference is None:
            draft.note(f"reference level of {column}", "the last", "CLASS: indicators, the last 0")
        if reference in (None, "first"):
            variables.classes[key] = canonical(f"C({column})")
        else:
            variables.classes[key] = canonical(f"C({column}, Treatment({reference}))")


def _reference(inside: Cursor) -> str | None:
    """``first``, None for the last level, or the level as a literal."""
    token = inside.name("ref=")
    if not token.says("ref"):
        raise inside.fail(f"The CLASS option {token.text} is not supported", ("ref=",), token=token)
    inside.expect("=")
    value = inside.take()
    if value.says("first"):
        return "first"
    if value.says("last"):
        return None
    if value.kind == "number":
        return value.text
    if value.kind == "string":
        return r_string(value.text)
    raise inside.fail("REF= needs a level in quotes, FIRST or LAST", token=value)


def _model(draft: _Draft, statement: Statement) -> None:
    if draft.fixed is not None:
        raise _at(draft, statement, "A second MODEL statement", "Keep one.")
    cursor = statement.cursor(draft.procedure.text)
    response = cursor.name("the outcome")
    if cursor.sees("("):
        raise cursor.fail("Options of the outcome are not supported")
    cursor.expect("=", hint="Write model y = effects / solution;")
    _check_recoded(draft, response)
    draft.response = draft.variables.term((response,)).factors[0]
    listed = products(cursor, ("/",), bars=True)
    cursor.accept("/")
    given = {o.word for o in options(cursor, MODEL_OPTIONS, "MODEL")}
    terms = [_term(draft, product) for product in listed]
    if "noint" not in given:
        draft.note("intercept", "included", "MODEL: unless NOINT")
        terms.insert(0, INTERCEPT)
    draft.has_df = bool(given & {"ddfm", "ddf"})
    draft.fixed = sorted_terms(terms)


def _check_recoded(draft: _Draft, *tokens: Token) -> None:
    for token in tokens:
        if token.text.lower() in draft.procedure.recoded:
            raise NotationError(
                f"A data step changes {token.text} in place",
                text=draft.procedure.text,
                position=token.position,
                hint="Give the changed column a name of its own: t2 = t - 2;",
            )


def _term(draft: _Draft, product: Product) -> Term:
    _check_recoded(draft, *product)
    return draft.variables.term(product)


def _random(draft: _Draft, statement: Statement) -> None:
    cursor = statement.cursor(draft.procedure.text)
    listed = products(cursor, ("/",), bars=True)
    cursor.accept("/")
    given = {o.word: o for o in options(cursor, RANDOM_OPTIONS, "RANDOM")}
    if not listed:
        raise _at(
            draft, statement, "RANDOM without effects", "Write random intercept / subject=id;"
        )
    subject = _subject(draft, given.get("subject"))
    kind = given["type"].value_text() if "type" in given else "vc"
    if "type" not in given:
        shown = "independent effects" if len(listed) > 1 else "one variance"
        draft.note(f"covariance of RANDOM, subject {subject}", shown, "TYPE=VC unless told")
    if "group" in given:
        raise cursor.fail(
            "RANDOM: GROUP= is not supported",
            token=given["group"].token,
            hint="Only residual variances can differ between groups.",
        )
    if subject is None:
        if kind not in ("vc", "simple"):
            raise cursor.fail("RANDOM: TYPE= needs SUBJECT=", token=given["type"].token)
        draft.blocks += [_crossed(draft, cursor, product) for product in listed]
        return
    if kind in ("vc", "simple"):
        draft.blocks += _components(draft, listed, subject)
        return
    draft.blocks.append(_together(draft, cursor, listed, subject, given["type"]))


def _subject(draft: _Draft, option: Option | None) -> str | None:
    """The grouping factor: ``child(school)`` and ``school*child`` are ``school:child``."""
    if option is None:
        return None
    inside = Cursor(draft.procedure.text, option.value)
    made = products(inside, (), bars=False)
    if len(made) != 1:
        raise inside.fail("SUBJECT= names no effect", ("a variable",), token=option.token)
    names = [draft.variables.quoted(token) for token in made[0]]
    if any(token.text == "(" for token in option.value):
        names = [*names[1:], names[0]]
    return ":".join(names)


def _is_intercept(product: Product) -> bool:
    return len(product) == 1 and product[0].says("intercept", "int")


def _split(draft: _Draft, product: Product) -> tuple[list[str], Term]:
    """Categorical columns of an effect, and the rest of it."""
    if _is_intercept(product):
        return [], INTERCEPT
    classes = draft.variables.classes
    inner = [t for t in product if draft.variables.key(t.text) in classes]
    outer = tuple(t for t in product if draft.variables.key(t.text) not in classes)
    return [draft.variables.quoted(t) for t in inner], _term(draft, outer) if outer else INTERCEPT


def _crossed(draft: _Draft, cursor: Cursor, product: Product) -> RandomBlock:
    inner, term = _split(draft, product)
    if not inner:
        raise cursor.fail(
            "RANDOM: a numeric effect needs SUBJECT=",
            token=product[0],
            hint="Write random intercept t / subject=id;",
        )
    return RandomBlock((term,), ":".join(inner))


def _components(draft: _Draft, listed: list[Product], subject: str) -> list[RandomBlock]:
    """Independent effects; a categorical one has one variance, so it is a group within."""
    gathered: dict[str, list[Term]] = {}
    for product in listed:
        inner, term = _split(draft, product)
        gathered.setdefault(":".join([subject, *inner]), []).append(term)
    made = []
    for group, terms in gathered.items():
        several: Literal["diagonal", "unstructured"] = (
            "diagonal" if len(terms) > 1 else "unstructured"
        )
        made.append(RandomBlock(tuple(terms), group, several))
    return made


def _together(
    draft: _Draft, cursor: Cursor, listed: list[Product], subject: str, option: Option
) -> RandomBlock:
    kind = option.value_text()
    terms = [INTERCEPT if _is_intercept(p) else _term(draft, p) for p in listed]
    wide = any(_split(draft, product)[0] for product in listed)
    same = (f"fa0({len(terms)})", f"un({len(terms)})") if not wide and len(terms) > 1 else ()
    covariance: BlockCovariance
    if kind in ("un", "unr", "chol", *same):
        covariance = "unstructured"
    elif kind == "un(1)":
        covariance = "diagonal" if len(terms) > 1 or wide else "unstructured"
    elif kind == "cs":
        covariance = "compound_symmetry" if len(terms) > 1 or wide else "unstructured"
    else:
        raise cursor.fail(
            f"RANDOM: TYPE={kind.upper()} is not supported",
            ("UN", "UN(1)", "VC", "CS"),
            token=option.token,
            hint="For correlated residuals use REPEATED.",
        )
    if wide and INTERCEPT in terms:
        raise cursor.fail(
            "RANDOM: an intercept beside all levels of a CLASS variable is redundant",
            token=option.token,
            hint="Leave the intercept out.",
        )
    return RandomBlock(tuple(terms), subject, covariance)


def _repeated(draft: _Draft, statement: Statement) -> None:
    if draft.repeated is not None:
        raise _at(draft, statement, "A second REPEATED statement", "Keep one.")
    draft.repeated = statement
    cursor = statement.cursor(draft.procedure.text)
    listed = products(cursor, ("/",), bars=False)
    cursor.accept("/")
    given = {o.word: o for o in options(cursor, REPEATED_OPTIONS, "REPEATED")}
    occasion = None
    for product in listed:
        if len(listed) > 1 or len(product) > 1:
            raise cursor.fail("REPEATED with several effects is not supported", token=product[0])
        occasion = draft.variables.column(product[0])
        if draft.variables.key(product[0].text) not in draft.variables.classes:
            raise cursor.fail(
                f"The REPEATED effect {product[0].text} is not in CLASS",
                token=product[0],
                hint=f"Write class {product[0].text};",
            )
    subject = _subject(draft, given.get("subject"))
    if "type" not in given:
        draft.note("residuals", "independent, one variance", "REPEATED: TYPE=VC unless told")
    draft.residual = replace(_residual(draft, cursor, given, occasion), person=subject)


def _residual(
    draft: _Draft, cursor: Cursor, given: dict[str, Option], occasion: str | None
) -> ResidualStructure:
    kind = given["type"].value_text() if "type" in given else "vc"
    token = given["type"].token if "type" in given else cursor.peek()
    local = "local" in given
    if "group" in given:
        if kind not in ("vc", "simple") or local:
            raise cursor.fail(
                "REPEATED: GROUP= is only supported with TYPE=VC", token=given["group"].token
            )
        return _by_group(draft, cursor, given["group"], occasion)
    if kind.startswith("sp(pow)("):
        inside = given["type"].value[-2]
        occasion, kind = draft.variables.column(inside), "ar(1)"
    elif kind == "ar(1)":
        draft.note("distance of occasions", "their order", "TYPE=AR(1): levels one apart")
    if local and kind != "ar(1)":
        raise cursor.fail(
            "REPEATED: LOCAL is only supported with AR(1)", token=given["local"].token
        )
    if local:
        return ResidualStructure("ar1+common", time=occasion)
    if kind.startswith("un(") and kind[3:-1].isdigit() and 2 <= int(kind[3:-1]) <= 1000:
        return ResidualStructure("banded", bands=int(kind[3:-1]) - 1, time=occasion)
    if kind not in _RESIDUALS:
        raise cursor.fail(
            f"REPEATED: TYPE={kind.upper()[:40]} is not supported",
            tuple(name.upper() for name in _RESIDUALS),
            token=token,
        )
    return ResidualStructure(_RESIDUALS[kind], time=occasion)


def _by_group(
    draft: _Draft, cursor: Cursor, option: Option, occasion: str | None
) -> ResidualStructure:
    if len(option.value) != 1 or not option.value[0].is_name:
        raise cursor.fail("REPEATED: GROUP= needs one variable", token=option.token)
    token = option.value[0]
    column = draft.variables.column(token)
    if occasion is None and occasion_like(column):
        draft.note(column, "the occasion", "REPEATED: GROUP=, by its name")
        occasion = column
    if not column:
        raise cursor.fail("GROUP= names no variable", ("a variable",), token=token)
    return by_column(column, draft.fixed or (), draft.blocks, occasion)


def _parms(draft: _Draft, statement: Statement) -> None:
    for token in statement.tokens:
        if token.says("hold", "eqcons", "noiter", "lowerb", "upperb", "parmsdata", "pdata"):
            raise NotationError(
                f"PARMS: {token.text.upper()} is not supported",
                text=draft.procedure.text,
                position=token.position,
                hint="Starting values alone may stand in PARMS.",
            )
