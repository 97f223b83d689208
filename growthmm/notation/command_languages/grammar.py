"""Parses pieces of a command language's text with the program's grammar, and says what is wrong."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lark import Lark, Transformer, UnexpectedInput, UnexpectedToken
from lark import Token as LarkToken
from lark.exceptions import VisitError

from growthmm.errors import NotationError
from growthmm.notation.command_languages.tokens import (
    Piece,
    Token,
    check_length,
    error_at,
    number,
    token_of,
)
from growthmm.notation.grammar_file import parser_of

__all__ = ["Build", "Grammar", "Said"]

_WORD = re.compile(r"[^\W\d]\w*|\.?[0-9]\w*|[<=-][<>=-]+|\|\||##|.", re.DOTALL)
_BRACKETS = re.compile(r"'[^'\n]*'|\"[^\"\n]*\"|[()]")


@dataclass(frozen=True, slots=True)
class Said:
    """What is said where something else stands than a terminal.

    Parameters
    ----------
    message : str
        The message; ``{}`` is what stands there.
    expected : tuple of str
        What could stand there.
    hint : str, optional
        What to write.
    """

    message: str
    expected: tuple[str, ...] = ()
    hint: str | None = None


class Build(Transformer[Any, Any]):
    """Lark's tree as values; words and signs know their place in the whole text.

    Parameters
    ----------
    text : str
        The whole text, for errors.
    offset : int
        Where the piece begins.
    """

    def __init__(self, text: str, offset: int) -> None:
        super().__init__()
        self.text = text
        self.offset = offset

    def __default_token__(self, token: LarkToken) -> Token:
        return token_of(str(token), self.offset + (token.start_pos or 0))

    def fail(
        self, message: str, where: Token | int, expected: Sequence[str] = (), hint: str = ""
    ) -> NotationError:
        """The error at a token."""
        return error_at(self.text, where, message, expected, hint=hint or None)

    def _float(self, token: Token) -> float:
        return number(self.text, token)


class _Pieces(Transformer[Any, Any]):
    """The pieces of a program, everything in its place, blanks for comments."""

    def program(self, parts: list[Any]) -> list[Piece]:
        return [part for part in parts if isinstance(part, Piece)]

    def bounded(self, tokens: list[LarkToken]) -> Piece:
        return self.piece(tokens)

    def piece(self, tokens: list[LarkToken]) -> Piece:
        start = tokens[0].start_pos or 0
        shown: list[str] = []
        at = start
        for token in tokens:
            begins = token.start_pos or 0
            shown += [" " * (begins - at), token]
            at = begins + len(token)
        return Piece("".join(shown), start)


@dataclass(frozen=True)
class Grammar:
    """A program's grammar.

    Parameters
    ----------
    package : str
        Where its ``grammar.lark`` is.
    starts : tuple of str
        The rules that pieces are parsed with; ``program`` is there always.
    build : type
        What makes values of a parsed piece.
    said : mapping of str to Said
        Messages by terminal, the first counts that could stand where the error is.
    odd : mapping of str to mapping of str to Said
        By rule, words and signs that have a message of their own where they don't belong.
    """

    package: str
    starts: tuple[str, ...]
    build: type[Build]
    said: Mapping[str, Said]
    odd: Mapping[str, Mapping[str, Said]] = field(default_factory=dict)

    def _parser(self) -> Lark:
        starts = ("program", *self.starts)
        return parser_of(self.package, starts, shared=__package__)

    def pieces(self, text: str) -> list[Piece]:
        """The statements or commands of a program, without comments.

        Raises
        ------
        NotationError
            If it is too long.
        """
        check_length(text)
        try:
            tree = self._parser().parse(text, start="program")
        except UnexpectedInput as error:
            raise self._unexpected(error, text, Piece(text, 0), "program") from None
        found: list[Piece] = _Pieces().transform(tree)
        return found

    def parse(self, start: str, text: str, piece: Piece) -> Any:
        """A piece of `text` as the values that `build` makes of it.

        Raises
        ------
        NotationError
            Where it is malformed.
        """
        try:
            tree = self._parser().parse(piece.text, start=start)
            return self.build(text, piece.position).transform(tree)
        except UnexpectedInput as error:
            raise self._unexpected(error, text, piece, start) from None
        except VisitError as error:
            if isinstance(error.orig_exc, NotationError):
                raise error.orig_exc from None
            if not isinstance(error.orig_exc, RecursionError):
                raise
        except RecursionError:
            pass
        raise error_at(text, piece.position, "This is nested too deeply")

    def _unexpected(
        self, error: UnexpectedInput, text: str, piece: Piece, start: str
    ) -> NotationError:
        opening = _unclosed(piece.text)
        if opening is not None:
            return error_at(text, piece.position + opening, "A bracket is not closed", (")",))
        at, shown, allowed = _found(error, piece)
        place = piece.position + at
        odd = self.odd.get(start, {}).get(shown)
        said = [odd] if odd is not None else []
        said += [self.said[terminal] for terminal in self.said if terminal in allowed]
        quoted = "The end" if at == len(piece.text.rstrip()) else repr(shown)[:60]
        if not said:
            return error_at(text, place, f"{quoted} is not expected here")
        first = said[0]
        return error_at(text, place, first.message.format(quoted), first.expected, hint=first.hint)


def _found(error: UnexpectedInput, piece: Piece) -> tuple[int, str, Collection[str]]:
    """Where the error is, what stands there, and the terminals that could."""
    at = error.pos_in_stream
    allowed: Collection[str] = getattr(error, "allowed", None) or ()
    if isinstance(error, UnexpectedToken):
        allowed = error.accepts or error.expected
        if error.token.type == "$END":
            at = None
    word = None if at is None else _WORD.match(piece.text, at)
    if at is None or word is None:
        return len(piece.text.rstrip()), "", allowed
    return at, word.group(), allowed


def _unclosed(text: str) -> int | None:
    """Where the last bracket is that nothing closes."""
    opened: list[int] = []
    for match in _BRACKETS.finditer(text):
        if match.group() == "(":
            opened.append(match.start())
        elif match.group() == ")" and opened:
            opened.pop()
    return opened[-1] if opened else None
