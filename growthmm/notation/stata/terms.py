"""Stata's factor-variable notation: ``c.t##i.sex``, ``ib2.arm``, ``c.(t x)#i.sex``."""

from __future__ import annotations

import re
from dataclasses import dataclass

from growthmm.model.expression import canonical
from growthmm.model.terms import Term
from growthmm.notation.command_languages.effects import MAX_TERMS, Variables, name_list
from growthmm.notation.command_languages.tokens import Cursor, Token

__all__ = ["Factor", "read_terms", "term_of"]

_OPERATOR = re.compile(r"c|i|i?b(?:n|[0-9]+)?|i[0-9]+|[oldfsLDFS][0-9]*|R")


@dataclass(frozen=True, slots=True)
class Factor:
    """One variable of a term.

    Parameters
    ----------
    token : Token
        Its name.
    kind : {"c", "i", "R", ""}
        Continuous, categorical, an effect for each level, or not said.
    base : str
        The base level as text, ``"n"`` for none, empty for the lowest.
    """

    token: Token
    kind: str = ""
    base: str = ""


Product = tuple[Factor, ...]


def read_terms(cursor: Cursor, stops: tuple[str, ...]) -> list[Product]:
    """The terms up to one of `stops`, crossings written out.

    Raises
    ------
    NotationError
        If a term is malformed, or uses time-series operators, ``if`` or weights.
    """
    found: list[Product] = []
    while not cursor.done and not cursor.sees(*stops):
        if cursor.peek().says("if", "in") and not _prefixed(cursor):
            raise cursor.fail("if and in are not supported", hint="Select the rows before.")
        if cursor.sees("["):
            raise cursor.fail("Weights are not supported", hint="Leave them out.")
        found += _crossed(cursor)
        if len(found) > MAX_TERMS:
            raise cursor.fail(f"The list expands to more than {MAX_TERMS} terms")
    return found


def _prefixed(cursor: Cursor) -> bool:
    return cursor.peek(1).text == "."


def _crossed(cursor: Cursor) -> list[Product]:
    if cursor.peek().is_name and cursor.peek(1).text == "-" and cursor.peek(2).is_name:
        return [(Factor(token),) for token in name_list(cursor)]
    terms = _factor(cursor)
    while cursor.sees("#", "##"):
        full = cursor.take().text == "##"
        others = _factor(cursor)
        if len(terms) * len(others) > MAX_TERMS:
            raise cursor.fail(f"The term expands to more than {MAX_TERMS} products")
        # A bare name is continuous alone, and categorical within a product.
        left = [_typed(product, cursor) for product in terms]
        right = [_typed(product, cursor) for product in others]
        products = [a + b for a in left for b in right]
        terms = [*left, *right, *products] if full else products
    return terms


def _typed(product: Product, cursor: Cursor) -> Product:
    del cursor
    return tuple(Factor(f.token, f.kind or "i", f.base) for f in product)


def _factor(cursor: Cursor) -> list[Product]:
    kind, base = "", ""
    first = cursor.peek()
    if first.kind == "name" and cursor.peek(1).text == "." and _OPERATOR.fullmatch(first.text):
        cursor.take()
        kind, base = _operator(cursor, first)
        cursor.expect(".")
    elif first.kind == "name" and first.text in ("ib", "b") and cursor.peek(1).text == "(":
        cursor.take()
        base = _base(cursor)
        kind = "i"
        cursor.expect(".")
    elif first.kind == "number" and cursor.peek(1).text == ".":
        raise cursor.fail(
            "One level of a factor variable is not supported",
            hint=f"Write ib{first.text}.x for the base, or make an indicator column.",
        )
    if cursor.sees("("):
        inside = cursor.bracketed()
        listed = read_terms(inside, ())
        if not listed:
            raise inside.fail("Brackets without variables", ("a variable",))
        return [tuple(Factor(f.token, f.kind or kind, f.base or base) for f in p) for p in listed]
    token = cursor.name("a variable")
    if cursor.sees("*", "?", "~"):
        raise cursor.fail("Abbreviated variable lists are not read", hint="Write out all names.")
    return [(Factor(token, kind, base),)]


def _operator(cursor: Cursor, token: Token) -> tuple[str, str]:
    word = token.text
    if word in ("c", "R"):
        return word, ""
    if word[0] in "oldfsLDFS":
        raise cursor.fail(
            f"The operator {word}. is not supported", token=token, hint="Make a column of it."
        )
    base = word.lstrip("ib")
    if re.fullmatch(r"i[0-9]+", word):
        raise cursor.fail(
            "One level of a factor variable is not supported",
            token=token,
            hint=f"Write ib{base}.x for the base, or make an indicator column.",
        )
    return "i", base


def _base(cursor: Cursor) -> str:
    inside = cursor.bracketed()
    token = inside.take()
    if token.says("first"):
        return ""
    if token.kind == "number" and inside.done:
        return token.text
    raise inside.fail("The base can be a level or first", ("first", "a number"), token=token)


def term_of(product: Product, variables: Variables, cursor: Cursor) -> Term:
    """The term that a product is; repeated continuous names are powers."""
    factors: dict[str, None] = {}
    for factor in product:
        if factor.token.text in variables.recoded:
            raise cursor.fail(
                f"replace changes {factor.token.text} in place",
                token=factor.token,
                hint="Generate a column of another name.",
            )
        if factor.kind == "R":
            raise cursor.fail("R. is only for random effects", token=factor.token)
        if factor.kind == "i":
            column = variables.quoted(factor.token)
            coded = f"C({column})"
            if factor.base not in ("", "n"):
                coded = f"C({column}, Treatment({factor.base}))"
            factors[canonical(coded)] = None
            continue
        same = [
            other.token
            for other in product
            if other.kind != "i" and other.token.text == factor.token.text
        ]
        factors[variables.term(tuple(same)).factors[0]] = None
    return Term(tuple(factors))
