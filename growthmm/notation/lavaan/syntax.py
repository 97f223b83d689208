"""lavaan's model syntax: text to rows as written, before any default."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal, cast

from growthmm.errors import NotationError
from growthmm.model.sem import Constraint, Defined, Operator
from growthmm.notation.lavaan.modifiers import Modifiers, read_term
from growthmm.notation.lavaan.parser import Source, parse_side
from growthmm.notation.sem.expression import (
    FUNCTIONS,
    Call,
    Expression,
    Name,
    Negative,
    Operation,
    Text,
    names,
    spell,
)
from growthmm.notation.sem.text import RESERVED

__all__ = ["Row", "Syntax", "parse"]

_OPERATORS = ("=~", "<~", "~*~", "~~", "~", "==", "<", ">", ":=", "|", "%")
"""In the order in which lavaan looks for them; the first that a statement holds is its operator."""

_ANY_OPERATOR = re.compile("|".join(re.escape(sign) for sign in (*_OPERATORS,)))
_BLOCK = re.compile(r"\s*([^\W\d]\w*)\s*:(?![=~])\s*(?!\S*\s*[+~=<>|])")

_REFUSED = {
    "<~": ("Formative factors (<~)", "Write the composite as a column of the data."),
    "~*~": ("Scaling factors of ordered variables (~*~)", "growthmm fits linear Gaussian models."),
    "|": ("Thresholds of ordered variables (|)", "growthmm fits linear Gaussian models."),
    "%": ("The operator %", "Write one of =~, ~, ~~, :=, ==, < and >."),
}


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the model as the text has it.

    Parameters
    ----------
    left, op, right : str
        As in :class:`growthmm.model.sem.Path`.
    modifiers : Modifiers
        What stands before the ``*``.
    position : int
        Where it was written.
    level : int
        The block that it stands in; 1 where there are no blocks.
    """

    left: str
    op: Operator
    right: str
    modifiers: Modifiers = field(default_factory=Modifiers)
    position: int = 0
    level: int = 1


@dataclass(frozen=True, slots=True)
class Syntax:
    """A model text, parsed.

    Parameters
    ----------
    rows : tuple of Row
        Formulas, one row for each pair of variables.
    constraints : tuple of Constraint
        ``==``, ``<`` and ``>``.
    defined : tuple of Defined
        ``:=``.
    used : tuple of (str, int)
        Labels that constraints and definitions name, with their positions.
    phantoms : tuple of str
        Latent variables without indicators (``f =~ 0``).
    levels : tuple of str
        What the blocks call the levels (``level: 1``), level 1 first; empty without blocks.
    phantom_levels : tuple of (str, int)
        The level of each of `phantoms`, where there are blocks.
    """

    rows: tuple[Row, ...]
    constraints: tuple[Constraint, ...] = ()
    defined: tuple[Defined, ...] = ()
    used: tuple[tuple[str, int], ...] = ()
    phantoms: tuple[str, ...] = ()
    levels: tuple[str, ...] = ()
    phantom_levels: tuple[tuple[str, int], ...] = ()


def parse(text: str, shown: str | None = None) -> Syntax:
    """Parse a model text.

    Parameters
    ----------
    text : str
        Statements in lavaan's syntax.
    shown : str, optional
        The text that errors show; of the same length as `text`.

    Raises
    ------
    NotationError
        If the text is malformed, or says something that is no linear SEM.

    Examples
    --------
    >>> [(row.left, row.op, row.right) for row in parse("i + s ~ x").rows]
    [('i', '~', 'x'), ('s', '~', 'x')]
    """
    source = Source(text if shown is None else shown)
    collected = _Collected(source)
    blanked = _blank(text)
    for start, end in _statements(text, blanked, source):
        collected.add(blanked[start:end], start)
    return collected.finished()


def _blank(text: str) -> str:
    """`text` with comments and separators blanked, every other character in its place."""
    out = list(text.replace("\u02dc", "~"))
    quote = None
    comment = False
    for k, sign in enumerate(out):
        if sign == "\n":
            quote, comment = None, False
            out[k] = " "
        elif comment:
            out[k] = " "
        elif quote is not None:
            quote = None if sign == quote else quote
        elif sign in "\"'":
            quote = sign
        elif sign in "#!":
            comment = True
            out[k] = " "
        elif sign == ";":
            out[k] = " "
    return "".join(out)


