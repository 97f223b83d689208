"""Computed columns of command languages: assignments to expressions, and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from growthmm.errors import NotationError
from growthmm.model.expression import canonical, tree
from growthmm.model.expression_print import number_text, show
from growthmm.model.expression_tree import Call, Name, Negative, Node, Number, Operation, parse

__all__ = ["FUNCTIONS", "arithmetic", "assigned", "computed"]

FUNCTIONS: dict[str, dict[str, str]] = {
    "sas": {
        **{name: name for name in ("log", "log2", "log10", "exp", "sqrt", "abs", "floor", "ceil")},
        **{name: name for name in ("sin", "cos", "tan", "sinh", "cosh", "tanh")},
        "maximum": "max",
        "minimum": "min",
    },
    "spss": {
        **{name: name for name in ("exp", "sqrt", "abs", "sin", "cos")},
        "log": "ln",
        "log10": "lg10",
        "maximum": "max",
        "minimum": "min",
    },
    "stata": {
        **{name: name for name in ("log10", "exp", "sqrt", "abs", "floor", "ceil")},
        **{name: name for name in ("sin", "cos", "tan", "sinh", "cosh", "tanh")},
        "log": "ln",
        "maximum": "max",
        "minimum": "min",
    },
}
"""Names of functions: the canonical one, and each program's."""

_ALIASES = {"stata": {"log": "log"}, "sas": {}, "spss": {}}
_OPERATORS = ("+", "-", "*", "/", "**")


def computed(expression: str) -> Node | None:
    """What has to be computed for a factor that no effect can write: ``log(t)``, ``I(t/10)``."""
    node = tree(expression)
    if not isinstance(node, Call):
        return None
    return node.args[0] if node.function == "I" else node


def arithmetic(node: Node, program: str, spelled: Callable[[str], str]) -> str | None:
    """An expression as a program's arithmetic, or None where it has no such function.

    Parameters
    ----------
    node : Node
        The expression.
    program : {"sas", "spss", "stata"}
        The program.
    spelled : callable
        The program's spelling of a column.

    Examples
    --------
    >>> arithmetic(tree("maximum(t - 3, 0)"), "sas", str)
    'max(t - 3, 0)'
    """
    if isinstance(node, Name):
        return spelled(node.name)
    if isinstance(node, Number):
        return number_text(node.value)
    if isinstance(node, Negative):
        inner = arithmetic(node.operand, program, spelled)
        return None if inner is None else f"(-{inner})"
    if isinstance(node, Operation) and node.operator in _OPERATORS and node.left is not None:
        sides = [arithmetic(side, program, spelled) for side in (node.left, node.right)]
        if sides[0] is None or sides[1] is None:
            return None
        left, right = (
            f"({side})" if isinstance(inner, Operation) else side
            for side, inner in zip(sides, (node.left, node.right), strict=True)
        )
        operator = "^" if node.operator == "**" and program == "stata" else node.operator
        return f"{left} {operator} {right}"
    if isinstance(node, Call) and not node.keywords and node.function in FUNCTIONS[program]:
        name = FUNCTIONS[program][node.function]
        inside = [arithmetic(argument, program, spelled) for argument in node.args]
        if None not in inside:
            return f"{name}({', '.join(str(part) for part in inside)})"
    return None


def assigned(text: str, program: str, known: Mapping[str, str], *, folded: bool) -> str | None:
    """The canonical expression of an assignment's right side, or None where it is no arithmetic.

    Parameters
    ----------
    text : str
        The right side.
    program : {"sas", "spss", "stata"}
        Whose functions it uses.
    known : mapping of str to str
        Columns computed before, which are put in.
    folded : bool
        Whether upper and lower case are the same.

    Examples
    --------
    >>> assigned("(t - 2)/10", "sas", {}, folded=True)
    '(t - 2)/10'
    """
    if len(text) > 2000:
        return None
    try:
        node = _resolved(parse(text.strip()), program, known, folded)
        if node is None or isinstance(node, Number):
            return None
        return canonical(show(node, "canonical"))
    except NotationError:
        return None


def _resolved(
    node: Node | None, program: str, known: Mapping[str, str], folded: bool
) -> Node | None:
    if isinstance(node, Number):
        return node
    if isinstance(node, Name):
        key = node.name.lower() if folded else node.name
        return tree(known[key]) if key in known else node
    if isinstance(node, Negative):
        inner = _resolved(node.operand, program, known, folded)
        return None if inner is None else Negative(inner)
    if isinstance(node, Operation) and node.operator in _OPERATORS:
        left = _resolved(node.left, program, known, folded)
        right = _resolved(node.right, program, known, folded)
        if left is None or right is None:
            return None
        if node.operator == "*" and isinstance(left, Name) and left == right:
            return Operation("**", left, Number(2.0))
        return Operation(node.operator, left, right)
    if isinstance(node, Call) and not node.keywords:
        names = {theirs: ours for ours, theirs in FUNCTIONS[program].items()}
        names.update(_ALIASES[program])
        name = names.get(node.function.lower() if folded else node.function)
        inside = [_resolved(argument, program, known, folded) for argument in node.args]
        kept = [argument for argument in inside if argument is not None]
        if name is not None and len(kept) == len(inside):
            return Call(name, tuple(kept))
    return None
