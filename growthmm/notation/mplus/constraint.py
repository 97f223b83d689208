"""MODEL CONSTRAINT: relations among labels, and new parameters."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from growthmm.model.phantoms import Phantom
from growthmm.model.sem import Constraint, Defined
from growthmm.notation.mplus.lists import Names, expand
from growthmm.notation.mplus.parser import parse_new, parse_relation
from growthmm.notation.mplus.text import Statement, error_at
from growthmm.notation.sem.expression import (
    Call,
    Expression,
    Name,
    Negative,
    Number,
    Operation,
    names,
    spell,
)

__all__ = ["read_constraints"]

_START = 0.5
"""Where Mplus starts a new parameter that says nothing else."""


@dataclass(frozen=True, slots=True)
class _Relation:
    left: Expression
    op: Literal["=", "<", ">"]
    right: Expression
    position: int

    @property
    def used(self) -> list[str]:
        return [name.text for side in (self.left, self.right) for name in names(side)]


def read_constraints(
    statements: Sequence[Statement], labels: Sequence[str], label_names: Names, text: str
) -> tuple[tuple[Constraint, ...], tuple[Defined, ...], tuple[Phantom, ...]]:
    """Read the statements of MODEL CONSTRAINT.

    A new parameter that an equation gives becomes a defined one. One that stands inside an
    equation (``c1 = v*r``) is defined by solving that equation for it, and the others constrain.
    Where that does not give all of them, those that no equation gives outright are parameters of
    their own, which start from what NEW says, or from 0.5.

    Parameters
    ----------
    statements : sequence of Statement
        The body.
    labels : sequence of str
        Labels of the model's parameters.
    label_names : Names
        The spelling of labels.
    text : str
        The input, for errors.

    Returns
    -------
    constraints : tuple of Constraint
        Relations that are left.
    defined : tuple of Defined
        New parameters.
    free : tuple of Phantom
        New parameters that are estimated.

    Raises
    ------
    NotationError
        If a name is neither a label nor new, or no equation uses a new parameter.
    """
    fresh: dict[str, int] = {}
    starts: dict[str, float] = {}
    relations: list[_Relation] = []
    for statement in statements:
        word = statement.text.split("(")[0].strip().upper()
        if word == "NEW":
            for item in parse_new(statement, text)[1]:
                for name in expand(item.first, item.last, (), text, item.position):
                    fresh[label_names.spell(name)] = item.position
                    starts[label_names.spell(name)] = _START if item.value is None else item.value
            continue
        if word in ("PLOT", "LOOP", "DO", "IF") or word.startswith(("IF ", "DO ")):
            raise error_at(
                text,
                statement.position,
                f"MODEL CONSTRAINT: {word.split()[0]} is not supported.",
                hint="Write the relations one by one, with what they define in NEW.",
            )
        left, op, right = parse_relation(statement, text)
        relations.append(
            _Relation(_named(left, label_names), op, _named(right, label_names), statement.position)
        )
    for name, position in fresh.items():
        if name in labels:
            raise error_at(text, position, f"{name} is new, but is a label in MODEL too.")
    known = {*labels, *fresh}
    for relation in relations:
        for side in (relation.left, relation.right):
            for used in names(side):
                if used.text not in known:
                    raise error_at(
                        text,
                        used.position,
                        f"{used.text} is neither a label of MODEL nor a NEW parameter.",
                        expected=tuple(sorted(known)),
                        hint="Label the parameter in MODEL: y0 (v);",
                    )
    defined = _define(fresh, relations, text)
    given = {d.name for d in defined}
    free = tuple(Phantom(name, starts[name]) for name in fresh if name not in given)
    constraints = tuple(
        Constraint(spell(r.left), "==" if r.op == "=" else r.op, spell(r.right)) for r in relations
    )
    return constraints, defined, free


def _named(expression: Expression, label_names: Names) -> Expression:
    """`expression` with every name in its one spelling."""
    if isinstance(expression, Name):
        return replace(expression, text=label_names.spell(expression.text))
    if isinstance(expression, Negative):
        return replace(expression, operand=_named(expression.operand, label_names))
    if isinstance(expression, Operation):
        left, right = _named(expression.left, label_names), _named(expression.right, label_names)
        return replace(expression, left=left, right=right)
    if isinstance(expression, Call):
        arguments = tuple(_named(argument, label_names) for argument in expression.arguments)
        return replace(expression, arguments=arguments)
    return expression


def _define(fresh: dict[str, int], relations: list[_Relation], text: str) -> tuple[Defined, ...]:
    """Give new parameters their expressions; takes the relations these use off the list."""
    for name, position in fresh.items():
        if not any(name in relation.used for relation in relations):
            raise error_at(
                text,
                position,
                f"No equation of MODEL CONSTRAINT gives the new parameter {name}.",
                hint=f"Write {name} = ...; with labels of MODEL on the right.",
            )
    expressions: dict[str, Expression] = {}
    _taken(_given, list(fresh), relations, expressions)
    solved, left = dict(expressions), list(relations)
    rest = [name for name in fresh if name not in expressions]
    _taken(_solved, rest, left, solved)
    if all(name in solved for name in rest):
        expressions, relations[:] = solved, left
    return tuple(Defined(name, spell(expressions[name])) for name in fresh if name in expressions)


def _taken(
    way: Callable[[str, _Relation], Expression | None],
    names_: Sequence[str],
    relations: list[_Relation],
    expressions: dict[str, Expression],
) -> None:
    """Put into `expressions` what relations give for names, and take these relations away."""
    for name in names_:
        for relation in relations:
            value = way(name, relation)
            if value is not None and not _circular(name, value, expressions):
                expressions[name] = value
                relations.remove(relation)
                break


def _circular(name: str, value: Expression, expressions: dict[str, Expression]) -> bool:
    """Whether `name` would be defined by itself."""
    waiting = [n.text for n in names(value)]
    seen: set[str] = set()
    while waiting:
        used = waiting.pop()
        if used == name:
            return True
        if used in expressions and used not in seen:
            seen.add(used)
            waiting += [n.text for n in names(expressions[used])]
    return False


def _given(name: str, relation: _Relation) -> Expression | None:
    """The other side, where one side is `name` alone."""
    if relation.op != "=" or relation.used.count(name) != 1:
        return None
    for side, other in ((relation.left, relation.right), (relation.right, relation.left)):
        if isinstance(side, Name) and side.text == name:
            return other
    return None


def _solved(name: str, relation: _Relation) -> Expression | None:
    """`relation` solved for `name`, which stands in it once; None where it has no one solution."""
    if relation.op != "=" or relation.used.count(name) != 1:
        return None
    inside, value = relation.left, relation.right
    if name in [n.text for n in names(value)]:
        inside, value = value, inside
    while not isinstance(inside, Name):
        step = _peeled(name, inside, value)
        if step is None:
            return None
        inside, value = step
    return value


def _peeled(
    name: str, inside: Expression, value: Expression
) -> tuple[Expression, Expression] | None:
    """Undo the outermost operation of ``inside = value``."""
    if isinstance(inside, Negative):
        return inside.operand, Negative(value)
    if isinstance(inside, Call):
        inverse = {"exp": "log", "log": "exp"}.get(inside.function)
        if inside.function == "sqrt":
            return inside.arguments[0], Operation("^", value, Number(2.0))
        return None if inverse is None else (inside.arguments[0], Call(inverse, (value,)))
    if not isinstance(inside, Operation):
        return None
    left, right = inside.left, inside.right
    on_left = name in [n.text for n in names(left)]
    if inside.op == "+":
        known, unknown = (right, left) if on_left else (left, right)
        return unknown, Operation("-", value, known)
    if inside.op == "-":
        return (
            (left, Operation("+", value, right))
            if on_left
            else (right, Operation("-", left, value))
        )
    if inside.op == "*":
        known, unknown = (right, left) if on_left else (left, right)
        return unknown, Operation("/", value, known)
    if inside.op == "/":
        return (
            (left, Operation("*", value, right))
            if on_left
            else (right, Operation("/", left, value))
        )
    return None
