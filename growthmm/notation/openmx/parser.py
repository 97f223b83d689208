"""R code as a tree, parsed with the grammar of ``grammar.lark``; nothing of it is run."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from lark import Token, Transformer, UnexpectedCharacters, UnexpectedInput, v_args

from growthmm.errors import NotationError
from growthmm.notation.grammar_file import parser_of

__all__ = [
    "Argument",
    "Assign",
    "Binary",
    "Call",
    "Field",
    "Index",
    "Name",
    "Node",
    "Number",
    "String",
    "Unary",
    "parse",
]


@dataclass(frozen=True, slots=True)
class Number:
    """A number."""

    value: float
    position: int


@dataclass(frozen=True, slots=True)
class String:
    """A string."""

    text: str
    position: int


@dataclass(frozen=True, slots=True)
class Name:
    """A name, or a constant such as ``TRUE``."""

    text: str
    position: int


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument of a call, perhaps named, perhaps empty."""

    name: str | None
    value: Node | None
    position: int


@dataclass(frozen=True, slots=True)
class Call:
    """``function(arguments)``; the function is empty where it is no plain name."""

    function: str
    arguments: tuple[Argument, ...]
    position: int


@dataclass(frozen=True, slots=True)
class Index:
    """``target[arguments]``, or ``target[[arguments]]`` where `double`."""

    target: Node
    arguments: tuple[Argument, ...]
    double: bool
    position: int


@dataclass(frozen=True, slots=True)
class Field:
    """``target$name``."""

    target: Node
    name: str
    position: int


@dataclass(frozen=True, slots=True)
class Unary:
    """``-operand``, ``+operand``, ``!operand`` or ``~operand``."""

    op: str
    operand: Node
    position: int


@dataclass(frozen=True, slots=True)
class Binary:
    """``left op right``."""

    op: str
    left: Node
    right: Node
    position: int


@dataclass(frozen=True, slots=True)
class Assign:
    """``target <- value``."""

    target: Node
    value: Node
    position: int


Node = Number | String | Name | Call | Index | Field | Unary | Binary | Assign

_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}
_ESCAPE = re.compile(r"\\(x[0-9a-fA-F]{1,2}|u\{?[0-9a-fA-F]{1,4}\}?|(?s:.))")
_STRING = re.compile(
    r"""[rR]"(-*)\((?s:.*?)\)\1"|[rR]'(-*)\((?s:.*?)\)\2'|`[^`\n]+`|"(?s:[^"\\]|\\.)*"|'(?s:[^'\\]|\\.)*'"""
)
_CONTINUES = "+-*/^=<>&|~%,("


def parse(text: str) -> tuple[Node, ...]:
    r"""Parse R code into its statements.

    Parameters
    ----------
    text : str
        The code.

    Returns
    -------
    tuple of Node
        One for each statement; positions are offsets in `text`.

    Raises
    ------
    NotationError
        Where the code is malformed, or uses what scripts of models do not need.

    Examples
    --------
    >>> [type(node).__name__ for node in parse('x <- 1:3 # three\nf(x)')]
    ['Assign', 'Call']
    """
    blanked = _blanked(text)
    parser = parser_of("growthmm.notation.openmx", placeholders=False, build=_Build)
    try:
        return tuple(parser.parse(blanked))  # type: ignore[arg-type]
    except UnexpectedCharacters as error:
        at = error.pos_in_stream or 0
        message = f"Did not expect {text[at]!r} here."
        if text[at] in "\"'`":
            message = "This string is never closed."
        hint = None
        if text[at] in "{}":
            hint = "Write the model out: functions, loops and conditions are not read."
        raise NotationError(message, text=text, position=at, hint=hint) from None
    except UnexpectedInput as error:
        token = getattr(error, "token", None)
        if token is None or token.type == "$END":
            end = len(text.rstrip())
            message = "The code stops short."
            raise NotationError(message, text=text, position=end, hint="Close it.") from None
        at = token.start_pos or 0
        shown = str(token) if str(token).strip() else "the end of the line"
        raise NotationError(f"Did not expect {shown} here.", text=text, position=at) from None
    except _TokenError as error:
        raise NotationError(error.message, text=text, position=error.position) from None


