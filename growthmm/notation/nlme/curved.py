"""Calls of ``nlme()`` whose model is linear in its random coefficients.

``nlme(y ~ b0 + b1 * (1 - exp(-g * t)), fixed = b0 + b1 + g ~ 1, random = b0 + b1 ~ 1 | id)`` is a
mixed model whose terms hold the parameter ``g``: what multiplies a coefficient is a column, and
the formula of a coefficient says which covariates multiply that column.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from growthmm.errors import NotationError
from growthmm.model.defaults import Default
from growthmm.model.expression import canonical_tree, quote
from growthmm.model.expression_tree import (
    Call,
    Name,
    Negative,
    Node,
    Number,
    Operation,
    parse,
)
from growthmm.model.mixed import Estimator, LoadingParameter, MixedModel, RandomBlock
from growthmm.model.terms import INTERCEPT, Term
from growthmm.notation.formula.linear import NotLinearError, linear_parts
from growthmm.notation.formula.reading import read_conditioned, terms_of
from growthmm.notation.nlme.nonlinear_forms import factored_exponentials, self_started
from growthmm.notation.nlme.residual import combined, read_correlation, read_weights
from growthmm.notation.r_code.arguments import Signature, matched
from growthmm.notation.r_code.call import (
    Argument,
    CallText,
    data_name,
    text_argument,
    whole_call,
)

__all__ = ["read_curved"]

_NLME = Signature(
    "nlme",
    ("model", "data", "fixed", "random", "groups", "start", "correlation", "weights"),
    (
        "model",
        "data",
        "fixed",
        "random",
        "groups",
        "start",
        "correlation",
        "weights",
        "method",
    ),
    "nlme(y ~ b0 + b1*exp(-g*t), data, fixed = b0 + b1 + g ~ 1, random = b0 + b1 ~ 1 | person)",
    frozenset({"control", "na.action", "naPattern", "verbose"}),
    {"subset": "Select the rows in the data before the model."},
)

_HINT = "Write fixed = b0 + b1 + g ~ 1, random = b0 + b1 ~ 1 | person."

_BLOCKS = {"pdSymm": False, "pdLogChol": False, "pdNatural": False, "pdDiag": True}


@dataclass(frozen=True, slots=True)
class _Coefficient:
    """A coefficient of the model and the terms of its own formula."""

    name: str
    terms: tuple[Term, ...]


def read_curved(text: str, call: CallText) -> MixedModel:
    """Read a call of ``nlme()``.

    Parameters
    ----------
    text : str
        The text that holds the call.
    call : CallText
        The call.

    Returns
    -------
    MixedModel
        Coefficients in which the model is linear are its terms, the others loading parameters. A
        random effect of a loading parameter stands as a random term of that name.

    Raises
    ------
    NotationError
        If it is malformed, or not linear in the coefficients that have covariates.
    """
    given = matched(text, call, _NLME)
    missing = [name for name in ("model", "fixed", "random") if name not in given]
    if missing:
        raise NotationError(
            f"nlme() without {' and '.join(f'{name}=' for name in missing)}",
            text=text,
            position=call.start,
            hint=f"Write {_NLME.example}.",
        )
    response, right = _model(text, given["model"])
    fixed = _coefficients(text, given["fixed"])
    groups = _groups(text, given["groups"]) if "groups" in given else ()
    random = _random(text, given["random"], groups)
    loadings, powers = _loadings(text, right, fixed, random)
    parameters = tuple(c.name for c in fixed if c.name not in loadings)
    _check(text, given["fixed"], fixed, parameters)
    starts = _starts(text, given["start"], fixed) if "start" in given else {}
    terms = [term for c in fixed if c.name in loadings for term in _products(c, loadings)]
    blocks = tuple(
        RandomBlock(
            tuple(
                term
                for c in coefficients
                for term in (
                    _products(c, loadings) if c.name in loadings else (Term((quote(c.name),)),)
                )
            ),
            group,
            "diagonal" if diagonal else "unstructured",
        )
        for coefficients, group, diagonal in random
    )
    ordered = tuple(sorted(dict.fromkeys(terms), key=lambda term: len(term.factors)))
    correlation = read_correlation(text, given["correlation"]) if "correlation" in given else None
    weights = read_weights(text, given["weights"]) if "weights" in given else None
    estimator, defaults = _estimator(text, given)
    return MixedModel(
        response=response,
        fixed=ordered,
        random=blocks,
        residual=combined(text, correlation, weights, ordered, blocks),
        estimator=estimator,
        loading_parameters=tuple(LoadingParameter(n, starts.get(n)) for n in parameters),
        notation="nlme",
        defaults=(*defaults, *(_power(name) for name in powers)),
        data=data_name(text, given["data"]) if "data" in given else None,
    )


def _power(name: str) -> Default:
    what = f"exp({name} + ...)"
    rule = f"exp(a + b) = exp(a)*exp(b): {name} is its logarithm, and it is positive"
    return Default(what, f"a coefficient exp({name}) times exp(...)", rule)


def _estimator(text: str, given: dict[str, Argument]) -> tuple[Estimator, tuple[Default, ...]]:
    defaults = []
    estimator: Estimator = "ml"
    if "method" in given:
        method = text_argument(text, given["method"], "method", ("ML", "REML"))
        estimator = "ml" if method == "ML" else "reml"
    else:
        defaults.append(Default("estimator", "ML", 'nlme: method = "ML" unless told'))
    if "na.action" not in given:
        rule = "nlme: na.action = na.fail unless told"
        defaults.append(Default("missing values", "an error", rule))
    return estimator, tuple(defaults)


def _fail(text: str, argument: Argument, message: str, hint: str = _HINT) -> NotationError:
    written = text[argument.start : argument.stop]
    position = argument.start + len(written) - len(written.lstrip())
    return NotationError(message, text=text, position=position, hint=hint)


def _model(text: str, argument: Argument) -> tuple[str, Node]:
    node = parse(argument.blanked(text), shown=text)
    if not (isinstance(node, Operation) and node.operator == "~" and node.left is not None):
        raise _fail(text, argument, "The model of nlme() is no formula", "Write y ~ b0 + b1*t.")
    return canonical_tree(node.left, text), self_started(node.right, text)


def _pieces(text: str, argument: Argument) -> list[Argument]:
    """The formulas of an argument: itself, or the elements of a list."""
    call = whole_call(text, argument)
    if call is None:
        return [argument]
    if call.function != "list":
        raise _fail(text, argument, f"{call.function}() is no formula of coefficients")
    return list(call.arguments)


def _coefficients(text: str, argument: Argument) -> list[_Coefficient]:
    made: list[_Coefficient] = []
    for piece in _pieces(text, argument):
        node = parse(piece.blanked(text), shown=text)
        made += _named(text, piece, node)
    return made


def _named(text: str, piece: Argument, node: Node) -> list[_Coefficient]:
    """Coefficients of ``b0 + b1 ~ terms``."""
    if not (isinstance(node, Operation) and node.operator == "~" and node.left is not None):
        raise _fail(text, piece, "Coefficients are named left of ~")
    terms = terms_of(node.right, text)
    if not terms:
        raise _fail(text, piece, "The coefficients have no terms", "Write at least ~ 1.")
    return [_Coefficient(name, terms) for name in _summed(text, piece, node.left)]


def _summed(text: str, piece: Argument, node: Node) -> list[str]:
    if isinstance(node, Operation) and node.operator == "+" and node.left is not None:
        return [*_summed(text, piece, node.left), *_summed(text, piece, node.right)]
    if isinstance(node, Name):
        return [node.name]
    raise _fail(text, piece, "Coefficients are named left of ~, with + between them")


def _groups(text: str, argument: Argument) -> tuple[str, ...]:
    node = parse(argument.blanked(text), shown=text)
    if isinstance(node, Operation) and node.operator == "~" and node.left is None:
        bar = f"~ 1 | {text[argument.start : argument.stop].strip().lstrip('~')}"
        return read_conditioned(bar)[1]
    raise _fail(text, argument, "groups= is no one-sided formula", "Write groups = ~ person.")


_Block = tuple[list[_Coefficient], str, bool]


def _random(text: str, argument: Argument, groups: tuple[str, ...]) -> list[_Block]:
    """The random coefficients, block by block, with their group and whether uncorrelated."""
    call = whole_call(text, argument)
    named = [a for a in call.arguments if a.name is not None] if call is not None else []
    if call is not None and call.function == "list" and named:
        if len(named) < len(call.arguments) or len(named) > 2:
            message = "The random effects are of no one or two grouping factors"
            raise _fail(text, argument, message, "Write random = list(person = a + b ~ 1).")
        outer = [quote(str(element.name)) for element in named]
        return [
            _block(text, element, (":".join(outer[: place + 1]),))
            for place, element in enumerate(named)
        ]
    return [_block(text, argument, groups)]


def _block(text: str, argument: Argument, groups: tuple[str, ...]) -> _Block:
    call = whole_call(text, argument)
    if call is not None and call.function != "list":
        if call.function not in _BLOCKS or len(call.arguments) != 1:
            raise NotationError(
                f"The covariance class {call.function}() is not supported",
                text=text,
                position=call.start,
                expected=tuple(_BLOCKS),
            )
        coefficients, group, _ = _block(text, call.arguments[0], groups)
        return coefficients, group, _BLOCKS[call.function]
    made: list[_Coefficient] = []
    for piece in _pieces(text, argument):
        node = parse(piece.blanked(text), shown=text)
        right = node.right if isinstance(node, Operation) and node.operator == "~" else None
        if isinstance(right, Operation) and right.operator == "|" and right.left is not None:
            assert isinstance(node, Operation)
            _, groups = read_conditioned(f"~ 1 | {text[right.position + 1 : piece.stop].strip()}")
            node = Operation("~", node.left, right.left, node.position)
        made += _named(text, piece, node)
    if len(groups) != 1:
        raise _fail(text, argument, "The random effects have no single grouping factor")
    return made, groups[0], False


def _loadings(
    text: str, right: Node, fixed: Sequence[_Coefficient], random: Sequence[_Block]
) -> tuple[dict[str, tuple[str, ...]], tuple[str, ...]]:
    """The factors that each linear coefficient is multiplied by, and which stand for their exp."""
    random_names = [c.name for coefficients, _, _ in random for c in coefficients]
    covaried = [c.name for c in fixed if c.terms != (INTERCEPT,)]
    every = list(dict.fromkeys([*(c.name for c in fixed), *random_names]))
    first = [n for n in every if n in random_names or n in covaried]
    others = [n for n in every if n not in first]
    # Where two coefficients multiply each other, either could be the linear one: the one that
    # leaves nothing without a coefficient is.
    constants = [n for n in others if n not in covaried]
    factored, powers = factored_exponentials(right, constants)
    tried = [
        (*_linear(model, [*first, *order]), of)
        for model, of in ((right, ()), (factored, powers))
        for order in (others, others[::-1])
    ]
    chosen, parts, powers = next((found for found in tried if None not in found[1]), tried[0])
    chosen.sort(key=every.index)
    rest = parts.pop(None, None)
    if rest is not None:
        raise NotationError(
            "Part of the model has no linear coefficient",
            text=text,
            position=(rest.operand if isinstance(rest, Negative) else rest).position,
            hint="Multiply it by a coefficient, b2*exp(g*t) for exp(c + g*t), or subtract it from "
            "the outcome.",
        )
    unused = [name for name in chosen if name not in parts]
    if unused:
        raise NotationError(
            f"The model does not use {', '.join(unused)}",
            text=text,
            position=right.position,
            hint="Leave the coefficient out of fixed= and random=.",
        )
    return {name: _factors(parts[name], text) for name in chosen}, powers


def _linear(right: Node, names: Sequence[str]) -> tuple[list[str], dict[str | None, Node]]:
    """Names in which the model is linear together, taken one after the other."""
    chosen: list[str] = []
    for name in names:
        try:
            linear_parts(right, [*chosen, name])
        except NotLinearError:
            continue
        chosen.append(name)
    return chosen, linear_parts(right, chosen)


def _factors(node: Node, text: str) -> tuple[str, ...]:
    """A multiplier as factors of a term: none for 1."""
    if node == Number(1.0):
        return ()
    if not isinstance(node, Name | Call):
        node = Call("I", (node,))
    return (canonical_tree(node, text),)


def _products(coefficient: _Coefficient, loadings: dict[str, tuple[str, ...]]) -> tuple[Term, ...]:
    own = loadings[coefficient.name]
    return tuple(Term((*own, *term.factors)) for term in coefficient.terms)


def _check(
    text: str, argument: Argument, fixed: Sequence[_Coefficient], parameters: Sequence[str]
) -> None:
    for coefficient in fixed:
        if coefficient.name in parameters and coefficient.terms != (INTERCEPT,):
            raise _fail(
                text,
                argument,
                f"The covariates of {coefficient.name} enter nonlinearly, which is not supported",
                f"Write {coefficient.name} ~ 1.",
            )


def _starts(text: str, argument: Argument, fixed: Sequence[_Coefficient]) -> dict[str, float]:
    """Starting values of coefficients without covariates, by name or by place."""
    call = whole_call(text, argument)
    if call is not None and call.function == "list" and len(call.arguments) == 1:
        call = whole_call(text, call.arguments[0])
    if call is None or call.function != "c":
        return {}
    places = [(c.name if len(c.terms) == 1 else "") for c in fixed for _ in c.terms]
    found: dict[str, float] = {}
    for place, item in enumerate(call.arguments):
        node = parse(item.blanked(text), shown=text)
        sign = -1.0 if isinstance(node, Negative) else 1.0
        node = node.operand if isinstance(node, Negative) else node
        name = item.name or (places[place] if place < len(places) else "")
        if isinstance(node, Number) and name:
            found[name] = sign * node.value
    return found
