"""Arithmetic over parameters: what stands in constraints, definitions and modifiers."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from growthmm.notation.sem.text import number_text

__all__ = [
    "FUNCTIONS",
    "Call",
    "Expression",
    "Name",
    "Negative",
    "Number",
    "Operation",
    "Text",
    "evaluate",
    "names",
    "spell",
]


@dataclass(frozen=True, slots=True)
class Number:
    """A number."""

    value: float
    position: int = -1


@dataclass(frozen=True, slots=True)
class Name:
    """A name: a parameter, or a variable."""

    text: str
    position: int = -1


@dataclass(frozen=True, slots=True)
class Text:
    """A quoted string."""

    text: str
    position: int = -1


@dataclass(frozen=True, slots=True)
class Negative:
    """``-operand``."""

    operand: Expression
    position: int = -1


@dataclass(frozen=True, slots=True)
class Call:
    """``function(arguments)``."""

    function: str
    arguments: tuple[Expression, ...]
    position: int = -1


@dataclass(frozen=True, slots=True)
class Operation:
    """``left op right``."""

    op: Literal["+", "-", "*", "/", "^", ":"]
    left: Expression
    right: Expression
    position: int = -1


Expression = Number | Name | Text | Negative | Call | Operation

FUNCTIONS: dict[str, Callable[[float], float]] = {
    "sqrt": math.sqrt,
    "exp": math.exp,
    "log": math.log,
    "abs": abs,
    "sin": math.sin,
    "cos": math.cos,
    "tan": math.tan,
    "tanh": math.tanh,
}
"""Functions of one argument that a constraint may use."""

_BINARY: dict[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "^": math.pow,
}

_BINDING = {"+": 1, "-": 1, "*": 2, "/": 2, ":": 4, "^": 5}
_NEGATIVE = 3


def evaluate(expression: Expression, values: dict[str, float] | None = None) -> float:
    """The value of `expression`.

    Parameters
    ----------
    expression : Expression
        What to compute.
    values : dict of str to float, optional
        Values of the names.

    Raises
    ------
    ValueError
        If a name has no value, a function is unknown, or the value is not a finite number.

    Examples
    --------
    >>> evaluate(Operation("/", Number(1.0), Number(2.0)))
    0.5
    """
    try:
        value = _evaluate(expression, values or {})
    except (ZeroDivisionError, OverflowError) as error:
        raise ValueError(str(error)) from error
    if not math.isfinite(value):
        raise ValueError(f"{spell(expression)} is not finite")
    return value


def _evaluate(expression: Expression, values: dict[str, float]) -> float:
    if isinstance(expression, Number):
        return expression.value
    if isinstance(expression, Name):
        if expression.text not in values:
            raise ValueError(f"{expression.text!r} has no value")
        return values[expression.text]
    if isinstance(expression, Negative):
        return -_evaluate(expression.operand, values)
    if isinstance(expression, Operation) and expression.op in _BINARY:
        left = _evaluate(expression.left, values)
        return _BINARY[expression.op](left, _evaluate(expression.right, values))
    if isinstance(expression, Call) and expression.function in FUNCTIONS:
        if len(expression.arguments) == 1:
            return FUNCTIONS[expression.function](_evaluate(expression.arguments[0], values))
        raise ValueError(f"{expression.function}() takes one argument")
    raise ValueError(f"{spell(expression)} is no number")


def names(expression: Expression) -> Iterator[Name]:
    """Every name in `expression`, from left to right, with repetitions."""
    if isinstance(expression, Name):
        yield expression
    elif isinstance(expression, Negative):
        yield from names(expression.operand)
    elif isinstance(expression, Operation):
        yield from names(expression.left)
        yield from names(expression.right)
    elif isinstance(expression, Call):
        for argument in expression.arguments:
            yield from names(argument)


def spell(expression: Expression, power: str = "**") -> str:
    """`expression` as text, with no more parentheses than needed.

    Parameters
    ----------
    expression : Expression
        What to spell.
    power : {"**", "^"}
        The sign for powers. R reads both, Python the first.

    Examples
    --------
    >>> spell(Operation("*", Number(2.0), Operation("+", Name("a"), Name("b"))))
    '2*(a + b)'
    """
    return _spell(expression, power)[0]


def _spell(expression: Expression, power: str) -> tuple[str, int]:
    """Text, and how tightly its outermost operation binds."""
    if isinstance(expression, Number):
        text = number_text(expression.value)
        return text, _NEGATIVE if text.startswith("-") else 9
    if isinstance(expression, Name):
        return expression.text, 9
    if isinstance(expression, Text):
        return f'"{expression.text}"', 9
    if isinstance(expression, Call):
        inside = ", ".join(_spell(argument, power)[0] for argument in expression.arguments)
        return f"{expression.function}({inside})", 9
    if isinstance(expression, Negative):
        text, binding = _spell(expression.operand, power)
        return f"-{text if binding > _NEGATIVE else f'({text})'}", _NEGATIVE
    own = _BINDING[expression.op]
    left, left_binding = _spell(expression.left, power)
    right, right_binding = _spell(expression.right, power)
    from_right = expression.op == "^"
    if left_binding < own or (from_right and left_binding == own):
        left = f"({left})"
    if right_binding < own or (not from_right and right_binding == own):
        right = f"({right})"
    if own == 1:
        return f"{left} {expression.op} {right}", own
    return f"{left}{power if from_right else expression.op}{right}", own
