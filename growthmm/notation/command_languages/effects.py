"""Effects as SAS and SPSS list them (``a b a*b``, ``a|b@2``, ``a(b)``), and terms of a model."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations

from growthmm.errors import NotationError
from growthmm.model.expression import canonical, quote, tree
from growthmm.model.expression_tree import Call, Name, Number, Operation, Text
from growthmm.model.terms import Term
from growthmm.notation.command_languages.tokens import Cursor, Token

__all__ = ["Monomial", "Variables", "monomials", "name_list", "products", "sorted_terms"]

MAX_TERMS = 2000

Product = tuple[Token, ...]

_NUMBERED = re.compile(r"(.*?)([0-9]+)")


@dataclass
class Variables:
    """What the names of a program stand for.

    Parameters
    ----------
    folded : bool
        Whether upper and lower case are the same; the first spelling counts.
    classes : dict of str to str
        Categorical variables and the canonical expression of each.
    derived : dict of str to str
        Computed columns, with the canonical expression (without ``I()``) of each.
    longer : dict of str to str
        Shortened names, and the column of each.
    seen : dict of str to str
        The column of each name that was looked up.
    recoded : set of str
        Columns that the program changes in place.
    """

    folded: bool
    classes: dict[str, str] = field(default_factory=dict)
    derived: dict[str, str] = field(default_factory=dict)
    longer: dict[str, str] = field(default_factory=dict)
    seen: dict[str, str] = field(default_factory=dict)
    recoded: set[str] = field(default_factory=set)

    def key(self, name: str) -> str:
        """The name as it is looked up."""
        return name.lower() if self.folded else name

    def column(self, token: Token) -> str:
        """The column that a name stands for."""
        return self.seen.setdefault(self.key(token.text), self.full(token.text))

    def full(self, name: str) -> str:
        """The name before it was shortened or copied."""
        copied = self.derived.get(self.key(name))
        node = tree(copied) if copied is not None else None
        return node.name if isinstance(node, Name) else self.longer.get(self.key(name), name)

    def quoted(self, token: Token) -> str:
        """The canonical expression of a name as it stands."""
        return quote(self.column(token))

    def term(self, product: Product) -> Term:
        """The term that a product of names is; repeated numeric names are powers."""
        counts = Counter(self.key(token.text) for token in product)
        factors: dict[str, None] = {}
        for token in product:
            key = self.key(token.text)
            if key in self.classes:
                factors[self.classes[key]] = None
            elif counts[key] == 1:
                factors[self._plain(token, key)] = None
            else:
                inner = self.derived.get(key) or self.quoted(token)
                shown = inner if isinstance(tree(inner), Name) else f"({inner})"
                factors[canonical(f"I({shown}**{counts[key]})")] = None
        return Term(tuple(factors))

    def _plain(self, token: Token, key: str) -> str:
        derived = self.derived.get(key)
        if derived is None:
            return self.quoted(token)
        node = tree(derived)
        return derived if isinstance(node, (Call, Name)) else canonical(f"I({derived})")


def sorted_terms(terms: Sequence[Term]) -> tuple[Term, ...]:
    """Terms once each, by degree, as R lists them."""
    kept: dict[frozenset[str], Term] = {}
    for term in terms:
        kept.setdefault(frozenset(term.factors), term)
    return tuple(sorted(kept.values(), key=lambda term: len(term.factors)))


def name_list(cursor: Cursor) -> list[Token]:
    """Names up to whatever is none, ``y0-y3`` written out."""
    names: list[Token] = []
    while cursor.peek().is_name:
        first = cursor.take()
        if cursor.sees("-") and cursor.peek(1).is_name:
            cursor.take()
            names += _range(cursor, first, cursor.take())
        else:
            names.append(first)
    return names


def _range(cursor: Cursor, first: Token, last: Token) -> list[Token]:
    low, high = _NUMBERED.fullmatch(first.text), _NUMBERED.fullmatch(last.text)
    if low is None or high is None or low[1].lower() != high[1].lower():
        raise cursor.fail(
            f"{first.text}-{last.text} is no numbered range",
            token=first,
            hint="Write y1-y4, or all names.",
        )
    start, stop = int(low[2]), int(high[2])
    if not 0 <= stop - start <= 1000:
        raise cursor.fail(f"{first.text}-{last.text} is no range of 1 to 1000 names", token=first)
    width = len(low[2]) if low[2].startswith("0") else 0
    return [
        Token("name", f"{low[1]}{number:0{width}d}", first.position, last.end)
        for number in range(start, stop + 1)
    ]


def products(cursor: Cursor, stops: tuple[str, ...], *, bars: bool) -> list[Product]:
    """The effects up to one of `stops`, each a product of names.

    Parameters
    ----------
    cursor : Cursor
        Where they begin.
    stops : tuple of str
        Signs that end the list.
    bars : bool
        Whether ``a|b`` crosses.
    """
    found: list[Product] = []
    while not cursor.done and not cursor.sees(*stops):
        if cursor.accept(",") and found:
            continue
        if not cursor.peek().is_name:
            raise cursor.fail(f"{cursor.shown()} is no effect", ("a variable",))
        if cursor.peek(1).text == "-" and cursor.peek(2).is_name:
            found += [(token,) for token in name_list(cursor)]
            continue
        crossed = [_product(cursor)]
        while bars and cursor.accept("|"):
            crossed.append(_product(cursor))
        most = len(crossed)
        if cursor.accept("@"):
            most = int(max(cursor.number(), 1.0))
        found += _crossed(crossed, most, cursor)
        if len(found) > MAX_TERMS:
            raise _too_many(cursor)
    return found


def _product(cursor: Cursor) -> Product:
    names = [cursor.name("a variable of the effect")]
    while True:
        if cursor.accept("*") or (cursor.peek().says("by") and cursor.take()):
            names.append(cursor.name("a variable of the effect"))
        elif cursor.sees("("):
            inside = cursor.bracketed()
            while not inside.done:
                if not inside.accept("*", ","):
                    names.append(inside.name("a variable of the effect"))
        else:
            return tuple(names)


def _crossed(parts: list[Product], most: int, cursor: Cursor) -> list[Product]:
    if len(parts) == 1:
        return parts
    if 2 ** len(parts) > MAX_TERMS:
        raise _too_many(cursor)
    chosen = [s for size in range(1, len(parts) + 1) for s in combinations(range(len(parts)), size)]
    chosen.sort(key=lambda subset: [i in subset for i in reversed(range(len(parts)))])
    made = [tuple(t for i in subset for t in parts[i]) for subset in chosen]
    return [product for product in made if len(product) <= most]


def _too_many(cursor: Cursor) -> NotationError:
    return cursor.fail(f"The list expands to more than {MAX_TERMS} effects")


@dataclass(frozen=True, slots=True)
class Monomial:
    """A factor that command languages can write in an effect.

    Parameters
    ----------
    name : str
        The column.
    power : int
        How often it is multiplied.
    categorical : bool
        Whether the text says that it is a factor.
    reference : str, float, or None
        The reference level, where the text names one.
    """

    name: str
    power: int = 1
    categorical: bool = False
    reference: str | float | None = None


def monomials(expression: str) -> Monomial | None:
    """A canonical factor as a monomial: ``t``, ``I(t**2)``, ``C(sex)``; None for others.

    Examples
    --------
    >>> monomials("I(t**2)").power, monomials("C(sex)").categorical, monomials("log(t)")
    (2, True, None)
    """
    node = tree(expression)
    if isinstance(node, Name):
        return Monomial(node.name)
    if (
        not isinstance(node, Call)
        or node.keywords
        or not isinstance(node.args[0], (Name, Operation))
    ):
        return None
    inner = node.args[0]
    if node.function == "C" and isinstance(inner, Name):
        return _categorical(inner.name, node)
    if node.function == "I" and isinstance(inner, Operation) and inner.operator == "**":
        base, power = inner.left, inner.right
        whole = isinstance(power, Number) and power.value.is_integer() and 2 <= power.value <= 9
        if isinstance(base, Name) and isinstance(power, Number) and whole:
            return Monomial(base.name, int(power.value))
    return None


def _categorical(name: str, node: Call) -> Monomial | None:
    if len(node.args) == 1:
        return Monomial(name, categorical=True)
    contrast = node.args[1]
    if isinstance(contrast, Call) and isinstance(contrast.args[0], (Text, Number)):
        return Monomial(name, categorical=True, reference=contrast.args[0].value)
    return None