def _statements(text: str, blanked: str, source: Source) -> list[tuple[int, int]]:
    """Where each statement begins and ends.

    A line without an operator goes on with the line before it, as in lavaan.
    """
    masked = re.sub(r"\"[^\"\n]*\"|'[^'\n]*'", lambda m: "_" * len(m.group()), blanked)
    ends = [k for k, sign in enumerate(text) if sign == "\n" or (sign == ";" and masked[k] == " ")]
    spans: list[tuple[int, int]] = []
    begin = 0
    for end in (*ends, len(text)):
        line = masked[begin:end]
        if line.strip():
            first = begin + len(line) - len(line.lstrip())
            block = _BLOCK.match(line)
            if block is not None and not line.lstrip().startswith("+"):
                if block.group(1).lower() != "level":
                    raise _refuse_block(block.group(1), first, source)
                spans.append((first, end))
            elif _ANY_OPERATOR.search(line) is not None:
                spans.append((first, end))
            elif spans:
                spans[-1] = (spans[-1][0], end)
            else:
                raise source.error(
                    "There is no operator in this line.", first, expected=_OPERATORS_SHOWN
                )
        begin = end + 1
    if not spans:
        raise source.error("The text holds no model.", 0, expected=_OPERATORS_SHOWN)
    return spans


_OPERATORS_SHOWN = ("=~", "~", "~~", ":=", "==", "<", ">")


def _refuse_block(word: str, position: int, source: Source) -> NotationError:
    hints = {
        "group": "Write one value for each group instead, as in c(a, b)*x.",
    }
    return source.error(
        f"Blocks ({word}:) are not supported.",
        position,
        hint=hints.get(word.lower(), "Write the model without blocks."),
    )


