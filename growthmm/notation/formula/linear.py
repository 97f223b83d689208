"""What multiplies each coefficient of an arithmetic expression that is linear in them."""

from __future__ import annotations

from collections.abc import Collection

from growthmm.model.expression_tree import Call, Name, Negative, Node, Number, Operation

__all__ = ["NotLinearError", "linear_parts"]


class NotLinearError(ValueError):
    """The expression is not linear in the coefficients."""


Parts = dict[str | None, Node]


def linear_parts(node: Node, coefficients: Collection[str]) -> dict[str | None, Node]:
    """The multiplier of each coefficient, and under None what has none.

    Parameters
    ----------
    node : Node
        The expression.
    coefficients : collection of str
        Names in which it is to be linear.

    Returns
    -------
    dict of (str or None) to Node

    Raises
    ------
    NotLinearError
        If it is not linear in them.

    Examples
    --------
    >>> from growthmm.model.expression_tree import parse
    >>> sorted(linear_parts(parse("b0 + b1*exp(-g*t)"), ["b0", "b1"]))
    ['b0', 'b1']
    """
    return _parts(node, frozenset(coefficients))


def _parts(node: Node, names: frozenset[str]) -> Parts:
    if not _uses(node, names):
        return {None: node}
    if isinstance(node, Name):
        return {node.name: Number(1.0)}
    if isinstance(node, Negative):
        return {name: _negative(part) for name, part in _parts(node.operand, names).items()}
    if isinstance(node, Call) and node.function == "I" and len(node.args) == 1:
        return _parts(node.args[0], names)
    if not isinstance(node, Operation) or node.left is None:
        raise NotLinearError
    left, right = node.left, node.right
    if node.operator in ("+", "-"):
        return _sum(_parts(left, names), _parts(right, names), node.operator)
    if node.operator == "*" and not _uses(left, names):
        return {name: _times(left, part) for name, part in _parts(right, names).items()}
    if node.operator in ("*", "/") and not _uses(right, names):
        found = _parts(left, names)
        if node.operator == "*":
            return {name: _times(part, right) for name, part in found.items()}
        return {name: Operation("/", part, right) for name, part in found.items()}
    raise NotLinearError


def _sum(first: Parts, second: Parts, operator: str) -> Parts:
    made = dict(first)
    for name, part in second.items():
        if name in made:
            minus = isinstance(part, Negative)
            sign = ("+" if operator == "-" else "-") if minus else operator
            own = part.operand if isinstance(part, Negative) else part
            made[name] = Operation(sign, made[name], own)
        else:
            made[name] = _negative(part) if operator == "-" else part
    return made


def _negative(node: Node) -> Node:
    return node.operand if isinstance(node, Negative) else Negative(node)


def _times(first: Node, second: Node) -> Node:
    if first == Number(1.0):
        return second
    if second == Number(1.0):
        return first
    if isinstance(first, Negative):
        return _negative(_times(first.operand, second))
    if isinstance(second, Negative):
        return _negative(_times(first, second.operand))
    return Operation("*", first, second)


def _uses(node: Node, names: frozenset[str]) -> bool:
    if isinstance(node, Name):
        return node.name in names
    if isinstance(node, Negative):
        return _uses(node.operand, names)
    if isinstance(node, Operation):
        return (node.left is not None and _uses(node.left, names)) or _uses(node.right, names)
    return isinstance(node, Call) and any(_uses(argument, names) for argument in node.args)
