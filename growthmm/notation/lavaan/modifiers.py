"""What stands before the ``*`` of a lavaan term: fixed values, starts, labels, bounds."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

from growthmm.notation.lavaan.parser import Source, Started
from growthmm.notation.sem.expression import (
    Call,
    Expression,
    Name,
    Negative,
    Number,
    Operation,
    Text,
    evaluate,
    names,
    spell,
)
from growthmm.notation.sem.text import RESERVED

__all__ = ["Modifiers", "read_term"]

Values = tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Modifiers:
    """The modifiers of one term; a tuple has one value, or one for each group.

    Parameters
    ----------
    fixed : tuple of float or None
        Fixed values; None in it frees (``NA``).
    start, lower, upper : tuple of float or None
        Starting values and bounds.
    label : tuple of str
        Labels; empty where a group has none.
    """

    fixed: Values | None = None
    start: Values | None = None
    lower: Values | None = None
    upper: Values | None = None
    label: tuple[str, ...] | None = None

    @property
    def n_groups(self) -> int:
        """The number of groups that the modifiers are written for (1 where they do not say)."""
        return max((len(v) for f in fields(self) if (v := getattr(self, f.name))), default=1)

    def merged(self, other: Modifiers, position: int, source: Source) -> Modifiers:
        """Both sets of modifiers of one term; each kind at most once."""
        chosen: dict[str, Any] = {}
        for each in fields(self):
            mine, theirs = getattr(self, each.name), getattr(other, each.name)
            if mine is not None and theirs is not None and mine != theirs:
                raise source.error(
                    f"The term has two modifiers of the kind {each.name!r}.",
                    position,
                    hint="Keep one of them.",
                )
            chosen[each.name] = theirs if mine is None else mine
        return Modifiers(**chosen)


def read_term(term: Expression | Started, op: str, source: Source) -> tuple[str, Modifiers, int]:
    """Split a term into its variable and its modifiers.

    Returns
    -------
    (str, Modifiers, int)
        The variable (empty for the intercept, ``"0"`` for the nothing of ``f =~ 0``), its
        modifiers, and its position.
    """
    if isinstance(term, Started):
        name, own, position = _variable(term.variable, op, source)
        start = Modifiers(start=(_number(term.start, source),))
        return name, own.merged(start, position, source), position
    if isinstance(term, Operation) and term.op == "*":
        name, own, position = _variable(term.right, op, source, alone=False)
        return name, own.merged(_modifier(term.left, source), position, source), position
    return _variable(term, op, source)


def _variable(
    expression: Expression, op: str, source: Source, *, alone: bool = True
) -> tuple[str, Modifiers, int]:
    position = expression.position
    if isinstance(expression, Name):
        if expression.text in RESERVED:
            raise source.error(f"{expression.text} is a reserved word of R.", position)
        return expression.text, Modifiers(), position
    if isinstance(expression, Number):
        if op == "~" and expression.value == 1:
            return "", Modifiers(), position
        if op == "~" and expression.value == 0 and alone:
            return "", Modifiers(fixed=(0.0,)), position
        if op == "=~" and expression.value == 0 and alone:
            return "0", Modifiers(), position
        raise source.error(
            f"The number {spell(expression)} stands where a variable should.",
            position,
            expected=("a name", "1") if op == "~" else ("a name",),
            hint="Write NUMBER*variable to fix a coefficient, NUMBER*1 to fix a mean.",
        )
    raise source.error(
        f"{spell(expression)} is no variable.",
        position,
        expected=("a name",),
        hint="A term is one variable, or modifier*variable.",
    )


def _modifier(expression: Expression, source: Source) -> Modifiers:
    if isinstance(expression, Name):
        if expression.text == "NA":
            return Modifiers(fixed=(None,))
        return Modifiers(label=(_label(expression, source),))
    if isinstance(expression, Text):
        return Modifiers(label=(_label(expression, source),))
    if isinstance(expression, Call) and expression.function not in _NUMERIC:
        return _call(expression, source)
    named = [name.text for name in names(expression)]
    if named:
        raise source.error(
            f"The modifier {spell(expression)} mixes numbers and names ({', '.join(named)}).",
            expression.position,
            hint="lavaan would keep the name alone, as a label. Give two modifiers by writing "
            "the term twice: 0.5*x + a*x.",
        )
    return Modifiers(fixed=(_number(expression, source),))


_NUMERIC = ("sqrt", "exp", "log", "abs", "sin", "cos", "tan", "tanh")


def _call(call: Call, source: Source) -> Modifiers:
    """Modifiers written as a function: ``c(1, NA)``, ``start(0.5)``, ``equal("f=~y2")``."""
    entries: list[Expression] = []
    for argument in call.arguments:
        inner = isinstance(argument, Call) and argument.function == "c"
        entries.extend(argument.arguments if inner else (argument,))  # type: ignore[union-attr]
    if not entries:
        raise source.error(f"{call.function}() is empty.", call.position)
    if call.function == "c":
        return _vector(entries, call, source)
    if call.function in ("start", "lower", "upper"):
        values = tuple(_number_or_none(entry, source) for entry in entries)
        return replace(Modifiers(), **{call.function: values})  # type: ignore[arg-type]
    if call.function in ("label", "equal"):
        return Modifiers(label=tuple(_label(entry, source, missing=True) for entry in entries))
    known = {
        "efa": "Exploratory factors (efa) are not supported.",
        "rv": "Random slopes of two-level models (rv) are not supported.",
        "prior": "Priors are not supported.",
    }
    raise source.error(
        known.get(call.function, f"There is no modifier {call.function}()."),
        call.position,
        expected=("c()", "start()", "equal()", "label()", "lower()", "upper()"),
    )


def _vector(entries: list[Expression], call: Call, source: Source) -> Modifiers:
    """``c(...)``: one entry for each group, all numbers or all labels; NA among either."""
    missing = [isinstance(e, Name) and e.text == "NA" for e in entries]
    labels = [
        isinstance(e, (Name, Text)) and not gone for e, gone in zip(entries, missing, strict=True)
    ]
    if any(labels):
        if not all(a or b for a, b in zip(labels, missing, strict=True)):
            raise source.error(
                f"{spell(call)} mixes numbers and labels.",
                call.position,
                hint="Write the term twice: c(1, NA)*x + c(a, b)*x.",
            )
        return Modifiers(label=tuple(_label(entry, source, missing=True) for entry in entries))
    values = tuple(
        None if gone else _number(entry, source)
        for entry, gone in zip(entries, missing, strict=True)
    )
    return Modifiers(fixed=values)


def _number(expression: Expression, source: Source) -> float:
    try:
        return evaluate(expression)
    except ValueError as error:
        raise source.error(
            f"{spell(expression)} is no number: {error}.",
            expression.position,
            expected=("a number",),
        ) from None


def _number_or_none(expression: Expression, source: Source) -> float | None:
    """A start or bound; ``NA`` and infinite bounds are none."""
    inner = expression.operand if isinstance(expression, Negative) else expression
    if isinstance(inner, Name) and inner.text in ("NA", "Inf"):
        return None
    return _number(expression, source)


def _label(expression: Expression, source: Source, *, missing: bool = False) -> str:
    if missing and isinstance(expression, Name) and expression.text == "NA":
        return ""
    if isinstance(expression, Text):
        text = "".join(expression.text.split())
        if any(sign in "\"'\\`" or not sign.isprintable() for sign in text):
            raise source.error(
                "A label holds quotes, backslashes or control characters.", expression.position
            )
        if text or missing:
            return text
        raise source.error("A label is empty.", expression.position, expected=("a name",))
    if not isinstance(expression, Name):
        raise source.error(
            f"{spell(expression)} is no label.", expression.position, expected=("a name",)
        )
    if expression.text in RESERVED:
        raise source.error(f"{expression.text} is a reserved word of R.", expression.position)
    return expression.text