class _Collected:
    """Statements, as they come."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.rows: list[Row] = []
        self.constraints: list[Constraint] = []
        self.defined: list[Defined] = []
        self.used: list[tuple[str, int]] = []
        self.phantoms: list[str] = []
        self.seen: set[tuple[str, str, str, int]] = set()
        self.levels: list[str] = []
        self.level = 1
        self.phantom_levels: list[tuple[str, int]] = []

    def finished(self) -> Syntax:
        return Syntax(
            tuple(self.rows),
            tuple(self.constraints),
            tuple(self.defined),
            tuple(self.used),
            tuple(self.phantoms),
            tuple(self.levels),
            tuple(self.phantom_levels) if self.levels else (),
        )

    def add(self, statement: str, start: int) -> None:
        """Read one statement that begins at `start`."""
        block = _BLOCK.match(statement)
        if block is not None:
            self._begin_level(statement[block.end() :].strip().strip("\"'"), start)
            return
        masked = re.sub(r"\"[^\"]*\"|'[^']*'", lambda m: "_" * len(m.group()), statement)
        op = next(sign for sign in _OPERATORS if sign in masked)
        at = masked.index(op)
        if op in _REFUSED:
            what, hint = _REFUSED[op]
            raise self.source.error(f"{what} are not supported.", start + at, hint=hint)
        left, right = statement[:at], statement[at + len(op) :]
        where = start + at + len(op)
        if not left.strip():
            raise self.source.error(
                f"Nothing stands before {op}.", start + at, expected=("a name",)
            )
        if op in ("==", "<", ">"):
            self._constrain(left, cast("Literal['==', '<', '>']", op), right, start, where)
        elif op == ":=":
            self._define(left, right, start, where)
        else:
            self._formula(left, cast("Operator", op), right, start, where)

    def _begin_level(self, name: str, start: int) -> None:
        """Level 1 is that of persons: ``1`` or ``within``, otherwise the block that comes first."""
        if self.rows and not self.levels:
            raise self.source.error(
                "Formulas stand before the first level.", start, hint="Begin with level: 1."
            )
        if name not in self.levels:
            self.levels.append(name)
        first = self.levels.index(name) + 1
        self.level = {"1": 1, "within": 1, "2": 2, "between": 2}.get(name.lower(), first)
        if len(self.levels) > 2 or not name:
            raise self.source.error(
                f"There is a level {name!r}.", start, hint="Write two: level: 1 and level: 2."
            )

    def _arithmetic(self, text: str, where: int) -> str:
        expression = cast("Expression", parse_side(text, "arithmetic", self.source, where))
        self._check_arithmetic(expression)
        self.used += [(name.text, name.position) for name in names(expression)]
        return spell(expression)

    def _check_arithmetic(self, expression: Expression) -> None:
        if isinstance(expression, Text):
            raise self.source.error("A string is no number.", expression.position)
        if isinstance(expression, Name) and expression.text in RESERVED:
            raise self.source.error(
                f"{expression.text} is a reserved word of R.", expression.position
            )
        if isinstance(expression, Call):
            if expression.function not in FUNCTIONS or len(expression.arguments) != 1:
                raise self.source.error(
                    f"The function {expression.function}() with {len(expression.arguments)} "
                    "arguments is not supported in arithmetic.",
                    expression.position,
                    expected=tuple(f"{name}()" for name in FUNCTIONS),
                )
            self._check_arithmetic(expression.arguments[0])
        elif isinstance(expression, Negative):
            self._check_arithmetic(expression.operand)
        elif isinstance(expression, Operation):
            self._check_arithmetic(expression.left)
            self._check_arithmetic(expression.right)

    def _constrain(
        self, left: str, op: Literal["==", "<", ">"], right: str, start: int, where: int
    ) -> None:
        if right.startswith("="):
            raise self.source.error(
                f"lavaan has no operator {op}=.", where - len(op), hint=f"Write {op}."
            )
        self.constraints.append(
            Constraint(self._arithmetic(left, start), op, self._arithmetic(right, where))
        )

    def _define(self, left: str, right: str, start: int, where: int) -> None:
        variables = self._names(left, start)
        if len(variables) != 1:
            raise self.source.error("One name stands before :=.", start)
        name = variables[0].text
        if any(defined.name == name for defined in self.defined):
            raise self.source.error(f"{name} is defined twice.", variables[0].position)
        self.defined.append(Defined(name, self._arithmetic(right, where)))

    def _names(self, text: str, where: int) -> list[Name]:
        expressions = cast("list[Expression]", parse_side(text, "left", self.source, where))
        variables = []
        for expression in expressions:
            if isinstance(expression, Call) or (
                isinstance(expression, Operation) and isinstance(expression.left, Call)
            ):
                call = expression if isinstance(expression, Call) else expression.left
                function = cast("Call", call).function
                what = "Exploratory factors (efa)" if function == "efa" else f"{function}()"
                raise self.source.error(
                    f"{what} before the operator is not supported.",
                    expression.position,
                    hint="Write every loading of every factor.",
                )
            if not isinstance(expression, Name):
                raise self.source.error(
                    "Only names joined by + stand before the operator.",
                    expression.position,
                    expected=("a name",),
                )
            if expression.text in RESERVED:
                raise self.source.error(
                    f"{expression.text} is a reserved word of R.", expression.position
                )
            variables.append(expression)
        return variables

    def _formula(self, left: str, op: Operator, right: str, start: int, where: int) -> None:
        variables = self._names(left, start)
        if not right.strip():
            raise self.source.error(f"Nothing stands after {op}.", where, expected=("a name",))
        terms = parse_side(right, "terms", self.source, where)
        merged: dict[str, tuple[Modifiers, int]] = {}
        for term in terms:
            name, modifiers, position = read_term(term, op, self.source)
            if name in merged:
                before, first = merged[name]
                merged[name] = before.merged(modifiers, position, self.source), first
            else:
                merged[name] = modifiers, position
        for variable in variables:
            for name, (modifiers, position) in merged.items():
                self._row(variable, op, name, modifiers, position)

    def _row(
        self, left: Name, op: Operator, right: str, modifiers: Modifiers, position: int
    ) -> None:
        if op == "=~" and right == "0":
            if left.text not in self.phantoms:
                self.phantoms.append(left.text)
                self.phantom_levels.append((left.text, self.level))
            return
        if op == "=~" and right == left.text:
            raise self.source.error(f"{right} cannot measure itself.", position)
        if op == "~" and right == left.text:
            raise self.source.error(f"{right} cannot be regressed on itself.", position)
        kind: Operator = "~1" if op == "~" and not right else op
        first, second = sorted((left.text, right)) if kind == "~~" else (left.text, right)
        key = (kind, first, second, self.level)
        if key in self.seen:
            raise self.source.error(
                f"{left.text} {op} {right or '1'} is written twice.",
                position,
                hint="Keep one of the two.",
            )
        self.seen.add(key)
        self.rows.append(Row(left.text, kind, right, modifiers, position, self.level))
