"""Stata's ``mixed``: a command to a mixed model."""

from __future__ import annotations

from dataclasses import dataclass, field

from growthmm.model.defaults import Default
from growthmm.model.mixed import BlockCovariance, Estimator, MixedModel, RandomBlock
from growthmm.model.residual import COMMON, ResidualKind, ResidualStructure
from growthmm.model.terms import INTERCEPT, Term
from growthmm.notation.command_languages.effects import sorted_terms
from growthmm.notation.command_languages.facts import occasion_like
from growthmm.notation.command_languages.names import words
from growthmm.notation.command_languages.tokens import Cursor, Token
from growthmm.notation.residual_columns import by_column
from growthmm.notation.stata.commands import ModelCommand, Option, abbreviates, options
from growthmm.notation.stata.terms import Factor, read_terms, term_of

__all__ = ["read_mixed"]

_STRUCTURES = (("independent", 3), ("exchangeable", 3), ("identity", 2), ("unstructured", 2))
_RESIDUALS = (
    ("independent", 3),
    ("exchangeable", 3),
    ("ar", 2),
    ("ma", 2),
    ("unstructured", 2),
    ("banded", 2),
    ("toeplitz", 2),
    ("exponential", 3),
)
_SILENT = words(
    "variance var stddeviations stddev nolog log noretable nofetable estmetric noheader "
    "nogroup nostderr level emiterate emtolerance emonly emlog emdots difficult iterate "
    "tolerance ltolerance nrtolerance nonrtolerance technique trace gradient showstep hessian "
    "matsqrt matlog dfmethod dftable coeflegend collinear baselevels allbaselevels noomitted "
    "vsquish cformat pformat sformat nofvlabel"
)


@dataclass
class _Draft:
    command: ModelCommand
    estimator: Estimator | None = None
    response: str = ""
    fixed: tuple[Term, ...] = ()
    blocks: list[RandomBlock] = field(default_factory=list)
    level: str | None = None
    residual: Option | None = None
    defaults: list[Default] = field(default_factory=list)
    df: str | None = None

    def note(self, what: str, value: str, rule: str) -> None:
        self.defaults.append(Default(what, value, f"Stata mixed: {rule}"))


def read_mixed(command: ModelCommand) -> MixedModel:
    """Read a ``mixed`` command.

    Parameters
    ----------
    command : ModelCommand
        The command, from :func:`growthmm.notation.stata.commands.find_command`.

    Returns
    -------
    MixedModel
        ML unless ``reml``; what Stata fills in stands among the defaults.

    Raises
    ------
    NotationError
        If it is malformed or says something unsupported.
    """
    draft = _Draft(command)
    cursor = command.cursor
    response = cursor.name("the outcome")
    if cursor.sees("."):
        raise cursor.fail("Operators of the outcome are not supported")
    draft.response = term_of((Factor(response, "c"),), command.variables, cursor).factors[0]
    listed = read_terms(cursor, (",", "||"))
    fixed_options = options(cursor, ("||",)) if cursor.accept(",") else []
    blocks: list[tuple[Cursor, list[Option]]] = []
    while cursor.accept("||"):
        start = cursor.at
        while not cursor.done and not cursor.sees(",", "||"):
            cursor.take()
        inside = Cursor(cursor.text, cursor.tokens[start : cursor.at], cursor.peek().position)
        blocks.append((inside, options(cursor, ("||",)) if cursor.accept(",") else []))
    if not cursor.done:
        raise cursor.fail(f"{cursor.shown()} stands where || or a comma should", ("||", ","))
    _fixed(draft, listed, fixed_options, cursor)
    for inside, given in blocks:
        _equation(draft, inside, given)
    return _finished(draft)


