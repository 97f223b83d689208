"""Nonlinear models in a form that is linear in coefficients, where they are written otherwise.

R's self-starting models stand for their formulas (Pinheiro & Bates 2000, Mixed-Effects Models in S
and S-PLUS, appendix C), and ``exp(c + d * t)`` is ``k * exp(d * t)`` with ``k = exp(c)``.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import replace

from growthmm.errors import NotationError
from growthmm.model.expression_tree import Call, Name, Negative, Node, Number, Operation, parse
from growthmm.notation.formula.linear import NotLinearError, linear_parts

__all__ = ["factored_exponentials", "self_started"]

_SELF_STARTING: dict[str, tuple[tuple[str, ...], str]] = {
    "SSasymp": (("input", "Asym", "R0", "lrc"), "Asym + (R0 - Asym) * exp(-exp(lrc) * input)"),
    "SSasympOff": (
        ("input", "Asym", "lrc", "c0"),
        "Asym * (1 - exp(-exp(lrc) * (input - c0)))",
    ),
    "SSasympOrig": (("input", "Asym", "lrc"), "Asym * (1 - exp(-exp(lrc) * input))"),
    "SSbiexp": (
        ("input", "A1", "lrc1", "A2", "lrc2"),
        "A1 * exp(-exp(lrc1) * input) + A2 * exp(-exp(lrc2) * input)",
    ),
    "SSfpl": (
        ("input", "A", "B", "xmid", "scal"),
        "A + (B - A) / (1 + exp((xmid - input) / scal))",
    ),
    "SSgompertz": (("x", "Asym", "b2", "b3"), "Asym * exp(-b2 * b3^x)"),
    "SSlogis": (("input", "Asym", "xmid", "scal"), "Asym / (1 + exp((xmid - input) / scal))"),
    "SSmicmen": (("input", "Vm", "K"), "Vm * input / (K + input)"),
    "SSweibull": (
        ("x", "Asym", "Drop", "lrc", "pwr"),
        "Asym - Drop * exp(-exp(lrc) * x^pwr)",
    ),
}
"""Arguments, in order, and formula."""


def self_started(node: Node, text: str) -> Node:
    """The expression with R's self-starting models written out.

    Parameters
    ----------
    node : Node
        The right side of the model.
    text : str
        The text that it stands in.

    Raises
    ------
    NotationError
        If one is unknown, or its arguments are not all there.

    Examples
    --------
    >>> from growthmm.model.expression import canonical_tree
    >>> canonical_tree(self_started(parse("SSasympOrig(age, Asym, lrc)"), ""), "")
    'Asym*(1 - exp(-exp(lrc)*age))'
    """

    def written_out(call: Call) -> Node:
        if not call.function.startswith("SS"):
            return call
        if call.function not in _SELF_STARTING:
            raise NotationError(
                f"The self-starting model {call.function}() is not known",
                text=text,
                position=call.position,
                expected=tuple(_SELF_STARTING),
                hint="Write its formula.",
            )
        names, formula = _SELF_STARTING[call.function]
        given = dict(call.keywords)
        free = [name for name in names if name not in given]
        if set(given) - set(names) or len(call.args) != len(free):
            raise NotationError(
                f"{call.function}() has not all its arguments",
                text=text,
                position=call.position,
                hint=f"Write {call.function}({', '.join(names)}).",
            )
        given |= dict(zip(free, call.args, strict=True))
        return _changed(parse(formula), lambda leaf: _argument(leaf, given, call.position))

    return _changed(node, lambda found: written_out(found) if isinstance(found, Call) else found)


def factored_exponentials(node: Node, constants: Collection[str]) -> tuple[Node, tuple[str, ...]]:
    """The expression with ``c * exp(d * t)`` for ``exp(c + d * t)``, c being another number.

    Parameters
    ----------
    node : Node
        The right side of the model.
    constants : collection of str
        Coefficients that are the same for all persons.

    Returns
    -------
    node : Node
        The expression.
    names : tuple of str
        Coefficients that stand for their exponentials in it: those that stand nowhere else.

    Examples
    --------
    >>> from growthmm.model.expression import canonical_tree
    >>> made, names = factored_exponentials(parse("a - exp(c + d*t)"), ["c", "d"])
    >>> canonical_tree(made, ""), names
    ('a - c*exp(d*t)', ('c',))
    """
    leaves = [leaf.name for leaf in _leaves(node)]
    once = [name for name in constants if leaves.count(name) == 1]
    names: list[str] = []

    def factored(found: Node) -> Node:
        if not (isinstance(found, Call) and found.function == "exp" and len(found.args) == 1):
            return found
        for name in once:
            try:
                parts = linear_parts(found.args[0], [name])
            except NotLinearError:
                continue
            if parts.get(name) == Number(1.0) and None in parts:
                names.append(name)
                rest = replace(found, args=(parts[None],))
                return Operation("*", Name(name, found.position), rest, found.position)
        return found

    return _changed(node, factored), tuple(names)


def _argument(leaf: Node, given: dict[str, Node], position: int) -> Node:
    if isinstance(leaf, Name):
        return given[leaf.name]
    return leaf if isinstance(leaf, Number) else replace(leaf, position=position)


def _changed(node: Node, change: Callable[[Node], Node]) -> Node:
    """The tree with every node changed, leaves first."""
    if isinstance(node, Negative):
        return change(replace(node, operand=_changed(node.operand, change)))
    if isinstance(node, Operation):
        left = None if node.left is None else _changed(node.left, change)
        return change(replace(node, left=left, right=_changed(node.right, change)))
    if isinstance(node, Call):
        return change(replace(node, args=tuple(_changed(a, change) for a in node.args)))
    return change(node)


def _leaves(node: Node) -> Iterator[Name]:
    if isinstance(node, Name):
        yield node
    elif isinstance(node, Negative):
        yield from _leaves(node.operand)
    elif isinstance(node, Operation):
        if node.left is not None:
            yield from _leaves(node.left)
        yield from _leaves(node.right)
    elif isinstance(node, Call):
        for argument in node.args:
            yield from _leaves(argument)
