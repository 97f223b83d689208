"""Stata do-files as commands; finds the one that holds a model."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from growthmm.errors import NotationError
from growthmm.notation.command_languages.arithmetic import assigned
from growthmm.notation.command_languages.effects import Variables
from growthmm.notation.command_languages.names import longer_names
from growthmm.notation.command_languages.tokens import Piece, Token, error_at
from growthmm.notation.stata.parser import GRAMMAR

__all__ = ["ModelCommand", "abbreviates", "find_command"]

_QUIET = re.compile(
    r"(?:(?:quietly|qui|noisily|noi|capture|cap)\b\s*:?\s*|version\b[^:]*(?::\s*|$))*"
)
_NAME = re.compile(r"[^\W\d]\w*")
_ASSIGNMENT = re.compile(r"\s*(?:(?:byte|int|long|float|double)\s+)?([^\W\d]\w*)\s*=(?!=)")
_PREFIXES = ("by", "bysort", "bys", "svy", "mi", "bootstrap", "jackknife", "xi", "statsby", "fp")
_OTHERS = ("gsem", "meglm", "melogit", "meqrlogit", "mepoisson", "menl", "meprobit", "xtgee")


@dataclass(frozen=True, slots=True)
class ModelCommand:
    """A command that fits a model.

    Parameters
    ----------
    name : {"mixed", "xtmixed", "sem"}
        Which one.
    text : str
        The do-file, for errors.
    rest : Piece
        What stands behind its name.
    variables : Variables
        What ``generate`` before it computes.
    """

    name: str
    text: str
    rest: Piece
    variables: Variables

    def parsed(self, rule: str, piece: Piece | None = None) -> Any:
        """The command, or what stands in the brackets of an option, as the grammar has it.

        Raises
        ------
        NotationError
            Where it is malformed.
        """
        return GRAMMAR.parse(rule, self.text, piece or self.rest)

    def fail(
        self, message: str, where: Token, expected: Sequence[str] = (), hint: str = ""
    ) -> NotationError:
        """The error at a token."""
        return error_at(self.text, where, message, expected, hint=hint or None)


def abbreviates(word: str, full: str, least: int) -> bool:
    """Whether `word` is `full`, or as much of it as Stata asks for.

    Examples
    --------
    >>> abbreviates("cov", "covariance", 3), abbreviates("c", "covariance", 3)
    (True, False)
    """
    return len(word) >= least and full.startswith(word)


def find_command(text: str) -> ModelCommand:
    """The one ``mixed`` or ``sem`` command of a do-file; other commands are passed over.

    Raises
    ------
    NotationError
        If there is none, or more than one.
    """
    variables = Variables(folded=False, longer=longer_names(text, folded=False))
    found: list[ModelCommand] = []
    for whole in GRAMMAR.pieces(text):
        prefixes = _QUIET.match(whole.text)
        piece = whole.behind(prefixes.end() if prefixes is not None else 0)
        match = _NAME.match(piece.text)
        word = match.group() if match is not None else ""
        if word in ("mixed", "xtmixed", "sem"):
            found.append(ModelCommand(word, text, piece.behind(len(word)), variables))
        elif word in (*_OTHERS, *_PREFIXES):
            _refuse(text, word, piece)
        elif not found:
            _generate(word, piece.text[len(word) :], variables)
    if not found:
        start = len(text) - len(text.lstrip())
        message = "The text has no mixed and no sem command"
        raise error_at(text, start, message, ("mixed", "sem"))
    if len(found) > 1:
        message = "The text has a second command with a model"
        place = found[1].rest.position - len(found[1].name)
        raise error_at(text, place, message, hint="Give one at a time.")
    return found[0]


def _refuse(text: str, word: str, piece: Piece) -> None:
    if word in _OTHERS:
        hint = "Write mixed or sem, for Gaussian outcomes."
        raise error_at(text, piece.position, f"{word} is not read", hint=hint)
    if {"mixed", "sem"} & set(_NAME.findall(piece.text)):
        message = f"The prefix {word} is not supported"
        raise error_at(text, piece.position, message, hint="Give the command alone.")


def _generate(word: str, rest: str, variables: Variables) -> None:
    names = _NAME.findall(rest)
    if len(word) >= 4 and "replace".startswith(word) and names:
        # One of the data's own columns is recoded, one made here just made anew.
        variables.derived.pop(names[0], None)
        if names[0] not in variables.seen:
            variables.recoded.add(names[0])
    match = _ASSIGNMENT.match(rest)
    if not word or not "generate".startswith(word) or match is None:
        return
    name, right = match[1], rest[match.end() :]
    variables.seen.setdefault(name, name)
    if {"if", "in"} & set(_NAME.findall(right)):
        return
    expression = assigned(right, "stata", variables.derived, folded=False)
    if expression is not None:
        variables.derived[name] = expression
