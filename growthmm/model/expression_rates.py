"""Powers of an estimated base whose exponent is time: exponentials with an estimated rate."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from growthmm.model.expression import canonical, tree, variables
from growthmm.model.expression_print import show
from growthmm.model.expression_tree import Call, Negative, Node, Operation

__all__ = ["estimated_rates"]


def estimated_rates(expressions: Iterable[str], parameters: Sequence[str]) -> tuple[str, ...]:
    """The rate g of each ``base**time``, which is ``exp(-g*time)``, in terms of parameters.

    Parameters
    ----------
    expressions : iterable of str
        Numeric expressions.
    parameters : sequence of str
        Which of their names are parameters; the others are data.

    Examples
    --------
    >>> estimated_rates(["I(((1 + b)**t - 1)/b)", "I(b*t)", "I(t**b)"], ["b"])
    ('-log(1 + b)',)
    """
    found: dict[str, None] = {}
    for expression in expressions:
        for base in _bases(tree(expression)):
            text = show(base, "canonical")
            names = set(variables(canonical(f"I({text})")))
            if names and names <= set(parameters):
                found[f"-log({text})"] = None
    return tuple(found)


def _bases(node: Node) -> list[Node]:
    """What is raised to a power that is no number."""
    if isinstance(node, Negative):
        return _bases(node.operand)
    if isinstance(node, Call):
        return [base for argument in node.args for base in _bases(argument)]
    if not isinstance(node, Operation) or node.left is None:
        return []
    own = [node.left] if node.operator == "**" and _named(node.right) else []
    return [*own, *_bases(node.left), *_bases(node.right)]


def _named(node: Node) -> bool:
    return bool(variables(canonical(f"I({show(node, 'canonical')})")))
