"""A statement of a structural equation model's text, parsed, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lark import Transformer, UnexpectedCharacters, UnexpectedInput
from lark.exceptions import VisitError

from growthmm.errors import NotationError
from growthmm.notation.grammar_file import parser_of

__all__ = ["StatementGrammar"]


@dataclass(frozen=True)
class StatementGrammar:
    """The grammar of a program's statements.

    Parameters
    ----------
    package : str
        Where its ``grammar.lark`` is.
    starts : tuple of str
        The rules that statements are parsed with.
    readable : mapping of str to str or None
        Terminals as errors name them; None where they go without saying.
    placeholders : bool
        Whether an optional part that is absent is None in the tree.
    hint : str, optional
        What to say at a word that does not belong.
    """

    package: str
    starts: tuple[str, ...]
    readable: Mapping[str, str | None]
    placeholders: bool
    hint: str | None = None

    def parse(
        self, piece: str, start: str, build: Transformer[Any, Any], text: str, offset: int
    ) -> Any:
        """A statement as the values that `build` makes of its tree.

        Parameters
        ----------
        piece : str
            The statement.
        start : str
            The rule to parse it with.
        build : Transformer
            What makes values.
        text : str
            The whole text, for errors.
        offset : int
            Where the statement begins in it.

        Raises
        ------
        NotationError
            Where it is malformed.
        """
        parser = parser_of(self.package, self.starts, placeholders=self.placeholders)
        try:
            return build.transform(parser.parse(piece, start=start))
        except UnexpectedCharacters as error:
            at = error.pos_in_stream or 0
            sign = piece[at] if at < len(piece) else ""
            message = f"The character {sign!r} has no meaning here."
            raise NotationError(message, text=text, position=offset + at) from None
        except UnexpectedInput as error:
            raise self._unexpected(error, piece, text, offset) from None
        except VisitError as error:
            if isinstance(error.orig_exc, NotationError):
                raise error.orig_exc from None
            if not isinstance(error.orig_exc, RecursionError):
                raise
        except RecursionError:
            pass
        raise NotationError("This statement is nested too deeply.", text=text, position=offset)

    def _unexpected(
        self, error: UnexpectedInput, piece: str, text: str, offset: int
    ) -> NotationError:
        token = getattr(error, "token", None)
        wanted = getattr(error, "accepts", None) or getattr(error, "expected", None) or ()
        names = {self.readable.get(name, name) for name in wanted}
        expected = tuple(sorted(name for name in names if name is not None))
        if token is None or token.type == "$END":
            end, message = offset + len(piece.rstrip()), "The statement stops short."
            return NotationError(message, text=text, position=end, expected=expected)
        return NotationError(
            f"Did not expect {str(token)!r} here.",
            text=text,
            position=offset + (token.start_pos or 0),
            expected=expected,
            hint=self.hint,
        )
