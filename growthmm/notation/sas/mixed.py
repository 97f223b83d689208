"""PROC MIXED: statements to a mixed model."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from growthmm.errors import NotationError
from growthmm.model.defaults import Default
from growthmm.model.expression import canonical
from growthmm.model.expression_print import r_string
from growthmm.model.mixed import BlockCovariance, Estimator, MixedModel, RandomBlock
from growthmm.model.residual import COMMON, CORRELATED, ResidualKind, ResidualStructure
from growthmm.model.terms import INTERCEPT, Term
from growthmm.notation.command_languages.effects import (
    Product,
    Variables,
    in_terms,
    sorted_terms,
)
from growthmm.notation.command_languages.facts import occasion_like
from growthmm.notation.command_languages.tokens import Piece, Token, error_at
from growthmm.notation.residual_columns import at_one_time, by_column
from growthmm.notation.sas.options import (
    MODEL_OPTIONS,
    PROC_OPTIONS,
    RANDOM_OPTIONS,
    REFUSED_STATEMENTS,
    REPEATED_OPTIONS,
    SILENT_STATEMENTS,
    OptionTable,
    options,
)
from growthmm.notation.sas.parser import GRAMMAR
from growthmm.notation.sas.statements import Procedure, Statement
from growthmm.notation.sas.syntax import ClassVariable, Effects, Option

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
    unreferenced: dict[str, str] = field(default_factory=dict)
    defaults: list[Default] = field(default_factory=list)
    data: str | None = None
    has_df: bool = False

    def parsed(self, rule: str, statement: Statement) -> Any:
        return self.procedure.parsed(rule, statement)

    def options(
        self, given: Sequence[Option], table: OptionTable, statement: str
    ) -> dict[str, Option]:
        return options(self.procedure.text, given, table, statement)

    def fail(
        self, message: str, where: Token | int, expected: Sequence[str] = (), hint: str = ""
    ) -> NotationError:
        return error_at(self.procedure.text, where, message, expected, hint=hint or None)

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
    _proc(draft, procedure.head)
    for statement in procedure.statements:
        if statement.word == "class":
            _class(draft, statement)
    handlers = {"model": _model, "random": _random, "repeated": _repeated, "parms": _parms}
    # What a group of residual variances is depends on the effects.
    for statement in sorted(procedure.statements, key=lambda each: each.word == "repeated"):
        word = statement.word
        if word in handlers:
            handlers[word](draft, statement)
        elif word in REFUSED_STATEMENTS:
            message = f"The {word.upper()} statement is not supported"
            raise draft.fail(message, statement.position, (), REFUSED_STATEMENTS[word])
        elif word not in SILENT_STATEMENTS:
            message = f"PROC MIXED has no statement {statement.shown[:40]!r}"
            hint = "Statements: class, model, random, repeated."
            raise draft.fail(message, statement.position, (), hint)
    if draft.fixed is None:
        message = "PROC MIXED without a MODEL statement"
        raise draft.fail(message, procedure.head.position, (), "Write model y = t / solution;")
    return _finished(draft)


def _finished(draft: _Draft) -> MixedModel:
    assert draft.fixed is not None
    for column in in_terms(draft.unreferenced, draft.fixed):
        draft.note(f"reference level of {column}", "the last", "CLASS: indicators, the last 0")
    if draft.repeated is None:
        draft.note("residuals", "independent, one variance", "no REPEATED statement")
    if not draft.has_df:
        draft.note("degrees of freedom", "containment or between-within", "no DDFM= option")
    draft.defaults.append(
        Default("missing values", "rows dropped", "PROC MIXED: rows with missing values")
    )
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
    given = draft.options(draft.parsed("procedure", statement), PROC_OPTIONS, "PROC MIXED")
    if "method" in given:
        method = given["method"].value_text()
        if method not in ("ml", "reml"):
            message = f"METHOD={method.upper()[:40]} is not supported"
            raise draft.fail(message, given["method"].token, ("ML", "REML"))
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
    for each in draft.parsed("classes", statement):
        if not isinstance(each, ClassVariable):
            continue
        variables = draft.variables
        column = variables.quoted(each.token)
        reference = _reference(draft, each)
        coded = f"C({column})"
        if reference not in (None, "first"):
            coded = f"C({column}, Treatment({reference}))"
        factor = variables.classes[variables.key(each.token.text)] = canonical(coded)
        if reference is None:
            draft.unreferenced[factor] = column


def _reference(draft: _Draft, each: ClassVariable) -> str | None:
    """``first``, None for the last level, or the level as a literal."""
    if each.option is None:
        return None
    level = each.level
    if not each.option.says("ref") or level is None:
        message = f"The CLASS option {each.option.text} is not supported"
        raise draft.fail(message, each.option, ("ref=",))
    if level.says("first"):
        return "first"
    if level.says("last"):
        return None
    if level.kind == "number":
        return level.text
    if level.kind == "string":
        return r_string(level.text)
    raise draft.fail("REF= needs a level in quotes, FIRST or LAST", level)


def _model(draft: _Draft, statement: Statement) -> None:
    if draft.fixed is not None:
        raise draft.fail("A second MODEL statement", statement.position, (), "Keep one.")
    said: Effects = draft.parsed("model", statement)
    assert said.outcome is not None
    _check_recoded(draft, said.outcome)
    draft.response = draft.variables.term((said.outcome,)).factors[0]
    given = draft.options(said.options, MODEL_OPTIONS, "MODEL")
    terms = [_term(draft, product) for product in said.products]
    if "noint" not in given:
        draft.note("intercept", "included", "MODEL: unless NOINT")
        terms.insert(0, INTERCEPT)
    draft.has_df = bool(given.keys() & {"ddfm", "ddf"})
    draft.fixed = sorted_terms(terms)


def _check_recoded(draft: _Draft, *tokens: Token) -> None:
    for token in tokens:
        if token.text.lower() in draft.procedure.recoded:
            message = f"A data step changes {token.text} in place"
            hint = "Give the changed column a name of its own: t2 = t - 2;"
            raise draft.fail(message, token, (), hint)


def _term(draft: _Draft, product: Product) -> Term:
    _check_recoded(draft, *product)
    return draft.variables.term(product)


def _random(draft: _Draft, statement: Statement) -> None:
    said: Effects = draft.parsed("listed", statement)
    listed = list(said.products)
    given = draft.options(said.options, RANDOM_OPTIONS, "RANDOM")
    if not listed:
        hint = "Write random intercept / subject=id;"
        raise draft.fail("RANDOM without effects", statement.position, (), hint)
    subject = _subject(draft, given.get("subject"))
    kind = given["type"].value_text() if "type" in given else "vc"
    if "type" not in given:
        shown = "independent effects" if len(listed) > 1 else "one variance"
        draft.note(f"covariance of RANDOM, subject {subject}", shown, "TYPE=VC unless told")
    if "group" in given:
        hint = "Only residual variances can differ between groups."
        raise draft.fail("RANDOM: GROUP= is not supported", given["group"].token, (), hint)
    if subject is None:
        if kind not in ("vc", "simple"):
            raise draft.fail("RANDOM: TYPE= needs SUBJECT=", given["type"].token)
        draft.blocks += [_crossed(draft, product) for product in listed]
        return
    if kind in ("vc", "simple"):
        draft.blocks += _components(draft, listed, subject)
        return
    draft.blocks.append(_together(draft, listed, subject, given["type"]))


def _subject(draft: _Draft, option: Option | None) -> str | None:
    """The grouping factor: ``child(school)`` and ``school*child`` are ``school:child``."""
    if option is None:
        return None
    if not option.value:
        raise draft.fail("SUBJECT= names no effect", option.token, ("a variable",))
    start, stop = option.value[0].position, option.value[-1].end
    piece = Piece(draft.procedure.text[start:stop], start)
    made: Product = GRAMMAR.parse("product", draft.procedure.text, piece)
    names = [draft.variables.quoted(token) for token in made]
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


def _crossed(draft: _Draft, product: Product) -> RandomBlock:
    inner, term = _split(draft, product)
    if not inner:
        message = "RANDOM: a numeric effect needs SUBJECT="
        raise draft.fail(message, product[0], (), "Write random intercept t / subject=id;")
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


def _together(draft: _Draft, listed: list[Product], subject: str, option: Option) -> RandomBlock:
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
        raise draft.fail(
            f"RANDOM: TYPE={kind.upper()[:40]} is not supported",
            option.token,
            ("UN", "UN(1)", "VC", "CS"),
            "For correlated residuals use REPEATED.",
        )
    if wide and INTERCEPT in terms:
        message = "RANDOM: an intercept beside all levels of a CLASS variable is redundant"
        raise draft.fail(message, option.token, (), "Leave the intercept out.")
    return RandomBlock(tuple(terms), subject, covariance)


def _repeated(draft: _Draft, statement: Statement) -> None:
    if draft.repeated is not None:
        raise draft.fail("A second REPEATED statement", statement.position, (), "Keep one.")
    draft.repeated = statement
    said: Effects = draft.parsed("listed", statement)
    given = draft.options(said.options, REPEATED_OPTIONS, "REPEATED")
    occasion = None
    for product in said.products:
        if len(said.products) > 1 or len(product) > 1:
            raise draft.fail("REPEATED with several effects is not supported", product[0])
        occasion = draft.variables.column(product[0])
        if draft.variables.key(product[0].text) not in draft.variables.classes:
            message = f"The REPEATED effect {product[0].text} is not in CLASS"
            raise draft.fail(message, product[0], (), f"Write class {product[0].text};")
    subject = _subject(draft, given.get("subject"))
    if "type" not in given:
        draft.note("residuals", "independent, one variance", "REPEATED: TYPE=VC unless told")
    across = _across(draft, given, occasion, subject)
    if across is not None:
        draft.residual = across
        return
    residual = _residual(draft, statement, given, occasion)
    draft.residual = replace(residual, person=subject)


def _across(
    draft: _Draft, given: dict[str, Option], column: str | None, subject: str | None
) -> ResidualStructure | None:
    """``REPEATED outcome / SUBJECT=time(person) TYPE=UN``, or None where it is something else."""
    unstructured = "type" in given and given["type"].value_text() == "un" and "local" not in given
    found = at_one_time(subject, draft.blocks)
    if found is None or column is None or not unstructured:
        return None
    if "group" in given:
        option = given["group"]
        one = len(option.value) == 1 and option.value[0].is_name
        if not one or draft.variables.column(option.value[0]) != found.time:
            raise draft.fail("REPEATED: GROUP= is not the time of SUBJECT=", option.token)
    return ResidualStructure(
        "across", by=column, crossed="group" in given, time=found.time, person=found.person
    )


def _residual(
    draft: _Draft, statement: Statement, given: dict[str, Option], occasion: str | None
) -> ResidualStructure:
    kind = given["type"].value_text() if "type" in given else "vc"
    where = given["type"].token if "type" in given else statement.position
    local = "local" in given
    if local and given["local"].value:
        shown = given["local"].value_text().upper()[:40]
        message = f"REPEATED: LOCAL={shown} is not supported"
        raise draft.fail(message, given["local"].token, (), "Write LOCAL alone.")
    if "group" in given:
        if kind in ("vc", "simple") and not local:
            return _by_group(draft, given["group"], occasion)
        if local:
            message = "REPEATED: GROUP= is not supported with LOCAL"
            raise draft.fail(message, given["group"].token)
        inner = {name: option for name, option in given.items() if name != "group"}
        return _of_groups(draft, given["group"], _residual(draft, statement, inner, occasion))
    if kind.startswith("sp(pow)("):
        occasion, kind = draft.variables.column(given["type"].value[-2]), "ar(1)"
    elif kind == "ar(1)":
        draft.note("distance of occasions", "their order", "TYPE=AR(1): levels one apart")
    if local and kind != "ar(1)":
        message = "REPEATED: LOCAL is only supported with AR(1)"
        raise draft.fail(message, given["local"].token)
    if local:
        return ResidualStructure("ar1+common", time=occasion)
    if kind.startswith("un(") and kind[3:-1].isdigit() and 2 <= int(kind[3:-1]) <= 1000:
        return ResidualStructure("banded", bands=int(kind[3:-1]) - 1, time=occasion)
    if kind not in _RESIDUALS:
        message = f"REPEATED: TYPE={kind.upper()[:40]} is not supported"
        raise draft.fail(message, where, tuple(name.upper() for name in _RESIDUALS))
    return ResidualStructure(_RESIDUALS[kind], time=occasion)


def _by_group(draft: _Draft, option: Option, occasion: str | None) -> ResidualStructure:
    column = _group_column(draft, option)
    if occasion is None and occasion_like(column):
        draft.note(column, "the occasion", "REPEATED: GROUP=, by its name")
        occasion = column
    return by_column(column, draft.fixed or (), draft.blocks, occasion)


def _of_groups(draft: _Draft, option: Option, inner: ResidualStructure) -> ResidualStructure:
    """A structure with parameters of its own for each level of GROUP=."""
    column = _group_column(draft, option)
    if inner.kind == "by_occasion" and column != inner.time:
        return ResidualStructure("by_group", by=column, crossed=True, time=inner.time)
    if inner.kind not in CORRELATED:
        message = f"REPEATED: GROUP= is not supported with residuals {inner}"
        raise draft.fail(message, option.token)
    if column == inner.time:
        message = "REPEATED: GROUP= is the column of times, whose rows are never of one person"
        raise draft.fail(message, option.token)
    within = replace(inner, time=None)
    return ResidualStructure("groupwise", by=column, within=within, time=inner.time)


def _group_column(draft: _Draft, option: Option) -> str:
    if len(option.value) != 1 or not option.value[0].is_name:
        raise draft.fail("REPEATED: GROUP= needs one variable", option.token)
    return draft.variables.column(option.value[0])


_HELD = re.compile(r"\b(?:hold|eqcons|noiter|lowerb|upperb|parmsdata|pdata)\b", re.IGNORECASE)


def _parms(draft: _Draft, statement: Statement) -> None:
    held = _HELD.search(statement.rest.text)
    if held is not None:
        message = f"PARMS: {held.group().upper()} is not supported"
        place = statement.rest.position + held.start()
        raise draft.fail(message, place, (), "Starting values alone may stand in PARMS.")
