"""SPSS commands, parsed with the grammar of ``grammar.lark``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lark import v_args

from growthmm.notation.command_languages.effects import MAX_TERMS, Product, ranged
from growthmm.notation.command_languages.grammar import Build, Grammar, Said
from growthmm.notation.command_languages.tokens import Token

__all__ = ["GRAMMAR", "Command", "Option", "Subcommand"]


@dataclass(frozen=True, slots=True)
class Option:
    """An option behind a bar, with the words in its brackets."""

    token: Token
    words: tuple[Token, ...] = ()


@dataclass(frozen=True, slots=True)
class Subcommand:
    """A subcommand: its word, and what stands behind its equals sign."""

    token: Token
    effects: tuple[Product, ...] = ()
    options: tuple[Option, ...] = ()
    words: tuple[Token, ...] = ()


@dataclass(frozen=True, slots=True)
class Command:
    """A MIXED command: outcomes, variables behind BY and WITH (which come first), the rest."""

    outcomes: tuple[Token, ...]
    roles: tuple[tuple[Token, ...], ...]
    subcommands: tuple[Subcommand, ...]


_SAID = {
    "OUTCOME": Said("{} stands where the outcome should", ("a variable",)),
    "FACTOR": Said("{} stands where a variable of the effect should", ("a variable",)),
    "EFFECT": Said("{} is no effect", ("a variable",)),
    "OPTION": Said("{} stands where an option should", ("an option",)),
    "SUBCOMMAND": Said("{} is no subcommand of MIXED", ("a subcommand",)),
    "WORD": Said("{} stands where a word should"),
    "NAME": Said("{} stands where BY, WITH or a variable should", ("a variable", "/")),
    "SLASH": Said("{} stands where / and a subcommand should", ("/",)),
}


@v_args(inline=True)
class _Build(Build):
    """Values of a MIXED command."""

    def command(self, *parts: Any) -> Command:
        return Command(
            tuple(part for part in parts if isinstance(part, Token)),
            tuple(part for part in parts if isinstance(part, tuple)),
            tuple(part for part in parts if isinstance(part, Subcommand)),
        )

    def by(self, *tokens: Token) -> tuple[Token, ...]:
        return tokens

    covariates = by

    def subcommand(
        self, token: Token, effects: tuple[Product, ...], *options: Option | None
    ) -> Subcommand:
        given = tuple(option for option in options if option is not None)
        return Subcommand(token, effects, given)

    def words(self, token: Token, *words: Token) -> Subcommand:
        return Subcommand(token, words=words)

    def passed(self, token: Token, *_: Token) -> Subcommand:
        return Subcommand(token)

    def effects(self, *made: list[Product]) -> tuple[Product, ...]:
        found = tuple(product for products in made for product in products)
        if len(found) > MAX_TERMS:
            message = f"The list expands to more than {MAX_TERMS} effects"
            raise self.fail(message, found[0][0])
        return found

    def range(self, first: Token, last: Token) -> list[Product]:
        return [(token,) for token in ranged(self.text, first, last)]

    def product(self, *parts: Token | tuple[Token, ...]) -> list[Product]:
        flat = [part if isinstance(part, tuple) else (part,) for part in parts]
        return [tuple(token for tokens in flat for token in tokens)]

    def nested(self, *tokens: Token) -> tuple[Token, ...]:
        return tokens

    def option(self, token: Token, *words: Token) -> Option:
        return Option(token, words)


GRAMMAR = Grammar("growthmm.notation.spss", ("command",), _Build, _SAID)
"""What reads commands of SPSS."""
