"""Words and signs of command languages (SAS, SPSS, Stata), with the place where each stands."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from growthmm.errors import NotationError

__all__ = ["MAX_LENGTH", "Piece", "Token", "check_length", "error_at", "number", "token_of"]

MAX_LENGTH = 200_000

Kind = Literal["name", "literal", "number", "string", "sign"]


@dataclass(frozen=True, slots=True)
class Token:
    """One word or sign.

    Parameters
    ----------
    kind : str
        ``name``, ``literal`` (a quoted name), ``number``, ``string`` or ``sign``.
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


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a text, comments blanked, and where it begins."""

    text: str
    position: int

    @property
    def end(self) -> int:
        """Where it ends."""
        return self.position + len(self.text)

    def behind(self, length: int) -> Piece:
        """What follows its first characters."""
        return Piece(self.text[length:], self.position + length)


def token_of(shown: str, position: int) -> Token:
    """A word or sign as it stands in the text.

    Examples
    --------
    >>> [token_of(shown, 0).kind for shown in ("y", "'a b'n", "'a b'", ".5", "<-")]
    ['name', 'literal', 'string', 'number', 'sign']
    """
    kind, value = _kind(shown), shown
    if kind in ("literal", "string"):
        inside = shown[1 : -2 if kind == "literal" else -1]
        value = inside.replace(shown[0] * 2, shown[0])
    return Token(kind, value, position, position + len(shown))


def _kind(shown: str) -> Kind:
    if shown[0] in "'\"" and len(shown) > 1:
        return "literal" if shown[-1] in "nN" else "string"
    if shown[0].isalpha() or shown[0] == "_":
        return "name"
    return "number" if any(c.isdigit() for c in shown) else "sign"


def number(text: str, token: Token) -> float:
    """The value of a number, with its sign.

    Raises
    ------
    NotationError
        If it is too large.
    """
    value = float("".join(token.text.split()))
    if not math.isfinite(value):
        raise error_at(text, token, f"The number {token.text} is too large")
    return value


def check_length(text: str) -> None:
    """Refuse a text that is too long to be a model."""
    if len(text) > MAX_LENGTH:
        raise NotationError(
            f"The text has {len(text)} characters, more than {MAX_LENGTH}.",
            hint="Give the commands of one model.",
        )


def error_at(
    text: str,
    where: Token | int,
    message: str,
    expected: Sequence[str] = (),
    *,
    hint: str | None = None,
) -> NotationError:
    """The error at a token or a place of `text`."""
    position = where.position if isinstance(where, Token) else where
    return NotationError(message, text=text, position=position, expected=expected, hint=hint)
