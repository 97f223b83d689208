"""One Mplus statement, parsed with the grammar of ``grammar.lark``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from lark import Token, Transformer, v_args

from growthmm.notation.mplus.text import Statement, error_at
from growthmm.notation.sem.expression import (
    FUNCTIONS,
    Call,
    Expression,
    Name,
    Negative,
    Number,
    Operation,
)
from growthmm.notation.sem.parsing import StatementGrammar

__all__ = [
    "Item",
    "Labels",
    "MeanList",
    "Parsed",
    "RandomSlope",
    "Relation",
    "TimeScores",
    "VarianceList",
    "parse_new",
    "parse_relation",
    "parse_statement",
]


@dataclass(frozen=True, slots=True)
class Item:
    """A variable, or a range of them, with what is said of its parameter.

    Parameters
    ----------
    first, last : str
        The range's ends; the same for a single variable.
    sign : {"@", "*", ""}
        Fixed, free, or not said.
    value : float, optional
        The fixed value, or the start.
    position : int
        Where it was written.
    """

    first: str
    last: str
    sign: Literal["@", "*", ""] = ""
    value: float | None = None
    position: int = 0


@dataclass(frozen=True, slots=True)
class Labels:
    """What stands in parentheses after parameters: labels, or ranges of them."""

    words: tuple[tuple[str, str], ...]
    position: int = 0


Entry = Item | Labels


@dataclass(frozen=True, slots=True)
class VarianceList:
    """``y0-y3 (v);``."""

    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class MeanList:
    """``[y0-y3] (m);``."""

    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Relation:
    """``left BY right`` and the like; `op` in capitals."""

    left: tuple[Entry, ...]
    op: str
    right: tuple[Entry, ...]
    position: int = 0


@dataclass(frozen=True, slots=True)
class TimeScores:
    """``i s | y0@0 y1@1``, or with individual times ``i s | y0 y1 AT a0 a1``."""

    factors: tuple[Entry, ...]
    outcomes: tuple[Entry, ...]
    times: tuple[Entry, ...] = ()


@dataclass(frozen=True, slots=True)
class RandomSlope:
    """``s | y ON x``."""

    factors: tuple[Entry, ...]
    op: str
    outcomes: tuple[Entry, ...]
    predictors: tuple[Entry, ...]
    position: int = 0


Parsed = VarianceList | MeanList | Relation | TimeScores | RandomSlope

_GRAMMAR = StatementGrammar(
    "growthmm.notation.mplus",
    ("statement", "constraint", "new"),
    {
        "NAME": "a name",
        "NUMBER": "a number",
        "OPERATOR": "BY, ON, WITH, PON or PWITH",
        "AT": "AT",
        "RELATION": "=, < or >",
        "VBAR": "|",
        "LPAR": "(",
        "RPAR": ")",
        "LSQB": "[",
        "RSQB": "]",
        "STAR": "*",
        "MINUS": "-",
        "SLASH": "/",
        "SIGN": None,
        "CIRCUMFLEX": None,
        "__ANON_0": "**",
        "__ANON_1": "**",
        "$END": "the end of the statement",
    },
    placeholders=True,
    hint="Every statement ends with a semicolon.",
)


@v_args(inline=True)
class _Build(Transformer[Any, Any]):
    """Lark's tree as values whose positions are offsets in the input."""

    def __init__(self, text: str, offset: int) -> None:
        super().__init__()
        self.text = text
        self.offset = offset

    def _at(self, token: Token) -> int:
        return self.offset + (token.start_pos or 0)

    def _float(self, token: Token) -> float:
        value = float(str(token).lower().replace("d", "e"))
        if value == float("inf"):
            raise error_at(self.text, self._at(token), f"The number {token} is too large.")
        return value

    def number(self, *tokens: Token) -> float:
        return self._float(tokens[-1])

    def minus_number(self, token: Token) -> float:
        return -self._float(token)

    def fixed(self, value: float) -> tuple[str, float | None]:
        return "@", value

    def started(self, value: float) -> tuple[str, float | None]:
        return "*", value

    def freed(self) -> tuple[str, float | None]:
        return "*", None

    def item(
        self,
        first: Token,
        last: Token | None,
        mark: tuple[Literal["@", "*"], float | None] | None = None,
    ) -> Item:
        end = str(last) if last is not None else str(first)
        if mark is None:
            return Item(str(first), end, position=self._at(first))
        return Item(str(first), end, mark[0], mark[1], self._at(first))

    fresh = item

    def word(self, token: Token) -> Token:
        return token

    def label(self, first: Token, last: Token | None) -> tuple[Token, Token]:
        return first, last if last is not None else first

    def labels(self, *pairs: tuple[Token, Token]) -> Labels:
        words = tuple((str(first), str(last)) for first, last in pairs)
        return Labels(words, self._at(pairs[0][0]))

    def list(self, *entries: Entry) -> tuple[Entry, ...]:
        return entries

    def means(self, entries: tuple[Entry, ...], *labels: Labels) -> MeanList:
        return MeanList((*entries, *labels))

    def variances(self, entries: tuple[Entry, ...]) -> VarianceList:
        return VarianceList(entries)

    def relation(self, left: tuple[Entry, ...], op: Token, right: tuple[Entry, ...]) -> Relation:
        return Relation(left, str(op).upper(), right, self._at(op))

    def growth(self, factors: tuple[Entry, ...], outcomes: tuple[Entry, ...]) -> TimeScores:
        return TimeScores(factors, outcomes)

    def growth_at(
        self,
        factors: tuple[Entry, ...],
        outcomes: tuple[Entry, ...],
        _: Token,
        times: tuple[Entry, ...],
    ) -> TimeScores:
        return TimeScores(factors, outcomes, times)

    def random_slope(
        self,
        factors: tuple[Entry, ...],
        outcomes: tuple[Entry, ...],
        op: Token,
        predictors: tuple[Entry, ...],
    ) -> RandomSlope:
        return RandomSlope(factors, str(op).upper(), outcomes, predictors, self._at(op))

    def constraint(
        self, left: Expression, op: Token, right: Expression
    ) -> tuple[Expression, str, Expression]:
        return left, str(op), right

    def value(self, token: Token) -> Number:
        return Number(self._float(token), self._at(token))

    def name(self, token: Token) -> Name:
        return Name(str(token), self._at(token))

    def call(self, function: Token, argument: Expression) -> Call:
        known = str(function).lower()
        if known == "ln":
            known = "log"
        if known not in FUNCTIONS:
            raise error_at(
                self.text,
                self._at(function),
                f"The function {function} is not supported in MODEL CONSTRAINT.",
                expected=tuple(name.upper() for name in FUNCTIONS),
                hint="Write the constraint with the functions named.",
            )
        return Call(known, (argument,), self._at(function))

    def negative(self, operand: Expression) -> Expression:
        if isinstance(operand, Number) and operand.value >= 0:
            return Number(-operand.value, operand.position)
        return Negative(operand, operand.position)

    def positive(self, _: Token, operand: Expression) -> Expression:
        return operand

    def plus(self, left: Expression, _: Token, right: Expression) -> Operation:
        return Operation("+", left, right, left.position)

    def minus(self, left: Expression, right: Expression) -> Operation:
        return Operation("-", left, right, left.position)

    def times(self, left: Expression, right: Expression) -> Operation:
        return Operation("*", left, right, left.position)

    def over(self, left: Expression, right: Expression) -> Operation:
        return Operation("/", left, right, left.position)

    def raised(self, left: Expression, right: Expression) -> Operation:
        return Operation("^", left, right, left.position)

    def new(self, word: Token, *fresh: Item) -> tuple[str, tuple[Item, ...]]:
        return str(word).upper(), fresh


