"""Algebras and constraints of OpenMx over labels: both ways between R's tree and arithmetic."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, cast

from growthmm.model.sem import Constraint, Defined
from growthmm.notation.lavaan.parser import Source, parse_side
from growthmm.notation.openmx import parser as r
from growthmm.notation.openmx.parts import AlgebraPart, ConstraintPart, ModelPart
from growthmm.notation.sem.expression import (
    FUNCTIONS,
    Call,
    Expression,
    Name,
    Negative,
    Number,
    Operation,
    Text,
    names,
    spell,
)

__all__ = ["Relations", "relations", "renamed"]


@dataclass(frozen=True, slots=True)
class Relations:
    """What a model says of its parameters beyond the paths.

    Parameters
    ----------
    constraints : tuple of Constraint
        Relations, those of paths that take their value from an algebra among them.
    defined : tuple of Defined
        Algebras that no path takes its value from.
    """

    constraints: tuple[Constraint, ...]
    defined: tuple[Defined, ...]


def relations(
    models: Sequence[ModelPart], known: tuple[set[str], set[str]], source: Source
) -> Relations:
    """The constraints and defined parameters of models.

    Parameters
    ----------
    models : sequence of ModelPart
        The groups, and the model around them.
    known : (set of str, set of str)
        Labels of paths; names of algebras that paths take their values from.
    source : Source
        For errors.

    Raises
    ------
    NotationError
        If an expression is no arithmetic over labels and algebras.
    """
    labels, used = known
    parts = [part for model in models for part in model.relations]
    algebras = {part.name: part for part in parts if isinstance(part, AlgebraPart)}
    for name in sorted(used - set(algebras)):
        raise source.error(f"There is no mxAlgebra() called {name}.", models[0].position)
    for name, algebra in algebras.items():
        if name in labels:
            raise source.error(f"{name} is a label and an algebra.", algebra.position)
    allowed = labels | set(algebras)
    constraints: dict[Constraint, None] = {}
    defined: dict[Defined, None] = {}
    for part in parts:
        if isinstance(part, ConstraintPart):
            sides = [
                _side(node, allowed, source) for node in (part.relation.left, part.relation.right)
            ]
            op = cast('Literal["==", "<", ">"]', part.relation.op)
            constraints[Constraint(sides[0], op, sides[1])] = None
            continue
        side = _side(part.expression, allowed, source)
        if part.name in used:
            constraints[Constraint(part.name, "==", side)] = None
        else:
            defined[Defined(part.name, side)] = None
    return Relations(tuple(constraints), tuple(defined))


def _side(node: r.Node, allowed: set[str], source: Source) -> str:
    expression = _expression(node, source)
    for name in names(expression):
        if name.text not in allowed:
            raise source.error(
                f"{name.text} is neither a label nor an algebra of the model.",
                name.position,
                expected=tuple(sorted(allowed)),
            )
    return spell(expression)


def _expression(node: r.Node, source: Source) -> Expression:
    """R's tree as arithmetic."""
    at = node.position
    if isinstance(node, r.Number):
        return Number(node.value, at)
    if isinstance(node, r.Name):
        return Name(node.text, at)
    if isinstance(node, r.Unary) and node.op in "+-":
        operand = _expression(node.operand, source)
        return operand if node.op == "+" else Negative(operand, at)
    if isinstance(node, r.Binary) and node.op in ("+", "-", "*", "/", "^"):
        sign = cast('Literal["+", "-", "*", "/", "^"]', node.op)
        return Operation(sign, _expression(node.left, source), _expression(node.right, source), at)
    if isinstance(node, r.Call) and node.function in FUNCTIONS and len(node.arguments) == 1:
        inside = node.arguments[0].value
        if inside is not None:
            return Call(node.function, (_expression(inside, source),), at)
    if isinstance(node, r.Index) and isinstance(node.target, r.Name) and _is_first(node):
        return Name(node.target.text, at)
    raise source.error(
        "This part of the algebra is not read.",
        at,
        hint=f"Read are + - * / ^ and {', '.join(FUNCTIONS)} over labels and algebras.",
    )


def _is_first(node: r.Index) -> bool:
    places = [argument.value for argument in node.arguments]
    return len(places) == 2 and all(isinstance(p, r.Number) and p.value == 1.0 for p in places)


def renamed(expression: str, new: Mapping[str, str], power: str = "**") -> str:
    """A constraint's side with other names.

    Examples
    --------
    >>> renamed("a**2 + b", {"a": "va"}, power="^")
    'va^2 + b'
    """
    return spell(
        _with_names(parse_side(expression, "arithmetic", Source(expression), 0), new), power
    )


def _with_names(node: Expression, new: Mapping[str, str]) -> Expression:
    if isinstance(node, Name):
        return Name(new.get(node.text, node.text))
    if isinstance(node, Negative):
        return Negative(_with_names(node.operand, new))
    if isinstance(node, Operation):
        return Operation(node.op, _with_names(node.left, new), _with_names(node.right, new))
    if isinstance(node, Call):
        return Call(node.function, tuple(_with_names(a, new) for a in node.arguments))
    assert isinstance(node, (Number, Text))
    return node
