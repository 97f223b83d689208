"""One side of a lavaan statement, parsed with the grammar of ``grammar.lark``."""

from __future__ import annotations

from typing import Any, Literal

from lark import Token, Transformer, v_args

from growthmm.errors import NotationError
from growthmm.notation.sem.expression import (
    Call,
    Expression,
    Name,
    Negative,
    Number,
    Operation,
    Text,
)
from growthmm.notation.sem.parsing import StatementGrammar
from growthmm.notation.sem.text import is_syntactic

__all__ = ["Source", "Started", "parse_side"]

Side = Literal["left", "terms", "arithmetic"]

_GRAMMAR = StatementGrammar(
    "growthmm.notation.lavaan",
    ("left", "terms", "arithmetic"),
    {
        "NAME": "a name",
        "NUMBER": "a number",
        "STRING": "a quoted string",
        "BACKTICKED": "a name",
        "PLUS": "+",
        "MINUS": "-",
        "STAR": "*",
        "SLASH": "/",
        "LPAR": "(",
        "RPAR": ")",
        "COMMA": ",",
        "COLON": None,
        "QMARK": None,
        "CIRCUMFLEX": None,
        "__ANON_0": None,
        "$END": "end of the statement",
    },
    placeholders=False,
)


class Source:
    """The text that errors show, whose offsets all positions are.

    Parameters
    ----------
    text : str
        The text.
    """

    def __init__(self, text: str) -> None:
        self.text = text

    def error(
        self,
        message: str,
        position: int,
        *,
        expected: tuple[str, ...] = (),
        hint: str | None = None,
    ) -> NotationError:
        """An error that points at `position`."""
        return NotationError(
            message, text=self.text, position=position, expected=expected, hint=hint
        )


class Started:
    """A term ``0.5?x``: lavaan's shorthand for ``start(0.5)*x``."""

    def __init__(self, start: Expression, variable: Expression) -> None:
        self.start = start
        self.variable = variable


@v_args(inline=True)
class _Build(Transformer[Any, Any]):
    """Lark's tree as expressions whose positions are offsets in the source."""

    def __init__(self, source: Source, offset: int) -> None:
        super().__init__()
        self.source = source
        self.offset = offset

    def _at(self, token: Token) -> int:
        return self.offset + (token.start_pos or 0)

    def number(self, token: Token) -> Number:
        value = float(token)
        if value == float("inf"):
            raise self.source.error(f"The number {token} is too large.", self._at(token))
        return Number(value, self._at(token))

    def name(self, token: Token) -> Name:
        return Name(str(token), self._at(token))

    def backticked(self, token: Token) -> Name:
        name = str(token)[1:-1]
        if not is_syntactic(name):
            raise self.source.error(
                f"lavaan takes no quoted name that is not a plain one: {token}.",
                self._at(token),
                hint="Rename the column: letters, digits, dots and underscores, a letter first.",
            )
        return Name(name, self._at(token))

    def string(self, token: Token) -> Text:
        return Text(str(token)[1:-1], self._at(token))

    def interaction(self, first: Token, second: Token) -> None:
        raise self.source.error(
            f"The interaction {first}:{second} is not supported.",
            self._at(first),
            hint=f"Add a column that holds the product of {first} and {second} to the data, "
            "and write its name.",
        )

    def call(self, function: Token, *arguments: Expression) -> Call:
        return Call(str(function), tuple(arguments), self._at(function))

    def negative(self, operand: Expression) -> Expression:
        if isinstance(operand, Number) and operand.value >= 0:
            return Number(-operand.value, operand.position)
        return Negative(operand, operand.position)

    def plus(self, left: Expression, right: Expression) -> Operation:
        return Operation("+", left, right, left.position)

    def minus(self, left: Expression, right: Expression) -> Operation:
        return Operation("-", left, right, left.position)

    def times(self, left: Expression, right: Expression) -> Operation:
        return Operation("*", left, right, left.position)

    def over(self, left: Expression, right: Expression) -> Operation:
        return Operation("/", left, right, left.position)

    def raised(self, left: Expression, right: Expression) -> Operation:
        return Operation("^", left, right, left.position)

    def started(self, start: Expression, variable: Expression) -> Started:
        return Started(start, variable)

    def term(self, expression: Expression) -> Expression:
        return expression

    def terms(self, *terms: Expression | Started) -> list[Expression | Started]:
        return list(terms)

    def left(self, *terms: Expression) -> list[Expression]:
        return list(terms)

    def arithmetic(self, expression: Expression) -> Expression:
        return expression


def parse_side(text: str, side: Side, source: Source, offset: int) -> Any:
    """Parse one side of a statement.

    Parameters
    ----------
    text : str
        The side.
    side : {"left", "terms", "arithmetic"}
        What it is: names joined by ``+``, terms with modifiers, or arithmetic.
    source : Source
        The whole text, for errors.
    offset : int
        Where `text` begins in the source.

    Returns
    -------
    list of Expression, list of (Expression or Started), or Expression
        For ``left``, ``terms`` and ``arithmetic``.

    Raises
    ------
    NotationError
        Where the side is malformed.
    """
    return _GRAMMAR.parse(text, side, _Build(source, offset), source.text, offset)