def _fixed(
    draft: _Draft, listed: list[tuple[Factor, ...]], given: list[Option], cursor: Cursor
) -> None:
    intercept = True
    for option in given:
        if abbreviates(option.token.text, "noconstant", 6):
            intercept = False
        else:
            _global(draft, option, cursor)
    terms = [term_of(product, draft.command.variables, cursor) for product in listed]
    alone = [p[0] for p in listed if len(p) == 1 and p[0].kind == "i"]
    without = [factor for factor in alone if factor.base == "n"]
    if intercept and without:
        raise cursor.fail(
            "ibn. beside a constant is redundant",
            token=without[0].token,
            hint="Write i. or add noconstant.",
        )
    if not intercept and alone and not without:
        raise cursor.fail(
            "A factor variable without its base and without a constant",
            token=alone[0].token,
            hint="Write ibn. for all levels, or leave noconstant out.",
        )
    if intercept:
        draft.note("intercept", "included", "unless noconstant")
        terms.insert(0, INTERCEPT)
    draft.fixed = sorted_terms(terms)


def _global(draft: _Draft, option: Option, cursor: Cursor) -> None:
    """An option that is not about one equation."""
    word, token = option.token.text, option.token
    if word in ("mle", "ml"):
        draft.estimator = "ml"
    elif word == "reml":
        draft.estimator = "reml"
    elif abbreviates(word, "residuals", 3):
        if draft.residual is not None:
            raise cursor.fail("residuals() is given twice", token=token)
        if option.inside is None:
            raise cursor.fail("residuals() lacks its type", token=token)
        draft.residual = option
    elif word == "vce":
        if option.inside is None or not option.inside.peek().says("oim"):
            raise cursor.fail(
                "vce() other than oim is not supported",
                token=token,
                hint="Fit with robust standard errors instead: robust=.",
            )
    elif word not in _SILENT:
        raise cursor.fail(
            f"The option {word[:40]} is not supported",
            token=token,
            hint="Options that matter: mle, reml, covariance(), residuals(), noconstant.",
        )


def _equation(draft: _Draft, cursor: Cursor, given: list[Option]) -> None:
    level = cursor.name("the grouping variable")
    cursor.expect(":", hint="Write || id: t, covariance(unstructured).")
    everyone = level.text == "_all"
    listed = read_terms(cursor, ())
    structure: tuple[str, Token] | None = None
    constant = True
    for option in given:
        word = option.token.text
        if abbreviates(word, "noconstant", 6):
            constant = False
        elif abbreviates(word, "covariance", 3):
            structure = _structure(option, cursor)
        elif word in ("pweight", "fweight", "pw", "fw"):
            raise cursor.fail("Weights are not supported", token=option.token)
        else:
            _global(draft, option, cursor)
    levels = [product for product in listed if any(f.kind == "R" for f in product)]
    if levels:
        _by_levels(draft, cursor, level, listed, everyone)
        return
    if everyone:
        raise cursor.fail("_all: takes R. and a variable", token=level, hint="Write || _all: R.x.")
    group = _nested(draft, level)
    terms = [term_of(product, draft.command.variables, cursor) for product in listed]
    wide = [f for product in listed for f in product if f.kind == "i"]
    if wide:
        raise cursor.fail(
            "Stata has no factor variables among random effects",
            token=wide[0].token,
            hint="Write R.x, or indicator columns.",
        )
    if constant:
        terms.insert(0, INTERCEPT)
    if not terms:
        draft.level = group
        return
    if structure is None and len(terms) > 1:
        draft.note(
            f"covariance of random effects of {group}",
            "independent effects",
            "covariance(independent) unless told",
        )
    kind = structure[0] if structure is not None else "independent"
    covariance: BlockCovariance = _COVARIANCES[kind] if len(terms) > 1 else "unstructured"
    draft.blocks.append(RandomBlock(tuple(terms), group, covariance))
    draft.level = group


_COVARIANCES: dict[str, BlockCovariance] = {
    "unstructured": "unstructured",
    "independent": "diagonal",
    "exchangeable": "compound_symmetry",
    "identity": "identity",
}


def _structure(option: Option, cursor: Cursor) -> tuple[str, Token]:
    if option.inside is None:
        raise cursor.fail("covariance() lacks its type", token=option.token)
    token = option.inside.name("a covariance type")
    for full, least in _STRUCTURES:
        if abbreviates(token.text, full, least) and option.inside.done:
            return full, token
    raise option.inside.fail(
        f"covariance({token.text[:30]}) is not supported",
        tuple(full for full, _ in _STRUCTURES),
        token=token,
    )


