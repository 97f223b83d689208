"""Stata commands, parsed with the grammar of ``grammar.lark``."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from lark import v_args

from growthmm.notation.command_languages.effects import MAX_TERMS, ranged
from growthmm.notation.command_languages.grammar import Build, Grammar, Said
from growthmm.notation.command_languages.sem import Cell
from growthmm.notation.command_languages.tokens import Piece, Token
from growthmm.notation.stata.terms import Factor, Product

__all__ = ["GRAMMAR", "End", "Equation", "Mixed", "Option", "Path", "Residuals", "Sem"]


@dataclass(frozen=True, slots=True)
class Option:
    """An option of a command, and what stands in its brackets."""

    token: Token
    inside: Piece | None = None


@dataclass(frozen=True, slots=True)
class Equation:
    """What stands behind ``||``: the level (for fixed effects the outcome), terms, options."""

    level: Token
    terms: tuple[Product, ...]
    options: tuple[Option, ...]


@dataclass(frozen=True, slots=True)
class Mixed:
    """A ``mixed`` command."""

    fixed: Equation
    equations: tuple[Equation, ...]


@dataclass(frozen=True, slots=True)
class Residuals:
    """What ``residuals()`` says: the type, its order, and options with a variable each."""

    kind: Token
    order: Token | None
    options: tuple[tuple[Token, Token | None], ...]


@dataclass(frozen=True, slots=True)
class End:
    """A variable (or its error) at one end of a path, with what its ``@`` says."""

    token: Token
    error: bool = False
    cell: Cell | None = None


@dataclass(frozen=True, slots=True)
class Path:
    """A path of ``sem``."""

    left: tuple[End, ...]
    arrow: Token
    right: tuple[End, ...]


@dataclass(frozen=True, slots=True)
class Sem:
    """A ``sem`` command."""

    paths: tuple[Path, ...]
    options: tuple[Option, ...]


_SAID = {
    "OUTCOME": Said("{} stands where the outcome should", ("a variable",)),
    "COLON": Said("{} stands where : should", (":",), "Write || id: t, covariance(unstructured)."),
    "LEVEL": Said("{} stands where the grouping variable should", ("a variable",)),
    "ARROW": Said("An arrow is missing", ("<-", "->")),
    "VALUE": Said("{} stands where a number or a name should", ("a number", "a name")),
    "VARIABLE": Said("{} stands where a variable should", ("a variable",)),
    "OPTION": Said("{} stands where an option should", ("an option",)),
    "KIND": Said("{} stands where a word should", ("a word",)),
    "NAME": Said("{} stands where a variable should", ("a variable",)),
    "VBAR": Said("{} stands where || or a comma should", ("||", ",")),
}
_SELECTED = Said("if and in are not supported", hint="Select the rows before.")
_WEIGHTS = Said("Weights are not supported", hint="Leave them out.")
_STARS = Said("Abbreviated variable lists are not read", hint="Write out all names.")
_PRODUCT = Said("Interactions are not supported", hint="Make a column of the product.")
_BOTH = {"if": _SELECTED, "in": _SELECTED, "[": _WEIGHTS}
_ODD = {
    "mixed": {**_BOTH, **dict.fromkeys("*?~", _STARS)},
    "sem": {**_BOTH, "#": _PRODUCT, "##": _PRODUCT},
    "chains": {
        **{"#": _PRODUCT, "##": _PRODUCT},
        "(": Said("Brackets within are not supported", hint="Write a*b, one by one."),
    },
}


@v_args(inline=True)
class _Build(Build):
    """The values of the commands."""

    def mixed(self, outcome: Token, terms: tuple[Product, ...], *others: Any) -> Mixed:
        options = tuple(each for each in others if isinstance(each, Option))
        equations = tuple(each for each in others if isinstance(each, Equation))
        return Mixed(Equation(outcome, terms, options), equations)

    def equation(self, level: Token, terms: tuple[Product, ...], *options: Option) -> Equation:
        return Equation(level, terms, options)

    def option(self, token: Token, *brackets: Token | None) -> Option:
        first, last = (brackets[0], brackets[-1]) if brackets else (None, None)
        if first is None or last is None:
            return Option(token)
        return Option(token, Piece(self.text[first.end : last.position], first.end))

    def words(self, *words: Token) -> tuple[Token, ...]:
        return words

    def residuals(self, kind: Token, order: Token | None, *options: Any) -> Residuals:
        return Residuals(kind, order, tuple(each for each in options if each is not None))

    def residual_option(self, word: Token, name: Token | None) -> tuple[Token, Token | None]:
        return word, name

    def terms(self, *made: Any) -> tuple[Product, ...]:
        found: list[Product] = []
        for part in made:
            found += [(Factor(t),) for t in part] if isinstance(part[0], Token) else part
        self._check_number(len(found), made)
        return tuple(found)

    listed = terms

    def _check_number(self, number: int, made: Any) -> None:
        if number > MAX_TERMS:
            first = made[0][0]
            where = first if isinstance(first, Token) else first[0].token
            raise self.fail(f"The list expands to more than {MAX_TERMS} terms", where)

    def range(self, first: Token, last: Token) -> list[Token]:
        return ranged(self.text, first, last)

    def crossing(self, first: list[Product], *others: Any) -> list[Product]:
        terms = first
        for sign, factor in zip(others[::2], others[1::2], strict=True):
            self._check_number(len(terms) * len(factor), [terms])
            # A bare name is continuous alone, and categorical within a product.
            left, right = _typed(terms), _typed(factor)
            products = [a + b for a in left for b in right]
            terms = [*left, *right, *products] if sign.text == "##" else products
        return terms

    def single(self, operator: tuple[str, str] | None, token: Token) -> list[Product]:
        return [(Factor(token, *(operator or ())),)]

    def several(
        self, operator: tuple[str, str] | None, listed: tuple[Product, ...]
    ) -> list[Product]:
        kind, base = operator or ("", "")
        return [
            tuple(Factor(f.token, f.kind or kind, f.base or base) for f in product)
            for product in listed
        ]

    def one_level(self, level: Token, _: Token) -> None:
        raise self._level(level.text[:-1], level)

    def _level(self, level: str, where: Token) -> Exception:
        return self.fail(
            "One level of a factor variable is not supported",
            where,
            (),
            f"Write ib{level}.x for the base, or make an indicator column.",
        )

    def operator(self, given: Any) -> tuple[str, str]:
        if isinstance(given, tuple):
            return given
        word = given.text[:-1]
        if word in ("c", "R"):
            return word, ""
        if word[0] in "oldfsLDFS":
            message = f"The operator {word}. is not supported"
            raise self.fail(message, given, (), "Make a column of it.")
        base = word.lstrip("ib")
        if base.isdigit() and "b" not in word:
            raise self._level(base, given)
        return "i", base

    def based(self, _: Token, base: Token) -> tuple[str, str]:
        if base.kind == "number":
            return "i", base.text
        if base.says("first"):
            return "i", ""
        message = "The base can be a level or first"
        raise self.fail(message, base, ("first", "a number"))

    def sem(self, *parts: Path | Option) -> Sem:
        return Sem(
            tuple(part for part in parts if isinstance(part, Path)),
            tuple(part for part in parts if isinstance(part, Option)),
        )

    def path(self, left: tuple[End, ...], arrow: Token, right: tuple[End, ...]) -> Path:
        return Path(left, arrow, right)

    def ends(self, *made: list[End]) -> tuple[End, ...]:
        return tuple(end for ends in made for end in ends)

    def end(self, token: Token, cell: Cell | None = None) -> list[End]:
        return [End(token, cell=cell)]

    def ends_range(self, first: Token, last: Token, cell: Cell | None = None) -> list[End]:
        return [End(token, cell=cell) for token in ranged(self.text, first, last)]

    def error_end(self, _: Token, token: Token, cell: Cell | None = None) -> list[End]:
        return [End(token, True, cell)]

    def prefixed(self, prefix: Token, *_: Any) -> None:
        message = f"The operator {prefix.text} is not supported"
        raise self.fail(message, prefix, (), "Make a column of it.")

    def fixed(self, token: Token) -> Cell:
        return Cell(free=False, value=self._float(token))

    def label(self, token: Token) -> Cell:
        return Cell(label=token.text)

    def computed(self, opening: Token, *_: Token) -> None:
        message = "Expressions behind @ are not supported"
        raise self.fail(message, opening, ("a number", "a name"))

    def chain(self, *made: list[End]) -> tuple[list[End], ...]:
        return made

    def chains(self, *made: tuple[list[End], ...]) -> tuple[tuple[list[End], ...], ...]:
        return made

    def names(self, *made: Token | list[Token]) -> tuple[Token, ...]:
        return tuple(t for part in made for t in (part if isinstance(part, list) else [part]))


def _typed(products: list[Product]) -> list[Product]:
    return [tuple(replace(f, kind=f.kind or "i") for f in product) for product in products]


GRAMMAR = Grammar(
    "growthmm.notation.stata",
    ("mixed", "words", "residuals", "sem", "ends", "chains", "names"),
    _Build,
    _SAID,
    _ODD,
)
"""What reads commands of Stata."""
