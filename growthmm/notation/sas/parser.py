"""SAS statements, parsed with the grammar of ``grammar.lark``."""

from __future__ import annotations

from typing import Any

from lark import v_args

from growthmm.notation.command_languages.effects import MAX_TERMS, Product, crossed, ranged
from growthmm.notation.command_languages.grammar import Build, Grammar, Said
from growthmm.notation.command_languages.sem import Cell
from growthmm.notation.command_languages.tokens import Token
from growthmm.notation.sas.syntax import (
    Bound,
    ClassVariable,
    Effects,
    Equation,
    Linear,
    Moment,
    Option,
    PathItem,
    Summand,
)

__all__ = ["GRAMMAR"]

Term = tuple[float | None, Token | None]

_SAID = {
    "SEMICOLON": Said("The last statement has no semicolon", (";",)),
    "_IS": Said("{} stands where = should", ("=",), "Write model y = effects / solution;"),
    "OUTCOME": Said("{} stands where the outcome should", ("a variable",)),
    "VALUE": Said("A value is missing behind =", ("a value",)),
    "FACTOR": Said("{} stands where a variable of the effect should", ("a variable",)),
    "EFFECT": Said("{} is no effect", ("a variable",)),
    "CLASSED": Said("{} stands where a variable of CLASS should", ("a variable",)),
    "OPTION": Said("{} stands where an option should", ("an option",)),
    "MULTIPLIED": Said("{} stands where the variable of the coefficient should", ("a variable",)),
    "VARIABLE": Said("{} is no term of an equation", ("a variable",)),
    "EXPLAINED": Said("{} stands where the variable that an equation explains should"),
    "ARROW": Said("An arrow is missing", ("<===", "===>", "<==>")),
    "RELATION": Said("A bound is an inequality", ("<=", ">=")),
    "EQUALITY": Said("A constraint relates two sides", ("=",), "Write lincon a - 2*b = 0;"),
    "PARAMETER": Said("{} is no parameter", ("a name",)),
    "COMMA": Said("{} stands where a comma should", (",",), "Separate what is listed by commas."),
    "NAME": Said("{} stands where a variable should", ("a variable",)),
}