def _nested(draft: _Draft, level: Token) -> str:
    """The grouping factor: each level within the one before; the same level again is the same."""
    name = draft.command.variables.quoted(level)
    if draft.level is None:
        return name
    return draft.level if draft.level.split(":")[-1] == name else f"{draft.level}:{name}"


def _by_levels(
    draft: _Draft, cursor: Cursor, level: Token, listed: list[tuple[Factor, ...]], everyone: bool
) -> None:
    """``R.x``: an effect for each level of x, all with one variance."""
    if len(listed) != 1 or len(listed[0]) != 1:
        raise cursor.fail("R. stands alone", token=level)
    inner = draft.command.variables.quoted(listed[0][0].token)
    group = inner if everyone else f"{_nested(draft, level)}:{inner}"
    draft.blocks.append(RandomBlock((INTERCEPT,), group))
    if not everyone:
        draft.level = _nested(draft, level)


def _residual(draft: _Draft, option: Option) -> ResidualStructure:
    inside = option.inside
    assert inside is not None
    token = inside.name("a residual type")
    kind = next((full for full, least in _RESIDUALS if abbreviates(token.text, full, least)), "")
    order: float | None = None
    if inside.peek().kind == "number":
        order = inside.number()
    names: dict[str, Token] = {}
    for each in options(inside):
        known = each.token.text in ("t", "by") and each.token.text not in names
        if not known or each.inside is None:
            raise inside.fail(
                f"residuals() has no option {each.token.text[:30]}",
                ("t()", "by()"),
                token=each.token,
            )
        names[each.token.text] = each.inside.name()
    columns = {word: draft.command.variables.column(name) for word, name in names.items()}
    time, by = columns.get("t"), columns.get("by")
    if by is not None and kind == "independent":
        return _by(draft, by, time)
    if by is not None:
        raise inside.fail("residuals(): by() is only supported for independent", token=token)
    if kind in ("ar", "exponential", "unstructured", "banded", "toeplitz") and time is None:
        raise inside.fail(f"residuals({kind}) needs t(time)", ("t()",))
    if kind == "banded" and order is not None:
        if not (order.is_integer() and 1 <= order <= 1000):
            raise inside.fail("The number of bands is a whole number", token=token)
        return ResidualStructure("banded", bands=int(order), time=time, person=draft.level)
    simple: dict[str, ResidualKind] = {
        "independent": "common",
        "exchangeable": "cs",
        "unstructured": "unstructured",
        "banded": "unstructured",
        "exponential": "ar1",
    }
    if order is None and kind == "toeplitz":
        return ResidualStructure("toeplitz", time=time, person=draft.level)
    if kind == "ar" and order in (None, 1.0):
        return ResidualStructure("ar1", time=time, person=draft.level)
    if kind not in simple or order is not None:
        number = "" if order is None else f" {order:g}"
        raise inside.fail(
            f"residuals({token.text[:30]}{number}) is not supported",
            (
                "independent",
                "exchangeable",
                "ar 1",
                "unstructured",
                "banded #",
                "toeplitz",
                "exponential",
            ),
            token=token,
        )
    return ResidualStructure(simple[kind], time=time, person=draft.level)


def _by(draft: _Draft, by: str, time: str | None) -> ResidualStructure:
    if time is None and occasion_like(by):
        draft.note(by, "the occasion", "residuals(, by()), by its name")
        time = by
    return by_column(by, draft.fixed, draft.blocks, time)


def _finished(draft: _Draft) -> MixedModel:
    residual = COMMON if draft.residual is None else _residual(draft, draft.residual)
    if draft.estimator is None:
        draft.note("estimator", "ML", "mle unless told (xtmixed before Stata 12: REML)")
    if draft.residual is None:
        draft.note("residuals", "independent, one variance", "unless residuals()")
    draft.note("missing values", "rows dropped", "rows with missing values")
    return MixedModel(
        response=draft.response,
        fixed=draft.fixed,
        random=tuple(draft.blocks),
        residual=residual,
        estimator=draft.estimator or "ml",
        notation="stata",
        defaults=tuple(draft.defaults),
    )
