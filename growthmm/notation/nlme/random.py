"""Random effects as nlme writes them: formulas with a bar, and lists of pdMat objects."""

from __future__ import annotations

from growthmm.errors import NotationError
from growthmm.model.expression import quote
from growthmm.model.mixed import BlockCovariance, RandomBlock
from growthmm.model.terms import INTERCEPT, Term
from growthmm.notation.formula.reading import read_conditioned, terms_of
from growthmm.notation.r_code.arguments import Signature, matched
from growthmm.notation.r_code.call import Argument, CallText, text_argument, whole_call

__all__ = ["read_random"]

_COVARIANCES: dict[str, BlockCovariance] = {
    "pdSymm": "unstructured",
    "pdLogChol": "unstructured",
    "pdNatural": "unstructured",
    "pdDiag": "diagonal",
    "pdIdent": "identity",
    "pdCompSymm": "compound_symmetry",
}
_EQUAL = ("identity", "compound_symmetry")
_HINT = "Write random = ~ terms | person, or random = list(person = pdDiag(~ terms))."


def read_random(text: str, argument: Argument) -> tuple[RandomBlock, ...]:
    """Read the argument ``random`` of ``lme()``.

    Parameters
    ----------
    text : str
        The text that holds the call.
    argument : Argument
        Where the argument stands.

    Returns
    -------
    tuple of RandomBlock
        From the outermost grouping factor in.

    Raises
    ------
    NotationError
        If it is malformed, has no grouping factor, or has a covariance that is not supported.
    """
    call = whole_call(text, argument)
    if call is None:
        left, groups = read_conditioned(argument.blanked(text), shown=text)
        if not groups:
            raise _fail(text, argument, "The random effects have no grouping factor", _HINT)
        terms = _some(text, argument, terms_of(left, text))
        return tuple(RandomBlock(terms, group) for group in groups)
    if call.function.startswith("pd"):
        raise _fail(text, argument, "The random effects have no grouping factor", _HINT)
    if call.function != "list":
        raise _fail(text, argument, f"{call.function}() is no form of random effects", _HINT)
    blocks: list[RandomBlock] = []
    outer: list[str] = []
    for element in call.arguments:
        if element.name is None:
            raise _fail(text, element, "The random effects have no grouping factor", _HINT)
        outer.append(quote(element.name))
        blocks += _element(text, element, ":".join(outer))
    if not blocks:
        raise _fail(text, argument, "list() holds no random effects", _HINT)
    return tuple(blocks)


def _element(text: str, argument: Argument, group: str) -> list[RandomBlock]:
    """The blocks of one grouping factor: a formula or a pdMat object."""
    call = whole_call(text, argument)
    if call is None:
        return [RandomBlock(_terms(text, argument), group)]
    if call.function == "pdBlocked":
        return _blocked(text, call, group)
    return [_block(text, call, group)]


def _block(text: str, call: CallText, group: str) -> RandomBlock:
    if call.function not in _COVARIANCES:
        raise NotationError(
            f"The covariance class {call.function}() is not supported",
            text=text,
            position=call.start,
            expected=(*_COVARIANCES, "pdBlocked"),
        )
    signature = Signature(
        call.function,
        ("value", "form"),
        ("value", "form"),
        f"{call.function}(form = ~ terms)",
        frozenset({"nam", "data"}),
    )
    given = matched(text, call, signature)
    form = given.get("form") or given.get("value")
    if form is None:
        raise NotationError(
            f"{call.function}() without a formula",
            text=text,
            position=call.start,
            hint=f"Write {call.function}(~ terms).",
        )
    terms = _terms(text, form)
    covariance = _COVARIANCES[call.function]
    if covariance in _EQUAL and terms == (INTERCEPT,):
        covariance = "unstructured"
    return RandomBlock(terms, group, covariance)


def _blocked(text: str, call: CallText, group: str) -> list[RandomBlock]:
    signature = Signature(
        "pdBlocked",
        ("value",),
        ("value", "pdClass"),
        "pdBlocked(list(pdSymm(~ 1), pdDiag(~ t)))",
        frozenset({"nam", "data"}),
    )
    given = matched(text, call, signature)
    inner = whole_call(text, given["value"]) if "value" in given else None
    if inner is None or inner.function != "list" or not inner.arguments:
        raise NotationError(
            "pdBlocked() holds no list of blocks",
            text=text,
            position=call.start,
            hint="Write pdBlocked(list(pdSymm(~ 1), pdDiag(~ 0 + t))).",
        )
    covariance: BlockCovariance = "unstructured"
    if "pdClass" in given:
        covariance = _COVARIANCES[text_argument(text, given["pdClass"], "pdClass", _COVARIANCES)]
    blocks = []
    for element in inner.arguments:
        part = whole_call(text, element)
        if part is None:
            blocks.append(RandomBlock(_terms(text, element), group, covariance))
        else:
            blocks.append(_block(text, part, group))
    return blocks


def _terms(text: str, argument: Argument) -> tuple[Term, ...]:
    left, groups = read_conditioned(argument.blanked(text), shown=text)
    if groups:
        raise _fail(
            text,
            argument,
            "A grouping factor within the random effects of another",
            "Write list(person = ~ terms).",
        )
    return _some(text, argument, terms_of(left, text))


def _some(text: str, argument: Argument, terms: tuple[Term, ...]) -> tuple[Term, ...]:
    if not terms:
        raise _fail(text, argument, "The formula has no random effects", "Write at least ~ 1.")
    return terms


def _fail(text: str, argument: Argument, message: str, hint: str) -> NotationError:
    written = text[argument.start : argument.stop]
    position = argument.start + len(written) - len(written.lstrip())
    return NotationError(message, text=text, position=position, hint=hint)
