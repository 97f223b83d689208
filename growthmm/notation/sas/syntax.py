"""What the statements of PROC MIXED and PROC CALIS say, before anything is made of it."""

from __future__ import annotations

from dataclasses import dataclass

from growthmm.notation.command_languages.effects import Product
from growthmm.notation.command_languages.sem import Cell
from growthmm.notation.command_languages.tokens import Token

__all__ = [
    "Bound",
    "ClassVariable",
    "Effects",
    "Equation",
    "Linear",
    "Moment",
    "Option",
    "PathItem",
    "Summand",
]

Pair = tuple[Token, Token]


@dataclass(frozen=True, slots=True)
class Option:
    """An option of a statement.

    Parameters
    ----------
    word : str
        Its name, in lower case.
    token : Token
        Where it stands.
    value : tuple of Token
        What stands behind its equals sign.
    """

    word: str
    token: Token
    value: tuple[Token, ...] = ()

    def value_text(self) -> str:
        """The value in lower case, without blanks."""
        return "".join(token.text for token in self.value).lower()


@dataclass(frozen=True, slots=True)
class ClassVariable:
    """A variable of CLASS, with its option and that option's value."""

    token: Token
    option: Token | None = None
    level: Token | None = None


@dataclass(frozen=True, slots=True)
class Effects:
    """Effects and options of MODEL (with its outcome), RANDOM or REPEATED."""

    products: tuple[Product, ...]
    options: tuple[Option, ...]
    outcome: Token | None = None


@dataclass(frozen=True, slots=True)
class Summand:
    """A term of an equation; `plain` where its coefficient is 1 or not written."""

    cell: Cell
    variable: Token
    plain: bool


@dataclass(frozen=True, slots=True)
class Equation:
    """An equation of LINEQS."""

    left: Token
    summands: tuple[Summand, ...]


@dataclass(frozen=True, slots=True)
class PathItem:
    """An item of PATH: two sides of an arrow, or variances where `left` is empty."""

    left: tuple[Token, ...]
    arrow: Token
    right: tuple[Token, ...]
    cells: tuple[Cell, ...] | None


@dataclass(frozen=True, slots=True)
class Moment:
    """Variables of VARIANCE, MEAN or COV (with those behind its ``*``), and their parameters."""

    names: tuple[Token, ...]
    cells: tuple[Cell, ...] | None
    others: tuple[Token, ...] | None = None


@dataclass(frozen=True, slots=True)
class Bound:
    """A chain of inequalities between numbers and lists of parameters."""

    parts: tuple[float | tuple[Token, ...], ...]
    signs: tuple[Token, ...]


@dataclass(frozen=True, slots=True)
class Linear:
    """A relation of LINCON: a sum's signs, numbers and parameters, on either side."""

    left: tuple[tuple[str, float | None, Token | None], ...]
    relation: str
    right: tuple[tuple[str, float | None, Token | None], ...]