@v_args(inline=True)
class _Build(Build):
    """The values of :mod:`growthmm.notation.sas.syntax`."""

    def _list(self, *items: Any) -> tuple[Any, ...]:
        return tuple(item for item in items if item is not None)

    procedure = classes = lineqs = paths = moments = pairs = bounds = lincon = _list
    group = more = nested = _list

    def cells(self, *made: list[Cell]) -> tuple[Cell, ...]:
        return tuple(cell for cells in made for cell in cells)

    def number(self, token: Token) -> float:
        return self._float(token)

    def value(self, *parts: Token | tuple[Any, ...]) -> tuple[Token, ...]:
        found: list[Token] = []
        for part in parts:
            found += self.value(*part) if isinstance(part, tuple) else [part]
        return tuple(found)

    def flag(self, token: Token, _: Any = None) -> Option:
        return Option(token.text.lower(), token)

    def option(self, token: Token, value: tuple[Token, ...]) -> Option:
        return Option(token.text.lower(), token, value)

    def odd_class(self, token: Token, option: Token) -> ClassVariable:
        return ClassVariable(token, option)

    def classed(
        self, token: Token, option: Token | None = None, level: Token | None = None
    ) -> ClassVariable:
        return ClassVariable(token, option, level)

    def model(self, outcome: Token, effects: list[Product], *options: Option) -> Effects:
        return Effects(tuple(effects), options, outcome)

    def options_of_outcome(self, _: Token, group: tuple[Token, ...], *__: Any) -> Effects:
        raise self.fail("Options of the outcome are not supported", group[0])

    def listed(self, effects: list[Product], *options: Option) -> Effects:
        return Effects(tuple(effects), options)

    def effects(self, *made: list[Product]) -> list[Product]:
        found = [product for products in made for product in products]
        if len(found) > MAX_TERMS:
            message = f"The list expands to more than {MAX_TERMS} effects"
            raise self.fail(message, found[0][0])
        return found

    def effect(self, *parts: Any) -> list[Product]:
        *products, degree = parts
        most = float("inf") if degree is None else max(self._float(degree), 1.0)
        return crossed(self.text, products, most)

    def range(self, first: Token, last: Token) -> list[Product]:
        return [(token,) for token in ranged(self.text, first, last)]

    def product(self, *parts: Token | tuple[Token, ...]) -> Product:
        return self.value(*parts)

    def equation(self, left: Token, *summands: Summand) -> Equation:
        return Equation(left, summands)

    def plain(self, variable: Token) -> Summand:
        return Summand(Cell(), variable, True)

    def plain_coefficient(self, variable: Token) -> Summand:
        return Summand(Cell(), variable, False)

    def labelled(self, label: Token, start: float | None, variable: Token) -> Summand:
        return Summand(Cell(label=label.text, start=start), variable, False)

    def started(self, start: float, variable: Token) -> Summand:
        return Summand(Cell(start=start), variable, False)

    def fixed_summand(self, number: Token, variable: Token) -> Summand:
        value = self._float(number)
        return Summand(Cell(free=False, value=value), variable, value == 1.0)

    def minus(self, variable: Token) -> Summand:
        raise self.fail("A minus sign before a variable", variable, (), "Write -1*variable.")

    def path(
        self, left: tuple[Token, ...], arrow: Token, right: tuple[Token, ...], cells: Any
    ) -> PathItem:
        return PathItem(left, arrow, right, cells)

    def variances(self, arrow: Token, names: tuple[Token, ...], cells: Any) -> PathItem:
        return PathItem((), arrow, names, cells)

    def side(self, names: Token | tuple[Token, ...]) -> tuple[Token, ...]:
        return (names,) if isinstance(names, Token) else names

    def names(self, *made: list[Token]) -> tuple[Token, ...]:
        return tuple(token for tokens in made for token in tokens)

    def name(self, first: Token, last: Token | None) -> list[Token]:
        return [first] if last is None else ranged(self.text, first, last)

    def cell(self, label: Token, start: float | None) -> list[Cell]:
        return [Cell(label=label.text, start=start)]

    def fixed(self, token: Token) -> list[Cell]:
        return [Cell(free=False, value=self._float(token))]

    def labels(self, first: Token, last: Token) -> list[Cell]:
        return [Cell(label=token.text) for token in ranged(self.text, first, last)]

    def start(self, value: float) -> list[Cell]:
        return [Cell(start=value)]

    def moment(self, names: tuple[Token, ...], cells: Any) -> Moment:
        return Moment(names, cells)

    def pair(
        self, names: tuple[Token, ...], others: tuple[Token, ...] | None, cells: Any
    ) -> Moment:
        return Moment(names, cells, others)

    def bound(self, *parts: Any) -> Bound:
        return Bound(parts[::2], parts[1::2])

    def constraint(self, left: Any, relation: Token, right: Any) -> Linear:
        return Linear(left, relation.text, right)

    def linear(self, *parts: Any) -> tuple[tuple[str, float | None, Token | None], ...]:
        signed = parts if isinstance(parts[0], Token) else (None, *parts)
        return tuple(
            ("+" if sign is None else sign.text, *term)
            for sign, term in zip(signed[::2], signed[1::2], strict=True)
        )

    def term(self, value: Token, parameter: Token | None) -> Term:
        return self._float(value), parameter

    def lone(self, parameter: Token) -> Term:
        return None, parameter

    def curved(self, first: Token, _: Token) -> Term:
        message = "A linear constraint adds multiples of parameters"
        raise self.fail(message, first, ("+", "-"))


GRAMMAR = Grammar(
    "growthmm.notation.sas",
    (
        *("procedure", "classes", "model", "listed", "product", "names"),
        *("lineqs", "paths", "moments", "pairs", "bounds", "lincon"),
    ),
    _Build,
    _SAID,
)
"""What reads statements of SAS."""
