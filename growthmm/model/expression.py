"""Factors of a formula in one canonical spelling, whichever language they were written in.

Nothing in an expression is ever run: text is parsed to a tree, and only the functions of
:mod:`growthmm.model.expression_functions` have a meaning.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

from growthmm.model.expression_normal import normal
from growthmm.model.expression_print import show
from growthmm.model.expression_tree import Call, Name, Negative, Node, Operation, parse

__all__ = ["canonical", "canonical_tree", "quote", "spell", "tree", "variables"]

Language = Literal["r", "python"]


def canonical(text: str, *, language: Language = "r") -> str:
    """Spell an expression canonically.

    Parameters
    ----------
    text : str
        An expression in R's or Python's spelling, or a mix.
    language : {"r", "python"}
        Whose meaning functions have that both languages know under one name: patsy's
        ``scale(x)`` divides by n, R's by n - 1. Syntax of either is read in any case.

    Returns
    -------
    str
        The canonical text; it is its own canonical text.

    Raises
    ------
    NotationError
        If the text is malformed or uses something that is no part of the language.

    Examples
    --------
    >>> canonical("I( t^2 )"), canonical("factor(sex)"), canonical("C(sex, contr.sum)")
    ('I(t**2)', 'C(sex)', 'C(sex, Sum)')
    >>> canonical("poly(t, degree = 2, raw = TRUE)")
    'poly(t, 2, raw=True)'
    """
    return show(normal(parse(text), text, language), "canonical")


def canonical_tree(node: Node, shown: str, *, language: Language = "r") -> str:
    """Spell an already parsed expression canonically; `shown` is the text it came from."""
    return show(normal(node, shown, language), "canonical")


@lru_cache(maxsize=4096)
def tree(expression: str) -> Node:
    """The normal tree of a canonical expression."""
    return normal(parse(expression), expression, "r")


def spell(expression: str, language: Language) -> str:
    """Spell a canonical expression in R or in Python (patsy).

    Parameters
    ----------
    expression : str
        A canonical expression.
    language : {"r", "python"}
        The language. R's spelling is the one that R deparses, and so names coefficients by.

    Raises
    ------
    NotationError
        If the language has no such function.

    Examples
    --------
    >>> spell("I(t**2)", "r"), spell("C(sex, Sum)", "r"), spell("log(x)", "python")
    ('I(t^2)', 'C(factor(sex), contr.sum)', 'np.log(x)')
    """
    return show(tree(expression), language)


@lru_cache(maxsize=4096)
def variables(expression: str) -> tuple[str, ...]:
    """The columns that a canonical expression uses, in order of appearance.

    Examples
    --------
    >>> variables("I((t - t0)/10)")
    ('t', 't0')
    """
    found: dict[str, None] = {}
    _collect(tree(expression), found)
    return tuple(found)


def _collect(node: Node, found: dict[str, None]) -> None:
    if isinstance(node, Name):
        found[node.name] = None
    elif isinstance(node, Negative):
        _collect(node.operand, found)
    elif isinstance(node, Operation):
        if node.left is not None:
            _collect(node.left, found)
        _collect(node.right, found)
    elif isinstance(node, Call):
        # Only these take two columns; further arguments of others are literals or contrasts.
        several = node.function in ("maximum", "minimum")
        for argument in node.args if several else node.args[:1]:
            _collect(argument, found)


def quote(name: str) -> str:
    """The canonical expression of the column called `name`.

    Examples
    --------
    >>> quote("gpa"), quote("my column")
    ('gpa', '`my column`')
    """
    return show(Name(name), "canonical")