def _blanked(text: str) -> str:
    """The same text, comments and newlines within brackets or after operators as spaces."""
    made = list(text)
    depth, at, last = 0, 0, ""
    while at < len(text):
        sign = text[at]
        if sign == "#":
            while at < len(text) and text[at] != "\n":
                made[at] = " "
                at += 1
            continue
        quoted = _STRING.match(text, at) if sign in "\"'`rR" else None
        if quoted is not None and (sign not in "rR" or not (at and _word(text[at - 1]))):
            at, last = quoted.end(), '"'
            continue
        if sign in "([":
            depth += 1
        elif sign in ")]":
            depth = max(0, depth - 1)
        if sign in "\n\r" and (depth or (last and last in _CONTINUES)):
            made[at] = " "
        elif not sign.isspace():
            last = sign
        at += 1
    return "".join(made)


def _word(sign: str) -> bool:
    return sign.isalnum() or sign in "._"


class _TokenError(ValueError):
    """A token that R would not take, or that means no number."""

    def __init__(self, message: str, position: int) -> None:
        super().__init__(message)
        self.message = message
        self.position = position


def _unescaped(token: Token) -> str:
    def one(match: re.Match[str]) -> str:
        code = match.group(1)
        if code[0] in "xu" and len(code) > 1:
            number = int(code[1:].strip("{}"), 16)
            if number and not 0xD800 <= number < 0xE000:
                return chr(number)
        if code in _ESCAPES:
            return _ESCAPES[code]
        if code in "\\\"'` \n":
            return code
        where = (token.start_pos or 0) + 1 + match.start()
        raise _TokenError(f"The escape {match.group(0)} is not read.", where)

    return _ESCAPE.sub(one, str(token)[1:-1])


@v_args(inline=True)
class _Build(Transformer[Any, Any]):
    """Lark's tree as nodes."""

    def start(self, *statements: Node) -> list[Node]:
        return list(statements)

    def assign(self, target: Node, value: Node) -> Assign:
        return Assign(target, value, target.position)

    def sided(self, operand: Node) -> Unary:
        return Unary("~", operand, operand.position)

    def twosided(self, left: Node, right: Node) -> Binary:
        return Binary("~", left, right, left.position)

    def negation(self, operand: Node) -> Unary:
        return Unary("!", operand, operand.position)

    def binary(self, left: Node, op: Token, right: Node) -> Binary:
        sign = "^" if str(op) == "**" else str(op)
        return Binary(sign, left, right, left.position)

    def unary(self, op: Token, operand: Node) -> Unary:
        return Unary(str(op), operand, op.start_pos or 0)

    def call(self, target: Node, arguments: tuple[Argument, ...]) -> Call:
        function = target.text if isinstance(target, (Name, String)) else ""
        return Call(function, arguments, target.position)

    def element(self, target: Node, arguments: tuple[Argument, ...]) -> Index:
        return Index(target, arguments, True, target.position)

    def index(self, target: Node, arguments: tuple[Argument, ...]) -> Index:
        return Index(target, arguments, False, target.position)

    def field(self, target: Node, name: Token) -> Field:
        text = str(name) if name.type == "NAME" else str(name)[1:-1]
        return Field(target, text, target.position)

    def number(self, token: Token) -> Number:
        text = str(token).removesuffix("L")
        hexadecimal = text[:2] in ("0x", "0X")
        if hexadecimal and len(text) > 18:
            raise _TokenError(f"The number {text} is too large.", token.start_pos or 0)
        value = float(int(text, 16)) if hexadecimal else float(text)
        return Number(value, token.start_pos or 0)

    def string(self, token: Token) -> String:
        return String(_unescaped(token), token.start_pos or 0)

    def raw(self, token: Token) -> String:
        dashes = len(str(token)) - len(str(token)[2:].lstrip("-")) - 2
        inside = str(token)[3 + dashes : -2 - dashes]
        return String(inside, token.start_pos or 0)

    def quoted(self, token: Token) -> Name:
        return Name(str(token)[1:-1], token.start_pos or 0)

    def name(self, token: Token) -> Name:
        return Name(str(token), token.start_pos or 0)

    def qualified(self, package: Token, name: Token) -> Name:
        return Name(str(name), package.start_pos or 0)

    def args(self, *arguments: Argument) -> tuple[Argument, ...]:
        if len(arguments) == 1 and arguments[0].value is None:
            return ()
        return arguments

    def positional(self, value: Node) -> Argument:
        return Argument(None, value, value.position)

    def named(self, name: Token, value: Node) -> Argument:
        text = str(name) if name.type == "NAME" else _unescaped(name)
        return Argument(text, value, value.position)

    def empty(self) -> Argument:
        return Argument(None, None, 0)
