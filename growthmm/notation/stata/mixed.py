"""Stata's ``mixed``: a command to a mixed model."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from growthmm.model.defaults import Default
from growthmm.model.mixed import BlockCovariance, Estimator, MixedModel, RandomBlock
from growthmm.model.residual import COMMON, ResidualKind, ResidualStructure
from growthmm.model.terms import INTERCEPT, Term
from growthmm.notation.command_languages.effects import sorted_terms
from growthmm.notation.command_languages.facts import occasion_like
from growthmm.notation.command_languages.names import words
from growthmm.notation.command_languages.tokens import Token, number
from growthmm.notation.residual_columns import by_column
from growthmm.notation.stata.commands import ModelCommand, abbreviates
from growthmm.notation.stata.parser import Equation, Mixed, Option, Residuals
from growthmm.notation.stata.terms import Factor, Product, term_of

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
_SUPPORTED = (
    *("independent", "exchangeable", "ar 1", "unstructured", "banded #", "toeplitz"),
    "exponential",
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
    said: Mixed = command.parsed("mixed")
    draft = _Draft(command)
    draft.response = _term(draft, (Factor(said.fixed.level, "c"),)).factors[0]
    _fixed(draft, said.fixed)
    for equation in said.equations:
        _equation(draft, equation)
    return _finished(draft)


def _term(draft: _Draft, product: Product) -> Term:
    return term_of(product, draft.command.variables, draft.command.text)


def _fixed(draft: _Draft, said: Equation) -> None:
    intercept = True
    for option in said.options:
        if abbreviates(option.token.text, "noconstant", 6):
            intercept = False
        else:
            _global(draft, option)
    terms = [_term(draft, product) for product in said.terms]
    alone = [p[0] for p in said.terms if len(p) == 1 and p[0].kind == "i"]
    without = [factor for factor in alone if factor.base == "n"]
    if intercept and without:
        message = "ibn. beside a constant is redundant"
        raise draft.command.fail(message, without[0].token, (), "Write i. or add noconstant.")
    if not intercept and alone and not without:
        message = "A factor variable without its base and without a constant"
        hint = "Write ibn. for all levels, or leave noconstant out."
        raise draft.command.fail(message, alone[0].token, (), hint)
    if intercept:
        draft.note("intercept", "included", "unless noconstant")
        terms.insert(0, INTERCEPT)
    draft.fixed = sorted_terms(terms)


def _global(draft: _Draft, option: Option) -> None:
    """An option that is not about one equation."""
    word, token = option.token.text, option.token
    if word in ("mle", "ml"):
        draft.estimator = "ml"
    elif word == "reml":
        draft.estimator = "reml"
    elif abbreviates(word, "residuals", 3):
        if draft.residual is not None:
            raise draft.command.fail("residuals() is given twice", token)
        draft.residual = option
    elif word == "vce":
        if not _words(draft, option)[0].says("oim"):
            hint = "Fit with robust standard errors instead: robust=."
            raise draft.command.fail("vce() other than oim is not supported", token, (), hint)
    elif word not in _SILENT:
        hint = "Options that matter: mle, reml, covariance(), residuals(), noconstant."
        raise draft.command.fail(f"The option {word[:40]} is not supported", token, (), hint)


def _words(draft: _Draft, option: Option) -> tuple[Token, ...]:
    """The words in the brackets of an option."""
    found: tuple[Token, ...] = ()
    if option.inside is not None:
        found = draft.command.parsed("words", option.inside)
    if not found:
        raise draft.command.fail(f"{option.token.text}() lacks its type", option.token)
    return found


def _equation(draft: _Draft, said: Equation) -> None:
    level, listed = said.level, said.terms
    everyone = level.text == "_all"
    kind: str | None = None
    constant = True
    for option in said.options:
        word = option.token.text
        if abbreviates(word, "noconstant", 6):
            constant = False
        elif abbreviates(word, "covariance", 3):
            kind = _structure(draft, option)
        elif word in ("pweight", "fweight", "pw", "fw"):
            raise draft.command.fail("Weights are not supported", option.token)
        else:
            _global(draft, option)
    levels = [product for product in listed if any(f.kind == "R" for f in product)]
    if levels:
        _by_levels(draft, said, everyone)
        return
    if everyone:
        message = "_all: takes R. and a variable"
        raise draft.command.fail(message, level, (), "Write || _all: R.x.")
    group = _nested(draft, level)
    terms = [_term(draft, product) for product in listed]
    wide = [f for product in listed for f in product if f.kind == "i"]
    if wide:
        message = "Stata has no factor variables among random effects"
        hint = "Write R.x, or indicator columns."
        raise draft.command.fail(message, wide[0].token, (), hint)
    if constant:
        terms.insert(0, INTERCEPT)
    if not terms:
        draft.level = group
        return
    if kind is None and len(terms) > 1:
        draft.note(
            f"covariance of random effects of {group}",
            "independent effects",
            "covariance(independent) unless told",
        )
    covariance: BlockCovariance = "unstructured"
    if len(terms) > 1:
        covariance = _COVARIANCES[kind or "independent"]
    draft.blocks.append(RandomBlock(tuple(terms), group, covariance))
    draft.level = group


_COVARIANCES: dict[str, BlockCovariance] = {
    "unstructured": "unstructured",
    "independent": "diagonal",
    "exchangeable": "compound_symmetry",
    "identity": "identity",
}


def _structure(draft: _Draft, option: Option) -> str:
    words = _words(draft, option)
    for full, least in _STRUCTURES:
        if abbreviates(words[0].text, full, least) and len(words) == 1:
            return full
    message = f"covariance({words[0].text[:30]}) is not supported"
    raise draft.command.fail(message, words[0], tuple(full for full, _ in _STRUCTURES))


def _nested(draft: _Draft, level: Token) -> str:
    """The grouping factor: each level within the one before; the same level again is the same."""
    name = draft.command.variables.quoted(level)
    if draft.level is None:
        return name
    return draft.level if draft.level.split(":")[-1] == name else f"{draft.level}:{name}"


def _by_levels(draft: _Draft, said: Equation, everyone: bool) -> None:
    """``R.x``: an effect for each level of x, all with one variance."""
    level, listed = said.level, said.terms
    if len(listed) != 1 or len(listed[0]) != 1:
        raise draft.command.fail("R. stands alone", level)
    inner = draft.command.variables.quoted(listed[0][0].token)
    group = inner if everyone else f"{_nested(draft, level)}:{inner}"
    draft.blocks.append(RandomBlock((INTERCEPT,), group))
    if not everyone:
        draft.level = _nested(draft, level)


def _residual(draft: _Draft, option: Option) -> ResidualStructure:
    fail = draft.command.fail
    if option.inside is None:
        raise fail("residuals() lacks its type", option.token)
    said: Residuals = draft.command.parsed("residuals", option.inside)
    token = said.kind
    kind = next((full for full, least in _RESIDUALS if abbreviates(token.text, full, least)), "")
    names: dict[str, Token] = {}
    for word, name in said.options:
        if word.text not in ("t", "by") or word.text in names or name is None:
            message = f"residuals() has no option {word.text[:30]}"
            raise fail(message, word, ("t()", "by()"))
        names[word.text] = name
    columns = {word: draft.command.variables.column(name) for word, name in names.items()}
    time, by = columns.get("t"), columns.get("by")
    if by is not None and kind == "independent":
        return _by(draft, by, time)
    found = _person_structure(draft, said, kind, time)
    if by is None:
        return found
    if by == time:
        raise fail("residuals(): by() is the column of t()", token)
    within = replace(found, time=None, person=None)
    return ResidualStructure("groupwise", by=by, within=within, time=time, person=draft.level)


def _person_structure(
    draft: _Draft, said: Residuals, kind: str, time: str | None
) -> ResidualStructure:
    """The structure of one person's residuals."""
    fail, token = draft.command.fail, said.kind
    order = None if said.order is None else number(draft.command.text, said.order)
    if kind in ("ar", "exponential", "unstructured", "banded", "toeplitz") and time is None:
        raise fail(f"residuals({kind}) needs t(time)", token, ("t()",))
    if kind == "banded" and order is not None:
        if not (order.is_integer() and 1 <= order <= 1000):
            raise fail("The number of bands is a whole number", token)
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
        shown = "" if order is None else f" {order:g}"
        message = f"residuals({token.text[:30]}{shown}) is not supported"
        raise fail(message, token, _SUPPORTED)
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
