"""The syntax tree of formulas, and the parser that builds it from text."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, cast

from growthmm.errors import NotationError

if TYPE_CHECKING:
    from lark import Lark, Token

__all__ = [
    "Call",
    "Name",
    "Negative",
    "Node",
    "Number",
    "Operation",
    "Text",
    "Truth",
    "depth",
    "names_in",
    "parse",
    "unescape",
]

MAX_LENGTH = 100_000
MAX_BRACKETS = 100


@dataclass(frozen=True, slots=True)
class Name:
    """A variable, a bare function or a contrast, by its name without quotes."""

    name: str
    position: int = field(default=0, compare=False)
    quoted: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class Number:
    """A number."""

    value: float
    position: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Text:
    """A string literal, by its value."""

    value: str
    position: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Truth:
    """``TRUE`` or ``FALSE``."""

    value: bool
    position: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Call:
    """A function applied to arguments."""

    function: str
    args: tuple[Node, ...]
    keywords: tuple[tuple[str, Node], ...] = ()
    position: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Operation:
    """A binary operator; ``~`` with one side has a None to its left.

    ``bracketed`` says whether it stood in parentheses of its own.
    """

    operator: str
    left: Node | None
    right: Node
    position: int = field(default=0, compare=False)
    bracketed: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class Negative:
    """Unary minus."""

    operand: Node
    position: int = field(default=0, compare=False)


Node = Name | Number | Text | Truth | Call | Operation | Negative


def names_in(node: Node) -> set[str]:
    """Every name in a node, of columns and of parameters.

    Examples
    --------
    >>> sorted(names_in(parse("exp(-g * t)")))
    ['g', 't']
    """
    if isinstance(node, Name):
        return {node.name}
    if isinstance(node, Negative):
        return names_in(node.operand)
    if isinstance(node, Operation):
        return names_in(node.right) | (set() if node.left is None else names_in(node.left))
    if isinstance(node, Call):
        return set().union(*(names_in(argument) for argument in node.args))
    return set()


_TRUTHS = {"TRUE": True, "True": True, "FALSE": False, "False": False}
_OPERATORS = {"^": "**"}
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}
_ESCAPE = re.compile(
    r"\\(?:x([0-9A-Fa-f]{1,2})|u\{([0-9A-Fa-f]{1,6})\}|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|(.))",
    re.DOTALL,
)


def unescape(text: str) -> str:
    """The value of the inside of a string literal, in R's and Python's escapes.

    Parameters
    ----------
    text : str
        What stands between the quotes.

    Raises
    ------
    ValueError
        If an escape names no character.
    """

    def one(match: re.Match[str]) -> str:
        code = match[1] or match[2] or match[3] or match[4]
        if code is None:
            return _ESCAPES.get(match[5], match[5])
        number = int(code, 16)
        if number == 0 or 0xD800 <= number <= 0xDFFF:
            raise ValueError(code)
        return chr(number)

    return _ESCAPE.sub(one, text)


class _Builder:
    """Callbacks of the parser, one for each named rule of the grammar."""

    def __init__(self, shown: str) -> None:
        self.shown = shown

    def fail(self, message: str, position: int, hint: str | None = None) -> NotationError:
        return NotationError(message, text=self.shown, position=position, hint=hint)

    def literal(self, token: Token) -> str:
        try:
            return unescape(token.value[1:-1])
        except (ValueError, OverflowError) as error:
            raise self.fail(
                f"The escape \\{error} in {token.value} is no character",
                token.start_pos or 0,
                "Write the character itself.",
            ) from None

    def name(self, children: list[Token]) -> Node:
        token = children[0]
        if token.value in _TRUTHS:
            return Truth(_TRUTHS[token.value], token.start_pos or 0)
        return Name(token.value, token.start_pos or 0)

    def backticked(self, children: list[Token]) -> Node:
        return Name(self.literal(children[0]), children[0].start_pos or 0, quoted=True)

    def text(self, children: list[Token]) -> Node:
        return Text(self.literal(children[0]), children[0].start_pos or 0)

    def number(self, children: list[Token]) -> Node:
        token = children[0]
        value = float(token.value.removesuffix("L"))
        if not math.isfinite(value):
            raise self.fail(
                f"The number {token.value} is too large",
                token.start_pos or 0,
                "Write one that a double holds.",
            )
        return Number(value, token.start_pos or 0)

    def operation(self, children: list[object]) -> Node:
        left, token, right = cast("tuple[Node, Token, Node]", tuple(children))
        operator = _OPERATORS.get(token.value, token.value)
        return Operation(operator, left, right, token.start_pos or 0)

    def sign(self, children: list[object]) -> Node:
        token, operand = cast("tuple[Token, Node]", tuple(children))
        return operand if token.value == "+" else Negative(operand, token.start_pos or 0)

    def bracketed(self, children: list[Node]) -> Node:
        inner = children[0]
        return replace(inner, bracketed=True) if isinstance(inner, Operation) else inner

    def two_sided(self, children: list[Node]) -> Node:
        return Operation("~", children[0], children[1])

    def one_sided(self, children: list[Node]) -> Node:
        return Operation("~", None, children[0])

    def callee(self, children: list[Token | None]) -> Name:
        tokens = [token for token in children if token is not None]
        first = tokens[0]
        value = self.literal(first) if first.value.startswith("`") else first.value
        return Name("::".join([value, *(t.value for t in tokens[1:])]), first.start_pos or 0)

    def keyword(self, children: list[object]) -> tuple[str, int, Node]:
        token, value = cast("tuple[Token, Node]", tuple(children))
        return token.value, token.start_pos or 0, value

    def arguments(self, children: list[object]) -> list[object]:
        return children

    def call(self, children: list[object]) -> Node:
        callee = cast("Name", children[0])
        positional: list[Node] = []
        keywords: dict[str, Node] = {}
        for argument in cast("list[Node | tuple[str, int, Node]]", children[1] or []):
            if not isinstance(argument, tuple):
                if keywords:
                    raise self.fail(
                        f"{callee.name}(): an argument without a name after one with a name",
                        argument.position,
                        "Put unnamed arguments first.",
                    )
                positional.append(argument)
            elif argument[0] in keywords:
                raise self.fail(
                    f"{callee.name}(): {argument[0]}= is given twice", argument[1], "Keep one."
                )
            else:
                keywords[argument[0]] = argument[2]
        return Call(callee.name, tuple(positional), tuple(keywords.items()), callee.position)

    def vector(self, children: list[object]) -> Node:
        return self.call([Name("c"), *children])


@cache
def _parser() -> Lark:
    from lark import Lark

    grammar = Path(__file__).with_name("expression.lark").read_text(encoding="utf-8")
    return Lark(grammar, parser="lalr", maybe_placeholders=True)


_EXPECTED = {
    "NAME": "a name",
    "BACKTICKED": "a `quoted name`",
    "NUMBER": "a number",
    "STRING": "a string",
    "SIGN": "+ or -",
    "STAR": "*",
    "SLASH": "/",
    "COLON": ":",
    "POWER": "^",
    "PERCENT": "%in%",
    "BAR": "|",
    "COMPARE": "a comparison",
    "LPAR": "(",
    "RPAR": ")",
    "LSQB": "[",
    "RSQB": "]",
    "COMMA": ",",
    "EQUAL": "=",
    "TILDE": "~",
    "DBLCOLON": "::",
    "__COLON_0": "::",
    "$END": "the end",
}


def parse(text: str, *, shown: str | None = None) -> Node:
    """Parse a formula or an expression into its tree; nothing in it is run.

    Parameters
    ----------
    text : str
        The text.
    shown : str, optional
        A text of the same length that errors show instead (`text` may be its part, blanked
        elsewhere).

    Returns
    -------
    Node
        The root.

    Raises
    ------
    NotationError
        With position, caret and what was expected.

    Examples
    --------
    >>> parse("I(t^2)")
    Call(function='I', args=(Operation(operator='**', left=Name(name='t', position=2, \
quoted=False), right=Number(value=2.0, position=4), position=3, bracketed=False),), keywords=(), \
position=0)
    """
    from lark.exceptions import UnexpectedCharacters, UnexpectedEOF, UnexpectedToken

    shown = text if shown is None else shown
    _check_size(text, shown)
    try:
        tree = _parser().parse(text)
    except UnexpectedToken as error:
        at_end = error.token.type == "$END"
        position = len(text.rstrip()) if at_end else (error.token.start_pos or 0)
        what = "The text ends too early" if at_end else f"Unexpected {str(error.token)!r}"
        raise NotationError(
            what, text=shown, position=position, expected=_expected(error.accepts or error.expected)
        ) from None
    except UnexpectedCharacters as error:
        position = error.pos_in_stream or 0
        character = text[position]
        what = (
            f"The quote {character} is never closed"
            if character in "\"'`"
            else f"Unexpected character {character!r}"
        )
        raise NotationError(
            what, text=shown, position=position, expected=_expected(error.allowed or ())
        ) from None
    except UnexpectedEOF as error:
        raise NotationError(
            "The text ends too early",
            text=shown,
            position=len(text),
            expected=_expected(error.expected),
        ) from None
    return _build(tree, _Builder(shown))


def _expected(terminals: object) -> tuple[str, ...]:
    names = {str(t) for t in cast("set[str]", terminals)}
    return tuple(dict.fromkeys(_EXPECTED[n] for n in _EXPECTED if n in names))


def _build(tree: object, builder: _Builder) -> Node:
    """Build bottom-up with an explicit stack, so that long sums need no recursion."""
    from lark import Token, Tree

    if isinstance(tree, Token):
        return builder.name([tree])
    done: dict[int, object] = {}
    for branch in cast("Tree[Token]", tree).iter_subtrees():
        children = [done[id(c)] if isinstance(c, Tree) else c for c in branch.children]
        done[id(branch)] = getattr(builder, str(branch.data))(children)
    return cast("Node", done[id(tree)])


def _check_size(text: str, shown: str) -> None:
    if len(text) > MAX_LENGTH:
        raise NotationError(
            f"The formula has {len(text)} characters, more than {MAX_LENGTH}.",
            hint="Is this the path of another file?",
        )
    if not text.strip():
        raise NotationError(
            "The text is empty", text=shown, position=0, expected=("a formula or an expression",)
        )
    if "\0" in text:
        raise NotationError(
            "The text holds a null character",
            text=shown,
            position=text.index("\0"),
            hint="Remove it.",
        )
    level = 0
    for match in re.finditer(
        r"""`(?:[^`\\]|\\.)*`|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|#[^\n]*|[()\[\]]""",
        text,
        re.DOTALL,
    ):
        level += {"(": 1, "[": 1, ")": -1, "]": -1}.get(match[0], 0)
        if level > MAX_BRACKETS:
            raise NotationError(
                f"More than {MAX_BRACKETS} brackets are open",
                text=shown,
                position=match.start(),
                hint="Write the formula with fewer.",
            )


def depth(node: Node) -> int:
    """The number of levels of a tree, counted without recursion."""
    deepest, stack = 0, [(node, 1)]
    while stack:
        here, level = stack.pop()
        deepest = max(deepest, level)
        if isinstance(here, Call):
            stack.extend((child, level + 1) for child in here.args)
            stack.extend((child, level + 1) for _, child in here.keywords)
        elif isinstance(here, Operation):
            stack.append((here.right, level + 1))
            if here.left is not None:
                stack.append((here.left, level + 1))
        elif isinstance(here, Negative):
            stack.append((here.operand, level + 1))
    return deepest
