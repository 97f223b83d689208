"""Words and signs of command languages (SAS, SPSS, Stata), with the place where each stands."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from growthmm.errors import NotationError

__all__ = ["MAX_LENGTH", "Cursor", "Token", "blank", "scan", "too_long"]

MAX_LENGTH = 200_000

Kind = Literal["name", "literal", "number", "string", "sign", "end"]

_PIECES = re.compile(
    r"""
    (?P<literal>'(?:[^'\n]|'')*'[nN](?!\w)|"(?:[^"\n]|"")*"[nN](?!\w))
  | (?P<string>'(?:[^'\n]|'')*'|"(?:[^"\n]|"")*")
  | (?P<number>(?:[0-9]+(?:\.[0-9]+|\.(?![\w.]))?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?(?!\w))
  | (?P<name>[^\W\d]\w*)
  | (?P<sign><-{1,3}>|<={1,3}>|<-{1,3}|<={1,3}|-{1,3}>|={2,3}>
      |\|\||\#\#|\*\*|>=|==|.)
    """,
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Token:
    """One word or sign.

    Parameters
    ----------
    kind : str
        ``name``, ``literal`` (a quoted name), ``number``, ``string``, ``sign`` or ``end``.
    text : str
        What it says; names and strings without their quotes.
    position, end : int
        Where it begins and ends in the text.
    """

    kind: Kind
    text: str
    position: int
    end: int

    @property
    def is_name(self) -> bool:
        """Whether it can name a variable."""
        return self.kind in ("name", "literal")

    def says(self, *words: str) -> bool:
        """Whether it is one of these bare words, in any case."""
        return self.kind == "name" and self.text.lower() in words


def too_long(text: str) -> NotationError | None:
    """The error for a text that is too long to be a model."""
    if len(text) <= MAX_LENGTH:
        return None
    return NotationError(
        f"The text has {len(text)} characters, more than {MAX_LENGTH}.",
        hint="Give the commands of one model.",
    )


def blank(text: str, start: int, stop: int) -> str:
    """`text` with blanks for what stands from `start` to `stop`, line breaks kept."""
    inside = "".join("\n" if c == "\n" else " " for c in text[start:stop])
    return text[:start] + inside + text[stop:]


def scan(text: str, start: int = 0, stop: int | None = None) -> list[Token]:
    """The words and signs of a part of a text from which comments are blanked.

    Examples
    --------
    >>> [t.text for t in scan("y <- I@1 'a b'n ** .5")]
    ['y', '<-', 'I', '@', '1', 'a b', '**', '.5']
    """
    tokens = []
    for match in _PIECES.finditer(text, start, len(text) if stop is None else stop):
        shown = match.group()
        if shown.isspace():
            continue
        kind = match.lastgroup or "sign"
        value = shown
        if kind == "literal":
            value = shown[1:-2].replace(shown[0] * 2, shown[0])
        elif kind == "string":
            value = shown[1:-1].replace(shown[0] * 2, shown[0])
        tokens.append(Token(kind, value, match.start(), match.end()))  # type: ignore[arg-type]
    return tokens


class Cursor:
    """Reads words and signs one after the other.

    Parameters
    ----------
    text : str
        The whole text, for errors.
    tokens : sequence of Token
        What to read.
    stop : int
        Where the text ends, for errors at the end.
    """

    def __init__(self, text: str, tokens: Sequence[Token], stop: int | None = None) -> None:
        self.text = text
        self.tokens = tuple(tokens)
        self.at = 0
        if stop is None:
            stop = self.tokens[-1].end if self.tokens else len(text)
        self.end = Token("end", "", stop, stop)

    def peek(self, ahead: int = 0) -> Token:
        """The next token, or the one that many further on."""
        at = self.at + ahead
        return self.tokens[at] if at < len(self.tokens) else self.end

    def take(self) -> Token:
        """The next token, which is then read."""
        token = self.peek()
        self.at += 1
        return token

    @property
    def done(self) -> bool:
        """Whether everything is read."""
        return self.at >= len(self.tokens)

    def sees(self, *signs: str) -> bool:
        """Whether one of these signs comes next."""
        token = self.peek()
        return token.kind == "sign" and token.text in signs

    def accept(self, *signs: str) -> Token | None:
        """The next token where it is one of these signs, which is then read."""
        return self.take() if self.sees(*signs) else None

    def expect(self, sign: str, hint: str | None = None) -> Token:
        """The next token, which has to be this sign."""
        if not self.sees(sign):
            raise self.fail(f"{self.shown()} stands where {sign} should", (sign,), hint=hint)
        return self.take()

    def name(self, what: str = "a variable") -> Token:
        """The next token, which has to be a name."""
        if not self.peek().is_name:
            raise self.fail(f"{self.shown()} stands where {what} should", (what,))
        return self.take()

    def number(self) -> float:
        """The next number, with its sign."""
        sign = -1.0 if self.accept("-") else 1.0
        if sign > 0:
            self.accept("+")
        if self.peek().kind != "number":
            raise self.fail(f"{self.shown()} stands where a number should", ("a number",))
        token = self.take()
        value = float(token.text)
        if not math.isfinite(value):
            raise self.fail(f"The number {token.text} is too large", token=token)
        return sign * value

    @property
    def sees_number(self) -> bool:
        """Whether a number comes next, with or without a sign."""
        return self.peek().kind == "number" or (
            self.sees("-", "+") and self.peek(1).kind == "number"
        )

    def shown(self) -> str:
        """The next token, for messages."""
        token = self.peek()
        return "The end" if token.kind == "end" else repr(token.text)[:60]

    def skip_brackets(self) -> None:
        """Read bracketed text, where it comes next."""
        if not self.sees("("):
            return
        opening = self.take()
        depth = 1
        while depth:
            if self.done:
                raise self.fail("A bracket is not closed", (")",), token=opening)
            token = self.take()
            if token.kind == "sign":
                depth += {"(": 1, ")": -1}.get(token.text, 0)

    def bracketed(self) -> Cursor:
        """What stands in the brackets that come next, as a cursor of its own."""
        self.expect("(")
        start = self.at
        self.at -= 1
        self.skip_brackets()
        closing = self.tokens[self.at - 1]
        return Cursor(self.text, self.tokens[start : self.at - 1], closing.position)

    def until(self, *signs: str) -> Iterator[Token]:
        """Tokens up to one of these signs, which is left, or to the end."""
        while not self.done and not self.sees(*signs):
            yield self.take()

    def fail(
        self,
        message: str,
        expected: Sequence[str] = (),
        *,
        token: Token | None = None,
        hint: str | None = None,
    ) -> NotationError:
        """The error at a token, by default the next one."""
        where = self.peek() if token is None else token
        return NotationError(
            message, text=self.text, position=where.position, expected=expected, hint=hint
        )
