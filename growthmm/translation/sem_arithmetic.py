"""Arithmetic over parameters, as the constraints of structural equation models write it."""

from __future__ import annotations

from collections.abc import Callable

from growthmm.model.expression_tree import Call, Name, Negative, Node, Number, Operation
from growthmm.notation.sem import expression as sem

__all__ = ["sem_text"]


def sem_text(node: Node) -> str | None:
    """An expression in the one spelling of constraints; None where it has a function they lack.

    Examples
    --------
    >>> from growthmm.model.expression_tree import parse
    >>> sem_text(parse("1 - exp(-g * 2)^2")), sem_text(parse("floor(g)"))
    ('1 - exp(-g*2)**2', None)
    """
    made = _expression(node)
    return None if made is None else sem.spell(made)


def _expression(node: Node) -> sem.Expression | None:
    if isinstance(node, Number):
        return sem.Number(node.value)
    if isinstance(node, Name):
        return sem.Name(node.name)
    if isinstance(node, Negative):
        inner = _expression(node.operand)
        return None if inner is None else sem.Negative(inner)
    if isinstance(node, Operation) and node.left is not None:
        left, right = _expression(node.left), _expression(node.right)
        operator = _OPERATORS.get(node.operator)
        if left is None or right is None or operator is None:
            return None
        return sem.Operation(operator, left, right)  # type: ignore[arg-type]
    if isinstance(node, Call) and len(node.args) == 1:
        inner = _expression(node.args[0])
        rule = _FUNCTIONS.get(node.function)
        return None if inner is None or rule is None else rule(inner)
    return None


_OPERATORS = {"+": "+", "-": "-", "*": "*", "/": "/", "**": "^"}


def _call(name: str) -> Callable[[sem.Expression], sem.Expression]:
    return lambda inner: sem.Call(name, (inner,))


_ONE = sem.Number(1.0)

_FUNCTIONS: dict[str, Callable[[sem.Expression], sem.Expression]] = {
    "I": lambda inner: inner,
    **{name: _call(name) for name in ("exp", "log", "sqrt", "sin", "cos")},
    "expm1": lambda inner: sem.Operation("-", sem.Call("exp", (inner,)), _ONE),
    "log1p": lambda inner: sem.Call("log", (sem.Operation("+", _ONE, inner),)),
}