def parse_statement(statement: Statement, text: str) -> Parsed:
    """Parse a statement of MODEL.

    Parameters
    ----------
    statement : Statement
        The statement, without comments and semicolon.
    text : str
        The whole input, for errors.

    Raises
    ------
    NotationError
        Where it is malformed.

    Examples
    --------
    >>> parsed = parse_statement(Statement("i ON x (b)", 0), "i ON x (b)")
    >>> parsed.op, parsed.right[1].words
    ('ON', (('b', 'b'),))
    """
    parsed: Parsed = _parse(statement, "statement", text)
    return parsed


def parse_relation(
    statement: Statement, text: str
) -> tuple[Expression, Literal["=", "<", ">"], Expression]:
    """Parse a statement of MODEL CONSTRAINT: left side, relation, right side."""
    parsed: tuple[Expression, Literal["=", "<", ">"], Expression]
    parsed = _parse(statement, "constraint", text)
    return parsed


def parse_new(statement: Statement, text: str) -> tuple[str, tuple[Item, ...]]:
    """Parse ``NEW(a b*0.5)``: the word before the parentheses, and what stands in them."""
    parsed: tuple[str, tuple[Item, ...]] = _parse(statement, "new", text)
    return parsed


def _parse(statement: Statement, start: str, text: str) -> Any:
    build = _Build(text, statement.position)
    return _GRAMMAR.parse(statement.text, start, build, text, statement.position)
